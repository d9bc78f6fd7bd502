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
    let found = if let Some(text) = &place.id {
        let id = Id::new(text);
        names.add_scope(format!("{field}.id"), text, &id)?;
        let level = around.dialect.level_of(&id).unwrap_or(UNKNOWN);
        around.snapshot.directory().named(level, &id)
    } else {
        let mut found: Option<Named> = None;
        for &level in around.dialect.capabilities().levels {
            let Some(name) = place.levels.get(&level) else { continue };
            let named = if let Some(id) = around.dialect.id_of(level, name) {
                around.snapshot.directory().named(level, &id)
            } else {
                find(around, level, name, found.as_ref(), lookups)
                    .map_err(|problem| problem.of_field(&format!("{field}.{level}")))?
            };
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
