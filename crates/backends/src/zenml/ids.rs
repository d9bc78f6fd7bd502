//! Ids and levels. ZenML's ids are uuids that do not show what they identify, and assignments have none at all (contract 2.2). So
//! Rolewright's id of a principal is `user:<uuid>`, `team:<uuid>` or `invitation:<uuid>:<e-mail address>`; of a scope `workspace:<uuid>` or
//! `project:<uuid of the workspace>:<uuid>`; and of a grant `<uuid of the role>/<scope or "organization">/<principal>`. Service accounts are
//! users (contract 3.1).

use rolewright_core::model::{Grant, Id, Key, Level, Named, RoleRef};

/// The levels of scopes, which are also levels of roles.
pub const WORKSPACE: Level = Level::new("workspace");
pub const PROJECT: Level = Level::new("project");
/// The level of roles that are assigned without a scope.
pub const ORGANIZATION: Level = Level::new("organization");

const USER: &str = Level::USER.as_str();
const TEAM: &str = Level::TEAM.as_str();
const INVITATION: &str = "invitation";
/// How a text in a spec shows that it is an id and not a name.
const WRITTEN: &str = "id:";

/// What can have a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A person, or a service account.
    User(String),
    Team(String),
    /// An invited person, who can have accepted by now. The invitation is deleted then, and the address shows which account it became.
    Invitation {
        uuid: String,
        email: String,
    },
}

impl Principal {
    /// The principal with an id. None for any other id.
    pub fn of(text: &str) -> Option<Self> {
        let (level, rest) = text.split_once(':')?;
        match level {
            USER => is_uuid(rest).then(|| Self::User(rest.to_owned())),
            TEAM => is_uuid(rest).then(|| Self::Team(rest.to_owned())),
            INVITATION => {
                let (uuid, email) = rest.split_once(':')?;
                let named = is_uuid(uuid) && !email.is_empty();
                named.then(|| Self::Invitation { uuid: uuid.to_owned(), email: email.to_owned() })
            }
            _ => None,
        }
    }

    /// An invitation. The case of addresses does not matter.
    pub fn invited(uuid: &str, email: &str) -> Self {
        Self::Invitation { uuid: uuid.to_owned(), email: email.to_ascii_lowercase() }
    }

    /// Its id.
    pub fn id(&self) -> Id {
        Id::new(match self {
            Self::User(uuid) => format!("{USER}:{uuid}"),
            Self::Team(uuid) => format!("{TEAM}:{uuid}"),
            Self::Invitation { uuid, email } => format!("{INVITATION}:{uuid}:{email}"),
        })
    }

    /// Its level in the directory. An invited person will be a user.
    pub fn level(&self) -> Level {
        match self {
            Self::User(_) | Self::Invitation { .. } => Level::USER,
            Self::Team(_) => Level::TEAM,
        }
    }
}

/// Where a role is assigned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Organization,
    Workspace(String),
    Project { workspace: String, project: String },
}

impl Scope {
    /// The scope with an id. None for any other id.
    pub fn of(text: &str) -> Option<Self> {
        if text == ORGANIZATION.as_str() {
            return Some(Self::Organization);
        }
        let (level, rest) = text.split_once(':')?;
        match rest.split_once(':') {
            None if level == WORKSPACE.as_str() && is_uuid(rest) => Some(Self::Workspace(rest.to_owned())),
            Some((workspace, project))
                if level == PROJECT.as_str() && is_uuid(workspace) && is_uuid(project) =>
            {
                Some(Self::Project { workspace: workspace.to_owned(), project: project.to_owned() })
            }
            _ => None,
        }
    }

    /// The scope of a grant. None if its id is not one of ours.
    pub fn of_named(scope: Option<&Named>) -> Option<Self> {
        scope.map_or(Some(Self::Organization), |scope| Self::of(scope.id.as_str()))
    }

    /// The scope of an assignment. None for a project without a workspace, which the API does not allow (contract 3.1).
    pub fn of_parts(workspace: Option<&str>, project: Option<&str>) -> Option<Self> {
        match (workspace.map(str::to_owned), project.map(str::to_owned)) {
            (None, None) => Some(Self::Organization),
            (Some(workspace), None) => Some(Self::Workspace(workspace)),
            (Some(workspace), Some(project)) => Some(Self::Project { workspace, project }),
            (None, Some(_)) => None,
        }
    }

    /// Its id, which for the organization is only a part of ids of grants.
    pub fn text(&self) -> String {
        match self {
            Self::Organization => ORGANIZATION.to_string(),
            Self::Workspace(uuid) => format!("{WORKSPACE}:{uuid}"),
            Self::Project { workspace, project } => format!("{PROJECT}:{workspace}:{project}"),
        }
    }

    /// The uuid of its workspace.
    pub fn workspace(&self) -> Option<&str> {
        match self {
            Self::Organization => None,
            Self::Workspace(workspace) | Self::Project { workspace, .. } => Some(workspace),
        }
    }

    /// The uuid of its project.
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Project { project, .. } => Some(project),
            _ => None,
        }
    }

    /// Its level, which is the level of the roles that can be assigned there (contract 3.1).
    pub fn level(&self) -> Level {
        match self {
            Self::Organization => ORGANIZATION,
            Self::Workspace(_) => WORKSPACE,
            Self::Project { .. } => PROJECT,
        }
    }
}

/// The identity of an assignment (contract 2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId {
    /// The uuid of the role.
    pub role: String,
    pub scope: Scope,
    pub principal: Principal,
}

impl GrantId {
    /// The parts of a grant's id. None for any other id.
    pub fn of(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (role, scope, principal) = (parts.next()?, parts.next()?, parts.next()?);
        let principal = Principal::of(principal)?;
        is_uuid(role).then_some(Self { role: role.to_owned(), scope: Scope::of(scope)?, principal })
    }

    /// The parts of a grant. None if its role does not exist yet, or an id is not one of ours.
    pub fn of_grant(grant: &Grant) -> Option<Self> {
        let RoleRef::Existing(role) = &grant.role else { return None };
        let scope = Scope::of_named(grant.scope.as_ref())?;
        let principal = Principal::of(grant.subject.id.as_str())?;
        is_uuid(role.id.as_str()).then(|| Self { role: role.id.to_string(), scope, principal })
    }

    /// Its id.
    pub fn id(&self) -> Id {
        grant_id(&self.role, &self.scope.text(), self.principal.id().as_str())
    }

    /// Its natural key. Role, scope and principal identify an assignment (contract 2.2). They are also the place of its proof, because its
    /// absence is proven for one principal at a time.
    pub fn key(&self) -> Key {
        grant_key(&self.role, &self.scope.text(), self.principal.id().as_str())
    }
}

/// The id of a grant. It has the name of the role while that is only planned.
pub fn grant_id(role: &str, scope: &str, subject: &str) -> Id {
    Id::new(format!("{role}/{scope}/{subject}"))
}

/// The natural key of a grant, from the same parts.
pub fn grant_key(role: &str, scope: &str, subject: &str) -> Key {
    Key::new([("scope", grant_id(role, scope, subject).as_str()), ("subject", subject)])
}

/// The scope of a grant as its id has it.
pub fn scope_text(scope: Option<&Named>) -> &str {
    scope.map_or(ORGANIZATION.as_str(), |scope| scope.id.as_str())
}

/// The uuid of a text in a spec that is an id and not a name.
pub fn written(text: &str) -> Option<String> {
    uuid(text.strip_prefix(WRITTEN)?)
}

/// The uuid that a text is, in the form that servers use.
pub fn uuid(text: &str) -> Option<String> {
    let uuid = text.to_ascii_lowercase();
    is_uuid(&uuid).then_some(uuid)
}

/// How a spec writes an id.
pub fn as_written(uuid: &str) -> String {
    format!("{WRITTEN}{uuid}")
}

/// Whether a text is a uuid in the form that servers use.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0a000000-0000-4000-8000-00000000000a";
    const B: &str = "0b000000-0000-4000-8000-00000000000b";

    #[test]
    fn the_id_of_a_principal_shows_what_it_is() {
        let principals = [
            Principal::User(A.to_owned()),
            Principal::Team(A.to_owned()),
            Principal::invited(A, "Dave/o:x@Example.com"),
        ];
        for principal in principals {
            assert_eq!(Principal::of(principal.id().as_str()), Some(principal));
        }
        for text in ["", A, "user:", "user:x", "role:x", "invitation:x:y", "user", &format!("invitation:{A}")]
        {
            assert_eq!(Principal::of(text), None, "{text}");
        }
    }

    #[test]
    fn the_id_of_a_project_includes_its_workspace() {
        let project = Scope::Project { workspace: A.to_owned(), project: B.to_owned() };
        for scope in [Scope::Organization, Scope::Workspace(A.to_owned()), project.clone()] {
            assert_eq!(Scope::of(&scope.text()), Some(scope));
        }
        assert_eq!((project.workspace(), project.project(), project.level()), (Some(A), Some(B), PROJECT));
        assert_eq!(Scope::of_parts(Some(A), Some(B)), Some(project));
        assert_eq!(Scope::of_parts(None, Some(B)), None);
        for text in ["", A, &format!("project:{A}"), &format!("workspace:{A}:{B}"), "workspace:x"] {
            assert_eq!(Scope::of(text), None, "{text}");
        }
    }

    #[test]
    fn the_id_of_a_grant_shows_role_scope_and_principal() {
        let scope = Scope::Project { workspace: A.to_owned(), project: B.to_owned() };
        let principal = Principal::invited(A, "a/b@example.com");
        let grant = GrantId { role: B.to_owned(), scope, principal };
        assert_eq!(GrantId::of(grant.id().as_str()), Some(grant));
        for text in [&format!("{A}/organization"), &format!("reader/organization/user:{A}"), "role:x:y"] {
            assert_eq!(GrantId::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_uuid_in_a_spec_has_a_prefix() {
        assert_eq!(written(&format!("id:{}", A.to_uppercase())), Some(A.to_owned()));
        for text in [A, "id:", "id:reader", &format!("id:{A}0")] {
            assert_eq!(written(text), None, "{text}");
        }
    }
}
