//! The messages of problems, as statuses show them: what failed, why, and what to do.

use super::{
    claims::ELSEWHERE,
    input::Adopt,
    problem::{Issue, Problem},
};
use crate::model::{Body, Grant, Id, Kind, Named, Observed, ReadFailure};

/// A managed thing that the snapshot lacks.
pub(super) fn not_visible(kind: Kind, title: &str) -> Problem {
    Problem::new(
        Issue::NotVisible,
        format!(
            "the {} {title} is not visible: it was deleted, or the credential lost read access. Rolewright makes no changes until it can \
             tell which",
            noun(kind),
        ),
    )
}

/// A desired thing that the snapshot lacks, and that the back end or its manager could have.
pub(super) fn possibly_exists(kind: Kind, title: &str) -> Problem {
    Problem::new(
        Issue::NotVisible,
        format!(
            "the {} {title} is not visible: it does not exist, or the credential cannot read it. Rolewright does not create it until it \
             can tell which",
            noun(kind),
        ),
    )
}

/// A thing that a failed call would show.
pub(super) fn unread(kind: Kind, title: &str, failure: &ReadFailure) -> Problem {
    let issue = if failure.denied { Issue::NotVisible } else { Issue::Unread };
    let message = &failure.message;
    Problem::new(
        issue,
        format!(
            "the {} {title} could not be read, so Rolewright makes no changes to it: {message}",
            noun(kind)
        ),
    )
}

/// A thing that is read before the plan is made again. No user gets this message.
pub(super) fn not_read_yet(title: &str) -> Problem {
    Problem::new(Issue::Waiting, format!("{title} is not completely read yet"))
}

pub(super) fn no_permissions(resource: &Named) -> Problem {
    Problem::new(
        Issue::NotFound,
        format!(
            "the back end shows no permissions of {} {}: it does not exist, or the credential cannot read it, or the back end has no \
             permissions for it",
            resource.level, resource.name
        ),
    )
}

pub(super) fn resource_does_not_exist(resource: &Named) -> Problem {
    Problem::new(Issue::NotFound, format!("the {} {} does not exist", resource.level, resource.name))
}

pub(super) fn resource_changed(now: &Named, managed: &str) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!(
            "the {} in the spec is now {}, but this object manages {managed}: nothing was changed. To restrict the other one, delete this \
             object and create a new one",
            now.level, now.id
        ),
    )
}

pub(super) fn account_changed(body: &Body, name: &str, now: &str, before: &str) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!(
            "{name} now refers to {now}, but this object manages a grant for {before}: {} was not granted, and nothing was changed. To \
             grant it to the new account, remove the subject, wait until the object is ready, and add the subject again; or delete this \
             object and create it again",
            body.title(),
        ),
    )
}

pub(super) fn blocked(body: &Body, manager: &str) -> Problem {
    let mut message =
        format!("{} is managed by {manager}, which has a different spec or is older", body.title());
    if manager == ELSEWHERE {
        message.push_str(
            ": ask a cluster admin, who can find it in `status.held` of the objects of all namespaces",
        );
    }
    Problem::new(Issue::Conflict, message)
}

pub(super) fn waits_for(other: &str) -> Problem {
    Problem::new(Issue::Waiting, format!("waits for {other}, which has the same spec and creates it first"))
}

pub(super) fn waits_for_sharer(other: &str) -> Problem {
    Problem::new(Issue::Waiting, format!("is shared with {other}, which must create or correct it first"))
}

pub(super) fn ambiguous(kind: Kind, title: &str) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!("the back end has more than one {} for {title}: delete all but one", noun(kind)),
    )
}

pub(super) fn requested_twice(body: &Body) -> Problem {
    Problem::new(
        Issue::Invalid,
        format!(
            "{} is requested twice with different content; only one can exist: remove one from the spec",
            body.title()
        ),
    )
}

pub(super) fn read_only(seen: &Observed, why: &str, advice: &str) -> Problem {
    Problem::new(Issue::Invalid, format!("{} is {why} and cannot be changed{advice}", seen.body.title()))
}

pub(super) fn cannot_be_deleted(seen: &Observed, why: &str) -> Problem {
    Problem::new(
        Issue::Blocked,
        format!(
            "{} is {why} and cannot be deleted: set spec.deletionPolicy: Retain to release it",
            seen.body.title()
        ),
    )
}

pub(super) fn possibly_created_by_others(seen: &Observed) -> Problem {
    Problem::new(
        Issue::Blocked,
        format!(
            "{} exists, but the back end does not show its rules, so Rolewright cannot check whether this object created it: delete it by \
             hand if it is not in use elsewhere",
            seen.body.title()
        ),
    )
}

pub(super) fn unsettled(kind: Kind, title: &str) -> Problem {
    Problem::new(
        Issue::Waiting,
        format!(
            "the request to create the {} {title} was not answered and can still be in progress: Rolewright waits for its outcome",
            noun(kind)
        ),
    )
}

pub(super) fn still_granted(seen: &Observed, grants: &[String]) -> Problem {
    Problem::new(Issue::Blocked, format!("{} is still granted: {}", seen.body.title(), list(grants)))
}

pub(super) fn handed_over(next_owner: &str) -> Problem {
    Problem::new(Issue::Waiting, format!("is being handed over to {next_owner}"))
}

/// A grant that this object released and that stays.
pub(super) fn still_shared(grant: &Grant, other: &str) -> String {
    let scope = grant.scope.as_ref().map(|scope| format!(" on {} {}", scope.level, scope.name));
    let (subject, role) = (&grant.subject.name, grant.role.name());
    format!("{subject} keeps the role {role}{}: {other} grants it too", scope.unwrap_or_default())
}

pub(super) fn shared(seen: &Observed, others: &str) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!("{} is shared with {others}: it can be changed after they release it", seen.body.title()),
    )
}

pub(super) fn cannot_rename(seen: &Observed, body: &Body) -> Problem {
    Problem::new(
        Issue::Invalid,
        format!(
            "the back end cannot rename a role: this object manages {}, but its spec names {}. Restore the old name, or delete this object \
             and create one for the new role",
            seen.body.title(),
            body.title()
        ),
    )
}

pub(super) fn name_taken(body: &Body) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!("{} is already the name of another thing in the back end", body.title()),
    )
}

/// A spec names an id, and a thing with another id has its natural key.
pub(super) fn has_another_id(seen: &Observed, given: &Id) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!(
            "{} {} already exists with the id {}, and the spec names the id {given}: write that id, or another name",
            seen.body.kind(),
            seen.body.title(),
            seen.id
        ),
    )
}

pub(super) fn already_exists(seen: &Observed, body: &Body, adopt: Adopt) -> Problem {
    let difference = seen.body.difference(body);
    let exists =
        format!("{} {} already exists, and no object manages it", seen.body.kind(), seen.body.title());
    let message = match adopt {
        Adopt::Never => format!("{exists}; spec.adopt: Never forbids adopting it"),
        Adopt::Forbidden => {
            format!("{exists}; spec.allow.adopt of the ClusterBackend does not allow adopting it")
        }
        _ if difference.is_empty() => exists,
        _ => format!(
            "{exists}. It differs from the spec ({}): delete it, change the spec, or set spec.adopt: Always to adopt and change it",
            list(&difference)
        ),
    };
    Problem::new(Issue::Conflict, message)
}

fn noun(kind: Kind) -> String {
    kind.to_string().to_lowercase()
}

/// The first five items, and the number of the others.
fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    if items.len() > SHOWN {
        text.push_str(&format!("; and {} more", items.len() - SHOWN));
    }
    text
}
