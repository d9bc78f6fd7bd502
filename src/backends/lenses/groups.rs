//! Groups, whole: their roles, and for those that a binding owns their members. A list counts what each has (contract 2.2), so what is not
//! shown for want of rights is noticed: a set that is written back without it would take it away.

use std::collections::BTreeSet;

use tokio::sync::OnceCell;

use super::{
    client::{self, Client},
    ids, map,
    wire::{self, GroupItem, Principal, Ref},
};
use crate::{
    access::{Named, SubjectKind},
    backends::{Class, Error},
};

/// A group that was read by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    pub name: String,
    pub sso_name: Option<String>,
    pub roles: BTreeSet<String>,
    /// Empty for a group that no binding owns: nobody needs them.
    pub members: BTreeSet<Named>,
    /// As much was shown as the list counts.
    pub complete: bool,
}

/// How much a group has, as far as a list tells.
#[derive(Clone, Copy, Debug, Default)]
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

/// Users and service accounts, each listed at most once.
pub struct Lists<'a> {
    client: &'a Client,
    users: OnceCell<Vec<Principal>>,
    accounts: OnceCell<Vec<Principal>>,
}

impl<'a> Lists<'a> {
    pub fn new(client: &'a Client) -> Self {
        Self { client, users: OnceCell::new(), accounts: OnceCell::new() }
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
pub async fn whole(group: wire::Group, counts: Counts, lists: &Lists<'_>) -> Result<Whole, Error> {
    let roles = names(group.roles.as_deref().unwrap_or_default());
    let members = match (ids::is_owned(&group.name), shown_members(&group)) {
        (false, _) => Some(BTreeSet::new()),
        (true, Some(members)) => Some(members),
        (true, None) => match lists.members(&group.name).await {
            Err(error) if client::is_refusal(error.class) => None,
            members => members?,
        },
    };
    let all = |shown: usize, counted: Option<u64>| counted.is_none_or(|counted| counted == shown as u64);
    let members_complete = match &members {
        Some(members) => !ids::is_owned(&group.name) || all(members.len(), counts.members),
        None => false,
    };
    Ok(Whole {
        complete: members_complete && all(roles.len(), counts.roles),
        name: group.name,
        sso_name: group.sso_name.filter(|name| !name.is_empty()),
        roles,
        members: members.unwrap_or_default(),
    })
}

/// Reads a group whole. None when it is not found.
///
/// # Errors
/// [`Class::Denied`] when less is shown of it than is counted.
pub async fn read(client: &Client, name: &str) -> Result<Option<Whole>, Error> {
    // What somebody changes between the two calls makes them differ too, but hardly twice.
    for last in [false, true] {
        let Some(group) = client::seen(client.group(name).await)? else { return Ok(None) };
        let counts = counts(client, name).await?;
        let whole = whole(group, counts, &Lists::new(client)).await?;
        if whole.complete {
            return Ok(Some(whole));
        }
        if last {
            return Err(hidden(&whole));
        }
    }
    unreachable!("the second reading is the last")
}

async fn counts(client: &Client, name: &str) -> Result<Counts, Error> {
    match client.groups().await {
        Ok(groups) => Ok(groups.iter().find(|group| group.name == name).map(Counts::of).unwrap_or_default()),
        Err(error) if client::is_refusal(error.class) => Ok(Counts::default()),
        Err(error) => Err(error),
    }
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

/// What an answer to a write shows of the group, if it shows all that is needed.
pub fn answered(group: wire::Group) -> Option<Whole> {
    let roles = names(group.roles.as_deref()?);
    let members = if ids::is_owned(&group.name) { shown_members(&group)? } else { BTreeSet::new() };
    let sso_name = group.sso_name.filter(|name| !name.is_empty());
    Some(Whole { name: group.name, sso_name, roles, members, complete: true })
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
