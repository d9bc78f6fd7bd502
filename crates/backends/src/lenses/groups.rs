//! Groups with their roles and, for those that a RoleBinding owns, their members. The list of groups counts both (contract 2.2), so a missing
//! right is noticed when a group shows less than the list counts. Writing an incomplete set back would delete the rest.

use std::collections::BTreeSet;

use tokio::sync::OnceCell;

use super::{
    account::Lenses,
    client::{self, Client},
    config::Membership,
    ids, map,
    whole_group::WholeGroup,
    wire::{self, GroupItem, Principal, Ref},
};
use crate::{Class, Error};
use rolewright_core::model::{Named, SubjectKind};

/// What the list counts in a group. None if the list does not show it: then it is unknown whether the group shows everything.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    roles: Option<u64>,
    members: Option<u64>,
}

impl Counts {
    pub fn of(item: &GroupItem) -> Self {
        let members = item.user_count.zip(item.sa_count).map(|(users, accounts)| users + accounts);
        Self { roles: item.role_count, members }
    }
}

/// The users and the service accounts, each listed at most once, also if that fails.
pub struct Principals<'a> {
    client: &'a Client,
    membership: Membership,
    users: OnceCell<Result<Vec<Principal>, Error>>,
    accounts: OnceCell<Result<Vec<Principal>, Error>>,
}

impl<'a> Principals<'a> {
    /// Members of groups are read only in [`Membership::Manual`].
    pub fn new(client: &'a Client, membership: Membership) -> Self {
        Self { client, membership, users: OnceCell::new(), accounts: OnceCell::new() }
    }

    /// All users.
    pub async fn users(&self) -> Result<&[Principal], Error> {
        self.users.get_or_init(|| self.client.users()).await.as_deref().map_err(Clone::clone)
    }

    /// All service accounts.
    pub async fn accounts(&self) -> Result<&[Principal], Error> {
        let accounts = self.accounts.get_or_init(|| self.client.service_accounts()).await;
        accounts.as_deref().map_err(Clone::clone)
    }

    /// The members of a group, from the groups of users and service accounts. None if one of them does not show its groups.
    async fn members(&self, group: &str) -> Result<Option<BTreeSet<Named>>, Error> {
        let (users, accounts) = (self.users().await?, self.accounts().await?);
        let mut members = BTreeSet::new();
        for (kind, principals) in [(SubjectKind::User, users), (SubjectKind::ServiceAccount, accounts)] {
            for principal in principals {
                let Some(groups) = &principal.groups else { return Ok(None) };
                if groups.iter().any(|of| of.name() == group) {
                    members.insert(map::member(kind, &principal.name));
                }
            }
        }
        Ok(Some(members))
    }
}

/// Combines the answer about a group with its counts and members.
pub async fn assemble(
    lenses: &Lenses,
    group: wire::Group,
    counts: Counts,
    principals: &Principals<'_>,
) -> Result<WholeGroup, Error> {
    let roles = names(group.roles.as_deref().unwrap_or_default());
    let members_needed = ids::is_owned(&group.name) && principals.membership == Membership::Manual;
    let members = match (members_needed, shown_members(&group)) {
        (false, _) => Some(BTreeSet::new()),
        (true, Some(members)) => Some(members),
        (true, None) => match principals.members(&group.name).await {
            Err(error) if error.class.is_withheld() => None,
            members => members?,
        },
    };
    let all = |shown: usize, counted: Option<u64>| counted == Some(shown as u64);
    Ok(WholeGroup {
        roles_complete: all(roles.len(), counts.roles),
        members_complete: members
            .as_ref()
            .is_some_and(|members| !members_needed || all(members.len(), counts.members)),
        incarnation: lenses.group_incarnations.observe(&group.name, group.created.incarnation()),
        name: group.name,
        sso_name: group.sso_name.filter(|name| !name.is_empty()),
        roles,
        members: members.unwrap_or_default(),
    })
}

/// Reads a group completely. None if it is not found.
///
/// # Errors
/// [`Class::Denied`] if it shows less than the list counts, or if the credential may not read the list.
pub async fn read(lenses: &Lenses, name: &str) -> Result<Option<WholeGroup>, Error> {
    let (client, membership) = (&lenses.client, lenses.connection.membership);
    // A change between the two calls makes them differ too, but hardly twice.
    for last in [false, true] {
        let Some(group) = client::found(client.group(name).await)? else { return Ok(None) };
        let counts = listed_counts(lenses, name).await?;
        let principals = Principals::new(client, membership);
        let whole = assemble(lenses, group, counts.clone().unwrap_or_default(), &principals).await?;
        match counts {
            Some(_) if whole.is_complete() => return Ok(Some(whole)),
            Some(_) if last => return Err(incomplete(&whole)),
            None if last => return Err(unlisted(name)),
            _ => {}
        }
    }
    unreachable!("the second read is the last")
}

/// The counts of a group in the list. None if the list does not have it.
async fn listed_counts(lenses: &Lenses, name: &str) -> Result<Option<Counts>, Error> {
    match lenses.client.groups().await {
        Ok(groups) => Ok(groups.iter().find(|group| group.name == name).map(|item| {
            lenses.group_incarnations.observe(name, item.created.incarnation());
            Counts::of(item)
        })),
        Err(error) if error.class.is_withheld() => {
            let message = format!(
                "without the list of groups it is unknown whether the group {name} shows everything, and writing its set would take the rest \
                 away: {}",
                error.message
            );
            Err(Error::new(Class::Denied, message))
        }
        Err(error) => Err(error),
    }
}

/// Either the list is temporarily behind, or the credential can read the group but not list it.
fn unlisted(name: &str) -> Error {
    let message = format!(
        "the group {name} exists but the list of groups, which counts its roles and members, does not show it: Rolewright does not write to \
         the group until it does"
    );
    Error::new(Class::Transient, message)
}

fn incomplete(whole: &WholeGroup) -> Error {
    Error::new(
        Class::Denied,
        format!(
            "the group {} has more than Lenses shows of it ({} roles{} are shown), and writing its set would take the rest away: the service \
             account needs the right to read all roles, users and service accounts (iam)",
            whole.name,
            whole.roles.len(),
            if ids::is_owned(&whole.name) {
                format!(", {} members", whole.members.len())
            } else {
                String::new()
            }
        ),
    )
}

/// The owned group in the answer to a write, if the answer shows everything.
pub fn answered(lenses: &Lenses, group: wire::Group) -> Option<WholeGroup> {
    let roles = names(group.roles.as_deref()?);
    let members = match lenses.connection.membership {
        Membership::Manual => shown_members(&group)?,
        Membership::Sso => BTreeSet::new(),
    };
    let sso_name = group.sso_name.filter(|name| !name.is_empty());
    let incarnation = lenses.group_incarnations.observe(&group.name, group.created.incarnation());
    Some(WholeGroup {
        name: group.name,
        sso_name,
        roles,
        members,
        incarnation,
        roles_complete: true,
        members_complete: true,
    })
}

/// A group that does not show everything: it exists.
pub fn outline(lenses: &Lenses, group: wire::Group) -> WholeGroup {
    WholeGroup {
        roles: names(group.roles.as_deref().unwrap_or_default()),
        incarnation: lenses.group_incarnations.observe(&group.name, group.created.incarnation()),
        name: group.name,
        sso_name: None,
        members: BTreeSet::new(),
        roles_complete: false,
        members_complete: false,
    }
}

/// The members in the answer about a group. It is not documented in which fields they are (contract 2.2).
fn shown_members(group: &wire::Group) -> Option<BTreeSet<Named>> {
    let fields = [
        (SubjectKind::ServiceAccount, &group.service_accounts),
        (SubjectKind::User, &group.users),
        (SubjectKind::User, &group.members),
    ];
    if fields.iter().all(|(_, list)| list.is_none()) {
        return None;
    }
    let mut members = BTreeSet::new();
    for (kind, list) in fields {
        members.extend(list.iter().flatten().map(|member| map::member(kind, member.name())));
    }
    Some(members)
}

fn names(refs: &[Ref]) -> BTreeSet<String> {
    refs.iter().map(|of| of.name().to_owned()).collect()
}
