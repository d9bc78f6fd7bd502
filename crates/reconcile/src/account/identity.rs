//! Which account a Backend uses: compared as a value, never as text. The text form is for messages and for the pin in the status.

use std::{collections::BTreeSet, fmt};

use rolewright_api::TenantPin;
use rolewright_core::model::sha256_hex;
use url::Url;

/// More anchors than these are recorded as short hashes, so that all of them fit into the status.
const MAX_PLAIN_ANCHORS: usize = 16;
/// The most anchors that a status records.
const MAX_ANCHORS: usize = 1000;
const HASHED: &str = "sha256:";

/// Where a Backend points: the vendor and the address of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    vendor: String,
    /// Scheme, host and port.
    origin: Url,
    /// At least `/`; no slash at the end of a longer one.
    path: String,
}

impl Address {
    /// The address of a vendor's API. Of `origin` only the scheme, the host and the port count; `path` is that of the whole URL.
    pub fn new(vendor: &str, origin: &Url, path: &str) -> Self {
        let path = format!("/{}", path.trim_matches('/'));
        Self { vendor: vendor.to_owned(), origin: origin_of(origin.clone()), path }
    }

    /// Whether a recorded account cannot be at this address, or has none of these anchors: recorded ids mean nothing here.
    pub fn is_another(&self, pin: &TenantPin, anchors: &BTreeSet<String>) -> bool {
        if pinned_origin(pin).is_none_or(|(origin, _)| origin != self.origin) {
            return true;
        }
        if pin.anchors.is_empty() || anchors.is_empty() {
            return pin.path.as_ref().is_some_and(|path| *path != self.path);
        }
        !anchors.iter().any(|anchor| pin.anchors.contains(anchor) || pin.anchors.contains(&hashed(anchor)))
    }
}

/// One account of one back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountId {
    address: Address,
    organization: String,
    text: String,
}

impl AccountId {
    /// An account at an address. `organization`: what identifies it there.
    pub fn new(address: &Address, organization: &str) -> Self {
        let text = format!("{}#{organization}", address.origin.as_str().trim_end_matches('/'));
        Self { address: address.clone(), organization: organization.to_owned(), text }
    }

    /// The account that a Backend with this address recorded. None if it points elsewhere now.
    pub fn of_pin(address: &Address, pin: &TenantPin) -> Option<Self> {
        let (origin, organization) = pinned_origin(pin)?;
        (origin == address.origin).then(|| Self::new(address, organization))
    }

    /// The text form: `https://api.example.com#org-1`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the account is one of this vendor at this origin. Its anchors then decide about the rest.
    pub(super) fn is_near(&self, address: &Address) -> bool {
        (&self.address.vendor, &self.address.origin) == (&address.vendor, &address.origin)
    }

    /// What a Backend records of its account: all anchors that were ever seen of it.
    pub fn pin(&self, before: Option<&TenantPin>, seen: &BTreeSet<String>) -> TenantPin {
        let known = before.map(|pin| pin.anchors.as_slice()).unwrap_or_default();
        let anchors = merged(known, seen);
        // With anchors the address can change its path: they identify the account.
        let path = anchors.is_empty().then(|| self.address.path.clone());
        TenantPin { id: self.text.clone(), path, anchors }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn origin_of(mut url: Url) -> Url {
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The origin and the organization of a recorded account.
fn pinned_origin(pin: &TenantPin) -> Option<(Url, &str)> {
    let (address, organization) = pin.id.split_once('#')?;
    Some((origin_of(Url::parse(address).ok()?), organization))
}

fn hashed(anchor: &str) -> String {
    const DIGITS: usize = 16;
    match anchor.starts_with(HASHED) {
        true => anchor.to_owned(),
        false => format!("{HASHED}{}", &sha256_hex(anchor.as_bytes())[..DIGITS]),
    }
}

/// The recorded anchors with those that were seen now: as they are while they are few, else as hashes.
fn merged(known: &[String], seen: &BTreeSet<String>) -> Vec<String> {
    let plain: BTreeSet<&String> = known.iter().chain(seen).collect();
    if plain.len() <= MAX_PLAIN_ANCHORS && plain.iter().all(|anchor| !anchor.starts_with(HASHED)) {
        return plain.into_iter().cloned().collect();
    }
    let mut anchors: BTreeSet<String> = known.iter().map(|anchor| hashed(anchor)).collect();
    for anchor in seen {
        if anchors.len() < MAX_ANCHORS {
            anchors.insert(hashed(anchor));
        }
    }
    anchors.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        let url = Url::parse(url).unwrap();
        Address::new("grafana", &url, url.path())
    }

    fn anchors(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|anchor| (*anchor).to_owned()).collect()
    }

    fn pin(id: &str, path: Option<&str>, all: &[&str]) -> TenantPin {
        let anchors = all.iter().map(|anchor| (*anchor).to_owned()).collect();
        TenantPin { id: id.to_owned(), path: path.map(str::to_owned), anchors }
    }

    #[test]
    fn text_prefix_is_another_account() {
        let here = pin("https://g#org-1", None, &["org-1"]);
        for (url, another) in [
            ("https://g", false),
            ("https://g:443/", false),
            ("https://G/grafana/", false),
            ("https://g:3000", true),
            ("https://g.evil.example", true),
            ("http://g", true),
        ] {
            assert_eq!(address(url).is_another(&here, &anchors(&["org-1"])), another, "{url}");
            assert_eq!(AccountId::of_pin(&address(url), &here).is_none(), another, "{url}");
        }
    }

    #[test]
    fn anchors_identify_the_account() {
        let here = pin("https://g#org-1", None, &["org-1", "org-2"]);
        for (seen, another) in [(&["org-2", "org-9"][..], false), (&["org-9"], true), (&[], false)] {
            assert_eq!(address("https://g").is_another(&here, &anchors(seen)), another, "{seen:?}");
        }
    }

    #[test]
    fn pin_without_anchors_pins_origin_and_path() {
        let id = AccountId::new(&address("https://g/one"), "uid");
        let recorded = id.pin(None, &BTreeSet::new());
        assert_eq!(recorded, pin("https://g#uid", Some("/one"), &[]));
        for (url, another) in [("https://g/one/", false), ("https://g/two", true), ("https://g", true)] {
            for seen in [&[][..], &["org-1"]] {
                assert_eq!(address(url).is_another(&recorded, &anchors(seen)), another, "{url}");
            }
        }
        let old = pin("https://g#uid", None, &[]);
        assert!(!address("https://g/two").is_another(&old, &BTreeSet::new()), "its path is not known");
        let found = id.pin(Some(&recorded), &anchors(&["org-1"]));
        assert_eq!(found, pin("https://g#uid", None, &["org-1"]));
    }

    #[test]
    fn accounts_differ_by_vendor_path_and_organization() {
        let url = Url::parse("https://g").unwrap();
        let id = |vendor, path, organization| AccountId::new(&Address::new(vendor, &url, path), organization);
        let one = id("grafana", "/a", "1");
        assert_eq!(one, id("grafana", "a/", "1"));
        for other in [id("lenses", "/a", "1"), id("grafana", "/b", "1"), id("grafana", "/a", "2")] {
            assert_ne!(one, other);
        }
        assert_eq!(one.as_str(), "https://g#1");
    }

    #[test]
    fn many_anchors_are_recorded_as_hashes() {
        let id = AccountId::new(&address("https://g"), "0");
        let all: BTreeSet<String> = (0..500).map(|number| format!("organization-{number}")).collect();
        let recorded = id.pin(Some(&pin("https://g#0", None, &["organization-7"])), &all);
        assert_eq!(recorded.anchors.len(), 500);
        for anchor in &all {
            let seen = BTreeSet::from([anchor.clone()]);
            assert!(!address("https://g").is_another(&recorded, &seen), "{anchor}");
            assert_eq!(id.pin(Some(&recorded), &seen), recorded, "nothing new");
        }
        assert!(address("https://g").is_another(&recorded, &anchors(&["organization-500"])));
        let too_many = (0..5000).map(|number| format!("organization-{number}")).collect();
        assert_eq!(id.pin(Some(&recorded), &too_many).anchors.len(), MAX_ANCHORS);
    }
}
