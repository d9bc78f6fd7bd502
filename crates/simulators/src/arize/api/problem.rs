//! Error answers: problem documents of RFC 9457 (contract 1.4).

use crate::kit::answer::switched;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The body repeats it.
    pub status: StatusCode,
    /// The reason of this error.
    pub detail: String,
}

impl Problem {
    /// An error with any status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// An error with the status of a switch; 500 if the number is not a status.
    pub fn switched(status: u16, detail: impl Into<String>) -> Self {
        Self::new(switched(status), detail)
    }

    /// 400: invalid JSON, a wrong type, a malformed identifier or a missing field (contract 1.6).
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 403: the caller can see the target, but lacks a permission.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: absent or not visible. Callers cannot distinguish the two (contract 1.7).
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 409: an existing row blocks the call.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 422: well-formed, but with an invalid value (contract 1.6).
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// The answer to a call of the path `instance`.
    pub fn into_response(self, instance: &str, request_id: &str) -> Response {
        let (slug, title) = class(self.status);
        let body = json!({
            "type": format!("https://arize.com/docs/ax/rest-reference/errors#{slug}"),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": instance,
            "request_id": request_id,
        });
        let headers = [(header::CONTENT_TYPE, "application/problem+json"), (REQUEST_ID, request_id)];
        (self.status, headers, body.to_string()).into_response()
    }
}

/// The header of request identifiers. The vendor documents none; this is the usual name (contract 1.5).
pub const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

fn class(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => ("invalid-request", "Invalid request parameters"),
        401 => ("authentication-required", "Authentication required"),
        403 => ("access-forbidden", "Access forbidden"),
        404 => ("resource-not-found", "Resource not found"),
        409 => ("resource-conflict", "Resource conflict"),
        422 => ("unprocessable-entity", "Unprocessable Entity"),
        429 => ("rate-limit-exceeded", "Rate limit exceeded"),
        503 => ("service-unavailable", "Service Unavailable"),
        _ => ("error", status.canonical_reason().unwrap_or("Error")),
    }
}
