//! Answers: bodies up to a maximum length, and the part of them that messages show.

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde::de::DeserializeOwned;

use super::{
    super::error::{Class, Error},
    request::Credential,
    without::Without,
};

/// The maximum length of the body of a success, after decompression.
pub const MAX_BODY: usize = 8 * 1024 * 1024;
/// The maximum length of a body of which one field is left out.
const MAX_FILTERED: usize = 256 * 1024 * 1024;
/// The maximum length of the body of a refusal.
pub const MAX_REFUSAL: usize = 64 * 1024;
/// The maximum length of an external text in a message, in characters.
const MAX_TEXT: usize = 300;
const MAX_CONTENT_TYPE: usize = 60;

/// The fields of a vendor's error schema that messages show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorError {
    pub title: Option<String>,
    pub detail: Option<String>,
    pub code: Option<String>,
}

/// Decodes the body of a vendor's error. None if it does not have the vendor's schema.
pub type ErrorSchema = fn(&[u8]) -> Option<VendorError>;

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum Unread {
    /// It is longer than the maximum.
    TooLong,
    /// The connection ended or timed out, or the compression was broken.
    Cut(reqwest::Error),
}

/// Reads a body in chunks, so that neither a long body nor a small one that decompresses to a long one fills the memory. If a field is left out,
/// the maximum applies to the rest.
pub async fn read_body(mut response: Response, max: usize, without: Option<&str>) -> Result<Vec<u8>, Unread> {
    let mut filter = without.map(Without::new);
    let (mut body, mut read) = (Vec::new(), 0);
    while let Some(chunk) = response.chunk().await.map_err(Unread::Cut)? {
        read += chunk.len();
        match &mut filter {
            Some(filter) => filter.append(&chunk, &mut body),
            None if read <= max => body.extend_from_slice(&chunk),
            None => return Err(Unread::TooLong),
        }
        if body.len() > max || read > MAX_FILTERED {
            return Err(Unread::TooLong);
        }
    }
    Ok(body)
}

/// A success.
#[derive(Debug)]
pub struct Answer {
    /// Method and path, for messages.
    pub call: String,
    /// Whether the call changed nothing.
    pub read: bool,
    pub status: StatusCode,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// Decodes the body as the type in the API description.
    ///
    /// # Errors
    /// See [`Answer::undecodable`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| self.undecodable("does not match the API description"))
    }

    /// The error of an invalid answer: temporary after a read, and lost after a write, whose result is unknown. `what` must not quote the
    /// body.
    pub fn undecodable(&self, what: &str) -> Error {
        let class = if self.read { Class::Transient } else { Class::Lost };
        let Self { call, status, content_type, .. } = self;
        Error::new(class, format!("{call} answered {} with {content_type} that {what}", status.as_u16()))
    }
}

/// The text of a refusal: the vendor's fields if the body has the vendor's schema, else the content type only.
pub fn refusal_text(
    status: StatusCode,
    content_type: &str,
    body: Option<&[u8]>,
    schema: ErrorSchema,
    credential: &Credential,
) -> String {
    let status = status.as_u16();
    let fields = body.and_then(schema).unwrap_or_default();
    let readable =
        |text: Option<String>| text.map(|text| tidy(&text, credential)).filter(|text| !text.is_empty());
    let text = [readable(fields.title), readable(fields.detail)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(": ");
    match (text.is_empty(), readable(fields.code)) {
        (true, None) => format!("answered {status} with {content_type}"),
        (true, Some(code)) => format!("answered {status} ({code})"),
        (false, None) => format!("answered {status}: {text}"),
        (false, Some(code)) => format!("answered {status}: {text} ({code})"),
    }
}

/// The media type of an answer, without parameters.
pub fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type: String =
        text.split(';').next().unwrap_or_default().trim().chars().take(MAX_CONTENT_TYPE).collect();
    if media_type.is_empty() { "a body of no stated type".to_owned() } else { media_type }
}

/// Makes an external text fit for a message: without the credential, on one line, bounded. The credential is removed before the text is
/// cut, so that no part of it remains.
pub fn tidy(text: &str, credential: &Credential) -> String {
    let one_line: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    let scrubbed = credential.scrub(one_line.trim());
    match scrubbed.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &scrubbed[..end]),
        None => scrubbed,
    }
}

/// Control characters, and characters that reorder or hide the text after them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential() -> Credential {
        Credential::bearer("key", &"s3cret".into()).expect("a credential")
    }

    #[test]
    fn an_external_text_is_one_bounded_line() {
        assert_eq!(tidy("\u{1b}[31mno\nway\u{202e} ", &credential()), "[31mno way");
        assert_eq!(tidy("key s3cret s3cret.", &credential()), "key [credential] [credential].");
        let long = tidy(&"é".repeat(1000), &credential());
        assert_eq!(long.chars().count(), MAX_TEXT + 1);
    }

    #[test]
    fn a_credential_at_the_cut_is_removed_whole() {
        let text = format!("{}s3cret", "x".repeat(MAX_TEXT - 3));
        assert!(!tidy(&text, &credential()).contains("s3c"));
    }

    #[test]
    fn an_unknown_body_is_described_by_status_and_type() {
        let refusal = |schema: ErrorSchema| {
            refusal_text(StatusCode::BAD_GATEWAY, "text/html", Some(b"<h1>hello"), schema, &credential())
        };
        assert_eq!(refusal(|_| None), "answered 502 with text/html");
        assert_eq!(refusal(|_| Some(VendorError::default())), "answered 502 with text/html");
        assert_eq!(
            refusal(|_| Some(VendorError {
                title: Some("Bad".into()),
                detail: Some("s3cret is bad".into()),
                code: Some("E1".into()),
            })),
            "answered 502: Bad: [credential] is bad (E1)"
        );
    }
}
