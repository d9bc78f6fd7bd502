//! A request as a vendor's client asks for it: method, path, query, body, and the credential that goes with it.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Url, form_urlencoded};

use rolewright_core::model::Fault;

/// What a request is sent with. Neither debug output nor error texts show it.
#[derive(Debug)]
pub struct Credential {
    header: HeaderValue,
    /// Every form of it that could come back in an answer, the longest first.
    secrets: Vec<SecretString>,
}

impl Credential {
    /// `Authorization: Bearer <secret>` (RFC 6750).
    ///
    /// # Errors
    /// A fault of `field`, the one that refers to the Secret, when its value cannot be a token. It does not show the value.
    pub fn bearer(field: &str, secret: &SecretString) -> Result<Self, Fault> {
        let token = trimmed(secret);
        let fault = |message: &str| Err(Fault::new(field, message));
        if token.is_empty() {
            return fault("the Secret's value is empty");
        }
        if token.starts_with("Bearer ") {
            return fault("the Secret's value starts with \"Bearer \"; store the key alone");
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return fault(
                "the Secret's value holds spaces, control characters or characters outside ASCII; store the key alone",
            );
        }
        Self::of(field, &format!("Bearer {token}"), vec![token.into()])
    }

    /// `Authorization: Basic <user:password>` (RFC 7617).
    ///
    /// # Errors
    /// A fault of `field`, the one that refers to the Secret, when its value cannot be a password, or the user's name goes with none.
    /// It does not show the value.
    pub fn basic(field: &str, user: &str, secret: &SecretString) -> Result<Self, Fault> {
        let password = trimmed(secret);
        let fault = |message: &str| Err(Fault::new(field, message));
        if password.is_empty() {
            return fault("the Secret's value is empty");
        }
        if password.chars().any(char::is_control) {
            return fault("the Secret's value holds control characters; store the password alone");
        }
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            return fault("the user's name is empty, or holds a colon or control characters");
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

    /// The same, which keeps one more secret out of texts: what the credential was got with.
    pub fn hiding(mut self, secret: &SecretString) -> Self {
        let secret = trimmed(secret);
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.secrets.extend(
            [secret.to_owned(), encoded].into_iter().filter(|it| !it.is_empty()).map(SecretString::from),
        );
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        self
    }

    /// The text with every occurrence of the credential replaced.
    pub fn scrub(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "[credential]"))
    }
}

/// Secrets made from files end in a line break more often than not.
pub fn trimmed(secret: &SecretString) -> &str {
    secret.expose_secret().trim_end_matches(['\r', '\n'])
}

/// One call to make.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub path: Vec<&'a str>,
    pub query: Vec<(&'a str, &'a str)>,
    /// Beside those that every call has.
    pub headers: Vec<(&'a str, &'a str)>,
    /// It changes nothing, whatever its method.
    pub only_asks: bool,
    pub body: Option<Value>,
    /// A form that holds the credential itself, so that no header does.
    pub form: Option<SecretString>,
    pub credential: &'a Credential,
}

impl<'a> Request<'a> {
    /// A request for the path of these segments below the base URL.
    pub fn new(method: Method, path: &[&'a str], credential: &'a Credential) -> Self {
        let (query, headers) = (Vec::new(), Vec::new());
        let path = path.to_vec();
        Self { method, path, query, headers, only_asks: false, body: None, form: None, credential }
    }

    /// The same with one more query parameter.
    pub fn query(mut self, name: &'a str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    /// The same with one more header.
    pub fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same, known to change nothing: a search that is asked by POST.
    pub fn asking(mut self) -> Self {
        self.only_asks = true;
        self
    }

    /// The same with a JSON body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same with a form in its body (`application/x-www-form-urlencoded`) that the credential is in: for logins, which send no
    /// `Authorization`.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.form = Some(form.into());
        self
    }

    /// Whether making it twice does no harm.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET || self.only_asks
    }

    /// The URL below `base`, with each segment percent-encoded whole. None where a segment would be another path than it
    /// seems: empty, or one that means "this" or "above", which URLs resolve even when encoded.
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

/// All but the unreserved characters (RFC 3986 2.3): identifiers hold `=`, `/`, `+` and `:`.
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
    fn segments_are_encoded_whole_and_hang_below_the_base() {
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
    fn a_segment_cannot_climb_out_of_its_path() {
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
    fn a_password_is_sent_with_its_user_and_scrubbed_in_both_forms() {
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
    fn a_form_and_what_a_credential_was_got_with_are_never_shown() {
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
    fn a_value_that_cannot_be_a_key_is_refused_without_being_shown() {
        for value in ["", "\n", "two words", "Bearer s3cret", "s3c\u{7}ret", "s3cré", "s3c\nret"] {
            let fault = Credential::bearer("spec.x", &value.into()).expect_err(value);
            assert_eq!(fault.field, "spec.x");
            assert!(!fault.message.contains("s3c"), "{}", fault.message);
        }
    }
}
