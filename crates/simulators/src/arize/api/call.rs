//! One call: what its operation works with, and how it is answered.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    body::Fields,
    problem::{Problem, REQUEST_ID},
    server::Arize,
};
use crate::{
    arize::{
        access::{self, Caller, Grant, Target},
        rows::ids::{Id, Kind},
        state::{Tenant, audit_logs},
    },
    kit::{World, answer::Answer, call::Call, credentials::Credentials},
};

/// The code of an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// A filter on names: a part in lower case. Without a part, every name matches.
pub struct Substring(Option<String>);

impl Substring {
    /// Whether a name contains the part, in any case.
    pub fn is_in(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|part| name.to_lowercase().contains(part.as_str()))
    }
}

/// A call in progress.
pub struct Scene<'a> {
    /// The account, or for a list the copy that lags behind.
    pub tenant: &'a mut Tenant,
    /// The credentials: API keys that are created, refreshed or revoked change them.
    pub credentials: &'a Credentials<Grant>,
    /// The sender of the call.
    pub caller: Caller,
    /// The request.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The identifier at this position of the path, counted from 0.
    ///
    /// # Errors
    /// 400 if it is malformed, the switched status if it is of another kind.
    pub fn path_id(&self, position: usize, kind: Kind) -> Result<Id, Problem> {
        self.id(self.call.param(position), kind)
    }

    /// An identifier of this kind.
    ///
    /// # Errors
    /// As [`Scene::path_id`].
    pub fn id(&self, text: &str, kind: Kind) -> Result<Id, Problem> {
        let id: Id = text.parse().map_err(|_| Problem::invalid("malformed ID"))?;
        if id.kind == kind {
            Ok(id)
        } else {
            let status = self.tenant.switches.id_kind_mismatch_status;
            Err(Problem::switched(status, format!("the ID is not that of a {}", kind.name())))
        }
    }

    /// An identifier in the query; none if the parameter is absent.
    ///
    /// # Errors
    /// As [`Scene::path_id`].
    pub fn query_id(&self, name: &str, kind: Kind) -> Result<Option<Id>, Problem> {
        self.call.parameter(name).map(|text| self.id(text, kind)).transpose()
    }

    /// A filter on names in the query: a case-insensitive substring of at most 255 characters.
    ///
    /// # Errors
    /// 400 if it is longer.
    pub fn substring(&self, name: &str) -> Result<Substring, Problem> {
        match self.call.parameter(name) {
            Some(text) if text.chars().count() > 255 => {
                Err(Problem::invalid(format!("{name} must have at most 255 characters")))
            }
            text => Ok(Substring(text.map(str::to_lowercase))),
        }
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 400 if it is not a JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body, &self.tenant.switches)
    }

    /// The fields of the body of a PATCH, which must have at least one.
    ///
    /// # Errors
    /// 400 if it is not a JSON object, the switched status if it is empty.
    pub fn updated_fields(&self) -> Result<Fields, Problem> {
        let fields = self.fields()?;
        if fields.is_empty() {
            let status = self.tenant.switches.empty_update_status;
            return Err(Problem::switched(status, "there is nothing to update"));
        }
        Ok(fields)
    }

    /// Whether the caller has this permission on the target.
    pub fn can(&self, permission: &str, target: Target) -> bool {
        self.caller.can(self.tenant, permission, target)
    }

    /// Ends the call unless the caller has this permission on the target.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, permission: &str, target: Target) -> Result<(), Problem> {
        if self.can(permission, target) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("{permission} is required")))
        }
    }
}

/// An operation of the contract.
#[derive(Clone, Copy)]
pub enum Operation {
    /// A list, which can lag behind writes.
    List(Handler),
    /// A read of one row.
    Read(Handler),
    /// A change of the account; the audit log records it.
    Write(Handler),
}

/// Answers one call.
pub fn answer(world: &World<Arize>, operation: Operation, call: &Call) -> Response {
    match attempt(world, operation, call) {
        Ok(answer) => {
            let request_id = world.vendor.next_request_id();
            ([(REQUEST_ID, request_id)], answer).into_response()
        }
        Err(problem) => world.vendor.refuse(problem, &call.path),
    }
}

fn attempt(world: &World<Arize>, operation: Operation, call: &Call) -> Result<Answer, Problem> {
    let mut tenant = world.tenant();
    let caller = access::authenticate(call.secret.as_deref(), &world.credentials, &tenant)
        .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "missing or invalid credential"))?;
    let lagging = match operation {
        Operation::List(_) => world.vendor.lagging(&tenant),
        Operation::Read(_) | Operation::Write(_) => None,
    };
    let mut copy = lagging.map(|copy| Tenant::clone(&copy));
    let user = caller.grant.user_id;
    let mut scene =
        Scene { tenant: copy.as_mut().unwrap_or(&mut tenant), credentials: &world.credentials, caller, call };
    match operation {
        Operation::List(handler) | Operation::Read(handler) => handler(&mut scene),
        Operation::Write(handler) => {
            let answer = handler(&mut scene)?;
            let name = format!("{} {}", call.method, call.template);
            audit_logs::record(scene.tenant, user, name, &call.body);
            Ok(answer)
        }
    }
}
