//! Sessions: short-lived tokens (contract 1.2).
//!
//! A session has no access of its own: it counts as the credential of its login, and ends with it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::zenml::rows::switches::Switches;

/// All sessions since the start of the server, by token.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Session>>);

/// A session.
#[derive(Clone)]
pub struct Session {
    secret: String,
    started: Timestamp,
}

impl Session {
    /// The secret of the credential of its login.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether the session has ended. The current switches decide, so that a test can end sessions.
    pub fn has_ended(&self, switches: &Switches) -> bool {
        let lifetime =
            switches.session_ends_after_ms.unwrap_or_else(|| switches.session_seconds.saturating_mul(1000));
        let age = Timestamp::now().as_millisecond() - self.started.as_millisecond();
        u128::try_from(age).is_ok_and(|age| age >= u128::from(lifetime))
            || switches.sessions_since.is_some_and(|since| self.started < since)
    }
}

impl Sessions {
    /// The session with this token, ended or not.
    pub fn find(&self, token: &str) -> Option<Session> {
        self.all().get(token).cloned()
    }

    /// Starts a session for the credential with this secret, and returns its token.
    pub fn start(&self, secret: &str, subject: &str, seconds: u64) -> String {
        let mut sessions = self.all();
        let started = Timestamp::now();
        let claims = json!({
            "sub": subject,
            "iat": started.as_second(),
            "exp": started.as_second().saturating_add_unsigned(seconds),
            "jti": sessions.len() + 1,
        });
        let encode = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let content = format!("{}.{}", encode(json!({ "alg": "RS256", "typ": "JWT" })), encode(claims));
        // In place of a signature. Clients cannot check it, and it does not contain the secret.
        let signature = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&content));
        let token = format!("{content}.{signature}");
        sessions.insert(token.clone(), Session { secret: secret.to_owned(), started });
        token
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
