//! How requests reach a back end: over the network, or in memory in simulations.

use std::fmt::Debug;

use async_trait::async_trait;
use reqwest::{Client, Error, Request, Response};

/// Sends requests.
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Sends one request and returns the head of its answer.
    ///
    /// # Errors
    /// There was no answer within the time of the request.
    async fn send(&self, request: Request) -> Result<Response, Error>;
}

#[async_trait]
impl Transport for Client {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        self.execute(request).await
    }
}
