//! What a thing in a back end says: roles, grants, restrictions, in a normal form in which equal means the same access.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize, Serializer};

use super::{
    key::{Fingerprint, Id},
    level::Level,
};

/// The kinds of things that an object can hold in a back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A named set of rules.
    Role,
    /// One subject's holding of one role, where the back end has scopes within one scope.
    Grant,
    /// A resource closed to inherited access.
    Restriction,
    /// A group that is there for one object's sake, where subjects hold roles only as members of groups.
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
    /// A set of principals that roles are given to, and to nobody else.
    Group,
}

impl SubjectKind {
    /// The directory level where subjects of this kind are looked up.
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

/// Something of the back end that has an id, with the name people know it by. Equality is that of the id: a name is for reading.
#[derive(Clone, Debug)]
pub struct Named {
    /// What it is, such as `space`, `project`, `user`.
    pub level: Level,
    /// Its identifier.
    pub id: Id,
    /// What people call it; the id where no name is known.
    pub name: String,
}

impl Named {
    /// Something of a level with an id and a name.
    pub fn new(level: Level, id: Id, name: impl Into<String>) -> Self {
        Self { level, id, name: name.into() }
    }

    /// Something of which no name is known.
    pub fn unnamed(level: Level, id: Id) -> Self {
        let name = id.to_string();
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

/// What a rule does with the actions that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// The actions are permitted.
    #[default]
    Allow,
    /// The actions are refused, whatever else permits them.
    Deny,
}

/// One action, on one resource where the back end has resources: the atom that permission sets are compared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Allow or deny.
    pub effect: Effect,
    /// The back end's word for what may be done.
    pub action: String,
    /// The back end's word for what it may be done to.
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

/// A named set of rules. Rules are a set: neither order nor repetition means anything in any back end.
///
/// As a wish it may be silent about its display name and about settings: those it leaves as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// The name in the back end.
    pub name: String,
    /// The name shown to people; absent where the back end has none, and in a wish that is silent about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Free text; absent and empty are the same and stored as absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the role permits.
    pub rules: BTreeSet<Rule>,
    /// What only this back end has, by field name. A wish is silent about those that it does not name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The back end does not show what it permits: `rules` is empty and says nothing. Never so in a wish.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl Role {
    fn fulfils(&self, wish: &Role) -> bool {
        !self.unreadable && self.rules == wish.rules && self.shows(wish)
    }

    /// Whether all of the wish but its rules is there.
    fn shows(&self, wish: &Role) -> bool {
        self.name == wish.name
            && self.description == wish.description
            && (wish.display_name.is_none() || self.display_name == wish.display_name)
            && wish.settings.iter().all(|(field, value)| self.settings.get(field) == Some(value))
    }
}

/// The role of a grant: one that exists, or one that is itself still planned and so known by name alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RoleRef {
    /// A role that the back end has.
    Existing(Named),
    /// A role that another object's plan would create.
    Planned(String),
}

impl RoleRef {
    /// What people call the role.
    pub fn name(&self) -> &str {
        match self {
            RoleRef::Existing(role) => &role.name,
            RoleRef::Planned(name) => name,
        }
    }

    /// The role, if the back end has it already.
    pub fn existing(&self) -> Option<&Named> {
        match self {
            RoleRef::Existing(role) => Some(role),
            RoleRef::Planned(_) => None,
        }
    }

    /// The id, or the name of a role that has none yet: what natural keys are made of.
    pub fn text(&self) -> &str {
        self.existing().map_or_else(|| self.name(), |role| role.id.as_str())
    }
}

/// One subject's holding of one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The role that is held.
    pub role: RoleRef,
    /// Who holds it.
    pub subject: Named,
    /// Where it applies; absent where it applies everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Named>,
}

/// Permissions that apply to a resource unless somebody takes them away: for whom, and which.
pub type Defaults = BTreeMap<String, String>;

/// A resource closed to inherited access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restriction {
    /// The closed resource.
    pub resource: Named,
    /// The defaults that apply to it. None in a wish, and none where it is closed; in back ends where a restriction is a thing of its own
    /// there are never any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub open: Defaults,
}

impl Restriction {
    /// A closed resource.
    pub fn new(resource: Named) -> Self {
        Self { resource, open: Defaults::new() }
    }
}

/// A group that is there for one object's sake: who is in it, and which roles that gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name in the back end.
    pub name: String,
    /// The roles that its members hold; one in a wish.
    pub roles: BTreeSet<RoleRef>,
    /// Who is in it. None in a wish that leaves that to somebody else, such as an identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<BTreeSet<Named>>,
}

impl Group {
    fn fulfils(&self, wish: &Group) -> bool {
        self.name == wish.name
            && self.roles == wish.roles
            && (wish.members.is_none() || self.members == wish.members)
    }
}

/// What a thing says, whatever its kind.
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
    /// The kind of thing that this is the body of.
    pub fn kind(&self) -> Kind {
        match self {
            Body::Role(_) => Kind::Role,
            Body::Grant(_) => Kind::Grant,
            Body::Restriction(_) => Kind::Restriction,
            Body::Group(_) => Kind::Group,
        }
    }

    /// Tells this body from any other of its kind.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// What people would call the thing: a role's name, `subject as role on scope`, a resource's name.
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

    /// Whether this says all that a wish asks for. What the wish is silent about may be anything.
    pub fn fulfils(&self, wish: &Body) -> bool {
        match (self, wish) {
            (Body::Role(role), Body::Role(wish)) => role.fulfils(wish),
            (Body::Group(group), Body::Group(wish)) => group.fulfils(wish),
            _ => self == wish,
        }
    }

    /// Whether the back end hides a part of what this says.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Body::Role(role) if role.unreadable)
    }

    /// Whether this says all that a wish asks for, as far as the back end shows it.
    pub fn shows(&self, wish: &Body) -> bool {
        match (self, wish) {
            (Body::Role(role), Body::Role(wish)) if role.unreadable => role.shows(wish),
            _ => self.fulfils(wish),
        }
    }

    /// A wish with the words of this body where it is silent: what is to be said after an update.
    pub fn changed_to(&self, wish: &Body) -> Body {
        match (self, wish) {
            (Body::Role(role), Body::Role(wish)) => {
                let mut whole = wish.clone();
                whole.display_name = whole.display_name.or_else(|| role.display_name.clone());
                for (field, value) in &role.settings {
                    whole.settings.entry(field.clone()).or_insert_with(|| value.clone());
                }
                Body::Role(whole)
            }
            (Body::Group(group), Body::Group(wish)) => {
                let members = wish.members.clone().or_else(|| group.members.clone());
                Body::Group(Group { members, ..wish.clone() })
            }
            _ => wish.clone(),
        }
    }

    /// Whether this is a resource that defaults still apply to: nothing that could be taken over, and nothing that restricts.
    pub fn is_open(&self) -> bool {
        matches!(self, Body::Restriction(restriction) if !restriction.open.is_empty())
    }

    /// The difference from this body to a wish of its kind, a line each, as shown in plans; empty when this fulfils it.
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
    for (name, wanted) in &to.settings {
        field(name, from.settings.get(name).map(String::as_str), Some(wanted));
    }
    if from.unreadable {
        lines.push("what it permits cannot be read, and is set anew".to_owned());
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
