//! What findings say: what is the matter, and what to do.

use super::input::{Adopt, Issue};
use crate::model::{Body, Kind, Named, Observed};

/// Why a want is not met or a held thing not let go.
#[derive(Clone, Debug)]
pub(super) struct Obstacle {
    pub issue: Issue,
    pub message: String,
}

impl Obstacle {
    pub(super) fn new(issue: Issue, message: impl Into<String>) -> Self {
        Self { issue, message: message.into() }
    }
}

pub(super) fn not_visible(kind: Kind, title: &str) -> Obstacle {
    Obstacle::new(
        Issue::NotVisible,
        format!(
            "the {} {title} is held and not to be seen: either it was removed, or the key may no longer read it. \
             Nothing is written until the key can see enough to tell",
            kind.to_string().to_lowercase(),
        ),
    )
}

/// Of what is read before the plan is made again: nobody is told this.
pub(super) fn unread(title: &str) -> Obstacle {
    Obstacle::new(Issue::Waiting, format!("{title} was not read whole yet"))
}

pub(super) fn no_permissions(resource: &Named) -> Obstacle {
    Obstacle::new(
        Issue::NotFound,
        format!(
            "the back end shows no permissions of {} {}: either there is none, or the key may not see it, or the back end has no permissions \
             for it",
            resource.level, resource.name
        ),
    )
}

pub(super) fn moved(now: &Named, held: &str) -> Obstacle {
    Obstacle::new(
        Issue::Conflict,
        format!(
            "the {} that the spec names is {} now, and {held} is held: nothing was changed. To restrict the other one, delete this object and \
             create it anew",
            now.level, now.id
        ),
    )
}

pub(super) fn no_resource(resource: &Named) -> Obstacle {
    Obstacle::new(Issue::NotFound, format!("there is no {} {} (any more)", resource.level, resource.name))
}

pub(super) fn rebound(body: &Body, name: &str, now: &str, before: &str) -> Obstacle {
    Obstacle::new(
        Issue::Conflict,
        format!(
            "{name} now stands for {now}, and the grant is held for {before}: {} was not granted, and nothing \
             was changed. To grant it to the new one, remove the subject, wait until the object is ready, and add it again; or delete this object and create it \
             once more",
            body.title(),
        ),
    )
}

pub(super) fn blocked(body: &Body, holder: &str) -> Obstacle {
    Obstacle::new(
        Issue::Conflict,
        format!("{} is held by {holder}, which asks for something else or came first", body.title()),
    )
}

pub(super) fn behind(older: &str) -> Obstacle {
    Obstacle::new(Issue::Waiting, format!("waits for {older}, which asks for the same and comes first"))
}

pub(super) fn made_by(other: &str) -> Obstacle {
    Obstacle::new(
        Issue::Waiting,
        format!("is shared with {other}, which has to make it or put it right first"),
    )
}

pub(super) fn ambiguous(kind: Kind, title: &str) -> Obstacle {
    Obstacle::new(
        Issue::Conflict,
        format!(
            "the back end has more than one {} for {title}: remove all but one",
            kind.to_string().to_lowercase()
        ),
    )
}

pub(super) fn asked_twice(body: &Body) -> Obstacle {
    Obstacle::new(
        Issue::Invalid,
        format!("{} is asked for twice, and differently: the back end has place for one", body.title()),
    )
}

pub(super) fn read_only(seen: &Observed, why: &str, advice: &str) -> Obstacle {
    Obstacle::new(Issue::Invalid, format!("{} is {why} and cannot be written{advice}", seen.body.title()))
}

pub(super) fn stays(seen: &Observed, why: &str) -> Obstacle {
    Obstacle::new(
        Issue::Blocked,
        format!(
            "{} is {why} and cannot be removed: set deletionPolicy: Retain to let go of it",
            seen.body.title()
        ),
    )
}

pub(super) fn perhaps_ours(seen: &Observed) -> Obstacle {
    Obstacle::new(
        Issue::Blocked,
        format!(
            "{} is there, and whether this object made it cannot be told, as the back end does not show what it permits: remove it by hand if it \
             is not somebody else's",
            seen.body.title()
        ),
    )
}

pub(super) fn unsettled(kind: Kind, title: &str) -> Obstacle {
    Obstacle::new(
        Issue::Waiting,
        format!(
            "the creation of the {kind} {title} was not answered and may still be under way: waits to see what becomes of it"
        ),
    )
}

pub(super) fn still_granted(seen: &Observed, grants: &[String]) -> Obstacle {
    Obstacle::new(Issue::Blocked, format!("{} is still held by {}", seen.body.title(), list(grants)))
}

pub(super) fn handed_over(heir: &str) -> Obstacle {
    Obstacle::new(Issue::Waiting, format!("is being handed over to {heir}"))
}

pub(super) fn shared(seen: &Observed, others: &str) -> Obstacle {
    Obstacle::new(
        Issue::Conflict,
        format!("{} is shared with {others}: it is changed once they let go of it", seen.body.title()),
    )
}

pub(super) fn not_renamed(seen: &Observed, body: &Body) -> Obstacle {
    Obstacle::new(
        Issue::Invalid,
        format!(
            "the back end cannot rename a role: this object holds {}, and its spec says {}. Write the old name, or delete this object and \
             create one for the new role",
            seen.body.title(),
            body.title()
        ),
    )
}

pub(super) fn name_taken(body: &Body) -> Obstacle {
    Obstacle::new(
        Issue::Conflict,
        format!("{} is already the name of another thing in the back end", body.title()),
    )
}

pub(super) fn there_already(seen: &Observed, body: &Body, adopt: Adopt) -> Obstacle {
    let difference = seen.body.difference(body);
    let there = format!("{} {} is there already and held by no object", seen.body.kind(), seen.body.title());
    let message = match adopt {
        Adopt::Never => format!("{there}; adopt: Never forbids taking it over"),
        _ if difference.is_empty() => there,
        _ => format!(
            "{there}, and it differs ({}); remove it, change the spec, or set adopt: Always to take it over and make it equal",
            list(&difference)
        ),
    };
    Obstacle::new(Issue::Conflict, message)
}

/// At most five, and how many more.
fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    if items.len() > SHOWN {
        text.push_str(&format!("; and {} more", items.len() - SHOWN));
    }
    text
}
