//! The members of a group that a RoleBinding owns. A call with several members fails as a whole, so it is divided: a member that HQ refuses
//! keeps nobody else out of the group, and nobody in it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::{account::Lenses, client, ids},
    with_needed_rights,
};
use crate::{Class, Error};
use rolewright_core::model::{Level, Named};

/// Members that were not added, each with the reason.
#[derive(Default)]
pub struct Refused(Vec<(Named, Error)>);

impl Refused {
    /// Whether a member was refused.
    pub fn contains(&self, member: &Named) -> bool {
        self.0.iter().any(|(refused, _)| refused == member)
    }

    /// The members without the refused ones.
    pub fn without<'a>(&self, members: &'a BTreeSet<Named>) -> BTreeSet<&'a Named> {
        members.iter().filter(|member| !self.contains(member)).collect()
    }

    /// The error of the change: the class of the first refusal, and what was refused. None if every member was added.
    pub fn error(&self) -> Option<Error> {
        const MAX_NAMED: usize = 5;
        let (_, first) = self.0.first()?;
        let lines = self.0.iter().take(MAX_NAMED).map(|(member, error)| match &error.message {
            message if message.contains(&*member.name) => message.clone(),
            message => format!("{}: {message}", member.name),
        });
        let mut message = lines.collect::<Vec<_>>().join("; ");
        if self.0.len() > MAX_NAMED {
            message.push_str(&format!("; and {} more", self.0.len() - MAX_NAMED));
        }
        Some(Error::new(first.class, message))
    }
}

/// The names of members as HQ's calls take them.
///
/// # Errors
/// A mistake if a member is neither a user nor a service account.
pub fn names<'a>(members: impl IntoIterator<Item = &'a Named>) -> Result<Vec<&'a str>, Error> {
    let other = || Error::mistake("a member that is neither a user nor a service account");
    members.into_iter().map(|member| ids::of_principal(&member.id).ok_or_else(other)).collect()
}

/// Finds the members whose name is both a user's and a service account's, because HQ takes members by name only (contract 2.2). Names of
/// service accounts are more restricted, so most users need no call.
///
/// # Errors
/// A failure that concerns more than one member.
pub async fn ambiguous(lenses: &Lenses, added: &[&Named]) -> Result<Refused, Error> {
    let mut refused = Refused::default();
    for &member in added.iter().filter(|member| ids::is_name(&member.name)) {
        let other = match member.level == Level::USER {
            true => lenses.client.service_account(&member.name).await,
            false => lenses.client.user(&member.name).await,
        };
        let why = match client::found(other) {
            Ok(None) => continue,
            Ok(Some(_)) => {
                let message = format!(
                    "spec.subjects: {} is both a user and a service account, and a group of Lenses does not show which of the two is its \
                     member: rename one of them",
                    member.name
                );
                Error::new(Class::Invalid, message)
            }
            Err(error) if error.class.is_withheld() => {
                let message = format!(
                    "cannot tell whether {} is both a user and a service account, which a group of Lenses does not distinguish: {}",
                    member.name, error.message
                );
                with_needed_rights(Error::new(Class::Denied, message))
            }
            Err(error) => return Err(error),
        };
        refused.0.push((member.clone(), why));
    }
    Ok(refused)
}

/// Whether the refusal of a call with several members can be about one of them.
pub fn can_be_about_one(error: &Error) -> bool {
    error.class.is_objection() || error.class == Class::Missing
}

/// Adds members one by one, after `first` has changed everything else. Returns those that HQ refuses too.
///
/// # Errors
/// A failure that concerns more than one member.
pub async fn add_one_by_one(
    lenses: &Lenses,
    group: &str,
    first: Value,
    added: &[&Named],
    mut refused: Refused,
) -> Result<Refused, Error> {
    if first.as_object().is_some_and(|fields| !fields.is_empty()) {
        lenses.client.change_group(group, first).await?;
    }
    for &member in added {
        match lenses.client.change_group(group, json!({"add_members": names([member])?})).await {
            Ok(_) => {}
            Err(error) if can_be_about_one(&error) => refused.0.push((member.clone(), error)),
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}
