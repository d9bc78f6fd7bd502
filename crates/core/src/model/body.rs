//! The content of external things: roles, grants, restrictions and groups, in a normal form in which equal means the same access.
//!
//! Statuses record fingerprints of the serialized form, so names and order of fields and variants must not change.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Serialize, Serializer};

use super::{
    key::{Fingerprint, Id},
    level::Level,
};

/// The kinds of external things that an object can manage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A named set of rules.
    Role,
    /// One role of one subject, in one scope where the back end has scopes.
    Grant,
    /// A resource closed to inherited access.
    Restriction,
    /// A group that one object owns, where the back end grants roles only to groups.
    Group,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Role => "Role",
            Kind::Grant => "Grant",
            Kind::Restriction => "Restriction",
            Kind::Group => "Group",
        })
    }
}

/// The kinds of principals that a grant can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SubjectKind {
    /// A person.
    User,
    /// An account of a program.
    ServiceAccount,
    /// A set of users that the back end keeps.
    Team,
    /// A set of principals, in a back end that grants roles only to such sets.
    Group,
}

impl SubjectKind {
    /// The level at which the [`Directory`](super::Directory) lists subjects of this kind.
    pub const fn level(self) -> Level {
        match self {
            SubjectKind::User => Level::USER,
            SubjectKind::ServiceAccount => Level::SERVICE_ACCOUNT,
            SubjectKind::Team => Level::TEAM,
            SubjectKind::Group => Level::GROUP,
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubjectKind::User => "User",
            SubjectKind::ServiceAccount => "ServiceAccount",
            SubjectKind::Team => "Team",
            SubjectKind::Group => "Group",
        })
    }
}

/// An id in the back end with its name for people. Two are equal if their ids are; names serve messages only.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its kind in the back end, such as `space`, `project`, `user`.
    pub level: Level,
    /// Its id.
    pub id: Id,
    /// Its name for people; the id if the name is unknown. Shared by the directory and all grants of a snapshot.
    pub name: Arc<str>,
}

impl Named {
    /// An id of a level, with its name.
    pub fn new(level: Level, id: Id, name: impl Into<Arc<str>>) -> Self {
        Self { level, id, name: name.into() }
    }

    /// An id whose name is unknown.
    pub fn unnamed(level: Level, id: Id) -> Self {
        let name = id.text();
        Self::new(level, id, name)
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Named {}

impl Ord for Named {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl PartialOrd for Named {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

/// What a rule does with its actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Permits the actions.
    #[default]
    Allow,
    /// Forbids the actions, even if another rule permits them.
    Deny,
}

/// One action, on one resource where the back end has resources. Roles are compared rule by rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Whether the action is permitted or forbidden.
    pub effect: Effect,
    /// The action in the back end's vocabulary.
    pub action: String,
    /// The resource in the back end's vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.effect == Effect::Deny {
            f.write_str("deny ")?;
        }
        f.write_str(&self.action)?;
        match &self.resource {
            Some(resource) => write!(f, " on {resource}"),
            None => Ok(()),
        }
    }
}

/// A named set of rules. The order and repetition of rules have no meaning in any back end.
///
/// A desired role can leave out its display name and settings: the back end's values then stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// The name in the back end.
    pub name: String,
    /// The name for people. Absent where the back end has none, and in a desired role that leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Free text. Absent and empty are the same and stored as absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The permissions of the role.
    pub rules: BTreeSet<Rule>,
    /// Fields that only this back end has, by name. A desired role leaves out those that its spec does not set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The back end does not show the rules, so `rules` is empty and unknown. Never set in a desired role.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl Role {
    fn satisfies(&self, desired: &Role) -> bool {
        !self.unreadable && self.rules == desired.rules && self.satisfies_except_rules(desired)
    }

    fn satisfies_except_rules(&self, desired: &Role) -> bool {
        self.name == desired.name
            && self.description == desired.description
            && (desired.display_name.is_none() || self.display_name == desired.display_name)
            && desired.settings.iter().all(|(field, value)| self.settings.get(field) == Some(value))
    }
}

/// The role of a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RoleRef {
    /// A role that exists in the back end.
    Existing(Named),
    /// The name of a role that another object's plan creates.
    Planned(String),
}

impl RoleRef {
    /// The role's name for people.
    pub fn name(&self) -> &str {
        match self {
            RoleRef::Existing(role) => &role.name,
            RoleRef::Planned(name) => name,
        }
    }

    /// The role, if it exists.
    pub fn existing(&self) -> Option<&Named> {
        match self {
            RoleRef::Existing(role) => Some(role),
            RoleRef::Planned(_) => None,
        }
    }

    /// The id, or the name if the role has no id yet. Natural keys contain it.
    pub fn text(&self) -> &str {
        self.existing().map_or_else(|| self.name(), |role| role.id.as_str())
    }
}

/// One role of one subject, in one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The granted role.
    pub role: RoleRef,
    /// The principal that has the role.
    pub subject: Named,
    /// Where the grant applies. Absent if it applies everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Named>,
}

/// Default permissions on a resource: permission by principal. They apply until they are removed.
pub type Defaults = BTreeMap<String, String>;

/// A resource closed to inherited access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restriction {
    /// The closed resource.
    pub resource: Named,
    /// The default permissions that still apply. Empty if the resource is closed, in a desired restriction, and in back ends where a
    /// restriction is an external thing with its own id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub open: Defaults,
}

impl Restriction {
    /// A closed resource.
    pub fn new(resource: Named) -> Self {
        Self { resource, open: Defaults::new() }
    }
}

/// A group that one object owns: its members and their roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The name in the back end.
    pub name: String,
    /// The roles of its members. A desired group has one.
    pub roles: BTreeSet<RoleRef>,
    /// The members. None in a desired group whose members an identity provider manages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<BTreeSet<Named>>,
}

impl Group {
    fn satisfies(&self, desired: &Group) -> bool {
        self.name == desired.name
            && self.roles == desired.roles
            && (desired.members.is_none() || self.members == desired.members)
    }
}

/// The content of an external thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Body {
    /// A role.
    Role(Role),
    /// A grant.
    Grant(Grant),
    /// A restriction.
    Restriction(Restriction),
    /// A group.
    Group(Group),
}

impl Body {
    /// The kind of the thing.
    pub fn kind(&self) -> Kind {
        match self {
            Body::Role(_) => Kind::Role,
            Body::Grant(_) => Kind::Grant,
            Body::Restriction(_) => Kind::Restriction,
            Body::Group(_) => Kind::Group,
        }
    }

    /// The fingerprint of this body. Names for people do not affect it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// The thing in words: a role's name, `subject as role on scope`, a resource's level and name.
    pub fn title(&self) -> String {
        match self {
            Body::Role(role) => role.name.clone(),
            Body::Grant(grant) => match &grant.scope {
                Some(scope) => {
                    format!(
                        "{} as {} on {} {}",
                        grant.subject.name,
                        grant.role.name(),
                        scope.level,
                        scope.name
                    )
                }
                None => format!("{} as {}", grant.subject.name, grant.role.name()),
            },
            Body::Restriction(restriction) => {
                format!("{} {}", restriction.resource.level, restriction.resource.name)
            }
            Body::Group(group) => group.name.clone(),
        }
    }

    /// Whether this body has everything that `desired` sets. Fields that `desired` leaves out can have any value.
    pub fn satisfies(&self, desired: &Body) -> bool {
        match (self, desired) {
            (Body::Role(role), Body::Role(desired)) => role.satisfies(desired),
            (Body::Group(group), Body::Group(desired)) => group.satisfies(desired),
            _ => self == desired,
        }
    }

    /// Whether the back end hides a part of this body.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Body::Role(role) if role.unreadable)
    }

    /// As [`Body::satisfies`], but ignores what the back end hides.
    pub fn readable_part_satisfies(&self, desired: &Body) -> bool {
        match (self, desired) {
            (Body::Role(role), Body::Role(desired)) if role.unreadable => {
                role.satisfies_except_rules(desired)
            }
            _ => self.satisfies(desired),
        }
    }

    /// The complete body after an update to `desired`: fields that `desired` leaves out keep their values.
    pub fn after_update(&self, desired: &Body) -> Body {
        match (self, desired) {
            (Body::Role(role), Body::Role(desired)) => {
                let mut whole = desired.clone();
                whole.display_name = whole.display_name.or_else(|| role.display_name.clone());
                for (field, value) in &role.settings {
                    whole.settings.entry(field.clone()).or_insert_with(|| value.clone());
                }
                Body::Role(whole)
            }
            (Body::Group(group), Body::Group(desired)) => {
                let members = desired.members.clone().or_else(|| group.members.clone());
                Body::Group(Group { members, ..desired.clone() })
            }
            _ => desired.clone(),
        }
    }

    /// Whether this is a resource that is not closed: default permissions still apply, so there is no restriction to adopt.
    pub fn is_open(&self) -> bool {
        matches!(self, Body::Restriction(restriction) if !restriction.open.is_empty())
    }

    /// The differences from this body to a desired one of its kind, one per line, as plans show them. Empty if this one satisfies it.
    pub fn difference(&self, to: &Body) -> Vec<String> {
        match (self, to) {
            (Body::Role(from), Body::Role(to)) => role_difference(from, to),
            (Body::Grant(from), Body::Grant(to)) if from.role != to.role => {
                vec![format!("role: {} -> {}", from.role.name(), to.role.name())]
            }
            (Body::Group(from), Body::Group(to)) => group_difference(from, to),
            (Body::Restriction(from), Body::Restriction(to)) => defaults_difference(&from.open, &to.open),
            _ => Vec::new(),
        }
    }
}

fn role_difference(from: &Role, to: &Role) -> Vec<String> {
    let mut lines = Vec::new();
    let mut field = |name: &str, from: Option<&str>, to: Option<&str>| {
        if from != to {
            lines.push(format!("{name}: {} -> {}", quoted(from), quoted(to)));
        }
    };
    field("name", Some(&from.name), Some(&to.name));
    if to.display_name.is_some() {
        field("displayName", from.display_name.as_deref(), to.display_name.as_deref());
    }
    field("description", from.description.as_deref(), to.description.as_deref());
    for (name, desired) in &to.settings {
        field(name, from.settings.get(name).map(String::as_str), Some(desired));
    }
    if from.unreadable {
        lines.push("rules: the back end does not show them, so they are set again".to_owned());
    }
    lines.extend(to.rules.difference(&from.rules).map(|rule| format!("+ {rule}")));
    lines.extend(from.rules.difference(&to.rules).map(|rule| format!("- {rule}")));
    lines
}

fn group_difference(from: &Group, to: &Group) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(to.roles.difference(&from.roles).map(|role| format!("+ role {}", role.name())));
    lines.extend(from.roles.difference(&to.roles).map(|role| format!("- role {}", role.name())));
    if let (Some(from), Some(to)) = (&from.members, &to.members) {
        lines.extend(to.difference(from).map(|member| format!("+ {}", member.name)));
        lines.extend(from.difference(to).map(|member| format!("- {}", member.name)));
    }
    lines
}

fn defaults_difference(from: &Defaults, to: &Defaults) -> Vec<String> {
    let only_in = |these: &Defaults, those: &Defaults, sign: char| -> Vec<String> {
        let lacking = these.iter().filter(|(whose, permission)| those.get(*whose) != Some(permission));
        lacking.map(|(whose, permission)| format!("{sign} {permission} for {whose}")).collect()
    };
    [only_in(to, from, '+'), only_in(from, to, '-')].concat()
}

fn quoted(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"))
}
