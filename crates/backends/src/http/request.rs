//! A request of a vendor's client: method, path, query, body and credential.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Method, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Url, form_urlencoded};

use rolewright_core::model::Fault;

/// The credential of a request. Neither debug output nor errors show it.
#[derive(Debug)]
pub struct Credential {
    header: HeaderValue,
    /// Every form of it that an answer could contain, the longest first.
    secrets: Vec<SecretString>,
}

impl Credential {
    /// `Authorization: Bearer <secret>` (RFC 6750).
    ///
    /// # Errors
    /// A fault of `field`, which refers to the Secret, if its value cannot be a token. It does not show the value.
    pub fn bearer(field: &str, secret: &SecretString) -> Result<Self, Fault> {
        let token = trimmed(secret);
        let fault = |message: &str| Err(Fault::new(field, message));
        if token.is_empty() {
            return fault("the Secret's value is empty");
        }
        if token.starts_with("Bearer ") {
            return fault("the Secret's value starts with \"Bearer \"; store the credential alone");
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return fault(
                "the Secret's value has spaces, control characters or characters outside ASCII; store the credential alone",
            );
        }
        Self::of(field, &format!("Bearer {token}"), vec![token.into()])
    }

    /// `Authorization: Basic <user:password>` (RFC 7617).
    ///
    /// # Errors
    /// A fault of `field`, which refers to the Secret, if its value cannot be a password or the user name is invalid. It does not show the
    /// value.
    pub fn basic(field: &str, user: &str, secret: &SecretString) -> Result<Self, Fault> {
        let password = trimmed(secret);
        let fault = |message: &str| Err(Fault::new(field, message));
        if password.is_empty() {
            return fault("the Secret's value is empty");
        }
        if password.chars().any(char::is_control) {
            return fault("the Secret's value has control characters; store the password alone");
        }
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            return fault("the user name is empty, or has a colon or control characters");
        }
        let pair = STANDARD.encode(format!("{user}:{password}"));
        Self::of(field, &format!("Basic {pair}"), vec![pair.clone().into(), password.into()])
    }

    fn of(field: &str, header: &str, secrets: Vec<SecretString>) -> Result<Self, Fault> {
        let Ok(mut header) = HeaderValue::from_str(header) else {
            return Err(Fault::new(field, "the Secret's value cannot be sent in a header"));
        };
        header.set_sensitive(true);
        Ok(Self { header, secrets })
    }

    /// The value of the `Authorization` header.
    pub fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// The same credential, which also removes this secret from texts.
    pub fn hiding(mut self, secret: &SecretString) -> Self {
        let secret = trimmed(secret);
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.secrets.extend(
            [secret.to_owned(), encoded].into_iter().filter(|it| !it.is_empty()).map(SecretString::from),
        );
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        self
    }

    /// Replaces every occurrence of the credential in a text.
    pub fn scrub(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "[credential]"))
    }
}

/// A secret without the line break at its end, which most secrets from files have.
pub fn trimmed(secret: &SecretString) -> &str {
    secret.expose_secret().trim_end_matches(['\r', '\n'])
}

/// One call to make.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub path: Vec<&'a str>,
    pub query: Vec<(&'a str, &'a str)>,
    /// In addition to those of every call.
    pub headers: Vec<(&'a str, &'a str)>,
    /// It changes nothing, whatever its method.
    pub read_only: bool,
    /// A field of the answer that is not kept.
    pub without: Option<&'a str>,
    /// JSON. Encoded at once: the tree of a long role needs several times the memory of its text.
    pub body: Option<Bytes>,
    /// A form that contains the credential, so that no header does.
    pub form: Option<SecretString>,
    pub credential: &'a Credential,
}

impl<'a> Request<'a> {
    /// A request for the path of these segments below the base URL.
    pub fn new(method: Method, path: &[&'a str], credential: &'a Credential) -> Self {
        let (query, headers) = (Vec::new(), Vec::new());
        let path = path.to_vec();
        Self {
            method,
            path,
            query,
            headers,
            read_only: false,
            without: None,
            body: None,
            form: None,
            credential,
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &'a str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Marks it as a read: a search by POST changes nothing.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Leaves a field out of the answer while it is read: for lists whose entries have long parts that nothing needs.
    pub fn without(mut self, field: &'a str) -> Self {
        self.without = Some(field);
        self
    }

    /// Sets a JSON body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }

    /// Sets a form (`application/x-www-form-urlencoded`) with the credential as the body: for logins, which send no `Authorization`.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.form = Some(form.into());
        self
    }

    /// Whether it can be repeated without harm.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET || self.read_only
    }

    /// The URL below `base`, with each segment percent-encoded as a whole. None if a segment is empty, `.` or `..`, which URLs resolve even when
    /// they are encoded.
    pub fn url(&self, base: &Url) -> Option<Url> {
        let mut path = base.path().trim_end_matches('/').to_owned();
        for segment in &self.path {
            if matches!(*segment, "" | "." | "..") {
                return None;
            }
            path.push('/');
            encode(segment, &mut path);
        }
        let mut url = base.clone();
        url.set_path(&path);
        url.set_query(None);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }
}

/// Encodes all but the unreserved characters (RFC 3986 2.3): identifiers contain `=`, `/`, `+` and `:`.
fn encode(segment: &str, into: &mut String) {
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                into.push(char::from(byte))
            }
            _ => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential() -> Credential {
        Credential::bearer("key", &"s3cret".into()).expect("a credential")
    }

    fn path(segments: &[&str], base: &str) -> Option<String> {
        let credential = credential();
        let request = Request::new(Method::GET, segments, &credential);
        request.url(&Url::parse(base).expect("a URL")).map(|url| url.path().to_owned())
    }

    #[test]
    fn segments_are_encoded_whole_below_the_base() {
        assert_eq!(
            path(&["v2", "roles", "Um9sZQ=="], "https://a/").as_deref(),
            Some("/v2/roles/Um9sZQ%3D%3D")
        );
        assert_eq!(
            path(&["v2", "a/b?c#d é"], "https://a/sub/").as_deref(),
            Some("/sub/v2/a%2Fb%3Fc%23d%20%C3%A9")
        );
    }

    #[test]
    fn a_segment_cannot_leave_its_path() {
        for segment in ["", ".", ".."] {
            assert_eq!(path(&["v2", "roles", segment], "https://a/"), None);
        }
        assert_eq!(path(&["roles", "%2e%2e"], "https://a/").as_deref(), Some("/roles/%252e%252e"));
        assert_eq!(path(&["roles", "../x"], "https://a/").as_deref(), Some("/roles/..%2Fx"));
    }

    #[test]
    fn a_credential_never_shows_in_debug_output() {
        let shown = format!("{:?}", Request::new(Method::GET, &["v2"], &credential()));
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn a_password_is_removed_from_texts_in_both_forms() {
        let credential = Credential::basic("key", "admin", &"pa: wörd\n".into()).expect("a credential");
        let pair = STANDARD.encode("admin:pa: wörd");
        assert_eq!(credential.header().to_str().expect("ASCII"), format!("Basic {pair}"));
        assert!(credential.header().is_sensitive());
        let echoed = format!("Basic {pair} is admin with pa: wörd");
        assert_eq!(credential.scrub(&echoed), "Basic [credential] is admin with [credential]");
        for (user, password) in [("admin", "\n"), ("admin", "s3c\nret"), ("", "s3cret"), ("a:b", "s3cret")] {
            let fault = Credential::basic("spec.x", user, &password.into()).expect_err(user);
            assert!(fault.field == "spec.x" && !fault.message.contains("s3c"), "{}", fault.message);
        }
    }

    #[test]
    fn a_form_and_a_hidden_secret_are_never_shown() {
        let credential =
            Credential::bearer("key", &"t0ken".into()).expect("a credential").hiding(&"k+y\n".into());
        assert_eq!(
            credential.scrub("t0ken for k+y or k%2By"),
            "[credential] for [credential] or [credential]"
        );
        let request = Request::new(Method::POST, &["login"], &credential).form(&[("password", "k+y")]);
        assert_eq!(request.form.as_ref().map(ExposeSecret::expose_secret), Some("password=k%2By"));
        assert!(!format!("{request:?}").contains("k%2By"));
    }

    #[test]
    fn a_trailing_line_break_is_not_part_of_a_credential() {
        let credential = Credential::bearer("key", &"s3cret\r\n".into()).expect("a credential");
        assert_eq!(credential.header().to_str().expect("ASCII"), "Bearer s3cret");
        assert_eq!(credential.scrub("no s3cret here"), "no [credential] here");
    }

    #[test]
    fn an_invalid_secret_is_refused_without_showing_it() {
        for value in ["", "\n", "two words", "Bearer s3cret", "s3c\u{7}ret", "s3cré", "s3c\nret"] {
            let fault = Credential::bearer("spec.x", &value.into()).expect_err(value);
            assert_eq!(fault.field, "spec.x");
            assert!(!fault.message.contains("s3c"), "{}", fault.message);
        }
    }
}
