//! Switches: behaviour that the contract leaves open, or that differs between servers.
//!
//! The defaults are what the contract describes as most likely. The switches are part of the tenant, so
//! `PUT /_sim/state` changes them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::permissions;

/// One field for each open point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The generation of the server.
    pub generation: Generation,
    /// Status for changing or deleting a predefined role (contract 4.4: code unknown).
    pub predefined_mutation_status: u16,
    /// Status for a body field that the operation does not know (contract 1.6: documented as 400 and as 422).
    pub unknown_body_field_status: u16,
    /// Status for an identifier of another kind than the operation needs (contract 2.2: code unknown).
    pub id_kind_mismatch_status: u16,
    /// Status for a PATCH with an empty object (contract 2.1: rejected, code unknown).
    pub empty_update_status: u16,
    /// Status for restricting a project that is not an LLM project (contract 2.3: code unknown).
    pub not_restrictable_status: u16,
    /// Status for a user who deletes their own user (contract 2.4: refused, code unknown).
    pub self_deletion_status: u16,
    /// Whether PATCH of a binding changes `updated_at`, even if the role stays the same (contract 2.2:
    /// documented as no).
    pub binding_update_moves_updated_at: bool,
    /// How a permission that a request repeats is handled (contract 4.6: not documented).
    pub duplicate_permissions: DuplicatePermissions,
    /// The order of permissions in answers (contract 4.6: unspecified).
    pub permission_order: PermissionOrder,
    /// Whether a custom role cannot have the name of a predefined role (contract 4.2: not documented).
    pub predefined_names_collide: bool,
    /// Whether role names that differ only in case are different names (contract 4.2: not documented).
    pub role_names_case_sensitive: bool,
    /// Whether the server removes blanks at the ends of names and descriptions of roles (contract 2.1: documented for users only).
    pub role_texts_are_trimmed: bool,
    /// Whether the name of a deleted role stays taken (contract 2.1: deletion is soft).
    pub deleted_role_names_stay_taken: bool,
    /// Whether an empty description of a role is refused with 422. If not, it clears the description.
    pub empty_role_description_refused: bool,
    /// Whether a space membership with a predefined role is a role binding too (contract 8). Takes effect
    /// when a membership is created or changed.
    pub predefined_memberships_are_bindings: bool,
    /// The effect of deleting a role that bindings reference. If absent, the generation decides: a current
    /// server refuses (contract 2.1); an older one leaves the bindings (the contract does not say).
    pub role_deletion: Option<RoleDeletion>,
    /// Permissions that the server knows in addition to the contract's. Predefined roles contain them: this
    /// is how clients first meet a new value of the enumeration.
    pub extra_permissions: BTreeSet<String>,
    /// Permissions of the contract that this server does not know yet.
    pub missing_permissions: BTreeSet<String>,
    /// Types of resources that can be restricted. Servers before 11.40 ignore it: there, only projects can.
    pub restrictable: BTreeSet<ResourceType>,
    /// Whether lists show bot users. A read by identifier always shows them.
    pub bot_users_listed: bool,
    /// Whether `GET /v2/api-keys` shows bot users (contract 2.7: since 2026-10).
    pub bot_users_in_key_list: bool,
    /// Whether the account has audit logs; 403 otherwise.
    pub audit_logs: bool,
    /// Whether a cursor is refused with 400 if the other parameters differ from those that it was made with.
    pub cursor_bound_to_filters: bool,
    /// An upper limit for pages, in addition to `limit`: a short page can have a next page (contract 6.7).
    pub longest_page: Option<usize>,
    /// Lists come from a copy of the tenant that is at most this old, in milliseconds. They can lack recent
    /// writes (contract 4.12: no delay is documented).
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
            role_texts_are_trimmed: false,
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

    /// Whether a role can contain this permission.
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

    /// The effect of deleting a role that bindings reference: by the switch, else by the generation.
    pub fn role_deletion(&self) -> RoleDeletion {
        let by_generation =
            if self.before_1140() { RoleDeletion::LeaveBindings } else { RoleDeletion::Refuse };
        self.role_deletion.unwrap_or(by_generation)
    }

    /// An enumeration value as this generation spells it (contract 6.1); `upper` is in upper snake case.
    pub fn spell(&self, upper: &str) -> String {
        if self.before_1140() { upper.to_ascii_lowercase() } else { upper.to_owned() }
    }
}

/// The generation of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Generation {
    /// As the contract describes it.
    Current,
    /// Before the breaking release 11.40 of 2026-07 (contract 6.1): roles, keys and user status have
    /// lower-case values; the key status `deleted`; the answer to restricting is wrapped; spaces have no
    /// `organization_id`; only projects can be restricted; no `ROLE_*` permissions; lists of bindings are not
    /// filtered; the list of keys has no bot users.
    Before1140,
}

/// How a permission that a request repeats is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DuplicatePermissions {
    /// The role has it once.
    Merge,
    /// The role has it twice.
    Keep,
    /// 422.
    Refuse,
}

/// The order of permissions in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionOrder {
    /// Alphabetical.
    Sorted,
    /// As in the request.
    AsSent,
    /// Reverse alphabetical.
    Reversed,
}

/// The effect of deleting a role that bindings reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleDeletion {
    /// 409.
    Refuse,
    /// The bindings are deleted too.
    Cascade,
    /// The bindings stay and reference a deleted role.
    LeaveBindings,
}

/// A type of resource that can be restricted. Role bindings exist only on projects and spaces.
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
