//! Authoritative membership: grants of the role and scope of a RoleBinding that nobody manages are taken over, so that the plan revokes
//! them. Pure.

use rolewright_core::{
    model::{Body, Grant, Kind, Observed, Snapshot},
    planner::{Claimant, Claims, Desired, DesiredBody, Held, Issue, Origin, OtherClaims, Problem},
};

use super::{resolve::Authority, unmanaged::entry};

/// The most grants that one plan takes over.
const MAX_TAKEN: usize = 250;

/// Whether an entry is a grant that was taken over to be revoked: those of subjects have names.
pub fn is_taken_over(held: &Held) -> bool {
    held.kind == Kind::Grant && held.name.is_none() && held.origin == Origin::Adopted
}

/// The grants of others that the object takes over, as entries of what it manages.
///
/// # Errors
/// Why it takes none over: other objects decide about the role too, or not every subject is found.
pub fn take_over(
    authority: &Authority,
    desired: &[Desired],
    recorded: &[Held],
    claimant: &Claimant,
    claims: &Claims,
    snapshot: &Snapshot,
) -> Result<Vec<Held>, Problem> {
    if desired.iter().any(|item| !matches!(item.body, DesiredBody::Resolved(_))) {
        return Err(Problem::new(
            Issue::Waiting,
            "spec.membership is Authoritative: nobody else loses the role until every subject is found",
        ));
    }
    let is_desired = |seen: &&Observed| {
        desired.iter().any(|item| matches!(&item.body, DesiredBody::Resolved(body) if *body == seen.body))
    };
    let is_recorded = |seen: &&Observed| recorded.iter().any(|held| held.id() == Some(&seen.id));
    let of_role = |seen: &&Observed| match &seen.body {
        Body::Grant(grant) => is_of(grant, authority),
        Body::Group(group) => group.roles.iter().any(|role| role.text() == authority.role.as_str()),
        Body::Role(_) | Body::Restriction(_) => false,
    };
    let others = snapshot.all(Kind::Grant).chain(snapshot.all(Kind::Group)).filter(of_role);
    let others = others.filter(|seen| !is_desired(seen) && !is_recorded(seen));
    let mut taken = Vec::new();
    // What an AccessRequest granted ends by itself.
    let others = others.filter(|seen| !claims.is_requested(seen.body.kind(), &seen.key, &seen.id));
    for seen in others {
        let kind = seen.body.kind();
        match claims.other_claims(claimant, kind, &seen.key, Some(&seen.id)) {
            OtherClaims::None if kind == Kind::Grant && seen.read_only.is_none() => taken.push(entry(seen)),
            // The vendor decides about it, or it is a group of nobody.
            OtherClaims::None => {}
            OtherClaims::Shared(other) | OtherClaims::Waiting(other) => {
                return Err(Problem::new(
                    Issue::Conflict,
                    format!(
                        "spec.membership is Authoritative, and {other} grants the same role: move its subjects here, or write Additive"
                    ),
                ));
            }
        }
    }
    taken.sort_by(|a, b| a.key.cmp(&b.key));
    // A status has a limited size. The next plan takes over the next ones.
    taken.truncate(MAX_TAKEN);
    Ok(taken)
}

fn is_of(grant: &Grant, authority: &Authority) -> bool {
    grant.role.text() == authority.role.as_str()
        && grant.scope.as_ref().map(|scope| &scope.id) == authority.scope.as_ref()
}
