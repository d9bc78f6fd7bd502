//! Sessions. The credential is exchanged for a token that is valid for about an hour (contract 1.2). The token is only in memory. It is
//! renewed before it expires, and once if the server does not accept it any more.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::Instant};

use super::wire;
use crate::{
    Class, Error,
    http::{Credential, Http, Request, trimmed},
};
use rolewright_core::model::Fault;

/// A session that expires within this time, or half of its lifetime if that is less, is renewed first, as the vendor's own server does
/// (contract 1.2).
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// The credential of a login.
pub struct Login {
    /// Keeps the secrets out of messages. Its header is never sent.
    credential: Credential,
    fields: Vec<(&'static str, SecretString)>,
    secret: SecretString,
    /// The OAuth2 client. None if the credential belongs to a user.
    client_id: Option<String>,
}

impl Login {
    /// A login with an API key or a personal access token.
    ///
    /// # Errors
    /// A fault of `field` if the value cannot be a key. It does not show the value.
    pub fn key(field: &str, key: &SecretString) -> Result<Self, Fault> {
        Self::new(field, key, Vec::new(), "password")
    }

    /// A login with an OAuth2 client's id and secret, for an audience.
    ///
    /// # Errors
    /// A fault of `field` if the value cannot be a secret. It does not show the value.
    pub fn client(
        field: &str,
        client: &str,
        audience: Option<&str>,
        secret: &SecretString,
    ) -> Result<Self, Fault> {
        let mut fields = vec![("grant_type", "client_credentials".into()), ("client_id", client.into())];
        fields.extend(audience.map(|audience| ("audience", audience.into())));
        Ok(Self { client_id: Some(client.to_owned()), ..Self::new(field, secret, fields, "client_secret")? })
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
        Ok(Self { credential, fields, secret, client_id: None })
    }

    async fn session(&self, http: &Http) -> Result<(Arc<Session>, Instant), Error> {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        let request = Request::new(Method::POST, &["auth", "login"], &self.credential);
        let begun = Instant::now();
        let answer = http.call(request.form(&fields).read_only()).await.map_err(login_error)?;
        let wire::Session { access_token, expires_in } = answer.decode()?;
        let Ok(credential) = Credential::bearer("", &access_token) else {
            return Err(answer.undecodable("has no token that can be sent"));
        };
        let lifetime = Duration::from_secs(expires_in.get().into());
        let renew_at = begun + lifetime - RENEW_BEFORE.min(lifetime / 2);
        Ok((Arc::new(credential.hiding(&self.secret)), renew_at))
    }
}

/// The failure of a login never concerns the thing that the call is about: nothing may appear deleted or forbidden because of it.
fn login_error(error: Error) -> Error {
    let class = match error.class {
        Class::Invalid | Class::Denied => Class::Unauthenticated,
        Class::Missing | Class::Conflict | Class::Unsupported | Class::Lost => Class::Transient,
        class => class,
    };
    Error { class, ..error }
}

/// A session that calls are made in: the credential of its calls.
pub type Session = Credential;

/// The session of a client. Calls that need one at the same time share one login and its failure.
pub struct Sessions {
    login: Login,
    current: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// With the time when it is renewed.
    session: Option<(Arc<Session>, Instant)>,
    /// When the last login failed, and why.
    failed: Option<(Instant, Error)>,
}

impl Sessions {
    /// No session yet. Makes no call.
    pub fn new(login: Login) -> Self {
        Self { login, current: Mutex::default() }
    }

    /// The OAuth2 client of the credential. None if the credential belongs to a user.
    pub fn client_id(&self) -> Option<&str> {
        self.login.client_id.as_deref()
    }

    /// The session for a call: a new one in place of one that was refused, unless another call has renewed it already.
    ///
    /// # Errors
    /// Any failure of the login.
    pub async fn get(&self, http: &Http, refused: Option<&Arc<Session>>) -> Result<Arc<Session>, Error> {
        let began = Instant::now();
        let mut state = self.current.lock().await;
        match (&state.session, &state.failed) {
            (Some((session, renew_at)), _)
                if Instant::now() < *renew_at && !refused.is_some_and(|old| Arc::ptr_eq(old, session)) =>
            {
                return Ok(session.clone());
            }
            (_, Some((at, error))) if *at > began => return Err(error.clone()),
            _ => state.session = None,
        }
        match self.login.session(http).await {
            Ok(session) => Ok(state.session.insert(session).0.clone()),
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
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

    /// A server whose first session expires after this time, and its answer to later logins.
    async fn server(
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
            transport: None,
            budget: Arc::new(Budget::new(Limits::new(1000, 1000, 4))),
            observer: Arc::new(()),
            errors: wire::problem,
            times: Times { retry_delay: Duration::from_millis(1), ..Times::default() },
        });
        let sessions = Sessions::new(Login::key("key", &"k".into()).expect("a login"));
        (stub, http.expect("a stack"), sessions)
    }

    impl Sessions {
        /// Moves the time of the renewal into the past.
        async fn age(&self, seconds: u64) {
            let mut state = self.current.lock().await;
            let (_, renew_at) = state.session.as_mut().expect("a session");
            *renew_at -= Duration::from_secs(seconds);
        }

        async fn header(&self, http: &Http) -> Result<String, Class> {
            let session = self.get(http, None).await.map_err(|error| error.class)?;
            Ok(session.header().to_str().expect("ASCII").to_owned())
        }
    }

    #[tokio::test]
    async fn a_session_is_renewed_before_it_expires() {
        for (lifetime, before, after) in [(3600, 3290, 15), (60, 25, 10)] {
            let later = || Reply::json(200, json!({"access_token": "jwt-2", "expires_in": 3600}));
            let (stub, http, sessions) = server(lifetime, later).await;
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-1"));
            sessions.age(before).await;
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-1"));
            assert_eq!(stub.seen().len(), 1);
            sessions.age(after).await;
            assert_eq!(sessions.header(&http).await.as_deref(), Ok("Bearer jwt-2"));
        }
    }

    #[tokio::test]
    async fn a_session_that_cannot_be_renewed_is_a_temporary_failure() {
        let (stub, http, sessions) = server(3600, || Reply::text(503, "text/html", "<html>busy")).await;
        sessions.header(&http).await.expect("a session");
        sessions.age(3400).await;
        assert_eq!(sessions.header(&http).await, Err(Class::Transient));
        assert_eq!(stub.seen().len(), 1 + 3, "one login, repeated like any read");
    }

    #[tokio::test]
    async fn a_session_of_a_revoked_key_is_not_used() {
        let (_stub, http, sessions) = server(3600, || Reply::json(401, json!({"detail": "no"}))).await;
        sessions.header(&http).await.expect("a session");
        sessions.age(3400).await;
        assert_eq!(sessions.header(&http).await, Err(Class::Unauthenticated));
    }

    #[test]
    fn the_failure_of_a_login_does_not_concern_the_thing() {
        for class in [Class::Invalid, Class::Denied, Class::Unauthenticated] {
            assert_eq!(login_error(Error::new(class, "")).class, Class::Unauthenticated);
        }
        for class in [Class::Missing, Class::Conflict, Class::Unsupported, Class::Lost, Class::Transient] {
            assert_eq!(login_error(Error::new(class, "")).class, Class::Transient);
        }
    }
}
