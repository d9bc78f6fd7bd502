//! For tests: a local server that answers each request as the test says. It can also cut a body, never answer, or close the connection. It
//! supports just enough HTTP/1.1 for that, with one request per connection.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use url::{Url, form_urlencoded};

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Still encoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// The fields of a body that is a form.
    pub form: Vec<(String, String)>,
    pub at: Instant,
}

impl Seen {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Method and path.
    pub fn call(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The answer to a request.
pub enum Reply {
    /// An answer with the correct `Content-Length`.
    Full { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// A 200 with only the first bytes of its body.
    Cut { body: Vec<u8> },
    /// The connection is closed without an answer.
    HangUp,
    /// No answer, and the connection stays open.
    Silence,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// A problem (RFC 9457).
    pub fn problem(status: u16, title: &str, detail: &str) -> Self {
        let body = serde_json::json!({"status": status, "title": title, "detail": detail});
        Self::text(status, "application/problem+json", &body.to_string())
    }

    /// An answer of a content type.
    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Full { status, headers, body: body.as_bytes().to_vec() }
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Full { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

type Answer = dyn Fn(&Seen, usize) -> Reply + Send + Sync;

/// The server. It stops when it is dropped.
pub struct Stub {
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stub {
    /// Starts a server that answers with this function of the request and the number of requests before it.
    pub async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(answer)).await
    }

    /// The same over TLS.
    pub async fn start_tls(
        config: ServerConfig,
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(TlsAcceptor::from(Arc::new(config))), Arc::new(answer)).await
    }

    /// Not generic, so that the server is compiled once and not for each test.
    async fn listen(tls: Option<TlsAcceptor>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, log, answer) = (tls.clone(), log.clone(), answer.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &log, &*answer).await,
                        Some(tls) => {
                            // A client that does not trust the certificate closes the connection here.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream, &log, &*answer).await;
                        }
                    }
                });
            }
        });
        Self { url: Url::parse(&format!("{scheme}://{address}")).expect("a URL"), seen, task }
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// Method and path of the requests so far.
    pub fn calls(&self) -> Vec<String> {
        self.seen().iter().map(Seen::call).collect()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, log: &Mutex<Vec<Seen>>, answer: &Answer) {
    let Some(request) = read(&mut stream).await else { return };
    let reply = {
        let mut log = log.lock().expect("not poisoned");
        log.push(request.clone());
        let before = log.len() - 1;
        drop(log);
        answer(&request, before)
    };
    let (status, headers, body, length) = match reply {
        Reply::Full { status, headers, body } => {
            let length = body.len();
            (status, headers, body, length)
        }
        Reply::Cut { body } => {
            let length = body.len() + 1000;
            (200, Vec::new(), body, length)
        }
        Reply::HangUp => return,
        Reply::Silence => return std::future::pending().await,
    };
    let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    if status != 204 {
        head += &format!("content-length: {length}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    // The client can close the connection in the middle of a long body.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse().ok());
    while bytes.len() < head_end + 4 + length.unwrap_or(0) {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let url = Url::parse("http://stub").ok()?.join(&target).ok()?;
    let body = &bytes[head_end + 4..];
    let is_form =
        headers.iter().any(|(name, value)| name == "content-type" && value.ends_with("form-urlencoded"));
    let form = if is_form { form_urlencoded::parse(body).into_owned().collect() } else { Vec::new() };
    Some(Seen {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: serde_json::from_slice(body).unwrap_or(Value::Null),
        form,
        at: Instant::now(),
    })
}
