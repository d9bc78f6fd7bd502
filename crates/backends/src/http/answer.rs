//! Answers: bodies read up to a bound, and the little of them that the user is told.

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde::de::DeserializeOwned;

use super::{
    super::error::{Class, Error},
    request::Credential,
};

/// The longest body of a success, after decompression.
pub const LONGEST_BODY: usize = 8 * 1024 * 1024;
/// The longest body of a refusal that is looked at.
pub const LONGEST_REFUSAL: usize = 64 * 1024;
/// The longest text from outside in a message, in characters.
const LONGEST_TEXT: usize = 300;
const LONGEST_CONTENT_TYPE: usize = 60;

/// The fields of a vendor's own error schema that the user is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorError {
    pub title: Option<String>,
    pub detail: Option<String>,
    pub code: Option<String>,
}

/// Reads a vendor's error body; None where it is not of the vendor's schema.
pub type ErrorSchema = fn(&[u8]) -> Option<VendorError>;

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum Unread {
    /// It is longer than the bound.
    TooLong,
    /// The connection ended, or timed out, or the compression was broken.
    Cut(reqwest::Error),
}

/// Reads a body in pieces, so that neither a long one nor one that was compressed from little fills the memory.
pub async fn read_body(mut response: Response, longest: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(Unread::Cut)? {
        if body.len() + piece.len() > longest {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// A success.
#[derive(Debug)]
pub struct Answer {
    /// Method and path, for messages.
    pub call: String,
    /// Whether the call only read.
    pub read: bool,
    pub status: StatusCode,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as the type that the API describes.
    ///
    /// # Errors
    /// See [`Answer::undecodable`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| self.undecodable("is not what the API describes"))
    }

    /// The error of an answer that makes no sense: after a read it may help to ask again, after a write nobody knows what
    /// was done. `what` must not quote the body.
    pub fn undecodable(&self, what: &str) -> Error {
        let class = if self.read { Class::Transient } else { Class::Lost };
        let Self { call, status, content_type, .. } = self;
        Error::new(class, format!("{call} answered {} with {content_type} that {what}", status.as_u16()))
    }
}

/// What a refusal says, for people: the vendor's fields where it is the vendor's schema, else the content type alone.
pub fn refusal_text(
    status: StatusCode,
    content_type: &str,
    body: Option<&[u8]>,
    schema: ErrorSchema,
    credential: &Credential,
) -> String {
    let status = status.as_u16();
    let said = body.and_then(schema).unwrap_or_default();
    let readable =
        |text: Option<String>| text.map(|text| tidy(&text, credential)).filter(|text| !text.is_empty());
    let text =
        [readable(said.title), readable(said.detail)].into_iter().flatten().collect::<Vec<_>>().join(": ");
    match (text.is_empty(), readable(said.code)) {
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
        text.split(';').next().unwrap_or_default().trim().chars().take(LONGEST_CONTENT_TYPE).collect();
    if media_type.is_empty() { "a body of no stated type".to_owned() } else { media_type }
}

/// A text from outside, fit for a message: the credential taken out before anything is cut off, one line, bounded.
pub fn tidy(text: &str, credential: &Credential) -> String {
    let one_line: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    let scrubbed = credential.scrub(one_line.trim());
    match scrubbed.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &scrubbed[..end]),
        None => scrubbed,
    }
}

/// Control characters, and those that reorder or hide what is printed after them.
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
    fn a_text_from_outside_is_one_bounded_line_without_the_credential() {
        assert_eq!(tidy("\u{1b}[31mno\nway\u{202e} ", &credential()), "[31mno way");
        assert_eq!(tidy("key s3cret s3cret.", &credential()), "key [credential] [credential].");
        let long = tidy(&"é".repeat(1000), &credential());
        assert_eq!(long.chars().count(), LONGEST_TEXT + 1);
    }

    #[test]
    fn a_credential_across_the_cut_does_not_leave_its_first_half() {
        let text = format!("{}s3cret", "x".repeat(LONGEST_TEXT - 3));
        assert!(!tidy(&text, &credential()).contains("s3c"));
    }

    #[test]
    fn a_body_that_is_not_the_vendors_is_told_by_status_and_type_alone() {
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
