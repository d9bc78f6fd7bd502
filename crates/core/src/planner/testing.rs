//! For tests of this package and, with the feature `testing`, of other packages: changes and steps that no plan made, small bodies and
//! entries, and a dialect.

use std::collections::BTreeMap;

use super::{Cause, Held, HeldState, Origin, OtherClaims, Step};
use crate::model::{
    Body, Capabilities, Change, Effect, Grant, Grants, Id, IdentityRules, Key, Kind, Restrictions, Role,
    RoleNames, Rule,
};

/// Back ends that differ in what identifies a grant besides its subject, and in other rules that the planner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestDialect {
    /// A subject has one role in each scope, and the role of a grant can be changed.
    OneRoleAScope,
    /// There are no scopes: a subject has a role or not.
    NoScopes,
    /// A subject can have several roles in each scope.
    ManyRolesAScope,
    /// As [`TestDialect::NoScopes`], and a resource is closed by taking default permissions away.
    ClosesDefaults,
    /// As [`TestDialect::NoScopes`], and roles cannot be renamed.
    KeepsNames,
    /// As [`TestDialect::NoScopes`], and the back end accepts duplicates.
    MakesTwice,
}

const fn capabilities(
    role_names: RoleNames,
    restrictions: Restrictions,
    duplicates: &'static [Kind],
) -> Capabilities {
    let grants = Grants::Direct { levels: &[], scope_optional: false };
    Capabilities { vendor: "test", subjects: &[], levels: &[], role_names, grants, restrictions, duplicates }
}

const OBJECTS: Restrictions = Restrictions::Objects { levels: &[] };
static USUAL: Capabilities = capabilities(RoleNames::Renamable, OBJECTS, &[]);
static CLOSES_DEFAULTS: Capabilities =
    capabilities(RoleNames::Renamable, Restrictions::ClosedDefaults { levels: &[] }, &[]);
static KEEPS_NAMES: Capabilities = capabilities(RoleNames::Fixed, OBJECTS, &[]);
static MAKES_TWICE: Capabilities =
    capabilities(RoleNames::Renamable, OBJECTS, &[Kind::Role, Kind::Grant, Kind::Restriction, Kind::Group]);

impl IdentityRules for TestDialect {
    fn capabilities(&self) -> &'static Capabilities {
        match self {
            TestDialect::OneRoleAScope | TestDialect::NoScopes | TestDialect::ManyRolesAScope => &USUAL,
            TestDialect::ClosesDefaults => &CLOSES_DEFAULTS,
            TestDialect::KeepsNames => &KEEPS_NAMES,
            TestDialect::MakesTwice => &MAKES_TWICE,
        }
    }

    fn key_of_grant(&self, grant: &Grant) -> Key {
        let role = ("role", grant.role.text());
        let subject = ("subject", grant.subject.id.as_str());
        let scope = ("scope", grant.scope.as_ref().map_or("", |scope| scope.id.as_str()));
        match self {
            TestDialect::OneRoleAScope => Key::new([subject, scope]),
            TestDialect::ManyRolesAScope => Key::new([subject, scope, role]),
            _ => Key::new([subject, role]),
        }
    }
}

/// A create that no plan made.
pub fn create(id: Option<Id>, after: Body) -> Change {
    Change::Create { id, after }
}

/// An update that no plan made.
pub fn update(id: Id, before: Body, after: Body) -> Change {
    Change::Update { id, before, after }
}

/// A delete that no plan made.
pub fn delete(id: Id, before: Body) -> Change {
    Change::Delete { id, before }
}

/// A step that no plan made. `resumed`: an earlier attempt may have executed it.
pub fn step(change: Change, resumed: bool) -> Step {
    let fingerprint = change.body().fingerprint();
    Step { change, fingerprint, cause: Cause::Spec, entry: 0, after: None, resumed, releases: false }
}

/// A role that allows these actions.
pub fn role(name: &str, actions: &[&str]) -> Body {
    let rule = |action: &&str| Rule { effect: Effect::Allow, action: (*action).to_owned(), resource: None };
    Body::Role(Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: actions.iter().map(rule).collect(),
        settings: BTreeMap::new(),
        unreadable: false,
    })
}

/// The entry of a thing that the object created with this id and body.
pub fn present(dialect: TestDialect, id: &str, body: &Body, name: Option<&str>) -> Held {
    let state = HeldState::Present { id: Id::new(id), revision: None };
    Held { state, ..pending(dialect, body, name) }
}

/// The entry of a thing whose create with this body was started.
pub fn pending(dialect: TestDialect, body: &Body, name: Option<&str>) -> Held {
    Held {
        kind: body.kind(),
        key: dialect.key(body),
        name: name.map(str::to_owned),
        origin: Origin::Created,
        fingerprint: body.fingerprint(),
        state: HeldState::Pending { chosen: None, unsettled: false },
        taken: None,
        other_claims: OtherClaims::None,
    }
}
