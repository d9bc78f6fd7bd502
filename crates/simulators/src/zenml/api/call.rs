//! One call: the input of its operation, and how it is answered.

use std::collections::BTreeSet;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{body::Fields, problem::Problem, server::ZenMl};
use crate::{
    kit::{
        World,
        answer::json,
        call::Call,
        credentials::{Credentials, bearer},
    },
    zenml::{
        access::{
            Caller, Grant,
            authentication::{Refusal, authenticate},
            rights::Place,
        },
        rows::{
            ids::Uuid,
            switches::{ForbiddenLists, Switches},
        },
        state::Tenant,
    },
};

/// An operation of the contract, by the callers that can use it.
#[derive(Clone, Copy)]
pub enum Operation {
    /// For all callers, without a credential.
    Public(Handler),
    /// For callers with a valid credential.
    Authenticated(Handler),
    /// For callers with a valid credential, on servers that show projects.
    OfProjects(Handler),
}

/// The code of an operation. Every success is 200 with a JSON body (contract 2.1).
pub type Handler = fn(&mut Scene<'_>) -> Result<Value, Problem>;

/// A call in progress.
pub struct Scene<'a> {
    /// The data of the control plane.
    pub tenant: &'a mut Tenant,
    /// The credentials: keys that are created are added to them.
    pub credentials: &'a Credentials<Grant>,
    /// The sessions, and the random numbers for lists.
    pub vendor: &'a ZenMl,
    /// The sender of the call.
    pub caller: Caller,
    /// The request.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The identifier at this place of the path, counted from 0.
    ///
    /// # Errors
    /// 422 if it is not a UUID.
    pub fn path_id(&self, place: usize, name: &str) -> Result<Uuid, Problem> {
        parse_id("path", name, self.call.param(place))
    }

    /// An identifier in the query; none if the parameter is absent.
    ///
    /// # Errors
    /// 422 if it is not a UUID.
    pub fn query_id(&self, name: &str) -> Result<Option<Uuid>, Problem> {
        self.call.parameter(name).map(|text| parse_id("query", name, text)).transpose()
    }

    /// A boolean in the query, in all spellings of clients (contract 3.2); none if the parameter is absent.
    ///
    /// # Errors
    /// 422 if it is not a boolean.
    pub fn query_flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let invalid = || Problem::invalid("query", name, "Input should be a valid boolean", "bool_parsing");
        let parse = |text: &str| match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(invalid()),
        };
        self.call.parameter(name).map(parse).transpose()
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 422 if the body is not a JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body)
    }

    /// Ends the call unless the caller has this right at this place.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, place: Place, right: &str) -> Result<(), Problem> {
        if self.caller.can(self.tenant, place, right) {
            return Ok(());
        }
        Err(Problem::illegal(format!("Insufficient permissions: {right} is required")))
    }

    /// Whether the caller has this right. If not, a switch decides whether the list is shortened or refused.
    ///
    /// # Errors
    /// 403 if the list is refused.
    pub fn can_list(&self, place: Place, right: &str) -> Result<bool, Problem> {
        match self.require(place, right) {
            Ok(()) => Ok(true),
            Err(problem) if self.tenant.switches.forbidden_lists == ForbiddenLists::Refuse => Err(problem),
            Err(_) => Ok(false),
        }
    }

    /// The organizations that the caller can see.
    pub fn visible_organizations(&self) -> BTreeSet<Uuid> {
        let rows = self.tenant.organizations.iter().map(|row| row.id);
        rows.filter(|id| self.caller.can_see_organization(self.tenant, *id)).collect()
    }
}

fn parse_id(place: &str, name: &str, text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| Problem::invalid(place, name, "Input should be a valid UUID", "uuid_parsing"))
}

/// Answers one call.
pub fn answer(world: &World<ZenMl>, operation: Operation, call: &Call) -> Response {
    let mut tenant = world.tenant();
    match try_answer(world, &mut tenant, operation, call) {
        Ok(body) => json(StatusCode::OK, &body),
        Err(problem) => world.vendor.refuse(problem),
    }
}

fn try_answer(
    world: &World<ZenMl>,
    tenant: &mut Tenant,
    operation: Operation,
    call: &Call,
) -> Result<Value, Problem> {
    let (handler, caller) = match operation {
        Operation::OfProjects(_) if !tenant.switches.project_paths => return Err(no_such_path()),
        Operation::Public(handler) => (handler, Caller::default()),
        Operation::Authenticated(handler) | Operation::OfProjects(handler) => {
            (handler, caller(world, tenant, call)?)
        }
    };
    let credentials = &world.credentials;
    handler(&mut Scene { tenant, credentials, vendor: &world.vendor, caller, call })
}

fn caller(world: &World<ZenMl>, tenant: &Tenant, call: &Call) -> Result<Caller, Problem> {
    let (token, secret) = (bearer(&call.headers), call.secret.as_deref());
    authenticate(token, secret, &world.credentials, &world.vendor.sessions, tenant)
        .map_err(|refusal| unauthorized(refusal, &tenant.switches))
}

/// 401 for a call without a valid credential.
pub fn unauthorized(refusal: Refusal, switches: &Switches) -> Problem {
    let message = match refusal {
        Refusal::NoToken => "Not authenticated",
        Refusal::EndedSession => "Signature has expired",
        Refusal::InvalidToken => "Invalid authentication token",
    };
    Problem::unauthorized(switches, message)
}

/// 404 for a path that this server does not have.
pub fn no_such_path() -> Problem {
    Problem::text(StatusCode::NOT_FOUND, "Not Found")
}
