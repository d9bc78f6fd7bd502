//! Errors as the vendor answers them: RFC 9457 problem documents (contract 1, "Error body").

use crate::kit::answer::switched;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status code, which the body repeats.
    pub status: StatusCode,
    /// What is wrong this time.
    pub detail: String,
}

impl Problem {
    /// Any error.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// An error whose status code a switch decides; 500 if it is no status code.
    pub fn switched(status: u16, detail: impl Into<String>) -> Self {
        Self::new(switched(status), detail)
    }

    /// 400: not understood (unparseable, wrong type, malformed identifier, missing field).
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 403: what the caller may see but not do.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: absent, or not to be seen; the two cannot be told apart.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 409: in the way of something that exists.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 422: understood, but a value is not acceptable.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// The answer for a request to the path `instance`.
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

/// The header of request identifiers. The vendor documents none; this is the customary name.
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
