//! Switches: behaviour that the contract leaves open, or that differs between servers.
//!
//! The defaults are what the contract describes as most likely. The switches are part of the tenant, so
//! `PUT /_sim/state` changes them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// One field for each open point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The generation of the server.
    pub generation: Generation,
    /// Whether the server has a licence for roles. Can change while it runs: licences expire.
    pub licence: Licence,
    /// Status for a created role or group mapping (contract 2.2: 201; the documentation says 200).
    pub create_status: u16,
    /// Whether permissions of roles are validated (contract 3.7).
    pub permission_validation: bool,
    /// Whether the answer to an invalid permission is a 400 without details (contract 3.7: older servers).
    pub opaque_validation_errors: bool,
    /// Whether the answer to an invalid permission has a message identifier of the open registry, such as
    /// `permreg.unknown-action`, instead of one of roles (contract 3.10).
    pub registry_message_ids: bool,
    /// Actions that the server knows in addition, each with the prefixes of its scopes, such as
    /// `folders:uid:`; none for an action without a scope.
    pub extra_actions: BTreeMap<String, BTreeSet<String>>,
    /// Actions that this server does not know.
    pub missing_actions: BTreeSet<String>,
    /// How a permission that a request repeats is handled (contract 3.7, 8: unknown).
    pub duplicate_permissions: DuplicatePermissions,
    /// The order of a role's permissions in answers (contract 3.7: not defined).
    pub permission_order: PermissionOrder,
    /// The seed for [`PermissionOrder::Shuffled`].
    pub shuffle_seed: u64,
    /// Which roles without a display name get one in answers, made from the name (contract 3.7).
    pub display_name_fallback: DisplayNameFallback,
    /// Whether roles of users and teams have the zero time as `created` (contract 2.1).
    pub zero_created: bool,
    /// Whether answers omit an empty description or group of a role (contract 2.1).
    pub empty_texts_omitted: bool,
    /// Status for a name or uid that is taken (contract 3.2: 400).
    pub duplicate_role_status: u16,
    /// Whether an update must send a version (contract 3.1: the documentation says so).
    pub version_required: bool,
    /// Whether an update can send the stored version itself (contract 3.1: wording for 13).
    pub same_version_passes: bool,
    /// Status for a version that is not greater than the stored one (contract 3.1: unknown).
    pub stale_version_status: u16,
    /// Status for changing or deleting a fixed, plugin, managed or external service's role, for deleting a
    /// basic role, and for a reserved name or uid (contract 3.3; code unknown, see 8).
    pub protected_role_status: u16,
    /// Status for deleting an assigned role without `force` (contract 3.8; code unknown, see 8).
    pub assigned_role_status: u16,
    /// Status for a `global` that differs from the role's (contract 3.4; code unknown, see 8).
    pub global_mismatch_status: u16,
    /// Whether an update of a global role must say `global: true` (contract 3.1: wording of June 2026).
    pub update_checks_global: bool,
    /// Whether an update clears the texts that it does not contain, instead of keeping them (contract 2.1).
    pub absent_texts_clear: bool,
    /// Whether an update without `hidden` keeps its value.
    pub absent_hidden_keeps: bool,
    /// Status for assigning a role that the user already has (contract 3.9: unknown).
    pub repeated_user_assignment_status: u16,
    /// Status for removing a role that the user does not have (contract 3.9: unknown).
    pub missing_user_assignment_status: u16,
    /// Status for mapping a group that is already mapped.
    pub duplicate_group_mapping_status: u16,
    /// Whether the assignments of a deleted user stay: then GET returns an id that PUT refuses
    /// (contract 3.9).
    pub deleted_users_stay_assigned: bool,
    /// Whether the assignments of a global role can contain principals of other organizations (contract 8).
    pub assignments_take_other_orgs: bool,
    /// Users that `POST users/roles/search` omits although they have roles.
    pub search_omits_users: BTreeSet<i64>,
    /// Teams that `POST teams/roles/search` omits although they have roles.
    pub search_omits_teams: BTreeSet<i64>,
    /// Whether a search returns an empty list for a known id without roles. If not, the id is missing.
    pub search_lists_roleless: bool,
    /// Whether a search returns an empty list for an unknown id (contract 2.4: missing or empty).
    pub search_lists_unknown: bool,
    /// What the permissions of a folder or dashboard that does not exist are (contract 2.5).
    pub missing_resources: MissingResources,
    /// Whether data sources of two types can share a uid: then a call for their permissions must name the type
    /// (contract 2.5).
    pub data_source_uids_are_per_type: bool,
    /// Whether a role cannot be created under a uid with a reserved prefix (contract 3.3: unknown).
    pub reserved_uids_are_refused: bool,
    /// Users that lists of users omit although their totals count them (contract 2.6).
    pub hidden_users: BTreeSet<i64>,
    /// Whether the call that sets several permissions of a resource removes all that it does not mention, as
    /// on the newest servers. If not, it is a patch (contract 2.5).
    pub permissions_are_replaced: bool,
    /// Whether data sources have permissions without a licence.
    pub unlicensed_data_source_permissions: bool,
    /// How long the server caches a caller's permissions, in milliseconds (contract 3.6: up to a minute).
    pub permission_cache_ms: u64,
    /// Whether each 401 is the plain `{"message":"Unauthorized"}` (contract 3.10).
    pub plain_unauthorized: bool,
    /// Whether legacy errors have their cause in `error` (contract 3.10: development mode).
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
            missing_resources: MissingResources::Empty,
            data_source_uids_are_per_type: false,
            reserved_uids_are_refused: true,
            hidden_users: BTreeSet::new(),
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
    /// Grafana 11: reading a role needs `roles:*` (contract 2.2); teams are found only by number
    /// (contract 2.6); versions as in 12.
    V11,
    /// Grafana 12: the version of a request becomes the stored one (contract 3.1).
    V12,
    /// Grafana 13: the stored version always grows by one (contract 3.1), and global roles cannot name single
    /// data sources (contract 3.4).
    V13,
}

impl Generation {
    /// The version that `GET /api/health` and `GET /api/frontend/settings` show.
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
    /// It has roles.
    Valid,
    /// The status path says that access control is off; the paths of roles are 404.
    Disabled,
    /// All these paths are 404: open source, or a licence that was removed. Permissions on resources remain.
    Absent,
}

/// What the permissions of a folder or dashboard that does not exist are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MissingResources {
    /// 404, for reads and writes.
    Refused,
    /// An empty list. A write sets permissions of nothing.
    Empty,
    /// As `Empty`, but the list has the permission of admins, who have it on all resources.
    AdminsOnly,
}

/// How a permission that a request repeats is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DuplicatePermissions {
    /// The role has it once.
    Merge,
    /// 400.
    Refuse,
    /// 500: the database's unique index refuses it.
    Fail,
}

/// The order of permissions in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionOrder {
    /// Alphabetical.
    Sorted,
    /// As in the request.
    AsSent,
    /// Different in each answer, and the same in each run.
    Shuffled,
}

/// Which roles without a display name get one in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisplayNameFallback {
    /// None.
    None,
    /// Fixed roles.
    FixedRoles,
    /// All roles.
    AllRoles,
}
