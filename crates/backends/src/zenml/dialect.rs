//! ZenML's pure part: its rules for roles, which level of role is held where, its natural keys (contract 2.1, 2.2, 3).

use super::ids::{
    self, PROJECT, Principal, SERVICE_ACCOUNT, Scope, TEAM, USER, WORKSPACE, grant_key, scope_text,
};
use rolewright_core::model::{
    Body, Capabilities, Dialect, Effect, Fault, Id, Key, Kind, Named, ROLE, Role, RoleRef, Rule, SubjectKind,
};

/// The one setting of a role: where it can be held.
pub const LEVEL: &str = "level";
/// The level of roles that are held on no workspace and no project.
pub const ORGANIZATION: &str = "organization";

/// In characters (contract 2.1).
const LONGEST_NAME: usize = 50;
const LONGEST_DESCRIPTION: usize = 256;

static CAPABILITIES: Capabilities = Capabilities {
    kinds: &[Kind::Role, Kind::Grant],
    subjects: &[SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team],
    levels: &[WORKSPACE, PROJECT],
    grant_levels: &[WORKSPACE, PROJECT],
    scope_optional: true,
    group_members: &[],
    restriction_levels: &[],
};

/// What is peculiar to ZenML.
pub struct ZenmlDialect;

impl Dialect for ZenmlDialect {
    fn vendor(&self) -> &'static str {
        "zenml"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        let length = role.name.chars().count();
        if length == 0 || length > LONGEST_NAME {
            let message = format!("has {length} characters; ZenML takes 1 to {LONGEST_NAME}");
            faults.push(Fault::new("spec.name", message));
        }
        role.description = role.description.filter(|text| !text.is_empty());
        let description = role.description.as_deref().unwrap_or_default();
        faults.extend(Fault::if_longer("spec.description", description, LONGEST_DESCRIPTION, "ZenML"));
        if role.display_name.is_some() {
            faults.push(Fault::new(
                "spec.displayName",
                "ZenML roles have no display name: leave it out, or use description",
            ));
        }
        faults.extend(level_fault(&role));
        let unknown = role.settings.keys().filter(|field| *field != LEVEL);
        faults.extend(unknown.map(|field| {
            Fault::new(format!("spec.zenml.{field}"), "ZenML roles have no such field: leave it out")
        }));
        if role.rules.is_empty() {
            faults
                .push(Fault::new("spec.rules", "a ZenML role has at least one action on a type of resource"));
        }
        faults.extend(role.rules.iter().filter_map(rule_fault));
        if faults.is_empty() { Ok(role) } else { Err(faults) }
    }

    fn instead_of(&self, kind: Kind) -> Option<&'static str> {
        let narrow = "give roles on a project, or on one workspace, where they are not to count in the whole organization";
        (kind == Kind::Restriction).then_some(narrow)
    }

    fn refuses_duplicates(&self, kind: Kind) -> bool {
        // Nothing says that names are unique (contract 3). A second assignment of the same is refused (contract 2.2).
        kind != Kind::Role
    }

    fn asked_for(&self, kind: Kind, held: &Key, _id: Option<&Id>) -> Option<Id> {
        match kind {
            Kind::Role => Some(ids::role_asked(held.get(LEVEL)?, held.get("name")?)),
            Kind::Grant => held.get("scope").map(Id::new),
            _ => None,
        }
    }

    fn role_key(&self, name: &str, scope: Option<&Named>) -> Key {
        role_key(scope.map_or(ORGANIZATION, |scope| &scope.level), name)
    }

    fn check_scope(&self, role: &Role, scope: Option<&str>) -> Result<(), Fault> {
        let Some(level) = role.settings.get(LEVEL) else { return Ok(()) };
        if level == scope.unwrap_or(ORGANIZATION) {
            return Ok(());
        }
        let name = &role.name;
        let message = match level.as_str() {
            WORKSPACE => format!("{name} is a role of workspaces: write a workspace, and no project"),
            PROJECT => format!("{name} is a role of projects: write a workspace and a project of it"),
            _ => format!("{name} is a role of the organization: leave the scope out"),
        };
        Err(Fault::new("spec.scope", message))
    }

    fn check_grantable(&self, role: &RoleRef) -> Result<(), Fault> {
        match role {
            RoleRef::Existing(role) if !ids::is_uuid(role.id.as_str()) => Err(Fault::new(
                "spec.roleRef.external.id",
                format!("{} is no id of a ZenML role: those are uuids in lower case", role.id),
            )),
            _ => Ok(()),
        }
    }

    fn key(&self, body: &Body) -> Key {
        match body {
            Body::Role(role) => role_key(role.settings.get(LEVEL).map_or("", String::as_str), &role.name),
            Body::Grant(grant) => {
                let role = grant.role.text();
                grant_key(role, scope_text(grant.scope.as_ref()), grant.subject.id.as_str())
            }
            // There are none; a key has to be one all the same.
            _ => Key::new([("name", &body.title())]),
        }
    }

    fn id_of(&self, level: &str, text: &str) -> Option<Id> {
        let Some(uuid) = ids::given(text) else {
            // As messages name what has a name in common with another.
            let whole =
                Principal::of(text).filter(|it| matches!(it, Principal::User(_) | Principal::Team(_)));
            let service_account = level == SERVICE_ACCOUNT;
            let is_it = |of: &str| of == level || service_account && of == USER;
            let principal = whole.filter(|whole| is_it(whole.level())).map(|whole| whole.id());
            let scope =
                Scope::of(text).filter(|scope| scope.level() == level).map(|scope| Id::new(scope.text()));
            return principal.or(scope);
        };
        match level {
            // Service accounts are users (contract 2.3): whichever they are called, it is one account.
            USER | SERVICE_ACCOUNT => Some(Principal::User(uuid).id()),
            TEAM => Some(Principal::Team(uuid).id()),
            WORKSPACE => Some(Id::new(Scope::Workspace(uuid).text())),
            // A project is nothing without its workspace, which is not told here: it is looked up inside it.
            _ => None,
        }
    }

    fn level_of(&self, id: &Id) -> Option<&'static str> {
        let text = id.as_str();
        match (Principal::of(text), Scope::of(text)) {
            (Some(principal), _) => Some(principal.level()),
            (None, Some(Scope::Organization)) => None,
            (None, Some(scope)) => Some(scope.level()),
            (None, None) => ids::is_uuid(text).then_some(ROLE),
        }
    }
}

/// Roles are told apart by level and name, as far as names tell (contract 3).
fn role_key(level: &str, name: &str) -> Key {
    Key::new([(LEVEL, level), ("name", name)])
}

fn level_fault(role: &Role) -> Option<Fault> {
    match role.settings.get(LEVEL).map(String::as_str) {
        Some(WORKSPACE | PROJECT) => None,
        Some(ORGANIZATION) => Some(Fault::new(
            "spec.zenml.level",
            "ZenML lets nobody make roles of the organization: write Workspace or Project",
        )),
        _ => Some(Fault::new(
            "spec.zenml.level",
            "a ZenML role has a level: write zenml: {level: Workspace} or zenml: {level: Project}",
        )),
    }
}

fn rule_fault(rule: &Rule) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.rules", message));
    let action = &rule.action;
    if rule.effect == Effect::Deny {
        return fault(format!(
            "ZenML roles only allow: {action:?} cannot be denied; leave it out of the role instead"
        ));
    }
    let Some(resource) = rule.resource.as_deref() else {
        return fault(format!(
            "on ZenML an action is on a type of resource: give {action:?} resources, such as [pipeline]"
        ));
    };
    // Which there are changes with the server's version, and it knows. What can be no word at all is told here.
    let odd = [action.as_str(), resource].into_iter().find(|text| !is_word(text))?;
    fault(format!(
        "{odd:?} is neither an action nor a type of resource on ZenML: those are spelled like read and model_version"
    ))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '/' | ':' | '"' | ','))
}
