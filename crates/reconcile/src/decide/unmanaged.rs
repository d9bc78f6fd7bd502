//! What no object manages, and a Prune removes. Pure.

use std::collections::HashSet;

use rolewright_api::{Prune, PrunedKind};
use rolewright_core::{
    model::{Absence, Body, Dialect, Grant, Id, Kind, Level, Named, Observed, RoleRef, Snapshot},
    planner::{Claimant, Claims, Held, HeldState, Issue, Loss, Origin, OtherClaims, Problem},
};

use crate::{account::Link, patterns::Patterns};

/// The most things that one plan removes. The next plan removes the next ones.
const MAX_TAKEN: usize = 250;

/// What the objects of a cluster say about an account.
#[derive(Default)]
pub struct Managers {
    /// All that objects record, whatever became of their Backends.
    pub recorded: HashSet<(Kind, Id)>,
    /// An object of the account whose spec is not carried out: what it means to manage is not known.
    pub unsettled: Option<String>,
}

/// What a Prune removes.
#[derive(Debug)]
pub struct Pruning {
    kinds: Vec<Kind>,
    subjects: Patterns,
    roles: Patterns,
    shows_own_groups: bool,
}

impl Pruning {
    /// What the spec says.
    pub fn of(prune: &Prune, dialect: &dyn Dialect) -> Self {
        Self {
            shows_own_groups: dialect.shows_own_groups(),
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
        managers: &Managers,
        claims: &Claims,
        claimant: &Claimant,
        snapshot: &Snapshot,
    ) -> Result<Vec<Held>, Problem> {
        if let Some(unsettled) = &managers.unsettled {
            return Err(Problem::new(
                Issue::Waiting,
                format!("nothing is removed until {unsettled} is ready: what it manages is not known"),
            ));
        }
        let dialect = link.view.backend.dialect();
        let mut taken = Vec::new();
        for kind in &self.kinds {
            if *kind == Kind::Role && !shows_all_roles(snapshot) {
                return Err(Problem::new(
                    Issue::NotVisible,
                    "no role is removed: the credential does not show all roles and who has them",
                ));
            }
            let granted = granted_roles(snapshot);
            let is_unmanaged = |seen: &&Observed| {
                seen.read_only.is_none()
                    && !claims.is_claimed_by_others(claimant, *kind, &seen.key, &seen.id)
                    && !managers.recorded.contains(&(*kind, seen.id.clone()))
            };
            let is_removed = |seen: &&Observed| match &seen.body {
                Body::Grant(grant) => !self.keeps_grant(grant, &link.own),
                Body::Role(role) => {
                    !granted.contains(dialect.granted_as(&seen.id).as_str())
                        && !self.roles.matches(&role.name)
                        && !self.roles.matches(seen.id.as_str())
                }
                Body::Restriction(_) | Body::Group(_) => false,
            };
            taken.extend(snapshot.all(*kind).filter(is_unmanaged).filter(is_removed).map(entry));
        }
        taken.sort_by(|a: &Held, b: &Held| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        taken.truncate(MAX_TAKEN);
        Ok(taken)
    }

    /// Why a removal needs an approval: it can take access from the account whose credential Rolewright uses, and nobody can tell.
    pub fn doubt(&self, loss: &Loss, own: &[String]) -> Option<String> {
        if own.is_empty() {
            return Some(
                "the back end does not show whose credential Rolewright uses: check that it loses nothing"
                    .to_owned(),
            );
        }
        let is_group = |it: &&Named| matches!(it.level, Level::TEAM | Level::GROUP);
        let group = loss.subjects.iter().find(is_group).filter(|_| !self.shows_own_groups)?;
        Some(format!(
            "the back end does not show whether the account whose credential Rolewright uses is in {}",
            group.name
        ))
    }

    fn keeps_grant(&self, grant: &Grant, own: &[String]) -> bool {
        let is_own = own.iter().any(|own| **own == *grant.subject.name || own == grant.subject.id.as_str());
        let RoleRef::Existing(role) = &grant.role else { return true };
        is_own || keeps(&self.subjects, &grant.subject) || keeps(&self.roles, role)
    }
}

/// Whether patterns keep a thing. One without a name stays if there are patterns: they can be about its name.
fn keeps(patterns: &Patterns, thing: &Named) -> bool {
    let is_nameless = thing.name.is_empty() || *thing.name == *thing.id.as_str();
    patterns.matches(&thing.name)
        || patterns.matches(thing.id.as_str())
        || is_nameless && !patterns.is_empty()
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
    let of_grants = snapshot.all(Kind::Grant).chain(snapshot.all(Kind::Group));
    let roles = of_grants.flat_map(|seen| match &seen.body {
        Body::Grant(grant) => vec![grant.role.text()],
        Body::Group(group) => group.roles.iter().map(RoleRef::text).collect(),
        Body::Role(_) | Body::Restriction(_) => Vec::new(),
    });
    roles.collect()
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
