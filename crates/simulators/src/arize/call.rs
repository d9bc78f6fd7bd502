//! One call of the API: what was asked, by whom, and the frame in which the operations answer.

use axum::response::{IntoResponse, Response};

use super::{
    Arize, audit_logs,
    auth::{self, Caller, Grant, Place},
    body::Fields,
    ids::{Id, Kind},
    problem::{Problem, REQUEST_ID},
    state::Tenant,
};
pub use crate::kit::answer::Answer;
use crate::kit::{World, call::Call, credentials::Credentials};

/// An operation of the contract.
#[derive(Clone, Copy)]
pub enum Operation {
    /// A list, which may lag behind.
    List(Handler),
    /// A look at one thing.
    Read(Handler),
    /// Anything that changes the tenant.
    Write(Handler),
}

/// What answers an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// A filter on names, in lower case; none lets all of them through.
pub struct Substring(Option<String>);

impl Substring {
    /// Whether a name passes.
    pub fn is_in(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|part| name.to_lowercase().contains(part.as_str()))
    }
}

/// A call on its way through the account.
pub struct Scene<'a> {
    /// The account.
    pub tenant: &'a mut Tenant,
    /// The credentials, for keys that are made, replaced and revoked.
    pub credentials: &'a Credentials<Grant>,
    /// Who calls.
    pub caller: Caller,
    /// What was asked.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The identifier of kind `kind` at this place of the path, counted from 0.
    ///
    /// # Errors
    /// 400 if it is malformed, the switched status if it is of another kind.
    pub fn path_id(&self, place: usize, kind: Kind) -> Result<Id, Problem> {
        self.id(self.call.param(place), kind)
    }

    /// An identifier of kind `kind`.
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
    /// 400 if it is no JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body, &self.tenant.switches)
    }

    /// The fields of the body of a PATCH, which must have one.
    ///
    /// # Errors
    /// 400 if it is no JSON object, the switched status if it is empty.
    pub fn updated_fields(&self) -> Result<Fields, Problem> {
        let fields = self.fields()?;
        if fields.is_empty() {
            let status = self.tenant.switches.empty_update_status;
            return Err(Problem::switched(status, "there is nothing to update"));
        }
        Ok(fields)
    }

    /// Whether the caller may do this there.
    pub fn may(&self, permission: &str, place: Place) -> bool {
        self.caller.may(self.tenant, permission, place)
    }

    /// Ends the call with 403 unless the caller may do this there.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, permission: &str, place: Place) -> Result<(), Problem> {
        if self.may(permission, place) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("{permission} is required")))
        }
    }
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
    let caller = auth::authenticate(call.secret.as_deref(), &world.credentials, &tenant)?;
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
            audit_logs::note(scene.tenant, user, call);
            Ok(answer)
        }
    }
}
