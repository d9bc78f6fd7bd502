//! The `/_sim` paths that only this vendor has: questions about effective access, and logins.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::server::Lenses;
use crate::kit::{
    World,
    control::{answer, parse, refusal},
};

/// The router of these paths.
pub fn routes() -> Router<Arc<World<Lenses>>> {
    Router::new().route("/permits", get(permits)).route("/logins", post(log_in))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    principal: String,
    action: String,
    resource: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    user: String,
}

/// GET `/_sim/permits?principal=&action=&resource=`
async fn permits(State(world): State<Arc<World<Lenses>>>, uri: Uri) -> Response {
    let question = match Query::<Question>::try_from_uri(&uri) {
        Ok(Query(question)) => question,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let tenant = world.tenant();
    let named = &question.principal;
    match tenant.principal(named).or_else(|| tenant.principal_of_lrn(named)) {
        Some(principal) => {
            answer(StatusCode::OK, &tenant.evaluate(&principal, &question.action, &question.resource))
        }
        None => refusal(StatusCode::NOT_FOUND, "the principal does not exist"),
    }
}

/// POST `/_sim/logins`
async fn log_in(State(world): State<Arc<World<Lenses>>>, body: Bytes) -> Response {
    let login: Login = match parse(&body) {
        Ok(login) => login,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error),
    };
    match world.tenant().log_in(&login.user) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refusal(StatusCode::NOT_FOUND, &error),
    }
}
