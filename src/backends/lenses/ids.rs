//! Ids and names. Lenses knows everything by name (contract 2.1): the id of a role, and of a group that a binding owns, is its name. What
//! may share a name with those has a word before it: `group:devs`, `principal:alice@example.com`. Users and service accounts share the
//! names that groups list as members, so their ids do not say which of the two they are.

use crate::access::{Id, Key, Kind, SubjectKind, sha256_hex};

/// The level of roles.
pub const ROLE: &str = "role";

const PRINCIPAL: &str = "principal:";
const GROUP: &str = "group:";
const OWNED: &str = "owned:";
const HELD_ROLE: &str = "role:";

/// The longest name of anything but a user (contract 3, "Names").
const LONGEST_NAME: usize = 63;
const OWNED_PREFIX: &str = "rw-";
const DIGEST: usize = 16;
/// Of the readable part inside an owned group's name.
const LONGEST_READABLE: usize = LONGEST_NAME - OWNED_PREFIX.len() - 1 - DIGEST;

/// Whether a text is a name as HQ takes them (contract 3, "Names").
pub fn is_name(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(sign)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The level of groups.
pub fn group_level() -> &'static str {
    SubjectKind::Group.level()
}

/// The id of a user or a service account.
pub fn principal(name: &str) -> Id {
    Id::new(format!("{PRINCIPAL}{name}"))
}

/// The name of a user or a service account.
pub fn of_principal(id: &Id) -> Option<&str> {
    id.as_str().strip_prefix(PRINCIPAL).filter(|name| !name.is_empty())
}

/// The id of a group that no binding owns.
pub fn group(name: &str) -> Id {
    Id::new(format!("{GROUP}{name}"))
}

/// The name of a group that no binding owns.
pub fn of_group(id: &Id) -> Option<&str> {
    id.as_str().strip_prefix(GROUP).filter(|name| is_name(name))
}

/// The id of a role's place in a group's set.
pub fn grant(group: &str, role: &str) -> Id {
    Id::new(format!("{GROUP}{group}/{role}"))
}

/// The group and the role of a grant's id.
pub fn of_grant(id: &Id) -> Option<(&str, &str)> {
    let (group, role) = id.as_str().strip_prefix(GROUP)?.split_once('/')?;
    (is_name(group) && !role.is_empty()).then_some((group, role))
}

/// What a sweep is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A role, whole.
    Role(&'a str),
    /// A group that a binding owns.
    Owned(&'a str),
    /// The roles of any other group.
    Group(&'a str),
}

impl<'a> Asked<'a> {
    /// What an id asks for that [`asked_for`] gave.
    pub fn of(id: &'a Id) -> Option<Self> {
        let text = id.as_str();
        let role = text.strip_prefix(HELD_ROLE).map(Asked::Role);
        let owned = || text.strip_prefix(OWNED).map(Asked::Owned);
        role.or_else(owned).or_else(|| of_group(id).map(Asked::Group))
    }
}

/// What a sweep has to ask for because a thing of this key is held.
pub fn asked_for(kind: Kind, held: &Key) -> Option<Id> {
    match kind {
        Kind::Role => held.get("name").map(|name| Id::new(format!("{HELD_ROLE}{name}"))),
        Kind::Group => held.get("name").map(|name| Id::new(format!("{OWNED}{name}"))),
        Kind::Grant => held.get("subject").map(Id::new),
        Kind::Restriction => None,
    }
}

/// The name of the group that a binding owns: of the owner alone, so that it is the same after a crash.
pub fn owned(owner: &str) -> String {
    let last = owner.rsplit('\n').next().unwrap_or_default();
    let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let readable: String = last.chars().map(sign).take(LONGEST_READABLE).collect();
    let digest = &sha256_hex(owner.as_bytes())[..DIGEST];
    match readable.trim_matches('-') {
        "" => format!("{OWNED_PREFIX}{digest}"),
        readable => format!("{OWNED_PREFIX}{readable}-{digest}"),
    }
}

/// Whether this is the name of a group that a binding owns. Nobody else writes sixteen hexadecimal digits behind `rw-`.
pub fn is_owned(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(OWNED_PREFIX) else { return false };
    let digest = rest.rsplit('-').next().unwrap_or_default();
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digest.len() == DIGEST && digest.bytes().all(hexadecimal)
}

/// What an owned group is called at the identity provider: something that none sends, or whoever is in a group of that name there would
/// come into this one (contract 2.2).
pub fn sso_name(group: &str) -> String {
    format!("rw-no-sso-{}", &sha256_hex(format!("no single sign-on\n{group}").as_bytes())[..40])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_hq_takes() {
        for name in ["a", "9", "a-b", "a--b", &"a".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn an_owned_groups_name_is_a_name_and_tells_one_owner_from_another() {
        for owner in
            ["t\nns\nreaders", "t\nns\nReaders.Of_All!", "t\nns\n...", &format!("t\nns\n{}", "x".repeat(253))]
        {
            let name = owned(owner);
            assert!(is_name(&name) && is_owned(&name) && is_name(&sso_name(&name)), "{name}");
            assert_eq!(name, owned(owner));
        }
        assert!(owned("t\nns\nreaders").starts_with("rw-readers-"));
        assert_ne!(owned("t\nns\nreaders"), owned("t\nother\nreaders"));
        for name in ["rw-readers", "rw-0123456789abcdeg", "x-0123456789abcdef", "rw-0123456789abcdef0"] {
            assert!(!is_owned(name), "{name}");
        }
    }

    #[test]
    fn an_id_says_what_it_is_of() {
        assert_eq!(of_principal(&principal("alice@example.com")), Some("alice@example.com"));
        assert_eq!(of_group(&group("devs")), Some("devs"));
        assert_eq!(of_grant(&grant("devs", "reader")), Some(("devs", "reader")));
        for id in ["devs", "group:devs", "group:/reader", "group:devs/", "principal:a/b"] {
            assert_eq!(of_grant(&Id::new(id)), None, "{id}");
        }
        assert_eq!(of_group(&grant("devs", "reader")), None);
    }

    #[test]
    fn what_is_held_is_asked_for_by_its_kind() {
        let name = Key::new([("name", "a")]);
        let asked = |kind: Kind, key: &Key| asked_for(kind, key);
        assert_eq!(asked(Kind::Role, &name).as_ref().and_then(Asked::of), Some(Asked::Role("a")));
        assert_eq!(asked(Kind::Group, &name).as_ref().and_then(Asked::of), Some(Asked::Owned("a")));
        let grant = Key::new([("role", "r"), ("subject", group("devs").as_str())]);
        assert_eq!(asked(Kind::Grant, &grant).as_ref().and_then(Asked::of), Some(Asked::Group("devs")));
        assert_eq!(asked(Kind::Restriction, &name), None);
    }
}
