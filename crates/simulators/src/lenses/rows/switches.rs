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
    /// Status of a role that was created (contract 2.1: by analogy).
    pub role_creation_status: u16,
    /// Status of an append to a policy (contract 2.1: 200 or 201).
    pub append_status: u16,
    /// Status for a body that does not pass validation (contract 1: inferred).
    pub validation_status: u16,
    /// Status for a name that is taken (contract 1: inferred).
    pub duplicate_status: u16,
    /// Status for a role, a group or a principal in a body that does not exist (contract 3: some 4xx).
    pub unknown_reference_status: u16,
    /// Whether a principal or group that is to be removed must exist.
    pub unknown_removals_refused: bool,
    /// Status for reading one thing that the caller may not read: 403, or 404 to hide it.
    pub denied_read_status: u16,
    /// What a list is to a caller who may not list everything.
    pub lists: Lists,
    /// What deleting a role does while groups have it (contract 3: unknown).
    pub role_deletion: RoleDeletion,
    /// How far actions and resources are validated when they are written (contract 3: unknown).
    pub validation: Validation,
    /// Actions beyond those that the server knows, by the full name of their resource type, such as
    /// `kafka:topic`, without the service.
    pub extra_actions: BTreeMap<String, BTreeSet<String>>,
    /// Actions that this server does not know, with the service, such as `kafka:ListTopics`.
    pub missing_actions: BTreeSet<String>,
    /// Whether the catalogue lists actions without their service (contract 2.7: not told).
    pub bare_actions_in_catalogue: bool,
    /// Whether a role must be created with a policy, be it an empty one (contract 2.1: not printed).
    pub policy_required: bool,
    /// Whether a policy without statements is refused (contract 3: unknown).
    pub empty_policy_refused: bool,
    /// In which form actions and resources are answered (contract 2.1).
    pub policy_echo: PolicyEcho,
    /// Whether the limits of display names and descriptions hold for roles too (contract 2.2: inferred).
    pub role_text_limits: bool,
    /// What tells a role or a group from another of its name (contract 2.1: `id`, of whatever type, and `created_at`).
    pub ids: Ids,
    /// The same in lists, where they differ from what is read by itself.
    pub ids_in_lists: Option<Ids>,
    /// Whether the call under way is answered by a replica that shows nothing of it: only where `ids` alternate.
    #[serde(skip)]
    pub nameless: bool,
    /// How a group shows its members (contract 2.2: cut off in what is known).
    pub group_members: GroupMembers,
    /// Whether there is metadata at all.
    pub metadata_supported: bool,
    /// What PATCH does to metadata that it does not name (contract 2: unpublished).
    pub metadata_patch: MetadataPatch,
    /// Whether keys of a body that the operation does not know are refused instead of ignored.
    pub unknown_keys_refused: bool,
    /// Whether errors come as `application/json` (contract 1).
    pub plain_problem_type: bool,
    /// Whether errors have a title and nothing else: the one field that is certain (contract 1).
    pub sparse_problems: bool,
    /// Whether users and service accounts share their names: `members` of groups do not say which they mean.
    pub principals_share_names: bool,
    /// Whether users must have resource names too, instead of any 1 to 100 characters (contract 2.3).
    pub user_names_are_resource_names: bool,
    /// Who decides which groups users are in (contract 3).
    pub membership_mode: MembershipMode,
    /// Whether a resource of a whole service, such as `kafka:*`, counts for nothing (contract 5: agents up to
    /// 6.2.8).
    pub service_wildcards_ignored: bool,
    /// Whether what lies in an environment needs access to that environment too (contract 3).
    pub environments_are_gates: bool,
    /// What stands in the place of a name below `/users` for whoever calls. The operation exists, its path is
    /// not known (contract 2.3), so there is none unless this names one.
    pub current_user_name: Option<String>,
    /// How a service account shows when its token ends (contract 2.4: the form is not told).
    pub token_end: TokenEnd,
    /// What follows the name of a service account to renew its token: the command line's word, as the path is
    /// not known (contract 2.4).
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
            ids: Ids::Text,
            ids_in_lists: None,
            nameless: false,
            group_members: GroupMembers::ByKind,
            metadata_supported: true,
            metadata_patch: MetadataPatch::Replace,
            unknown_keys_refused: false,
            plain_problem_type: false,
            sparse_problems: false,
            principals_share_names: true,
            user_names_are_resource_names: false,
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
    /// 6.1: connections have three segments, and licences another action (contract 3).
    V61,
    /// 6.2 and 6.3.
    V62,
}

/// What a list is to a caller who may not list everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lists {
    /// 403 unless the caller may list everything of the kind.
    AllOrForbidden,
    /// What the caller may list; 403 if there can be none.
    SomeOrForbidden,
    /// What the caller may list, be it nothing.
    Filtered,
}

/// What deleting a role does while groups have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleDeletion {
    /// 409.
    Refuse,
    /// The groups lose it.
    Cascade,
}

/// How far actions and resources are validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Validation {
    /// Any text.
    Lax,
    /// What is well formed.
    Syntax,
    /// What is well formed and in the catalogue.
    Strict,
}

/// In which form actions and resources are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyEcho {
    /// As they were sent.
    AsSent,
    /// Always arrays.
    Arrays,
    /// Strings where there is one.
    Scalars,
}

/// How a group shows its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupMembers {
    /// `users` and `service_accounts`, as the counts are.
    ByKind,
    /// One list, `members`.
    OneList,
    /// Not at all: membership is what users and service accounts show.
    Absent,
    /// Not at all, and lists of users and service accounts do not show it either: each shows its groups by itself.
    Hidden,
}

/// What tells a role or a group from another of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ids {
    /// An `id` that is text, and `created_at`.
    Text,
    /// An `id` that is a number, and `created_at`.
    Number,
    /// An `id` that is text.
    IdsOnly,
    /// `created_at`.
    TimesOnly,
    /// Nothing.
    Absent,
    /// As `Text` by one of two replicas, and nothing by the other: which of them answers a call is as good as chance.
    Alternating,
}

/// How a service account shows when its token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenEnd {
    /// As a time (RFC 3339).
    Shown,
    /// Not at all.
    Absent,
    /// As seconds, which the contract does not know.
    Seconds,
}

/// What PATCH does to metadata that it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetadataPatch {
    /// It goes.
    Replace,
    /// It stays.
    Merge,
}

/// Who decides which groups users are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MembershipMode {
    /// The API.
    Manual,
    /// The identity provider: each login of a user sets the user's groups. What the API changes is taken, and
    /// stands until then.
    Sso,
}
