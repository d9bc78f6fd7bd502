//! From Arize's words to the access model, both ways, without calling anything.

use std::collections::BTreeMap;

use super::{
    dialect::{ArizeDialect, PROJECT, SERVICE_ACCOUNT, SPACE, USER},
    wire,
};
use crate::reading::present;
use rolewright_core::model::{
    Body, Dialect, Directory, Effect, Entry, Grant, Id, Named, Observed, ROLE, Restriction, Role, RoleRef,
    Rule,
};

/// Why a predefined role may not be written (contract 4).
const PREDEFINED: &str = "a predefined role";

/// Where names of ids come from.
pub trait Names {
    /// What an id is called; the id itself where nobody knows.
    fn named(&self, level: &str, id: Id) -> Named;
}

/// Nobody knows any name.
pub struct NoNames;

impl Names for NoNames {
    fn named(&self, level: &str, id: Id) -> Named {
        Named::unnamed(level, id)
    }
}

impl Names for Directory {
    fn named(&self, level: &str, id: Id) -> Named {
        Directory::named(self, level, &id)
    }
}

/// The names in a body, for what the back end answers about the same thing.
impl Names for Body {
    fn named(&self, level: &str, id: Id) -> Named {
        let known: Vec<&Named> = match self {
            Body::Role(_) | Body::Group(_) => Vec::new(),
            Body::Grant(Grant { role, subject, scope }) => {
                [Some(subject), scope.as_ref(), role.existing()].into_iter().flatten().collect()
            }
            Body::Restriction(restriction) => vec![&restriction.resource],
        };
        match known.into_iter().find(|known| known.id == id) {
            Some(known) => known.clone(),
            None => NoNames.named(level, id),
        }
    }
}

/// A role. None where it does not show its permissions: read as none, they would look taken away.
pub fn role(role: wire::Role) -> Option<Observed> {
    let permissions = match role.permissions {
        Some(permissions) => permissions,
        None if role.is_predefined => Vec::new(),
        None => return None,
    };
    let allow = |action: String| Rule { effect: Effect::Allow, action, resource: None };
    let body = Body::Role(Role {
        name: role.name,
        display_name: None,
        description: present(role.description),
        rules: permissions.into_iter().map(allow).collect(),
        settings: BTreeMap::new(),
        unreadable: false,
    });
    Some(observed(Id::new(role.id), body, role.is_predefined.then(|| PREDEFINED.to_owned())))
}

/// A grant.
pub fn grant(binding: wire::Binding, names: &impl Names) -> Observed {
    let level = level_of_type(&binding.resource_type);
    let body = Body::Grant(Grant {
        role: RoleRef::Existing(names.named(ROLE, Id::new(binding.role_id))),
        subject: names.named(USER, Id::new(binding.user_id)),
        scope: Some(names.named(&level, Id::new(binding.resource_id))),
    });
    observed(Id::new(binding.id), body, None)
}

/// A restriction. It has no id of its own: the restricted resource's stands for it (contract 2.3).
pub fn restriction(restriction: wire::Restriction, names: &impl Names) -> Observed {
    let id = Id::new(restriction.resource_id);
    let level = match &restriction.resource_type {
        Some(resource_type) => level_of_type(resource_type),
        None => ArizeDialect.level_of(&id).unwrap_or("resource").to_owned(),
    };
    observed(id.clone(), Body::Restriction(Restriction::new(names.named(&level, id))), None)
}

fn observed(id: Id, body: Body, read_only: Option<String>) -> Observed {
    Observed { read_only, ..Observed::new(id, ArizeDialect.key(&body), body) }
}

/// The level of a resource type, in whichever case the server writes it (contract 6.1).
pub fn level_of_type(resource_type: &str) -> String {
    resource_type.to_ascii_lowercase()
}

/// The resource type of a level, as it is sent (contract 2.2, 2.3).
pub fn type_of_level(level: &str) -> String {
    level.to_ascii_uppercase()
}

/// The type that bindings of a scope have. None where nothing can be bound (contract 2.2).
pub fn binding_type(scope: &Named) -> Option<&'static str> {
    match scope.level.as_str() {
        SPACE => Some("SPACE"),
        PROJECT => Some("PROJECT"),
        _ => None,
    }
}

/// An entry of the directory; without a name it is found by its id alone.
pub fn entry(level: &str, id: String, name: Option<String>, parent: Option<String>) -> Entry {
    let name = present(name).unwrap_or_else(|| id.clone());
    let named = Named::new(level, Id::new(id), name);
    Entry { named, parent: parent.map(Id::new), aliases: Vec::new() }
}

/// A service key as the account that it acts as: its bot user's id, under the name that people gave the key. None where the
/// server does not tell the bot user, as those before 2026-10 (contract 2.7).
pub fn service_account(key: wire::ApiKey) -> Option<Entry> {
    let bot = key.bot_user?;
    let id = present(bot.id)?;
    let name = present(key.name).or(bot.name);
    Some(entry(SERVICE_ACCOUNT, id, name, None))
}
