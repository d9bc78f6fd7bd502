//! Maps Arize's types to the model of access. Makes no call.

use std::collections::BTreeMap;

use super::{dialect::ArizeDialect, ids, wire};
use crate::reading::present;
use rolewright_core::model::{
    Body, Directory, Effect, Entry, Grant, Id, IdentityRules, Level, Named, Observed, Restriction, Role,
    RoleRef, Rule,
};

/// Why a predefined role is read-only (contract 4.4).
const PREDEFINED: &str = "a predefined role";

/// Where the names of ids come from: bindings and restrictions have ids only.
pub trait Names {
    /// The name of an id, or the id itself where the name is not known.
    fn named(&self, level: Level, id: Id) -> Named;
}

/// No names are known.
pub struct NoNames;

impl Names for NoNames {
    fn named(&self, level: Level, id: Id) -> Named {
        Named::unnamed(level, id)
    }
}

impl Names for Directory {
    fn named(&self, level: Level, id: Id) -> Named {
        Directory::named(self, level, &id)
    }
}

/// The names in a grant, for an answer about the same grant.
impl Names for Grant {
    fn named(&self, level: Level, id: Id) -> Named {
        let known = [Some(&self.subject), self.scope.as_ref(), self.role.existing()];
        let known = known.into_iter().flatten().find(|known| known.id == id);
        known.cloned().unwrap_or_else(|| NoNames.named(level, id))
    }
}

/// The name in a restriction, for an answer about the same restriction.
impl Names for Restriction {
    fn named(&self, level: Level, id: Id) -> Named {
        if self.resource.id == id { self.resource.clone() } else { NoNames.named(level, id) }
    }
}

/// A role. None where the answer omits the permissions: an empty set would look as if they had been removed.
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
    let read_only = role.is_predefined.then(|| PREDEFINED.to_owned());
    Some(Observed { read_only, ..observed(Id::new(role.id), body) })
}

/// A role without its permissions.
pub fn outline(role: &wire::Role) -> Observed {
    let shown = wire::Role { permissions: Some(Vec::new()), ..role.clone() };
    let mut seen = self::role(shown).expect("a role with permissions");
    seen.outline = true;
    seen
}

/// A grant.
pub fn grant(binding: wire::Binding, names: &impl Names) -> Observed {
    let resource = Id::new(binding.resource_id);
    let level = ids::level_of_resource(Some(&binding.resource_type), &resource);
    let body = Body::Grant(Grant {
        role: RoleRef::Existing(names.named(Level::ROLE, Id::new(binding.role_id))),
        subject: names.named(Level::USER, Id::new(binding.user_id)),
        scope: Some(names.named(level, resource)),
    });
    observed(Id::new(binding.id), body)
}

/// A restriction. It has no id of its own: its id is that of the restricted resource (contract 2.3).
pub fn restriction(restriction: wire::Restriction, names: &impl Names) -> Observed {
    let id = Id::new(restriction.resource_id);
    let level = ids::level_of_resource(restriction.resource_type.as_deref(), &id);
    observed(id.clone(), Body::Restriction(Restriction::new(names.named(level, id))))
}

fn observed(id: Id, body: Body) -> Observed {
    Observed::new(id, ArizeDialect.key(&body), body)
}

/// An entry of the directory. Without a name it can be found by its id only.
pub fn entry(level: Level, id: String, name: Option<String>, parent: Option<String>) -> Entry {
    let name = present(name).unwrap_or_else(|| id.clone());
    let named = Named::new(level, Id::new(id), name);
    Entry { named, parent: parent.map(Id::new), aliases: Vec::new() }
}

/// A service key as the account that it acts for: the id of its bot user, under the name of the key. None where the server does not show
/// the bot user, as before 2026-10 (contract 2.7, 6.10).
pub fn service_account(key: wire::ApiKey) -> Option<Entry> {
    let bot = key.bot_user?;
    let id = present(bot.id)?;
    let name = present(key.name).or(bot.name);
    Some(entry(Level::SERVICE_ACCOUNT, id, name, None))
}
