//! The login (contract 1.2).

use serde_json::{Value, json};

use super::{auth, call::Scene, problem::Problem};
use crate::{kit::uri, zenml::access::caller::Grant};

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
    let grant = view.and_then(|view| Grant::live(view, scene.tenant));
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
