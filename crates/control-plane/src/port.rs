//! Loopback ports that are reserved before the server listens on them, and until the end.
//!
//! A reserved port has a socket that is bound and does not listen. It accepts no connections. Programs without
//! `SO_REUSEPORT` cannot bind the port, and the system does not choose it as a free port. The servers have flags to bind
//! the port with `SO_REUSEPORT`.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::error::Error;

/// A port on 127.0.0.1 that is reserved while this value lives.
pub struct ReservedPort {
    number: u16,
    _socket: Socket,
}

impl ReservedPort {
    /// Reserves a port that the system chooses.
    pub fn new() -> Result<Self, Error> {
        Self::reserve().map_err(Error::io("cannot reserve a loopback port"))
    }

    fn reserve() -> std::io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_port(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let number = socket.local_addr()?.as_socket_ipv4().map_or(0, |address| address.port());
        Ok(Self { number, _socket: socket })
    }

    /// The number of the port.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn another_program_cannot_bind_a_reserved_port() {
        let port = ReservedPort::new().unwrap();
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).is_err());
    }

    #[test]
    fn reserved_ports_differ() {
        let ports: Vec<ReservedPort> = (0..200).map(|_| ReservedPort::new().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(ReservedPort::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
    }

    #[test]
    fn server_with_so_reuseport_listens_on_a_reserved_port() {
        let port = ReservedPort::new().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        assert!(std::net::TcpStream::connect(address).is_err());

        let server = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        server.set_reuse_port(true).unwrap();
        server.bind(&address.into()).unwrap();
        server.listen(1).unwrap();
        assert!(std::net::TcpStream::connect(address).is_ok());
    }
}
