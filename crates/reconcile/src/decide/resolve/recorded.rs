//! The names of roles and scopes that an object's status records with their ids. A name is not a thing: somebody can rename a space, delete
//! a role, or give its name to another one. While the text in the spec is the recorded one, it must mean the recorded id.

use std::collections::BTreeSet;

use rolewright_api::ResolvedName;
use rolewright_core::{
    model::{Body, Grant, Id, Kind, Level, Named, Snapshot},
    planner::{Held, Issue, Problem},
};

/// The field of a scope.
pub const SCOPE: &str = "spec.scope";
/// The field of the name of an external role.
pub const EXTERNAL_NAME: &str = "spec.roleRef.external.name";

/// The longest text and id that a status can record.
const MAX_RECORDED: usize = 512;

/// The recorded names of an object, and those that were resolved now.
pub struct RecordedNames<'a> {
    recorded: &'a [ResolvedName],
    now: Vec<ResolvedName>,
    /// The user changed the name of a scope, so the narrower names in it can mean other ids.
    scope_changed: bool,
}

impl<'a> RecordedNames<'a> {
    /// The names in a status.
    pub fn new(recorded: &'a [ResolvedName]) -> Self {
        Self { recorded, now: Vec::new(), scope_changed: false }
    }

    /// Whether the status records none: the object is new, or an older version wrote its status.
    pub fn is_first_sight(&self) -> bool {
        self.recorded.is_empty()
    }

    /// Whether the texts of the scope are the recorded ones, as far as they were resolved.
    pub fn scope_is_unchanged(&self) -> bool {
        !self.scope_changed
    }

    /// Records the id of a level of the scope. Levels come from the widest to the narrowest.
    ///
    /// # Errors
    /// The text is the recorded one and meant another id.
    pub fn add_scope(&mut self, field: String, text: &str, id: &Id) -> Result<(), Problem> {
        let mut recorded = self.recorded.iter().filter(|name| name.field.starts_with(SCOPE));
        let is_resolved = |name: &ResolvedName| self.now.iter().any(|now| now.field == name.field);
        let first_new = recorded.find(|name| !is_resolved(name));
        self.scope_changed |= first_new.is_none_or(|name| name.field != field || name.name != text);
        if self.scope_changed {
            self.set(field, text, id);
            return Ok(());
        }
        self.check(field, text, id)
    }

    /// Records the id of a role that the spec names.
    ///
    /// # Errors
    /// The text is the recorded one and meant another id.
    pub fn check(&mut self, field: String, text: &str, id: &Id) -> Result<(), Problem> {
        let same_text = |name: &&ResolvedName| name.field == field && name.name == text;
        let Some(before) = self.recorded.iter().find(same_text) else {
            self.set(field, text, id);
            return Ok(());
        };
        let recorded = Id::new(before.id.clone());
        if recorded != *id {
            self.now.push(before.clone());
            return Err(means_another(&field, text, recorded.as_str(), id.as_str()));
        }
        self.set(field, text, id);
        Ok(())
    }

    /// Records the id of a text without a check.
    pub fn set(&mut self, field: String, text: &str, id: &Id) {
        let name = ResolvedName { field, name: text.to_owned(), id: id.to_string() };
        if name.name.len() <= MAX_RECORDED && name.id.len() <= MAX_RECORDED {
            self.now.push(name);
        }
    }

    /// Records nothing of what was resolved.
    pub fn forget(&mut self) {
        self.now.clear();
    }

    /// What the status records from now on. A name that could not be resolved keeps its record while the spec has its field.
    pub fn into_status(self, fields: &BTreeSet<String>) -> Vec<ResolvedName> {
        let mut names = self.now;
        let unresolved = |name: &&ResolvedName| {
            fields.contains(&name.field)
                && !names.iter().any(|now| now.field == name.field)
                && !(self.scope_changed && name.field.starts_with(SCOPE))
        };
        let kept: Vec<ResolvedName> = self.recorded.iter().filter(unresolved).cloned().collect();
        names.extend(kept);
        names
    }
}

/// The problem of an object whose status an older version wrote, without names: its names mean another scope or role now than its grants
/// have, although its spec did not change since. Such a status is completed before anything moves.
///
/// `scope`: the field and the text of the narrowest name. `external`: the text of an external role.
pub fn moved_before_record(
    held: &[Held],
    snapshot: &Snapshot,
    grant: impl Fn(Named) -> Grant,
    scope: Option<(&str, &str)>,
    external: Option<&str>,
) -> Option<Problem> {
    let grants = || held.iter().filter(|held| held.kind == Kind::Grant && held.is_present());
    let desired = |held: &Held| {
        grant(Named::unnamed(Level::USER, Id::new(held.key.get("subject").unwrap_or_default())))
    };
    let is_desired = |held: &Held| Body::Grant(desired(held)).fingerprint() == held.fingerprint;
    let now = desired(grants().next()?);
    if grants().any(is_desired) {
        return None;
    }
    let seen = |held: &Held| match &snapshot.by_id(Kind::Grant, held.id()?)?.body {
        Body::Grant(grant) => Some(grant.clone()),
        _ => None,
    };
    let seen: Vec<Grant> = grants().filter_map(seen).collect();
    let before = seen.first();
    let id = |scope: &Option<Named>| {
        scope.as_ref().map_or_else(|| "no scope".to_owned(), |scope| scope.id.to_string())
    };
    match (scope, before, external) {
        (Some((field, text)), Some(before), _) if seen.iter().all(|seen| seen.scope != now.scope) => {
            Some(means_another(field, text, &id(&before.scope), &id(&now.scope)))
        }
        (_, _, Some(text)) => {
            let before = before.map_or("another role", |before| before.role.text());
            Some(means_another(EXTERNAL_NAME, text, before, now.role.text()))
        }
        _ => None,
    }
}

/// The problem of a name that now means another id.
fn means_another(field: &str, text: &str, before: &str, now: &str) -> Problem {
    Problem::new(
        Issue::Conflict,
        format!(
            "{field}: {text:?} meant {before} and now means {now}, although the text did not change: nothing was granted or moved. Write \
             the id of the one that you mean ({}), or another name",
            by_id(field)
        ),
    )
}

/// How a spec writes an id instead of a name.
fn by_id(field: &str) -> &'static str {
    if field.starts_with(SCOPE) { "scope: {id: ...}" } else { "roleRef: {external: {id: ...}}" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: &str = "spec.scope.space";
    const PROJECT: &str = "spec.scope.project";

    fn recorded(names: &[(&str, &str, &str)]) -> Vec<ResolvedName> {
        let owned = |(field, name, id): &(&str, &str, &str)| ResolvedName {
            field: (*field).to_owned(),
            name: (*name).to_owned(),
            id: (*id).to_owned(),
        };
        names.iter().map(owned).collect()
    }

    /// What the status records next, or the issue of the first name that means another id.
    fn scopes(
        before: &[(&str, &str, &str)],
        now: &[(&str, &str, &str)],
    ) -> (Vec<ResolvedName>, Option<Issue>) {
        let before = recorded(before);
        let mut names = RecordedNames::new(&before);
        let mut add = |(field, text, id): &(&str, &str, &str)| {
            names.add_scope((*field).to_owned(), text, &Id::new(*id))
        };
        let problem = now.iter().try_for_each(&mut add).err();
        let fields = now.iter().map(|(field, ..)| (*field).to_owned()).collect();
        (names.into_status(&fields), problem.map(|problem| problem.issue))
    }

    #[test]
    fn unchanged_text_must_mean_the_recorded_id() {
        let before = [(SPACE, "research", "s1"), (PROJECT, "churn", "p1")];
        assert_eq!(scopes(&before, &before), (recorded(&before), None));
        for now in [
            [(SPACE, "research", "s2"), (PROJECT, "churn", "p2")],
            [(SPACE, "research", "s1"), (PROJECT, "churn", "p2")],
        ] {
            assert_eq!(scopes(&before, &now), (recorded(&before), Some(Issue::Conflict)));
        }
    }

    #[test]
    fn changed_text_means_what_it_says() {
        let before = [(SPACE, "research", "s1"), (PROJECT, "churn", "p1")];
        for now in [
            vec![(SPACE, "storefront", "s2"), (PROJECT, "churn", "p2")],
            vec![(SPACE, "research", "s1"), (PROJECT, "checkout", "p2")],
            vec![("spec.scope.id", "s2", "s2")],
            vec![(SPACE, "research", "s1")],
            vec![("spec.scope.organization", "Commerce", "o"), (SPACE, "research", "s2")],
        ] {
            assert_eq!(scopes(&before, &now), (recorded(&now), None));
        }
    }

    #[test]
    fn first_sight_is_recorded() {
        let now = [(SPACE, "research", "s1")];
        assert_eq!(scopes(&[], &now), (recorded(&now), None));
        // A role in the record before the scope does not count as a wider scope.
        let mixed = [("spec.roleRef.name", "reader", "r"), now[0]];
        assert_eq!(scopes(&mixed, &[(SPACE, "research", "s2")]).1, Some(Issue::Conflict));
    }

    #[test]
    fn unresolved_name_keeps_its_record() {
        let before = recorded(&[(SPACE, "research", "s1"), (PROJECT, "churn", "p1")]);
        let fields: BTreeSet<String> = [SPACE, PROJECT].map(str::to_owned).into();
        let names = RecordedNames::new(&before);
        assert_eq!(names.into_status(&fields), before);
        // In another space, the project is another name.
        let mut names = RecordedNames::new(&before);
        names.add_scope(SPACE.to_owned(), "storefront", &Id::new("s2")).expect("a new text");
        assert_eq!(names.into_status(&fields), recorded(&[(SPACE, "storefront", "s2")]));
        let mut names = RecordedNames::new(&before);
        names.add_scope(SPACE.to_owned(), "research", &Id::new("s1")).expect("the recorded id");
        assert_eq!(names.into_status(&fields), before);
    }

    #[test]
    fn message_names_the_field_and_both_ids() {
        let problem = means_another(SPACE, "research", "s1", "s2");
        for words in ["spec.scope.space", "research", "meant s1", "now means s2", "scope: {id: ...}"] {
            assert!(problem.message.contains(words), "{}", problem.message);
        }
    }
}
