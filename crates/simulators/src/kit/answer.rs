//! Successful answers, as JSON.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// A successful answer: a status code, and JSON unless it has no body.
pub struct Answer {
    status: StatusCode,
    body: Option<Value>,
}

impl Answer {
    /// An answer with any status code and a body.
    pub fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body: Some(body) }
    }

    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// 201 with a body.
    pub fn created(body: Value) -> Self {
        Self::new(StatusCode::CREATED, body)
    }

    /// An answer with a body. A switch decides the status code.
    pub fn switched(status: u16, body: Value) -> Self {
        Self::new(switched(status), body)
    }

    /// 204 without a body.
    pub fn none() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self.body {
            Some(body) => json(self.status, &body),
            None => self.status.into_response(),
        }
    }
}

/// A JSON response.
pub fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A status code from a switch or a fault; 500 if the number is not a status code.
pub fn switched(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
