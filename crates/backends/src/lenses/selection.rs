//! The needs of a snapshot in Lenses' terms, and the recorded ids of managed things.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{self, Hint, Incarnation};
use crate::Needs;
use rolewright_core::model::{Id, Kind, Level, Part};

/// What a snapshot reads.
pub struct Selection<'a> {
    /// The list of roles.
    pub roles: bool,
    /// The list of groups.
    pub groups: bool,
    /// The list of users.
    pub users: bool,
    /// The list of service accounts.
    pub accounts: bool,
    /// The recorded incarnations of managed roles, by name.
    pub managed_roles: BTreeMap<&'a str, Vec<Incarnation>>,
    /// The recorded incarnations of groups that RoleBindings own, by name.
    pub owned_groups: BTreeMap<&'a str, Vec<Incarnation>>,
    /// The managed grants: roles in the sets of other groups.
    pub grants: Vec<ManagedGrant<'a>>,
}

/// A managed role in the set of a group that no RoleBinding owns.
pub struct ManagedGrant<'a> {
    /// The recorded id of the group.
    pub group: Id,
    /// The name of the group.
    pub name: String,
    /// The recorded incarnation of the group.
    pub incarnation: Incarnation,
    /// The name of the role.
    pub role: &'a str,
}

impl<'a> Selection<'a> {
    /// What these needs select.
    pub fn of(needs: &'a Needs) -> Self {
        let mut managed_roles: BTreeMap<&str, Vec<Incarnation>> = BTreeMap::new();
        let mut owned_groups: BTreeMap<&str, Vec<Incarnation>> = BTreeMap::new();
        let mut grants = Vec::new();
        for hint in needs.hints.iter().filter_map(Hint::of) {
            match hint {
                Hint::Role(name, incarnation) => managed_roles.entry(name).or_default().push(incarnation),
                Hint::Owned(name, incarnation) => owned_groups.entry(name).or_default().push(incarnation),
                Hint::Grant { group, name, incarnation, role } => {
                    grants.push(ManagedGrant { group, name, incarnation, role });
                }
            }
        }
        let (kind, level) =
            (|kind: Kind| needs.kinds.contains(&kind), |level: Level| needs.levels.contains(&level));
        Self {
            roles: kind(Kind::Role) || level(Level::ROLE),
            groups: kind(Kind::Grant) || kind(Kind::Group) || level(Level::GROUP),
            users: level(Level::USER),
            accounts: level(Level::SERVICE_ACCOUNT),
            managed_roles,
            owned_groups,
            grants,
        }
    }

    /// The names of all groups with something managed.
    pub fn group_names(&self) -> BTreeSet<&str> {
        let grants = self.grants.iter().map(|grant| grant.name.as_str());
        self.owned_groups.keys().copied().chain(grants).collect()
    }

    /// The managed grants in groups with this name.
    pub fn grants_in(&self, name: &str) -> impl Iterator<Item = &ManagedGrant<'a>> {
        self.grants.iter().filter(move |grant| grant.name == name)
    }

    /// All recorded incarnations of the group with a name.
    pub fn incarnations(&self, name: &str) -> impl Iterator<Item = &Incarnation> {
        self.owned_group(name).iter().chain(self.grants_in(name).map(|grant| &grant.incarnation))
    }

    /// What is unread when the group with a name is: itself, if a RoleBinding owns it, or else its grants. `now` is its incarnation as far
    /// as it is known.
    pub fn parts_of_group(&self, name: &str, now: Option<Incarnation>) -> Vec<Part> {
        if ids::is_owned(name) {
            let all = self.owned_group(name).iter().cloned().chain(now);
            return all.map(|it| Part::Thing(Kind::Group, ids::thing(name, &it))).collect();
        }
        let recorded = self.grants_in(name).map(|grant| grant.group.clone());
        let all = recorded.chain(now.map(|now| ids::group(name, &now)));
        all.map(|group| Part::Place(Kind::Grant, group)).collect()
    }

    /// The recorded incarnations of the role with a name.
    pub fn role(&self, name: &str) -> &[Incarnation] {
        self.managed_roles.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The recorded incarnations of the owned group with a name.
    pub fn owned_group(&self, name: &str) -> &[Incarnation] {
        self.owned_groups.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}
