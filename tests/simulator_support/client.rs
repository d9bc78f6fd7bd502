//! A plain HTTP client for simulators.

use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;

/// The credential of a client.
#[derive(Clone)]
pub enum Login {
    /// A bearer token.
    Token(String),
    /// A user's name and password.
    Basic(String, String),
    /// The value of the Cookie header.
    Cookies(String),
    /// No credential.
    None,
}

impl From<&str> for Login {
    fn from(token: &str) -> Self {
        Self::Token(token.to_owned())
    }
}

impl From<String> for Login {
    fn from(token: String) -> Self {
        Self::Token(token)
    }
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    /// The URL of the simulator.
    pub url: String,
    /// The path before all of the vendor's paths.
    pub root: String,
    login: Login,
    headers: HeaderMap,
}

impl Client {
    pub fn new(url: String, root: String, login: Login) -> Self {
        Self { http: reqwest::Client::new(), url, root, login, headers: HeaderMap::new() }
    }

    /// The same client with another credential.
    pub fn with(&self, login: impl Into<Login>) -> Self {
        Self { login: login.into(), ..self.clone() }
    }

    /// The same client with one more header.
    pub fn with_header(&self, name: &'static str, value: impl Into<HeaderValue>) -> Self {
        let mut client = self.clone();
        client.headers.insert(HeaderName::from_static(name), value.into());
        client
    }

    /// The bearer token of this client.
    pub fn token(&self) -> &str {
        match &self.login {
            Login::Token(token) => token,
            _ => panic!("this client has no token"),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    /// POST without a body and content type.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await.unwrap()
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await.unwrap()
    }

    /// Sends a request to a path of the vendor, or to a path below `/_sim`.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let request = if path.starts_with("/_sim") {
            self.http.request(method, format!("{}{path}", self.url))
        } else {
            self.signed(method, path)
        };
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        Answer::of(request.send().await?).await
    }

    /// A request to a path of the vendor, with this client's credential. The test completes it.
    pub fn signed(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{}{path}", self.url, self.root));
        let request = request.headers(self.headers.clone());
        match &self.login {
            Login::Token(token) => request.bearer_auth(token),
            Login::Basic(user, password) => request.basic_auth(user, Some(password)),
            Login::Cookies(cookies) => request.header("cookie", cookies),
            Login::None => request,
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body; null if it is not JSON.
    pub body: Value,
    /// The body as received.
    pub raw: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Self { status, headers, body, raw: String::from_utf8_lossy(&bytes).into_owned() })
    }

    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// One field of each entry of a list.
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    entries.iter().map(|entry| entry[field].as_str().unwrap_or_default().to_owned()).collect()
}
