//! One call of the API: what was asked, by whom, and the frame in which the operations answer.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    Arize, audit_logs,
    auth::{self, Caller, Grant, Place},
    body::Fields,
    ids::{Id, Kind},
    problem::{Problem, REQUEST_ID},
    state::Tenant,
};
use crate::simulators::kit::{World, credentials::Credentials, uri};

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

/// A success.
pub struct Answer {
    status: StatusCode,
    body: Option<Value>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }

    /// 201 with a body.
    pub fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, body: Some(body) }
    }

    /// 204 without one.
    pub fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None }
    }
}

/// What was asked.
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path as the contract writes it, with `{...}` for identifiers.
    pub template: String,
    /// The path as it was sent.
    pub path: String,
    /// The query, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    params: Vec<String>,
    secret: Option<String>,
}

impl Call {
    /// A query parameter; the first of its name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters(name).next()
    }

    /// A query parameter that may be repeated.
    pub fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A filter on names: a case-insensitive substring of at most 255 characters.
    ///
    /// # Errors
    /// 400 if it is longer.
    pub fn substring(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.parameter(name) {
            Some(text) if text.chars().count() > 255 => {
                Err(Problem::invalid(format!("{name} must have at most 255 characters")))
            }
            text => Ok(text.map(str::to_lowercase)),
        }
    }
}

impl FromRequest<Arc<World<Arize>>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request<Body>, world: &Arc<World<Arize>>) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let secret = auth::bearer(request.headers());
        let query = uri::pairs(request.uri().query().unwrap_or_default());
        let (mut parts, body) = request.into_parts();
        let template = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let params = RawPathParams::from_request_parts(&mut parts, world).await;
        let params =
            params.map(|params| params.iter().map(|(_, value)| value.to_owned()).collect::<Vec<_>>());
        let body = axum::body::to_bytes(body, usize::MAX).await;
        match (params, body) {
            (Ok(params), Ok(body)) => Ok(Self {
                method: parts.method,
                template: template.unwrap_or_default(),
                path,
                query,
                body,
                params,
                secret,
            }),
            _ => Err(world.vendor.refuse(Problem::invalid("the path or the body cannot be read"), &path)),
        }
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
        self.id(self.call.params.get(place).map_or("", String::as_str), kind)
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
            let headers = [(REQUEST_ID, request_id)];
            match answer.body {
                Some(body) => {
                    let json = [(header::CONTENT_TYPE, "application/json")];
                    (answer.status, headers, json, body.to_string()).into_response()
                }
                None => (answer.status, headers).into_response(),
            }
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
