//! Between the types of the API and those of the planner. The only place that knows both.

use std::collections::BTreeMap;

use rolewright_api as api;
use rolewright_api::{HeldEntry, HeldState};
use rolewright_core::{
    model::{self, Fingerprint, Id, Key},
    planner::{self, Held, OtherClaims},
};

/// An entry of `status.held` as the planner uses it. None for a kind that this version does not know.
pub fn held_from_status(entry: &HeldEntry) -> Option<Held> {
    let kind = match entry.kind.as_str() {
        "Role" => model::Kind::Role,
        "Grant" => model::Kind::Grant,
        "Restriction" => model::Kind::Restriction,
        "Group" => model::Kind::Group,
        _ => return None,
    };
    let id = entry.id.as_deref().map(Id::new);
    Some(Held {
        kind,
        key: key_from_status(&entry.key),
        name: entry.name.clone(),
        origin: match entry.origin {
            api::Origin::Created => planner::Origin::Created,
            api::Origin::Adopted => planner::Origin::Adopted,
            api::Origin::Shared => planner::Origin::Shared,
        },
        fingerprint: Fingerprint::from_status(&entry.fingerprint),
        state: match (entry.state, id) {
            (HeldState::Present, Some(id)) => {
                planner::HeldState::Present { id, revision: entry.revision.clone() }
            }
            (HeldState::Refused, chosen) => planner::HeldState::Refused { chosen },
            (HeldState::Present | HeldState::Pending, chosen) => {
                planner::HeldState::Pending { chosen, unsettled: false }
            }
        },
        taken: entry.taken.as_ref().map(api::Fields::to_map),
        other_claims: OtherClaims::None,
    })
}

/// A natural key as the planner uses it.
pub fn key_from_status(fields: &api::Fields) -> Key {
    fields.to_map().into()
}

/// What an object manages, as an entry of `status.held`.
pub fn held_to_status(held: &Held) -> HeldEntry {
    HeldEntry {
        kind: held.kind.to_string(),
        id: held.recorded_id().map(ToString::to_string),
        key: BTreeMap::from(held.key.clone()).into(),
        name: held.name.clone(),
        origin: match held.origin {
            planner::Origin::Created => api::Origin::Created,
            planner::Origin::Adopted => api::Origin::Adopted,
            planner::Origin::Shared => api::Origin::Shared,
        },
        state: match &held.state {
            planner::HeldState::Present { .. } => HeldState::Present,
            planner::HeldState::Pending { .. } => HeldState::Pending,
            planner::HeldState::Refused { .. } => HeldState::Refused,
        },
        fingerprint: held.fingerprint.as_str().to_owned(),
        revision: held.revision().map(str::to_owned),
        taken: held.taken.clone().map(Into::into),
    }
}

/// `spec.adopt` as the planner uses it.
pub fn adopt(adopt: api::Adopt) -> planner::Adopt {
    match adopt {
        api::Adopt::Never => planner::Adopt::Never,
        api::Adopt::IfIdentical => planner::Adopt::IfIdentical,
        api::Adopt::Always => planner::Adopt::Always,
    }
}

/// The kind of a subject.
pub fn subject_kind(kind: api::SubjectKind) -> model::SubjectKind {
    match kind {
        api::SubjectKind::User => model::SubjectKind::User,
        api::SubjectKind::ServiceAccount => model::SubjectKind::ServiceAccount,
        api::SubjectKind::Team => model::SubjectKind::Team,
        api::SubjectKind::Group => model::SubjectKind::Group,
    }
}

/// The effect of a rule.
pub fn effect(effect: api::Effect) -> model::Effect {
    match effect {
        api::Effect::Allow => model::Effect::Allow,
        api::Effect::Deny => model::Effect::Deny,
    }
}
