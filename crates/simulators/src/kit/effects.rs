//! Applies faults: delays, replaces, damages or loses the answer to one request.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use serde_json::Value;

use super::{
    answer::{json, switched},
    connection::Line,
    faults::{Action, Decision},
    vendor::{Vendor, World},
};

/// The size of one piece of a huge body, in bytes.
const BLANK_PIECE: usize = 64 * 1024;

/// A body that is not JSON, although its content type claims it.
const GARBAGE: &[u8] = b"\x00\xff<html>{\"not\": json";

/// The status that the server answered (none if it did not process the request), and the response.
pub(super) type Outcome = (Option<u16>, Response);

/// Processes one request, with the faults that hit it.
pub(super) async fn process<V: Vendor>(
    world: &World<V>,
    decision: Decision,
    line: &Line,
    request: Request,
    next: Next,
) -> Outcome {
    for wait in decision.before {
        wait.finish().await;
    }
    let path = request.uri().path().to_owned();
    let outcome = match decision.effect {
        None => answered(next.run(request).await),
        Some(Action::Reset) => {
            line.cut();
            (None, Response::default())
        }
        Some(Action::Status { status, headers, body, after_work }) => {
            if after_work {
                next.run(request).await;
            }
            answered(replacement(world, status, &headers, body, &path))
        }
        Some(Action::Throttle { retry_after, .. }) => {
            let headers = retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
            let status = StatusCode::TOO_MANY_REQUESTS.as_u16();
            answered(replacement(world, status, &headers.into_iter().collect(), None, &path))
        }
        Some(Action::AnswerLost) => {
            let outcome = answered(next.run(request).await);
            line.cut();
            outcome
        }
        Some(effect) => damaged(world, &effect, next.run(request).await).await,
    };
    for wait in decision.after {
        wait.finish().await;
    }
    outcome
}

fn answered(response: Response) -> Outcome {
    (Some(response.status().as_u16()), response)
}

fn replacement<V: Vendor>(
    world: &World<V>,
    status: u16,
    headers: &std::collections::BTreeMap<String, String>,
    body: Option<Value>,
    path: &str,
) -> Response {
    let status = switched(status);
    let mut response = match body {
        None => world.vendor.problem(status, "injected fault", path),
        Some(Value::String(text)) => (status, text).into_response(),
        Some(body) => json(status, &body),
    };
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn damaged<V: Vendor>(world: &World<V>, effect: &Action, response: Response) -> Outcome {
    let status = response.status().as_u16();
    let (mut parts, body) = response.into_parts();
    // Handlers build the whole body in memory, so this cannot fail.
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = match effect {
        Action::CutBody { keep_bytes } => {
            parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
            truncated(bytes, *keep_bytes)
        }
        Action::Garbage => {
            remove_length(&mut parts.headers);
            Body::from(GARBAGE)
        }
        Action::HugeBody { megabytes } => {
            remove_length(&mut parts.headers);
            padded(bytes, *megabytes)
        }
        Action::ShortPage { keep, last } => {
            remove_length(&mut parts.headers);
            Body::from(shortened(world, bytes, *keep, *last))
        }
        _ => Body::from(bytes),
    };
    (Some(status), Response::from_parts(parts, body))
}

fn remove_length(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
}

/// Sends the first bytes and then fails, so that the server closes the connection.
fn truncated(bytes: Bytes, keep: usize) -> Body {
    // Without at least one byte, because otherwise the body would be complete.
    let kept = bytes.slice(..keep.min(bytes.len().saturating_sub(1)));
    let head = stream::once(async move { Ok(kept) });
    let tail = stream::once(async {
        // The server flushes its buffer when the body makes it wait.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(head.chain(tail))
}

fn padded(bytes: Bytes, megabytes: u64) -> Body {
    let pieces = usize::try_from(megabytes * 1024 * 1024).unwrap_or(usize::MAX) / BLANK_PIECE;
    let piece = Bytes::from(vec![b' '; BLANK_PIECE]);
    let blanks = stream::iter(std::iter::repeat_n(piece, pieces));
    Body::from_stream(blanks.chain(stream::once(async move { bytes })).map(Ok::<_, io::Error>))
}

fn shortened<V: Vendor>(world: &World<V>, bytes: Bytes, keep: usize, last: bool) -> Bytes {
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut page) => {
            world.vendor.cut_page(&mut page, keep, last);
            page.to_string().into()
        }
        Err(_) => bytes,
    }
}
