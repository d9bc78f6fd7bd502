//! Ids and names. HQ's calls use names only (contract 2.1), but HQ also gives each role and group an opaque id, which differs for a later one
//! with the same name.
//!
//! So the id of a role, or of a group that a RoleBinding owns, is its name and HQ's id: `reader#5f0c-1`. Ids of other things have a prefix:
//! `group:devs#77`, `user:alice@example.com`, `service-account:nightly`.

use crate::text::{DERIVED_PREFIX, DIGEST, derived_name};
use rolewright_core::model::{Id, Key, Kind, SubjectKind, sha256_hex};

const USER: &str = "user:";
const ACCOUNT: &str = "service-account:";
const GROUP: &str = "group:";
const OWNED: &str = "owned:";
const ROLE: &str = "role:";
/// Between a name and HQ's id. No name has this character.
const BY_ID: char = '#';
const MAX_OPAQUE: usize = 64;

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
pub fn principal(kind: SubjectKind, name: &str) -> Id {
    let prefix = if kind == SubjectKind::ServiceAccount { ACCOUNT } else { USER };
    Id::new(format!("{prefix}{name}"))
}

/// The kind and the name of a user or a service account.
pub fn of_principal(id: &Id) -> Option<(SubjectKind, &str)> {
    let part = |prefix| id.as_str().strip_prefix(prefix).filter(|name| !name.is_empty());
    let account = || part(ACCOUNT).map(|name| (SubjectKind::ServiceAccount, name));
    part(USER).map(|name| (SubjectKind::User, name)).or_else(account)
}

/// The id of a role, or of a group that a RoleBinding owns. `opaque` is HQ's id.
pub fn thing(name: &str, opaque: &str) -> Id {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match opaque.bytes().all(plain) && opaque.len() <= MAX_OPAQUE {
        true => Id::new(format!("{name}{BY_ID}{opaque}")),
        false => Id::new(format!("{name}{BY_ID}{}", &sha256_hex(opaque.as_bytes())[..DIGEST])),
    }
}

/// The id of any other group.
pub fn group(name: &str, opaque: &str) -> Id {
    Id::new(format!("{GROUP}{}", thing(name, opaque)))
}

/// The name in the id of a role or a group.
pub fn name_of(id: &Id) -> &str {
    let text = id.as_str();
    let thing = text.strip_prefix(GROUP).unwrap_or(text);
    thing.split(BY_ID).next().unwrap_or_default()
}

/// Whether this is the id of a group that no RoleBinding owns.
pub fn is_group(id: &Id) -> bool {
    id.as_str().starts_with(GROUP) && is_name(name_of(id)) && !id.as_str().contains('/')
}

/// The id of a grant: a role in the set of a group.
pub fn grant(group: &Id, role: &str) -> Id {
    Id::new(format!("{group}/{role}"))
}

/// The id of the group and the name of the role in the id of a grant.
pub fn of_grant(id: &Id) -> Option<(Id, &str)> {
    let (group, role) = id.as_str().split_once('/')?;
    let group = Id::new(group);
    (is_group(&group) && !role.is_empty()).then_some((group, role))
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

/// The managed thing that a hint is for. For a grant, its group.
pub fn of_hint(hint: &Id) -> Option<(Kind, Id)> {
    let part = |prefix| hint.as_str().strip_prefix(prefix).map(Id::new);
    let grant = || of_grant(hint).map(|(group, _)| (Kind::Grant, group));
    let owned = || part(OWNED).map(|id| (Kind::Group, id));
    part(ROLE).map(|id| (Kind::Role, id)).or_else(owned).or_else(grant)
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
            assert!(is_name(&name) && is_owned(&name), "{name}");
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
        for (kind, name) in [(SubjectKind::User, "ci"), (SubjectKind::ServiceAccount, "ci")] {
            assert_eq!(of_principal(&principal(kind, name)), Some((kind, name)));
        }
        let devs = group("devs", "77");
        assert!(is_group(&devs) && name_of(&devs) == "devs");
        assert_eq!(of_grant(&grant(&devs, "reader")), Some((devs.clone(), "reader")));
        assert!(!is_group(&grant(&devs, "reader")));
        assert_eq!(name_of(&thing("reader", "77")), "reader");
        for id in ["devs", "group:devs", "group:/reader", "group:devs/", "user:a/b"] {
            assert_eq!(of_grant(&Id::new(id)), None, "{id}");
        }
        let odd = thing("reader", "a/b#c:d");
        assert!(odd.as_str().strip_prefix("reader#").is_some_and(|rest| rest.len() == DIGEST), "{odd}");
    }

    #[test]
    fn a_hint_is_decoded_into_its_thing() {
        let name = Key::new([("name", "a")]);
        for kind in [Kind::Role, Kind::Group] {
            for id in [None, Some(thing("a", "77"))] {
                let expected = id.clone().unwrap_or_else(|| Id::new("a"));
                assert_eq!(hint(kind, &name, id.as_ref()).as_ref().and_then(of_hint), Some((kind, expected)));
            }
        }
        let devs = group("devs", "77");
        let key = Key::new([("role", "r"), ("subject", devs.as_str())]);
        let id = hint(Kind::Grant, &key, Some(&grant(&devs, "r")));
        assert_eq!(id.as_ref().and_then(of_hint), Some((Kind::Grant, devs)));
        assert_eq!(hint(Kind::Restriction, &name, None), None);
    }
}
