//! One call: what its operation works with, and how it is answered.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{body::Fields, problem::Problem, server::Grafana};
use crate::{
    grafana::{
        access::{
            Caller, Grant,
            authentication::{self, Unauthenticated},
        },
        rows::{
            managed::ResourceKind,
            switches::{Generation, Licence},
        },
        state::Tenant,
    },
    kit::{World, answer::Answer, call::Call, credentials::Credentials},
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

/// An operation of the contract, by the servers and callers that it exists for.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Without a credential.
    Public(Handler),
    /// In every edition.
    Open(Handler),
    /// In every edition, once for each kind of resource.
    Resource(ResourceHandler, ResourceKind),
    /// With a licence.
    Licensed(Handler),
    /// With a licence, on servers before this generation.
    LicensedBefore(Generation, Handler),
    /// With a licence, even an expired one: whether the server has roles.
    Status(Handler),
}

/// Answers one call.
pub fn answer(world: &World<Grafana>, operation: Operation, call: &Call) -> Response {
    let mut tenant = world.tenant();
    match attempt(world, &mut tenant, operation, call) {
        Ok(answer) => answer.into_response(),
        Err(problem) if tenant.switches.development_mode => world.vendor.refuse(problem.in_development()),
        Err(problem) => world.vendor.refuse(problem),
    }
}

fn attempt(
    world: &World<Grafana>,
    tenant: &mut Tenant,
    operation: Operation,
    call: &Call,
) -> Result<Answer, Problem> {
    let (licence, generation) = (tenant.switches.licence, tenant.switches.generation);
    // Before authentication: without a licence the paths do not exist for any caller (contract 1.4).
    let exists = match operation {
        Operation::Public(_) | Operation::Open(_) | Operation::Resource(..) => true,
        Operation::Licensed(_) => licence == Licence::Valid,
        Operation::LicensedBefore(end, _) => licence == Licence::Valid && generation < end,
        Operation::Status(_) => licence != Licence::Absent,
    };
    if !exists {
        return Err(Problem::no_such_path());
    }
    let caller = match operation {
        Operation::Public(_) => Caller::anonymous(),
        _ => {
            let cache = &world.vendor.permission_cache;
            authentication::authenticate(call, &world.credentials, tenant, cache)
                .map_err(|reason| unauthorized(reason, tenant.switches.plain_unauthorized))?
        }
    };
    let mut scene = Scene { tenant, credentials: &world.credentials, vendor: &world.vendor, caller, call };
    match operation {
        Operation::Public(handler)
        | Operation::Open(handler)
        | Operation::Licensed(handler)
        | Operation::LicensedBefore(_, handler)
        | Operation::Status(handler) => handler(&mut scene),
        Operation::Resource(handler, kind) => handler(&mut scene, kind),
    }
}

/// The 401 of each reason (contract 3.10).
fn unauthorized(reason: Unauthenticated, plain: bool) -> Problem {
    let legacy = |message: &str| Problem::legacy(StatusCode::UNAUTHORIZED, message);
    let token = |id: &'static str, message: &str| Problem::typed(StatusCode::UNAUTHORIZED, id, message);
    if plain {
        return legacy("Unauthorized");
    }
    match reason {
        Unauthenticated::Missing | Unauthenticated::UnreachableOrg => legacy("Unauthorized"),
        Unauthenticated::WrongPassword => legacy("Invalid username or password"),
        Unauthenticated::UnknownToken => token("api-key.invalid", "Invalid API key"),
        Unauthenticated::ExpiredToken => token("api-key.expired", "Expired API key"),
        Unauthenticated::RevokedToken => token("api-key.revoked", "Revoked API key"),
        Unauthenticated::TokenOfOtherOrg => {
            token("api-key.organization-mismatch", "API key does not belong to the requested organization")
        }
    }
}
