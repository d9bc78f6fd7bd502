//! What the contract leaves open, or what differs between servers: one field for each, with the default that
//! the contract holds likeliest. Part of the tenant, so `PUT /_sim/state` changes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How the server behaves where that is not settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The generation of the server.
    pub generation: Generation,
    /// Whether the server is licensed for roles. May change while it runs: licences lapse.
    pub licence: Licence,
    /// Status of a role or a group mapping that was created (contract 2.2: 201, the documentation says 200).
    pub create_status: u16,
    /// Whether permissions of roles are validated (contract 3.7).
    pub permission_validation: bool,
    /// Whether a refused permission is answered with a 400 that says nothing more (contract 3.7, older).
    pub opaque_validation_errors: bool,
    /// Whether a refused permission has the message identifier of the open registry, such as
    /// `permreg.unknown-action` (contract 3.10), instead of that of roles.
    pub registry_message_ids: bool,
    /// Actions beyond those that the server knows, with the scopes that each takes: prefixes such as
    /// `folders:uid:`, none for an action without scope.
    pub extra_actions: BTreeMap<String, BTreeSet<String>>,
    /// Actions that this server does not know.
    pub missing_actions: BTreeSet<String>,
    /// What happens to a permission that a request names twice (contract 8).
    pub duplicate_permissions: DuplicatePermissions,
    /// In which order the permissions of a role are answered (contract 3.7: undefined).
    pub permission_order: PermissionOrder,
    /// Seed of the shuffle, if permissions are shuffled.
    pub shuffle_seed: u64,
    /// Which roles without a display name are answered with one made from the name (contract 3.7).
    pub display_name_fallback: DisplayNameFallback,
    /// Whether roles of users and teams are answered with the zero time as `created` (contract 2.1).
    pub zero_created: bool,
    /// Whether roles without description or group are answered without the field (contract 2.1).
    pub empty_texts_omitted: bool,
    /// Status for a name or uid that is taken (contract 3.2: 400).
    pub duplicate_role_status: u16,
    /// Whether an update must send a version (contract 3.1, documentation).
    pub version_required: bool,
    /// Whether an update may send the stored version itself (contract 3.1, wording for 13).
    pub same_version_passes: bool,
    /// Status for a version that is not greater than the stored one (contract 3.1).
    pub stale_version_status: u16,
    /// Status for changing or deleting a fixed, plugin, managed or external service's role, for deleting a
    /// basic one, and for names and uids that are reserved for them (contract 3.3).
    pub protected_role_status: u16,
    /// Status for deleting a role that is assigned, without `force` (contract 3.8).
    pub assigned_role_status: u16,
    /// Status where `global` is not what the role is (contract 3.4).
    pub global_mismatch_status: u16,
    /// Whether an update of a global role must say `global: true` (contract 3.1, wording of 2026-06).
    pub update_checks_global: bool,
    /// Whether texts that an update does not have are cleared instead of kept (contract 2.1).
    pub absent_texts_clear: bool,
    /// Whether `hidden` keeps its value in an update that does not have it.
    pub absent_hidden_keeps: bool,
    /// Status of assigning to a user what the user has (contract 3.9).
    pub repeated_user_assignment_status: u16,
    /// Status of taking from a user what the user has not (contract 3.9).
    pub missing_user_assignment_status: u16,
    /// Status of mapping a group that is mapped already.
    pub duplicate_group_mapping_status: u16,
    /// Whether deleting a user leaves the assignments, so that GET answers an id that PUT refuses
    /// (contract 3.9).
    pub deleted_users_stay_assigned: bool,
    /// Whether the assignments of a global role may name principals of other organizations (contract 8).
    pub assignments_take_other_orgs: bool,
    /// Users whom `POST users/roles/search` leaves out although they have roles.
    pub search_omits_users: BTreeSet<i64>,
    /// Teams that `POST teams/roles/search` leaves out although they have roles.
    pub search_omits_teams: BTreeSet<i64>,
    /// Whether a search answers known ids that have no roles, with an empty list.
    pub search_lists_roleless: bool,
    /// Whether a search answers unknown ids, with an empty list.
    pub search_lists_unknown: bool,
    /// Whether the call that sets several permissions of a resource takes away those that it does not name, as on the newest servers; else
    /// it is a patch (contract 2.5).
    pub permissions_are_replaced: bool,
    /// Whether data sources have permissions without a licence.
    pub unlicensed_data_source_permissions: bool,
    /// How long a caller's permissions are remembered, in milliseconds (contract 3.6: up to a minute).
    pub permission_cache_ms: u64,
    /// Whether every 401 is the plain `{"message":"Unauthorized"}` (contract 3.10).
    pub plain_unauthorized: bool,
    /// Whether legacy errors tell their cause in `error` (contract 3.10: development mode).
    pub development_mode: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            generation: Generation::V13,
            licence: Licence::Valid,
            create_status: 201,
            permission_validation: true,
            opaque_validation_errors: false,
            registry_message_ids: false,
            extra_actions: BTreeMap::new(),
            missing_actions: BTreeSet::new(),
            duplicate_permissions: DuplicatePermissions::Merge,
            permission_order: PermissionOrder::Shuffled,
            shuffle_seed: 13,
            display_name_fallback: DisplayNameFallback::FixedRoles,
            zero_created: false,
            empty_texts_omitted: false,
            duplicate_role_status: 400,
            version_required: false,
            same_version_passes: false,
            stale_version_status: 400,
            protected_role_status: 400,
            assigned_role_status: 400,
            global_mismatch_status: 404,
            update_checks_global: true,
            absent_texts_clear: false,
            absent_hidden_keeps: false,
            repeated_user_assignment_status: 200,
            missing_user_assignment_status: 404,
            duplicate_group_mapping_status: 400,
            deleted_users_stay_assigned: false,
            assignments_take_other_orgs: false,
            search_omits_users: BTreeSet::new(),
            search_omits_teams: BTreeSet::new(),
            search_lists_roleless: true,
            search_lists_unknown: false,
            permissions_are_replaced: false,
            unlicensed_data_source_permissions: false,
            permission_cache_ms: 0,
            plain_unauthorized: false,
            development_mode: false,
        }
    }
}

/// The generation of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Generation {
    /// Grafana 11: reading a role needs `roles:*`; teams are found by number alone; versions as in 12.
    V11,
    /// Grafana 12: a sent version becomes the stored one (contract 3.1).
    V12,
    /// Grafana 13: the stored version counts up by one, and global roles may not name single data sources
    /// (contract 3.1, 3.4).
    V13,
}

impl Generation {
    /// The version that `GET /api/health` and `GET /api/frontend/settings` tell.
    pub fn version(self) -> &'static str {
        match self {
            Self::V11 => "11.6.14",
            Self::V12 => "12.4.3",
            Self::V13 => "13.0.1",
        }
    }
}

/// Whether the server has roles (contract 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Licence {
    /// It has.
    Valid,
    /// The status path answers that access control is off, the paths of roles are 404.
    Disabled,
    /// All these paths are 404: open source, or a licence that is gone. Permissions of resources remain.
    Absent,
}

/// What happens to a permission that a request names twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DuplicatePermissions {
    /// It is held once.
    Merge,
    /// The request is refused with 400.
    Refuse,
    /// The request fails with 500: the unique index.
    Fail,
}

/// In which order permissions are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionOrder {
    /// By the alphabet.
    Sorted,
    /// As they were sent.
    AsSent,
    /// Another one in every answer, the same in every run.
    Shuffled,
}

/// Which roles without a display name are answered with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisplayNameFallback {
    /// None.
    None,
    /// Fixed roles.
    FixedRoles,
    /// All roles.
    AllRoles,
}
