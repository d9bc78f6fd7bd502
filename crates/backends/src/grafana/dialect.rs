//! Grafana's pure part: its capabilities, its rules for roles and the uid of a new role (contract 3.2, 3.3, 3.7).

use super::escalation;
use super::ids::{self, DASHBOARD, DATA_SOURCE, FOLDER, Principal, Resource, ResourceKind};
use crate::text::{DERIVED_PREFIX, DIGEST, derived_name};
use rolewright_core::model::{
    Body, Capabilities, ChosenId, Effect, Fault, Grants, Id, IdentityRules, Key, Kind, Level, Named, Reach,
    Restrictions, Role, RoleNames, RoleRef, Rule, SpecRules, SubjectKind, SweepHints,
};

/// The settings of a role.
pub const UID: &str = "uid";
pub const GROUP: &str = "group";
pub const HIDDEN: &str = "hidden";
pub const GLOBAL: &str = "global";

/// For names, display names, groups, actions and scopes, in characters (contract 3.2).
const MAX_TEXT: usize = 190;
const MAX_UID: usize = 40;
/// The smallest column that an installation can have, in bytes.
const MAX_DESCRIPTION: usize = 65_535;
/// For the object's name in a derived uid, which must leave room for the prefix and the digest.
const MAX_IN_UID: usize = 20;
const _: () = assert!(DERIVED_PREFIX.len() + MAX_IN_UID + 1 + DIGEST <= MAX_UID);

/// A role without effect in one organization: its permissions are those of a server (contract 3.4).
const ONLY_EVERYWHERE: &str = "fixed:organization:maintainer";

const RESOURCES: [Level; 3] = [FOLDER, DASHBOARD, DATA_SOURCE];

static CAPABILITIES: Capabilities = Capabilities {
    vendor: "grafana",
    subjects: &[SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team],
    levels: &RESOURCES,
    role_names: RoleNames::Renamable,
    grants: Grants::Direct { levels: &[], scope_optional: false },
    restrictions: Restrictions::ClosedDefaults { levels: &RESOURCES },
    duplicates: &[],
};

/// The kinds of roles that Grafana owns (contract 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    Fixed,
    Plugin,
    Basic,
    Managed,
    ExternalService,
}

const RESERVED: [(Reserved, &str); 5] = [
    (Reserved::Fixed, "fixed"),
    (Reserved::Plugin, "plugins"),
    (Reserved::Basic, "basic"),
    (Reserved::Managed, "managed"),
    (Reserved::ExternalService, "extsvc"),
];

impl Reserved {
    /// The kind of role, as Grafana itself decides: by the name, and for two kinds also by the uid, because custom roles can have uids like
    /// those of the other kinds (contract 3.3). If the name is unknown and the uid stands for it, the uid decides.
    pub fn of(name: &str, uid: Option<&str>) -> Option<Self> {
        let is_decided_by_uid =
            |kind: &Self| uid == Some(name) || matches!(kind, Reserved::Basic | Reserved::ExternalService);
        reserved(name, ':').or_else(|| reserved(uid?, '_').filter(is_decided_by_uid))
    }

    /// What such a role is, in messages.
    pub fn description(self) -> &'static str {
        match self {
            Reserved::Fixed => "a fixed role",
            Reserved::Plugin => "a plugin's role",
            Reserved::Basic => "a basic role",
            Reserved::Managed => "a managed role, which is part of a resource's permissions",
            Reserved::ExternalService => "an external service's role",
        }
    }

    /// Whether Grafana can assign it to other principals.
    pub fn grantable(self) -> bool {
        matches!(self, Reserved::Fixed | Reserved::Plugin)
    }
}

fn reserved(text: &str, separator: char) -> Option<Reserved> {
    let (prefix, _) = text.split_once(separator)?;
    RESERVED.iter().find(|(_, known)| *known == prefix).map(|(kind, _)| *kind)
}

/// Grafana's rules.
pub struct GrafanaDialect;

impl IdentityRules for GrafanaDialect {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn key_of_role(&self, role: &Role) -> Key {
        role_key(&role.name, is_global(role))
    }

    /// A repeated assignment is answered with success (contract 3.9).
    fn repeats_creates(&self, kind: Kind) -> bool {
        kind == Kind::Grant
    }

    /// The uid in the spec, else one that is derived from the object.
    fn role_id(&self, role: &Role, owner: &str) -> Option<ChosenId> {
        if let Some(uid) = role.settings.get(UID) {
            return Some(ChosenId { id: Id::new(uid), given: true });
        }
        let replace = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        Some(ChosenId { id: Id::new(derived_name(owner, MAX_IN_UID, replace)), given: false })
    }
}

impl SweepHints for GrafanaDialect {
    /// The subject of a grant, and the resource of a restriction: no list shows all grants or all permissions.
    fn hint(&self, _kind: Kind, key: &Key, _id: Option<&Id>) -> Option<Id> {
        key.get("subject").or_else(|| key.get("resource")).map(Id::new)
    }
}

impl SpecRules for GrafanaDialect {
    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        faults.extend(name_fault(&role.name));
        role.display_name = role.display_name.filter(|text| !text.is_empty());
        faults.extend(role.display_name.as_ref().and_then(|text| length_fault("spec.displayName", text)));
        role.description = role.description.filter(|text| !text.is_empty());
        let length = role.description.as_ref().map_or(0, String::len);
        if length > MAX_DESCRIPTION {
            let message = format!("has {length} bytes; Grafana stores {MAX_DESCRIPTION}");
            faults.push(Fault::new("spec.description", message));
        }
        faults.extend(role.settings.remove(UID).and_then(|uid| uid_fault(&uid)));
        faults.extend(role.settings.iter().filter_map(|(field, value)| setting_fault(field, value)));
        // A global role of the same name is another role (contract 3.4).
        role.settings.entry(GLOBAL.to_owned()).or_insert_with(|| false.to_string());
        role.rules = role.rules.into_iter().map(normalized).collect();
        faults.extend(role.rules.iter().flat_map(rule_faults));
        if faults.is_empty() { Ok(role) } else { Err(faults) }
    }

    fn check_grantable(&self, role: &RoleRef) -> Result<(), Fault> {
        if role.name() == ONLY_EVERYWHERE {
            let message = format!(
                "{ONLY_EVERYWHERE} has an effect only if it is assigned for all organizations, and Rolewright assigns roles in one \
                 organization: assign it in Grafana"
            );
            return Err(Fault::new("spec.roleRef", message));
        }
        let how = match Reserved::of(role.name(), role.existing().map(|role| role.id.as_str())) {
            None | Some(Reserved::Fixed | Reserved::Plugin) => return Ok(()),
            // Grafana answers such an assignment with success and does nothing (contract 3.9).
            Some(Reserved::Basic) => {
                "is a basic role, which Grafana cannot assign: change the user's or service account's role in the \
                 organization instead"
            }
            Some(Reserved::Managed) => {
                "is a managed role: change the permissions of the resource that it belongs to instead"
            }
            Some(Reserved::ExternalService) => {
                "belongs to an external service, and Grafana assigns it to no other"
            }
        };
        let message = format!("{} {how}; name a fixed, a plugin's or a custom role", role.name());
        Err(Fault::new("spec.roleRef", message))
    }

    /// A role of the organization and a global one can share a name.
    fn role_keys(&self, name: &str, _scope: Option<&Named>) -> Vec<Key> {
        [false, true].map(|global| role_key(name, global)).into()
    }

    /// All reserved roles, and the grants of those that Grafana cannot assign.
    fn vendor_owned(&self, id: Option<&Id>, body: &Body) -> Option<&'static str> {
        match body {
            Body::Role(role) => Reserved::of(&role.name, id.map(Id::as_str)),
            Body::Grant(grant) => {
                let uid = grant.role.existing().map(|role| role.id.as_str());
                Reserved::of(grant.role.name(), uid).filter(|kind| !kind.grantable())
            }
            Body::Restriction(_) | Body::Group(_) => None,
        }
        .map(Reserved::description)
    }

    /// Grafana gives them on folders and dashboards outside of folders, and on data sources (contract 2.5).
    fn is_initial_default(&self, resource: &Id, whose: &str, permission: &str) -> bool {
        match Resource::of(resource).map(|resource| resource.kind) {
            Some(ResourceKind::Folder | ResourceKind::Dashboard) => {
                matches!((whose, permission), ("Viewer" | "Editor", "View") | ("Editor", "Edit"))
            }
            Some(ResourceKind::DataSource) => matches!((whose, permission), ("Viewer" | "Editor", "Query")),
            None => false,
        }
    }

    fn reach(&self, rule: &Rule) -> Vec<Reach> {
        let Some(scope) = rule.resource.as_ref().filter(|_| rule.effect == Effect::Allow) else {
            return Vec::new();
        };
        let kind_of = |path: &str| ResourceKind::ALL.into_iter().find(|kind| kind.path() == path);
        let all = |kind: Option<ResourceKind>| match kind {
            // A scope of folders covers the dashboards in them.
            Some(ResourceKind::Folder) => vec![Reach::All(FOLDER), Reach::All(DASHBOARD)],
            Some(kind) => vec![Reach::All(kind.level())],
            None => Vec::new(),
        };
        match scope.split_once(':') {
            None if scope == "*" => all(kind_of(rule.action.split([':', '.']).next().unwrap_or_default())),
            Some((path, "*" | "uid:*")) => all(kind_of(path)),
            Some((path, rest)) => {
                let uid = rest.strip_prefix("uid:");
                let id = kind_of(path).zip(uid).map(|(kind, uid)| Id::new(format!("{}:{uid}", kind.level())));
                id.filter(|id| closable(id).is_some()).map(Reach::One).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    fn id_of(&self, level: Level, text: &str) -> Option<Id> {
        if let Some(kind) = ResourceKind::of(level) {
            let uid = text.strip_prefix("uid:")?;
            let id = Resource { kind, uid: uid.to_owned() }.id();
            return closable(&id).map(|_| id);
        }
        let number = ids::number_of(text.strip_prefix("id:")?)?;
        Some(Principal { kind: ids::principal_kind(level)?, number }.id())
    }

    fn level_of(&self, id: &Id) -> Option<Level> {
        let principal = Principal::of(id).map(|principal| principal.kind.level());
        match principal.or_else(|| closable(id).map(|resource| resource.kind.level())) {
            Some(level) => Some(level),
            // The uid of a role has no colon.
            None if !id.as_str().contains(':') => Some(Level::ROLE),
            None => None,
        }
    }

    fn is_escalating(&self, rule: &Rule) -> bool {
        escalation::is_escalating(&rule.action)
    }
}

/// The resource with this id, if it can have permissions of its own.
fn closable(id: &Id) -> Option<Resource> {
    Resource::of(id).filter(|resource| !resource.is_virtual())
}

/// The natural key of a role with this name: names are unique in an organization, and among global roles (contract 3.2).
fn role_key(name: &str, global: bool) -> Key {
    if global { Key::new([("name", name), (GLOBAL, "true")]) } else { Key::new([("name", name)]) }
}

/// Whether a role exists in all organizations.
pub fn is_global(role: &Role) -> bool {
    role.settings.get(GLOBAL).is_some_and(|global| global == "true")
}

/// No scope and an empty one are the same (contract 3.7).
fn normalized(mut rule: Rule) -> Rule {
    rule.resource = rule.resource.filter(|scope| !scope.is_empty());
    rule
}

fn name_fault(name: &str) -> Option<Fault> {
    if name.is_empty() {
        return Some(Fault::new("spec.name", "the name of a role cannot be empty"));
    }
    if let Some(kind) = Reserved::of(name, None) {
        return Some(Fault::new("spec.name", reserved_message(&format!("{name:?} is the name"), kind)));
    }
    length_fault("spec.name", name)
}

fn uid_fault(uid: &str) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.grafana.uid", message));
    if uid.is_empty() || !uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return fault("write ASCII letters and digits, - and _, or leave it out".to_owned());
    }
    if let Some(fault) = Fault::if_longer("spec.grafana.uid", uid, MAX_UID, "Grafana") {
        return Some(fault);
    }
    let kind = Reserved::of("", Some(uid))?;
    fault(reserved_message(&format!("{uid:?} is the uid"), kind))
}

fn reserved_message(what: &str, kind: Reserved) -> String {
    format!("{what} of {}: Grafana reserves its prefix, choose another one", kind.description())
}

fn setting_fault(field: &str, value: &str) -> Option<Fault> {
    let path = format!("spec.grafana.{field}");
    match field {
        GROUP => length_fault(&path, value),
        HIDDEN | GLOBAL if matches!(value, "true" | "false") => None,
        HIDDEN | GLOBAL => Some(Fault::new(path, "write true or false")),
        _ => Some(Fault::new(path, "Grafana roles have no such field: leave it out")),
    }
}

fn rule_faults(rule: &Rule) -> Vec<Fault> {
    let action = &rule.action;
    let mut messages = Vec::new();
    if rule.effect == Effect::Deny {
        messages.push(format!(
            "Grafana roles only allow: {action:?} cannot be denied; leave it out of the role instead"
        ));
    }
    if action.trim().is_empty() {
        messages.push("an action cannot be empty".to_owned());
    }
    let texts = [("action", Some(action)), ("scope", rule.resource.as_ref())];
    for (what, text) in texts.into_iter().filter_map(|(what, text)| Some((what, text?))) {
        let length = text.chars().count();
        if length > MAX_TEXT {
            let start: String = text.chars().take(30).collect();
            messages.push(format!("the {what} {start:?}… has {length} characters; Grafana takes {MAX_TEXT}"));
        }
    }
    messages.into_iter().map(|message| Fault::new("spec.rules", message)).collect()
}

fn length_fault(field: &str, text: &str) -> Option<Fault> {
    Fault::if_longer(field, text, MAX_TEXT, "Grafana")
}
