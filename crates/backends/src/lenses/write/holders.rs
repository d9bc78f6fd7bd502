//! Which groups would lose a role that is removed. A list counts a group's roles and does not name them (contract 2.2), so each group that
//! has any is read. Does not know what a removal is.
//!
//! Calls: the list of groups, and one for each group that has roles.

use super::{
    super::{
        Lenses, client,
        config::Membership,
        groups::{self, Listed, Lists},
    },
    explained,
};
use crate::{Class, Error, reading::each};

/// The groups that have a role, by name.
///
/// # Errors
/// [`Class::Denied`] where no group is known to have it, and of some that cannot be told.
pub async fn of(lenses: &Lenses, role: &str) -> Result<Vec<String>, Error> {
    let untold = |error: Error| match error.class.is_withheld() {
        true => Error::new(
            Class::Denied,
            format!("whether a group has the role {role} cannot be told: {}", explained(error).message),
        ),
        false => error,
    };
    let listed = lenses.client.groups().await.map_err(untold)?;
    // Who is in the groups does not matter.
    let lists = &Lists::new(&lenses.client, Membership::Sso);
    let with_roles = listed.into_iter().filter(|item| item.role_count != Some(0));
    let told = each(with_roles.collect::<Vec<_>>(), |item| async move {
        let has = has(lenses, &item.name, Listed::of(&item), lists, role).await;
        Ok::<_, Error>((item.name, has))
    });
    let (mut holders, mut untellable) = (Vec::new(), None);
    for (name, has) in told.await? {
        match has {
            Ok(true) => holders.push(name),
            Ok(false) => {}
            Err(error) => untellable = Some(untold(error)),
        }
    }
    // Who is known to have it is named, whatever cannot be told of others.
    match untellable {
        Some(error) if holders.is_empty() => Err(error),
        _ => {
            holders.sort();
            Ok(holders)
        }
    }
}

async fn has(
    lenses: &Lenses,
    group: &str,
    listed: Listed,
    lists: &Lists<'_>,
    role: &str,
) -> Result<bool, Error> {
    let whole = match client::seen(lenses.client.group(group).await)? {
        Some(shown) => Some(groups::whole(lenses, shown, listed, lists).await?),
        None => None,
    };
    match whole {
        Some(whole) if whole.roles.contains(role) => Ok(true),
        Some(whole) if whole.roles_complete => Ok(false),
        _ => Err(Error::new(Class::Denied, format!("the group {group} is not shown whole"))),
    }
}
