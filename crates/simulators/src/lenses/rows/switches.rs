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
    /// Status of a created role (contract 2.1: by analogy).
    pub role_creation_status: u16,
    /// Status of adding a statement to a policy (contract 2.1: 200 or 201).
    pub append_status: u16,
    /// Status for an invalid body (contract 1.3: inferred).
    pub validation_status: u16,
    /// Status for a name that is taken (contract 1.3: inferred).
    pub duplicate_status: u16,
    /// Status for a role, group or principal in a body that does not exist (contract 3.7: some 4xx).
    pub unknown_reference_status: u16,
    /// Whether this status also applies to principals and groups that the call removes. If not, they are ignored.
    pub unknown_removals_refused: bool,
    /// Status for reading one row that the caller is not permitted to read (contract 1.3: not recorded). 404 hides
    /// the row.
    pub denied_read_status: u16,
    /// The answer to a caller who can read a list only in part (contract 1.3: not recorded).
    pub lists: Lists,
    /// The effect of deleting a role that groups still have (contract 3.7: unknown).
    pub role_deletion: RoleDeletion,
    /// The validation of actions and resources in bodies (contract 3.7: unknown).
    pub validation: Validation,
    /// Actions that the catalogue has in addition, without their service, by the full name of their resource type,
    /// such as `kafka:topic`.
    pub extra_actions: BTreeMap<String, BTreeSet<String>>,
    /// Actions that the catalogue does not have, with their service, such as `kafka:ListTopics`.
    pub missing_actions: BTreeSet<String>,
    /// Whether the catalogue lists actions without their service (contract 2.7: not recorded).
    pub bare_actions_in_catalogue: bool,
    /// Whether creating a role needs a policy, which can be empty (contract 2.1: not printed).
    pub policy_required: bool,
    /// Whether a policy without statements is refused (contract 3.7: unknown).
    pub empty_policy_refused: bool,
    /// The form of actions and resources in answers (contract 2.1: inferred).
    pub policy_echo: PolicyEcho,
    /// Whether the limit of display names applies to roles too (contract 2.2: inferred), and that of their descriptions.
    pub role_text_limits: bool,
    /// Whether body keys that the operation does not know are refused. If not, they are ignored.
    pub unknown_keys_refused: bool,
    /// Whether the content type of errors is `application/json` (contract 1.3: inferred).
    pub plain_problem_type: bool,
    /// Whether errors have only the required fields, `title` and `status` (contract 1.3).
    pub sparse_problems: bool,
    /// Whether a user and a service account cannot have the same name. The `members` of a group name both kinds
    /// without a distinction.
    pub principals_share_names: bool,
    /// Whether user names must be resource names. If not, they are any 1 to 100 characters (contract 2.3).
    pub user_names_are_resource_names: bool,
    /// Whether a group shows only the members that the caller is permitted to list (contract 6: not stated).
    pub hidden_members: bool,
    /// Who decides about the groups of users (contract 3.8).
    pub membership_mode: MembershipMode,
    /// Whether service-wide resources such as `kafka:*` have no effect, as with agents up to 6.2.8 (contract 5).
    pub service_wildcards_ignored: bool,
    /// Whether a resource in an environment needs access to the environment too (contract 3.5).
    pub environments_are_gates: bool,
    /// The name that means the caller in `GET /users/{name}`. The real path is not known (contract 2.3), so there is
    /// none by default.
    pub current_user_name: Option<String>,
    /// The form of `token_expires_at` of a service account (contract 2.4: not recorded).
    pub token_end: TokenEnd,
    /// The last segment of the path that renews a token. The default is the word of the vendor's command line; the
    /// real path is not known (contract 2.4).
    pub token_renewal_name: String,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            generation: Generation::V62,
            role_creation_status: 201,
            append_status: 200,
            validation_status: 400,
            duplicate_status: 409,
            unknown_reference_status: 400,
            unknown_removals_refused: false,
            denied_read_status: 403,
            lists: Lists::SomeOrForbidden,
            role_deletion: RoleDeletion::Refuse,
            validation: Validation::Syntax,
            extra_actions: BTreeMap::new(),
            missing_actions: BTreeSet::new(),
            bare_actions_in_catalogue: false,
            policy_required: false,
            empty_policy_refused: false,
            policy_echo: PolicyEcho::AsSent,
            role_text_limits: true,
            unknown_keys_refused: false,
            plain_problem_type: false,
            sparse_problems: false,
            principals_share_names: true,
            user_names_are_resource_names: false,
            hidden_members: false,
            membership_mode: MembershipMode::Manual,
            service_wildcards_ignored: false,
            environments_are_gates: true,
            current_user_name: None,
            token_end: TokenEnd::Shown,
            token_renewal_name: "renew-token".to_owned(),
        }
    }
}

/// The generation of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Generation {
    /// An early 6.0: groups have no `sso_name` (contract 2.2).
    V60,
    /// 6.1: connections have three segments, and the action to update a licence has another name (contract 3.5).
    V61,
    /// 6.2 and 6.3.
    V62,
}

/// The answer to a caller who can read a list only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lists {
    /// 403 if the caller cannot list all rows of the kind.
    AllOrForbidden,
    /// The permitted rows, or 403 if no row can be permitted.
    SomeOrForbidden,
    /// The permitted rows, never 403.
    Filtered,
}

/// The effect of deleting a role that groups still have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleDeletion {
    /// 409.
    Refuse,
    /// The groups lose it.
    Cascade,
}

/// The validation of actions and resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Validation {
    /// Accepts any text.
    Lax,
    /// Accepts well-formed patterns.
    Syntax,
    /// Accepts well-formed patterns of the catalogue.
    Strict,
}

/// The form of actions and resources in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyEcho {
    /// As in the request.
    AsSent,
    /// Always arrays.
    Arrays,
    /// A string for one pattern, an array for several.
    Scalars,
}

/// The form of `token_expires_at` of a service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenEnd {
    /// A time (RFC 3339).
    Shown,
    /// The field is absent.
    Absent,
    /// Unix seconds, a form that no source mentions.
    Seconds,
}

/// Who decides about the groups of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MembershipMode {
    /// The API.
    Manual,
    /// The identity provider: each login sets the user's groups. Changes through the API are accepted, and last until
    /// then.
    Sso,
}
