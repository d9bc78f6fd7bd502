//! Groups, whole: their roles, and for those that a binding owns their members. A list counts what each has (contract 2.2), so what is not
//! shown for want of rights is noticed: a set that is written back without it would take it away.

use std::collections::BTreeSet;

use tokio::sync::OnceCell;

use super::{
    Lenses,
    client::{self, Client},
    config::Membership,
    ids, map,
    whole::Whole,
    wire::{self, GroupItem, Principal, Ref},
};
use crate::{Class, Error};
use rolewright_core::model::{Named, SubjectKind};

/// What a list tells of a group: how much it has. Nothing, where the list does not show it: then nothing says that what is shown is all.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    roles: Option<u64>,
    members: Option<u64>,
}

impl Listed {
    pub fn of(item: &GroupItem) -> Self {
        let members = item.user_count.zip(item.sa_count).map(|(users, accounts)| users + accounts);
        Self { roles: item.role_count, members }
    }
}

/// Users and service accounts, each listed at most once.
pub struct Lists<'a> {
    client: &'a Client,
    membership: Membership,
    users: OnceCell<Vec<Principal>>,
    accounts: OnceCell<Vec<Principal>>,
}

impl<'a> Lists<'a> {
    /// Members of groups are looked for only where they are ours to say.
    pub fn new(client: &'a Client, membership: Membership) -> Self {
        Self { client, membership, users: OnceCell::new(), accounts: OnceCell::new() }
    }

    /// All users.
    pub async fn users(&self) -> Result<&[Principal], Error> {
        self.users.get_or_try_init(|| self.client.users()).await.map(Vec::as_slice)
    }

    /// All service accounts.
    pub async fn accounts(&self) -> Result<&[Principal], Error> {
        self.accounts.get_or_try_init(|| self.client.service_accounts()).await.map(Vec::as_slice)
    }

    /// Who is in a group, as users and service accounts say themselves. None where they do not say.
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

/// Puts a group together from what was read of it.
pub async fn whole(
    lenses: &Lenses,
    group: wire::Group,
    listed: Listed,
    lists: &Lists<'_>,
) -> Result<Whole, Error> {
    let roles = names(group.roles.as_deref().unwrap_or_default());
    let matter = ids::is_owned(&group.name) && lists.membership == Membership::Manual;
    let members = match (matter, shown_members(&group)) {
        (false, _) => Some(BTreeSet::new()),
        (true, Some(members)) => Some(members),
        (true, None) => match lists.members(&group.name).await {
            Err(error) if error.class.is_withheld() => None,
            members => members?,
        },
    };
    let all = |shown: usize, counted: Option<u64>| counted == Some(shown as u64);
    Ok(Whole {
        roles_complete: all(roles.len(), listed.roles),
        members_complete: members
            .as_ref()
            .is_some_and(|members| !matter || all(members.len(), listed.members)),
        made: lenses.named_groups.see(&group.name, group.made.incarnation()),
        name: group.name,
        sso_name: group.sso_name.filter(|name| !name.is_empty()),
        roles,
        members: members.unwrap_or_default(),
    })
}

/// Reads a group whole. None when it is not found.
///
/// # Errors
/// [`Class::Denied`] when less is shown of it than is counted, or the list that counts may not be read.
pub async fn read(lenses: &Lenses, name: &str) -> Result<Option<Whole>, Error> {
    let (client, membership) = (&lenses.client, lenses.connection.membership);
    // What somebody changes between the two calls makes them differ too, but hardly twice.
    for last in [false, true] {
        let Some(group) = client::seen(client.group(name).await)? else { return Ok(None) };
        let listed = listed(lenses, name).await?;
        let lists = Lists::new(client, membership);
        let whole = whole(lenses, group, listed.clone().unwrap_or_default(), &lists).await?;
        match listed {
            Some(_) if whole.complete() => return Ok(Some(whole)),
            Some(_) if last => return Err(hidden(&whole)),
            None if last => return Err(unlisted(name)),
            _ => {}
        }
    }
    unreachable!("the second reading is the last")
}

/// What the list tells of a group. None where it does not show it.
async fn listed(lenses: &Lenses, name: &str) -> Result<Option<Listed>, Error> {
    match lenses.client.groups().await {
        Ok(groups) => Ok(groups.iter().find(|group| group.name == name).map(|item| {
            lenses.named_groups.see(name, item.made.incarnation());
            Listed::of(item)
        })),
        Err(error) if error.class.is_withheld() => {
            let message = format!(
                "whether all that the group {name} has is shown cannot be told without the list of groups, and writing its set could take the \
                 rest away: {}",
                error.message
            );
            Err(Error::new(Class::Denied, message))
        }
        Err(error) => Err(error),
    }
}

/// Nobody can say whether that is a moment's matter, or the token may read the group and not list it.
fn unlisted(name: &str) -> Error {
    let message = format!(
        "the group {name} is there, and the list of groups, which counts what is in each, does not show it: nothing is written to it until it does"
    );
    Error::new(Class::Transient, message)
}

fn hidden(whole: &Whole) -> Error {
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

/// What an answer to a write shows of a group that a binding owns, if it shows all that is needed.
pub fn answered(lenses: &Lenses, group: wire::Group) -> Option<Whole> {
    let roles = names(group.roles.as_deref()?);
    let members = match lenses.connection.membership {
        Membership::Manual => shown_members(&group)?,
        Membership::Sso => BTreeSet::new(),
    };
    let sso_name = group.sso_name.filter(|name| !name.is_empty());
    let made = lenses.named_groups.see(&group.name, group.made.incarnation());
    Some(Whole {
        name: group.name,
        sso_name,
        roles,
        members,
        made,
        roles_complete: true,
        members_complete: true,
    })
}

/// What is known of a group of which not all is shown: that it is there.
pub fn outline(lenses: &Lenses, group: wire::Group) -> Whole {
    Whole {
        roles: names(group.roles.as_deref().unwrap_or_default()),
        made: lenses.named_groups.see(&group.name, group.made.incarnation()),
        name: group.name,
        sso_name: None,
        members: BTreeSet::new(),
        roles_complete: false,
        members_complete: false,
    }
}

/// Who is in it, where its own answer says so. Whether users and service accounts stand together or apart no source says (contract 2.2).
fn shown_members(group: &wire::Group) -> Option<BTreeSet<Named>> {
    let apart = [
        (SubjectKind::ServiceAccount, &group.service_accounts),
        (SubjectKind::User, &group.users),
        (SubjectKind::User, &group.members),
    ];
    if apart.iter().all(|(_, list)| list.is_none()) {
        return None;
    }
    let mut members = BTreeSet::new();
    for (kind, list) in apart {
        members.extend(list.iter().flatten().map(|member| map::member(kind, member.name())));
    }
    Some(members)
}

fn names(refs: &[Ref]) -> BTreeSet<String> {
    refs.iter().map(|of| of.name().to_owned()).collect()
}
