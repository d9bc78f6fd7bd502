//! Scopes and resources, as specs name them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    names::{Lookup, Surroundings, find},
    recorded::RecordedNames,
};
use rolewright_api as api;
use rolewright_core::model::{Dialect, Id, Level, Named};
use rolewright_core::planner::{Issue, Problem};

/// The level of an id that does not show its level.
const UNKNOWN: Level = Level::new("");

/// A scope or resource as a spec names it: by levels from the widest to the narrowest, or by an id.
pub struct Place {
    levels: BTreeMap<Level, String>,
    id: Option<String>,
}

impl Place {
    pub fn of_scope(scope: Option<&api::Scope>) -> Self {
        let Some(scope) = scope else { return Self { levels: BTreeMap::new(), id: None } };
        Self::new(scope.levels(), &scope.id)
    }

    pub fn of_resource(resource: &api::ResourceRef) -> Self {
        Self::new(resource.levels(), &resource.id)
    }

    fn new(levels: Vec<(&'static str, &str)>, id: &Option<String>) -> Self {
        let levels = levels.into_iter().map(|(level, name)| (Level::new(level), name.to_owned())).collect();
        Self { levels, id: id.clone() }
    }
}

impl Place {
    /// The fields of the spec that name the place.
    pub fn fields(&self, field: &str) -> impl Iterator<Item = String> {
        let id = self.id.iter().map(|_| "id");
        id.chain(self.levels.keys().map(|level| level.as_str())).map(move |level| format!("{field}.{level}"))
    }

    /// The text of the narrowest name. None if the place is an id.
    pub fn name(&self, level: Level) -> Option<&str> {
        self.levels.get(&level).map(String::as_str)
    }
}

/// The level of the narrowest thing that a place names.
pub fn deepest(place: &Place, dialect: &dyn Dialect) -> Option<Level> {
    let levels = dialect.capabilities().levels;
    levels.iter().rev().find(|level| place.levels.contains_key(level)).copied()
}

/// A place below another is looked up inside it, so the wider levels are needed too.
pub fn place_levels(place: &Place, dialect: &dyn Dialect) -> Vec<Level> {
    let levels = dialect.capabilities().levels;
    let by_id = place.id.as_deref().and_then(|id| dialect.level_of(&Id::new(id)));
    let deepest = levels.iter().rposition(|level| place.levels.contains_key(level) || by_id == Some(*level));
    match deepest {
        // An organization is needed only where one is named.
        Some(deepest) => {
            let named_first =
                levels.iter().position(|level| place.levels.contains_key(level)).unwrap_or(deepest);
            levels[named_first.min(deepest)..=deepest].to_vec()
        }
        None => Vec::new(),
    }
}

/// The scope or resource that a place names, and the id of each of its names.
pub fn locate(
    place: &Place,
    field: &str,
    admitted: &[Level],
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
    names: &mut RecordedNames<'_>,
) -> Result<Named, Problem> {
    check_levels(place, field, admitted, around.dialect)?;
    let found = if let Some(text) = &place.id {
        let id = Id::new(text);
        names.add_scope(format!("{field}.id"), text, &id)?;
        let level = around.dialect.level_of(&id).unwrap_or(UNKNOWN);
        around.snapshot.directory().named(level, &id)
    } else {
        let mut found: Option<Named> = None;
        for &level in around.dialect.capabilities().levels {
            let Some(name) = place.levels.get(&level) else { continue };
            let named = find(around, level, name, found.as_ref(), lookups)
                .map_err(|problem| problem.of_field(&format!("{field}.{level}")))?;
            names.add_scope(format!("{field}.{level}"), name, &named.id)?;
            found = Some(named);
        }
        found.ok_or_else(|| {
            Problem::new(
                Issue::Invalid,
                format!(
                    "{field}: names nothing that {} has this for: write {}",
                    around.dialect.vendor(),
                    by_name_or_id(admitted, around.dialect.capabilities().levels)
                ),
            )
        })?
    };
    if !admitted.contains(&found.level) {
        // A text without a mark of a vendor looks like the id of a role.
        let message = if found.level == UNKNOWN || found.level == Level::ROLE {
            let admitted = by_name_or_id(admitted, around.dialect.capabilities().levels);
            format!(
                "{field}.id: {:?} is not the id of something that can stand here: write {admitted}",
                found.id.as_str()
            )
        } else {
            format!(
                "{field}: {} is a {}, and {} has this for: {}",
                found.name,
                found.level,
                around.dialect.vendor(),
                listed(admitted, ", ")
            )
        };
        return Err(Problem::new(Issue::Invalid, message));
    }
    Ok(found)
}

/// A name at a level that the back end does not have would be ignored, and the place would be wider than the spec says.
fn check_levels(
    place: &Place,
    field: &str,
    admitted: &[Level],
    dialect: &dyn Dialect,
) -> Result<(), Problem> {
    let levels = dialect.capabilities().levels;
    let Some(foreign) = place.levels.keys().find(|level| !levels.contains(level)) else { return Ok(()) };
    let instead = by_name_or_id(admitted, levels);
    let message = match admitted.contains(foreign) {
        true => format!("{} finds no {foreign} by its name: write {instead}", dialect.vendor()),
        false => format!("{} has no {foreign} here: write {instead}", dialect.vendor()),
    };
    Err(Problem::new(Issue::Invalid, message).of_field(&format!("{field}.{foreign}")))
}

/// The fields that a spec can write: levels by name, and those that it can name only by id.
fn by_name_or_id(admitted: &[Level], by_name: &[Level]) -> String {
    let (names, ids): (Vec<Level>, Vec<Level>) = admitted.iter().partition(|level| by_name.contains(level));
    match ids.is_empty() {
        true => listed(&names, " or "),
        false => format!("{}, or id with the id of a {}", listed(&names, " or "), listed(&ids, " or ")),
    }
}

fn listed(levels: &[Level], separator: &str) -> String {
    levels.iter().map(|level| level.as_str()).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rolewright_backends::arize::VENDOR;
    use rolewright_core::model::{Builder, Entry, Snapshot};
    use serde_json::json;

    use jiff::Timestamp;

    use super::*;

    /// Ids show their types: `Space:1:aBcD` and so on.
    const RESEARCH: &str = "U3BhY2U6MTphQmNE";
    const FINANCE: &str = "U3BhY2U6MjphQmNE";
    const CHURN: &str = "TW9kZWw6MTphQmNE";
    const LEDGER: &str = "TW9kZWw6MjphQmNE";
    const HIDDEN: &str = "TW9kZWw6MzphQmNE";

    fn snapshot() -> Snapshot {
        let mut builder = Builder::new();
        for (level, id, name, parent) in [
            ("space", RESEARCH, "research", None),
            ("space", FINANCE, "finance", None),
            ("project", CHURN, "churn", Some(RESEARCH)),
            ("project", LEDGER, "ledger", Some(FINANCE)),
        ] {
            let named = Named::new(Level::new(level), Id::new(id), name);
            builder.directory().insert(Entry { named, parent: parent.map(Id::new), aliases: Vec::new() });
        }
        builder.complete()
    }

    fn located(scope: serde_json::Value) -> Result<String, (Issue, String, usize)> {
        let scope: api::Scope = serde_json::from_value(scope).expect("a scope");
        let (snapshot, lacks, mut lookups) = (snapshot(), BTreeMap::new(), BTreeSet::new());
        let around = Surroundings {
            dialect: VENDOR.dialect,
            snapshot: &snapshot,
            role: &|_| None,
            nearest_role: &|_| None,
            suggestions: Cell::new(1),
            account: "arize",
            lacks: &lacks,
            plans_only: false,
            bounds: None,
            is_exclusive: false,
            now: Timestamp::UNIX_EPOCH,
        };
        let mut names = RecordedNames::new(&[]);
        let admitted = VENDOR.dialect.capabilities().grant_levels();
        let found =
            locate(&Place::of_scope(Some(&scope)), "spec.scope", admitted, &around, &mut lookups, &mut names);
        found
            .map(|named| named.id.to_string())
            .map_err(|problem| (problem.issue, problem.message, lookups.len()))
    }

    fn invalid(message: &str) -> Result<String, (Issue, String, usize)> {
        Err((Issue::Invalid, message.to_owned(), 0))
    }

    #[test]
    fn id_names_a_place_like_a_name() {
        for scope in [
            json!({"space": "research", "project": "churn"}),
            json!({"space": RESEARCH, "project": CHURN}),
            json!({"space": "research", "project": CHURN}),
            json!({"project": CHURN}),
            json!({"id": CHURN}),
        ] {
            assert_eq!(located(scope.clone()), Ok(CHURN.to_owned()), "{scope}");
        }
        assert_eq!(located(json!({"project": HIDDEN})), Ok(HIDDEN.to_owned()), "nothing contradicts it");
    }

    #[test]
    fn id_of_another_level_is_invalid() {
        assert_eq!(
            located(json!({"project": FINANCE})),
            invalid(&format!("spec.scope.project: {FINANCE:?} is the id of a space, not of a project"))
        );
        assert_eq!(
            located(json!({"space": LEDGER})),
            invalid(&format!("spec.scope.space: {LEDGER:?} is the id of a project, not of a space"))
        );
    }

    #[test]
    fn id_in_another_parent_is_invalid() {
        assert_eq!(
            located(json!({"space": "research", "project": LEDGER})),
            invalid("spec.scope.project: the project \"ledger\" is in space finance, not in research")
        );
    }

    #[test]
    fn unseen_id_in_a_named_parent_is_looked_up() {
        let (issue, message, lookups) =
            located(json!({"space": "research", "project": HIDDEN})).expect_err("a problem");
        assert_eq!((issue, lookups), (Issue::NotFound, 1));
        assert!(message.contains(HIDDEN) && message.contains("in space research"), "{message}");
    }

    #[test]
    fn level_that_the_back_end_lacks_is_invalid() {
        assert_eq!(
            located(json!({"workspace": "prod", "project": "churn"})),
            invalid("spec.scope.workspace: arize has no workspace here: write space or project")
        );
    }
}
