//! Answers one call: authenticates the caller, and runs the operation on the account.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    problem::{Problem, REQUEST_ID},
    scene::{Handler, Scene},
    server::Arize,
};
use crate::{
    arize::{
        access,
        state::{Tenant, audit_logs},
    },
    kit::{World, answer::Answer, call::Call},
};

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
