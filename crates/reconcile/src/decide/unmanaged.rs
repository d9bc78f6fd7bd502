//! What no object manages, and a Prune removes. Pure.

use std::collections::HashSet;

use rolewright_api::{Prune, PrunedKind};
use rolewright_core::{
    model::{Absence, Body, Dialect, Grant, Id, Kind, Level, Named, Observed, RoleRef, Snapshot},
    planner::{self, Claimant, Claims, Held, HeldState, Issue, Loss, Origin, OtherClaims, Problem},
};

use crate::{account::Link, patterns::Patterns};

/// The most grants that one plan removes. The next plan removes the next ones.
const MAX_GRANTS: usize = 250;
/// The most roles that one plan removes: each is read whole before.
const MAX_ROLES: usize = 10;

/// What the objects of a cluster say about an account.
#[derive(Default)]
pub struct Managers {
    /// All that objects record, whatever became of their Backends.
    pub recorded: Vec<Held>,
    /// Names and ids of roles that objects name.
    pub roles: HashSet<String>,
    /// The objects of the account: each must have a complete claim.
    pub objects: Vec<Manager>,
    /// Why it is not known what objects manage.
    pub obstacle: Option<Problem>,
}

/// An object of the account.
pub struct Manager {
    /// Its identity among those who claim things.
    pub claimant: Claimant,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// How messages name it.
    pub title: String,
}

/// What a Prune removes.
#[derive(Debug)]
pub struct Pruning {
    kinds: Vec<Kind>,
    subjects: Patterns,
    roles: Patterns,
}

impl Pruning {
    /// What the spec says.
    pub fn of(prune: &Prune) -> Self {
        Self {
            kinds: prune.spec.kinds.iter().map(|kind| kind_of(*kind)).collect(),
            subjects: Patterns::new(&prune.spec.keep_subjects),
            roles: Patterns::new(&prune.spec.keep_roles),
        }
    }

    /// The things that no object manages, as entries that are to be removed.
    ///
    /// # Errors
    /// Why nothing is removed: what the objects manage, or who has the roles, is not known.
    pub fn take(
        &self,
        link: &Link,
        mut managers: Managers,
        claims: &Claims,
        claimant: &Claimant,
        snapshot: &Snapshot,
    ) -> Result<Vec<Held>, Problem> {
        if let Some(problem) = managers.obstacle.take().or_else(|| unknown(&managers, claims)) {
            return Err(problem);
        }
        let recorded: HashSet<(Kind, Id)> = planner::rekey(managers.recorded, snapshot)
            .into_iter()
            .filter_map(|held| Some((held.kind, held.id()?.clone())))
            .collect();
        let is_unmanaged = |seen: &&Observed| {
            let kind = seen.body.kind();
            seen.read_only.is_none()
                && !claims.is_claimed_by_others(claimant, kind, &seen.key, &seen.id)
                && !recorded.contains(&(kind, seen.id.clone()))
        };
        let mut taken = Vec::new();
        if self.kinds.contains(&Kind::Grant) {
            let is_removed = |seen: &&Observed| match &seen.body {
                Body::Grant(grant) => !self.keeps_grant(grant, &link.own, snapshot),
                _ => false,
            };
            let found = snapshot.all(Kind::Grant).filter(is_removed).filter(is_unmanaged);
            taken.extend(first(found, MAX_GRANTS));
        }
        if self.kinds.contains(&Kind::Role) {
            if !shows_all_roles(snapshot) {
                let why = "nothing is removed: the credential does not show all roles and who has them; or leave Role out of spec.kinds";
                return Err(Problem::new(Issue::NotVisible, why));
            }
            let (granted, dialect) = (granted_roles(snapshot), link.view.backend.dialect());
            let is_removed = |seen: &&Observed| match &seen.body {
                Body::Role(role) => {
                    let granted_as = dialect.granted_as(&seen.id);
                    let names = [role.name.as_str(), seen.id.as_str(), granted_as.as_str()];
                    !granted.contains(granted_as.as_str())
                        && !names
                            .iter()
                            .any(|name| managers.roles.contains(*name) || self.roles.matches(name))
                }
                _ => false,
            };
            let found = snapshot.all(Kind::Role).filter(is_removed).filter(is_unmanaged);
            taken.extend(first(found, MAX_ROLES));
        }
        Ok(taken)
    }

    /// Why a removal needs an approval: it can take something from somebody who must keep it, and nobody can tell.
    pub fn doubt(&self, loss: &Loss, own: &[String]) -> Option<String> {
        if own.is_empty() {
            let why =
                "the back end does not show whose credential Rolewright uses: check that it loses nothing";
            return Some(why.to_owned());
        }
        if loss.subjects.is_empty() {
            let why = "a role that looks unused can be granted to somebody whom the credential cannot see";
            return Some(why.to_owned());
        }
        let is_unclear = |it: &&Named| matches!(it.level, Level::TEAM | Level::GROUP) || is_nameless(it);
        let unclear = loss.subjects.iter().find(is_unclear)?;
        Some(format!(
            "the back end does not show whether {} is or contains the account whose credential Rolewright uses",
            unclear.name
        ))
    }

    fn keeps_grant(&self, grant: &Grant, own: &[String], snapshot: &Snapshot) -> bool {
        let subject = &grant.subject;
        let is_own = own.iter().any(|own| **own == *subject.name || own == subject.id.as_str());
        let RoleRef::Existing(role) = &grant.role else { return true };
        let aliases = snapshot.directory().get(&subject.id).map(|entry| entry.aliases.as_slice());
        let is_alias_kept = aliases.unwrap_or_default().iter().any(|alias| self.subjects.matches(alias));
        is_own || is_alias_kept || keeps(&self.subjects, subject) || keeps(&self.roles, role)
    }
}

/// An object whose claim is not known, as a reason to wait.
fn unknown(managers: &Managers, claims: &Claims) -> Option<Problem> {
    let is_known = |object: &&Manager| {
        let complete = claims.get(&object.claimant).and_then(|claim| claim.complete);
        complete.is_some() && complete == object.generation
    };
    let object = managers.objects.iter().find(|object| !is_known(object))?;
    let message = format!("nothing is removed until all that {} names is found", object.title);
    Some(Problem::new(Issue::Waiting, message))
}

/// The first things in the order of their keys, as entries.
fn first<'a>(found: impl Iterator<Item = &'a Observed>, max: usize) -> impl Iterator<Item = Held> {
    let mut found: Vec<&Observed> = found.collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found.truncate(max);
    found.into_iter().map(entry)
}

/// Whether patterns keep a thing. One without a name stays if there are patterns: they can be about its name.
fn keeps(patterns: &Patterns, thing: &Named) -> bool {
    patterns.matches(&thing.name)
        || patterns.matches(thing.id.as_str())
        || is_nameless(thing) && !patterns.is_empty()
}

fn is_nameless(thing: &Named) -> bool {
    thing.name.is_empty() || *thing.name == *thing.id.as_str()
}

fn kind_of(kind: PrunedKind) -> Kind {
    match kind {
        PrunedKind::Grant => Kind::Grant,
        PrunedKind::Role => Kind::Role,
    }
}

/// Whether the credential sees all roles, and no list failed. A role whose grants it cannot see looks unused.
fn shows_all_roles(snapshot: &Snapshot) -> bool {
    snapshot.absence(Kind::Role, None) == Absence::Proven && snapshot.failures().is_empty()
}

/// The roles that somebody has, as grants name them.
fn granted_roles(snapshot: &Snapshot) -> HashSet<&str> {
    let mut roles = HashSet::new();
    for seen in snapshot.all(Kind::Grant).chain(snapshot.all(Kind::Group)) {
        match &seen.body {
            Body::Grant(grant) => {
                roles.insert(grant.role.text());
            }
            Body::Group(group) => roles.extend(group.roles.iter().map(RoleRef::text)),
            Body::Role(_) | Body::Restriction(_) => {}
        }
    }
    roles
}

/// A kind that a Prune names and that cannot be pruned here, if there is one.
pub fn missing_kind(prune: &Prune, dialect: &dyn Dialect) -> Option<Kind> {
    let here: Vec<Kind> = dialect.capabilities().kinds().collect();
    prune.spec.kinds.iter().map(|kind| kind_of(*kind)).find(|kind| !here.contains(kind))
}

/// Why roles cannot be pruned, if they are to be.
pub fn unknown_grants(prune: &Prune, dialect: &dyn Dialect) -> Option<Problem> {
    let is_named = prune.spec.kinds.contains(&PrunedKind::Role);
    (is_named && !dialect.lists_all_grants()).then(|| {
        let vendor = dialect.vendor();
        let message = format!(
            "{vendor} has no list of all grants, so nobody can tell which roles are unused: leave Role out of spec.kinds"
        );
        Problem::new(Issue::Unsupported, message)
    })
}

/// A thing that is taken over to be removed.
pub fn entry(seen: &Observed) -> Held {
    Held {
        kind: seen.body.kind(),
        key: seen.key.clone(),
        name: None,
        origin: Origin::Adopted,
        fingerprint: seen.body.fingerprint(),
        state: HeldState::Present { id: seen.id.clone(), revision: None },
        taken: None,
        other_claims: OtherClaims::None,
    }
}
