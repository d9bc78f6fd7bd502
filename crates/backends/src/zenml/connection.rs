//! Calls, each in a session, and what a 401 to one of them means. What is asked for is not known here.

use reqwest::Method;
use serde_json::Value;

use super::session::{Login, Session, Sessions};
use crate::{
    Class, Error,
    http::{Answer, Http, Request},
};

/// One call, before it is known with which session it is sent.
#[derive(Clone)]
pub struct Call<'a> {
    method: Method,
    path: Vec<&'a str>,
    pub query: Vec<(&'a str, &'a str)>,
    body: Option<Value>,
}

impl<'a> Call<'a> {
    /// A call of a path below the base URL.
    pub fn new(method: Method, path: &[&'a str]) -> Self {
        Self { method, path: path.to_vec(), query: Vec::new(), body: None }
    }

    /// A read of a path.
    pub fn get(path: &[&'a str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// The same with one more query parameter.
    pub fn query(mut self, name: &'a str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    /// The same with this body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn request(&self, session: &'a Session) -> Request<'a> {
        let mut request = Request::new(self.method.clone(), &self.path, &session.credential);
        request.query.clone_from(&self.query);
        request.body.clone_from(&self.body);
        request
    }
}

/// A control plane, with one credential.
pub struct Connection {
    http: Http,
    sessions: Sessions,
    /// What every credential of this sort may read.
    own: Vec<String>,
}

impl Connection {
    /// A connection over a stack. A user may ask who it is (contract 1); a client, which is no user, for its organization. Calls nothing.
    pub fn new(http: Http, login: Login, organization: &str) -> Self {
        let sessions = Sessions::new(login);
        let own = if sessions.client().is_some() { ["organizations", organization] } else { ["users", "me"] };
        Self { http, own: own.map(str::to_owned).into(), sessions }
    }

    /// The client that the credential is for. None: it is a user's.
    pub fn client(&self) -> Option<&str> {
        self.sessions.client()
    }

    /// Makes a call; once more, in another session, when the one that it was made in is not taken: then nothing was done (contract 1). Where
    /// a session is taken for another call, it is this one that is refused, and not the credential: to log in again would change nothing.
    ///
    /// # Errors
    /// Why there is no session, or whatever kept the call from being answered.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Error> {
        let session = self.sessions.current(&self.http).await?;
        let refused = match self.attempt(&call, &session).await {
            Err(error) if error.class == Class::Unauthenticated => error,
            answer => return answer,
        };
        if session.is_new() && self.is_taken(&session, &call).await? {
            return Err(Error { class: Class::Denied, ..refused });
        }
        let renewed = self.sessions.renewed(&self.http, &session).await?;
        let refused = match self.attempt(&call, &renewed).await {
            Err(error) if error.class == Class::Unauthenticated => error,
            answer => return answer,
        };
        let denied = renewed.was_taken() || self.is_taken(&renewed, &call).await?;
        Err(if denied { Error { class: Class::Denied, ..refused } } else { refused })
    }

    async fn attempt(&self, call: &Call<'_>, session: &Session) -> Result<Answer, Error> {
        let answer = self.http.call(call.request(session)).await;
        if answer.is_ok() {
            session.took();
        }
        answer
    }

    /// Whether a session is taken by now for what every credential may read. Of that read itself nothing else speaks, and that the session was
    /// taken before says nothing: it may have ended since.
    async fn is_taken(&self, session: &Session, refused: &Call<'_>) -> Result<bool, Error> {
        if refused.path == self.own {
            return Ok(false);
        }
        let path: Vec<&str> = self.own.iter().map(String::as_str).collect();
        match self.attempt(&Call::get(&path), session).await {
            Err(error) if matches!(error.class, Class::Transient | Class::Throttled(_)) => Err(error),
            answer => Ok(answer.is_ok()),
        }
    }
}
