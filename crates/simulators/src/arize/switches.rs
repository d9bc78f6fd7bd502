//! What the contract leaves open, or what differs between servers: one field for each, with the default that
//! the contract holds likeliest. Part of the tenant, so `PUT /_sim/state` changes it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::permissions;

/// How the server behaves where that is not settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The generation of the server.
    pub generation: Generation,
    /// Status for changing or deleting a predefined role (contract 4: not documented).
    pub predefined_mutation_status: u16,
    /// Status for a body field that the operation does not know (contract 1: documented both ways).
    pub unknown_body_field_status: u16,
    /// Status for an identifier of another kind than the operation takes (contract 2.2).
    pub id_kind_mismatch_status: u16,
    /// Status for a PATCH with an empty object (contract 2.1: rejected, code unknown).
    pub empty_update_status: u16,
    /// Status for restricting a project that is no LLM project (contract 2.3: code unknown).
    pub not_restrictable_status: u16,
    /// Status for users who delete themselves (contract 2.4: refused, code unknown).
    pub self_deletion_status: u16,
    /// Whether PATCH of a binding moves `updated_at`, be it to the same role (contract 2.2: documented as no).
    pub binding_update_moves_updated_at: bool,
    /// What happens to a permission that a request names twice.
    pub duplicate_permissions: DuplicatePermissions,
    /// In which order permissions are answered (contract 4: unspecified).
    pub permission_order: PermissionOrder,
    /// Whether a custom role may not have a predefined role's name.
    pub predefined_names_collide: bool,
    /// Whether role names that differ in case only are different names.
    pub role_names_case_sensitive: bool,
    /// Whether the name of a deleted role stays taken: deletion is soft.
    pub deleted_role_names_stay_taken: bool,
    /// Whether an empty string as a role's description is refused with 422 instead of clearing it.
    pub empty_role_description_refused: bool,
    /// Whether a space membership with a predefined role is a role binding too. Counts when the membership
    /// is made.
    pub predefined_memberships_are_bindings: bool,
    /// What deleting a role does while bindings reference it. If absent, as the generation does: a current
    /// server refuses, an older one leaves the bindings (the contract is silent about it).
    pub role_deletion: Option<RoleDeletion>,
    /// Permissions beyond the contract's that the server knows. Predefined roles hold them: that is how a
    /// new value of the enumeration first shows up at clients.
    pub extra_permissions: BTreeSet<String>,
    /// Permissions of the contract that this server does not know yet.
    pub missing_permissions: BTreeSet<String>,
    /// Types of resources that can be restricted; on servers before 11.40 projects alone, whatever is here.
    pub restrictable: BTreeSet<ResourceType>,
    /// Whether lists hold bot users. Each can be read by its identifier in either case.
    pub bot_users_listed: bool,
    /// Whether `GET /v2/api-keys` shows bot users (since 2026-10).
    pub bot_users_in_key_list: bool,
    /// Whether the account has audit logs; 403 otherwise.
    pub audit_logs: bool,
    /// Whether a cursor is refused with 400 when the other parameters are not those it was made with.
    pub cursor_bound_to_filters: bool,
    /// The longest page, whatever `limit` asks for: short pages that are not the last.
    pub longest_page: Option<usize>,
    /// Lists are answered from a copy of the tenant that may be this old, in milliseconds: what was just
    /// written may not be listed yet.
    pub list_lag_ms: u64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            generation: Generation::Current,
            predefined_mutation_status: 403,
            unknown_body_field_status: 400,
            id_kind_mismatch_status: 400,
            empty_update_status: 422,
            not_restrictable_status: 422,
            self_deletion_status: 400,
            binding_update_moves_updated_at: false,
            duplicate_permissions: DuplicatePermissions::Merge,
            permission_order: PermissionOrder::Sorted,
            predefined_names_collide: true,
            role_names_case_sensitive: true,
            deleted_role_names_stay_taken: false,
            empty_role_description_refused: false,
            predefined_memberships_are_bindings: false,
            role_deletion: None,
            extra_permissions: BTreeSet::new(),
            missing_permissions: BTreeSet::new(),
            restrictable: ResourceType::ALL.into(),
            bot_users_listed: false,
            bot_users_in_key_list: true,
            audit_logs: true,
            cursor_bound_to_filters: true,
            longest_page: None,
            list_lag_ms: 0,
        }
    }
}

impl Switches {
    /// Whether the server is older than 11.40.
    pub fn before_1140(&self) -> bool {
        self.generation == Generation::Before1140
    }

    /// Whether the server takes this permission in a role.
    pub fn knows_permission(&self, permission: &str) -> bool {
        let known = if self.before_1140() { &permissions::BEFORE_1140 } else { &permissions::ALL };
        (known.contains(permission) && !self.missing_permissions.contains(permission))
            || self.extra_permissions.contains(permission)
    }

    /// Whether resources of this type can be restricted.
    pub fn restricts(&self, resource: ResourceType) -> bool {
        if self.before_1140() {
            resource == ResourceType::Project
        } else {
            self.restrictable.contains(&resource)
        }
    }

    /// What deleting a role does while bindings reference it.
    pub fn role_deletion(&self) -> RoleDeletion {
        let by_generation =
            if self.before_1140() { RoleDeletion::LeaveBindings } else { RoleDeletion::Refuse };
        self.role_deletion.unwrap_or(by_generation)
    }

    /// An enumeration value as this generation spells it (contract 6.1); `upper` is upper snake case.
    pub fn spell(&self, upper: &str) -> String {
        if self.before_1140() { upper.to_ascii_lowercase() } else { upper.to_owned() }
    }
}

/// The generation of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Generation {
    /// As the newest contract describes it.
    Current,
    /// Before the breaking release 11.40 of 2026-07 (contract 6.1): lower-case values of roles, keys and user
    /// status; key status `deleted`; a wrapped answer to restricting; no `organization_id` on spaces;
    /// only projects can be restricted; no `ROLE_*` permissions; binding lists are not filtered; no bot users
    /// in the list of keys.
    Before1140,
}

/// What happens to a permission that a request names twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DuplicatePermissions {
    /// It is held once.
    Merge,
    /// It is answered twice.
    Keep,
    /// The request is refused with 422.
    Refuse,
}

/// In which order permissions are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionOrder {
    /// By the alphabet.
    Sorted,
    /// As they were sent.
    AsSent,
    /// Backwards through the alphabet.
    Reversed,
}

/// What deleting a role does while bindings reference it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleDeletion {
    /// 409.
    Refuse,
    /// The bindings go too.
    Cascade,
    /// The bindings stay and name a role that is gone.
    LeaveBindings,
}

/// A type of resource that can be restricted; projects can be bound too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ResourceType {
    Project,
    Dashboard,
    Prompt,
}

impl ResourceType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Project, Self::Dashboard, Self::Prompt];

    /// The vendor's spelling, the same in both generations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "PROJECT",
            Self::Dashboard => "DASHBOARD",
            Self::Prompt => "PROMPT",
        }
    }
}
