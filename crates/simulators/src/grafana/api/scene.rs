//! What an operation works with: the call, its caller and the server.

use axum::http::{HeaderValue, header};
use serde_json::json;

use super::{body::Fields, problem::Problem, server::Grafana};
use crate::{
    grafana::{
        access::{Caller, Grant},
        rows::managed::ResourceKind,
        state::Tenant,
    },
    kit::{answer::Answer, call::Call, credentials::Credentials},
};

/// The code of an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// The code of an operation on the permissions of a resource.
pub type ResourceHandler = fn(&mut Scene<'_>, ResourceKind) -> Result<Answer, Problem>;

/// 200 with a message.
pub fn message(message: &str) -> Answer {
    Answer::ok(json!({ "message": message }))
}

/// A call in progress.
pub struct Scene<'a> {
    /// The server's rows and switches.
    pub tenant: &'a mut Tenant,
    /// The credentials: users and tokens that are created or deleted change them.
    pub credentials: &'a Credentials<Grant>,
    /// What the server keeps outside the tenant.
    pub vendor: &'a Grafana,
    /// The sender of the call.
    pub caller: Caller,
    /// The request.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The number at this position of the path, counted from 0.
    ///
    /// # Errors
    /// 400 if it is not a number.
    pub fn path_number(&self, position: usize) -> Result<i64, Problem> {
        self.call.param(position).parse().map_err(|_| Problem::bad_request("id is invalid"))
    }

    /// Whether a query parameter is `true` or `1`.
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.call.parameter(name), Some("true" | "1"))
    }

    /// A number in the query; the default if it is absent or not a number.
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.call.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 400 if it is not a JSON object, or has another content type.
    pub fn fields(&self) -> Result<Fields, Problem> {
        let kind = self.call.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !self.call.body.is_empty() && !kind.is_some_and(|kind| kind.starts_with(b"application/json")) {
            return Err(Problem::bad_request("bad request data"));
        }
        Fields::of(&self.call.body)
    }

    /// Ends the call unless the caller has this permission.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, action: &str, scope: &str) -> Result<(), Problem> {
        self.require_any(action, [scope])
    }

    /// Ends the call unless the caller has the action on one of these scopes.
    ///
    /// # Errors
    /// 403.
    pub fn require_any<S: AsRef<str>>(
        &self,
        action: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(), Problem> {
        if scopes.into_iter().any(|scope| self.caller.can(action, scope.as_ref())) {
            Ok(())
        } else {
            Err(Problem::access_denied(action))
        }
    }

    /// Ends the call unless the caller has the action on some scope.
    ///
    /// # Errors
    /// 403.
    pub fn require_somewhere(&self, action: &str) -> Result<(), Problem> {
        if self.caller.permissions.has_action(action) { Ok(()) } else { Err(Problem::access_denied(action)) }
    }

    /// The organization that `targetOrgId` names; the caller's if it is absent.
    ///
    /// # Errors
    /// As [`Scene::reachable_org`].
    pub fn target_org(&self) -> Result<i64, Problem> {
        self.reachable_org(self.call.parameter("targetOrgId").and_then(|text| text.parse().ok()))
    }

    /// The requested organization; the caller's if none is requested.
    ///
    /// # Errors
    /// 403 for another organization, unless the caller is a server admin.
    pub fn reachable_org(&self, requested: Option<i64>) -> Result<i64, Problem> {
        match requested {
            Some(org) if org != self.caller.org && !self.caller.is_grafana_admin => {
                Err(Problem::access_denied("orgs:read"))
            }
            Some(org) => Ok(org),
            None => Ok(self.caller.org),
        }
    }
}
