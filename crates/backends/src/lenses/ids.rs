//! Ids and names. HQ's calls use names only (contract 2.1), but HQ also gives each thing an opaque id, which differs for a later thing with
//! the same name.
//!
//! So the id of a role, or of a group that a RoleBinding owns, is its name and HQ's id: `reader#5f0c-1`. Without HQ's id it is the name and
//! the time of creation, `reader@2026`, and without both it is the name. Ids of other things have a prefix: `group:devs#77`,
//! `principal:alice@example.com`. Groups list users and service accounts by name only, so the id of a principal does not show which of the
//! two it is.

use crate::text::{DERIVED_PREFIX, DIGEST, derived_name};
use rolewright_core::model::{Id, Key, Kind, sha256_hex};

const PRINCIPAL: &str = "principal:";
const GROUP: &str = "group:";
const OWNED: &str = "owned:";
const ROLE: &str = "role:";
const OUTSIDERS: &str = "sso:";
/// Between a name and HQ's id, and between a name and the time of creation. No name has these characters.
const BY_ID: char = '#';
const BY_TIME: char = '@';
const MAX_INCARNATION: usize = 64;

/// For all names but those of users (contract 2.3, 3.1).
const MAX_NAME: usize = 63;
/// For the object's name inside the name of an owned group.
const MAX_READABLE: usize = MAX_NAME - DERIVED_PREFIX.len() - 1 - DIGEST;

/// Whether a text is a valid name in HQ (contract 3.1).
pub fn is_name(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(sign)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The id of a user or a service account.
pub fn principal(name: &str) -> Id {
    Id::new(format!("{PRINCIPAL}{name}"))
}

/// The name of a user or a service account.
pub fn of_principal(id: &Id) -> Option<&str> {
    id.as_str().strip_prefix(PRINCIPAL).filter(|name| !name.is_empty())
}

/// What distinguishes a thing from an earlier or later one with the same name: HQ's id and the time of creation (contract 2.1), as far as
/// they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incarnation {
    id: Option<String>,
    time: Option<String>,
}

impl Incarnation {
    /// The incarnation with this id and this time of creation.
    pub fn of(id: Option<&str>, created_at: Option<&str>) -> Self {
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let part = |text: &str| match plain(text) && text.len() <= MAX_INCARNATION {
            true => text.to_owned(),
            false => sha256_hex(text.as_bytes())[..DIGEST].to_owned(),
        };
        let part = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(part);
        Self { id: part(id), time: part(created_at) }
    }

    /// Fills in what is unknown from another incarnation, which must not differ.
    pub fn join(self, other: &Self) -> Self {
        Self { id: self.id.or_else(|| other.id.clone()), time: self.time.or_else(|| other.time.clone()) }
    }

    /// Whether the two certainly belong to different things.
    pub fn differs(&self, other: &Self) -> bool {
        match (&self.id, &other.id, &self.time, &other.time) {
            (Some(one), Some(other), ..) | (_, _, Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    fn after(&self, name: &str) -> String {
        match (&self.id, &self.time) {
            (Some(id), _) => format!("{name}{BY_ID}{id}"),
            (None, Some(time)) => format!("{name}{BY_TIME}{time}"),
            (None, None) => name.to_owned(),
        }
    }
}

/// The id of a role, or of a group that a RoleBinding owns.
pub fn thing(name: &str, incarnation: &Incarnation) -> Id {
    Id::new(incarnation.after(name))
}

/// The name and the incarnation in such an id.
pub fn of_thing(id: &Id) -> (&str, Incarnation) {
    parted(id.as_str())
}

/// The id of any other group.
pub fn group(name: &str, incarnation: &Incarnation) -> Id {
    Id::new(format!("{GROUP}{}", incarnation.after(name)))
}

/// The name and the incarnation in the id of such a group.
pub fn of_group(id: &Id) -> Option<(&str, Incarnation)> {
    let text = id.as_str().strip_prefix(GROUP)?;
    let parts = parted(text);
    (is_name(parts.0) && !text.contains('/')).then_some(parts)
}

/// The id of a grant: a role in the set of a group.
pub fn grant(group: &Id, role: &str) -> Id {
    Id::new(format!("{group}/{role}"))
}

/// The id of the group and the name of the role in the id of a grant.
pub fn of_grant(id: &Id) -> Option<(Id, &str)> {
    let (group, role) = id.as_str().split_once('/')?;
    let group = Id::new(group);
    (of_group(&group).is_some() && !role.is_empty()).then_some((group, role))
}

/// A group of the identity provider, whose members join a group of HQ when they log in.
pub fn outsiders(sso_name: &str) -> Id {
    Id::new(format!("{OUTSIDERS}{sso_name}"))
}

/// Whether this is the id of such a group.
pub fn is_outsiders(id: &Id) -> bool {
    id.as_str().starts_with(OUTSIDERS)
}

fn parted(text: &str) -> (&str, Incarnation) {
    let Some(at) = text.find([BY_ID, BY_TIME]) else { return (text, Incarnation::default()) };
    let (name, part) = (&text[..at], Some(text[at + 1..].to_owned()));
    match text[at..].starts_with(BY_ID) {
        true => (name, Incarnation { id: part, time: None }),
        false => (name, Incarnation { id: None, time: part }),
    }
}

/// A managed thing that a sweep has to read, with its recorded incarnation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint<'a> {
    /// A role with its policy.
    Role(&'a str, Incarnation),
    /// A group that a RoleBinding owns.
    Owned(&'a str, Incarnation),
    /// A role in the set of any other group.
    Grant { group: Id, name: String, incarnation: Incarnation, role: &'a str },
}

impl<'a> Hint<'a> {
    /// Decodes an id that [`hint`] returned.
    pub fn of(id: &'a Id) -> Option<Self> {
        let text = id.as_str();
        if let Some((name, incarnation)) = text.strip_prefix(ROLE).map(parted) {
            return Some(Hint::Role(name, incarnation));
        }
        if let Some((name, incarnation)) = text.strip_prefix(OWNED).map(parted) {
            return Some(Hint::Owned(name, incarnation));
        }
        let (group, role) = of_grant(id)?;
        let (name, incarnation) =
            of_group(&group).map(|(name, incarnation)| (name.to_owned(), incarnation))?;
        Some(Hint::Grant { group, name, incarnation, role })
    }
}

/// The hint for a managed thing with this key, and this id once it has one.
pub fn hint(kind: Kind, key: &Key, id: Option<&Id>) -> Option<Id> {
    let named = || id.map(Id::as_str).or_else(|| key.get("name"));
    match kind {
        Kind::Role => named().map(|thing| Id::new(format!("{ROLE}{thing}"))),
        Kind::Group => named().map(|thing| Id::new(format!("{OWNED}{thing}"))),
        Kind::Grant => Some(grant(&Id::new(key.get("subject")?), key.get("role")?)),
        Kind::Restriction => None,
    }
}

/// The name of the group that a RoleBinding owns.
pub fn owned_name(owner: &str) -> String {
    let replace = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    derived_name(owner, MAX_READABLE, replace)
}

/// Whether a group has the name of one that a RoleBinding owns: `rw-`, and 16 hexadecimal digits at the end.
pub fn is_owned(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(DERIVED_PREFIX) else { return false };
    let digest = rest.rsplit('-').next().unwrap_or_default();
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digest.len() == DIGEST && digest.bytes().all(hexadecimal)
}

/// The SSO name of an owned group: one that no identity provider sends. By default it would be the group's name, and the members of an
/// identity provider's group with that name would join (contract 2.2).
pub fn sso_name(group: &str) -> String {
    format!("rw-no-sso-{}", &sha256_hex(format!("no single sign-on\n{group}").as_bytes())[..40])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_valid_as_in_hq() {
        for name in ["a", "9", "a-b", "a--b", &"a".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn the_name_of_an_owned_group_is_valid_and_unique_to_its_owner() {
        for owner in
            ["t\nns\nreaders", "t\nns\nReaders.Of_All!", "t\nns\n...", &format!("t\nns\n{}", "x".repeat(253))]
        {
            let name = owned_name(owner);
            assert!(is_name(&name) && is_owned(&name) && is_name(&sso_name(&name)), "{name}");
            assert_eq!(name, owned_name(owner));
        }
        assert!(owned_name("t\nns\nreaders").starts_with("rw-readers-"));
        assert_ne!(owned_name("t\nns\nreaders"), owned_name("t\nother\nreaders"));
        for name in ["rw-readers", "rw-0123456789abcdeg", "x-0123456789abcdef", "rw-0123456789abcdef0"] {
            assert!(!is_owned(name), "{name}");
        }
    }

    #[test]
    fn an_id_is_decoded_into_its_parts() {
        assert_eq!(of_principal(&principal("alice@example.com")), Some("alice@example.com"));
        for shown in [(None, None), (Some("77"), None), (None, Some("2026"))] {
            let incarnation = Incarnation::of(shown.0, shown.1);
            let devs = group("devs", &incarnation);
            assert_eq!(of_group(&devs), Some(("devs", incarnation.clone())));
            assert_eq!(of_grant(&grant(&devs, "reader")), Some((devs.clone(), "reader")));
            assert_eq!(of_group(&grant(&devs, "reader")), None);
            assert_eq!(of_thing(&thing("reader", &incarnation)), ("reader", incarnation));
        }
        for id in ["devs", "group:devs", "group:/reader", "group:devs/", "principal:a/b"] {
            assert_eq!(of_grant(&Id::new(id)), None, "{id}");
        }
    }

    #[test]
    fn incarnations_differ_only_by_what_both_show() {
        let of = |id: Option<&str>, at: Option<&str>| Incarnation::of(id, at);
        let none = Incarnation::default();
        assert_eq!((of(None, None), of(Some(""), None)), (none.clone(), none.clone()));
        assert!(of(Some("1"), None).differs(&of(Some("2"), Some("x"))));
        assert!(!of(Some("1"), Some("x")).differs(&of(Some("1"), Some("y"))));
        assert!(!of(Some("1"), None).differs(&of(None, Some("x"))), "nothing that both show");
        let joined = of(Some("1"), None).join(&of(Some("2"), Some("x")));
        assert_eq!(joined, of(Some("1"), Some("x")));
        assert!(of(None, Some("2026-01-01T12:00:00Z")).differs(&of(None, Some("2026-01-01T12:00:01Z"))));
        assert!(!none.differs(&of(Some("1"), None)) && !of(Some("1"), None).differs(&none));
        let odd = thing("reader", &of(Some("a/b#c:d"), None));
        assert!(odd.as_str().strip_prefix("reader#").is_some_and(|rest| rest.len() == DIGEST), "{odd}");
    }

    #[test]
    fn a_hint_is_decoded_into_its_kind() {
        let (name, incarnation) = (Key::new([("name", "a")]), Incarnation::of(Some("77"), None));
        for (kind, expected) in [
            (Kind::Role, Hint::Role as fn(&'static str, Incarnation) -> Hint<'static>),
            (Kind::Group, Hint::Owned),
        ] {
            let id = hint(kind, &name, None);
            assert_eq!(id.as_ref().and_then(Hint::of), Some(expected("a", Incarnation::default())));
            let id = hint(kind, &name, Some(&thing("a", &incarnation)));
            assert_eq!(id.as_ref().and_then(Hint::of), Some(expected("a", incarnation.clone())));
        }
        let devs = group("devs", &incarnation);
        let key = Key::new([("role", "r"), ("subject", devs.as_str())]);
        let expected = Hint::Grant { group: devs.clone(), name: "devs".to_owned(), incarnation, role: "r" };
        let id = hint(Kind::Grant, &key, Some(&grant(&devs, "r")));
        assert_eq!(id.as_ref().and_then(Hint::of), Some(expected));
        assert_eq!(hint(Kind::Restriction, &name, None), None);
    }
}
