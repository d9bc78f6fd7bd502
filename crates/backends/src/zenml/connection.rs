//! Makes each call in a session, and finds out what a 401 means.

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::session::{Login, Session, Sessions};
use crate::{
    Class, Error,
    http::{Answer, Http, Request},
};

/// One call, without its session.
#[derive(Clone)]
pub struct Call<'a> {
    method: Method,
    path: Vec<&'a str>,
    pub query: Vec<(&'a str, &'a str)>,
    body: Option<Bytes>,
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

    /// Adds a query parameter.
    pub fn query(mut self, name: &'a str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }

    fn request(&self, session: &'a Session) -> Request<'a> {
        let mut request = Request::new(self.method.clone(), &self.path, &session.credential);
        request.query.clone_from(&self.query);
        request.body.clone_from(&self.body);
        request
    }
}

/// One control plane, used with one credential.
pub struct Connection {
    http: Http,
    sessions: Sessions,
    /// The path that every credential of this kind can read.
    own: Vec<String>,
}

impl Connection {
    /// A connection. Makes no call. Every user can read itself (contract 1.2); a client is not a user, and can read its organization.
    pub fn new(http: Http, login: Login, organization: &str) -> Self {
        let sessions = Sessions::new(login);
        let own =
            if sessions.client_id().is_some() { ["organizations", organization] } else { ["users", "me"] };
        Self { http, own: own.map(str::to_owned).into(), sessions }
    }

    /// The OAuth2 client of the credential. None if the credential belongs to a user.
    pub fn client_id(&self) -> Option<&str> {
        self.sessions.client_id()
    }

    /// Makes a call. If its session is not accepted, nothing was executed, and the call is made once more in a new session (contract 1.2). If
    /// the session is accepted for another call, this call is refused and not the credential, and a new login would not help.
    ///
    /// # Errors
    /// Any failure of the login or of the call.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Error> {
        let session = self.sessions.current(&self.http).await?;
        let refused = match self.attempt(&call, &session).await {
            Err(error) if error.class == Class::Unauthenticated => error,
            answer => return answer,
        };
        if session.is_new() && self.is_accepted(&session, &call).await? {
            return Err(Error { class: Class::Denied, ..refused });
        }
        let renewed = self.sessions.renewed(&self.http, &session).await?;
        let refused = match self.attempt(&call, &renewed).await {
            Err(error) if error.class == Class::Unauthenticated => error,
            answer => return answer,
        };
        let denied = renewed.was_accepted() || self.is_accepted(&renewed, &call).await?;
        Err(if denied { Error { class: Class::Denied, ..refused } } else { refused })
    }

    async fn attempt(&self, call: &Call<'_>, session: &Session) -> Result<Answer, Error> {
        let answer = self.http.call(call.request(session)).await;
        if answer.is_ok() {
            session.note_accepted();
        }
        answer
    }

    /// Whether a session is accepted now for the path that every credential can read. An earlier success proves nothing, because the session
    /// can have ended, and a refusal of that path itself cannot be checked.
    async fn is_accepted(&self, session: &Session, refused: &Call<'_>) -> Result<bool, Error> {
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
