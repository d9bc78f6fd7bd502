//! The frame in which the operations answer.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{body::Fields, problem::Problem, server::Lenses};
pub use crate::kit::answer::Answer;
use crate::{
    kit::{World, call::Call, credentials::Credentials},
    lenses::{
        access::caller::{Caller, Grant},
        rows::{
            kind::{Kind, Verb},
            switches::Lists,
        },
        state::{Tenant, now},
    },
};

/// What answers an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// A call on its way through the server.
pub struct Scene<'a> {
    /// The server.
    pub tenant: &'a mut Tenant,
    /// The credentials, for tokens that are made and renewed.
    pub credentials: &'a Credentials<Grant>,
    /// Who calls.
    pub caller: Caller,
    /// What was asked.
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
    /// 400 if it is no JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body, &self.tenant.switches)
    }

    /// Ends the call unless the caller may do this with the thing of this name. Asked before anything is said
    /// about whether there is such a thing.
    ///
    /// # Errors
    /// 403, or what denied reads are answered with.
    pub fn require(&self, verb: Verb, kind: Kind, name: &str) -> Result<(), Problem> {
        let action = kind.action(verb);
        if self.caller.rights.allow(&action, &kind.lrn(name)) {
            return Ok(());
        }
        match verb {
            Verb::Get => Err(Problem::denied_read(&action)),
            _ => Err(Problem::forbidden(&action)),
        }
    }

    /// The list of those things that the caller may list.
    ///
    /// # Errors
    /// 403, as the server's lists are.
    pub fn listed(&self, kind: Kind, rows: impl Iterator<Item = (String, Value)>) -> Result<Answer, Problem> {
        let action = kind.action(Verb::List);
        let rights = &self.caller.rights;
        let is_open = match self.tenant.switches.lists {
            Lists::AllOrForbidden => rights.allow(&action, &kind.lrn("*")),
            Lists::SomeOrForbidden => rights.allow_somewhere(&action, kind.service(), &kind.lrn("")),
            Lists::Filtered => true,
        };
        if !is_open {
            return Err(Problem::forbidden(&action));
        }
        let seen = rows.filter(|(name, _)| rights.allow(&action, &kind.lrn(name)));
        let items: Vec<Value> = seen.map(|(_, row)| row).collect();
        Ok(Answer::ok(json!({ "items": items })))
    }
}

/// Answers one call.
pub fn answer(world: &World<Lenses>, handler: Handler, call: &Call) -> Response {
    let mut tenant = world.tenant();
    tenant.take_turns();
    match attempt(world, &mut tenant, handler, call) {
        Ok(answer) => answer.into_response(),
        Err(problem) => problem.into_response(&tenant.switches, &call.path),
    }
}

fn attempt(
    world: &World<Lenses>,
    tenant: &mut Tenant,
    handler: Handler,
    call: &Call,
) -> Result<Answer, Problem> {
    let caller = Caller::identify(call.secret.as_deref(), &world.credentials, tenant);
    let caller = caller.ok_or_else(Problem::unauthorized)?;
    if let Some(principal) = &caller.principal {
        tenant.see(principal, now());
    }
    handler(&mut Scene { tenant, credentials: &world.credentials, caller, call })
}
