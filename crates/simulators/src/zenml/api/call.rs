//! The frame in which the operations answer.

use std::collections::BTreeSet;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{auth, body::Fields, problem::Problem, server::ZenMl};
use crate::{
    kit::{World, answer::json, call::Call, credentials::Credentials},
    zenml::{
        access::{
            caller::{Caller, Grant},
            rights::Place,
        },
        rows::{ids::Uuid, switches::ForbiddenLists},
        state::Tenant,
    },
};

/// An operation of the contract.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Open to everybody.
    Public(Handler),
    /// For callers who are known.
    Known(Handler),
    /// Of servers that show projects.
    OfProjects(Handler),
}

/// What answers an operation. Every success is 200 with a JSON body (contract 2.1).
pub type Handler = fn(&mut Scene<'_>) -> Result<Value, Problem>;

/// A call on its way through the server.
pub struct Scene<'a> {
    /// The server.
    pub tenant: &'a mut Tenant,
    /// The credentials, for keys that are made.
    pub credentials: &'a Credentials<Grant>,
    /// The vendor's code, with its sessions and dice.
    pub vendor: &'a ZenMl,
    /// Who calls.
    pub caller: Caller,
    /// What was asked.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The identifier at this place of the path, counted from 0.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn path_id(&self, place: usize, name: &str) -> Result<Uuid, Problem> {
        read_id("path", name, self.call.param(place))
    }

    /// An identifier of the query.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn query_id(&self, name: &str) -> Result<Option<Uuid>, Problem> {
        self.call.parameter(name).map(|text| read_id("query", name, text)).transpose()
    }

    /// A boolean of the query, in the spellings that clients have (simulator checklist, 3).
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn query_flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let wrong = || Problem::invalid("query", name, "Input should be a valid boolean", "bool_parsing");
        let read = |text: &str| match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(wrong()),
        };
        self.call.parameter(name).map(read).transpose()
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 422 if it is no JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body)
    }

    /// Ends the call with 403 unless the caller may do this there.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, place: Place, right: &str) -> Result<(), Problem> {
        if self.caller.may(self.tenant, place, right) {
            return Ok(());
        }
        Err(Problem::illegal(format!("Insufficient permissions: {right} is required")))
    }

    /// Whether a list is to be filled: the caller may read it. If not, it is refused, or empty.
    ///
    /// # Errors
    /// 403.
    pub fn may_list(&self, place: Place, right: &str) -> Result<bool, Problem> {
        match self.require(place, right) {
            Ok(()) => Ok(true),
            Err(_) if self.tenant.switches.forbidden_lists == ForbiddenLists::Empty => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    /// The organizations that the caller may know of.
    pub fn reached(&self) -> BTreeSet<Uuid> {
        let rows = self.tenant.organizations.iter().map(|row| row.id);
        rows.filter(|id| self.caller.reaches(self.tenant, *id)).collect()
    }
}

fn read_id(place: &str, name: &str, text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| Problem::invalid(place, name, "Input should be a valid UUID", "uuid_parsing"))
}

/// Answers one call.
pub fn answer(world: &World<ZenMl>, operation: Operation, call: &Call) -> Response {
    let mut tenant = world.tenant();
    match attempt(world, &mut tenant, operation, call) {
        Ok(body) => json(StatusCode::OK, &body),
        Err(problem) => world.vendor.refuse(problem),
    }
}

fn attempt(
    world: &World<ZenMl>,
    tenant: &mut Tenant,
    operation: Operation,
    call: &Call,
) -> Result<Value, Problem> {
    let (handler, caller) = match operation {
        Operation::OfProjects(_) if !tenant.switches.project_paths => return Err(no_such_path()),
        Operation::Public(handler) => (handler, Caller::nobody()),
        Operation::Known(handler) | Operation::OfProjects(handler) => {
            (handler, auth::authenticate(call, &world.credentials, tenant, &world.vendor)?)
        }
    };
    let credentials = &world.credentials;
    handler(&mut Scene { tenant, credentials, vendor: &world.vendor, caller, call })
}

/// 404 for a path that this server does not have.
pub fn no_such_path() -> Problem {
    Problem::text(StatusCode::NOT_FOUND, "Not Found")
}
