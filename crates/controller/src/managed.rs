//! What the three managed kinds have in common, so that one pipeline serves them all.

use std::collections::BTreeMap;

use kube::{Resource, ResourceExt};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    cache::Name,
    queue::{Item, Kind},
};
use rolewright_api as api;
use rolewright_api::{
    Adopt, DeletionPolicy, HeldEntry, HeldState, Mode, ObjectStatus, ResourceRestriction, Role, RoleBinding,
    RoleBindingStatus, SubjectStatus, annotations,
};
use rolewright_core::planner::{self, Claimant, Held, OtherClaims};

/// A kind of object that holds things in a back end.
pub trait Managed:
    Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + std::fmt::Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// The kind.
    const KIND: Kind;

    /// The name of its Backend.
    fn backend(&self) -> &str;
    /// `spec.adopt`, or its default.
    fn adopt(&self) -> Adopt;
    /// `spec.mode`.
    fn mode(&self) -> Option<Mode>;
    /// `spec.deletionPolicy`.
    fn deletion_policy(&self) -> Option<DeletionPolicy>;
    /// What every kind's status says.
    fn status(&self) -> Option<&ObjectStatus>;
    /// Puts other held entries in the place of those in the status: for planning on what was just done.
    fn set_held(&mut self, held: Vec<HeldEntry>);
    /// How its subjects stood.
    fn subjects(&self) -> &[SubjectStatus];

    /// The queue's word for it.
    fn item(&self) -> Item {
        Item { kind: Self::KIND, name: Name::of(self) }
    }

    /// What other objects may be told: `RoleBinding team-a/readers`.
    fn title(&self) -> String {
        self.item().to_string()
    }

    /// Its place among claimants.
    fn claimant(&self) -> Claimant {
        let created = self.creation_timestamp().map(|time| time.0.to_string()).unwrap_or_default();
        Claimant { created, uid: self.uid().unwrap_or_default() }
    }

    /// Whether it is being deleted.
    fn going(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }

    /// Whether the pause annotation is set.
    fn paused(&self) -> bool {
        self.annotations().contains_key(annotations::PAUSE)
    }

    /// Whether our finalizer keeps it.
    fn kept(&self) -> bool {
        self.finalizers().iter().any(|finalizer| finalizer == api::FINALIZER)
    }

    /// What it holds, by its status.
    fn held(&self) -> &[HeldEntry] {
        self.status().map(|status| status.held.as_slice()).unwrap_or_default()
    }

    /// Whether its status says that this very generation is in sync.
    fn in_sync(&self) -> bool {
        self.status().is_some_and(|status| {
            status.observed_generation == self.meta().generation
                && status
                    .conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        })
    }
}

macro_rules! managed {
    ($kind:ident, $own:ty, $status:expr, $status_mut:expr, $subjects:expr) => {
        impl Managed for $kind {
            const KIND: Kind = Kind::$kind;

            fn backend(&self) -> &str {
                &self.spec.backend_ref.name
            }

            fn adopt(&self) -> Adopt {
                self.spec.adopt.unwrap_or_default()
            }

            fn mode(&self) -> Option<Mode> {
                self.spec.mode
            }

            fn deletion_policy(&self) -> Option<DeletionPolicy> {
                self.spec.deletion_policy
            }

            fn status(&self) -> Option<&ObjectStatus> {
                self.status.as_ref().map($status)
            }

            fn set_held(&mut self, held: Vec<HeldEntry>) {
                let object: fn(&mut $own) -> &mut ObjectStatus = $status_mut;
                object(self.status.get_or_insert_default()).held = held;
            }

            fn subjects(&self) -> &[SubjectStatus] {
                self.status.as_ref().map($subjects).unwrap_or_default()
            }
        }
    };
}

managed!(Role, ObjectStatus, |status| status, |status| status, |_| &[][..]);
managed!(RoleBinding, RoleBindingStatus, |status| &status.object, |status| &mut status.object, |status| {
    status.subjects.as_slice()
});
managed!(ResourceRestriction, ObjectStatus, |status| status, |status| status, |_| &[][..]);

/// A held entry as the engine knows it.
pub fn to_engine(entry: &HeldEntry) -> Option<Held> {
    use rolewright_core::model::{Fingerprint, Id, Kind as Thing};
    let kind = match entry.kind.as_str() {
        "Role" => Thing::Role,
        "Grant" => Thing::Grant,
        "Restriction" => Thing::Restriction,
        "Group" => Thing::Group,
        _ => return None,
    };
    let id = entry.id.as_deref().map(Id::new);
    Some(Held {
        kind,
        key: entry.key.iter().collect(),
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
        taken: entry
            .taken
            .as_ref()
            .map(|taken| taken.iter().map(|(whose, what)| (whose.to_owned(), what.to_owned())).collect()),
        other_claims: OtherClaims::None,
    })
}

/// A held entry as the status records it.
pub fn to_status(held: &Held) -> HeldEntry {
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
