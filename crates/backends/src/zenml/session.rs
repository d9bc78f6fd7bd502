//! Sessions: the credential is exchanged for a token that lives for an hour or so (contract 1). The token is in memory and nowhere else; it
//! is renewed before it ends, and once when the server does not take it any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::Instant};

use super::wire;
use crate::{
    Class, Error,
    http::{Credential, Http, Request, trimmed},
};
use rolewright_core::model::Fault;

/// A session with less left than this is renewed first, as the vendor's own server does.
const LEFT: Duration = Duration::from_secs(300);
/// After a renewal that failed, so long the session serves on without another try; and for so long a session is new.
const AGAIN: Duration = Duration::from_secs(15);

/// What a session is got with.
pub struct Login {
    /// For its secrets, which are kept out of messages; its header is never sent.
    credential: Credential,
    fields: Vec<(&'static str, SecretString)>,
    secret: SecretString,
    /// The client that it is for. None: it is a user's.
    client: Option<String>,
}

impl Login {
    /// An API key, or a personal access token.
    ///
    /// # Errors
    /// A fault of `field` when the value cannot be a key. It does not show the value.
    pub fn key(field: &str, key: &SecretString) -> Result<Self, Fault> {
        Self::new(field, key, Vec::new(), "password")
    }

    /// A client's id and secret, for an audience.
    ///
    /// # Errors
    /// A fault of `field` when the value cannot be a secret. It does not show the value.
    pub fn client(
        field: &str,
        client: &str,
        audience: Option<&str>,
        secret: &SecretString,
    ) -> Result<Self, Fault> {
        let mut fields = vec![("grant_type", "client_credentials".into()), ("client_id", client.into())];
        fields.extend(audience.map(|audience| ("audience", audience.into())));
        Ok(Self { client: Some(client.to_owned()), ..Self::new(field, secret, fields, "client_secret")? })
    }

    fn new(
        field: &str,
        secret: &SecretString,
        mut fields: Vec<(&'static str, SecretString)>,
        name: &'static str,
    ) -> Result<Self, Fault> {
        let credential = Credential::bearer(field, secret)?.hiding(secret);
        let secret = SecretString::from(trimmed(secret));
        fields.push((name, secret.clone()));
        Ok(Self { credential, fields, secret, client: None })
    }

    async fn session(&self, http: &Http) -> Result<Timed, Error> {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        let request = Request::new(Method::POST, &["auth", "login"], &self.credential);
        let asked = Instant::now();
        let answer = http.call(request.form(&fields).asking()).await.map_err(of_the_connection)?;
        let wire::Session { access_token, expires_in } = answer.decode()?;
        let Ok(credential) = Credential::bearer("", &access_token) else {
            return Err(answer.undecodable("holds no token that can be sent"));
        };
        let lifetime = Duration::from_secs(expires_in.get().into());
        let credential = credential.hiding(&self.secret);
        let session = Arc::new(Session { credential, begun: asked, answered: AtomicBool::new(false) });
        Ok(Timed { session, ends: asked + lifetime, late: asked + lifetime - LEFT.min(lifetime / 2) })
    }
}

/// A login that is refused is never about the thing that the call behind it was for: nothing may look missing or denied by it.
fn of_the_connection(error: Error) -> Error {
    let class = match error.class {
        Class::Invalid | Class::Denied => Class::Unauthenticated,
        Class::Missing | Class::Conflict | Class::Unsupported | Class::Lost => Class::Transient,
        class => class,
    };
    Error { class, ..error }
}

/// A session, as calls are made in it.
pub struct Session {
    /// What to send a call with.
    pub credential: Credential,
    begun: Instant,
    answered: AtomicBool,
}

impl Session {
    /// Notes that a call in it was answered: it is taken.
    pub fn took(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Whether any call in it was answered.
    pub fn was_taken(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether it was got just now, so that another would be no better.
    pub fn is_new(&self) -> bool {
        self.begun.elapsed() < AGAIN
    }
}

struct Timed {
    session: Arc<Session>,
    ends: Instant,
    /// From when on another one is to be got. One that lives for less than twice [`LEFT`] is used for half of its life.
    late: Instant,
}

/// The session of a client. Many calls that need one at once share one login, and its failure.
pub struct Sessions {
    login: Login,
    current: Mutex<State>,
    /// How many logins have ended.
    ended: AtomicU64,
}

#[derive(Default)]
struct State {
    session: Option<Timed>,
    /// Why the last login failed.
    failed: Option<Error>,
}

impl Sessions {
    /// None yet. Calls nothing.
    pub fn new(login: Login) -> Self {
        Self { login, current: Mutex::default(), ended: AtomicU64::new(0) }
    }

    /// The client that sessions are for. None: they are a user's.
    pub fn client(&self) -> Option<&str> {
        self.login.client.as_deref()
    }

    /// The session to make a call in.
    ///
    /// # Errors
    /// Why there is no session.
    pub async fn current(&self, http: &Http) -> Result<Arc<Session>, Error> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut state = self.current.lock().await;
        match &state.session {
            Some(timed) if Instant::now() < timed.late => return Ok(timed.session.clone()),
            _ => {}
        }
        match self.login(http, &mut state, ended).await {
            Ok(session) => Ok(session),
            Err(error) => match &mut state.session {
                // It still counts.
                Some(timed) if is_passing(&error) && Instant::now() < timed.ends => {
                    timed.late = timed.ends.min(Instant::now() + AGAIN);
                    Ok(timed.session.clone())
                }
                _ => {
                    state.session = None;
                    Err(error)
                }
            },
        }
    }

    /// Another one in the place of one that was not taken, unless somebody else has got it already.
    ///
    /// # Errors
    /// Why there is no session.
    pub async fn renewed(&self, http: &Http, refused: &Arc<Session>) -> Result<Arc<Session>, Error> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut state = self.current.lock().await;
        match &state.session {
            Some(timed) if !Arc::ptr_eq(&timed.session, refused) => return Ok(timed.session.clone()),
            _ => state.session = None,
        }
        self.login(http, &mut state, ended).await
    }

    /// Logs in, unless a login that ended after `ended` of them has failed: whoever waited for it takes its word.
    async fn login(&self, http: &Http, state: &mut State, ended: u64) -> Result<Arc<Session>, Error> {
        if let Some(error) = &state.failed
            && self.ended.load(Ordering::Acquire) > ended
        {
            return Err(error.clone());
        }
        let done = self.login.session(http).await;
        self.ended.fetch_add(1, Ordering::Release);
        state.failed = done.as_ref().err().cloned();
        Ok(state.session.insert(done?).session.clone())
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(error.class, Class::Transient | Class::Throttled(_))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;
    use crate::{
        Budget, Dialling, Limits,
        http::{
            Options, Times,
            stub::{Reply, Stub},
        },
    };

    /// A server whose first session lives for so long, and whose later logins are answered so.
    async fn living(
        expires_in: u64,
        later: impl Fn() -> Reply + Send + Sync + 'static,
    ) -> (Stub, Http, Sessions) {
        let count = AtomicUsize::new(0);
        let stub = Stub::start(move |_, _| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(200, json!({"access_token": "jwt-1", "expires_in": expires_in})),
            _ => later(),
        })
        .await;
        let http = Http::new(Options {
            vendor: "zenml",
            base: stub.url.clone(),
            base_field: "spec.zenml.url",
            ca: None,
            dialling: Dialling { allow_local: true },
            budget: Arc::new(Budget::new(Limits { per_second: 1000, burst: 1000, concurrency: 4 })),
            observer: Arc::new(()),
            errors: wire::problem,
            times: Times { again: Duration::from_millis(1), ..Times::default() },
        });
        let sessions = Sessions::new(Login::key("key", &"k".into()).expect("a login"));
        (stub, http.expect("a stack"), sessions)
    }

    impl Sessions {
        /// As if this much time had passed.
        async fn age(&self, seconds: u64) {
            let mut state = self.current.lock().await;
            let timed = state.session.as_mut().expect("a session");
            let by = Duration::from_secs(seconds);
            (timed.ends, timed.late) = (timed.ends - by, timed.late - by);
        }

        async fn header(&self, http: &Http) -> Result<String, Class> {
            let session = self.current(http).await.map_err(|error| error.class)?;
            Ok(session.credential.header().to_str().expect("ASCII").to_owned())
        }
    }

    #[tokio::test]
    async fn a_session_is_renewed_five_minutes_before_its_end_and_a_short_one_half_way() {
        for (lifetime, before, after) in [(3600, 3290, 15), (60, 25, 10)] {
            let again = || Reply::json(200, json!({"access_token": "jwt-2", "expires_in": 3600}));
            let (stub, http, sessions) = living(lifetime, again).await;
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-1"));
            sessions.age(before).await;
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-1"));
            assert_eq!(stub.seen().len(), 1);
            sessions.age(after).await;
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-2"));
        }
    }

    #[tokio::test]
    async fn a_session_serves_on_while_it_cannot_be_renewed_until_it_ends() {
        let (stub, http, sessions) = living(3600, || Reply::text(503, "text/html", "<html>busy")).await;
        sessions.header(&http).await.expect("a session");
        sessions.age(3400).await;
        for _ in 0..3 {
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-1"));
        }
        assert_eq!(stub.seen().len(), 1 + 3, "one login, tried as often as any read");
        sessions.age(300).await;
        assert_eq!(sessions.header(&http).await, Err(Class::Transient));
    }

    #[tokio::test]
    async fn a_session_whose_key_was_taken_back_is_not_used_to_its_end() {
        let (_stub, http, sessions) = living(3600, || Reply::json(401, json!({"detail": "no"}))).await;
        sessions.header(&http).await.expect("a session");
        sessions.age(3400).await;
        assert_eq!(sessions.header(&http).await, Err(Class::Unauthenticated));
    }

    #[test]
    fn a_refused_login_is_never_about_the_thing_that_was_asked_for() {
        for class in [Class::Invalid, Class::Denied, Class::Unauthenticated] {
            assert_eq!(of_the_connection(Error::new(class, "")).class, Class::Unauthenticated);
        }
        for class in [Class::Missing, Class::Conflict, Class::Unsupported, Class::Lost, Class::Transient] {
            assert_eq!(of_the_connection(Error::new(class, "")).class, Class::Transient);
        }
    }
}
