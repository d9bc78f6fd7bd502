//! What differs between back ends and is pure: their natural keys, their rules for names, their levels of scope.

use super::{
    body::{Body, Kind, Named, Role, RoleRef, SubjectKind},
    key::{Id, Key},
};

/// A field of a spec that this back end does not take, and what to write instead.
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

    /// A fault where a text has more characters than the vendor takes.
    pub fn if_longer(field: &str, text: &str, longest: usize, vendor: &str) -> Option<Self> {
        let length = text.chars().count();
        (length > longest)
            .then(|| Self::new(field, format!("has {length} characters; {vendor} takes {longest}")))
    }
}

/// An identifier that is ours to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenId {
    /// The identifier.
    pub id: Id,
    /// The spec names it: whatever has it is meant, whatever its name. Otherwise it is derived from the object that asks.
    pub given: bool,
}

/// What a back end offers. Levels are ordered from the widest to the narrowest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The kinds of things it has.
    pub kinds: &'static [Kind],
    /// The kinds of principals that it can grant a role to.
    pub subjects: &'static [SubjectKind],
    /// The levels of scopes and resources by which a spec may name them, widest first.
    pub levels: &'static [&'static str],
    /// The levels at which a grant may lie; empty where grants have no scope.
    pub grant_levels: &'static [&'static str],
    /// A grant may lie in no scope although there are levels for it.
    pub scope_optional: bool,
    /// The subjects that hold roles only as members of a group that the binding owns.
    pub group_members: &'static [SubjectKind],
    /// The levels whose resources can be restricted.
    pub restriction_levels: &'static [&'static str],
}

/// A back end's pure part.
pub trait Dialect: Send + Sync {
    /// The name of the vendor's block in a Backend, such as `arize`.
    fn vendor(&self) -> &'static str;

    /// What the back end offers.
    fn capabilities(&self) -> &'static Capabilities;

    /// Checks a wanted role against the back end's rules and brings it into normal form.
    ///
    /// # Errors
    /// Every fault, so that the user can mend them all at once.
    fn check_role(&self, role: Role) -> Result<Role, Vec<Fault>>;

    /// The id that a wanted role, as the spec has it, is made under. None where the back end gives out ids. `owner` tells the object
    /// that asks from every other.
    fn role_id(&self, _role: &Role, _owner: &str) -> Option<ChosenId> {
        None
    }

    /// Whether a resource is restricted by taking the defaults away that apply to it: it is then always seen, closed or not, and under its
    /// own id. Otherwise a restriction is a thing of its own, which is made and removed.
    fn closes_defaults(&self) -> bool {
        false
    }

    /// The name of the group that a binding owns, where its subjects hold roles as members of one. `owner` tells the binding from every
    /// other. None where subjects hold roles themselves.
    fn group_of(&self, _owner: &str) -> Option<Id> {
        None
    }

    /// The id by which grants and groups name a role that is known by this one. Another where they know roles by name alone, and the role's
    /// own id tells it from one that was made later under its name.
    fn granted_as(&self, role: &Id) -> Id {
        role.clone()
    }

    /// Whether it is for us to say who is in such a group, and not for an identity provider.
    fn manages_members(&self) -> bool {
        true
    }

    /// What does the job of a kind of things that it does not have, for people. None where nothing does.
    fn instead_of(&self, _kind: Kind) -> Option<&'static str> {
        None
    }

    /// Whether a role can be given another name.
    fn renames(&self) -> bool {
        true
    }

    /// Whether the back end refuses to make a second thing of one natural key. Where it does not, one is looked for right before one is
    /// made.
    fn refuses_duplicates(&self, _kind: Kind) -> bool {
        true
    }

    /// What a sweep has to ask for by itself so that a held thing of this key, and of this id once it has one, is seen, or its absence
    /// proven. None where lists show enough. To everybody but the back end these ids mean nothing.
    fn asked_for(&self, _kind: Kind, _held: &Key, _id: Option<&Id>) -> Option<Id> {
        None
    }

    /// The natural key of the role that a binding in this scope means by a name.
    fn role_key(&self, name: &str, _scope: Option<&Named>) -> Key {
        Key::new([("name", name)])
    }

    /// Checks that a role can be granted in a scope of this level, or in none.
    ///
    /// # Errors
    /// What to write instead.
    fn check_scope(&self, _role: &Role, _level: Option<&str>) -> Result<(), Fault> {
        Ok(())
    }

    /// Checks that a role can be granted.
    ///
    /// # Errors
    /// What to do instead.
    fn check_grantable(&self, _role: &RoleRef) -> Result<(), Fault> {
        Ok(())
    }

    /// The natural key of a thing. Of a grant it names at least the field `subject`, and `scope` where the grant has one; of a
    /// restriction `resource`: each the id. By these, what is held is known even when it is not to be seen.
    fn key(&self, body: &Body) -> Key;

    /// The id that a text stands for at a level, if it is an id and not a name.
    fn id_of(&self, level: &str, text: &str) -> Option<Id>;

    /// The level of what an id names, where the id tells.
    fn level_of(&self, id: &Id) -> Option<&'static str>;
}
