//! Switches: behaviour that the contract leaves open, or that differs between revisions of the server.
//!
//! The defaults are what the contract describes as most likely. The switches are part of the tenant, so
//! `PUT /_sim/state` changes them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One field for each open point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The `expires_in` that a login returns, in seconds (contract 1.2: 3600).
    pub session_seconds: u64,
    /// When a session really ends, in milliseconds after the login. If absent: after `session_seconds`.
    pub session_ends_after_ms: Option<u64>,
    /// Sessions that started before this time have ended.
    pub sessions_since: Option<Timestamp>,
    /// Whether API keys work as bearer tokens without a login (contract 1.2: documented, discouraged).
    pub raw_keys_as_bearer: bool,
    /// The audience that a login with client credentials must name, if it names one.
    pub audience: Option<String>,
    /// The detail of a 401 (contract 1.3).
    pub unauthorized_form: UnauthorizedForm,
    /// Status for what the documentation calls a ValueError (contract 1.3: 400 or 422).
    pub value_error_status: u16,
    /// Status for something that exists and that this caller is not permitted to see: 403 or 404.
    pub hidden_status: u16,
    /// The answer to a caller who is not permitted to read a list.
    pub forbidden_lists: ForbiddenLists,
    /// The order of lists (contract 1.4: not documented).
    pub list_order: ListOrder,
    /// The seed for [`ListOrder::Shuffled`].
    pub shuffle_seed: u64,
    /// Whether `offset` and `limit` also work for lists without them in the documentation: the members, teams and
    /// invitations of an organization, and the members of a team.
    pub more_lists_paged: bool,
    /// The form of permissions in bodies and answers (contract 2.1: gap).
    pub permission_form: PermissionForm,
    /// Which answers show the permissions of a role (contract 2.1: gap).
    pub permissions_shown: PermissionsShown,
    /// Whether unknown resource types and actions are refused.
    pub permission_validation: bool,
    /// Resource types that the server knows in addition.
    pub extra_resources: BTreeSet<String>,
    /// Actions that the server knows in addition.
    pub extra_actions: BTreeSet<String>,
    /// Whether an update without `permissions` is refused. If not, the permissions stay (contract 2.1).
    pub update_requires_permissions: bool,
    /// Whether null for a name or description clears it in an update. If not, it stays.
    pub null_clears: bool,
    /// Whether custom roles of the level organization can be created (contract 3.1: the documentation says both).
    pub custom_organization_roles: bool,
    /// The effect of `system_managed: true` from a client (contract 3.1: unspecified).
    pub client_system_managed: ClientSystemManaged,
    /// Whether system-managed roles can be changed (contract 3.1: not documented).
    pub system_roles_editable: bool,
    /// Whether role names are unique within organization and level, with 409 for a duplicate (contract 3.1: not
    /// stated).
    pub unique_role_names: bool,
    /// Whether the filter `name` of a role list matches parts of names. If not, it matches whole names (contract 2.1:
    /// unpublished).
    pub name_filter_takes_parts: bool,
    /// The maximum number of custom roles of an organization, with 402 above it (contract 1.3).
    pub custom_role_limit: Option<usize>,
    /// The effect of deleting a role that still has assignments (contract 3.1: unpublished).
    pub role_deletion: RoleDeletion,
    /// Status for an assignment that exists already (contract 2.2: 409).
    pub repeated_assignment_status: u16,
    /// Status for removing an assignment, team member or member that does not exist (contract 2.2: 200 or 404).
    pub missing_removal_status: u16,
    /// Status for listing the assignments of a role in a workspace or project that does not exist (contract 2.2: 200 or
    /// 404).
    pub missing_scope_status: u16,
    /// Whether a query without a scope returns all assignments of a role. If not, it returns those without a scope
    /// (contract 5: unpublished).
    pub unscoped_lists_all: bool,
    /// The role that a member cannot lose (contract 2.2).
    pub last_role: LastRole,
    /// Whether `last_role` protects teams too.
    pub last_role_protects_teams: bool,
    /// Whether users who are not members of the organization can have roles of its workspaces and projects.
    pub roles_for_non_members: bool,
    /// Whether invitations are principals, as in newer revisions (contract 2.2).
    pub invitations_are_principals: bool,
    /// Whether a user who becomes a member in another way accepts the open invitation of the address. If not, it stays
    /// open and keeps its roles (contract 2.3: roles pass to the user on acceptance; it does not describe this case).
    pub membership_accepts_invitations: bool,
    /// The form of an entry in lists of members.
    pub member_entries: MemberEntries,
    /// Whether the members of an organization include service accounts without a role of the level organization.
    pub roleless_service_accounts_listed: bool,
    /// Whether `GET /users` lists service accounts.
    pub service_accounts_in_users: bool,
    /// Whether `GET /users` lists all people who ever logged in. If not, it lists those who share an organization with
    /// the caller.
    pub all_users_listed: bool,
    /// The value of `member_only` if `GET /workspaces` does not set it (contract 2.3: not recorded).
    pub member_only_by_default: bool,
    /// Whether the server has `/workspaces/{ws}/projects` (contract 2.3).
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
            missing_scope_status: 404,
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
            project_paths: true,
            inactive_users_pass_checks: true,
        }
    }
}

/// The detail of a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnauthorizedForm {
    /// A text.
    Text,
    /// The name of an exception, and its message.
    Exception,
}

/// The answer to a caller who is not permitted to read a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForbiddenLists {
    /// 403.
    Refuse,
    /// 200 and an empty list.
    Empty,
    /// 200 and the assignments of the caller and of its teams. Other lists are empty.
    Own,
}

/// The order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListOrder {
    /// By time of creation.
    OldestFirst,
    /// By time of creation, descending: pages shift when a row is added in between.
    NewestFirst,
    /// Another order in each answer, but the same in every run: pages overlap and have gaps.
    Shuffled,
}

/// The form of permissions in bodies and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionForm {
    /// `[{"resource": "pipeline", "actions": ["create", "read"]}]`
    Grouped,
    /// `[{"resource": "pipeline", "action": "read"}]`
    Pairs,
}

/// Which answers show the permissions of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionsShown {
    /// None.
    Never,
    /// Answers with one role; not lists and assignments.
    OnSingleRoles,
    /// All answers with roles.
    Always,
}

/// The effect of `system_managed: true` from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientSystemManaged {
    /// 403.
    Refuse,
    /// The server creates a custom role.
    Ignore,
    /// The server creates a system-managed role, which clients cannot delete.
    Store,
}

/// The effect of deleting a role that still has assignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleDeletion {
    /// The assignments are deleted too.
    Cascade,
    /// The deletion is refused: 403.
    Refuse,
}

/// The role that a member cannot lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastRole {
    /// The last role in the organization, of any level.
    OfAnyLevel,
    /// The last role of the level organization.
    OfTheOrganization,
}

/// The form of an entry in lists of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberEntries {
    /// `{"user": {...}, "team": null, "invitation": null, "roles": [...]}`
    WithRoles,
    /// The user or team itself.
    Plain,
    /// As `WithRoles`, but a service account is under `service_account`, without `is_service_account`.
    ServiceAccountsApart,
}
