//! Which addresses the operator can call. Users who can write a Backend choose its URL; without this check, the operator would send their
//! request into its own node. The check is on the address, not on the name, because a name can resolve to any address.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Which addresses the operator can call: public and private ranges always; loopback, link-local, unspecified, multicast and metadata
/// addresses only if local ones are allowed.
///
/// If the environment names a proxy (`HTTPS_PROXY`), the operator calls the address of the proxy. The proxy then resolves the name in the
/// URL, and has to protect its own network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialling {
    /// All addresses are allowed: for tests, the demo, and back ends on the operator's own node.
    pub allow_local: bool,
}

impl Dialling {
    /// Whether this address is allowed.
    pub fn allows(self, address: IpAddr) -> bool {
        self.allow_local
            || match address {
                IpAddr::V4(address) => !is_local_v4(address),
                IpAddr::V6(address) => !is_local_v6(address),
            }
    }

    /// Checks a URL whose host is an address, because the resolver never sees those.
    pub fn check(self, url: &Url) -> Result<(), Refused> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.allows(address) { Ok(()) } else { Err(Refused) }
    }
}

/// Metadata services that are not link-local: Alibaba Cloud, Oracle Cloud (classic), the wire server of Azure.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];

/// The same on IPv6: AWS, the pod identity agent of AWS, Google Cloud.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0023),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

fn is_local_v4(address: Ipv4Addr) -> bool {
    address.octets()[0] == 0
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || METADATA_V4.contains(&address)
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || METADATA_V6.contains(&address)
        || is_local_nat64(address)
        || embedded_v4(address).is_some_and(is_local_v4)
}

/// The prefix of a network for its own NAT64 (RFC 8215). Where the IPv4 address is in it depends on the network, so it can be any address.
fn is_local_nat64(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x0064, 0xff9b, 1, ..])
}

/// The IPv4 address in an IPv6 address: IPv4-mapped and -compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(from(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

/// The address is not allowed. The error does not contain it, so that users who can write a Backend cannot query the cluster's DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the host is a loopback, link-local, multicast or metadata address, and this operator does not dial those (for trials only: \
             start it with --allow-local-addresses)",
        )
    }
}

impl std::error::Error for Refused {}

/// A resolver that drops the addresses that are not allowed.
pub struct Guard(pub Dialling);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let dialling = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| dialling.allows(found.ip())).collect();
            if allowed.is_empty() {
                return Err(Refused.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str) -> bool {
        Dialling::default().allows(address.parse().expect("an address"))
    }

    #[test]
    fn local_and_metadata_addresses_are_refused_in_every_spelling() {
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "::1",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "64:ff9b:1::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::1",
        ] {
            assert!(!allowed(address), "{address}");
        }
    }

    #[test]
    fn public_and_private_addresses_are_allowed() {
        for address in ["8.8.8.8", "10.0.0.1", "172.16.3.4", "192.168.1.1", "2606:4700::1", "fd12:3456::1"] {
            assert!(allowed(address), "{address}");
        }
    }

    #[test]
    fn an_address_in_another_spelling_is_refused() {
        for url in ["http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://[::ffff:7f00:1]/"] {
            assert_eq!(Dialling::default().check(&Url::parse(url).expect("a URL")), Err(Refused), "{url}");
        }
        assert_eq!(
            Dialling { allow_local: true }.check(&Url::parse("http://127.1/").expect("a URL")),
            Ok(())
        );
    }
}
