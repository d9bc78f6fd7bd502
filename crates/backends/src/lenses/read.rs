//! Single reads: who the credential is, what a name means, and the state of one thing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    account::Lenses,
    client::{self, Client, with_needed_rights},
    config::{ACCOUNT_FIELD, Connection},
    ids, map,
};
use crate::{Class, Error, Identity, reading::no_look_up};
use rolewright_core::model::{Entry, Id, Level, Observed, SubjectKind};

/// An account that makes a call now was seen within this time, whatever the difference of the clocks.
const SEEN_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Whether the credential can read roles, whether it can be that of the account in the Backend, and when it expires (contract 2.4).
pub async fn probe(client: &Client, connection: &Connection) -> Result<Identity, Error> {
    client.roles().await.map_err(with_needed_rights)?;
    let name = &connection.account;
    let invalid = |what: String| Error::new(Class::Invalid, format!("{ACCOUNT_FIELD}: {what}"));
    let account = client::found(client.service_account(name).await).map_err(with_needed_rights)?;
    let account = account.ok_or_else(|| invalid(format!("HQ shows no service account {name:?}")))?;
    if account.token_expired {
        // But the call before this one succeeded.
        return Err(invalid(format!(
            "the token of {name} has expired, and the one in the Secret works: it is another account's"
        )));
    }
    let time = |text: &Option<String>| text.as_deref().map(str::parse::<Timestamp>);
    if let Some(Ok(seen)) = time(&account.last_seen_at)
        && Timestamp::now().duration_since(seen) > SEEN_WITHIN
    {
        return Err(invalid(format!(
            "{name} made its last call at {seen}, and the token in the Secret works now: it is another account's"
        )));
    }
    let (ends, expires) = match time(&account.token_expires_at) {
        None => (", whose token does not end", None),
        Some(Ok(at)) => ("", Some(at)),
        Some(Err(_)) => (", whose token ends at a time that makes no sense", None),
    };
    // HQ has no identifier of its own, so the address is the anchor.
    let anchors = BTreeSet::from([format!("{}/hq", connection.path())]);
    let description = format!("Lenses HQ, as service account {name}{ends}");
    // A principal has roles only through its groups.
    let groups = account.groups.iter().map(|group| ids::group(&group.name, &group.id));
    let own = std::iter::once(ids::principal(SubjectKind::ServiceAccount, name)).chain(groups);
    let own = own.map(|id| id.to_string()).collect();
    Ok(Identity { description, anchors, lacks: BTreeMap::new(), own, expires })
}

/// What a name means at a level.
pub async fn look_up(lenses: &Lenses, level: Level, name: &str) -> Result<Vec<Entry>, Error> {
    let client = &lenses.client;
    let found = match level {
        Level::USER => {
            client::found(client.user(name).await)?.map(|user| map::principal(SubjectKind::User, &user.name))
        }
        Level::SERVICE_ACCOUNT => client::found(client.service_account(name).await)?
            .map(|_| map::principal(SubjectKind::ServiceAccount, name)),
        // Only its RoleBinding grants roles to an owned group.
        Level::GROUP if ids::is_owned(name) => None,
        Level::GROUP => client::found(client.group(name).await)?.map(|it| map::group(&it.name, &it.id)),
        Level::ROLE => client::found(client.role(name).await)?.map(|it| map::role_entry(&it.name, &it.id)),
        _ => return Err(no_look_up("Lenses", level)),
    };
    Ok(found.into_iter().collect())
}

/// One role with its policy. None if it is not found, or if it is another one than expected.
pub async fn role(lenses: &Lenses, name: &str, expected: Option<&Id>) -> Result<Option<Observed>, Error> {
    let role = client::found(lenses.client.role(name).await)?.map(map::role);
    // A remembered one can be older.
    lenses.roles.forget(name);
    Ok(role.filter(|role| expected.is_none_or(|id| *id == role.id)))
}

/// One group that a RoleBinding owns, as [`role`].
pub async fn owned_group(
    lenses: &Lenses,
    name: &str,
    expected: Option<&Id>,
) -> Result<Option<Observed>, Error> {
    let group = client::found(lenses.client.group(name).await)?;
    lenses.groups.forget(name);
    let group = group.map(|group| map::owned_group(&group, lenses.connection.membership));
    Ok(group.filter(|group| expected.is_none_or(|id| *id == group.id)))
}

/// A role in the set of a group. None if it is not there, or if the group is deleted or another one with its name.
pub async fn grant(lenses: &Lenses, group: &Id, role: &str) -> Result<Option<Observed>, Error> {
    if !ids::is_group(group) {
        return Err(Error::mistake(format!("{group} is not the id of a group on Lenses")));
    }
    let found = client::found(lenses.client.group(ids::name_of(group)).await)?;
    let found = found.filter(|found| found.has_role(role));
    let named = found.map(|found| map::group_named(&found.name, &found.id));
    Ok(named.filter(|named| named.id == *group).map(|named| map::grant(named, role)))
}
