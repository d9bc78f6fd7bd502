//! Changes as sentences: what a plan would do, for messages, and what a change did, for Events.

use std::fmt::Display;

use super::plan::{Plan, Step};
use crate::model::{Body, Change, Grant, Verb};

/// How many names or differences one sentence lists.
const MAX_LISTED: usize = 5;

impl Plan {
    /// What the plan would do: `grant reader to alice, bob; revoke reader from sre`. Empty without changes.
    pub fn intent(&self) -> String {
        self.intent_of(|_| true)
    }

    /// What the steps with these indexes would do.
    pub fn intent_of(&self, step: impl Fn(usize) -> bool) -> String {
        let mut clauses: Vec<(Clause, Vec<String>)> = Vec::new();
        for (_, step) in self.steps.iter().enumerate().filter(|(index, _)| step(*index)) {
            let (clause, item) = clause(step);
            match clauses.iter_mut().find(|(known, _)| *known == clause) {
                Some((_, items)) => items.push(item),
                None => clauses.push((clause, vec![item])),
            }
        }
        let clauses =
            clauses.iter().map(|(clause, items)| format!("{} {}{}", clause.0, listed(items), clause.1));
        clauses.collect::<Vec<_>>().join("; ")
    }
}

/// The words before and after what several steps do the same to.
#[derive(PartialEq, Eq)]
struct Clause(String, String);

/// What a step would do, and to what.
fn clause(step: &Step) -> (Clause, String) {
    let (change, body) = (&step.change, step.change.body());
    let plain = |before: &str, after: &str| (Clause(before.to_owned(), after.to_owned()), body.title());
    match (change.verb(), body) {
        (Verb::Create, Body::Grant(grant)) => {
            (Clause(format!("grant {} to", grant.role.name()), scope(grant)), grant.subject.name.to_string())
        }
        (Verb::Delete, Body::Grant(grant)) => (
            Clause(format!("revoke {} from", grant.role.name()), scope(grant)),
            grant.subject.name.to_string(),
        ),
        (Verb::Create, Body::Role(_) | Body::Group(_)) => plain(&format!("create the {}", noun(body)), ""),
        (Verb::Delete, Body::Role(_) | Body::Group(_)) => plain(&format!("delete the {}", noun(body)), ""),
        (Verb::Delete, Body::Restriction(_)) => plain("open", " again"),
        (Verb::Update, Body::Restriction(_)) if step.releases => plain("open", " again"),
        (_, Body::Restriction(_)) => plain("close", " to inherited access"),
        (Verb::Update, _) => {
            let (before, title) = plain(&format!("change the {}", noun(body)), "");
            (before, format!("{title} ({})", listed(&change.details())))
        }
    }
}

/// What a change did: `alice@example.com lost the role reader`.
pub fn past(step: &Step) -> String {
    let (change, body) = (&step.change, step.change.body());
    let title = body.title();
    let details = change.details();
    let with_details =
        |done: String| if details.is_empty() { done } else { format!("{done}: {}", details.join("; ")) };
    match (change, body) {
        (Change::Create { .. }, Body::Grant(grant)) => {
            format!("{} got the role {}{}", grant.subject.name, grant.role.name(), scope(grant))
        }
        (Change::Delete { .. }, Body::Grant(grant)) => {
            format!("{} lost the role {}{}", grant.subject.name, grant.role.name(), scope(grant))
        }
        (Change::Update { before: Body::Grant(before), .. }, Body::Grant(after)) => format!(
            "{} has the role {} instead of {}{}",
            after.subject.name,
            after.role.name(),
            before.role.name(),
            scope(after)
        ),
        (Change::Delete { .. }, Body::Group(group)) => {
            let roles: Vec<&str> = group.roles.iter().map(|role| role.name()).collect();
            format!("the group {title} was deleted, and its members lost {}", listed(&roles))
        }
        (Change::Create { .. }, Body::Role(_) | Body::Group(_)) => {
            with_details(format!("the {} {title} was created", noun(body)))
        }
        (Change::Update { .. }, Body::Role(_) | Body::Group(_) | Body::Grant(_)) => {
            with_details(format!("the {} {title} was changed", noun(body)))
        }
        (Change::Delete { .. }, Body::Role(_)) => format!("the role {title} was deleted"),
        (Change::Delete { .. }, Body::Restriction(_)) => format!("{title} was opened again"),
        (_, Body::Restriction(_)) if step.releases => with_details(format!("{title} was opened again")),
        (_, Body::Restriction(_)) => with_details(format!("{title} was closed to inherited access")),
    }
}

/// How many rules, roles and members an update takes away.
pub(super) fn removals_inside(change: &Change) -> usize {
    match change {
        Change::Update { after: Body::Role(_) | Body::Group(_), .. } => {
            change.details().iter().filter(|line| line.starts_with("- ")).count()
        }
        _ => 0,
    }
}

fn scope(grant: &Grant) -> String {
    grant.scope.as_ref().map(|scope| format!(" on {} {}", scope.level, scope.name)).unwrap_or_default()
}

fn noun(body: &Body) -> String {
    body.kind().to_string().to_lowercase()
}

/// The first items, and how many more there are.
fn listed<T: Display>(items: &[T]) -> String {
    let mut text = items.iter().take(MAX_LISTED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if items.len() > MAX_LISTED {
        text.push_str(&format!(" and {} more", items.len() - MAX_LISTED));
    }
    text
}
