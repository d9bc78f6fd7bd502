//! Roles in answers (contract 2.1).

use serde_json::{Value, json};

use super::call::Scene;
use crate::grafana::rows::{
    permissions::Permission,
    roles::{Role, RoleKind},
    switches::{DisplayNameFallback, Generation, PermissionOrder, Switches},
};

/// A role in a list: without permissions.
pub fn summary(role: &Role, switches: &Switches) -> Value {
    let mut entry = json!({
        "version": role.version,
        "uid": role.uid,
        "name": role.name,
        "description": role.description,
        "group": role.group,
        "updated": role.updated,
        "created": role.created,
        "global": role.is_global(),
    });
    let display_name = display_name(role, switches);
    // Version 13 describes it as required (contract 2.1).
    if !display_name.is_empty() || switches.generation >= Generation::V13 {
        entry["displayName"] = display_name.into();
    }
    if role.hidden {
        entry["hidden"] = true.into();
    }
    if let Some(fields) = entry.as_object_mut().filter(|_| switches.empty_texts_omitted) {
        fields.retain(|_, value| *value != "");
    }
    entry
}

/// A role with its permissions, in the order of the switch.
pub fn full(scene: &Scene<'_>, role: &Role) -> Value {
    let switches = &scene.tenant.switches;
    let mut permissions = role.permissions.clone();
    match switches.permission_order {
        PermissionOrder::AsSent => {}
        PermissionOrder::Sorted => permissions.sort_unstable(),
        PermissionOrder::Shuffled => scene.vendor.dice.next(switches.shuffle_seed).shuffle(&mut permissions),
    }
    let mut entry = summary(role, switches);
    if !permissions.is_empty() {
        let to_json = |permission: Permission| {
            json!({
                "action": permission.action,
                "scope": permission.scope,
                "updated": role.updated,
                "created": role.updated,
            })
        };
        entry["permissions"] = permissions.into_iter().map(to_json).collect();
    }
    entry
}

/// A role in a list of the roles of a user or a team.
pub fn assigned(role: &Role, mapped: bool, switches: &Switches) -> Value {
    let mut entry = summary(role, switches);
    if mapped {
        entry["mapped"] = true.into();
    }
    if switches.zero_created {
        entry["created"] = "0001-01-01T00:00:00Z".into();
    }
    entry
}

fn display_name(role: &Role, switches: &Switches) -> String {
    let falls_back = match switches.display_name_fallback {
        DisplayNameFallback::None => false,
        DisplayNameFallback::FixedRoles => role.kind() == RoleKind::Fixed,
        DisplayNameFallback::AllRoles => true,
    };
    if role.display_name.is_empty() && falls_back {
        let name = role.name.strip_prefix("fixed:").unwrap_or(&role.name);
        return name.replace(':', " ");
    }
    role.display_name.clone()
}
