//! The clock of the API server, which sets creation and deletion timestamps. That of this node can differ by any amount.

use axum::http::{Request, header};
use k8s_openapi::jiff::{Timestamp, fmt::rfc2822};
use kube::{Client, Error, client::Body, error::Status};

/// The time at the API server, from the header `Date` of an answer (RFC 9110 6.6.1).
///
/// # Errors
/// The API server did not answer, or without a date.
pub async fn server_time(client: &Client) -> Result<Timestamp, Error> {
    let request = Request::get("/version").body(Body::empty()).map_err(Error::HttpError)?;
    let response = client.send(request).await?;
    let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let time = date.and_then(|date| rfc2822::parse(date).ok()).map(|time| time.timestamp());
    time.ok_or_else(|| {
        Error::Api(Box::new(Status::failure("the answer of the API server has no date", "NoDate")))
    })
}
