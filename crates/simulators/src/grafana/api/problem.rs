//! Error answers, in the shapes of contract 3.10.

use crate::kit::answer::switched;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Independent of the shape of the body.
    pub status: StatusCode,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// Of legacy handlers.
    Legacy { message: String, cause: Option<String> },
    /// Of the newer error type, with a message identifier.
    Typed { id: &'static str, message: String, extra: Option<Value> },
    /// Of the access-control middleware.
    AccessDenied { needed: String },
    /// Of the delegation check.
    Delegation,
}

impl Problem {
    /// An error of a legacy handler, with any status.
    pub fn legacy(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, shape: Shape::Legacy { message: message.into(), cause: None } }
    }

    /// An error of a legacy handler with the status of a switch; 500 if the number is not a status.
    pub fn switched(status: u16, message: impl Into<String>) -> Self {
        Self::legacy(switched(status), message)
    }

    /// 400 of a legacy handler.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::legacy(StatusCode::BAD_REQUEST, message)
    }

    /// 404 of a legacy handler.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::legacy(StatusCode::NOT_FOUND, message)
    }

    /// 404 for a path that does not exist, or does not exist without a licence (contract 1.4).
    pub fn no_such_path() -> Self {
        Self::not_found("Not found")
    }

    /// An error of the newer type.
    pub fn typed(status: StatusCode, id: &'static str, message: impl Into<String>) -> Self {
        Self { status, shape: Shape::Typed { id, message: message.into(), extra: None } }
    }

    /// 403: the caller does not have the action, or only on other scopes.
    pub fn access_denied(needed: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, shape: Shape::AccessDenied { needed: needed.into() } }
    }

    /// 403: the role has permissions that the caller lacks (contract 3.6).
    pub fn delegation() -> Self {
        Self { status: StatusCode::FORBIDDEN, shape: Shape::Delegation }
    }

    /// The same error with details. Changes only errors of the newer type.
    pub fn with_extra(mut self, details: Value) -> Self {
        if let Shape::Typed { extra, .. } = &mut self.shape {
            *extra = Some(details);
        }
        self
    }

    /// The same error of a server in development mode: legacy errors have their cause.
    pub fn in_development(mut self) -> Self {
        if let Shape::Legacy { message, cause } = &mut self.shape {
            *cause = Some(message.clone());
        }
        self
    }

    /// The answer. `serial` becomes the identifier of a refusal of the middleware.
    pub fn into_response(self, serial: u64) -> Response {
        let status = self.status;
        let body = match self.shape {
            Shape::Legacy { message, cause } => {
                let mut body = json!({ "message": message, "traceID": "" });
                if let Some(cause) = cause {
                    body["error"] = cause.into();
                }
                body
            }
            Shape::Typed { id, message, extra } => {
                let mut body = json!({
                    "statusCode": status.as_u16(),
                    "messageId": id,
                    "message": message,
                    "traceID": "",
                });
                if let Some(extra) = extra {
                    body["extra"] = extra;
                }
                body
            }
            Shape::AccessDenied { needed } => json!({
                "title": "Access denied",
                "message": format!(
                    "You'll need additional permissions to perform this action. Permissions needed: {needed}"
                ),
                "accessErrorId": format!("ACE{serial:010}"),
            }),
            Shape::Delegation => json!({ "message": "Forbidden", "traceID": "" }),
        };
        (status, [(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body.to_string())
            .into_response()
    }
}
