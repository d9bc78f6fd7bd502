//! The vendor's errors: `{"detail": ...}`, in three forms (contract 1.3).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    kit::answer::switched,
    zenml::rows::{
        ids::Uuid,
        switches::{Switches, UnauthorizedForm},
    },
};

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The status code of the answer.
    pub status: StatusCode,
    detail: Detail,
}

#[derive(Clone, Debug, PartialEq)]
enum Detail {
    /// An error of the framework: a text.
    Text(String),
    /// An error of the application: the class of the exception, and its message.
    Exception(&'static str, String),
    /// An invalid request: one object for each mistake.
    Validation(Vec<Value>),
}

impl Problem {
    /// An error of the framework.
    pub fn text(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: Detail::Text(detail.into()) }
    }

    /// An error of the application. The status code can come from a switch; 500 if the number is not a status code.
    pub fn exception(status: u16, class: &'static str, message: impl Into<String>) -> Self {
        let status = switched(status);
        Self { status, detail: Detail::Exception(class, message.into()) }
    }

    /// 403: not permitted to this caller, or to all callers.
    pub fn illegal(message: impl Into<String>) -> Self {
        Self::exception(403, "IllegalOperationError", message)
    }

    /// 404: a row that does not exist.
    pub fn missing(what: &str) -> Self {
        Self::exception(404, "KeyError", format!("{what} does not exist"))
    }

    /// 409: a row that exists already.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::exception(409, "EntityExistsError", message)
    }

    /// A removal of something that does not exist; a switch decides the status.
    pub fn nothing_to_remove(status: u16, what: &str) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND), ..Self::missing(what) }
    }

    /// A ValueError of the documentation; a switch decides the status.
    pub fn value(switches: &Switches, message: impl Into<String>) -> Self {
        Self::exception(switches.value_error_status, "ValueError", message)
    }

    /// A row that exists and that the caller is not permitted to see; a switch decides the status.
    pub fn hidden(switches: &Switches, what: &str) -> Self {
        if switches.hidden_status == 404 {
            Self::missing(what)
        } else {
            let message = format!("Insufficient permissions to access the {what}");
            Self::exception(switches.hidden_status, "IllegalOperationError", message)
        }
    }

    /// 422: an invalid value. `place` is `body`, `query` or `path`.
    pub fn invalid(place: &str, name: &str, message: &str, kind: &str) -> Self {
        let entry = json!({ "loc": [place, name], "msg": message, "type": kind });
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail: Detail::Validation(vec![entry]) }
    }

    /// 422: a required value is absent.
    pub fn required(place: &str, name: &str) -> Self {
        Self::invalid(place, name, "Field required", "missing")
    }

    /// 401, in the form that a switch sets.
    pub fn unauthorized(switches: &Switches, message: &str) -> Self {
        match switches.unauthorized_form {
            UnauthorizedForm::Text => Self::text(StatusCode::UNAUTHORIZED, message),
            UnauthorizedForm::Exception => Self::exception(401, "CredentialsNotValid", message),
        }
    }

    /// An error in the usual form for its status (contract 1.3).
    pub fn of_status(status: StatusCode, message: &str) -> Self {
        let exception = |class| Self { status, detail: Detail::Exception(class, message.to_owned()) };
        match status.as_u16() {
            400 => exception("ValueError"),
            402 => exception("SubscriptionUpgradeRequiredError"),
            403 => exception("IllegalOperationError"),
            404 => exception("KeyError"),
            409 => exception("EntityExistsError"),
            422 => Self::invalid("body", "", message, "value_error"),
            500 => exception("RuntimeError"),
            501 => exception("NotImplementedError"),
            _ => Self::text(status, message),
        }
    }

    /// The answer. `serial` is the number of the error, for its request identifier.
    pub fn into_response(self, serial: u64) -> Response {
        let detail = match self.detail {
            Detail::Text(text) => Value::from(text),
            Detail::Exception(class, message) => json!([class, message]),
            Detail::Validation(entries) => Value::from(entries),
        };
        let body = json!({ "detail": detail }).to_string();
        let headers = [
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (REQUEST_ID, Uuid::issue(u64::MAX - serial).to_string()),
        ];
        let mut response = (self.status, headers, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The header with the request identifier (contract 1.3).
const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");
