//! What a ClusterBackend allows an object of another namespace. Judged on what the names in a spec mean, before anything is planned: what
//! is outside is never desired. Pure.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use rolewright_api::{Allow, Ceiling, ClusterTerms, Limit};
use rolewright_core::{
    model::{
        Body, Dialect, Directory, Effect, Entry, Fault, Id, Kind, Level, Named, Observed, Role, RoleRef,
        Snapshot, SubjectKind,
    },
    planner::{Issue, Problem},
};

use super::resolve::Resolve;
use crate::{
    object::{ManagedObject, ObjectKind},
    patterns::{covers, matches, overlaps},
};

/// The labels of a namespace.
pub type Labels = BTreeMap<String, String>;

/// How many comparisons of characters one decision can cause: about ten milliseconds.
const MAX_WORK: usize = 5_000_000;
/// How many patterns a message lists.
const MAX_LISTED: usize = 5;

/// The terms of a ClusterBackend for one object.
pub struct Bounds<'a> {
    terms: &'a ClusterTerms,
    allow: Cow<'a, Allow>,
    ceiling: Cow<'a, Ceiling>,
    /// The ClusterBackend in messages.
    backend: String,
    namespace: &'a str,
    /// The labels of the namespace of the object, if it exists.
    labels: Option<Arc<Labels>>,
    dialect: &'a dyn Dialect,
    snapshot: &'a Snapshot,
    now: Timestamp,
    work: Cell<usize>,
}

/// How a text is compared with a limit.
#[derive(Clone, Copy, PartialEq)]
enum Text {
    /// It is a name.
    Name,
    /// It can be a pattern of the back end, which stands for all that it matches.
    Pattern,
}

impl<'a> Bounds<'a> {
    /// The terms of this ClusterBackend for an object.
    pub fn new<K: ManagedObject>(
        object: &'a K,
        terms: &'a ClusterTerms,
        labels: Option<Arc<Labels>>,
        dialect: &'a dyn Dialect,
        snapshot: &'a Snapshot,
        now: Timestamp,
    ) -> Self {
        Self {
            terms,
            allow: terms.allow.as_ref().map_or_else(Cow::default, Cow::Borrowed),
            ceiling: terms.ceiling.as_ref().map_or_else(Cow::default, Cow::Borrowed),
            backend: object.backend_title(),
            namespace: object.meta().namespace.as_deref().unwrap_or_default(),
            labels,
            dialect,
            snapshot,
            now,
            work: Cell::new(0),
        }
    }

    /// Checks what an object says without names of the back end: its namespace, its kind, how long it lasts.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_object<K: Resolve>(&self, object: &K) -> Result<(), Problem> {
        check_namespace(object, self.terms, self.labels.as_deref())?;
        let is_off = |allowed: Option<bool>| allowed != Some(true);
        if object.is_authoritative() && is_off(self.allow.authoritative) {
            return Err(self.off("authoritative", "spec.membership: Authoritative"));
        }
        match K::KIND {
            ObjectKind::ResourceRestriction if is_off(self.allow.restrictions) => {
                Err(self.off("restrictions", "ResourceRestrictions"))
            }
            ObjectKind::Prune if *self.namespace != self.terms.secret_namespace => Err(self.denied(
                "spec.secretNamespace",
                "is the only namespace of objects of the kind Prune: what the account contains belongs to others too",
            )),
            ObjectKind::RoleBinding => self.check_end(object.ends()),
            _ => Ok(()),
        }
    }

    /// Whether RoleBindings must end.
    pub fn limits_time(&self) -> bool {
        self.terms.limits_time()
    }

    /// Whether grants can end at this time.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_end(&self, end: Option<Timestamp>) -> Result<(), Problem> {
        let (Some(longest), Some(text)) = (self.ceiling.max_duration(), &self.ceiling.max_duration) else {
            return Ok(());
        };
        let rest = end.map(|end| Duration::try_from(end.duration_since(self.now)).unwrap_or_default());
        match rest {
            Some(rest) if rest <= longest => Ok(()),
            Some(_) => Err(self.denied(
                "spec.ceiling.maxDuration",
                &format!("is {text}: write a spec.expiresAt that is not later than that from now"),
            )),
            None => Err(self.denied(
                "spec.ceiling.maxDuration",
                &format!("is {text}: write a spec.expiresAt within this time"),
            )),
        }
    }

    /// Checks the role that a Role describes. `existing`: roles that it would take over.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_role<'b>(
        &self,
        role: &Role,
        existing: impl Iterator<Item = &'b Observed>,
    ) -> Result<(), Problem> {
        let names = existing.filter_map(|seen| match &seen.body {
            Body::Role(role) => Some(role.name.as_str()),
            _ => None,
        });
        for name in std::iter::once(role.name.as_str()).chain(names) {
            self.check_role_name(name)?;
        }
        self.check_rules(role)
    }

    fn check_role_name(&self, name: &str) -> Result<(), Problem> {
        let patterns: Vec<String> =
            self.allow.role_names.iter().map(|it| it.replace("{namespace}", self.namespace)).collect();
        if patterns.is_empty() {
            return Err(self.off("roleNames", "Roles"));
        }
        match patterns.iter().any(|pattern| matches(pattern, name)) {
            true => Ok(()),
            false => Err(self.denied(
                "spec.allow.roleNames",
                &format!("does not match the role name {name:?} ({})", listed(&patterns)),
            )),
        }
    }

    /// Checks the actions and resources of a role, as the back end executes them.
    fn check_rules(&self, role: &Role) -> Result<(), Problem> {
        let name = &role.name;
        let allowed = role.rules.iter().filter(|rule| rule.effect == Effect::Allow);
        if self.allow.escalation != Some(true) {
            if role.settings.get("global").is_some_and(|global| global == "true") {
                return Err(self.off("escalation", "roles that are global"));
            }
            if let Some(rule) = allowed.clone().find(|rule| self.dialect.is_escalating(rule)) {
                let what = format!(
                    "{rule} of the role {name}, which can give more permissions or is unknown to Rolewright"
                );
                return Err(self.off("escalation", &what));
            }
        }
        let actions: BTreeSet<&str> = allowed.clone().map(|rule| rule.action.as_str()).collect();
        for action in actions {
            let what = format!("the action {action} of the role {name}");
            self.check(&self.ceiling.actions, "actions", &[action], Text::Pattern, &what)?;
        }
        let resources: BTreeSet<Option<&str>> = allowed.map(|rule| rule.resource.as_deref()).collect();
        for resource in resources {
            match resource {
                Some(resource) => {
                    let what = format!("the resource {resource} of the role {name}");
                    self.check(&self.ceiling.resources, "resources", &[resource], Text::Pattern, &what)?;
                }
                None if self.ceiling.resources.as_ref().is_some_and(|limit| limit.allow.is_some()) => {
                    let why = format!("limits resources, and a rule of the role {name} has none");
                    return Err(self.denied("spec.ceiling.resources.allow", &why));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Checks the role and the scope of a binding. `own`: the content of the role if a Role of the same namespace decides about it. Returns
    /// the role if it must be read completely before a grant of it can be made.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_grant(
        &self,
        role: &RoleRef,
        own: Option<&Role>,
        scope: Option<&Named>,
    ) -> Result<Option<Id>, Problem> {
        // Where grants have no scopes, no list of scopes limits them.
        if !self.dialect.capabilities().grant_levels().is_empty() {
            self.check_scope(scope)?;
        }
        let seen = self.seen(role);
        // Each name that it has must be within: one can be old.
        for name in std::iter::once(role.name()).chain(seen.map(|(_, role)| role.name.as_str())) {
            match own {
                Some(_) => self.check_role_name(name)?,
                None => {
                    let what = format!("the role {name}");
                    self.check(&self.ceiling.roles, "roles", &[name], Text::Name, &what)?;
                }
            }
        }
        if let Some(own) = own {
            self.check_rules(own)?;
        }
        let is_unread = |seen: &Observed| self.snapshot.unread_thing(Kind::Role, &seen.id).is_some();
        // The back end hides the rules, and shows which ones were applied.
        let is_applied = |seen: &Observed| {
            own.is_some_and(|own| seen.applied.as_ref() == Some(&Body::Role(own.clone()).fingerprint()))
        };
        match seen {
            Some((seen, role)) if !role.unreadable && !seen.outline => self.check_rules(role).map(|()| None),
            Some((seen, role)) if !role.unreadable && !is_unread(seen) => Ok(Some(seen.id.clone())),
            Some((seen, role)) if role.unreadable && is_applied(seen) => Ok(None),
            // It is read before a grant of it is made.
            None if own.is_some() => Ok(None),
            Some(_) | None => Err(Problem::new(
                Issue::Denied,
                format!(
                    "the permissions of the role {} cannot be read, so they count as outside of the ceiling of {}",
                    role.name(),
                    self.backend
                ),
            )),
        }
    }

    fn seen(&self, role: &RoleRef) -> Option<(&Observed, &Role)> {
        let named = role.existing()?;
        let by_id = self.snapshot.by_id(Kind::Role, &named.id);
        // Where grants name roles, a role is found by its name.
        let by_name = || self.snapshot.by_key(Kind::Role, &self.dialect.role_key(named.id.as_str(), None));
        let seen = by_id.or_else(by_name)?;
        match &seen.body {
            Body::Role(role) => Some((seen, role)),
            _ => None,
        }
    }

    /// Checks that an identity provider does not decide about subjects that the ceiling limits.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_members(&self) -> Result<(), Problem> {
        let limited = self.ceiling.users.is_some() || self.ceiling.service_accounts.is_some();
        match limited && !self.dialect.capabilities().manages_members() {
            true => Err(self.denied(
                "spec.ceiling.users",
                "limits subjects, and an identity provider decides who is in the group of this RoleBinding",
            )),
            false => Ok(()),
        }
    }

    /// Checks a subject.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_subject(&self, kind: SubjectKind, subject: &Named) -> Result<(), Problem> {
        let users = (&self.ceiling.users, "users");
        let service_accounts = (&self.ceiling.service_accounts, "serviceAccounts");
        // An id of one kind of principal can stand in the field of the other, so the back end says which it is.
        let entry = self.snapshot.directory().get(&subject.id);
        let limits = match (kind, entry.map(|entry| entry.named.level)) {
            (SubjectKind::Team, _) => vec![(&self.ceiling.teams, "teams")],
            (SubjectKind::Group, _) => vec![(&self.ceiling.groups, "groups")],
            (_, Some(Level::USER)) => vec![users],
            (_, Some(Level::SERVICE_ACCOUNT)) => vec![service_accounts],
            _ => vec![users, service_accounts],
        };
        let what = format!("the {kind} {}", subject.name);
        limits.into_iter().try_for_each(|(limit, list)| self.check_named(limit, list, subject, &what))
    }

    /// Checks the scope of a binding or the resource of a restriction: it must be within, and nothing inside it can be denied.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_scope(&self, scope: Option<&Named>) -> Result<(), Problem> {
        let Some(limit) = &self.ceiling.scopes else { return Ok(()) };
        let Some(scope) = scope else {
            return Err(self.denied("spec.ceiling.scopes", "limits scopes, and the object has none"));
        };
        let what = format!("the {} {}", scope.level, scope.name);
        let directory = self.snapshot.directory();
        let Some(entry) = directory.get(&scope.id) else {
            return Err(self.invisible(&what, "scopes"));
        };
        let texts: Vec<String> = enclosing(directory, entry).flat_map(texts_of).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.check(&self.ceiling.scopes, "scopes", &texts, Text::Name, &what)?;
        let levels = self.dialect.capabilities().levels;
        let deeper = levels.iter().skip_while(|level| **level != scope.level).skip(1);
        if limit.deny.is_empty() || deeper.clone().next().is_none() {
            return Ok(());
        }
        if let Some(unknown) = deeper.clone().find(|level| !directory.is_listed(**level)) {
            return Err(self.invisible(&format!("every {unknown} inside {what}"), "scopes"));
        }
        // A wide scope covers the denied ones inside it.
        let is_inside = |entry: &&Entry| {
            levels.contains(&entry.named.level)
                && enclosing(directory, entry).skip(1).any(|outer| outer.named.id == scope.id)
        };
        for entry in directory.entries().filter(is_inside) {
            let texts = texts_of(entry);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let what = format!("the {} {}, which is inside {what}", entry.named.level, entry.named.name);
            self.check_denied(limit, "scopes", &texts, Text::Name, &what)?;
        }
        Ok(())
    }

    /// A thing with a name and an id: one that is not listed is known by its id alone.
    fn check_named(
        &self,
        limit: &Option<Limit>,
        list: &str,
        named: &Named,
        what: &str,
    ) -> Result<(), Problem> {
        let Some(limit) = limit else { return Ok(()) };
        let Some(entry) = self.snapshot.directory().get(&named.id) else {
            return Err(self.invisible(what, list));
        };
        let allowed = [&*entry.named.name, entry.named.id.as_str()];
        self.check_allowed(limit, list, &allowed, Text::Name, what)?;
        let all: Vec<&str> = allowed.into_iter().chain(entry.aliases.iter().map(String::as_str)).collect();
        self.check_denied(limit, list, &all, Text::Name, what)
    }

    fn check(
        &self,
        limit: &Option<Limit>,
        list: &str,
        texts: &[&str],
        text: Text,
        what: &str,
    ) -> Result<(), Problem> {
        let Some(limit) = limit else { return Ok(()) };
        self.check_allowed(limit, list, texts, text, what)?;
        self.check_denied(limit, list, texts, text, what)
    }

    fn check_allowed(
        &self,
        limit: &Limit,
        list: &str,
        texts: &[&str],
        kind: Text,
        what: &str,
    ) -> Result<(), Problem> {
        let Some(allow) = &limit.allow else { return Ok(()) };
        let within = |text: &str, pattern: &String| match kind {
            Text::Name if text.contains('@') => matches(&pattern.to_lowercase(), &text.to_lowercase()),
            Text::Name => matches(pattern, text),
            Text::Pattern => covers(pattern, text),
        };
        for text in texts {
            for pattern in allow {
                self.count(text, pattern, list)?;
                if within(text, pattern) {
                    return Ok(());
                }
            }
        }
        let rule = format!("spec.ceiling.{list}.allow");
        Err(self.denied(&rule, &format!("does not have {what} ({})", listed(allow))))
    }

    fn check_denied(
        &self,
        limit: &Limit,
        list: &str,
        texts: &[&str],
        kind: Text,
        what: &str,
    ) -> Result<(), Problem> {
        for text in texts {
            let lower = text.to_lowercase();
            for pattern in &limit.deny {
                self.count(text, pattern, list)?;
                let lower_pattern = pattern.to_lowercase();
                let is_denied = match kind {
                    Text::Pattern if has_wildcards(text) => overlaps(&lower_pattern, &lower),
                    Text::Name | Text::Pattern => matches(&lower_pattern, &lower),
                };
                if is_denied {
                    let rule = format!("spec.ceiling.{list}.deny");
                    return Err(self.denied(&rule, &format!("has {pattern}, which concerns {what}")));
                }
            }
        }
        Ok(())
    }

    fn count(&self, text: &str, pattern: &str, list: &str) -> Result<(), Problem> {
        let cost = match has_wildcards(text) {
            true => (text.len() + 1) * (pattern.len() + 1),
            false => text.len() + pattern.len(),
        };
        let work = self.work.get() + cost;
        self.work.set(work);
        match work > MAX_WORK {
            true => Err(self.denied(
                &format!("spec.ceiling.{list}"),
                "cannot be compared with so many rules: write fewer rules with wildcards",
            )),
            false => Ok(()),
        }
    }

    fn denied(&self, rule: &str, why: &str) -> Problem {
        Problem::new(Issue::Denied, format!("{rule} of {} {why}", self.backend))
    }

    fn invisible(&self, what: &str, list: &str) -> Problem {
        Problem::new(
            Issue::Denied,
            format!(
                "{what} is not visible in the back end, so it counts as outside of spec.ceiling.{list} of {}",
                self.backend
            ),
        )
    }

    fn off(&self, switch: &str, what: &str) -> Problem {
        Problem::new(Issue::Denied, format!("spec.allow.{switch} of {} does not allow {what}", self.backend))
    }
}

/// Checks what the schema of a ClusterBackend cannot check.
///
/// # Errors
/// The field, and what to write.
pub fn check_terms(terms: &ClusterTerms) -> Result<(), Fault> {
    match terms.namespace_selector.clone().map(Selector::try_from) {
        Some(Err(error)) => Err(Fault::new("spec.namespaceSelector", error.to_string())),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Checks that a ClusterBackend serves the namespace of an object.
///
/// # Errors
/// The rule that forbids it.
pub fn check_namespace<K: ManagedObject>(
    object: &K,
    terms: &ClusterTerms,
    labels: Option<&Labels>,
) -> Result<(), Problem> {
    match labels.is_some_and(|labels| selects(terms.namespace_selector.as_ref(), labels)) {
        true => Ok(()),
        false => {
            let namespace = object.meta().namespace.as_deref().unwrap_or_default();
            let backend = object.backend_title();
            let message =
                format!("spec.namespaceSelector of {backend} does not select the namespace {namespace}");
            Err(Problem::new(Issue::Denied, message))
        }
    }
}

/// Whether a selector selects these labels. Without a selector, or with one that cannot be read, none is selected.
fn selects(selector: Option<&LabelSelector>, labels: &Labels) -> bool {
    let selector = selector.cloned().map(Selector::try_from);
    matches!(selector, Some(Ok(selector)) if selector.matches(labels))
}

fn has_wildcards(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// A thing and everything that contains it, from the inside out.
fn enclosing<'a>(directory: &'a Directory, entry: &'a Entry) -> impl Iterator<Item = &'a Entry> {
    // A back end that shows a circle must not hold the operator.
    const DEEPEST: usize = 64;
    std::iter::successors(Some(entry), |entry| directory.get(entry.parent.as_ref()?)).take(DEEPEST)
}

/// How a ceiling can name a scope: by its level and its name or id.
fn texts_of(entry: &Entry) -> [String; 2] {
    let Named { level, id, name } = &entry.named;
    [format!("{level}:{name}"), format!("{level}:{id}")]
}

fn listed(patterns: &[String]) -> String {
    let more = patterns.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it has {}{more}", patterns[..patterns.len().min(MAX_LISTED)].join(", "))
}
