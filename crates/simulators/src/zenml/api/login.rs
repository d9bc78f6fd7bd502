//! The operations that start sessions (contract 1.2).

use serde_json::{Value, json};

use super::{
    call::{Scene, unauthorized},
    problem::Problem,
};
use crate::{
    kit::uri,
    zenml::access::authentication::{Refusal, valid_grant},
};

/// POST `/auth/login`, with an API key as `password`, or with client credentials.
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
    // An empty grant type counts as absent (contract 1.2).
    if is_client && field("grant_type").is_some_and(|grant| grant != "client_credentials") {
        let message = "Input should be client_credentials";
        return Err(Problem::invalid("body", "grant_type", message, "enum"));
    }
    let is_other_audience = match (&switches.audience, field("audience")) {
        (Some(expected), Some(audience)) => expected != audience,
        _ => false,
    };
    if is_client && is_other_audience {
        return Err(Problem::unauthorized(switches, "Invalid audience"));
    }
    let view = scene.credentials.find(&secret).filter(|view| view.grant.client_of.is_some() == is_client);
    let grant = view.and_then(|view| valid_grant(view, scene.tenant));
    let grant = grant.ok_or_else(|| Problem::unauthorized(switches, "Invalid credentials"))?;
    let subject = grant.user_id.or(grant.client_of).map(|id| id.to_string()).unwrap_or_default();
    let token = scene.vendor.sessions.start(&secret, &subject, switches.session_seconds);
    Ok(json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": switches.session_seconds,
        "device_id": null,
        "device_metadata": null,
    }))
}

/// GET `/auth/api_token`. Starts another session for the caller. The answer is its token, as a bare string.
pub fn api_token(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let invalid = || unauthorized(Refusal::InvalidToken, &scene.tenant.switches);
    let secret = scene.call.secret.clone().ok_or_else(invalid)?;
    let subject = scene.caller.grant.user_id.map(|id| id.to_string()).unwrap_or_default();
    let seconds = scene.tenant.switches.session_seconds;
    Ok(scene.vendor.sessions.start(&secret, &subject, seconds).into())
}
