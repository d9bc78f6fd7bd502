//! Single reads: who the credential is, what a name means, and the state of one thing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    account::Lenses,
    client::{self, Client, NEEDED_RIGHTS},
    config::{ACCOUNT_FIELD, Connection},
    groups,
    ids::{self, Incarnation},
    map,
    whole_group::WholeGroup,
    wire,
};
use crate::{Class, Error, Identity, reading::no_look_up};
use rolewright_core::model::{Entry, Id, Level, Observed, SubjectKind};

/// Whether the credential can read roles, and when it expires if the Backend names its account.
pub async fn probe(client: &Client, connection: &Connection) -> Result<Identity, Error> {
    if let Err(mut error) = client.roles().await {
        if matches!(error.class, Class::Missing | Class::Unsupported) {
            let message =
                format!("{}; is HQ served at spec.lenses.url, or below another path?", error.message);
            return Err(Error::new(Class::Transient, message));
        }
        if error.class == Class::Denied {
            error.message.push_str(NEEDED_RIGHTS);
        }
        return Err(error);
    }
    // HQ has no identifier of its own, so the address is the anchor.
    let anchors = BTreeSet::from([format!("{}/hq", connection.path())]);
    let (who, expires) = match &connection.account {
        None => {
            let unnamed = format!(
                "an unnamed service account: set {ACCOUNT_FIELD}; until then Rolewright never treats what is not visible as deleted, deletes \
                 no role, and does not warn before the token ends"
            );
            (unnamed, None)
        }
        Some(account) => describe(client, account).await?,
    };
    Ok(Identity { description: format!("Lenses HQ, as {who}"), anchors, lacks: BTreeMap::new(), expires })
}

/// The description of the account, and when its token expires (contract 2.4).
async fn describe(client: &Client, account: &str) -> Result<(String, Option<Timestamp>), Error> {
    let seen = match client.service_account(account).await {
        Ok(seen) => seen,
        Err(error) if error.class.is_withheld() => {
            let hidden = format!("service account {account}, which is not visible: {}", error.message);
            return Ok((hidden, None));
        }
        Err(error) => return Err(error),
    };
    if seen.token_expired == Some(true) {
        // But the call before this one succeeded.
        return Err(Error::new(
            Class::Invalid,
            format!(
                "{ACCOUNT_FIELD}: the token of {account} has expired, and the one in the Secret works: it is another account's"
            ),
        ));
    }
    Ok(match seen.token_expires_at.as_deref().filter(|at| !at.is_empty()) {
        None => (format!("service account {account}, whose token does not end"), None),
        Some(at) => match at.parse() {
            Ok(at) => (format!("service account {account}"), Some(at)),
            Err(_) => {
                (format!("service account {account}, whose token ends at a time that makes no sense"), None)
            }
        },
    })
}

/// What a name means at a level.
pub async fn look_up(lenses: &Lenses, level: Level, name: &str) -> Result<Vec<Entry>, Error> {
    let client = &lenses.client;
    let found = match level {
        Level::USER => {
            client::found(client.user(name).await)?.map(|user| map::principal(SubjectKind::User, &user.name))
        }
        Level::SERVICE_ACCOUNT => {
            let account = client::found(client.service_account(name).await)?;
            account.map(|account| map::principal(SubjectKind::ServiceAccount, &account.name))
        }
        // Only its RoleBinding grants roles to an owned group.
        Level::GROUP if ids::is_owned(name) => None,
        Level::GROUP => client::found(client.group(name).await)?.map(|group| {
            let incarnation = lenses.group_incarnations.observe(&group.name, group.created.incarnation());
            map::group(&group.name, &incarnation)
        }),
        Level::ROLE => client::found(client.role(name).await)?.map(|role| map::role_entry(&role.name)),
        _ => return Err(no_look_up("Lenses", level)),
    };
    Ok(found.into_iter().collect())
}

/// One role with its policy. None if it is not found, or if it is certainly not the expected incarnation. Otherwise it has the expected id.
pub async fn role(
    lenses: &Lenses,
    name: &str,
    expected: Option<&Incarnation>,
) -> Result<Option<Observed>, Error> {
    let Some(mut role) = client::found(lenses.client.role(name).await)? else {
        lenses.role_incarnations.forget(name);
        return Ok(None);
    };
    let shown = lenses.role_incarnations.observe(name, role.created.incarnation());
    let Some(incarnation) = matching(expected, shown) else { return Ok(None) };
    let policy = role.policy.take().unwrap_or_default();
    let seen = map::role(role, &policy, &incarnation);
    // The cache of the last snapshot can be older.
    if lenses.roles.get(name).is_some_and(|cached| cached.body != seen.body) {
        lenses.roles.invalidate(name);
    }
    Ok(Some(seen))
}

/// One group that a RoleBinding owns, with its roles and members, as [`role`].
pub async fn owned_group(
    lenses: &Lenses,
    name: &str,
    expected: Option<&Incarnation>,
) -> Result<Option<Observed>, Error> {
    let Some(whole) = groups::read(lenses, name).await? else {
        lenses.group_incarnations.forget(name);
        return Ok(None);
    };
    let Some(incarnation) = matching(expected, whole.incarnation.clone()) else { return Ok(None) };
    let whole = WholeGroup { incarnation, ..whole };
    let same = |cached: WholeGroup| WholeGroup { incarnation: whole.incarnation.clone(), ..cached } == whole;
    if lenses.groups.get(name).is_some_and(|cached| !same(cached)) {
        lenses.groups.invalidate(name);
    }
    Ok(Some(map::owned_group(&whole, lenses.connection.membership)))
}

/// The incarnation under which a thing is returned: the expected one. None if the thing is certainly another.
pub fn matching(expected: Option<&Incarnation>, shown: Incarnation) -> Option<Incarnation> {
    match expected {
        Some(expected) => (!shown.differs(expected)).then(|| expected.clone()),
        None => Some(shown),
    }
}

/// A role in the set of a group. None if it is not there, or if the group is deleted or another one with its name.
pub async fn grant(lenses: &Lenses, group: &Id, role: &str) -> Result<Option<Observed>, Error> {
    let (name, expected) = ids::of_group(group)
        .ok_or_else(|| Error::mistake(format!("{group} is not the id of a group on Lenses")))?;
    let Some(found) = client::found(lenses.client.group(name).await)? else {
        lenses.group_incarnations.forget(name);
        return Ok(None);
    };
    let now = lenses.group_incarnations.observe(name, found.created.incarnation());
    let has = |group: &wire::Group| group.roles.iter().flatten().any(|of| of.name() == role);
    Ok((!now.differs(&expected) && has(&found)).then(|| map::grant(map::group_named(name, &expected), role)))
}
