//! The groups that still have a role which is about to be deleted. The list of groups counts roles but does not name them (contract 2.2). So
//! groups that changed since the last sweep read them are read again; for the others it is known which roles they have.
//!
//! Calls: the list of groups, and one for each group with roles that changed.

use super::super::{account::Lenses, client::with_needed_rights};
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
    let with_roles = listed.into_iter().filter(|item| item.role_count != 0);
    let each = for_each(with_roles, |item| async move {
        let group = match lenses.groups.current(&item.name, &item.mark()) {
            Some(group) => Ok(group),
            None => lenses.client.whole_group(&item).await,
        };
        Ok::<_, Error>((item.name, group))
    });
    let (mut groups, mut hidden) = (Vec::new(), None);
    for (name, group) in each.await? {
        match group {
            Ok(group) if group.has_role(role) => groups.push(name),
            Ok(_) => {}
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
