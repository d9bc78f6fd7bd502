//! Carries faults out: spoils, replaces or loses the answer to one request. Knows no vendor but by its hooks.

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
    Vendor, World,
    answer::{json, switched},
    connection::Line,
    faults::{Action, Verdict},
};

/// Size of one piece of a huge body.
const BLANK_PIECE: usize = 64 * 1024;

/// What a client expects least of a body that claims to be JSON.
const GARBAGE: &[u8] = b"\x00\xff<html>{\"not\": json";

/// The status that the work had (none if no work was done), and the answer.
pub(super) type Outcome = (Option<u16>, Response);

/// Does the work of one request as the verdict says.
pub(super) async fn carry_out<V: Vendor>(
    world: &World<V>,
    verdict: Verdict,
    line: &Line,
    request: Request,
    next: Next,
) -> Outcome {
    for wait in verdict.before {
        wait.over().await;
    }
    let path = request.uri().path().to_owned();
    let outcome = match verdict.effect {
        None => worked(next.run(request).await),
        Some(Action::Reset) => {
            line.cut();
            (None, Response::default())
        }
        Some(Action::Status { status, headers, body, after_work }) => {
            if after_work {
                next.run(request).await;
            }
            worked(replacement(world, status, &headers, body, &path))
        }
        Some(Action::Throttle { retry_after, .. }) => {
            let headers = retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
            let status = StatusCode::TOO_MANY_REQUESTS.as_u16();
            worked(replacement(world, status, &headers.into_iter().collect(), None, &path))
        }
        Some(Action::AnswerLost) => {
            let outcome = worked(next.run(request).await);
            line.cut();
            outcome
        }
        Some(effect) => spoiled(world, &effect, next.run(request).await).await,
    };
    for wait in verdict.after {
        wait.over().await;
    }
    outcome
}

fn worked(response: Response) -> Outcome {
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

async fn spoiled<V: Vendor>(world: &World<V>, effect: &Action, response: Response) -> Outcome {
    let status = response.status().as_u16();
    let (mut parts, body) = response.into_parts();
    // A handler's body is whole in memory, so this cannot fail.
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = match effect {
        Action::CutBody { keep_bytes } => {
            parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
            broken_off(bytes, *keep_bytes)
        }
        Action::Garbage => {
            drop_length(&mut parts.headers);
            Body::from(GARBAGE)
        }
        Action::HugeBody { megabytes } => {
            drop_length(&mut parts.headers);
            behind_blanks(bytes, *megabytes)
        }
        Action::ShortPage { keep, last } => {
            drop_length(&mut parts.headers);
            Body::from(shortened(world, bytes, *keep, *last))
        }
        _ => Body::from(bytes),
    };
    (Some(status), Response::from_parts(parts, body))
}

fn drop_length(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
}

/// Sends the first bytes, lets them leave, then fails: the server closes the connection.
fn broken_off(bytes: Bytes, keep: usize) -> Body {
    // At least one byte is missing, else the body would be whole.
    let kept = bytes.slice(..keep.min(bytes.len().saturating_sub(1)));
    let head = stream::once(async move { Ok(kept) });
    let tail = stream::once(async {
        // The server flushes what it has when the body makes it wait.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(head.chain(tail))
}

fn behind_blanks(bytes: Bytes, megabytes: u64) -> Body {
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
