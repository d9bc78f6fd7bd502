//! Ids and names. Lenses is called by name alone (contract 2.1), and gives what it makes an id of its own: another one, if the thing was
//! removed and made again. So the id of a role or a group here is its name with HQ's id behind it, `reader#5f0c-1`, or the name alone where
//! HQ shows none. What may share a name with those has a word before it: `group:devs#77`, `principal:alice@example.com`. Users and service
//! accounts share the names that groups list as members, so their ids do not say which of the two they are.

use crate::access::{Id, Key, Kind, SubjectKind, sha256_hex};

const PRINCIPAL: &str = "principal:";
const GROUP: &str = "group:";
const OWNED: &str = "owned:";
const HELD_ROLE: &str = "role:";
const OUTSIDERS: &str = "sso:";
/// Between a name and what tells the thing from others of that name; no name has it.
const MADE: char = '#';
const LONGEST_INCARNATION: usize = 64;

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

/// What tells a thing from any other that has had, or will have, its name: HQ's id, or else the time at which it was made (contract 2.1).
/// None where neither is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incarnation(Option<String>);

impl Incarnation {
    /// That of a thing that shows these.
    pub fn of(id: Option<&str>, created_at: Option<&str>) -> Self {
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let shown = [id, created_at].into_iter().flatten().find(|text| !text.is_empty());
        Self(shown.map(|text| match plain(text) && text.len() <= LONGEST_INCARNATION {
            true => text.to_owned(),
            false => sha256_hex(text.as_bytes())[..DIGEST].to_owned(),
        }))
    }

    /// This, or where nothing is shown the other.
    pub fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// Whether the two are known not to be of one thing.
    pub fn differs(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Some(one), Some(other)) if one != other)
    }

    fn behind(&self, name: &str) -> String {
        match &self.0 {
            Some(text) => format!("{name}{MADE}{text}"),
            None => name.to_owned(),
        }
    }
}

/// The id of a role, or of a group that a binding owns.
pub fn thing(name: &str, incarnation: &Incarnation) -> Id {
    Id::new(incarnation.behind(name))
}

/// The name in such an id, and what tells the thing from others of that name.
pub fn of_thing(id: &Id) -> (&str, Incarnation) {
    parted(id.as_str())
}

/// The id of a group that no binding owns.
pub fn group(name: &str, incarnation: &Incarnation) -> Id {
    Id::new(format!("{GROUP}{}", incarnation.behind(name)))
}

/// The name of a group that no binding owns, and what tells it from others of that name.
pub fn of_group(id: &Id) -> Option<(&str, Incarnation)> {
    let text = id.as_str().strip_prefix(GROUP)?;
    let parts = parted(text);
    (is_name(parts.0) && !text.contains('/')).then_some(parts)
}

/// The id of a role's place in a group's set.
pub fn grant(group: &Id, role: &str) -> Id {
    Id::new(format!("{group}/{role}"))
}

/// The group's id and the role's name in a grant's id.
pub fn of_grant(id: &Id) -> Option<(Id, &str)> {
    let (group, role) = id.as_str().split_once('/')?;
    let group = Id::new(group);
    (of_group(&group).is_some() && !role.is_empty()).then_some((group, role))
}

/// A group of the identity provider's, all of whose members come into a group of HQ by logging in.
pub fn outsiders(sso_name: &str) -> Id {
    Id::new(format!("{OUTSIDERS}{sso_name}"))
}

/// Whether this stands for such a group.
pub fn is_outsiders(id: &Id) -> bool {
    id.as_str().starts_with(OUTSIDERS)
}

fn parted(text: &str) -> (&str, Incarnation) {
    match text.split_once(MADE) {
        Some((name, made)) => (name, Incarnation(Some(made.to_owned()))),
        None => (text, Incarnation::default()),
    }
}

/// What a sweep is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A role, whole.
    Role(&'a str),
    /// A group that a binding owns.
    Owned(&'a str),
    /// The roles of any other group, by its name, and what tells it from others of that name.
    Group(&'a str, Incarnation),
}

impl<'a> Asked<'a> {
    /// What an id asks for that [`asked_for`] gave.
    pub fn of(id: &'a Id) -> Option<Self> {
        let text = id.as_str();
        let role = text.strip_prefix(HELD_ROLE).map(Asked::Role);
        let owned = || text.strip_prefix(OWNED).map(Asked::Owned);
        role.or_else(owned).or_else(|| of_group(id).map(|(name, made)| Asked::Group(name, made)))
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
        for made in [Incarnation::default(), Incarnation::of(Some("77"), None)] {
            let devs = group("devs", &made);
            assert_eq!(of_group(&devs), Some(("devs", made.clone())));
            assert_eq!(of_grant(&grant(&devs, "reader")), Some((devs.clone(), "reader")));
            assert_eq!(of_group(&grant(&devs, "reader")), None);
            assert_eq!(of_thing(&thing("reader", &made)), ("reader", made));
        }
        for id in ["devs", "group:devs", "group:/reader", "group:devs/", "principal:a/b"] {
            assert_eq!(of_grant(&Id::new(id)), None, "{id}");
        }
    }

    #[test]
    fn a_thing_is_told_from_another_of_its_name_by_what_both_show() {
        let made = |id: Option<&str>, at: Option<&str>| Incarnation::of(id, at);
        let none = Incarnation::default();
        assert_eq!((made(None, None), made(Some(""), None)), (none.clone(), none.clone()));
        assert!(made(Some("1"), None).differs(&made(Some("2"), Some("x"))));
        assert!(!made(Some("1"), Some("x")).differs(&made(Some("1"), Some("y"))));
        assert!(made(None, Some("2026-01-01T12:00:00Z")).differs(&made(None, Some("2026-01-01T12:00:01Z"))));
        assert!(!none.differs(&made(Some("1"), None)) && !made(Some("1"), None).differs(&none));
        let odd = thing("reader", &made(Some("a/b#c:d"), None));
        assert!(odd.as_str().strip_prefix("reader#").is_some_and(|rest| rest.len() == DIGEST), "{odd}");
    }

    #[test]
    fn what_is_held_is_asked_for_by_its_kind() {
        let name = Key::new([("name", "a")]);
        let asked = |kind: Kind, key: &Key| asked_for(kind, key);
        assert_eq!(asked(Kind::Role, &name).as_ref().and_then(Asked::of), Some(Asked::Role("a")));
        assert_eq!(asked(Kind::Group, &name).as_ref().and_then(Asked::of), Some(Asked::Owned("a")));
        let made = Incarnation::of(Some("77"), None);
        let grant = Key::new([("role", "r"), ("subject", group("devs", &made).as_str())]);
        assert_eq!(asked(Kind::Grant, &grant).as_ref().and_then(Asked::of), Some(Asked::Group("devs", made)));
        assert_eq!(asked(Kind::Restriction, &name), None);
    }
}
