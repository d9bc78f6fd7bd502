//! One call of a vendor's API, as the client sent it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};

use super::{
    uri,
    vendor::{Vendor, World},
};

/// A call of a vendor's API.
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The path as in the vendor's contract, with `{...}` for identifiers.
    pub template: String,
    /// The path as sent.
    pub path: String,
    /// The decoded query parameters, in the order sent.
    pub query: Vec<(String, String)>,
    /// The headers as sent.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The secret from the headers: see [`Vendor::secret`].
    pub secret: Option<String>,
    params: Vec<String>,
}

impl Call {
    /// The first query parameter with this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters(name).next()
    }

    /// All query parameters with this name.
    pub fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The identifier at this place of the path, counted from 0; empty if the path has fewer.
    pub fn param(&self, place: usize) -> &str {
        self.params.get(place).map_or("", String::as_str)
    }
}

impl<V: Vendor> FromRequest<Arc<World<V>>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request<Body>, world: &Arc<World<V>>) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let secret = world.vendor.secret(request.headers());
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
                headers: parts.headers,
                body,
                secret,
                params,
            }),
            _ => {
                let detail = "cannot read the path or the body";
                Err(world.vendor.problem(StatusCode::BAD_REQUEST, detail, &path))
            }
        }
    }
}
