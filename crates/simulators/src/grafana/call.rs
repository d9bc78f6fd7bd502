//! The frame in which the operations answer.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Grafana,
    auth::{self, Caller, Grant},
    body::Fields,
    managed::ResourceKind,
    problem::Problem,
    roles::{self, Role},
    state::Tenant,
    switches::{Generation, Licence},
};
pub use crate::kit::answer::Answer;
use crate::kit::{World, call::Call, credentials::Credentials};

/// An operation of the contract.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Open to everybody.
    Public(Handler),
    /// Of every edition.
    Open(Handler),
    /// Of every edition, once for each kind of resource.
    Resource(ResourceHandler, ResourceKind),
    /// Of the licensed edition.
    Licensed(Handler),
    /// Of the licensed edition, on servers older than this generation.
    LicensedBefore(Generation, Handler),
    /// Whether the server has roles: there with a licence, be it one that lapsed.
    Status(Handler),
}

/// What answers an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// What answers an operation on the permissions of a resource.
pub type ResourceHandler = fn(&mut Scene<'_>, ResourceKind) -> Result<Answer, Problem>;

/// 200 with a message.
pub fn message(message: &str) -> Answer {
    Answer::ok(json!({ "message": message }))
}

/// A call on its way through the server.
pub struct Scene<'a> {
    /// The server.
    pub tenant: &'a mut Tenant,
    /// The credentials, for users and tokens that are made and deleted.
    pub credentials: &'a Credentials<Grant>,
    /// The vendor's code, with its dice and caches.
    pub vendor: &'a Grafana,
    /// Who calls.
    pub caller: Caller,
    /// What was asked.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The number at this place of the path, counted from 0.
    ///
    /// # Errors
    /// 400 if it is none.
    pub fn path_number(&self, place: usize) -> Result<i64, Problem> {
        self.call.param(place).parse().map_err(|_| Problem::bad_request("id is invalid"))
    }

    /// Whether a query parameter is set to true.
    pub fn is_asked(&self, name: &str) -> bool {
        matches!(self.call.parameter(name), Some("true" | "1"))
    }

    /// A query parameter that is a number; the default if it is absent or none.
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.call.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 400 if it is no JSON object, or is not announced as JSON.
    pub fn fields(&self) -> Result<Fields, Problem> {
        let kind = self.call.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !self.call.body.is_empty() && !kind.is_some_and(|kind| kind.starts_with(b"application/json")) {
            return Err(Problem::bad_request("bad request data"));
        }
        Fields::of(&self.call.body)
    }

    /// Ends the call with 403 unless the caller may do this there.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, action: &str, scope: &str) -> Result<(), Problem> {
        self.require_any(action, [scope])
    }

    /// Ends the call with 403 unless the caller may do this on one of these scopes.
    ///
    /// # Errors
    /// 403.
    pub fn require_any<S: AsRef<str>>(
        &self,
        action: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(), Problem> {
        if scopes.into_iter().any(|scope| self.caller.may(action, scope.as_ref())) {
            Ok(())
        } else {
            Err(Problem::access_denied(action))
        }
    }

    /// Ends the call with 403 unless the caller may do this anywhere.
    ///
    /// # Errors
    /// 403.
    pub fn require_somewhere(&self, action: &str) -> Result<(), Problem> {
        if self.caller.permissions.has_action(action) { Ok(()) } else { Err(Problem::access_denied(action)) }
    }

    /// The organization that `targetOrgId` names; the caller's if it names none.
    ///
    /// # Errors
    /// As [`Scene::reachable_org`].
    pub fn target_org(&self) -> Result<i64, Problem> {
        self.reachable_org(self.call.parameter("targetOrgId").and_then(|text| text.parse().ok()))
    }

    /// An organization that the caller asks for; the caller's if there is none.
    ///
    /// # Errors
    /// 403 if only a server admin reaches it.
    pub fn reachable_org(&self, asked: Option<i64>) -> Result<i64, Problem> {
        match asked {
            Some(org) if org != self.caller.org && !self.caller.is_grafana_admin => {
                Err(Problem::access_denied("orgs:read"))
            }
            Some(org) => Ok(org),
            None => Ok(self.caller.org),
        }
    }

    /// A role with its permissions, as an answer shows it.
    pub fn whole(&self, role: &Role) -> Value {
        let switches = &self.tenant.switches;
        roles::whole(role, switches, &mut self.vendor.dice.next(switches.shuffle_seed))
    }
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
    // Without a licence the paths do not exist, whoever asks (contract 1.4).
    let is_there = match operation {
        Operation::Public(_) | Operation::Open(_) | Operation::Resource(..) => true,
        Operation::Licensed(_) => licence == Licence::Valid,
        Operation::LicensedBefore(end, _) => licence == Licence::Valid && generation < end,
        Operation::Status(_) => licence != Licence::Absent,
    };
    if !is_there {
        return Err(Problem::no_such_path());
    }
    let caller = match operation {
        Operation::Public(_) => Caller::nobody(),
        _ => auth::authenticate(call, &world.credentials, tenant, &world.vendor)?,
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
