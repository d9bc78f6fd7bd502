//! What a sweep is to show, in Lenses' words, and under which ids what is held is recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{self, Asked, Incarnation};
use crate::Needs;
use rolewright_core::model::{Id, Kind, ROLE, SubjectKind};

/// What is needed.
pub struct Wanted<'a> {
    /// The list of roles.
    pub roles: bool,
    /// The list of groups.
    pub groups: bool,
    /// The list of users.
    pub users: bool,
    /// The list of service accounts.
    pub accounts: bool,
    /// By name, the roles that are held, each with what it is recorded as.
    pub held_roles: BTreeMap<&'a str, Vec<Incarnation>>,
    /// The same for groups that bindings own.
    pub held_groups: BTreeMap<&'a str, Vec<Incarnation>>,
    /// The roles that are held in other groups.
    pub held_places: Vec<Place<'a>>,
}

/// A role that is held in the set of a group that no binding owns.
pub struct Place<'a> {
    /// The group's id, as it is recorded.
    pub group: Id,
    /// Its name.
    pub name: String,
    /// What tells it from others of its name, as far as that is recorded.
    pub made: Incarnation,
    /// The role's name.
    pub role: &'a str,
}

impl<'a> Wanted<'a> {
    /// What these needs come to.
    pub fn of(needs: &'a Needs) -> Self {
        let mut held_roles: BTreeMap<&str, Vec<Incarnation>> = BTreeMap::new();
        let mut held_groups: BTreeMap<&str, Vec<Incarnation>> = BTreeMap::new();
        let mut held_places = Vec::new();
        for asked in needs.held.iter().filter_map(Asked::of) {
            match asked {
                Asked::Role(name, made) => held_roles.entry(name).or_default().push(made),
                Asked::Owned(name, made) => held_groups.entry(name).or_default().push(made),
                Asked::Place { group, name, made, role } => {
                    held_places.push(Place { group, name, made, role });
                }
            }
        }
        let (kind, level) =
            (|kind: Kind| needs.kinds.contains(&kind), |level: &str| needs.levels.contains(level));
        Self {
            roles: kind(Kind::Role) || level(ROLE),
            groups: kind(Kind::Grant) || kind(Kind::Group) || level(ids::group_level()),
            users: level(SubjectKind::User.level()),
            accounts: level(SubjectKind::ServiceAccount.level()),
            held_roles,
            held_groups,
            held_places,
        }
    }

    /// The names of all groups of which anything is held.
    pub fn group_names(&self) -> BTreeSet<&str> {
        let places = self.held_places.iter().map(|place| place.name.as_str());
        self.held_groups.keys().copied().chain(places).collect()
    }

    /// What is held in groups of this name.
    pub fn places(&self, name: &str) -> impl Iterator<Item = &Place<'a>> {
        self.held_places.iter().filter(move |place| place.name == name)
    }

    /// What the role of a name is recorded as.
    pub fn role(&self, name: &str) -> &[Incarnation] {
        self.held_roles.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the group of a name that a binding owns is recorded as.
    pub fn owned(&self, name: &str) -> &[Incarnation] {
        self.held_groups.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}
