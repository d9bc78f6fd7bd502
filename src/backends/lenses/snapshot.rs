//! One sweep: the lists that are needed, what has to be read of single things beside them, and what their silence proves.
//!
//! **Absence.** Lists show only what the credential may see, and nothing tells whether that is all (contract 1). So what is held and not
//! listed is asked for by name. That HQ answers 403 to what may not be read, and not 404, is likely and nowhere told (contract 1). So a 404
//! proves that there is no such thing on two grounds together: it is HQ's own, and not that of a proxy or of a path that is not served; and
//! the account's own policy lets it read all of iam, which is known only where the Backend names the account. On any less nothing is proven.
//! What is listed under the name of something held, and is known to be another thing, proves by itself that the held one is gone: HQ gives a
//! name once.
//!
//! A list that the credential may not read leaves its part empty and unproven. Any other failure makes no snapshot, and neither does a list
//! that is not found, or names what is then not found: that is a proxy's doing, or servers behind one address that are not of one mind.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::try_join;
use tokio::sync::OnceCell;

use super::{
    Lenses, client,
    details::Mark,
    groups::{self, Listed, Lists, Whole},
    ids::{self, Asked, Incarnation},
    map,
    rights::{self, Sight},
    wire::{GroupItem, Made, Principal, RoleItem},
};
use crate::{
    access::{Builder, Id, Kind, Observed, Proof, ROLE, Snapshot, SubjectKind},
    backends::{Class, Error, Needs, reading::each},
};

/// What is needed, in Lenses' words.
struct Wanted<'a> {
    roles: bool,
    groups: bool,
    users: bool,
    accounts: bool,
    /// By name, what is held.
    held_roles: BTreeSet<&'a str>,
    held_groups: BTreeSet<&'a str>,
    /// Which of those no binding owns: name, what tells it from others, id.
    held_places: Vec<(&'a str, Incarnation, &'a Id)>,
}

impl<'a> Wanted<'a> {
    fn of(needs: &'a Needs) -> Self {
        let mut held_roles = BTreeSet::new();
        let mut held_groups = BTreeSet::new();
        let mut held_places = Vec::new();
        for (id, asked) in needs.held.iter().filter_map(|id| Some((id, Asked::of(id)?))) {
            match asked {
                Asked::Role(name) => {
                    held_roles.insert(name);
                }
                Asked::Owned(name) => {
                    held_groups.insert(name);
                }
                Asked::Group(name, made) => {
                    held_groups.insert(name);
                    held_places.push((name, made, id));
                }
            }
        }
        let (kind, level) =
            (|kind: Kind| needs.kinds.contains(&kind), |level: &str| needs.levels.contains(level));
        Self {
            roles: kind(Kind::Role) || level(ROLE),
            groups: kind(Kind::Grant) || kind(Kind::Group) || level(ids::group_level()),
            users: level(SubjectKind::User.level()),
            accounts: level(SubjectKind::ServiceAccount.level()),
            held_roles,
            held_groups,
            held_places,
        }
    }

    /// The ids of the groups of this name in which something is held, of those that `are` so.
    fn places(&self, name: &str, are: impl Fn(&Incarnation) -> bool) -> Vec<Id> {
        let those = self.held_places.iter().filter(|(held, made, _)| *held == name && are(made));
        those.map(|(_, _, id)| (*id).clone()).collect()
    }
}

/// What became of a name that is held and not listed.
enum Sought<T> {
    There(T),
    /// HQ itself says so.
    NotThere(Error),
    /// Somebody else says so, which says nothing.
    NotFound(Error),
    Unknown,
}

impl<T> Sought<T> {
    /// What is read of something that a list has just shown.
    fn listed(self) -> Result<Option<T>, Error> {
        match self {
            Sought::There(seen) => Ok(Some(seen)),
            Sought::NotThere(error) | Sought::NotFound(error) => {
                Err(Error::new(Class::Transient, format!("{}, although it was just listed", error.message)))
            }
            Sought::Unknown => Ok(None),
        }
    }
}

/// Reads what is needed.
///
/// # Errors
/// Whatever kept a list from being read to its end, but for a refusal of the list.
pub async fn snapshot(lenses: &Lenses, needs: &Needs) -> Result<Snapshot, Error> {
    let wanted = Wanted::of(needs);
    let lists = Lists::new(&lenses.client, lenses.connection.membership);
    let mut builder = Builder::new();
    let witness = Witness { lenses, sight: OnceCell::new() };
    let (roles, groups, users, accounts) = try_join!(
        add(wanted.roles, roles(lenses, &wanted, &witness)),
        add(wanted.groups, groups(lenses, &wanted, &lists, &witness)),
        add(wanted.users, async { principals(lists.users().await, SubjectKind::User) }),
        add(wanted.accounts, async { principals(lists.accounts().await, SubjectKind::ServiceAccount) }),
    )?;
    for part in [roles, groups, users, accounts].into_iter().flatten() {
        part(&mut builder);
    }
    Ok(builder.complete())
}

/// What a part of the sweep puts into the snapshot.
type Part<'a> = Box<dyn FnOnce(&mut Builder) + Send + 'a>;

async fn add<'a>(
    wanted: bool,
    part: impl Future<Output = Result<Part<'a>, Error>>,
) -> Result<Option<Part<'a>>, Error> {
    if wanted { part.await.map(Some) } else { Ok(None) }
}

fn refused<'a>(level: &'static str, error: Error) -> Result<Part<'a>, Error> {
    match error.class {
        Class::Denied => Ok(Box::new(move |builder| builder.directory().refuse(level, error.message))),
        Class::Missing | Class::Unsupported => Err(Error::new(Class::Transient, error.message)),
        _ => Err(error),
    }
}

fn principals<'a>(listed: Result<&'a [Principal], Error>, kind: SubjectKind) -> Result<Part<'a>, Error> {
    match listed {
        Err(error) => refused(kind.level(), error),
        Ok(listed) => Ok(Box::new(move |builder| {
            listed.iter().for_each(|it| builder.directory().insert(map::principal(kind, &it.name)));
        })),
    }
}

/// All roles: those that are held whole, the others in outline.
async fn roles<'a>(
    lenses: &'a Lenses,
    wanted: &Wanted<'_>,
    witness: &Witness<'_>,
) -> Result<Part<'a>, Error> {
    let reading = lenses.roles.begin();
    let listed = match lenses.client.roles().await {
        Ok(listed) => listed,
        Err(error) => return refused(ROLE, error),
    };
    let held = listed.iter().filter(|item| wanted.held_roles.contains(item.name.as_str()));
    let marks: BTreeMap<String, Mark> = held.map(|item| (item.name.clone(), role_mark(item))).collect();
    let made: BTreeMap<&str, &Made> = listed.iter().map(|item| (item.name.as_str(), &item.made)).collect();
    let due = each(lenses.roles.due(&marks), |name| {
        let made = made.get(name.as_str()).copied().cloned().unwrap_or_default();
        role(lenses, name, made)
    });
    for (name, sought) in due.await? {
        match sought.listed()? {
            Some(seen) => lenses.roles.learn(&reading, &name, &marks[&name], seen),
            None => lenses.roles.lose(&name),
        }
    }
    let names: BTreeSet<String> = listed.iter().map(|item| item.name.clone()).collect();
    let unlisted =
        wanted.held_roles.iter().filter(|name| !names.contains(**name)).map(|name| (*name).to_owned());
    let sought = each(unlisted.collect::<Vec<_>>(), |name| role(lenses, name, Made::default())).await?;
    let proven = witness.bears_out(&sought).await?;
    Ok(Box::new(move |builder| {
        for item in listed {
            let kept = if marks.contains_key(&item.name) { lenses.roles.get(&item.name) } else { None };
            builder.add(kept.unwrap_or_else(|| map::outline(item)));
        }
        for (_, sought) in sought {
            if let Sought::There(seen) = sought {
                builder.add(seen);
            }
        }
        // Of everything that is held the name was listed, or was asked for and is there or proven not to be.
        if proven {
            builder.prove(Kind::Role, Proof::Everywhere);
        }
    }))
}

/// Asks for one role; `listed` is what the list shows of what it was made as.
async fn role(lenses: &Lenses, name: String, listed: Made) -> Result<(String, Sought<Observed>), Error> {
    let sought = match lenses.client.role(&name).await {
        Ok(mut role) => {
            let policy = role.policy.take().unwrap_or_default();
            if role.made == Made::default() {
                role.made = listed;
            }
            Sought::There(map::role(role, &policy))
        }
        Err(error) => unseen(error)?,
    };
    Ok((name, sought))
}

/// All groups: what a binding owns as such, the roles of all others as grants.
async fn groups<'a>(
    lenses: &'a Lenses,
    wanted: &Wanted<'_>,
    lists: &Lists<'_>,
    witness: &Witness<'_>,
) -> Result<Part<'a>, Error> {
    let reading = lenses.groups.begin();
    let listed = match lenses.client.groups().await {
        Ok(listed) => listed,
        Err(error) => return refused(ids::group_level(), error),
    };
    let items: BTreeMap<&str, &GroupItem> = listed.iter().map(|item| (item.name.as_str(), item)).collect();
    // A group without roles gives nobody anything, and matters only where somebody is to be put into it.
    let matters = |item: &&GroupItem| {
        item.role_count != Some(0)
            || ids::is_owned(&item.name)
            || wanted.held_groups.contains(item.name.as_str())
    };
    let marks: BTreeMap<String, Mark> =
        listed.iter().filter(matters).map(|item| (item.name.clone(), group_mark(item))).collect();
    let mut seen: Vec<Whole> = Vec::new();
    let counted = |name: String| {
        let listed = items.get(name.as_str()).map(|item| Listed::of(item)).unwrap_or_default();
        group(lenses, name, listed, lists)
    };
    for (name, sought) in each(lenses.groups.due(&marks), counted).await? {
        match sought.listed()? {
            Some(whole) => {
                if whole.complete() {
                    lenses.groups.learn(&reading, &name, &marks[&name], whole.clone());
                }
                seen.push(whole);
            }
            None => lenses.groups.lose(&name),
        }
    }
    let read_now: HashSet<String> = seen.iter().map(|whole| whole.name.clone()).collect();
    let kept = marks.keys().filter(|name| !read_now.contains(*name));
    seen.extend(kept.filter_map(|name| lenses.groups.get(name)));
    let unlisted =
        wanted.held_groups.iter().filter(|name| !items.contains_key(**name)).map(|name| (*name).to_owned());
    let sought = each(unlisted.collect::<Vec<_>>(), counted).await?;
    let proven = witness.bears_out(&sought).await?;
    // What is listed and does not show what is in it is there all the same.
    let shown: HashSet<&str> = seen.iter().map(|whole| whole.name.as_str()).collect();
    let owned_proven =
        proven && marks.keys().all(|name| !ids::is_owned(name) || shown.contains(name.as_str()));
    // Groups of which it is known that they have no role: those that say so, and those that are not there.
    let mut empty: HashSet<Id> = listed
        .iter()
        .filter(|item| item.role_count == Some(0))
        .map(|item| ids::group(&item.name, &item.made.incarnation()))
        .collect();
    for item in &listed {
        empty.extend(wanted.places(&item.name, |made| made.differs(&item.made.incarnation())));
    }
    for (name, sought) in sought {
        match sought {
            Sought::There(whole) => {
                empty.extend(wanted.places(&name, |made| made.differs(&whole.made)));
                seen.push(whole);
            }
            Sought::NotThere(_) if proven => empty.extend(wanted.places(&name, |_| true)),
            Sought::NotThere(_) | Sought::NotFound(_) | Sought::Unknown => {}
        }
    }
    let membership = lenses.connection.membership;
    Ok(Box::new(move |builder| {
        for item in listed.iter().filter(|item| !ids::is_owned(&item.name)) {
            builder.directory().insert(map::group(&item.name, &item.made.incarnation()));
        }
        // Of a group that shows all that is counted, and of one that has nothing, the roles are all known.
        let mut whole_sets = empty;
        for whole in seen {
            if ids::is_owned(&whole.name) {
                builder.add(map::owned(&whole, membership));
                continue;
            }
            let group = map::group_named(&whole.name, &whole.made);
            whole.roles.iter().for_each(|role| builder.add(map::grant(group.clone(), role)));
            whole_sets.extend(whole.roles_complete.then_some(group.id));
        }
        builder.prove(Kind::Grant, Proof::Within(whole_sets));
        if owned_proven {
            builder.prove(Kind::Group, Proof::Everywhere);
        }
    }))
}

async fn group(
    lenses: &Lenses,
    name: String,
    listed: Listed,
    lists: &Lists<'_>,
) -> Result<(String, Sought<Whole>), Error> {
    let sought = match lenses.client.group(&name).await {
        Ok(group) => Sought::There(groups::whole(group, listed, lists).await?),
        Err(error) => unseen(error)?,
    };
    Ok((name, sought))
}

/// What a refusal to show one thing says of it.
fn unseen<T>(error: Error) -> Result<Sought<T>, Error> {
    match error.class {
        Class::Missing if client::is_hqs_own(&error) => Ok(Sought::NotThere(error)),
        Class::Missing => Ok(Sought::NotFound(error)),
        Class::Denied | Class::Invalid | Class::Unsupported => Ok(Sought::Unknown),
        _ => Err(error),
    }
}

/// The account's own policy, asked once a sweep and only when something is missing.
struct Witness<'a> {
    lenses: &'a Lenses,
    sight: OnceCell<Sight>,
}

impl Witness<'_> {
    /// Whether what was not found is proven not to be there.
    async fn bears_out<T>(&self, sought: &[(String, Sought<T>)]) -> Result<bool, Error> {
        if sought.iter().any(|(_, sought)| matches!(sought, Sought::NotFound(_) | Sought::Unknown)) {
            return Ok(false);
        }
        if !sought.iter().any(|(_, sought)| matches!(sought, Sought::NotThere(_))) {
            return Ok(true);
        }
        let ask = || rights::sight(&self.lenses.client, self.lenses.connection.account.as_deref());
        Ok(*self.sight.get_or_try_init(ask).await? == Sight::Everything)
    }
}

fn role_mark(item: &RoleItem) -> Mark {
    let RoleItem { name: _, made, display_name, description, policy_length } = item;
    format!("{:?}", (made, display_name, description, policy_length))
}

/// What a list shows of a group.
pub fn group_mark(item: &GroupItem) -> Mark {
    let GroupItem { name: _, made, display_name, sso_name, description, user_count, sa_count, role_count } =
        item;
    format!("{:?}", (made, display_name, sso_name, description, user_count, sa_count, role_count))
}
