//! What the contract leaves open, or what differs between revisions of the server: one field for each, with
//! the default that the contract holds likeliest. Part of the tenant, so `PUT /_sim/state` changes it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the server behaves where that is not settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// What a login promises as `expires_in`, in seconds (contract 1: 3600).
    pub session_seconds: u64,
    /// When a session truly ends, in milliseconds after the login; as promised if absent.
    pub session_ends_after_ms: Option<u64>,
    /// Sessions that were begun before this time are over.
    pub sessions_since: Option<Timestamp>,
    /// Whether an API key may stand in for a session (contract 1: documented, discouraged).
    pub raw_keys_as_bearer: bool,
    /// The `audience` that a login with client credentials must name, if it names one.
    pub audience: Option<String>,
    /// The shape of a 401.
    pub unauthorized_form: UnauthorizedForm,
    /// Status of what the documentation calls a ValueError (contract 1: 400 or 422).
    pub value_error_status: u16,
    /// Status of what is there and not for the caller to see: 403 or 404.
    pub hidden_status: u16,
    /// What a list answers to a caller who may not read it.
    pub forbidden_lists: ForbiddenLists,
    /// In which order lists come (contract 1: not documented).
    pub list_order: ListOrder,
    /// Seed of the shuffle, if lists are shuffled.
    pub shuffle_seed: u64,
    /// Whether lists whose documentation knows no `offset` and `limit` take them: an organization's members,
    /// teams and invitations, a team's members.
    pub more_lists_paged: bool,
    /// How permissions of a role travel (contract 2.1, gap).
    pub permission_form: PermissionForm,
    /// Where a role shows its permissions (contract 2.1, gap).
    pub permissions_shown: PermissionsShown,
    /// Whether resource types and actions must be known ones.
    pub permission_validation: bool,
    /// Resource types beyond those that are known.
    pub extra_resources: BTreeSet<String>,
    /// Actions beyond those that are known.
    pub extra_actions: BTreeSet<String>,
    /// Whether an update that says nothing of permissions is refused; else they stay (contract 2.1).
    pub update_requires_permissions: bool,
    /// Whether null for a name or description clears it in an update; else it stays.
    pub null_clears: bool,
    /// Whether custom roles of the organization's level can be made (contract 3: the documentation says both).
    pub custom_organization_roles: bool,
    /// What becomes of a role that a client calls system managed (contract 3).
    pub client_system_managed: ClientSystemManaged,
    /// Whether system-managed roles can be changed (contract 3).
    pub system_roles_editable: bool,
    /// Whether a name is taken within its organization and level: 409 (contract 3).
    pub unique_role_names: bool,
    /// Whether the `name` of a role list is a part of the name; else it is the name (contract 2.1).
    pub name_filter_takes_parts: bool,
    /// How many custom roles an organization may have before 402, if the plan limits them.
    pub custom_role_limit: Option<usize>,
    /// What happens to the assignments of a role that is deleted (contract 3: not published).
    pub role_deletion: RoleDeletion,
    /// Status of an assignment that is there already (contract 2.2: 409).
    pub repeated_assignment_status: u16,
    /// Status of removing an assignment or a team member that is not there: 404 or 200 (contract 2.2).
    pub missing_removal_status: u16,
    /// Whether the assignments of a role without a scope in the query are all of them; else those without a
    /// scope (contract 5).
    pub unscoped_lists_all: bool,
    /// Which role of a member cannot be taken away (contract 2.2).
    pub last_role: LastRole,
    /// Whether that protects teams too.
    pub last_role_protects_teams: bool,
    /// Whether users who are no members of the organization can hold its workspace and project roles.
    pub roles_for_non_members: bool,
    /// Whether invitations are principals, as in newer revisions (contract 2.2).
    pub invitations_are_principals: bool,
    /// Whether who becomes a member in another way has accepted the open invitation of the address by that; else it stays open and
    /// keeps what it holds (contract 2.3: handed over on acceptance, and of this nothing is said).
    pub membership_accepts_invitations: bool,
    /// What an entry of a members list is.
    pub member_entries: MemberEntries,
    /// Whether service accounts without a role of the organization's level are among its members.
    pub roleless_service_accounts_listed: bool,
    /// Whether `GET /users` shows service accounts.
    pub service_accounts_in_users: bool,
    /// Whether `GET /users` shows everybody who ever logged in; else those with whom the caller shares an
    /// organization.
    pub all_users_listed: bool,
    /// What `member_only` of a workspace list is where it is not given (contract 2.3: the default is not published).
    pub member_only_by_default: bool,
    /// Whether projects can be listed and read below their workspace (contract 2.3: another server's matter).
    pub project_paths: bool,
    /// Whether permission checks pass for deactivated users (contract 5: an open bug).
    pub inactive_users_pass_checks: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            session_seconds: 3600,
            session_ends_after_ms: None,
            sessions_since: None,
            raw_keys_as_bearer: true,
            audience: None,
            unauthorized_form: UnauthorizedForm::Text,
            value_error_status: 400,
            hidden_status: 403,
            forbidden_lists: ForbiddenLists::Refuse,
            list_order: ListOrder::OldestFirst,
            shuffle_seed: 14,
            more_lists_paged: false,
            permission_form: PermissionForm::Grouped,
            permissions_shown: PermissionsShown::Never,
            permission_validation: true,
            extra_resources: BTreeSet::new(),
            extra_actions: BTreeSet::new(),
            update_requires_permissions: false,
            null_clears: false,
            custom_organization_roles: false,
            client_system_managed: ClientSystemManaged::Refuse,
            system_roles_editable: false,
            unique_role_names: false,
            name_filter_takes_parts: false,
            custom_role_limit: None,
            role_deletion: RoleDeletion::Cascade,
            repeated_assignment_status: 409,
            missing_removal_status: 404,
            unscoped_lists_all: true,
            last_role: LastRole::OfAnyLevel,
            last_role_protects_teams: false,
            roles_for_non_members: false,
            invitations_are_principals: true,
            membership_accepts_invitations: false,
            member_entries: MemberEntries::WithRoles,
            roleless_service_accounts_listed: true,
            service_accounts_in_users: false,
            all_users_listed: true,
            member_only_by_default: false,
            project_paths: false,
            inactive_users_pass_checks: true,
        }
    }
}

/// The shape of a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnauthorizedForm {
    /// A text.
    Text,
    /// An exception's name and what it says.
    Exception,
}

/// What a list answers to a caller who may not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForbiddenLists {
    /// 403.
    Refuse,
    /// 200 and an empty list.
    Empty,
}

/// In which order lists come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListOrder {
    /// What was made first.
    OldestFirst,
    /// What was made last: pages shift when something is made in between.
    NewestFirst,
    /// Another order in every answer, the same in every run: pages overlap and leave gaps.
    Shuffled,
}

/// How permissions of a role travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionForm {
    /// `[{"resource": "pipeline", "actions": ["create", "read"]}]`
    Grouped,
    /// `[{"resource": "pipeline", "action": "read"}]`
    Pairs,
}

/// Where a role shows its permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionsShown {
    /// Nowhere.
    Never,
    /// Where one role is answered, not in lists and assignments.
    OnSingleRoles,
    /// Wherever a role is.
    Always,
}

/// What becomes of a role that a client calls system managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientSystemManaged {
    /// 403.
    Refuse,
    /// A custom role.
    Ignore,
    /// A system-managed role, which nobody can delete.
    Store,
}

/// What happens to the assignments of a role that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleDeletion {
    /// They go.
    Cascade,
    /// The deletion is refused: 403.
    Refuse,
}

/// Which role of a member cannot be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastRole {
    /// The last one in the organization, of whatever level.
    OfAnyLevel,
    /// The last one of the organization's level.
    OfTheOrganization,
}

/// What an entry of a members list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberEntries {
    /// `{"user": {...}, "team": null, "invitation": null, "roles": [...]}`
    WithRoles,
    /// The user or team itself.
    Plain,
}
