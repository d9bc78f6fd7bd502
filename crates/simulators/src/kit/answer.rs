//! A success of a vendor's API. Knows no vendor.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// A success: a status code, and JSON unless there is no body.
pub struct Answer {
    status: StatusCode,
    body: Option<Value>,
}

impl Answer {
    /// Any success with a body.
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

    /// A success with a body whose status code a switch decides.
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

/// JSON with this status code.
pub fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A status code that a switch or a fault decides; 500 if it is none.
pub fn switched(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
