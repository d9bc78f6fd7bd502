//! Logging in: short-lived tokens for keys and client credentials (contract 1, "Credentials").
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

use super::{auth, call::Scene, problem::Problem, switches::Switches};
use crate::kit::uri;

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

    fn begin(&self, secret: &str, subject: &str, seconds: u64) -> String {
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

/// POST `/auth/login`: a key as `password`, or client credentials.
pub fn login(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let form = uri::pairs(&String::from_utf8_lossy(&scene.call.body));
    let field = |name: &str| {
        form.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    };
    let (secret, is_client) = match (field("password"), field("client_id"), field("client_secret")) {
        (Some(key), _, _) => (key.to_owned(), false),
        (None, Some(id), Some(secret)) => (format!("{id}:{secret}"), true),
        (None, Some(_), None) => return Err(Problem::required("body", "client_secret")),
        (None, None, _) => return Err(Problem::required("body", "password")),
    };
    let switches = &scene.tenant.switches;
    // An empty grant type is as good as none (contract 1).
    if is_client && field("grant_type").is_some_and(|grant| grant != "client_credentials") {
        let message = "Input should be client_credentials";
        return Err(Problem::invalid("body", "grant_type", message, "enum"));
    }
    let is_elsewhere = match (&switches.audience, field("audience")) {
        (Some(known), Some(asked)) => known != asked,
        _ => false,
    };
    if is_client && is_elsewhere {
        return Err(Problem::unauthorized(switches, "Invalid audience"));
    }
    let view = scene.credentials.find(&secret).filter(|view| view.grant.client_of.is_some() == is_client);
    let grant = view.and_then(|view| auth::live(view, scene.tenant));
    let grant = grant.ok_or_else(|| Problem::unauthorized(switches, "Invalid credentials"))?;
    let subject = grant.user_id.or(grant.client_of).map(|id| id.to_string()).unwrap_or_default();
    let token = scene.vendor.sessions.begin(&secret, &subject, switches.session_seconds);
    Ok(json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": switches.session_seconds,
        "device_id": null,
        "device_metadata": null,
    }))
}

/// GET `/auth/api_token`: another session for whoever calls, as a bare text.
pub fn api_token(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let secret = scene.call.secret.clone().ok_or_else(|| auth::invalid(scene.tenant))?;
    let subject = scene.caller.grant.user_id.map(|id| id.to_string()).unwrap_or_default();
    let seconds = scene.tenant.switches.session_seconds;
    Ok(scene.vendor.sessions.begin(&secret, &subject, seconds).into())
}
