//! Who can use a closed resource: as the back end shows it, and by the roles that objects of the same namespace manage. Pure.

use std::collections::BTreeSet;

use rolewright_core::{
    model::{Body, Dialect, Grant, Id, Kind, Reach, Snapshot},
    planner::{Claims, Held},
};

/// How many are named.
const MAX_NAMED: usize = 8;
/// The names that roles of the operator have at least, however long the list of the back end is.
const MIN_BY_ROLES: usize = 4;
/// More parents than any back end has.
const MAX_DEPTH: usize = 32;

/// One list for the closed resource among these managed things. None where the back end does not show who can use it.
pub fn still_open(
    held: &[Held],
    claims: &Claims,
    namespace: &str,
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
) -> Option<String> {
    let restriction = held.iter().find(|held| held.kind == Kind::Restriction)?;
    let seen = snapshot.by_id(Kind::Restriction, restriction.id()?).filter(|seen| !seen.body.is_open())?;
    let shown = seen.still_open.as_ref()?;
    let resource = Id::new(restriction.key.get("resource")?);
    let roles = claims.roles_that_reach(&surroundings(&resource, snapshot, dialect), namespace);
    let own = by_roles(&roles, snapshot, &shown.to);
    let of_shown = shown.to.len().min(MAX_NAMED - own.len().min(MIN_BY_ROLES));
    let named: Vec<&str> =
        shown.to[..of_shown].iter().chain(&own).take(MAX_NAMED).map(String::as_str).collect();
    let more = shown.to.len() + shown.more + own.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(match named.is_empty() {
        true => shown.unknown.clone(),
        false => format!("still open: {}{more}; {}", named.join(", "), shown.unknown),
    })
}

/// The resource, and what contains it.
fn surroundings(resource: &Id, snapshot: &Snapshot, dialect: &dyn Dialect) -> Vec<Reach> {
    let parent = |id: &Id| snapshot.directory().get(id).and_then(|entry| entry.parent.clone());
    let ids: Vec<Id> =
        std::iter::successors(Some(resource.clone()), |id| parent(id)).take(MAX_DEPTH).collect();
    let levels: BTreeSet<Reach> = ids.iter().filter_map(|id| dialect.level_of(id)).map(Reach::All).collect();
    ids.into_iter().map(Reach::One).chain(levels).collect()
}

/// The subjects that have one of these roles, sorted. `shown`: what the back end shows itself, which is not repeated.
fn by_roles(roles: &BTreeSet<&Id>, snapshot: &Snapshot, shown: &[String]) -> Vec<String> {
    if roles.is_empty() {
        return Vec::new();
    }
    let by = |name: &str| format!("(by the role {name})");
    let mut without_subject: BTreeSet<&Id> = roles.clone();
    let mut found = BTreeSet::new();
    for seen in snapshot.all(Kind::Grant) {
        let Body::Grant(Grant { role, subject, .. }) = &seen.body else { continue };
        if let Some(role) = role.existing().filter(|role| roles.contains(&role.id)) {
            without_subject.remove(&role.id);
            found.insert((format!("{} {}", subject.name, by(&role.name)), by(&role.name)));
        }
    }
    for role in without_subject {
        let seen = snapshot.by_id(Kind::Role, role);
        let Some(Body::Role(role)) = seen.map(|seen| &seen.body) else { continue };
        found.insert((format!("any subject {}", by(&role.name)), by(&role.name)));
    }
    let is_new = |(_, by): &(String, String)| !shown.iter().any(|shown| shown.ends_with(by.as_str()));
    found.into_iter().filter(is_new).map(|(text, _)| text).collect()
}

#[cfg(test)]
mod tests {
    use rolewright_backends::grafana::VENDOR;
    use rolewright_core::{
        model::{Builder, Entry, Key, Level, Named, Observed, Restriction, Role, RoleRef, StillOpen},
        planner::{Claim, Claimant, DesiredKeys, HeldState, Origin, OtherClaims},
    };

    use super::*;
    use crate::object::{ObjectKind, ObjectName, ObjectRef};

    const FOLDER: Level = Level::new("folder");

    fn named(level: Level, id: &str) -> Named {
        Named::new(level, Id::new(id), id)
    }

    fn add(builder: &mut Builder, id: &str, body: Body) {
        builder.add(Observed::new(Id::new(id), VENDOR.dialect.key(&body), body));
    }

    /// A closed folder `logs` inside the folder `sre`. The back end shows `shown`; a role of each of these has these subjects.
    fn snapshot(shown: usize, roles: &[(&str, &[&str])]) -> Snapshot {
        let mut builder = Builder::new();
        let (sre, logs) = (named(FOLDER, "folder:sre"), named(FOLDER, "folder:logs"));
        for (named, parent) in [(sre.clone(), None), (logs.clone(), Some(sre.id))] {
            builder.directory().insert(Entry { named, parent, aliases: Vec::new() });
        }
        let body = Body::Restriction(Restriction::new(logs.clone()));
        let to = (0..shown).map(|number| format!("shown-{number}")).collect();
        let still_open = Some(Box::new(StillOpen { to, more: 0, unknown: "others are unknown".to_owned() }));
        builder.add(Observed { still_open, ..Observed::new(logs.id, VENDOR.dialect.key(&body), body) });
        for (role, subjects) in roles {
            let empty = Role {
                name: (*role).to_owned(),
                display_name: None,
                description: None,
                rules: BTreeSet::new(),
                settings: Default::default(),
                unreadable: false,
            };
            add(&mut builder, role, Body::Role(empty));
            for subject in *subjects {
                let (subject, scope) = (named(Level::USER, subject), None);
                let role = RoleRef::Existing(named(Level::ROLE, role));
                let id = format!("{}/{}", subject.id, role.name());
                add(&mut builder, &id, Body::Grant(Grant { role, subject, scope }));
            }
        }
        builder.complete()
    }

    fn reaching(role: &str, namespace: &str, reach: Reach) -> (Claimant, Claim) {
        let claim = Claim {
            object: ObjectRef { kind: ObjectKind::Role, name: ObjectName::new(namespace, role) },
            backend: ObjectName::new(namespace, "backend"),
            credential: None,
            desired: DesiredKeys::default(),
            managed: vec![(Kind::Role, Key::new([("name", role)]), Some(Id::new(role)))],
            taken: Box::default(),
            reach: [reach].into(),
            active: true,
            is_being_deleted: false,
            is_requested: false,
            complete: None,
        };
        (Claimant { created: 0, uid: format!("{namespace}/{role}").into() }, claim)
    }

    fn text(shown: usize, roles: &[(&str, &[&str])], reach: &[(&str, Reach)]) -> String {
        let mut claims = Claims::default();
        for (role, reach) in reach {
            let (claimant, claim) = reaching(role, "team-a", reach.clone());
            claims.set(claimant, claim);
        }
        let (claimant, claim) = reaching("elsewhere", "team-b", Reach::One(Id::new("folder:logs")));
        claims.set(claimant, claim);
        let snapshot = snapshot(shown, roles);
        let body = Body::Restriction(Restriction::new(named(FOLDER, "folder:logs")));
        let held = Held {
            kind: Kind::Restriction,
            key: VENDOR.dialect.key(&body),
            name: None,
            origin: Origin::Created,
            fingerprint: body.fingerprint(),
            state: HeldState::Present { id: Id::new("folder:logs"), revision: None },
            taken: None,
            other_claims: OtherClaims::None,
        };
        still_open(&[held], &claims, "team-a", &snapshot, VENDOR.dialect).expect("a text")
    }

    #[test]
    fn roles_on_the_resource_and_its_parents_are_listed() {
        assert_eq!(text(0, &[], &[]), "others are unknown");
        let roles: [(&str, &[&str]); 5] = [
            ("exact", &["alice", "bob"]),
            ("parent", &["carol"]),
            ("all", &[]),
            ("other", &["dan"]),
            ("elsewhere", &["eve"]),
        ];
        let reach = [
            ("exact", Reach::One(Id::new("folder:logs"))),
            ("parent", Reach::One(Id::new("folder:sre"))),
            ("all", Reach::All(FOLDER)),
            ("other", Reach::One(Id::new("folder:data"))),
        ];
        assert_eq!(
            text(1, &roles, &reach),
            "still open: shown-0, alice (by the role exact), any subject (by the role all), bob (by the role exact), carol (by the \
             role parent); others are unknown"
        );
    }

    #[test]
    fn a_long_list_names_some_of_each_origin() {
        let many: Vec<String> = (10..30).map(|number| format!("user-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let reach = [("exact", Reach::One(Id::new("folder:logs")))];
        let text = text(8, &[("exact", &many)], &reach);
        assert!(
            text.contains("shown-3, user-10 (") && text.contains("user-13 (by the role exact) and 20 more"),
            "{text}"
        );
    }
}
