//! Ids and names. Lenses is called by name alone (contract 2.1), and gives what it makes an id of its own: another one, if the thing was
//! removed and made again. So the id of a role or a group here is its name with HQ's id behind it, `reader#5f0c-1`, or else the time at which
//! it was made, `reader@2026`, or the name alone where HQ shows neither. What may share a name with those has a word before it: `group:devs#77`, `principal:alice@example.com`. Users and service
//! accounts share the names that groups list as members, so their ids do not say which of the two they are.

use rolewright_core::model::{Id, Key, Kind, SubjectKind, sha256_hex};

const PRINCIPAL: &str = "principal:";
const GROUP: &str = "group:";
const OWNED: &str = "owned:";
const HELD_ROLE: &str = "role:";
const OUTSIDERS: &str = "sso:";
/// Between a name and HQ's id of the thing, or the time at which it was made; no name has them.
const BY_ID: char = '#';
const BY_TIME: char = '@';
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

/// What tells a thing from any other that has had, or will have, its name: HQ's id, and the time at which it was made (contract 2.1), as far
/// as they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incarnation {
    id: Option<String>,
    time: Option<String>,
}

impl Incarnation {
    /// That of a thing that shows these.
    pub fn of(id: Option<&str>, created_at: Option<&str>) -> Self {
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let shown = |text: &str| match plain(text) && text.len() <= LONGEST_INCARNATION {
            true => text.to_owned(),
            false => sha256_hex(text.as_bytes())[..DIGEST].to_owned(),
        };
        let shown = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(shown);
        Self { id: shown(id), time: shown(created_at) }
    }

    /// This, and what is not shown of it as the other has it. The two are not known to be of two things.
    pub fn join(self, other: &Self) -> Self {
        Self { id: self.id.or_else(|| other.id.clone()), time: self.time.or_else(|| other.time.clone()) }
    }

    /// Whether the two are known not to be of one thing.
    pub fn differs(&self, other: &Self) -> bool {
        match (&self.id, &other.id, &self.time, &other.time) {
            (Some(one), Some(other), ..) | (_, _, Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    fn behind(&self, name: &str) -> String {
        match (&self.id, &self.time) {
            (Some(id), _) => format!("{name}{BY_ID}{id}"),
            (None, Some(time)) => format!("{name}{BY_TIME}{time}"),
            (None, None) => name.to_owned(),
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
    let Some(at) = text.find([BY_ID, BY_TIME]) else { return (text, Incarnation::default()) };
    let (name, made) = (&text[..at], Some(text[at + 1..].to_owned()));
    match text[at..].starts_with(BY_ID) {
        true => (name, Incarnation { id: made, time: None }),
        false => (name, Incarnation { id: None, time: made }),
    }
}

/// What a sweep is asked for, each with what tells it from others of its name, as far as that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A role, whole.
    Role(&'a str, Incarnation),
    /// A group that a binding owns.
    Owned(&'a str, Incarnation),
    /// A role's place in the set of any other group.
    Place { group: Id, name: String, made: Incarnation, role: &'a str },
}

impl<'a> Asked<'a> {
    /// What an id asks for that [`asked_for`] gave.
    pub fn of(asked: &'a Id) -> Option<Self> {
        let text = asked.as_str();
        if let Some((name, made)) = text.strip_prefix(HELD_ROLE).map(parted) {
            return Some(Asked::Role(name, made));
        }
        if let Some((name, made)) = text.strip_prefix(OWNED).map(parted) {
            return Some(Asked::Owned(name, made));
        }
        let (group, role) = of_grant(asked)?;
        let (name, made) = of_group(&group).map(|(name, made)| (name.to_owned(), made))?;
        Some(Asked::Place { group, name, made, role })
    }
}

/// What a sweep has to ask for because a thing of this key, and of this id once it has one, is held.
pub fn asked_for(kind: Kind, held: &Key, id: Option<&Id>) -> Option<Id> {
    let named = || id.map(Id::as_str).or_else(|| held.get("name"));
    match kind {
        Kind::Role => named().map(|thing| Id::new(format!("{HELD_ROLE}{thing}"))),
        Kind::Group => named().map(|thing| Id::new(format!("{OWNED}{thing}"))),
        Kind::Grant => Some(grant(&Id::new(held.get("subject")?), held.get("role")?)),
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
        for made in [(None, None), (Some("77"), None), (None, Some("2026"))] {
            let made = Incarnation::of(made.0, made.1);
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
        assert!(!made(Some("1"), None).differs(&made(None, Some("x"))), "nothing that both show");
        let joined = made(Some("1"), None).join(&made(Some("2"), Some("x")));
        assert_eq!(joined, made(Some("1"), Some("x")));
        assert!(made(None, Some("2026-01-01T12:00:00Z")).differs(&made(None, Some("2026-01-01T12:00:01Z"))));
        assert!(!none.differs(&made(Some("1"), None)) && !made(Some("1"), None).differs(&none));
        let odd = thing("reader", &made(Some("a/b#c:d"), None));
        assert!(odd.as_str().strip_prefix("reader#").is_some_and(|rest| rest.len() == DIGEST), "{odd}");
    }

    #[test]
    fn what_is_held_is_asked_for_by_its_kind() {
        let (name, made) = (Key::new([("name", "a")]), Incarnation::of(Some("77"), None));
        for (kind, asked) in [
            (Kind::Role, Asked::Role as fn(&'static str, Incarnation) -> Asked<'static>),
            (Kind::Group, Asked::Owned),
        ] {
            let id = asked_for(kind, &name, None);
            assert_eq!(id.as_ref().and_then(Asked::of), Some(asked("a", Incarnation::default())));
            let id = asked_for(kind, &name, Some(&thing("a", &made)));
            assert_eq!(id.as_ref().and_then(Asked::of), Some(asked("a", made.clone())));
        }
        let devs = group("devs", &made);
        let key = Key::new([("role", "r"), ("subject", devs.as_str())]);
        let place = Asked::Place { group: devs.clone(), name: "devs".to_owned(), made, role: "r" };
        let id = asked_for(Kind::Grant, &key, Some(&grant(&devs, "r")));
        assert_eq!(id.as_ref().and_then(Asked::of), Some(place));
        assert_eq!(asked_for(Kind::Restriction, &name, None), None);
    }
}
