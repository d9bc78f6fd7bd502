//! Reads one snapshot: the lists that are needed, single things beside them, and what they prove.
//!
//! **Absence** (contract 7). Lists show only what the credential can see, and nothing shows whether that is all (contract 1.3). So each managed
//! thing that is not listed is read by its name. It is likely but not documented that HQ answers 403, not 404, for a hidden thing. So a
//! 404 proves absence only under two conditions: it is HQ's own, not one of a proxy or of an unknown path; and the policy of the account
//! allows it to read all of iam. A thing with the name of a managed one and another id proves that the managed one is deleted, because a
//! name is unique.
//!
//! A list that the credential may not read leaves its part empty and unproven. A call that fails leaves its part unread. So does a list that is
//! not found, or a listed thing that is then not found: the cause is a proxy, or servers behind one address that differ.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::try_join;
use tokio::sync::OnceCell;

use super::{
    account::Lenses,
    cache::{Cache, Mark},
    client, ids, map, visibility,
    wire::{Group, GroupItem, Principal, RoleItem},
};
use crate::{
    Class, Error, Needs,
    reading::{List, Reading},
};
use rolewright_core::model::{
    Builder, Directory, Id, Kind, Level, Observed, Part, Proof, Snapshot, SubjectKind,
};

/// The recorded ids of managed things, by name.
type Recorded<'a> = BTreeMap<String, Vec<Id>>;

/// Reads one snapshot.
///
/// # Errors
/// A failure of the whole account: see [`Reading`].
pub async fn snapshot(lenses: &Lenses, needs: &Needs) -> Result<Snapshot, Error> {
    let sweep = Sweep { lenses, reading: Reading::default(), is_complete: OnceCell::new() };
    let (mut roles, mut groups) = (Recorded::new(), Recorded::new());
    for (kind, id) in needs.hints.iter().filter_map(ids::of_hint) {
        let recorded = if kind == Kind::Role { &mut roles } else { &mut groups };
        recorded.entry(ids::name_of(&id).to_owned()).or_default().push(id);
    }
    let kind = |kind: Kind| needs.kinds.contains(&kind);
    let level = |level: Level| needs.levels.contains(&level);
    let (client, reading) = (&lenses.client, &sweep.reading);
    let names = |level: Level| [Part::Names(level)];
    let (roles, groups, users, accounts) = try_join!(
        sweep.roles(kind(Kind::Role) || level(Level::ROLE), roles),
        sweep.groups(kind(Kind::Grant) || kind(Kind::Group) || level(Level::GROUP), groups),
        reading.list(level(Level::USER), names(Level::USER), client.users()),
        reading.list(level(Level::SERVICE_ACCOUNT), names(Level::SERVICE_ACCOUNT), client.service_accounts()),
    )?;
    let mut builder = Builder::new();
    roles.enter(&mut builder);
    groups.enter(&mut builder);
    enter_principals(users, SubjectKind::User, builder.directory());
    enter_principals(accounts, SubjectKind::ServiceAccount, builder.directory());
    sweep.reading.finish(builder)
}

fn enter_principals(list: List<Vec<Principal>>, kind: SubjectKind, directory: &mut Directory) {
    let listed = list.or_refuse(directory, kind.level()).unwrap_or_default();
    listed.iter().for_each(|it| directory.insert(map::principal(kind, &it.name)));
}

/// All roles: the managed ones with their policy, the others as outlines.
struct Roles {
    list: List<Vec<RoleItem>>,
    whole: HashMap<String, Observed>,
    is_proven: bool,
}

impl Roles {
    fn enter(mut self, builder: &mut Builder) {
        let Some(items) = self.list.or_refuse(builder.directory(), Level::ROLE) else { return };
        for item in items {
            builder.add(self.whole.remove(&item.name).unwrap_or_else(|| map::outline(item)));
        }
        self.whole.into_values().for_each(|seen| builder.add(seen));
        if self.is_proven {
            builder.prove(Kind::Role, Proof::Everywhere);
        }
    }
}

/// All groups: those that RoleBindings own as groups, and the roles of all others as grants.
struct Groups<'a> {
    lenses: &'a Lenses,
    list: List<Vec<GroupItem>>,
    whole: HashMap<String, Group>,
    /// The groups that the list does not show.
    unlisted: Vec<Group>,
    recorded: Recorded<'a>,
    /// The names of managed things that do not exist.
    gone: Vec<String>,
    is_proven: bool,
}

impl Groups<'_> {
    fn enter(self, builder: &mut Builder) {
        let Some(items) = self.list.or_refuse(builder.directory(), Level::GROUP) else { return };
        let membership = self.lenses.connection.membership;
        // The groups of which all roles are known.
        let mut complete: HashSet<Id> = HashSet::new();
        let mut now: HashMap<&str, Id> = HashMap::new();
        for item in &items {
            let whole = self.whole.get(&item.name);
            if ids::is_owned(&item.name) {
                builder.add(
                    whole.map_or_else(
                        || map::owned_outline(item),
                        |group| map::owned_group(group, membership),
                    ),
                );
                continue;
            }
            let entry = map::group(&item.name, &item.id);
            now.insert(&item.name, entry.named.id.clone());
            if whole.is_some() || item.role_count == 0 {
                complete.insert(entry.named.id.clone());
            }
            if let Some(foreign) = item.sso_name.as_ref().filter(|foreign| **foreign != item.name) {
                builder.directory().add_foreign_name(Level::GROUP, foreign, entry.named.id.clone());
            }
            builder.directory().insert(entry);
            whole.into_iter().for_each(|group| add_grants(builder, group));
        }
        for group in &self.unlisted {
            now.insert(&group.name, ids::group(&group.name, &group.id));
            match group.is_owned() {
                true => builder.add(map::owned_group(group, membership)),
                false => add_grants(builder, group),
            }
        }
        let is_gone = |name: &String, id: &Id| match now.get(name.as_str()) {
            Some(now) => now != id,
            None => self.is_proven && self.gone.contains(name),
        };
        let recorded = self.recorded.iter().flat_map(|(name, ids)| ids.iter().map(move |id| (name, id)));
        complete.extend(recorded.filter(|(name, id)| is_gone(name, id)).map(|(_, id)| id.clone()));
        builder.prove(Kind::Grant, Proof::Within(complete));
        if self.is_proven {
            builder.prove(Kind::Group, Proof::Everywhere);
        }
    }
}

fn add_grants(builder: &mut Builder, group: &Group) {
    let named = map::group_named(&group.name, &group.id);
    group.roles.iter().for_each(|role| builder.add(map::grant(named.clone(), &role.name)));
}

/// The parts that are unread if a group is: the group itself if a RoleBinding owns it, else its grants.
fn part_of_group(id: Id) -> Part {
    if ids::is_group(&id) { Part::Place(Kind::Grant, id) } else { Part::Thing(Kind::Group, id) }
}

/// The reads of one snapshot.
struct Sweep<'a> {
    lenses: &'a Lenses,
    reading: Reading,
    /// Whether the account can read all of iam. Read at most once, and only if a managed thing is missing.
    is_complete: OnceCell<bool>,
}

impl Sweep<'_> {
    async fn roles(&self, needed: bool, recorded: Recorded<'_>) -> Result<Roles, Error> {
        let client = &self.lenses.client;
        let parts = [Part::Kind(Kind::Role), Part::Names(Level::ROLE)];
        let list = self.reading.list(needed, parts, client.roles()).await?;
        let items: HashMap<&str, &RoleItem> = list.items().iter().map(|it| (it.name.as_str(), it)).collect();
        let managed = items.values().filter(|item| recorded.contains_key(&item.name));
        let marks = managed.map(|item| (item.name.clone(), item.mark())).collect();
        let read = |name: String| async move { client.role(&name).await.map(map::role) };
        let part = |id| Part::Thing(Kind::Role, id);
        let id = |name: &str| items.get(name).map(|item| part(ids::thing(name, &item.id)));
        let mut whole = self.listed(&self.lenses.roles, marks, id, read).await?;
        let mut is_proven = false;
        if list.list().is_some() {
            let missing = recorded.iter().filter(|(name, _)| !items.contains_key(name.as_str()));
            let unlisted = self.unlisted(missing, part, read).await?;
            is_proven = unlisted.is_proven;
            whole.extend(unlisted.found.into_iter().map(|seen| (ids::name_of(&seen.id).to_owned(), seen)));
        }
        Ok(Roles { list, whole, is_proven })
    }

    async fn groups<'a>(&'a self, needed: bool, recorded: Recorded<'a>) -> Result<Groups<'a>, Error> {
        let (lenses, client) = (self.lenses, &self.lenses.client);
        let parts = [Part::Kind(Kind::Grant), Part::Kind(Kind::Group), Part::Names(Level::GROUP)];
        let list = self.reading.list(needed, parts, client.groups()).await?;
        let items: HashMap<&str, &GroupItem> = list.items().iter().map(|it| (it.name.as_str(), it)).collect();
        // A group without roles grants nothing. It is read only if a RoleBinding owns it or grants a role to it.
        let is_needed = |item: &&&GroupItem| {
            item.role_count != 0 || ids::is_owned(&item.name) || recorded.contains_key(&item.name)
        };
        let marks = items.values().filter(is_needed).map(|item| (item.name.clone(), item.mark())).collect();
        let id = |name: &str| {
            let item = items.get(name)?;
            Some(part_of_group(match ids::is_owned(name) {
                true => ids::thing(name, &item.id),
                false => ids::group(name, &item.id),
            }))
        };
        let items = &items;
        let read = |name: String| async move {
            let group = client.group(&name).await?;
            match items.get(name.as_str()).and_then(|item| group.difference(item)) {
                None => Ok(group),
                // The cause can also be a change after the list, so the next sweep reads it again.
                Some(difference) => Err(Error::new(Class::Transient, difference)),
            }
        };
        let whole = self.listed(&lenses.groups, marks, id, read).await?;
        let (mut gone, mut unlisted, mut is_proven) = (Vec::new(), Vec::new(), false);
        if list.list().is_some() {
            let missing = recorded.iter().filter(|(name, _)| !items.contains_key(name.as_str()));
            let read = self.unlisted(missing, part_of_group, read).await?;
            (gone, unlisted, is_proven) = (read.gone, read.found, read.is_proven);
        }
        Ok(Groups { lenses, list, whole, unlisted, recorded, gone, is_proven })
    }

    /// The listed things with these marks, as remembered or read. A thing is missing if the credential may not read it, or if its read failed.
    async fn listed<T: Clone, F: Future<Output = Result<T, Error>>>(
        &self,
        cache: &Cache<T>,
        marks: BTreeMap<String, Mark>,
        part: impl Fn(&str) -> Option<Part>,
        read: impl Fn(String) -> F,
    ) -> Result<HashMap<String, T>, Error> {
        let mut known = cache.begin(&marks);
        let due: Vec<String> = marks.keys().filter(|name| !known.contains_key(*name)).cloned().collect();
        let read = &read;
        let read_listed = |name: String| async move {
            match read(name.clone()).await {
                Ok(thing) => Ok(Some((name, thing))),
                Err(error) if error.class == Class::Missing => {
                    let message = format!("{}, although it was just listed", error.message);
                    Err(Error::new(Class::Transient, message))
                }
                Err(error) if error.class.is_refusal() => Ok(None),
                Err(error) => Err(error),
            }
        };
        let parts = |name: &String| part(name).into_iter().collect();
        for (name, thing) in self.reading.each(due, parts, read_listed).await?.into_iter().flatten() {
            let mark = marks.get(&name).cloned().unwrap_or_default();
            known.insert(name, (mark, thing));
        }
        cache.end(&known);
        Ok(known.into_iter().map(|(name, (_, thing))| (name, thing)).collect())
    }

    /// Reads managed things that a list lacks by their names.
    async fn unlisted<'a, T, F: Future<Output = Result<T, Error>>>(
        &self,
        missing: impl Iterator<Item = (&'a String, &'a Vec<Id>)>,
        part: impl Fn(Id) -> Part,
        read: impl Fn(String) -> F,
    ) -> Result<Unlisted<T>, Error> {
        let read = &read;
        let read_unlisted = |(name, _): (&'a String, &'a Vec<Id>)| async move {
            match client::found(read(name.clone()).await) {
                Ok(found) => Ok((name.clone(), Some(found))),
                Err(error) if error.class.is_refusal() => Ok((name.clone(), None)),
                Err(error) => Err(error),
            }
        };
        let parts = |(_, ids): &(&String, &Vec<Id>)| ids.iter().cloned().map(&part).collect();
        let (mut found, mut gone, mut is_proven) = (Vec::new(), Vec::new(), true);
        for (name, answer) in self.reading.each(missing, parts, read_unlisted).await? {
            match answer {
                Some(Some(thing)) => found.push(thing),
                Some(None) => gone.push(name),
                // It is hidden. What else is hidden is unknown.
                None => is_proven = false,
            }
        }
        if is_proven && !gone.is_empty() {
            let lenses = self.lenses;
            let read = || visibility::is_complete(&lenses.client, &lenses.connection.account);
            let is_complete = self.reading.rights(self.is_complete.get_or_try_init(read).await)?;
            is_proven = is_complete == Some(&true);
        }
        Ok(Unlisted { found, gone, is_proven })
    }
}

/// The managed things that a list lacks.
struct Unlisted<T> {
    found: Vec<T>,
    /// The names of those with HQ's own 404.
    gone: Vec<String>,
    /// The others do not exist. A read that failed is recorded, and says nothing about the others.
    is_proven: bool,
}
