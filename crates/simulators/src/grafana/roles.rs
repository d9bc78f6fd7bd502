//! Roles: what they are, and reading them (contract 2.1, 2.2, 3.3).

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    permissions::Permission,
    problem::Problem,
    state::Tenant,
    switches::{DisplayNameFallback, Generation, Licence, PermissionOrder, Switches},
};
use crate::kit::table::identified;

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its number, which no path shows.
    pub id: i64,
    /// Its uid, unique on the server.
    pub uid: String,
    /// Its organization; 0 for a global role.
    #[serde(default)]
    pub org_id: i64,
    /// Its version.
    #[serde(default)]
    pub version: i64,
    /// Its name, unique in its organization.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub display_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The group that it is shown under.
    #[serde(default)]
    pub group: String,
    /// Whether lists leave it out.
    #[serde(default)]
    pub hidden: bool,
    /// What it permits, as sent.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Role, i64);

/// What a role is, by the start of its name (contract 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// Of the vendor; assignable.
    Fixed,
    /// Of a plugin; assignable.
    Plugin,
    /// What comes with a basic role of the organization; not assignable.
    Basic,
    /// Holds permissions on resources; never shown.
    Managed,
    /// Of an external service; not assignable.
    ExternalService,
    /// Made by users.
    Custom,
}

impl RoleKind {
    const RESERVED: [(Self, &str, &str); 5] = [
        (Self::Fixed, "fixed:", "fixed_"),
        (Self::Plugin, "plugins:", "plugins_"),
        (Self::Basic, "basic:", "basic_"),
        (Self::Managed, "managed:", "managed_"),
        (Self::ExternalService, "extsvc:", "extsvc_"),
    ];

    /// What a role of this name is.
    pub fn of_name(name: &str) -> Self {
        let reserved = Self::RESERVED.into_iter().find(|(_, prefix, _)| name.starts_with(prefix));
        reserved.map_or(Self::Custom, |(kind, _, _)| kind)
    }

    /// Whether a uid begins as those of roles that users cannot make.
    pub fn reserves_uid(uid: &str) -> bool {
        Self::RESERVED.into_iter().any(|(_, _, prefix)| uid.starts_with(prefix))
    }
}

impl Role {
    /// What it is.
    pub fn kind(&self) -> RoleKind {
        RoleKind::of_name(&self.name)
    }

    /// Whether it is there for all organizations.
    pub fn is_global(&self) -> bool {
        self.org_id == 0
    }

    /// Whether an organization has it.
    pub fn is_seen_in(&self, org: i64) -> bool {
        self.is_global() || self.org_id == org
    }
}

/// The role of this uid, if the organization has it.
pub fn find<'a>(tenant: &'a Tenant, org: i64, uid: &str) -> Option<&'a Role> {
    tenant.roles.iter().find(|role| role.uid == uid && role.is_seen_in(org))
}

/// The role of this uid, if the organization has it.
///
/// # Errors
/// 404.
pub fn get<'a>(tenant: &'a Tenant, org: i64, uid: &str) -> Result<&'a Role, Problem> {
    find(tenant, org, uid).ok_or_else(|| Problem::not_found("role not found"))
}

/// GET `/access-control/status`
pub fn status(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("status:accesscontrol", "services:accesscontrol")?;
    Ok(Answer::ok(json!({ "enabled": scene.tenant.switches.licence == Licence::Valid })))
}

/// GET `/access-control/roles`: no pages, no permissions.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:read", "roles:*")?;
    let org = scene.target_org()?;
    let with_hidden = scene.is_asked("includeHidden");
    let with_delegatable = scene.is_asked("delegatable");
    let tenant = &*scene.tenant;
    let shown = tenant.roles.iter().filter(|role| {
        role.is_seen_in(org) && role.kind() != RoleKind::Managed && (with_hidden || !role.hidden)
    });
    let entries = shown.map(|role| {
        let mut entry = summary(role, &tenant.switches);
        if with_delegatable && scene.caller.may_delegate(&role.permissions) {
            entry["delegatable"] = true.into();
        }
        entry
    });
    Ok(Answer::ok(entries.collect()))
}

/// GET `/access-control/roles/{uid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let uid = scene.call.param(0);
    let scope = match scene.tenant.switches.generation {
        Generation::V11 => "roles:*".to_owned(),
        Generation::V12 | Generation::V13 => format!("roles:uid:{uid}"),
    };
    scene.require("roles:read", &scope)?;
    let role = get(scene.tenant, scene.caller.org, uid)?.clone();
    Ok(Answer::ok(scene.whole(&role)))
}

/// A role as lists show it.
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
    if !display_name.is_empty() {
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

/// A role with its permissions, in whatever order the switch says.
pub fn whole(role: &Role, switches: &Switches, dice: &mut fastrand::Rng) -> Value {
    let mut permissions = role.permissions.clone();
    match switches.permission_order {
        PermissionOrder::AsSent => {}
        PermissionOrder::Sorted => permissions.sort_unstable(),
        PermissionOrder::Shuffled => dice.shuffle(&mut permissions),
    }
    let mut entry = summary(role, switches);
    if !permissions.is_empty() {
        let wire = |held: Permission| {
            json!({
                "action": held.action,
                "scope": held.scope,
                "updated": role.updated,
                "created": role.updated,
            })
        };
        entry["permissions"] = permissions.into_iter().map(wire).collect();
    }
    entry
}

/// A role in a list of what a user or a team has.
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

/// Ends a call that would change, delete or shadow a role that users cannot make.
///
/// # Errors
/// The switched status.
pub fn protected(switches: &Switches, what: &str) -> Problem {
    Problem::switched(switches.protected_role_status, format!("{what} cannot be created, changed or deleted"))
}

/// The roles of this uid must be assignable (contract 3.9).
///
/// # Errors
/// 400 for basic, managed and external services' roles.
pub fn assignable(role: &Role) -> Result<(), Problem> {
    match role.kind() {
        RoleKind::Basic | RoleKind::Managed | RoleKind::ExternalService => {
            Err(Problem::legacy(StatusCode::BAD_REQUEST, "this role cannot be assigned"))
        }
        RoleKind::Fixed | RoleKind::Plugin | RoleKind::Custom => Ok(()),
    }
}
