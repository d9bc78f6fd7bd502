//! Ids and levels. Arize's ids are padded base64 of `<Type>:<number>:<suffix>`, so an id shows its type (contract 4.9, 4.10).

use base64::{Engine, engine::general_purpose::STANDARD};

use rolewright_core::model::{Id, Level, Named};

/// The levels of what has a name or can be restricted.
pub const ORGANIZATION: Level = Level::new("organization");
pub const SPACE: Level = Level::new("space");
pub const PROJECT: Level = Level::new("project");
pub const DASHBOARD: Level = Level::new("dashboard");
pub const PROMPT: Level = Level::new("prompt");
/// The level of a type that this version does not know. New types appear every few months (contract 6.2).
const RESOURCE: Level = Level::new("resource");

/// The id that a text in a spec is. None for a name: SDKs treat an unpadded id as a name too (contract 4.10, 6.14).
pub fn of_text(text: &str) -> Option<Id> {
    decoded(text).map(|_| Id::new(text))
}

/// The level that an id shows.
pub fn level_of(id: &Id) -> Option<Level> {
    let decoded = decoded(id.as_str())?;
    // Projects and organizations have two type names each (contract 4.9).
    match decoded.split(':').next()? {
        "AccountOrganization" | "Organization" => Some(ORGANIZATION),
        "Space" => Some(SPACE),
        "Model" | "Project" => Some(PROJECT),
        "Dashboard" => Some(DASHBOARD),
        "Prompt" => Some(PROMPT),
        "User" => Some(Level::USER),
        "Role" => Some(Level::ROLE),
        _ => None,
    }
}

/// The level of a resource, by its type where the server shows one, else by its id. Servers differ in the case of types (contract 6.1).
pub fn level_of_resource(resource_type: Option<&str>, id: &Id) -> Level {
    let known = [ORGANIZATION, SPACE, PROJECT, DASHBOARD, PROMPT];
    let level = match resource_type {
        Some(name) => known.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name)),
        None => level_of(id),
    };
    level.unwrap_or(RESOURCE)
}

/// The resource type that requests use for a level (contract 2.2, 2.3).
pub fn type_of(level: Level) -> String {
    level.as_str().to_ascii_uppercase()
}

/// The resource type of bindings on this scope. None where no role can be bound (contract 2.2).
pub fn binding_type(scope: &Named) -> Option<&'static str> {
    match scope.level {
        SPACE => Some("SPACE"),
        PROJECT => Some("PROJECT"),
        _ => None,
    }
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok().filter(|decoded| decoded.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_padded_base64_with_a_colon_inside() {
        for text in ["Um9sZToxOlY0S2E=", "VXNlcjoxMjM0NQ=="] {
            assert_eq!(of_text(text), Some(Id::new(text)));
        }
        for text in [
            "",
            "Um9sZToxOlY0S2E",
            "VXNlcjoxMjM0NR==",
            "alice@example.com",
            "Project Viewer",
            "bmFtZQ==",
            "/////w==",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_shows_its_level() {
        for (text, level) in [
            ("AccountOrganization:45060:1xJ+", Some(ORGANIZATION)),
            ("Organization:1", Some(ORGANIZATION)),
            ("Space:47633:YwgK", Some(SPACE)),
            ("Model:121:aBcD", Some(PROJECT)),
            ("Project:121:aBcD", Some(PROJECT)),
            ("Dashboard:456:aBcD", Some(DASHBOARD)),
            ("Prompt:4:aBcD", Some(PROMPT)),
            ("User:12345", Some(Level::USER)),
            ("Role:1:V4Ka", Some(Level::ROLE)),
            ("Evaluator:1:V4Ka", None),
        ] {
            assert_eq!(level_of(&Id::new(STANDARD.encode(text))), level, "{text}");
        }
        assert_eq!(level_of(&Id::new("research")), None);
    }

    #[test]
    fn a_resource_type_is_known_in_any_case() {
        let project = Id::new(STANDARD.encode("Model:121:aBcD"));
        for resource_type in [Some("PROJECT"), Some("project"), None] {
            assert_eq!(level_of_resource(resource_type, &project), PROJECT);
        }
        assert_eq!(level_of_resource(Some("NOTEBOOK"), &project), RESOURCE);
    }
}
