//! Where the value of a Secret would be sent, as the Secret must name it.

use url::{Host, Url};

/// The scheme, host and port of a back end.
pub struct Destination {
    /// With the port where it is not the default of the scheme.
    host: String,
    is_encrypted: bool,
    is_loopback: bool,
}

impl Destination {
    /// The destination of calls to this origin.
    pub fn of(origin: &Url) -> Self {
        let host = origin.host_str().unwrap_or_default();
        Self {
            host: origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            is_encrypted: origin.scheme() == "https",
            is_loopback: match origin.host() {
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                Some(Host::Domain(name)) => name == "localhost",
                None => false,
            },
        }
    }

    /// Whether an entry of the annotation names it. A host without a scheme means https; over http the value can be read on the way, so
    /// the entry must say so. To the own node it does not leave the node.
    pub fn is_named_by(&self, entry: &str) -> bool {
        let (scheme, host) = match entry.trim().split_once("://") {
            Some((scheme, host)) => (Some(scheme.to_ascii_lowercase()), host.trim_end_matches('/')),
            None => (None, entry.trim()),
        };
        let fits = match scheme.as_deref() {
            None => self.is_encrypted || self.is_loopback,
            Some("https") => self.is_encrypted,
            Some("http") => !self.is_encrypted,
            Some(_) => false,
        };
        fits && host.eq_ignore_ascii_case(&self.host)
    }

    /// The entry that names it.
    pub fn entry(&self) -> String {
        match self.is_encrypted || self.is_loopback {
            true => self.host.clone(),
            false => format!("http://{}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_the_host_the_port_and_the_scheme() {
        for (origin, entry, expected) in [
            ("https://grafana.example.com", "grafana.example.com", true),
            ("https://grafana.example.com", " GRAFANA.example.com ", true),
            ("https://grafana.example.com", "https://grafana.example.com/", true),
            ("https://grafana.example.com", "http://grafana.example.com", false),
            ("https://grafana.example.com:8443", "grafana.example.com", false),
            ("https://grafana.example.com:8443", "grafana.example.com:8443", true),
            ("http://grafana.example.com", "grafana.example.com", false),
            ("http://grafana.example.com", "http://grafana.example.com", true),
            ("http://grafana.example.com", "https://grafana.example.com", false),
            ("http://127.0.0.1:3000", "127.0.0.1:3000", true),
            ("https://grafana.example.com.evil.example", "grafana.example.com", false),
        ] {
            let destination = Destination::of(&Url::parse(origin).expect("a URL"));
            assert_eq!(destination.is_named_by(entry), expected, "{origin} {entry}");
            assert!(destination.is_named_by(&destination.entry()), "{origin}");
        }
    }
}
