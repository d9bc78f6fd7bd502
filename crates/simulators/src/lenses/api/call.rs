//! One call: the input of its operation, and how it is answered.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{body::Fields, problem::Problem, server::Lenses};
pub use crate::kit::answer::Answer;
use crate::{
    kit::{World, call::Call, credentials::Credentials},
    lenses::{
        access::{Caller, Grant, authentication::authenticate},
        rows::{
            kind::{Kind, Verb},
            switches::Lists,
        },
        state::{Tenant, now},
    },
};

/// The code of an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// A call in progress.
pub struct Scene<'a> {
    /// The data of the server.
    pub tenant: &'a mut Tenant,
    /// The credentials: tokens that are created or renewed change them.
    pub credentials: &'a Credentials<Grant>,
    /// The sender of the call.
    pub caller: Caller,
    /// The request.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The name in the path.
    pub fn name(&self) -> &str {
        self.call.param(0)
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 400 if the body is not a JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body, &self.tenant.switches)
    }

    /// Ends the call unless the caller is permitted to do this with the row of this name. Operations call it before
    /// the look-up of the row, so that a denied caller does not learn whether the row exists.
    ///
    /// # Errors
    /// 403, or the switched status of denied reads.
    pub fn require(&self, verb: Verb, kind: Kind, name: &str) -> Result<(), Problem> {
        let action = kind.action(verb);
        if self.caller.rights.permit(&action, &kind.lrn(name)) {
            return Ok(());
        }
        match verb {
            Verb::Get => Err(Problem::denied_read(&action)),
            _ => Err(Problem::forbidden(&action)),
        }
    }

    /// The answer with those rows of a list that the caller is permitted to list.
    ///
    /// # Errors
    /// 403, if the server does not answer with a part of the list.
    pub fn list(&self, kind: Kind, rows: impl Iterator<Item = (String, Value)>) -> Result<Answer, Problem> {
        let action = kind.action(Verb::List);
        let rights = &self.caller.rights;
        let is_open = match self.tenant.switches.lists {
            Lists::AllOrForbidden => rights.permit(&action, &kind.lrn("*")),
            Lists::SomeOrForbidden => rights.permit_some(&action, kind.service(), &kind.lrn("")),
            Lists::Filtered => true,
        };
        if !is_open {
            return Err(Problem::forbidden(&action));
        }
        let visible = rows.filter(|(name, _)| rights.permit(&action, &kind.lrn(name)));
        let items: Vec<Value> = visible.map(|(_, row)| row).collect();
        Ok(Answer::ok(json!({ "items": items })))
    }
}

/// Answers one call.
pub fn answer(world: &World<Lenses>, handler: Handler, call: &Call) -> Response {
    let mut tenant = world.tenant();
    match try_answer(world, &mut tenant, handler, call) {
        Ok(answer) => answer.into_response(),
        Err(problem) => problem.into_response(&tenant.switches),
    }
}

fn try_answer(
    world: &World<Lenses>,
    tenant: &mut Tenant,
    handler: Handler,
    call: &Call,
) -> Result<Answer, Problem> {
    let caller = authenticate(call.secret.as_deref(), &world.credentials, tenant);
    let caller = caller.ok_or_else(Problem::unauthorized)?;
    if let Some(principal) = &caller.principal {
        tenant.record_call(principal, now());
    }
    handler(&mut Scene { tenant, credentials: &world.credentials, caller, call })
}
