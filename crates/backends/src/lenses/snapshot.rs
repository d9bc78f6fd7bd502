//! Reads one snapshot: the lists that are needed, single things beside them, and what they prove.
//!
//! **Absence.** Lists show only what the credential can see, and nothing shows whether that is all (contract 1.3). So each managed thing that
//! is not listed is read by its name. It is likely but not documented that HQ answers 403, not 404, for a hidden thing (contract 1.3). So a
//! 404 proves absence only under two conditions: it is HQ's own, not one of a proxy or of an unknown path; and the policy of the account
//! allows it to read all of iam, which is known only if the Backend names the account. A listed thing that has the name of a managed one and
//! is certainly another proves that the managed one is deleted, because a name is unique.
//!
//! **Identity.** A managed thing keeps its recorded id while nothing shows that it is another thing. If HQ shows more than is recorded, the
//! record follows. If two things are recorded under one name and HQ does not show which of them exists, neither is visible and neither is
//! deleted.
//!
//! A list that the credential may not read leaves its part empty and unproven. A call that fails leaves its part unread. So does a list that is
//! not found, or a listed thing that is then not found: the cause is a proxy, or servers behind one address that differ.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::try_join;
use tokio::sync::OnceCell;

use super::{
    account::Lenses,
    cache::{Mark, Sweep},
    client,
    groups::{self, Counts, Principals},
    ids::{self, Incarnation},
    incarnations::Incarnations,
    map,
    selection::Selection,
    visibility::{self, Visibility},
    whole_group::WholeGroup,
    wire::{GroupItem, Principal, RoleItem},
};
use crate::{Class, Error, Needs, reading::Reading};
use rolewright_core::model::{Builder, Id, Kind, Level, Observed, Part, Proof, Snapshot, SubjectKind};

/// The result of reading one thing by its name.
enum Direct<T> {
    Found(T),
    /// HQ's own 404.
    NotFound(Error),
    /// A 404 of a proxy or of an unknown path, which says nothing about the thing.
    ForeignNotFound(Error),
    Unreadable,
}

impl<T> Direct<T> {
    /// The result for a thing that a list has just shown.
    fn listed(self) -> Result<Option<T>, Error> {
        match self {
            Direct::Found(seen) => Ok(Some(seen)),
            Direct::NotFound(error) | Direct::ForeignNotFound(error) => {
                Err(Error::new(Class::Transient, format!("{}, although it was just listed", error.message)))
            }
            Direct::Unreadable => Ok(None),
        }
    }
}

/// Reads one snapshot.
///
/// # Errors
/// A failure of the whole account: see [`Reading`].
pub async fn snapshot(lenses: &Lenses, needs: &Needs) -> Result<Snapshot, Error> {
    let (selection, reading) = (Selection::of(needs), Reading::default());
    let people = Principals::new(&lenses.client, lenses.connection.membership);
    let mut builder = Builder::new();
    let account = OwnAccount { lenses, reading: &reading, visibility: OnceCell::new() };
    let names = Part::Names;
    let (of_roles, of_groups) = (
        vec![Part::Kind(Kind::Role), names(Level::ROLE)],
        vec![Part::Kind(Kind::Grant), Part::Kind(Kind::Group), names(Level::GROUP)],
    );
    let (users, accounts) = (vec![names(Level::USER)], vec![names(Level::SERVICE_ACCOUNT)]);
    let (roles, groups, users, accounts) = try_join!(
        part(&reading, selection.roles, of_roles, roles(lenses, &selection, &account)),
        part(&reading, selection.groups, of_groups, groups(lenses, &selection, &people, &account)),
        part(&reading, selection.users, users, async { principals(people.users().await, SubjectKind::User) }),
        part(&reading, selection.accounts, accounts, async {
            principals(people.accounts().await, SubjectKind::ServiceAccount)
        }),
    )?;
    for add in [roles, groups, users, accounts].into_iter().flatten() {
        add(&mut builder);
    }
    reading.finish(builder)
}

/// Adds one part to the snapshot.
type AddPart<'a> = Box<dyn FnOnce(&mut Builder) + Send + 'a>;

async fn part<'a>(
    reading: &Reading,
    needed: bool,
    parts: Vec<Part>,
    part: impl Future<Output = Result<AddPart<'a>, Error>>,
) -> Result<Option<AddPart<'a>>, Error> {
    if needed { reading.take(&parts, part.await) } else { Ok(None) }
}

/// The part of a list that was refused. A list that is not found is an error, because every HQ has all lists.
fn refused<'a>(level: Level, error: Error) -> Result<AddPart<'a>, Error> {
    match error.class {
        Class::Denied => Ok(Box::new(move |builder| builder.directory().refuse(level, error.message))),
        Class::Missing | Class::Unsupported => Err(Error::new(Class::Transient, error.message)),
        _ => Err(error),
    }
}

fn principals<'a>(listed: Result<&'a [Principal], Error>, kind: SubjectKind) -> Result<AddPart<'a>, Error> {
    match listed {
        Err(error) => refused(kind.level(), error),
        Ok(listed) => Ok(Box::new(move |builder| {
            listed.iter().for_each(|it| builder.directory().insert(map::principal(kind, &it.name)));
        })),
    }
}

/// Things that HQ knows by name, with the ids that they are recorded under.
#[derive(Default)]
struct ByName {
    seen: Vec<Observed>,
    /// Recorded id, current id.
    renamed: Vec<(Id, Id)>,
    /// A thing exists and its identity is unclear.
    unclear: bool,
}

impl ByName {
    /// Adds a thing under its current id.
    fn add(&mut self, known: &Incarnations, name: &str, recorded: &[Incarnation], seen: Observed) {
        let Some(now) = known.resolve(name, recorded.iter()) else {
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

/// All roles: the managed ones with their policy, the others as outlines.
async fn roles<'a>(
    lenses: &'a Lenses,
    selection: &Selection<'_>,
    account: &OwnAccount<'_>,
) -> Result<AddPart<'a>, Error> {
    let (sweep, known) = (lenses.roles.begin_sweep(), &lenses.role_incarnations);
    let number = known.begin_sweep();
    let listed = match lenses.client.roles().await {
        Ok(listed) => listed,
        Err(error) => return refused(Level::ROLE, error),
    };
    let items: BTreeMap<&str, (&RoleItem, Incarnation)> = listed
        .iter()
        .map(|item| (item.name.as_str(), (item, known.observe(&item.name, item.created.incarnation()))))
        .collect();
    let managed = items.iter().filter(|(name, _)| selection.managed_roles.contains_key(*name));
    let marks: BTreeMap<String, Mark> = managed
        .map(|(name, (item, incarnation))| ((*name).to_owned(), role_mark(item, incarnation)))
        .collect();
    let due = lenses.roles.due(&marks);
    let part = |name: &String| things(Kind::Role, name, known, selection.role(name));
    let listed_role = |name: String| async move {
        let (name, direct) = role(lenses, name).await?;
        Ok((name, direct.listed()?))
    };
    let mut unread: BTreeSet<String> = due.iter().cloned().collect();
    for (name, direct) in account.reading.each(due, part, listed_role).await? {
        unread.remove(&name);
        match direct {
            Some((seen, incarnation)) => {
                let mark = role_mark(items[name.as_str()].0, &incarnation);
                lenses.roles.store(&sweep, &name, &mark, seen);
            }
            None => lenses.roles.remove(&name),
        }
    }
    unread.iter().for_each(|name| lenses.roles.remove(name));
    let unlisted = selection.managed_roles.keys().filter(|name| !items.contains_key(*name));
    let unlisted: Vec<String> = unlisted.map(|name| (*name).to_owned()).collect();
    let part = |name: &String| recorded_things(Kind::Role, name, selection.role(name));
    let direct = account.reading.each(unlisted.clone(), part, |name| role(lenses, name)).await?;
    keep_unread(known, unlisted, &direct);
    let proven = account.proves(&direct).await?;
    let mut by_name = ByName::default();
    for item in listed {
        let (name, recorded) = (item.name.clone(), selection.role(&item.name));
        let cached = if marks.contains_key(&name) { lenses.roles.get(&name) } else { None };
        let seen = cached.unwrap_or_else(|| map::outline(item, &Incarnation::default()));
        by_name.add(known, &name, recorded, seen);
    }
    for (name, direct) in direct {
        if let Direct::Found((seen, _)) = direct {
            by_name.add(known, &name, selection.role(&name), seen);
        }
    }
    known.end_sweep(number);
    // Every managed role is listed, or was read by its name and exists or is proven absent, or is recorded as unread.
    Ok(Box::new(move |builder| by_name.enter(builder, Kind::Role, proven)))
}

/// Reads one role, and all that is known of its incarnation.
async fn role(lenses: &Lenses, name: String) -> Result<(String, Direct<(Observed, Incarnation)>), Error> {
    let direct = match lenses.client.role(&name).await {
        Ok(mut role) => {
            let policy = role.policy.take().unwrap_or_default();
            let incarnation = lenses.role_incarnations.observe(&name, role.created.incarnation());
            Direct::Found((map::role(role, &policy, &incarnation), incarnation))
        }
        Err(error) => not_visible(error)?,
    };
    Ok((name, direct))
}

/// All groups: those that RoleBindings own as groups, and the roles of all others as grants.
async fn groups<'a>(
    lenses: &'a Lenses,
    selection: &Selection<'_>,
    people: &Principals<'_>,
    account: &OwnAccount<'_>,
) -> Result<AddPart<'a>, Error> {
    let (sweep, known) = (lenses.groups.begin_sweep(), &lenses.group_incarnations);
    let (number, managed) = (known.begin_sweep(), selection.group_names());
    let listed = match lenses.client.groups().await {
        Ok(listed) => listed,
        Err(error) => return refused(Level::GROUP, error),
    };
    let items: BTreeMap<&str, &GroupItem> = listed.iter().map(|item| (item.name.as_str(), item)).collect();
    // A group without roles grants nothing. It is read only if a RoleBinding owns it or grants a role to it.
    let needed = |item: &GroupItem| {
        item.role_count != Some(0) || ids::is_owned(&item.name) || managed.contains(item.name.as_str())
    };
    let mut marks: BTreeMap<String, Mark> = BTreeMap::new();
    for item in &listed {
        let incarnation = known.observe(&item.name, item.created.incarnation());
        if needed(item) {
            marks.insert(item.name.clone(), group_mark(item, &incarnation));
        }
    }
    let read = &|name: String| {
        let counts = items.get(name.as_str()).map(|item| Counts::of(item)).unwrap_or_default();
        group(lenses, name, counts, people)
    };
    let mut seen = listed_groups(&sweep, selection, account, &items, &marks, read).await?;
    let unlisted = managed.iter().filter(|name| !items.contains_key(**name)).map(|name| (*name).to_owned());
    let unlisted: Vec<String> = unlisted.collect();
    let part = |name: &String| selection.parts_of_group(name, None);
    let direct = account.reading.each(unlisted.clone(), part, read).await?;
    keep_unread(known, unlisted, &direct);
    let proven = account.proves(&direct).await?;
    // A listed group exists even if it cannot be read.
    let shown: HashSet<&str> = seen.iter().map(|whole| whole.name.as_str()).collect();
    let owned_proven =
        proven && marks.keys().all(|name| !ids::is_owned(name) || shown.contains(name.as_str()));
    let mut subjects = SubjectGroups::default();
    for (name, direct) in direct {
        match direct {
            Direct::Found(whole) => seen.push(whole),
            Direct::NotFound(_) if proven => {
                subjects.without_roles.extend(selection.grants_in(&name).map(|grant| grant.group.clone()));
            }
            Direct::NotFound(_) | Direct::ForeignNotFound(_) | Direct::Unreadable => {}
        }
    }
    let (owned, mut others): (Vec<WholeGroup>, Vec<WholeGroup>) =
        seen.into_iter().partition(|whole| ids::is_owned(&whole.name));
    let mut by_name = ByName::default();
    for whole in owned {
        let seen = map::owned_group(&whole, lenses.connection.membership);
        by_name.add(known, &whole.name, selection.owned_group(&whole.name), seen);
    }
    for item in listed.iter().filter(|item| !ids::is_owned(&item.name)) {
        subjects.resolve(known, selection, &item.name);
        if item.role_count == Some(0) {
            let now = subjects.now.get(&item.name);
            subjects.without_roles.extend(now.map(|incarnation| ids::group(&item.name, incarnation)));
        }
    }
    for whole in others.iter().filter(|whole| !items.contains_key(whole.name.as_str())) {
        subjects.resolve(known, selection, &whole.name);
    }
    // Nothing is said about a group whose identity is unclear.
    others.retain(|whole| subjects.now.contains_key(&whole.name));
    let names: Vec<(String, Option<String>)> =
        listed.iter().map(|item| (item.name.clone(), item.sso_name.clone())).collect();
    known.end_sweep(number);
    Ok(Box::new(move |builder| {
        for (name, sso_name) in &names {
            let Some(incarnation) = subjects.now.get(name) else { continue };
            let entry = map::group(name, incarnation);
            if let Some(foreign) = sso_name.as_ref().filter(|foreign| *foreign != name) {
                builder.directory().add_foreign_name(Level::GROUP, foreign, entry.named.id.clone());
            }
            builder.directory().insert(entry);
        }
        // All roles are known of a group that is complete, and of one without roles.
        let mut complete = subjects.without_roles;
        for whole in others {
            let group = map::group_named(&whole.name, &subjects.now[&whole.name]);
            whole.roles.iter().for_each(|role| builder.add(map::grant(group.clone(), role)));
            complete.extend(whole.roles_complete.then_some(group.id));
        }
        for (before, now) in subjects.renamed {
            builder.set_successor(Kind::Grant, before.key, (now.id, now.key));
        }
        builder.prove(Kind::Grant, Proof::Within(complete));
        by_name.enter(builder, Kind::Group, owned_proven);
    }))
}

/// The listed groups with these marks, from the cache where it counts as current. A group that fails is recorded as unread.
async fn listed_groups<F: Future<Output = Result<(String, Direct<WholeGroup>), Error>>>(
    sweep: &Sweep<'_, WholeGroup>,
    selection: &Selection<'_>,
    account: &OwnAccount<'_>,
    items: &BTreeMap<&str, &GroupItem>,
    marks: &BTreeMap<String, Mark>,
    read: impl Fn(String) -> F,
) -> Result<Vec<WholeGroup>, Error> {
    let (lenses, known) = (account.lenses, &account.lenses.group_incarnations);
    let mut seen: Vec<WholeGroup> = Vec::new();
    let due = lenses.groups.due(marks);
    let mut unread: BTreeSet<String> = due.iter().cloned().collect();
    let part =
        |name: &String| selection.parts_of_group(name, known.resolve(name, selection.incarnations(name)));
    let read = &read;
    let listed_group = |name: String| async move {
        let (name, direct) = read(name).await?;
        Ok((name, direct.listed()?))
    };
    for (name, direct) in account.reading.each(due, part, listed_group).await? {
        unread.remove(&name);
        match direct {
            Some(whole) => {
                if whole.is_complete() {
                    let mark = group_mark(items[name.as_str()], &whole.incarnation);
                    lenses.groups.store(sweep, &name, &mark, whole.clone());
                }
                seen.push(whole);
            }
            None => lenses.groups.remove(&name),
        }
    }
    for name in unread {
        lenses.groups.remove(&name);
        if ids::is_owned(&name) {
            seen.push(WholeGroup::unread(name));
        }
    }
    let read_now: HashSet<String> = seen.iter().map(|whole| whole.name.clone()).collect();
    let cached = marks.keys().filter(|name| !read_now.contains(*name));
    seen.extend(cached.filter_map(|name| lenses.groups.get(name)));
    Ok(seen)
}

/// Groups that no RoleBinding owns, and the managed grants in them.
#[derive(Default)]
struct SubjectGroups {
    /// The incarnation of each existing group, by name.
    now: BTreeMap<String, Incarnation>,
    /// Managed grants as recorded, and as they are known now.
    renamed: Vec<(Observed, Observed)>,
    /// Groups that certainly have no roles: empty or deleted ones.
    without_roles: HashSet<Id>,
}

impl SubjectGroups {
    /// Decides which group has a name, and what that means for managed grants in groups of this name.
    fn resolve(&mut self, known: &Incarnations, selection: &Selection<'_>, name: &str) {
        let recorded = || selection.grants_in(name).map(|grant| &grant.incarnation);
        let Some(now) = known.resolve(name, recorded()) else { return };
        let group = map::group_named(name, &now);
        for grant in selection.grants_in(name).filter(|grant| grant.group != group.id) {
            if grant.incarnation.differs(&now) {
                self.without_roles.insert(grant.group.clone());
                continue;
            }
            let before = map::grant(map::group_named(name, &grant.incarnation), grant.role);
            self.renamed.push((before, map::grant(group.clone(), grant.role)));
        }
        self.now.insert(name.to_owned(), now);
    }
}

async fn group(
    lenses: &Lenses,
    name: String,
    counts: Counts,
    people: &Principals<'_>,
) -> Result<(String, Direct<WholeGroup>), Error> {
    let direct = match lenses.client.group(&name).await {
        Ok(group) => Direct::Found(groups::assemble(lenses, group, counts, people).await?),
        Err(error) => not_visible(error)?,
    };
    Ok((name, direct))
}

/// The result of a refused read. Here the sender of a 404 matters.
fn not_visible<T>(error: Error) -> Result<Direct<T>, Error> {
    match error.class {
        Class::Missing if client::is_hqs_own(&error) => Ok(Direct::NotFound(error)),
        Class::Missing => Ok(Direct::ForeignNotFound(error)),
        Class::Denied | Class::Invalid | Class::Unsupported => Ok(Direct::Unreadable),
        _ => Err(error),
    }
}

/// The parts of a thing that a list shows: under its id now, and under the recorded ids.
fn things(kind: Kind, name: &str, known: &Incarnations, recorded: &[Incarnation]) -> Vec<Part> {
    let now = known.resolve(name, recorded.iter()).map(|now| Part::Thing(kind, ids::thing(name, &now)));
    now.into_iter().chain(recorded_things(kind, name, recorded)).collect()
}

fn recorded_things(kind: Kind, name: &str, recorded: &[Incarnation]) -> Vec<Part> {
    recorded.iter().map(|recorded| Part::Thing(kind, ids::thing(name, recorded))).collect()
}

/// Keeps what is known of the things whose reads failed.
fn keep_unread<T>(known: &Incarnations, names: Vec<String>, read: &[(String, Direct<T>)]) {
    for name in names.iter().filter(|name| !read.iter().any(|(read, _)| read == *name)) {
        known.observe(name, Incarnation::default());
    }
}

/// The account of the credential. Its policy is read at most once in a sweep, and only if a managed thing is missing.
struct OwnAccount<'a> {
    lenses: &'a Lenses,
    reading: &'a Reading,
    visibility: OnceCell<Visibility>,
}

impl OwnAccount<'_> {
    /// Whether every thing that was not found is proven absent. An unread thing is recorded as such, and proves nothing about the others.
    async fn proves<T>(&self, direct: &[(String, Direct<T>)]) -> Result<bool, Error> {
        if direct.iter().any(|(_, it)| matches!(it, Direct::ForeignNotFound(_) | Direct::Unreadable)) {
            return Ok(false);
        }
        if !direct.iter().any(|(_, it)| matches!(it, Direct::NotFound(_))) {
            return Ok(true);
        }
        let account = self.lenses.connection.account.as_deref();
        let read = || visibility::of_account(&self.lenses.client, account);
        let visibility = self.reading.rights(self.visibility.get_or_try_init(read).await)?;
        Ok(visibility == Some(&Visibility::Complete))
    }
}

/// What the list shows of a role, and its incarnation.
fn role_mark(item: &RoleItem, incarnation: &Incarnation) -> Mark {
    let RoleItem { name: _, created: _, display_name, description, policy_length } = item;
    format!("{:?}", (incarnation, display_name, description, policy_length))
}

/// What the list shows of a group, and its incarnation.
fn group_mark(item: &GroupItem, incarnation: &Incarnation) -> Mark {
    let GroupItem {
        name: _,
        created: _,
        display_name,
        sso_name,
        description,
        user_count,
        sa_count,
        role_count,
    } = item;
    format!("{:?}", (incarnation, display_name, sso_name, description, user_count, sa_count, role_count))
}
