//! A minimal HTTPS client: it reads the status code of a GET request to the API server.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, IpAddr, ServerName},
};

use crate::error::Error;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A client of the API server.
pub struct Probe {
    tls: Arc<ClientConfig>,
    address: SocketAddr,
    token: String,
}

impl Probe {
    pub fn new(address: SocketAddr, ca: CertificateDer<'static>, token: &str) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(ca)?;
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls), address, token: token.to_owned() })
    }

    /// The status code of a GET request for `path`.
    pub fn status(&self, path: &str) -> io::Result<u16> {
        let tcp = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        tcp.set_read_timeout(Some(TIMEOUT))?;
        tcp.set_write_timeout(Some(TIMEOUT))?;
        let name = ServerName::IpAddress(IpAddr::from(self.address.ip()));
        let connection = ClientConnection::new(self.tls.clone(), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, tcp);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.address, self.token
        )?;
        let mut status_line = String::new();
        BufReader::new(stream).read_line(&mut status_line)?;
        status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the response has no HTTP status"))
    }
}
