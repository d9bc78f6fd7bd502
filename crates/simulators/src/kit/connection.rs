//! TCP connections that a handler can cut: the client then receives a reset, not an answer.
//!
//! An HTTP response cannot express "no answer", so the cut happens below HTTP. On a cut connection, reads and writes
//! fail, nothing more reaches the client, and closing it sends a reset.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// The pause after a failed accept, so that the loop does not spin. Accepts fail mostly because file handles ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections that can be cut.
pub struct Lines {
    tcp: TcpListener,
    stopped: Arc<AtomicBool>,
}

impl Lines {
    /// Wraps a listener. Setting `stopped` cuts all its connections.
    pub fn new(tcp: TcpListener, stopped: Arc<AtomicBool>) -> Self {
        Self { tcp, stopped }
    }
}

impl Listener for Lines {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.tcp.accept().await {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "failed to set TCP_NODELAY");
                    }
                    let line = Line { cut: Arc::default(), stopped: self.stopped.clone() };
                    return (Wire { stream, line }, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// The handle of a request on its connection.
#[derive(Clone)]
pub struct Line {
    cut: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
}

impl Line {
    /// The line of a request without a connection.
    pub fn in_memory() -> Self {
        Self { cut: Arc::default(), stopped: Arc::default() }
    }

    /// Cuts the connection: answers after this do not reach the client.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        if self.is_cut() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    /// Whether answers reach the client no longer.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire) || self.stopped.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().line.clone()
    }
}

/// The byte stream of one connection.
pub struct Wire {
    stream: TcpStream,
    line: Line,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.is_cut() {
            // Closing then sends a reset. If the option cannot be set, a normal close does.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        wire.line.check()?;
        Pin::new(&mut wire.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        wire.line.check()?;
        Pin::new(&mut wire.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        wire.line.check()?;
        Pin::new(&mut wire.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        wire.line.check()?;
        Pin::new(&mut wire.stream).poll_shutdown(cx)
    }
}
