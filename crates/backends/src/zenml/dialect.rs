//! ZenML's pure part: its capabilities, its rules for roles and scopes, and its natural keys (contract 2.1, 2.2, 3.1).

use super::{
    escalation,
    ids::{self, ORGANIZATION, PROJECT, Principal, Scope, WORKSPACE, grant_key, scope_text},
    mark,
};
use rolewright_core::model::{
    Capabilities, Effect, Fault, Grant, Grants, Id, IdentityRules, Key, Kind, Level, Named, Restrictions,
    Role, RoleNames, RoleRef, Rule, SpecRules, SubjectKind, SweepHints,
};

/// The only setting of a role: the level of the scopes in which it can be assigned.
pub const LEVEL: &str = "level";
/// The values of [`LEVEL`].
pub const ORGANIZATION_ROLE: &str = ORGANIZATION.as_str();
pub const WORKSPACE_ROLE: &str = WORKSPACE.as_str();
pub const PROJECT_ROLE: &str = PROJECT.as_str();

/// In characters (contract 2.1). A description needs room for a mark.
const MAX_NAME: usize = 50;
const MAX_DESCRIPTION: usize = 256 - mark::LENGTH;

static CAPABILITIES: Capabilities = Capabilities {
    vendor: "zenml",
    subjects: &[SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team],
    levels: &[WORKSPACE, PROJECT],
    role_names: RoleNames::Renamable,
    grants: Grants::Direct { levels: &[WORKSPACE, PROJECT], scope_optional: true },
    restrictions: Restrictions::None {
        instead: Some("grant roles on a project or on one workspace instead of on the whole organization"),
    },
    // Names are not documented to be unique (contract 3.1). A second equal assignment is refused (contract 2.2).
    duplicates: &[Kind::Role],
};

/// ZenML's rules.
pub struct ZenmlDialect;

impl IdentityRules for ZenmlDialect {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn key_of_role(&self, role: &Role) -> Key {
        role_key(role.settings.get(LEVEL).map_or("", String::as_str), &role.name)
    }

    fn key_of_grant(&self, grant: &Grant) -> Key {
        grant_key(grant.role.text(), scope_text(grant.scope.as_ref()), grant.subject.id.as_str())
    }
}

impl SweepHints for ZenmlDialect {
    fn hint(&self, kind: Kind, key: &Key, _id: Option<&Id>) -> Option<Id> {
        if kind == Kind::Grant { key.get("scope").map(Id::new) } else { None }
    }

    // The assignments of each role in each scope are a list of their own.
    fn lists_all_grants(&self) -> bool {
        false
    }
}

impl SpecRules for ZenmlDialect {
    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        let length = role.name.chars().count();
        if length == 0 || length > MAX_NAME {
            let message = format!("has {length} characters; ZenML accepts 1 to {MAX_NAME}");
            faults.push(Fault::new("spec.name", message));
        }
        role.description = mark::read(role.description).0;
        let description = role.description.as_deref().unwrap_or_default();
        faults.extend(Fault::if_longer("spec.description", description, MAX_DESCRIPTION, "ZenML"));
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

    fn role_key(&self, name: &str, scope: Option<&Named>) -> Key {
        role_key(scope.map_or(ORGANIZATION, |scope| scope.level).as_str(), name)
    }

    fn check_scope(&self, role: &Role, scope: Option<Level>) -> Result<(), Fault> {
        let Some(level) = role.settings.get(LEVEL) else { return Ok(()) };
        if level == scope.unwrap_or(ORGANIZATION).as_str() {
            return Ok(());
        }
        let of = match level.as_str() {
            WORKSPACE_ROLE => "workspaces: write a workspace and no project",
            PROJECT_ROLE => "projects: write a workspace and one of its projects",
            _ => "the organization: leave the scope out",
        };
        Err(Fault::new("spec.scope", format!("{} is a role of {of}", role.name)))
    }

    fn check_grantable(&self, role: &RoleRef) -> Result<(), Fault> {
        match role {
            RoleRef::Existing(role) if !ids::is_uuid(role.id.as_str()) => Err(Fault::new(
                "spec.roleRef.external.id",
                format!("{} is not the id of a ZenML role: those are uuids in lower case", role.id),
            )),
            _ => Ok(()),
        }
    }

    fn id_of(&self, level: Level, text: &str) -> Option<Id> {
        let Some(uuid) = ids::written(text) else {
            // Messages about an ambiguous name show whole ids.
            let principal =
                Principal::of(text).filter(|it| matches!(it, Principal::User(_) | Principal::Team(_)));
            let service_account = level == Level::SERVICE_ACCOUNT;
            let matches = |of: Level| of == level || service_account && of == Level::USER;
            let principal = principal.filter(|it| matches(it.level())).map(|it| it.id());
            let scope =
                Scope::of(text).filter(|scope| scope.level() == level).map(|scope| Id::new(scope.text()));
            return principal.or(scope);
        };
        match level {
            // Service accounts are users (contract 2.3), so both levels have the same ids.
            Level::USER | Level::SERVICE_ACCOUNT => Some(Principal::User(uuid).id()),
            Level::TEAM => Some(Principal::Team(uuid).id()),
            WORKSPACE => Some(Id::new(Scope::Workspace(uuid).text())),
            // The id of a project includes its workspace, which the text does not show: it is looked up inside that.
            _ => None,
        }
    }

    fn level_of(&self, id: &Id) -> Option<Level> {
        let text = id.as_str();
        match (Principal::of(text), Scope::of(text)) {
            (Some(principal), _) => Some(principal.level()),
            (None, Some(Scope::Organization)) => None,
            (None, Some(scope)) => Some(scope.level()),
            (None, None) => ids::is_uuid(text).then_some(Level::ROLE),
        }
    }

    fn is_escalating(&self, rule: &Rule) -> bool {
        escalation::is_escalating(&rule.action, rule.resource.as_deref())
    }
}

/// A role is identified by its level and name, although names are not known to be unique (contract 3.1).
fn role_key(level: &str, name: &str) -> Key {
    Key::new([(LEVEL, level), ("name", name)])
}

fn level_fault(role: &Role) -> Option<Fault> {
    match role.settings.get(LEVEL).map(String::as_str) {
        Some(ORGANIZATION_ROLE | WORKSPACE_ROLE | PROJECT_ROLE) => None,
        _ => Some(Fault::new(
            "spec.zenml.level",
            "a ZenML role has a level: write zenml: {level: Workspace}, {level: Project} or {level: Organization}",
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
            "a ZenML action applies to types of resources: write resources for {action:?}, such as [pipeline]"
        ));
    };
    // The server decides which of these exist, because the list changes with its version.
    let odd = [action.as_str(), resource].into_iter().find(|text| !is_word(text))?;
    fault(format!(
        "{odd:?} is neither an action nor a type of resource on ZenML: those are spelled like read and model_version"
    ))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '/' | ':' | '"' | ','))
}
