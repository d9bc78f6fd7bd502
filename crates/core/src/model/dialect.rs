//! The pure part of a back end: facts as data ([`Capabilities`]), and rules as three small traits, one for each user of them.
//! A [`Dialect`] is the sum of the three. Nothing here makes a call.

use super::{
    body::{Body, Grant, Kind, Named, Role, RoleRef, Rule, SubjectKind},
    key::{Id, Key},
    level::Level,
    reach::Reach,
};

/// A field of a spec that this back end does not accept, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field's path, such as `spec.rules[0].resources`.
    pub field: String,
    /// What is wrong and what to write.
    pub message: String,
}

impl Fault {
    /// A fault of one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// A fault if a text has more than `max` characters.
    pub fn if_longer(field: &str, text: &str, max: usize, vendor: &str) -> Option<Self> {
        let length = text.chars().count();
        (length > max).then(|| Self::new(field, format!("has {length} characters; {vendor} takes {max}")))
    }
}

/// An identifier that Rolewright chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenId {
    /// The identifier.
    pub id: Id,
    /// The spec names it: it means the thing with this id, whatever that is called. Otherwise the id is derived from the object.
    pub given: bool,
}

/// What a back end has and how it behaves: facts that never change while the operator runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The name of the vendor's block in a Backend, such as `arize`.
    pub vendor: &'static str,
    /// The kinds of principals that a RoleBinding can list.
    pub subjects: &'static [SubjectKind],
    /// The levels by which a spec can name a scope or a resource, widest first.
    pub levels: &'static [Level],
    /// Whether a role can get another name.
    pub role_names: RoleNames,
    /// How subjects get roles.
    pub grants: Grants,
    /// How a resource is closed to inherited access.
    pub restrictions: Restrictions,
    /// The kinds for which the back end accepts a second thing with the same natural key. Rolewright looks for one before it creates one.
    /// For all other kinds the back end refuses the second.
    pub duplicates: &'static [Kind],
}

/// Whether a role can get another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleNames {
    /// A role keeps its id when its name changes.
    Renamable,
    /// A role has the name that it was created with.
    Fixed,
}

/// How subjects get roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grants {
    /// Each subject has its roles itself.
    Direct {
        /// The levels at which a grant applies; empty where grants have no scope.
        levels: &'static [Level],
        /// A grant can have no scope although there are levels for it.
        scope_optional: bool,
    },
    /// Only groups have roles; principals have them as members. Grants have no scope.
    ViaGroups {
        /// A RoleBinding of these subjects owns a group, and they are its members. Other subjects are groups themselves.
        owned_for: &'static [SubjectKind],
        /// Who decides on the members of the groups that RoleBindings own.
        members: Members,
    },
}

/// Who decides which principals are in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// Rolewright, by the subjects of the RoleBinding.
    Managed,
    /// An identity provider, at login.
    IdentityProvider,
}

/// How a resource is closed to inherited access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restrictions {
    /// Not at all.
    None {
        /// What does the job instead, for users; None where nothing does.
        instead: Option<&'static str>,
    },
    /// A restriction is a thing of its own, which is created and deleted.
    Objects {
        /// The levels of resources that can be restricted.
        levels: &'static [Level],
    },
    /// By taking away the permissions that apply by default. A resource is always visible, closed or not, under its own id.
    ClosedDefaults {
        /// The levels of resources that can be restricted.
        levels: &'static [Level],
    },
}

impl Capabilities {
    /// The kinds of things that the back end has.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        let restrictions = !matches!(self.restrictions, Restrictions::None { .. });
        let groups = matches!(self.grants, Grants::ViaGroups { .. });
        [
            Some(Kind::Role),
            Some(Kind::Grant),
            restrictions.then_some(Kind::Restriction),
            groups.then_some(Kind::Group),
        ]
        .into_iter()
        .flatten()
    }

    /// The levels at which a grant applies; empty where grants have no scope.
    pub fn grant_levels(&self) -> &'static [Level] {
        match self.grants {
            Grants::Direct { levels, .. } => levels,
            Grants::ViaGroups { .. } => &[],
        }
    }

    /// Whether a grant can have no scope although there are levels for it.
    pub fn scope_is_optional(&self) -> bool {
        matches!(self.grants, Grants::Direct { scope_optional: true, .. })
    }

    /// The subjects that get roles only as members of a group that the RoleBinding owns.
    pub fn group_members(&self) -> &'static [SubjectKind] {
        match self.grants {
            Grants::Direct { .. } => &[],
            Grants::ViaGroups { owned_for, .. } => owned_for,
        }
    }

    /// Whether Rolewright decides on the members of the groups that RoleBindings own.
    pub fn manages_members(&self) -> bool {
        !matches!(self.grants, Grants::ViaGroups { members: Members::IdentityProvider, .. })
    }

    /// The levels of resources that can be restricted.
    pub fn restriction_levels(&self) -> &'static [Level] {
        match self.restrictions {
            Restrictions::None { .. } => &[],
            Restrictions::Objects { levels } | Restrictions::ClosedDefaults { levels } => levels,
        }
    }

    /// Whether a resource is restricted by taking away its default permissions.
    pub fn closes_defaults(&self) -> bool {
        matches!(self.restrictions, Restrictions::ClosedDefaults { .. })
    }

    /// What does the job of a kind that the back end does not have, for users. None where nothing does.
    pub fn instead_of(&self, kind: Kind) -> Option<&'static str> {
        match (kind, self.restrictions) {
            (Kind::Restriction, Restrictions::None { instead }) => instead,
            _ => None,
        }
    }

    /// Whether a role can get another name.
    pub fn renames_roles(&self) -> bool {
        self.role_names == RoleNames::Renamable
    }

    /// Whether the back end refuses to create a second thing with the same natural key.
    pub fn refuses_duplicates(&self, kind: Kind) -> bool {
        !self.duplicates.contains(&kind)
    }
}

/// What makes a thing the same thing: for the planner.
pub trait IdentityRules: Send + Sync {
    /// What the back end has.
    fn capabilities(&self) -> &'static Capabilities;

    /// The natural key of a thing: two things of one kind in one account never share it, unless the back end creates duplicates.
    ///
    /// The key of a grant has at least the field `subject`, and `scope` where the grant has one; that of a restriction has `resource`.
    /// Each is an id. Status records keep the key, so a managed thing is known by it even when it is not visible.
    fn key(&self, body: &Body) -> Key {
        match body {
            Body::Role(role) => self.key_of_role(role),
            Body::Grant(grant) => self.key_of_grant(grant),
            Body::Restriction(restriction) => Key::new([("resource", restriction.resource.id.as_str())]),
            Body::Group(group) => Key::new([("name", &group.name)]),
        }
    }

    /// The natural key of a role: its name, unless names are unique only inside something.
    fn key_of_role(&self, role: &Role) -> Key {
        Key::new([("name", &role.name)])
    }

    /// The natural key of a grant: its role and its subject, where grants have no scope.
    fn key_of_grant(&self, grant: &Grant) -> Key {
        Key::new([("role", grant.role.text()), ("subject", grant.subject.id.as_str())])
    }

    /// The id under which a desired role is created, as the spec has it before [`SpecRules::check_role`]. None where the back end chooses
    /// ids. `owner` is unique to the object.
    fn role_id(&self, _role: &Role, _owner: &str) -> Option<ChosenId> {
        None
    }

    /// The name of the group that a RoleBinding owns, where its subjects get roles as members of one. `owner` is unique to the RoleBinding.
    fn group_of(&self, _owner: &str) -> Option<Id> {
        None
    }

    /// Whether the back end answers a create of a thing that exists as if it had made it: then the answer does not show whose the thing is.
    fn repeats_creates(&self, _kind: Kind) -> bool {
        false
    }

    /// The id by which grants and groups name a role. It differs from the role's own id where they know roles by name alone, and the own id
    /// also distinguishes a role from a later one with the same name.
    fn granted_as(&self, role: &Id) -> Id {
        role.clone()
    }
}

/// What a spec may say: for the step that resolves specs.
pub trait SpecRules: Send + Sync {
    /// Checks a desired role against the back end's rules and returns it in normal form.
    ///
    /// # Errors
    /// Every fault, so that the user can fix them all at once.
    fn check_role(&self, role: Role) -> Result<Role, Vec<Fault>>;

    /// Checks that a role can be granted in a scope of this level, or in none.
    ///
    /// # Errors
    /// What to write instead.
    fn check_scope(&self, _role: &Role, _level: Option<Level>) -> Result<(), Fault> {
        Ok(())
    }

    /// Checks that a subject of this kind can have roles. The capabilities say which kinds the back end has.
    ///
    /// # Errors
    /// What to write instead.
    fn check_subject(&self, _kind: SubjectKind) -> Result<(), Fault> {
        Ok(())
    }

    /// Checks that a role can be granted at all.
    ///
    /// # Errors
    /// What to do instead.
    fn check_grantable(&self, _role: &RoleRef) -> Result<(), Fault> {
        Ok(())
    }

    /// Why the vendor owns a thing, as far as its id and its body show ("a fixed role"): only the vendor can change it. None for all other things.
    fn vendor_owned(&self, _id: Option<&Id>, _body: &Body) -> Option<&'static str> {
        None
    }

    /// Whether the back end itself gives at least this default permission on a new resource: no more is restored on the word of an
    /// annotation, which users can edit.
    fn is_initial_default(&self, _resource: &Id, _whose: &str, _permission: &str) -> bool {
        false
    }

    /// Whether a rule lets somebody get more permissions than it names: to change roles, members, credentials or who can see a resource. An
    /// action that the back end's contract does not name is unknown, and counts.
    fn is_escalating(&self, _rule: &Rule) -> bool {
        true
    }

    /// What a rule gives access to, of the resources that a ResourceRestriction can close. Empty where closed resources ignore roles.
    fn reach(&self, _rule: &Rule) -> Vec<Reach> {
        Vec::new()
    }

    /// The natural key of the role that a RoleBinding with this scope means by a name.
    fn role_key(&self, name: &str, _scope: Option<&Named>) -> Key {
        Key::new([("name", name)])
    }

    /// The natural keys of all roles that a RoleBinding with this scope can mean by a name. Several where roles of one name are legal.
    fn role_keys(&self, name: &str, scope: Option<&Named>) -> Vec<Key> {
        vec![self.role_key(name, scope)]
    }

    /// The id that a text in a spec stands for at a level, if the text is an id and not a name.
    fn id_of(&self, _level: Level, _text: &str) -> Option<Id> {
        None
    }

    /// The level of the thing with this id, where the id shows it.
    fn level_of(&self, _id: &Id) -> Option<Level> {
        None
    }
}

/// What a sweep has to read beside the lists: for the reader of snapshots.
pub trait SweepHints: Send + Sync {
    /// What a sweep has to read by itself, so that a managed thing with this key, and this id once it has one, is observed or its absence
    /// is proven. None where lists show enough. Only the back end understands the returned id.
    fn hint(&self, _kind: Kind, _key: &Key, _id: Option<&Id>) -> Option<Id> {
        None
    }

    /// Whether a sweep shows all grants of the account, also those that no object manages.
    fn lists_all_grants(&self) -> bool {
        true
    }
}

/// The pure part of a back end: all rules of one vendor.
pub trait Dialect: IdentityRules + SpecRules + SweepHints {
    /// The name of the vendor's block in a Backend, such as `arize`.
    fn vendor(&self) -> &'static str {
        self.capabilities().vendor
    }
}

impl<T: IdentityRules + SpecRules + SweepHints> Dialect for T {}
