//! Makes each call in a session.

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::session::{Login, Session, Sessions};
use crate::{
    Class, Error,
    http::{Answer, Http, Request},
};

/// One call, without its session.
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

    /// Sets the body.
    pub fn body(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }

    fn request(&self, session: &'a Session) -> Request<'a> {
        let mut request = Request::new(self.method.clone(), &self.path, session);
        request.query.clone_from(&self.query);
        request.body.clone_from(&self.body);
        request
    }
}

/// One control plane, used with one credential.
pub struct Connection {
    http: Http,
    sessions: Sessions,
}

impl Connection {
    /// A connection. Makes no call.
    pub fn new(http: Http, login: Login) -> Self {
        Self { http, sessions: Sessions::new(login) }
    }

    /// The OAuth2 client of the credential. None if the credential belongs to a user.
    pub fn client_id(&self) -> Option<&str> {
        self.sessions.client_id()
    }

    /// Makes a call. A 401 means that the session has ended and that nothing was executed: the call is made once more in a new session
    /// (contract 1.2, 6).
    ///
    /// # Errors
    /// Any failure of the login or of the call.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Error> {
        let session = self.sessions.get(&self.http, None).await?;
        match self.http.call(call.request(&session)).await {
            Err(error) if error.class == Class::Unauthenticated => {
                let renewed = self.sessions.get(&self.http, Some(&session)).await?;
                self.http.call(call.request(&renewed)).await
            }
            answer => answer,
        }
    }
}
