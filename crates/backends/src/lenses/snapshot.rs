//! One sweep: the lists that are needed, what has to be read of single things beside them, and what their silence proves.
//!
//! **Absence.** Lists show only what the credential may see, and nothing tells whether that is all (contract 1). So what is held and not
//! listed is asked for by name. That HQ answers 403 to what may not be read, and not 404, is likely and nowhere told (contract 1). So a 404
//! proves that there is no such thing on two grounds together: it is HQ's own, and not that of a proxy or of a path that is not served; and
//! the account's own policy lets it read all of iam, which is known only where the Backend names the account. On any less nothing is proven.
//! What is listed under the name of something held, and is known to be another thing, proves by itself that the held one is gone: HQ gives a
//! name once.
//!
//! **Identity.** What is recorded is shown under its recorded id for as long as nothing that HQ shows says that it is another thing. Where HQ
//! shows more than is recorded, the record follows. Where two things are recorded under one name and HQ does not show which of them it is,
//! neither is seen, and neither is gone.
//!
//! A list that the credential may not read leaves its part empty and unproven. Any other failure makes no snapshot, and neither does a list
//! that is not found, or names what is then not found: that is a proxy's doing, or servers behind one address that are not of one mind.

use std::collections::{BTreeMap, HashSet};

use futures::try_join;
use tokio::sync::OnceCell;

use super::{
    Lenses, client,
    details::Mark,
    groups::{self, Listed, Lists},
    ids::{self, Incarnation},
    incarnations::Incarnations,
    map,
    rights::{self, Sight},
    wanted::Wanted,
    whole::Whole,
    wire::{GroupItem, Principal, RoleItem},
};
use crate::{Class, Error, Needs, reading::each};
use rolewright_core::model::{Builder, Id, Kind, Observed, Proof, ROLE, Snapshot, SubjectKind};

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
    for harvest in [roles, groups, users, accounts].into_iter().flatten() {
        harvest(&mut builder);
    }
    Ok(builder.complete())
}

/// What a part of the sweep puts into the snapshot.
type Harvest<'a> = Box<dyn FnOnce(&mut Builder) + Send + 'a>;

async fn add<'a>(
    wanted: bool,
    harvest: impl Future<Output = Result<Harvest<'a>, Error>>,
) -> Result<Option<Harvest<'a>>, Error> {
    if wanted { harvest.await.map(Some) } else { Ok(None) }
}

/// What a list comes to that was refused. One that HQ does not have is not taken for one that is withheld: each HQ has them all.
fn refused<'a>(level: &'static str, error: Error) -> Result<Harvest<'a>, Error> {
    match error.class {
        Class::Denied => Ok(Box::new(move |builder| builder.directory().refuse(level, error.message))),
        Class::Missing | Class::Unsupported => Err(Error::new(Class::Transient, error.message)),
        _ => Err(error),
    }
}

fn principals<'a>(listed: Result<&'a [Principal], Error>, kind: SubjectKind) -> Result<Harvest<'a>, Error> {
    match listed {
        Err(error) => refused(kind.level(), error),
        Ok(listed) => Ok(Box::new(move |builder| {
            listed.iter().for_each(|it| builder.directory().insert(map::principal(kind, &it.name)));
        })),
    }
}

/// Things that are known by name, and what else they are recorded as.
#[derive(Default)]
struct Named {
    seen: Vec<Observed>,
    /// Recorded id, id by now.
    renamed: Vec<(Id, Id)>,
    /// Something is there, and it is not clear what.
    unclear: bool,
}

impl Named {
    /// Adds a thing under the id that it is to be known by.
    fn add(&mut self, known: &Incarnations, name: &str, recorded: &[Incarnation], seen: Observed) {
        let Some(now) = known.settle(name, recorded.iter()) else {
            self.unclear = true;
            return;
        };
        let id = ids::thing(name, &now);
        let same = recorded.iter().filter(|recorded| !recorded.differs(&now));
        let before = same.map(|recorded| ids::thing(name, recorded)).filter(|before| *before != id);
        self.renamed.extend(before.map(|before| (before, id.clone())));
        self.seen.push(Observed { id, ..seen });
    }

    fn enter(self, builder: &mut Builder, kind: Kind, proven: bool) {
        self.renamed.into_iter().for_each(|(before, now)| builder.set_current_id(kind, before, now));
        self.seen.into_iter().for_each(|seen| builder.add(seen));
        if proven && !self.unclear {
            builder.prove(kind, Proof::Everywhere);
        }
    }
}

/// All roles: those that are held whole, the others in outline.
async fn roles<'a>(
    lenses: &'a Lenses,
    wanted: &Wanted<'_>,
    witness: &Witness<'_>,
) -> Result<Harvest<'a>, Error> {
    let (reading, known) = (lenses.roles.begin(), &lenses.named_roles);
    let began = known.begin();
    let listed = match lenses.client.roles().await {
        Ok(listed) => listed,
        Err(error) => return refused(ROLE, error),
    };
    let items: BTreeMap<&str, (&RoleItem, Incarnation)> = listed
        .iter()
        .map(|item| (item.name.as_str(), (item, known.see(&item.name, item.made.incarnation()))))
        .collect();
    let held = items.iter().filter(|(name, _)| wanted.held_roles.contains_key(*name));
    let marks: BTreeMap<String, Mark> =
        held.map(|(name, (item, made))| ((*name).to_owned(), role_mark(item, made))).collect();
    for (name, sought) in each(lenses.roles.due(&marks), |name| role(lenses, name)).await? {
        match sought.listed()? {
            Some((seen, made)) => {
                let mark = role_mark(items[name.as_str()].0, &made);
                lenses.roles.learn(&reading, &name, &mark, seen);
            }
            None => lenses.roles.lose(&name),
        }
    }
    let unlisted = wanted.held_roles.keys().filter(|name| !items.contains_key(*name));
    let unlisted: Vec<String> = unlisted.map(|name| (*name).to_owned()).collect();
    let sought = each(unlisted, |name| role(lenses, name)).await?;
    let proven = witness.bears_out(&sought).await?;
    let mut named = Named::default();
    for item in listed {
        let (name, recorded) = (item.name.clone(), wanted.role(&item.name));
        let kept = if marks.contains_key(&name) { lenses.roles.get(&name) } else { None };
        let seen = kept.unwrap_or_else(|| map::outline(item, &Incarnation::default()));
        named.add(known, &name, recorded, seen);
    }
    for (name, sought) in sought {
        if let Sought::There((seen, _)) = sought {
            named.add(known, &name, wanted.role(&name), seen);
        }
    }
    known.end(began);
    // Of everything that is held the name was listed, or was asked for and is there or proven not to be.
    Ok(Box::new(move |builder| named.enter(builder, Kind::Role, proven)))
}

/// Asks for one role: what it says, and all that is known of which it is.
async fn role(lenses: &Lenses, name: String) -> Result<(String, Sought<(Observed, Incarnation)>), Error> {
    let sought = match lenses.client.role(&name).await {
        Ok(mut role) => {
            let policy = role.policy.take().unwrap_or_default();
            let made = lenses.named_roles.see(&name, role.made.incarnation());
            Sought::There((map::role(role, &policy, &made), made))
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
) -> Result<Harvest<'a>, Error> {
    let (reading, known) = (lenses.groups.begin(), &lenses.named_groups);
    let (began, held) = (known.begin(), wanted.group_names());
    let listed = match lenses.client.groups().await {
        Ok(listed) => listed,
        Err(error) => return refused(ids::group_level(), error),
    };
    let items: BTreeMap<&str, &GroupItem> = listed.iter().map(|item| (item.name.as_str(), item)).collect();
    // A group without roles gives nobody anything, and matters only where somebody is to be put into it.
    let matters = |item: &GroupItem| {
        item.role_count != Some(0) || ids::is_owned(&item.name) || held.contains(item.name.as_str())
    };
    let mut marks: BTreeMap<String, Mark> = BTreeMap::new();
    for item in &listed {
        let made = known.see(&item.name, item.made.incarnation());
        if matters(item) {
            marks.insert(item.name.clone(), group_mark(item, &made));
        }
    }
    let mut seen: Vec<Whole> = Vec::new();
    let counted = |name: String| {
        let listed = items.get(name.as_str()).map(|item| Listed::of(item)).unwrap_or_default();
        group(lenses, name, listed, lists)
    };
    for (name, sought) in each(lenses.groups.due(&marks), counted).await? {
        match sought.listed()? {
            Some(whole) => {
                if whole.complete() {
                    let mark = group_mark(items[name.as_str()], &whole.made);
                    lenses.groups.learn(&reading, &name, &mark, whole.clone());
                }
                seen.push(whole);
            }
            None => lenses.groups.lose(&name),
        }
    }
    let read_now: HashSet<String> = seen.iter().map(|whole| whole.name.clone()).collect();
    let kept = marks.keys().filter(|name| !read_now.contains(*name));
    seen.extend(kept.filter_map(|name| lenses.groups.get(name)));
    let unlisted = held.iter().filter(|name| !items.contains_key(**name)).map(|name| (*name).to_owned());
    let sought = each(unlisted.collect::<Vec<_>>(), counted).await?;
    let proven = witness.bears_out(&sought).await?;
    // What is listed and does not show what is in it is there all the same.
    let shown: HashSet<&str> = seen.iter().map(|whole| whole.name.as_str()).collect();
    let owned_proven =
        proven && marks.keys().all(|name| !ids::is_owned(name) || shown.contains(name.as_str()));
    let mut places = Places::default();
    for (name, sought) in sought {
        match sought {
            Sought::There(whole) => seen.push(whole),
            Sought::NotThere(_) if proven => {
                places.empty.extend(wanted.places(&name).map(|place| place.group.clone()));
            }
            Sought::NotThere(_) | Sought::NotFound(_) | Sought::Unknown => {}
        }
    }
    let (owned, mut others): (Vec<Whole>, Vec<Whole>) =
        seen.into_iter().partition(|whole| ids::is_owned(&whole.name));
    let mut own = Named::default();
    for whole in owned {
        let seen = map::owned(&whole, lenses.connection.membership);
        own.add(known, &whole.name, wanted.owned(&whole.name), seen);
    }
    for item in listed.iter().filter(|item| !ids::is_owned(&item.name)) {
        places.settle(known, wanted, &item.name);
        if item.role_count == Some(0) {
            places.empty.extend(places.now.get(&item.name).map(|made| ids::group(&item.name, made)));
        }
    }
    for whole in others.iter().filter(|whole| !items.contains_key(whole.name.as_str())) {
        places.settle(known, wanted, &whole.name);
    }
    // Nothing is said of a group of which it is not clear which it is.
    others.retain(|whole| places.now.contains_key(&whole.name));
    let names: Vec<String> = listed.iter().map(|item| item.name.clone()).collect();
    known.end(began);
    Ok(Box::new(move |builder| {
        let of_list = names.iter().filter_map(|name| Some((name, places.now.get(name)?)));
        of_list.for_each(|(name, made)| builder.directory().insert(map::group(name, made)));
        // Of a group that shows all that is counted, and of one that has nothing, the roles are all known.
        let mut whole_sets = places.empty;
        for whole in others {
            let group = map::group_named(&whole.name, &places.now[&whole.name]);
            whole.roles.iter().for_each(|role| builder.add(map::grant(group.clone(), role)));
            whole_sets.extend(whole.roles_complete.then_some(group.id));
        }
        for (before, now) in places.renamed {
            builder.set_successor(Kind::Grant, before.key, (now.id, now.key));
        }
        builder.prove(Kind::Grant, Proof::Within(whole_sets));
        own.enter(builder, Kind::Group, owned_proven);
    }))
}

/// Groups that no binding owns, and what is held in them.
#[derive(Default)]
struct Places {
    /// What each that is there is known by, by name.
    now: BTreeMap<String, Incarnation>,
    /// Of what is held: as it is recorded, and as it is known by now.
    renamed: Vec<(Observed, Observed)>,
    /// Groups of which it is known that they have no role: those that say so, and those that are not there.
    empty: HashSet<Id>,
}

impl Places {
    /// Says which group has a name, and what that means for what is held in groups of that name.
    fn settle(&mut self, known: &Incarnations, wanted: &Wanted<'_>, name: &str) {
        let recorded = || wanted.places(name).map(|place| &place.made);
        let Some(now) = known.settle(name, recorded()) else { return };
        let group = map::group_named(name, &now);
        for place in wanted.places(name).filter(|place| place.group != group.id) {
            if place.made.differs(&now) {
                self.empty.insert(place.group.clone());
                continue;
            }
            let before = map::grant(map::group_named(name, &place.made), place.role);
            self.renamed.push((before, map::grant(group.clone(), place.role)));
        }
        self.now.insert(name.to_owned(), now);
    }
}

async fn group(
    lenses: &Lenses,
    name: String,
    listed: Listed,
    lists: &Lists<'_>,
) -> Result<(String, Sought<Whole>), Error> {
    let sought = match lenses.client.group(&name).await {
        Ok(group) => Sought::There(groups::whole(lenses, group, listed, lists).await?),
        Err(error) => unseen(error)?,
    };
    Ok((name, sought))
}

/// What a refusal to show one thing says of it. Whose a 404 is, which matters here, the shared reading of answers does not tell.
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

/// What a list shows of a role, and all that is known of which it is.
fn role_mark(item: &RoleItem, known: &Incarnation) -> Mark {
    let RoleItem { name: _, made: _, display_name, description, policy_length } = item;
    format!("{:?}", (known, display_name, description, policy_length))
}

/// What a list shows of a group, and all that is known of which it is.
fn group_mark(item: &GroupItem, known: &Incarnation) -> Mark {
    let GroupItem { name: _, made: _, display_name, sso_name, description, user_count, sa_count, role_count } =
        item;
    format!("{:?}", (known, display_name, sso_name, description, user_count, sa_count, role_count))
}
