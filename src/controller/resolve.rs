//! From a spec to wants: names become ids by the directory of a snapshot. Pure: what the directory lacks is asked for as a
//! look-up, which the pipeline makes before it resolves again.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;

use super::managed::Managed;
use crate::{
    access::{
        Body, Capabilities, Dialect, Fault, Found, Grant, Id, Kind, Named, Restriction, Role, RoleRef, Rule,
        Snapshot, SubjectKind,
    },
    api,
    backends::Needs,
    engine::{Issue, Want},
};

/// A name that the directory does not have and the back end may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookup {
    /// What it is.
    pub level: &'static str,
    /// Its name.
    pub name: String,
    /// What it lies in.
    pub parent: Option<Id>,
}

/// What a spec asks for.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The things, in the order of the spec.
    pub wants: Vec<Want>,
    /// Names to look up; with any of them found, resolving again says more.
    pub lookups: BTreeSet<Lookup>,
}

/// What an object refers to beside its own spec.
pub struct Surroundings<'a> {
    /// The back end's pure part.
    pub dialect: &'a dyn Dialect,
    /// What the back end showed.
    pub snapshot: &'a Snapshot,
    /// The Role objects that a binding can name.
    pub roles: &'a dyn Fn(&str) -> Option<std::sync::Arc<api::Role>>,
    /// The account.
    pub tenant: &'a str,
    /// The kinds of things that the account does not have although the vendor does, and why.
    pub lacks: &'a BTreeMap<Kind, String>,
    /// The object is in Plan mode: it can speak of what is itself only planned.
    pub planning: bool,
}

/// A kind whose spec can be resolved.
pub trait Resolve: Managed {
    /// Which parts of the back end the spec refers to.
    fn needs(&self, dialect: &dyn Dialect) -> Needs;

    /// The things that the spec asks for.
    fn resolve(&self, around: &Surroundings<'_>) -> Resolved;
}

fn unresolved(name: Option<String>, problem: Problem) -> Want {
    Want::unresolved(name, problem.issue, problem.message)
}

struct Problem {
    issue: Issue,
    message: String,
}

impl Problem {
    fn new(issue: Issue, message: impl Into<String>) -> Self {
        Self { issue, message: message.into() }
    }

    fn of(faults: &[Fault]) -> Self {
        let lines: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
        Self::new(Issue::Invalid, lines.join("; "))
    }
}

fn unsupported(around: &Surroundings<'_>, kind: Kind) -> Option<Problem> {
    let all = around.dialect.capabilities().kinds;
    let why = match around.lacks.get(&kind) {
        Some(why) => why.clone(),
        None if all.contains(&kind) => return None,
        None => format!("{} has no {kind}s", around.dialect.vendor()),
    };
    let offered = all.iter().filter(|kind| !around.lacks.contains_key(kind));
    let offered: Vec<String> = offered.map(ToString::to_string).collect();
    Some(Problem::new(Issue::Unsupported, format!("{why}; what is offered: {}", offered.join(", "))))
}

impl Resolve for api::Role {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        // Grants are read beside roles because a role's removal must not take a grant that nobody holds; names, to say whose.
        let mut levels = BTreeSet::new();
        if self.going() {
            let Capabilities { subjects, grant_levels, .. } = dialect.capabilities();
            let subjects = subjects.iter().map(|kind| kind.level());
            levels.extend(subjects.chain(grant_levels.iter().copied()).map(str::to_owned));
        }
        Needs { kinds: [Kind::Role, Kind::Grant].into(), levels, ..Needs::default() }
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let want = match unsupported(around, Kind::Role).or_else(|| of_another_vendor(self, around)) {
            Some(problem) => unresolved(None, problem),
            None => {
                let role = wanted_role(self);
                let owner =
                    [around.tenant, &self.namespace().unwrap_or_default(), &self.name_any()].join("\n");
                let chosen = around.dialect.role_id(&role, &owner);
                match around.dialect.check_role(role) {
                    Ok(role) => Want { chosen, ..Want::new(None, Body::Role(role)) },
                    Err(faults) => unresolved(None, Problem::of(&faults)),
                }
            }
        };
        Resolved { wants: vec![want], ..Resolved::default() }
    }
}

fn of_another_vendor(object: &api::Role, around: &Surroundings<'_>) -> Option<Problem> {
    let (vendor, _) = object.spec.settings()?;
    let here = around.dialect.vendor();
    (vendor != here).then(|| {
        Problem::new(
            Issue::Invalid,
            format!("spec.{vendor}: Backend {} is {here}: leave it out", object.backend()),
        )
    })
}

fn wanted_role(object: &api::Role) -> Role {
    let spec = &object.spec;
    let rules = spec.rules.iter().flat_map(|rule| {
        let effect = match rule.effect.unwrap_or_default() {
            api::Effect::Allow => crate::access::Effect::Allow,
            api::Effect::Deny => crate::access::Effect::Deny,
        };
        let resources: Vec<Option<String>> = match &rule.resources {
            Some(resources) => resources.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        rule.actions.iter().flat_map(move |action| {
            resources.clone().into_iter().map(move |resource| Rule {
                effect,
                action: action.clone(),
                resource,
            })
        })
    });
    Role {
        name: role_name(object),
        display_name: spec.display_name.clone(),
        description: spec.description.clone(),
        rules: rules.collect(),
        settings: spec.settings().map(|(_, settings)| settings).unwrap_or_default(),
        unreadable: false,
    }
}

/// The name that a Role object asks for in the back end.
pub fn role_name(object: &api::Role) -> String {
    object.spec.name.clone().or_else(|| object.metadata.name.clone()).unwrap_or_default()
}

impl Resolve for api::RoleBinding {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        let subjects = self.spec.subjects.iter().map(|subject| kind_of(subject.kind).level());
        let levels = subjects.chain(place_levels(&Place::of_scope(self.spec.scope.as_ref()), dialect));
        let levels = levels.map(str::to_owned).collect();
        Needs { kinds: [Kind::Role, Kind::Grant].into(), levels, ..Needs::default() }
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let mut lookups = BTreeSet::new();
        let whole = |problem| Resolved { wants: vec![unresolved(None, problem)], lookups: BTreeSet::new() };
        if let Some(problem) = unsupported(around, Kind::Grant) {
            return whole(problem);
        }
        let scope = scope(self, around, &mut lookups);
        let place = scope.as_ref().ok().and_then(Option::as_ref);
        let role = binding_role(self, place, around, &mut lookups);
        let role = role.and_then(|role| {
            let known = role_of_binding(self, &role, around);
            let checked = around.dialect.check_grantable(&role).and_then(|()| match (known, &scope) {
                (Some(known), Ok(scope)) => around.dialect.check_scope(&known, scope.as_ref()),
                _ => Ok(()),
            });
            checked.map(|()| role).map_err(|fault| Problem::of(&[fault]))
        });
        let (role, scope) = match (role, scope) {
            (Ok(role), Ok(scope)) => (role, scope),
            (role, scope) => {
                // What the user has to mend comes before what is only waited for.
                let problems = [role.err(), scope.err()].into_iter().flatten();
                let gravest = problems.min_by_key(|problem| problem.issue);
                return Resolved {
                    wants: gravest.map(|it| unresolved(None, it)).into_iter().collect(),
                    lookups,
                };
            }
        };
        let mut seen: BTreeMap<Id, String> = BTreeMap::new();
        let mut wants = Vec::new();
        for listed in &self.spec.subjects {
            let name = Some(listed.called());
            let subject = subject(listed, around, &mut lookups).and_then(|subject| {
                match seen.insert(subject.id.clone(), listed.name.clone()) {
                    Some(other) => Err(Problem::new(
                        Issue::Invalid,
                        format!(
                            "spec.subjects: {} and {other} are the same account: list it once",
                            listed.name
                        ),
                    )),
                    None => Ok(subject),
                }
            });
            wants.push(match subject {
                Ok(subject) => {
                    Want::new(name, Body::Grant(Grant { role: role.clone(), subject, scope: scope.clone() }))
                }
                Err(problem) => unresolved(name, problem),
            });
        }
        Resolved { wants, lookups }
    }
}

fn kind_of(kind: api::SubjectKind) -> SubjectKind {
    match kind {
        api::SubjectKind::User => SubjectKind::User,
        api::SubjectKind::ServiceAccount => SubjectKind::ServiceAccount,
        api::SubjectKind::Team => SubjectKind::Team,
    }
}

/// What the role of a binding says, as far as that is known here.
fn role_of_binding(binding: &api::RoleBinding, role: &RoleRef, around: &Surroundings<'_>) -> Option<Role> {
    if let Some(name) = &binding.spec.role_ref.name {
        return (around.roles)(name).map(|role| wanted_role(&role));
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
) -> Result<RoleRef, Problem> {
    let reference = &binding.spec.role_ref;
    if let Some(name) = &reference.name {
        return own_role(binding, name, around);
    }
    let external = reference.external.clone().unwrap_or(api::ExternalRole { name: None, id: None });
    if let Some(id) = external.id {
        let id = Id::new(id);
        let name = match around.snapshot.by_id(Kind::Role, &id).map(|seen| &seen.body) {
            Some(Body::Role(role)) => role.name.clone(),
            _ => id.to_string(),
        };
        return Ok(RoleRef::Existing(Named { level: "role".to_owned(), id, name }));
    }
    let name = external.name.unwrap_or_default();
    let key = around.dialect.role_key(&name, scope);
    if around.snapshot.is_ambiguous(Kind::Role, &key) {
        let message = format!(
            "spec.roleRef.external.name: more than one role is called {name:?}: write the id of the one that is meant"
        );
        return Err(Problem::new(Issue::Invalid, message));
    }
    if let Some(seen) = around.snapshot.by_key(Kind::Role, &key) {
        return Ok(RoleRef::Existing(Named { level: "role".to_owned(), id: seen.id.clone(), name }));
    }
    match find(around, "role", &name, None, lookups) {
        Ok(role) => Ok(RoleRef::Existing(role)),
        Err(problem) => {
            Err(Problem::new(problem.issue, format!("spec.roleRef.external.name: {}", problem.message)))
        }
    }
}

fn own_role(binding: &api::RoleBinding, name: &str, around: &Surroundings<'_>) -> Result<RoleRef, Problem> {
    let Some(role) = (around.roles)(name) else {
        return Err(Problem::new(Issue::Waiting, format!("waits for Role {name}, which does not exist")));
    };
    if role.backend() != binding.backend() {
        return Err(Problem::new(
            Issue::Invalid,
            format!(
                "spec.roleRef.name: Role {name} belongs to Backend {}, this object to Backend {}: both must name the same",
                role.backend(),
                binding.backend()
            ),
        ));
    }
    if role.going() && !binding.going() {
        return Err(Problem::new(Issue::Waiting, format!("Role {name} is being deleted: name another role")));
    }
    let made = |entry: &&api::HeldEntry| entry.kind == "Role" && entry.state == api::HeldState::Present;
    let held = role.held().iter().find(made).and_then(|entry| entry.id.clone());
    let external = role_name(&role);
    match held {
        Some(id) => {
            Ok(RoleRef::Existing(Named { level: "role".to_owned(), id: Id::new(id), name: external }))
        }
        None if around.planning || role.status().is_some_and(|status| status.plan.is_some()) => {
            Ok(RoleRef::Planned(external))
        }
        None => Err(Problem::new(
            Issue::Waiting,
            format!("waits for Role {name}, which is not in the back end yet"),
        )),
    }
}

fn subject(
    listed: &api::Subject,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    let kind = kind_of(listed.kind);
    let offered = around.dialect.capabilities().subjects;
    if !offered.contains(&kind) {
        let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
        return Err(Problem::new(
            Issue::Invalid,
            format!(
                "spec.subjects: {} has no {kind}s; it has: {}",
                around.dialect.vendor(),
                offered.join(", ")
            ),
        ));
    }
    if let Some(id) = around.dialect.id_of(kind.level(), &listed.name) {
        return Ok(around.snapshot.directory().named(kind.level(), &id));
    }
    find(around, kind.level(), &listed.name, None, lookups)
}

fn find(
    around: &Surroundings<'_>,
    level: &'static str,
    name: &str,
    parent: Option<&Named>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    let inside = parent.map(|parent| format!(" in {} {}", parent.level, parent.name)).unwrap_or_default();
    match around.snapshot.directory().find(level, name, parent.map(|parent| &parent.id)) {
        Found::One(entry) => Ok(entry.named.clone()),
        Found::Nothing => {
            let parent = parent.map(|parent| parent.id.clone());
            lookups.insert(Lookup { level, name: name.to_owned(), parent });
            let refused = around.snapshot.directory().refusal(level);
            let why = refused.map(|why| format!(": {why}")).unwrap_or_default();
            Err(Problem::new(
                Issue::NotFound,
                format!("no {} {name:?}{inside} that the key can see{why}", spoken(level)),
            ))
        }
        Found::Many(entries) => {
            let ids: Vec<String> = entries.iter().map(|entry| entry.named.id.to_string()).collect();
            Err(Problem::new(
                Issue::Invalid,
                format!(
                    "{} {}s are called {name:?}{inside}: name what it lies in as well, or write one of the ids {}",
                    ids.len(),
                    spoken(level),
                    ids.join(", ")
                ),
            ))
        }
    }
}

fn spoken(level: &str) -> &str {
    match level {
        "serviceAccount" => "service account",
        "dataSource" => "data source",
        level => level,
    }
}

/// A scope or resource as a spec names it: by levels from the widest to the narrowest, or by an id.
struct Place {
    levels: BTreeMap<&'static str, String>,
    id: Option<String>,
}

impl Place {
    fn of_scope(scope: Option<&api::Scope>) -> Self {
        let Some(scope) = scope else { return Self { levels: BTreeMap::new(), id: None } };
        Self::new(scope.levels(), &scope.id)
    }

    fn of_resource(resource: &api::ResourceRef) -> Self {
        Self::new(resource.levels(), &resource.id)
    }

    fn new(levels: Vec<(&'static str, &str)>, id: &Option<String>) -> Self {
        let levels = levels.into_iter().map(|(level, name)| (level, name.to_owned())).collect();
        Self { levels, id: id.clone() }
    }
}

/// A place below another is looked up inside it, so the wider levels are needed too.
fn place_levels(place: &Place, dialect: &dyn Dialect) -> Vec<&'static str> {
    let levels = dialect.capabilities().levels;
    let by_id = place.id.as_deref().and_then(|id| dialect.level_of(&Id::new(id)));
    let deepest = levels.iter().rposition(|level| place.levels.contains_key(level) || by_id == Some(*level));
    match deepest {
        // An organization is needed only where one is named.
        Some(deepest) => {
            let named_first =
                levels.iter().position(|level| place.levels.contains_key(level)).unwrap_or(deepest);
            levels[named_first.min(deepest)..=deepest].to_vec()
        }
        None => Vec::new(),
    }
}

fn locate(
    place: &Place,
    field: &str,
    admitted: &[&str],
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    let Capabilities { levels, .. } = around.dialect.capabilities();
    let found = if let Some(id) = &place.id {
        let id = Id::new(id);
        let level = around.dialect.level_of(&id).unwrap_or_default();
        around.snapshot.directory().named(level, &id)
    } else {
        let mut found: Option<Named> = None;
        for level in *levels {
            let Some(name) = place.levels.get(level) else { continue };
            found = Some(if let Some(id) = around.dialect.id_of(level, name) {
                around.snapshot.directory().named(level, &id)
            } else {
                find(around, level, name, found.as_ref(), lookups).map_err(|problem| {
                    Problem::new(problem.issue, format!("{field}.{level}: {}", problem.message))
                })?
            });
        }
        found.ok_or_else(|| {
            Problem::new(
                Issue::Invalid,
                format!("{field}: {} needs one: write {}", around.dialect.vendor(), admitted.join(" or ")),
            )
        })?
    };
    if !admitted.contains(&found.level.as_str()) {
        let what = if found.level.is_empty() {
            "something unknown".to_owned()
        } else {
            format!("a {}", found.level)
        };
        return Err(Problem::new(
            Issue::Invalid,
            format!(
                "{field}: {} is {what}, and {} has this for: {}",
                found.name,
                around.dialect.vendor(),
                admitted.join(", ")
            ),
        ));
    }
    Ok(found)
}

fn scope(
    binding: &api::RoleBinding,
    around: &Surroundings<'_>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Option<Named>, Problem> {
    let Capabilities { grant_levels: admitted, scope_optional, .. } = around.dialect.capabilities();
    if binding.spec.scope.is_none() && *scope_optional {
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
    locate(&Place::of_scope(binding.spec.scope.as_ref()), "spec.scope", admitted, around, lookups).map(Some)
}

impl Resolve for api::ResourceRestriction {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        let levels = place_levels(&Place::of_resource(&self.spec.resource), dialect);
        let levels = levels.into_iter().map(str::to_owned).collect();
        Needs { kinds: [Kind::Restriction].into(), levels, ..Needs::default() }
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let mut lookups = BTreeSet::new();
        let want = match unsupported(around, Kind::Restriction) {
            Some(problem) => unresolved(None, problem),
            None => {
                let admitted = around.dialect.capabilities().restriction_levels;
                let place = Place::of_resource(&self.spec.resource);
                match locate(&place, "spec.resource", admitted, around, &mut lookups) {
                    Ok(resource) => Want::new(None, Body::Restriction(Restriction::new(resource))),
                    Err(problem) => unresolved(None, problem),
                }
            }
        };
        Resolved { wants: vec![want], lookups }
    }
}
