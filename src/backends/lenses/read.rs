//! Single questions: what the credential sees, what a name means, what one thing says now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Lenses,
    client::{self, Client},
    config::{ACCOUNT_FIELD, Connection},
    groups,
    ids::{self, Incarnation},
    map, wire,
};
use crate::{
    access::{Body, Entry, Grant, Id, Kind, Observed, ROLE, RoleRef, SubjectKind},
    backends::{Class, Error, Identity},
};

/// Whether the credential may read roles, and when it ends, where the Backend names the account that it is of.
pub async fn probe(client: &Client, connection: &Connection) -> Result<Identity, Error> {
    if let Err(mut error) = client.roles().await {
        if matches!(error.class, Class::Missing | Class::Unsupported) {
            let message =
                format!("{}; is HQ served at spec.lenses.url, or below another path?", error.message);
            return Err(Error::new(Class::Transient, message));
        }
        if error.class == Class::Denied {
            error.message.push_str(
                "; the service account needs a role that allows iam:* on iam:*, by a group that it is in",
            );
        }
        return Err(error);
    }
    // Of an HQ nothing is known that only it has: it is one at each address.
    let anchors = BTreeSet::from([format!("{}/hq", connection.path())]);
    let (who, expires) = match &connection.account {
        None => {
            let unnamed = format!(
                "a service account that is not named: name it in {ACCOUNT_FIELD}, or nothing that is not to be seen is taken to be gone, no \
                 role is deleted, and nobody is warned before its token ends"
            );
            (unnamed, None)
        }
        Some(account) => described(client, account).await?,
    };
    Ok(Identity { description: format!("Lenses HQ, as {who}"), anchors, lacks: BTreeMap::new(), expires })
}

/// The account in words, and when its token ends (contract 2.4).
async fn described(client: &Client, account: &str) -> Result<(String, Option<Timestamp>), Error> {
    let seen = match client.service_account(account).await {
        Ok(seen) => seen,
        Err(error) if error.class.is_withheld() => {
            let unseen =
                format!("service account {account}, of which nothing is to be seen: {}", error.message);
            return Ok((unseen, None));
        }
        Err(error) => return Err(error),
    };
    if seen.token_expired == Some(true) {
        // The calls before this one went through.
        return Err(Error::new(
            Class::Invalid,
            format!(
                "{ACCOUNT_FIELD}: the token of {account} has ended, and the one in the Secret works: it is another account's"
            ),
        ));
    }
    Ok(match seen.token_expires_at.as_deref().filter(|at| !at.is_empty()) {
        None => (format!("service account {account}, whose token does not end"), None),
        Some(at) => match at.parse() {
            Ok(at) => (format!("service account {account}"), Some(at)),
            Err(_) => (
                format!("service account {account}, whose token ends at a time that makes no sense here"),
                None,
            ),
        },
    })
}

/// What a name means at a level.
pub async fn look_up(client: &Client, level: &str, name: &str) -> Result<Vec<Entry>, Error> {
    let found = if level == SubjectKind::User.level() {
        client::seen(client.user(name).await)?.map(|user| map::principal(SubjectKind::User, &user.name))
    } else if level == SubjectKind::ServiceAccount.level() {
        let account = client::seen(client.service_account(name).await)?;
        account.map(|account| map::principal(SubjectKind::ServiceAccount, &account.name))
    } else if level == ids::group_level() {
        // A group that a binding owns is nobody else's to give roles to.
        let group = if ids::is_owned(name) { None } else { client::seen(client.group(name).await)? };
        group.map(|group| map::group(&group.name, &group.made.incarnation()))
    } else if level == ROLE {
        client::seen(client.role(name).await)?.map(|role| map::role_entry(&role.name))
    } else {
        return Err(Error::new(Class::Invalid, format!("Lenses cannot look up a {level} by name")));
    };
    Ok(found.into_iter().collect())
}

/// One thing by its id.
pub async fn read(lenses: &Lenses, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
    match kind {
        Kind::Role => {
            let (name, made) = ids::of_thing(id);
            role(lenses, name, &made).await
        }
        Kind::Group => {
            let (name, made) = ids::of_thing(id);
            owned(lenses, name, &made).await
        }
        Kind::Grant => match ids::of_grant(id) {
            Some((group, role)) => grant(&lenses.client, &group, role).await,
            None => Err(Error::mistake(format!("{id} is no id of a grant on Lenses"))),
        },
        Kind::Restriction => Err(Error::mistake("Lenses has no restrictions")),
    }
}

/// The thing of a body's natural key.
pub async fn find(lenses: &Lenses, body: &Body) -> Result<Option<Observed>, Error> {
    match body {
        Body::Role(wanted) => role(lenses, &wanted.name, &Incarnation::default()).await,
        Body::Group(wanted) => owned(lenses, &wanted.name, &Incarnation::default()).await,
        Body::Grant(Grant { role: RoleRef::Existing(role), subject, .. }) => {
            grant(&lenses.client, &subject.id, role.id.as_str()).await
        }
        // No group has a role that does not exist.
        Body::Grant(_) => Ok(None),
        Body::Restriction(_) => Err(Error::mistake("Lenses has no restrictions")),
    }
}

/// One role, with its policy. None when it is not found, or is another than the one that was made so.
pub async fn role(lenses: &Lenses, name: &str, made: &Incarnation) -> Result<Option<Observed>, Error> {
    let found = client::seen(lenses.client.role(name).await)?;
    let Some(mut role) = found.filter(|role| !role.made.incarnation().differs(made)) else { return Ok(None) };
    let policy = role.policy.take().unwrap_or_default();
    let seen = map::role(role, &policy);
    // What a sweep kept of it may be older.
    if lenses.roles.get(name).is_some_and(|kept| kept != seen) {
        lenses.roles.forget(name);
    }
    Ok(Some(seen))
}

/// One group that a binding owns, with roles and members. None when it is not found, or is another than the one that was made so.
pub async fn owned(lenses: &Lenses, name: &str, made: &Incarnation) -> Result<Option<Observed>, Error> {
    let found = groups::read(&lenses.client, lenses.connection.membership, name).await?;
    let Some(whole) = found.filter(|whole| !whole.made.differs(made)) else { return Ok(None) };
    if lenses.groups.get(name).is_some_and(|kept| kept != whole) {
        lenses.groups.forget(name);
    }
    Ok(Some(map::owned(&whole, lenses.connection.membership)))
}

/// A role in a group's set. None when it is not there, or the group is not, or is another of its name.
pub async fn grant(client: &Client, group: &Id, role: &str) -> Result<Option<Observed>, Error> {
    let (name, made) =
        ids::of_group(group).ok_or_else(|| Error::mistake(format!("{group} is no group of Lenses")))?;
    let found = client::seen(client.group(name).await)?;
    let has = |group: &wire::Group| group.roles.iter().flatten().any(|held| held.name() == role);
    let found = found.filter(|group| !group.made.incarnation().differs(&made) && has(group));
    Ok(found.map(|_| map::grant(map::group_named(name, &made), role)))
}
