//! A RoleBinding becomes a grant for each subject, or one group whose members they are.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Authority, InheritedRole, Lookup, Resolve, Resolved, Surroundings, check_object, find, of_roles,
    own_role::{inherited_role, is_another, is_planned, own_role, role_object, unseen_role},
    places::{Place, deepest, locate, place_levels},
    recorded::{EXTERNAL_NAME, RecordedNames, SCOPE, moved_before_record},
    roles::{desired_role, owner, role_without_rules},
    unsupported,
};
use crate::{
    convert::{held_from_status, subject_kind},
    decide::{
        ceiling::Bounds,
        named_roles::ROLE,
        validity::{self, Validity},
    },
    object::ManagedObject,
};
use jiff::Timestamp;
use rolewright_api as api;
use rolewright_backends::Needs;
use rolewright_core::model::{
    Body, Dialect, Grant, Group, Id, Kind, Level, Named, Role, RoleRef, SubjectKind, same_name,
};
use rolewright_core::planner::{Desired, DesiredBody, Issue, Problem, rekey};

const EXTERNAL_ID: &str = "spec.roleRef.external.id";
/// How many ids of one ambiguous name a message has.
const MAX_SHOWN_IDS: usize = 5;

impl Resolve for api::RoleBinding {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        let subjects = self.spec.subjects.iter().map(|subject| subject_kind(subject.kind).level());
        let levels = subjects.chain(place_levels(&Place::of_scope(self.spec.scope.as_deref()), dialect));
        let levels = levels.collect();
        Needs { kinds: of_roles(dialect), levels, ..Needs::default() }
    }

    fn validity(&self, now: Timestamp) -> Validity {
        Validity::of(self, now)
    }

    fn is_authoritative(&self) -> bool {
        self.spec.membership == Some(api::Membership::Authoritative)
    }

    fn ends(&self) -> Option<Timestamp> {
        self.spec.expires_at.as_ref().map(|end| end.0)
    }

    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        validity::next_change(self, now)
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let bounds = around.bounds.as_ref();
        let refuses_end = bounds.is_some_and(|bounds| bounds.check_end(self.ends()).is_err());
        let validity = match validity::recorded_end(self).filter(|end| refuses_end && *end <= around.now) {
            Some(end) => Validity::Expired(end),
            None => self.validity(around.now),
        };
        if !matches!(validity, Validity::Current(_)) {
            let is_forced =
                bounds.is_some_and(Bounds::limits_time) && matches!(validity, Validity::Expired(_));
            let names = self.names().to_vec();
            return Resolved { validity, names, refuses_end, is_forced, ..Resolved::default() };
        }
        let mut lookups = BTreeSet::new();
        let mut names = RecordedNames::new(self.names());
        let inherited_role = inherited_role(self, around);
        let (mut authority, mut unjudged_role) = (None, None);
        let desired = match unsupported(around, Kind::Grant) {
            Some(problem) => vec![Desired::unresolved(None, problem)],
            // A namespace that the ClusterBackend does not serve learns nothing about names.
            None => match check_object(self, around)
                .and_then(|()| {
                    role_and_scope(self, inherited_role.as_ref(), around, &mut lookups, &mut names)
                })
                .and_then(|(role, scope)| {
                    unjudged_role = check_grant(self, &role, scope.as_ref(), around)?;
                    Ok((role, scope))
                }) {
                Ok((role, scope)) => {
                    let of_role = role
                        .existing()
                        .filter(|_| self.spec.membership == Some(api::Membership::Authoritative));
                    authority = of_role.map(|role| Authority {
                        role: role.id.clone(),
                        scope: scope.as_ref().map(|scope| scope.id.clone()),
                    });
                    grants(self, role, scope, around, &mut lookups)
                }
                // A subject that is not listed any more loses its grant, whatever the role and the scope are.
                Err(problem) => {
                    vec![Desired::all_unresolved(
                        self.spec.subjects.iter().map(api::Subject::called),
                        problem,
                    )]
                }
            },
        };
        let place = Place::of_scope(self.spec.scope.as_deref());
        let fields = place.fields(SCOPE).chain([role_field(self).to_owned()]).collect();
        let awaited = awaited(self, &desired, around);
        let role_is_planned = inherited_role.is_none() && is_planned(self, around);
        Resolved {
            desired,
            lookups,
            names: names.into_status(&fields),
            inherited_role,
            role_is_planned,
            unseen_role: unseen_role(self, around),
            unjudged_role,
            authority,
            awaited,
            validity,
            refuses_end,
            ..Resolved::default()
        }
    }
}

/// The role and the scope of all grants of a binding.
fn role_and_scope(
    binding: &api::RoleBinding,
    inherited: Option<&InheritedRole>,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
    names: &mut RecordedNames<'_>,
) -> Result<(RoleRef, Option<Named>), Problem> {
    let scope = scope(binding, around, lookups, names);
    let role = match (inherited, &scope) {
        (Some(inherited), _) => Ok(inherited.reference(around.dialect)),
        (None, Ok(place)) => binding_role(binding, place.as_ref(), around, lookups, names),
        // The name of a role can depend on the scope, so it means nothing without it.
        (None, Err(_)) => binding_role(binding, None, around, lookups, &mut RecordedNames::new(&[])),
    };
    let role = role.and_then(|role| {
        let known = role_of_binding(binding, &role, around);
        // The level of a scope is known even if the scope is not found.
        let level = match &scope {
            Ok(scope) => Some(scope.as_ref().map(|scope| scope.level)),
            Err(_) => deepest(&Place::of_scope(binding.spec.scope.as_deref()), around.dialect).map(Some),
        };
        let checked = around.dialect.check_grantable(&role).and_then(|()| match (known, level) {
            (Some(known), Some(level)) => around.dialect.check_scope(&known, level),
            _ => Ok(()),
        });
        checked.map(|()| role).map_err(|fault| Problem::of_faults(&[fault]))
    });
    match (role, scope) {
        (Ok(role), Ok(scope)) => match moved(binding, &role, scope.as_ref(), around, names) {
            Some(problem) => Err(problem),
            None => Ok((role, scope)),
        },
        (Err(problem), _) if problem.issue == Issue::Invalid => {
            // An invalid binding needs no look-ups.
            lookups.clear();
            Err(problem)
        }
        // What the user must fix comes before what the object waits for.
        (Err(role), Err(scope)) => Err(if scope.issue < role.issue { scope } else { role }),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
    }
}

/// What the ClusterBackend says about the role and the scope. Returns the role if its rules must be read for that.
fn check_grant(
    binding: &api::RoleBinding,
    role: &RoleRef,
    scope: Option<&Named>,
    around: &Surroundings<'_>,
) -> Result<Option<Id>, Problem> {
    let Some(bounds) = &around.bounds else { return Ok(None) };
    let members = around.dialect.capabilities().group_members();
    if binding.spec.subjects.iter().any(|listed| members.contains(&subject_kind(listed.kind))) {
        bounds.check_members()?;
    }
    let own = binding.spec.role_ref.name.as_deref().and_then(|name| role_object(binding, name, around));
    let own = match own.as_deref().map(desired_role).map(|role| around.dialect.check_role(role)) {
        Some(Ok(role)) => Some(role),
        Some(Err(faults)) => return Err(Problem::of_faults(&faults)),
        None => None,
    };
    bounds.check_grant(role, own.as_ref(), scope)
}

/// Checks a binding whose status records no names yet, but grants.
fn moved(
    binding: &api::RoleBinding,
    role: &RoleRef,
    scope: Option<&Named>,
    around: &Surroundings<'_>,
    names: &mut RecordedNames<'_>,
) -> Option<Problem> {
    let unchanged = binding.status()?.observed_generation == binding.metadata.generation;
    if !names.is_first_sight() || !unchanged {
        return None;
    }
    let held = binding.held().iter().filter_map(held_from_status).collect();
    let held = rekey(held, around.snapshot);
    let place = Place::of_scope(binding.spec.scope.as_deref());
    let field = scope.map(|scope| format!("{SCOPE}.{}", scope.level)).unwrap_or_default();
    let named = scope.and_then(|scope| Some((field.as_str(), place.name(scope.level)?)));
    let external = binding.spec.role_ref.external.as_ref().and_then(|role| role.name.as_deref());
    let grant = |subject| Grant { role: role.clone(), subject, scope: scope.cloned() };
    let problem = moved_before_record(&held, around.snapshot, grant, named, external)?;
    names.forget();
    Some(problem)
}

/// A grant for each subject, or the group whose members they are.
fn grants(
    binding: &api::RoleBinding,
    role: RoleRef,
    scope: Option<Named>,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
) -> Vec<Desired> {
    let subjects = &binding.spec.subjects;
    let members = around.dialect.capabilities().group_members();
    let (inside, outside): (Vec<_>, Vec<_>) =
        subjects.iter().partition(|listed| members.contains(&subject_kind(listed.kind)));
    if !inside.is_empty() && !outside.is_empty() {
        let message = format!(
            "spec.subjects: {} grants roles to groups, and to other subjects as members of a group: list either Groups or other subjects",
            around.dialect.vendor()
        );
        return vec![Desired::unresolved(None, Problem::new(Issue::Invalid, message))];
    }
    let group = if inside.is_empty() { None } else { around.dialect.group_of(&owner(binding, around)) };
    let mut seen: BTreeMap<Id, String> = BTreeMap::new();
    let (mut desired, mut resolved, mut unknown) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (index, listed) in subjects.iter().enumerate() {
        let name = Some(listed.called());
        let allowed = around.dialect.check_subject(subject_kind(listed.kind));
        let allowed = allowed.map_err(|fault| Problem::new(Issue::Invalid, fault.message));
        let subject = allowed.and_then(|()| subject(listed, around, lookups)).and_then(|subject| match seen
            .insert(subject.id.clone(), listed.name.clone())
        {
            Some(other) => Err(Problem::new(
                Issue::Invalid,
                format!("{} and {other} are the same account: list it once", listed.name),
            )),
            None => Ok(subject),
        });
        let subject = subject.and_then(|subject| {
            if let Some(bounds) = &around.bounds
                && let Err(problem) = bounds.check_subject(subject_kind(listed.kind), &subject)
            {
                // In a group it stays a member if it is one.
                unknown.insert(subject.name.to_string());
                return Err(problem);
            }
            Ok(subject)
        });
        let subject = subject.map_err(|problem| problem.of_field(&format!("spec.subjects[{index}]")));
        match subject {
            Ok(subject) if group.is_some() => {
                resolved.insert(subject);
            }
            Ok(subject) => {
                let grant = Grant { role: role.clone(), subject, scope: scope.clone() };
                desired.push(Desired::new(name, Body::Grant(grant)));
            }
            Err(problem) => {
                unknown.insert(listed.name.clone());
                desired.push(Desired::unresolved(name, problem));
            }
        }
    }
    let Some(group) = group else { return desired };
    if moves_outsider(&group, &role, &unknown, around) {
        let message = "a member of the group that the ClusterBackend does not allow would get another role: remove the subject first";
        desired.push(Desired::unresolved(None, Problem::new(Issue::Denied, message)));
    } else if let Some(members) = members_of(&group, resolved, &unknown, around) {
        desired.push(group_want(&group, role, members));
    }
    desired
}

/// The subjects that do not exist yet, if the binding waits for them. Not those of a kind that the credential cannot look up, because they
/// can exist, and not those that have the role already under this name: they were renamed or are not visible, which a user must know.
fn awaited(binding: &api::RoleBinding, desired: &[Desired], around: &Surroundings<'_>) -> BTreeSet<String> {
    if binding.spec.missing_subjects != Some(api::MissingSubjects::Wait) {
        return BTreeSet::new();
    }
    let is_missing = |name: &String| {
        desired.iter().any(|item| match &item.body {
            DesiredBody::Unresolved(problem) => {
                item.name.as_ref() == Some(name) && problem.issue == Issue::NotFound
            }
            DesiredBody::Resolved(_) | DesiredBody::AllUnresolved(..) => false,
        })
    };
    let can_look_up = |listed: &&api::Subject| {
        around.snapshot.directory().refusal(subject_kind(listed.kind).level()).is_none()
    };
    let members = match around.dialect.group_of(&owner(binding, around)) {
        Some(group) if around.dialect.capabilities().manages_members() => observed_group(&group, around),
        _ => None,
    };
    // Of hidden members nobody knows who they are.
    if members.is_some_and(|group| group.members.is_none()) {
        return BTreeSet::new();
    }
    let has_role = |listed: &&api::Subject| {
        let name = listed.called();
        let is_member = |member: &Named| same_name(member.level, &listed.name, &member.name);
        binding.held().iter().any(|entry| entry.name.as_ref() == Some(&name))
            || members.iter().filter_map(|group| group.members.as_ref()).flatten().any(is_member)
    };
    let listed = binding.spec.subjects.iter().filter(can_look_up).filter(|listed| !has_role(listed));
    listed.map(api::Subject::called).filter(is_missing).collect()
}

/// Whether a member that stays although its subject is unknown is outside of the ceiling, and would get a role that it does not have.
fn moves_outsider(group: &Id, role: &RoleRef, unknown: &BTreeSet<String>, around: &Surroundings<'_>) -> bool {
    let Some(bounds) = around.bounds.as_ref().filter(|_| !unknown.is_empty()) else { return false };
    let is_outside = |member: &&Named| {
        // The back end says which kind of principal it is, not the spec.
        let kind = match member.level {
            Level::SERVICE_ACCOUNT => SubjectKind::ServiceAccount,
            _ => SubjectKind::User,
        };
        bounds.check_subject(kind, member).is_err()
    };
    // Of hidden members it is not known who they are.
    observed_group(group, around).filter(|now| !now.roles.contains(role)).is_some_and(|now| {
        let stays = |member: &&Named| is_unknown(member, unknown);
        now.members.as_ref().is_none_or(|members| members.iter().filter(stays).any(|it| is_outside(&it)))
    })
}

fn is_unknown(member: &Named, unknown: &BTreeSet<String>) -> bool {
    unknown.iter().any(|name| same_name(member.level, name, &member.name))
}

fn observed_group<'a>(group: &Id, around: &'a Surroundings<'_>) -> Option<&'a Group> {
    around.snapshot.all(Kind::Group).find_map(|seen| match &seen.body {
        Body::Group(now) if now.name == group.as_str() => Some(now),
        _ => None,
    })
}

fn group_want(group: &Id, role: RoleRef, members: Option<BTreeSet<Named>>) -> Desired {
    let body = Group { name: group.to_string(), roles: BTreeSet::from([role]), members };
    Desired::new(None, Body::Group(body))
}

/// The desired members of a group: the resolved ones, and those that are in it and whose names cannot be resolved now, because unknown is
/// not absent. None in the group if an identity provider decides on them. No group if no subject is resolved and there is no group yet, or if
/// the group does not show who is in it.
fn members_of(
    group: &Id,
    mut resolved: BTreeSet<Named>,
    unknown: &BTreeSet<String>,
    around: &Surroundings<'_>,
) -> Option<Option<BTreeSet<Named>>> {
    let body = observed_group(group, around);
    if !around.dialect.capabilities().manages_members() {
        return (!resolved.is_empty() || body.is_some()).then_some(None);
    }
    if unknown.is_empty() || body.is_none() {
        return (!resolved.is_empty()).then_some(Some(resolved));
    }
    let stays = |member: &&Named| is_unknown(member, unknown);
    resolved.extend(body?.members.as_ref()?.iter().filter(stays).cloned());
    Some(Some(resolved))
}

/// The field that names the role of a binding.
fn role_field(binding: &api::RoleBinding) -> &'static str {
    match &binding.spec.role_ref {
        api::RoleRef { name: Some(_), .. } => ROLE,
        api::RoleRef { external: Some(api::ExternalRole { id: Some(_), .. }), .. } => EXTERNAL_ID,
        _ => EXTERNAL_NAME,
    }
}

/// The role of a binding, as far as its content is known. Without the rules of a Role object.
fn role_of_binding(binding: &api::RoleBinding, role: &RoleRef, around: &Surroundings<'_>) -> Option<Role> {
    if let Some(name) = &binding.spec.role_ref.name {
        return role_object(binding, name, around).map(|role| role_without_rules(&role));
    }
    let RoleRef::Existing(role) = role else { return None };
    match &around.snapshot.by_id(Kind::Role, &role.id)?.body {
        Body::Role(role) => Some(role.clone()),
        _ => None,
    }
}

fn binding_role(
    binding: &api::RoleBinding,
    scope: Option<&Named>,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
    names: &mut RecordedNames<'_>,
) -> Result<RoleRef, Problem> {
    let reference = &binding.spec.role_ref;
    if let Some(name) = &reference.name {
        return own_role(binding, name, around, names);
    }
    let external = reference.external.clone().unwrap_or(api::ExternalRole { name: None, id: None });
    if let Some(id) = external.id {
        let id = Id::new(id);
        let granted = around.dialect.granted_as(&id);
        // Where grants name roles, the name alone does not identify the role.
        if granted != id && is_another(around, &id, &around.dialect.role_key(granted.as_str(), scope)) {
            let message =
                format!("spec.roleRef.external.id: the role {id} was deleted, and another role has its name");
            return Err(Problem::new(Issue::Waiting, message));
        }
        names.set(EXTERNAL_ID.to_owned(), id.as_str(), &id);
        let name = match around.snapshot.by_id(Kind::Role, &id).map(|seen| &seen.body) {
            Some(Body::Role(role)) => role.name.clone(),
            _ => id.to_string(),
        };
        return Ok(RoleRef::Existing(Named::new(Level::ROLE, granted, name)));
    }
    let name = external.name.unwrap_or_default();
    let keys = around.dialect.role_keys(&name, scope);
    let mut same = keys.iter().filter_map(|key| around.snapshot.by_key(Kind::Role, key));
    let first = same.next();
    if same.next().is_some() || keys.iter().any(|key| around.snapshot.is_ambiguous(Kind::Role, key)) {
        let same = around.snapshot.all(Kind::Role).filter(|seen| keys.contains(&seen.key));
        let mut ids: Vec<&str> = same.map(|seen| seen.id.as_str()).collect();
        ids.sort_unstable();
        ids.truncate(MAX_SHOWN_IDS);
        let message = format!(
            "{EXTERNAL_NAME}: more than one role is called {name:?}: write the id of the one that you mean, as \
             roleRef: {{external: {{id: ...}}}}: {}",
            ids.join(", ")
        );
        return Err(Problem::new(Issue::Invalid, message));
    }
    // In another scope that the user wrote, the name can mean a role of another level.
    let is_guarded = names.scope_is_unchanged() || keys == around.dialect.role_keys(&name, None);
    let mut record = |id: &Id| {
        if is_guarded {
            return names.check(EXTERNAL_NAME.to_owned(), &name, id);
        }
        names.set(EXTERNAL_NAME.to_owned(), &name, id);
        Ok(())
    };
    if let Some(seen) = first {
        record(&seen.id)?;
        let id = around.dialect.granted_as(&seen.id);
        return Ok(RoleRef::Existing(Named::new(Level::ROLE, id, name)));
    }
    match find(around, Level::ROLE, &name, None, lookups) {
        Ok(role) => record(&role.id)
            .map(|()| RoleRef::Existing(Named { id: around.dialect.granted_as(&role.id), ..role })),
        Err(problem) => Err(problem.of_field(EXTERNAL_NAME)),
    }
}

fn subject(
    listed: &api::Subject,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    let kind = subject_kind(listed.kind);
    let offered = around.dialect.capabilities().subjects;
    if !offered.contains(&kind) {
        let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
        return Err(Problem::new(
            Issue::Invalid,
            format!("{} has no {kind}s; it has: {}", around.dialect.vendor(), offered.join(", ")),
        ));
    }
    find(around, kind.level(), &listed.name, None, lookups)
}

fn scope(
    binding: &api::RoleBinding,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
    names: &mut RecordedNames<'_>,
) -> Result<Option<Named>, Problem> {
    let capabilities = around.dialect.capabilities();
    let admitted = capabilities.grant_levels();
    if binding.spec.scope.is_none() && capabilities.scope_is_optional() {
        return Ok(None);
    }
    if admitted.is_empty() {
        return match &binding.spec.scope {
            None => Ok(None),
            Some(_) => Err(Problem::new(
                Issue::Invalid,
                format!("spec.scope: {} has no scopes: leave it out", around.dialect.vendor()),
            )),
        };
    }
    locate(&Place::of_scope(binding.spec.scope.as_deref()), SCOPE, admitted, around, lookups, names).map(Some)
}

#[cfg(test)]
mod tests;
