//! Sessions: short-lived tokens (contract 1.2).
//!
//! A session is nothing of its own: it stands for the credential that it was begun with, and goes with it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::zenml::rows::switches::Switches;

/// The sessions that were begun.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Session>>);

/// One session.
#[derive(Clone)]
pub struct Session {
    secret: String,
    begun: Timestamp,
}

impl Session {
    /// The secret of the credential that it stands for.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether it has ended. The switches of the moment count, so that a test can end sessions.
    pub fn is_over(&self, switches: &Switches) -> bool {
        let lifetime =
            switches.session_ends_after_ms.unwrap_or_else(|| switches.session_seconds.saturating_mul(1000));
        let age = Timestamp::now().as_millisecond() - self.begun.as_millisecond();
        u128::try_from(age).is_ok_and(|age| age >= u128::from(lifetime))
            || switches.sessions_since.is_some_and(|since| self.begun < since)
    }
}

impl Sessions {
    /// The session of this token.
    pub fn find(&self, token: &str) -> Option<Session> {
        self.all().get(token).cloned()
    }

    /// Begins a session for the credential with this secret, and returns its token.
    pub fn begin(&self, secret: &str, subject: &str, seconds: u64) -> String {
        let mut sessions = self.all();
        let begun = Timestamp::now();
        let claims = json!({
            "sub": subject,
            "iat": begun.as_second(),
            "exp": begun.as_second().saturating_add_unsigned(seconds),
            "jti": sessions.len() + 1,
        });
        let encode = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let content = format!("{}.{}", encode(json!({ "alg": "RS256", "typ": "JWT" })), encode(claims));
        // Stands where a signature would: nobody can check it, and it tells nothing of the secret.
        let signature = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&content));
        let token = format!("{content}.{signature}");
        sessions.insert(token.clone(), Session { secret: secret.to_owned(), begun });
        token
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
