//! The stack against a server that misbehaves.

use std::sync::Mutex;

use secrecy::SecretString;
use serde_json::json;

use super::{
    stub::{Reply, Stub},
    *,
};
use crate::{Error, Limits};

const SECRET: &str = "ak-0123456789";

#[derive(Default)]
struct Outcomes(Mutex<Vec<String>>);

impl CallObserver for Outcomes {
    fn called(&self, vendor: &'static str, method: &str, outcome: &str, _: Duration) {
        self.0.lock().expect("not poisoned").push(format!("{vendor} {method} {outcome}"));
    }

    fn waited(&self, _: &'static str, _: Duration) {}
}

fn schema(body: &[u8]) -> Option<VendorError> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let field = |name: &str| body.get(name).and_then(|text| text.as_str()).map(str::to_owned);
    Some(VendorError { title: field("title"), detail: field("detail"), code: None })
}

pub fn options(base: &Url) -> Options {
    Options {
        vendor: "test",
        base: base.clone(),
        base_field: "spec.test.url",
        ca: None,
        dialling: Dialling { allow_local: true },
        transport: None,
        budget: Arc::new(Budget::new(Limits::new(1000, 1000, 4))),
        observer: Arc::new(()),
        errors: schema,
        times: Times { retry_delay: Duration::from_millis(1), ..Times::default() },
    }
}

/// A stack that waits only half a second for an answer: for servers that are silent.
fn impatient(mut options: Options) -> Http {
    options.times.call = Duration::from_millis(500);
    Http::new(options).expect("a stack")
}

fn http(stub: &Stub) -> Http {
    Http::new(options(&stub.url)).expect("a stack")
}

fn credential() -> Credential {
    Credential::bearer("key", &SecretString::from(SECRET)).expect("a credential")
}

pub async fn call(http: &Http, method: Method) -> Result<Answer, Error> {
    let credential = credential();
    let mut request = Request::new(method.clone(), &["v2", "things"], &credential);
    if method == Method::POST {
        request = request.body(json!({"name": "x"}));
    }
    http.call(request).await
}

const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PATCH, Method::DELETE];

#[tokio::test]
async fn a_call_carries_the_credential_the_agent_and_the_body() {
    let stub = Stub::start(|_, _| Reply::json(201, json!({"ok": true}))).await;
    let answer = call(&http(&stub), Method::POST).await.expect("a success");
    assert_eq!(answer.decode::<serde_json::Value>().expect("JSON"), json!({"ok": true}));
    let seen = &stub.seen()[0];
    assert_eq!(seen.header("authorization"), Some("Bearer ak-0123456789"));
    assert!(seen.header("user-agent").expect("an agent").starts_with("rolewright/"));
    assert_eq!(seen.body, json!({"name": "x"}));
}

#[tokio::test]
async fn only_reads_are_repeated_and_at_most_twice() {
    for status in [500, 502, 503, 504] {
        for method in METHODS {
            let stub = Stub::start(move |_, _| Reply::text(status, "text/html", "<h1>oops")).await;
            let error = call(&http(&stub), method.clone()).await.expect_err("a failure");
            let (class, calls) = if method == Method::GET { (Class::Transient, 3) } else { (Class::Lost, 1) };
            assert_eq!((error.class, stub.calls().len()), (class, calls), "{method} {status}");
            assert_eq!(error.message, format!("{method} /v2/things answered {status} with text/html"));
        }
    }
}

#[tokio::test]
async fn a_read_can_succeed_at_the_second_try() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply::HangUp,
        _ => Reply::json(200, json!({})),
    })
    .await;
    call(&http(&stub), Method::GET).await.expect("a success");
    assert_eq!(stub.calls().len(), 2);
}

#[tokio::test]
async fn a_write_without_an_answer_is_lost_and_not_repeated() {
    for method in [Method::POST, Method::PATCH, Method::DELETE] {
        for (name, reply) in [("hang up", 0), ("silence", 1), ("cut", 2)] {
            let stub = Stub::start(move |_, _| match reply {
                0 => Reply::HangUp,
                1 => Reply::Silence,
                _ => Reply::Cut { body: b"{\"id\":".to_vec() },
            })
            .await;
            let http = impatient(options(&stub.url));
            let error = call(&http, method.clone()).await.expect_err("a failure");
            assert_eq!((error.class, stub.calls().len()), (Class::Lost, 1), "{method} {name}");
        }
    }
}

#[tokio::test]
async fn a_write_that_was_not_sent_is_transient() {
    let stub = Stub::start(|_, _| Reply::HangUp).await;
    let mut closed = options(&stub.url);
    // Bound, so that no other process gets the port, but not listening.
    let deaf = tokio::net::TcpSocket::new_v4().expect("a socket");
    deaf.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    closed.base = Url::parse(&format!("http://{}", deaf.local_addr().expect("an address"))).expect("a URL");
    let error = call(&Http::new(closed).expect("a stack"), Method::POST).await.expect_err("a failure");
    assert_eq!(error.class, Class::Transient, "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_transient() {
    let base = Url::parse("http://nowhere.invalid").expect("a URL");
    let error =
        call(&Http::new(options(&base)).expect("a stack"), Method::DELETE).await.expect_err("a failure");
    assert_eq!(error.class, Class::Transient, "{error}");
}

#[tokio::test]
async fn statuses_have_their_classes() {
    for (status, class) in [
        (400, Class::Invalid),
        (401, Class::Unauthenticated),
        (403, Class::Denied),
        (404, Class::Missing),
        (405, Class::Unsupported),
        (409, Class::Conflict),
        (413, Class::Invalid),
        (422, Class::Invalid),
        (501, Class::Unsupported),
    ] {
        for method in METHODS {
            let stub = Stub::start(move |_, _| Reply::problem(status, "Title", "detail")).await;
            let error = call(&http(&stub), method.clone()).await.expect_err("a failure");
            assert_eq!((error.class, stub.calls().len()), (class, 1), "{method} {status}");
            assert_eq!(error.message, format!("{method} /v2/things answered {status}: Title: detail"));
        }
    }
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let other = Stub::start(|_, _| Reply::json(200, json!({}))).await;
    let target = other.url.join("/v2/things?x=1").expect("a URL").to_string();
    let to = target.clone();
    let stub = Stub::start(move |_, _| Reply::text(307, "text/html", "").with("location", &to)).await;
    let error = call(&http(&stub), Method::GET).await.expect_err("a failure");
    assert_eq!(error.class, Class::Transient);
    let origin = other.url.as_str().trim_end_matches('/');
    assert_eq!(error.message, format!("GET /v2/things answered 307 to {origin}; redirects are not followed"));
    assert_eq!((stub.calls().len(), other.calls().len()), (1, 0));
    assert_eq!(call(&http(&stub), Method::POST).await.expect_err("a failure").class, Class::Lost);
}

#[tokio::test]
async fn the_credential_is_removed_from_answers() {
    let stub = Stub::start(|seen, _| {
        let echoed = seen.header("authorization").unwrap_or_default().to_owned();
        Reply::problem(400, "Bad key", &format!("not a key: {echoed}\u{7}{}", "x".repeat(10_000)))
    })
    .await;
    let error = call(&http(&stub), Method::GET).await.expect_err("a failure");
    assert!(error.message.contains("not a key: Bearer [credential] xxx"), "{error}");
    assert!(!error.message.contains(SECRET) && error.message.len() < 500, "{error}");
}

#[tokio::test]
async fn too_long_bodies_are_not_read() {
    let body = vec![b' '; 20 * 1024 * 1024];
    let stub = Stub::start(move |seen, _| Reply::Full {
        status: if seen.param("fail").is_some() { 400 } else { 200 },
        headers: Vec::new(),
        body: body.clone(),
    })
    .await;
    let http = http(&stub);
    let read = call(&http, Method::GET).await.expect_err("a failure");
    assert_eq!(read.class, Class::Transient);
    assert_eq!(read.message, "GET /v2/things: answer larger than 8 MiB");
    assert_eq!(stub.calls().len(), 1, "a repeated call would have the same result");
    assert_eq!(call(&http, Method::POST).await.expect_err("a failure").class, Class::Lost);
    let credential = credential();
    let request = Request::new(Method::GET, &["v2", "things"], &credential).query("fail", "1");
    let refused = http.call(request).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert_eq!(refused.message, "GET /v2/things answered 400 with a body of no stated type");
}

/// 10 MiB of zeros, compressed with `gzip -9`.
const BOMB: &[u8] = include_bytes!("ten-mebibytes-of-zeros.gz");

#[tokio::test]
async fn a_body_is_measured_after_decompression() {
    assert!(BOMB.len() < 12_000);
    let stub = Stub::start(|_, _| Reply::Full {
        status: 200,
        headers: vec![("content-encoding".to_owned(), "gzip".to_owned())],
        body: BOMB.to_vec(),
    })
    .await;
    let error = call(&http(&stub), Method::GET).await.expect_err("a failure");
    assert_eq!(error.message, "GET /v2/things: answer larger than 8 MiB");
}

#[tokio::test]
async fn a_read_with_another_success_than_200_fails() {
    let stub = Stub::start(|_, _| Reply::json(206, json!({"things": []}))).await;
    assert_eq!(call(&http(&stub), Method::GET).await.expect_err("a failure").class, Class::Transient);
}

#[tokio::test]
async fn an_invalid_answer_is_transient_or_for_a_write_lost() {
    let stub =
        Stub::start(|_, _| Reply::text(200, "text/html; charset=x", "<h1>Log in, ak-0123456789</h1>")).await;
    for (method, class) in [(Method::GET, Class::Transient), (Method::PATCH, Class::Lost)] {
        let answer = call(&http(&stub), method.clone()).await.expect("a status of success");
        let error = answer.decode::<Vec<u8>>().expect_err("not JSON");
        assert_eq!(error.class, class);
        assert_eq!(
            error.message,
            format!(
                "{method} /v2/things answered 200 with text/html that does not match the API description"
            )
        );
    }
}

#[tokio::test]
async fn retry_after_delays_all_that_share_the_budget() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply::problem(429, "Rate limit exceeded", "").with("retry-after", "1"),
        _ => Reply::json(200, json!({})),
    })
    .await;
    let (one, mut other) = (http(&stub), options(&stub.url));
    other.budget = one.options.budget.clone();
    let other = Http::new(other).expect("a stack");
    let throttled = call(&one, Method::POST).await.expect_err("a failure");
    assert_eq!(throttled.class, Class::Throttled(Duration::from_secs(1)));
    call(&other, Method::GET).await.expect("a success");
    let seen = stub.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(950), "{:?}", seen[1].at - seen[0].at);
}

#[tokio::test]
async fn a_throttled_read_is_repeated_after_the_pause() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply::text(503, "text/plain", "").with("retry-after", "1"),
        _ => Reply::json(200, json!({})),
    })
    .await;
    call(&http(&stub), Method::GET).await.expect("a success");
    let seen = stub.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(950));
}

#[tokio::test]
async fn a_read_does_not_wait_longer_than_its_deadline() {
    let stub =
        Stub::start(|_, _| Reply::problem(429, "Rate limit exceeded", "").with("retry-after", "120")).await;
    let error = call(&http(&stub), Method::GET).await.expect_err("a failure");
    assert_eq!((error.class, stub.calls().len()), (Class::Throttled(Duration::from_secs(120)), 1));
}

#[tokio::test]
async fn throttling_without_a_time_has_a_default_pause() {
    let stub = Stub::start(|_, _| Reply::problem(429, "Rate limit exceeded", "")).await;
    let error = call(&http(&stub), Method::DELETE).await.expect_err("a failure");
    assert_eq!(error.class, Class::Throttled(Duration::from_secs(2)));
}

#[tokio::test]
async fn a_name_of_the_own_node_is_not_called_unless_allowed() {
    let stub = Stub::start(|_, _| Reply::json(200, json!({}))).await;
    let mut named = options(&stub.url);
    named.base.set_host(Some("localhost")).expect("a host");
    named.dialling = Dialling::default();
    let error = call(&Http::new(named).expect("a stack"), Method::GET).await.expect_err("a failure");
    assert_eq!(error.class, Class::Invalid);
    assert!(error.message.contains("does not dial"), "{error}");
    assert!(!error.message.contains("127"), "{error}");
    assert_eq!(stub.calls().len(), 0);
}

#[tokio::test]
async fn an_address_of_the_own_node_is_a_fault_unless_allowed() {
    let mut literal = options(&Url::parse("http://127.0.0.1:1").expect("a URL"));
    literal.dialling = Dialling::default();
    let Err(fault) = Http::new(literal) else { panic!("a loopback address was accepted") };
    assert_eq!(fault.field, "spec.test.url");
}

#[tokio::test]
async fn invalid_certificates_are_a_fault() {
    for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut options = options(&Url::parse("https://127.0.0.1:1").expect("a URL"));
        options.ca = Some(pem.to_vec());
        let Err(fault) = Http::new(options) else { panic!("{pem:?} was accepted") };
        assert_eq!(fault.field, "spec.tls.caSecretRef");
    }
}

#[tokio::test]
async fn the_observer_sees_every_try() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply::HangUp,
        1 => Reply::json(500, json!({})),
        2 => Reply::json(200, json!({})),
        3 => Reply::json(409, json!({})),
        _ => Reply::Silence,
    })
    .await;
    let outcomes = Arc::new(Outcomes::default());
    let mut options = options(&stub.url);
    options.observer = outcomes.clone();
    let http = impatient(options);
    call(&http, Method::GET).await.expect("a success");
    call(&http, Method::POST).await.expect_err("a conflict");
    call(&http, Method::POST).await.expect_err("a timeout");
    assert_eq!(
        *outcomes.0.lock().expect("not poisoned"),
        ["test GET cut", "test GET 5xx", "test GET 2xx", "test POST 4xx", "test POST timeout"]
    );
}

#[tokio::test]
async fn an_identifier_that_leaves_its_path_is_not_sent() {
    let stub = Stub::start(|_, _| Reply::json(200, json!({}))).await;
    let credential = credential();
    let error = http(&stub)
        .call(Request::new(Method::DELETE, &["v2", "roles", ".."], &credential))
        .await
        .expect_err("a failure");
    assert_eq!(error.class, Class::Invalid);
    assert_eq!(stub.calls().len(), 0);
}

#[tokio::test]
async fn a_search_by_post_is_a_read() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply::HangUp,
        1 => Reply::text(502, "text/html", "<h1>oops"),
        _ => Reply::text(200, "text/html", "<h1>hello"),
    })
    .await;
    let (http, credential) = (http(&stub), credential());
    let request = Request::new(Method::POST, &["search"], &credential).header("x-org", "7").read_only();
    let answer = http.call(request.body(json!({"ids": [1]}))).await.expect("a success");
    assert_eq!(answer.decode::<serde_json::Value>().expect_err("not JSON").class, Class::Transient);
    let seen = stub.seen();
    assert_eq!(seen.len(), 3, "repeated");
    assert!(seen.iter().all(|seen| seen.header("x-org") == Some("7") && seen.body == json!({"ids": [1]})));
}
