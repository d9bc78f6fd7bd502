//! Answers one call: checks that the server has the operation, authenticates the caller and runs the operation.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    problem::Problem,
    scene::{Handler, ResourceHandler, Scene},
    server::Grafana,
};
use crate::{
    grafana::{
        access::{
            Caller,
            authentication::{self, Unauthenticated},
        },
        rows::{
            managed::ResourceKind,
            switches::{Generation, Licence},
        },
        state::Tenant,
    },
    kit::{World, answer::Answer, call::Call},
};

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
