//! Single questions: what the credential sees, what a name means, what one thing says now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Lenses,
    client::{self, Client},
    config::{ACCOUNT_FIELD, Connection},
    groups,
    ids::{self, Incarnation},
    map,
    whole::Whole,
    wire,
};
use crate::{Class, Error, Identity};
use rolewright_core::model::{Body, Entry, Grant, Id, Kind, Observed, ROLE, RoleRef, SubjectKind};

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
pub async fn look_up(lenses: &Lenses, level: &str, name: &str) -> Result<Vec<Entry>, Error> {
    let client = &lenses.client;
    let found = if level == SubjectKind::User.level() {
        client::seen(client.user(name).await)?.map(|user| map::principal(SubjectKind::User, &user.name))
    } else if level == SubjectKind::ServiceAccount.level() {
        let account = client::seen(client.service_account(name).await)?;
        account.map(|account| map::principal(SubjectKind::ServiceAccount, &account.name))
    } else if level == ids::group_level() {
        // A group that a binding owns is nobody else's to give roles to.
        let group = if ids::is_owned(name) { None } else { client::seen(client.group(name).await)? };
        group.map(|group| {
            let made = lenses.named_groups.see(&group.name, group.made.incarnation());
            map::group(&group.name, &made)
        })
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
            role(lenses, name, Some(&made)).await
        }
        Kind::Group => {
            let (name, made) = ids::of_thing(id);
            owned(lenses, name, Some(&made)).await
        }
        Kind::Grant => match ids::of_grant(id) {
            Some((group, role)) => grant(lenses, &group, role).await,
            None => Err(Error::mistake(format!("{id} is no id of a grant on Lenses"))),
        },
        Kind::Restriction => Err(Error::mistake("Lenses has no restrictions")),
    }
}

/// The thing of a body's natural key.
pub async fn find(lenses: &Lenses, body: &Body) -> Result<Option<Observed>, Error> {
    match body {
        Body::Role(wanted) => role(lenses, &wanted.name, None).await,
        Body::Group(wanted) => owned(lenses, &wanted.name, None).await,
        Body::Grant(Grant { role: RoleRef::Existing(role), subject, .. }) => {
            grant(lenses, &subject.id, role.id.as_str()).await
        }
        // No group has a role that does not exist.
        Body::Grant(_) => Ok(None),
        Body::Restriction(_) => Err(Error::mistake("Lenses has no restrictions")),
    }
}

/// One role, with its policy. None when it is not found, or is another than the one that was asked for. One that is not known to be another
/// is given under the id that it was asked for by.
pub async fn role(
    lenses: &Lenses,
    name: &str,
    asked: Option<&Incarnation>,
) -> Result<Option<Observed>, Error> {
    let Some(mut role) = client::seen(lenses.client.role(name).await)? else {
        lenses.named_roles.forget(name);
        return Ok(None);
    };
    let made = lenses.named_roles.see(name, role.made.incarnation());
    let Some(made) = answering(asked, made) else { return Ok(None) };
    let policy = role.policy.take().unwrap_or_default();
    let seen = map::role(role, &policy, &made);
    // What a sweep kept of it may be older.
    if lenses.roles.get(name).is_some_and(|kept| kept.body != seen.body) {
        lenses.roles.forget(name);
    }
    Ok(Some(seen))
}

/// One group that a binding owns, with roles and members: as [`role`].
pub async fn owned(
    lenses: &Lenses,
    name: &str,
    asked: Option<&Incarnation>,
) -> Result<Option<Observed>, Error> {
    let Some(whole) = groups::read(lenses, name).await? else {
        lenses.named_groups.forget(name);
        return Ok(None);
    };
    let Some(made) = answering(asked, whole.made.clone()) else { return Ok(None) };
    let whole = Whole { made, ..whole };
    if lenses.groups.get(name).is_some_and(|kept| Whole { made: whole.made.clone(), ..kept } != whole) {
        lenses.groups.forget(name);
    }
    Ok(Some(map::owned(&whole, lenses.connection.membership)))
}

/// What a thing is to be known by that was asked for: as it was asked for. None where it is known to be another.
pub fn answering(asked: Option<&Incarnation>, made: Incarnation) -> Option<Incarnation> {
    match asked {
        Some(asked) => (!made.differs(asked)).then(|| asked.clone()),
        None => Some(made),
    }
}

/// A role in a group's set. None when it is not there, or the group is not, or is another of its name.
pub async fn grant(lenses: &Lenses, group: &Id, role: &str) -> Result<Option<Observed>, Error> {
    let (name, made) =
        ids::of_group(group).ok_or_else(|| Error::mistake(format!("{group} is no group of Lenses")))?;
    let Some(found) = client::seen(lenses.client.group(name).await)? else {
        lenses.named_groups.forget(name);
        return Ok(None);
    };
    let now = lenses.named_groups.see(name, found.made.incarnation());
    let has = |group: &wire::Group| group.roles.iter().flatten().any(|held| held.name() == role);
    Ok((!now.differs(&made) && has(&found)).then(|| map::grant(map::group_named(name, &made), role)))
}
