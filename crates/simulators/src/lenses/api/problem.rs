//! The vendor's errors: problem details (RFC 7807, contract 1.3).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{kit::answer, lenses::rows::switches::Switches};

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    cause: Cause,
    /// The problem in words.
    detail: String,
}

/// The class of an error. For some, a switch decides the status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Invalid,
    UnknownReference,
    DeniedRead,
    Taken,
    Fixed(StatusCode),
}

impl Problem {
    /// An error with a fixed status code.
    pub fn other(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { cause: Cause::Fixed(status), detail: detail.into() }
    }

    /// A body that is not a JSON object.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::other(StatusCode::BAD_REQUEST, detail)
    }

    /// A body that fails validation.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self { cause: Cause::Invalid, detail: detail.into() }
    }

    /// A name in a body that does not exist.
    pub fn unknown_reference(what: &str, name: &str) -> Self {
        Self { cause: Cause::UnknownReference, detail: format!("{what} {name} does not exist") }
    }

    /// A name that is taken.
    pub fn taken(what: &str, name: &str) -> Self {
        Self { cause: Cause::Taken, detail: format!("{what} {name} exists") }
    }

    /// A row that cannot be deleted because others refer to it.
    pub fn in_use(detail: impl Into<String>) -> Self {
        Self::other(StatusCode::CONFLICT, detail)
    }

    /// A call without a valid credential.
    pub fn unauthorized() -> Self {
        Self::other(StatusCode::UNAUTHORIZED, "a valid token or session is needed")
    }

    /// The caller is not permitted to do this.
    pub fn forbidden(action: &str) -> Self {
        Self::other(StatusCode::FORBIDDEN, format!("not permitted: {action}"))
    }

    /// The caller is not permitted to read this row. A switch can hide the row behind 404.
    pub fn denied_read(action: &str) -> Self {
        Self { cause: Cause::DeniedRead, detail: format!("not permitted: {action}") }
    }

    /// A name in the path that does not exist.
    pub fn not_found(what: &str, name: &str) -> Self {
        Self::other(StatusCode::NOT_FOUND, format!("{what} {name} does not exist"))
    }

    /// A path that the server does not have.
    pub fn no_such_path() -> Self {
        Self::other(StatusCode::NOT_FOUND, "no such path")
    }

    /// A method that the path does not have.
    pub fn no_such_method() -> Self {
        Self::other(StatusCode::METHOD_NOT_ALLOWED, "no such method")
    }

    fn status(&self, switches: &Switches) -> StatusCode {
        let switched = match self.cause {
            Cause::Fixed(status) => return status,
            Cause::Invalid => switches.validation_status,
            Cause::UnknownReference => switches.unknown_reference_status,
            Cause::DeniedRead => switches.denied_read_status,
            Cause::Taken => switches.duplicate_status,
        };
        answer::switched(switched)
    }

    /// The vendor's word for this error.
    fn kind(&self, status: StatusCode) -> &'static str {
        match (self.cause, status.as_u16()) {
            (Cause::Invalid | Cause::UnknownReference, _) => "validation_error",
            (Cause::Taken, _) | (_, 409) => "conflict",
            (_, 401) => "unauthorised",
            (_, 403) => "forbidden",
            (_, 404) => "not_found",
            (_, 500) => "internal_server_error",
            _ => "unspecified",
        }
    }

    /// The answer to a call.
    pub fn into_response(self, switches: &Switches) -> Response {
        let status = self.status(switches);
        // With 404, the title must not reveal that the row exists.
        let title = match self.cause {
            Cause::DeniedRead if status == StatusCode::NOT_FOUND => "does not exist",
            _ => &self.detail,
        };
        let body = if switches.sparse_problems {
            json!({ "title": title, "status": status.as_u16() })
        } else {
            json!({ "type": self.kind(status), "title": title, "status": status.as_u16() })
        };
        let kind = if switches.plain_problem_type { "application/json" } else { "application/problem+json" };
        (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
    }
}
