//! The access that a change takes away, and who loses it. Guards count and protect this.

use std::collections::BTreeSet;

use crate::model::{Body, Change, Effect, Group, Id, Level, Named, Role, RoleRef};

/// What one change takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// How many removals it counts as: each revoked grant, deleted role, permission that is taken from a role, and resource that is opened
    /// or closed. A replacement counts once. 0: the change takes nothing away.
    pub count: usize,
    /// The subjects that lose a role, or a permission of one.
    pub subjects: BTreeSet<Named>,
    /// The roles that subjects lose, that lose permissions, or that are deleted.
    pub roles: BTreeSet<Named>,
}

impl Loss {
    /// What a change takes away. `holders`: who has a role; None if that is unknown. A permission that is taken
    /// from a role without holders does not count.
    pub(super) fn of(change: &Change, holders: impl FnOnce(&Id) -> Option<BTreeSet<Named>>) -> Self {
        match change {
            Change::Create { after: Body::Restriction(_), .. } => Self::counting(1),
            Change::Create { .. } => Self::default(),
            Change::Update { id, before: Body::Role(before), after: Body::Role(after), .. } => {
                let count = taken_permissions(before, after);
                if count == 0 {
                    return Self::default();
                }
                let holders = holders(id);
                let has_none = holders.as_ref().is_some_and(BTreeSet::is_empty);
                let of_role = Self::of_role(id, before, if has_none { 0 } else { count });
                Self { subjects: holders.unwrap_or_default(), ..of_role }
            }
            Change::Update { before: Body::Group(before), after: Body::Group(after), .. } => {
                Self::of_memberships(&lost_memberships(before, Some(after)))
            }
            Change::Delete { before: Body::Group(group), .. } => {
                let lost = Self::of_memberships(&lost_memberships(group, None));
                Self { count: lost.count.max(1), ..lost }
            }
            Change::Update { before: Body::Grant(grant), .. }
            | Change::Delete { before: Body::Grant(grant), .. } => Self {
                count: 1,
                subjects: BTreeSet::from([grant.subject.clone()]),
                roles: BTreeSet::from([named(&grant.role)]),
            },
            Change::Delete { id, before: Body::Role(role), .. } => Self::of_role(id, role, 1),
            Change::Update { .. } | Change::Delete { .. } => Self::counting(1),
        }
    }

    fn counting(count: usize) -> Self {
        Self { count, ..Self::default() }
    }

    fn of_role(id: &Id, role: &Role, count: usize) -> Self {
        let role = Named::new(Level::ROLE, id.clone(), role.name.as_str());
        Self { count, roles: BTreeSet::from([role]), ..Self::default() }
    }

    fn of_memberships(lost: &BTreeSet<(&RoleRef, Option<&Named>)>) -> Self {
        Self {
            count: lost.len(),
            subjects: lost.iter().filter_map(|(_, member)| member.cloned()).collect(),
            roles: lost.iter().map(|(role, _)| named(role)).collect(),
        }
    }
}

fn named(role: &RoleRef) -> Named {
    match role {
        RoleRef::Existing(role) => role.clone(),
        RoleRef::Planned(name) => Named::unnamed(Level::ROLE, Id::new(name)),
    }
}

/// The permissions that a role loses: it does not permit them any more, or forbids them from now on. Rules that the back end hides count
/// as one.
fn taken_permissions(before: &Role, after: &Role) -> usize {
    let permits = before.rules.difference(&after.rules).filter(|rule| rule.effect == Effect::Allow);
    let forbids = after.rules.difference(&before.rules).filter(|rule| rule.effect == Effect::Deny);
    permits.count() + forbids.count() + usize::from(before.unreadable)
}

/// Each role that a member of a group loses. `after`: the group after the change; None if it is deleted. Without known members, each lost
/// role is lost once.
fn lost_memberships<'a>(
    before: &'a Group,
    after: Option<&'a Group>,
) -> BTreeSet<(&'a RoleRef, Option<&'a Named>)> {
    let has_role = |role: &RoleRef| after.is_some_and(|after| after.roles.contains(role));
    // A change without members leaves them as they are.
    let is_member = |member: Option<&Named>| {
        let members = after.and_then(|after| after.members.as_ref());
        members.zip(member).is_none_or(|(members, member)| members.contains(member))
    };
    let members: Vec<Option<&Named>> = match &before.members {
        Some(members) => members.iter().map(Some).collect(),
        None => vec![None],
    };
    let pairs = before.roles.iter().flat_map(|role| members.iter().map(move |member| (role, *member)));
    pairs.filter(|(role, member)| !has_role(role) || !is_member(*member)).collect()
}
