//! The groups that still have a role which is about to be deleted. The list of groups counts roles but does not name them (contract 2.2), so
//! each group with roles is read.
//!
//! Calls: the list of groups, and one for each group with roles.

use super::{
    super::{
        account::Lenses,
        client,
        config::Membership,
        groups::{self, Counts, Principals},
    },
    with_needed_rights,
};
use crate::{Class, Error, reading::for_each};

/// The names of the groups that have a role.
///
/// # Errors
/// [`Class::Denied`] if no visible group has it, and some groups are not visible.
pub async fn groups_with(lenses: &Lenses, role: &str) -> Result<Vec<String>, Error> {
    let unknown = |error: Error| match error.class.is_withheld() {
        true => Error::new(
            Class::Denied,
            format!("cannot tell whether a group has the role {role}: {}", with_needed_rights(error).message),
        ),
        false => error,
    };
    let listed = lenses.client.groups().await.map_err(unknown)?;
    // Members are not needed.
    let people = &Principals::new(&lenses.client, Membership::Sso);
    let with_roles = listed.into_iter().filter(|item| item.role_count != Some(0));
    let each = for_each(with_roles.collect::<Vec<_>>(), |item| async move {
        let has = has(lenses, &item.name, Counts::of(&item), people, role).await;
        Ok::<_, Error>((item.name, has))
    });
    let (mut groups, mut hidden) = (Vec::new(), None);
    for (name, has) in each.await? {
        match has {
            Ok(true) => groups.push(name),
            Ok(false) => {}
            Err(error) => hidden = Some(unknown(error)),
        }
    }
    // A group that certainly has the role matters more than one that is hidden.
    match hidden {
        Some(error) if groups.is_empty() => Err(error),
        _ => {
            groups.sort();
            Ok(groups)
        }
    }
}

async fn has(
    lenses: &Lenses,
    group: &str,
    counts: Counts,
    people: &Principals<'_>,
    role: &str,
) -> Result<bool, Error> {
    let whole = match client::found(lenses.client.group(group).await)? {
        Some(shown) => Some(groups::assemble(lenses, shown, counts, people).await?),
        None => None,
    };
    match whole {
        Some(whole) if whole.roles.contains(role) => Ok(true),
        Some(whole) if whole.roles_complete => Ok(false),
        _ => Err(Error::new(Class::Denied, format!("the group {group} does not show all its roles"))),
    }
}
