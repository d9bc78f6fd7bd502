//! Grafana's pure part: its rules for roles, the uid that a role is made under, its natural keys (contract 3.2, 3.3).

use super::ids::{self, Principal, Resource, Sort};
use rolewright_core::model::{
    Body, Capabilities, ChosenId, Dialect, Effect, Fault, Id, Key, Kind, ROLE, Role, RoleRef, Rule,
    SubjectKind, sha256_hex,
};

/// The settings of a role.
pub const UID: &str = "uid";
pub const GROUP: &str = "group";
pub const HIDDEN: &str = "hidden";
pub const GLOBAL: &str = "global";

/// Of names, display names, groups, actions and scopes, in characters (contract 3.2).
const LONGEST_TEXT: usize = 190;
const LONGEST_UID: usize = 40;
/// The smallest column that an installation may keep it in, in bytes.
const LONGEST_DESCRIPTION: usize = 65_535;
/// Of a name inside a derived uid, which has to leave room for `rw-`, a dash and the digest.
const LONGEST_IN_UID: usize = 20;
const DIGEST: usize = 16;

static CAPABILITIES: Capabilities = Capabilities {
    kinds: &[Kind::Role, Kind::Grant, Kind::Restriction],
    subjects: &[SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team],
    levels: &["folder", "dashboard", "dataSource"],
    grant_levels: &[],
    scope_optional: false,
    group_members: &[],
    restriction_levels: &["folder", "dashboard", "dataSource"],
};

/// The roles that Grafana keeps for itself (contract 3.3).
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
    /// What people are told such a role is.
    pub fn told(self) -> &'static str {
        match self {
            Reserved::Fixed => "a fixed role",
            Reserved::Plugin => "a plugin's role",
            Reserved::Basic => "a basic role",
            Reserved::Managed => "a managed role, which is part of a resource's permissions",
            Reserved::ExternalService => "an external service's role",
        }
    }

    /// Whether Grafana lets anybody assign it.
    pub fn grantable(self) -> bool {
        matches!(self, Reserved::Fixed | Reserved::Plugin)
    }
}

/// Which of Grafana's own roles this is the name of.
pub fn reserved_name(name: &str) -> Option<Reserved> {
    reserved(name, ':')
}

/// Which of Grafana's own roles this is the uid of. Not all of them have such uids.
pub fn reserved_uid(uid: &str) -> Option<Reserved> {
    reserved(uid, '_')
}

fn reserved(text: &str, sign: char) -> Option<Reserved> {
    let (prefix, _) = text.split_once(sign)?;
    RESERVED.iter().find(|(_, known)| *known == prefix).map(|(kind, _)| *kind)
}

/// What is peculiar to Grafana.
pub struct GrafanaDialect;

impl Dialect for GrafanaDialect {
    fn vendor(&self) -> &'static str {
        "grafana"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        faults.extend(name_fault(&role.name));
        role.display_name = role.display_name.filter(|text| !text.is_empty());
        faults.extend(role.display_name.as_ref().and_then(|text| length_fault("spec.displayName", text)));
        role.description = role.description.filter(|text| !text.is_empty());
        let length = role.description.as_ref().map_or(0, String::len);
        if length > LONGEST_DESCRIPTION {
            let message = format!("has {length} bytes; Grafana keeps {LONGEST_DESCRIPTION}");
            faults.push(Fault::new("spec.description", message));
        }
        faults.extend(role.settings.remove(UID).and_then(|uid| uid_fault(&uid)));
        faults.extend(role.settings.iter().filter_map(|(field, value)| setting_fault(field, value)));
        role.rules = role.rules.into_iter().map(normal).collect();
        faults.extend(role.rules.iter().flat_map(rule_faults));
        if faults.is_empty() { Ok(role) } else { Err(faults) }
    }

    fn role_id(&self, role: &Role, owner: &str) -> Option<ChosenId> {
        if let Some(uid) = role.settings.get(UID) {
            return Some(ChosenId { id: Id::new(uid), given: true });
        }
        // Of the owner alone, not of the role's name: a role that is renamed before it was made keeps its uid.
        let last = owner.rsplit('\n').next().unwrap_or_default();
        let sign = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let name: String = last.chars().map(sign).take(LONGEST_IN_UID).collect();
        let digest = &sha256_hex(owner.as_bytes())[..DIGEST];
        let id = match name.trim_matches('-') {
            "" => format!("rw-{digest}"),
            name => format!("rw-{name}-{digest}"),
        };
        Some(ChosenId { id: Id::new(id), given: false })
    }

    fn asked_for(&self, _kind: Kind, held: &Key, _id: Option<&Id>) -> Option<Id> {
        held.get("subject").or_else(|| held.get("resource")).map(Id::new)
    }

    fn closes_defaults(&self) -> bool {
        true
    }

    fn check_grantable(&self, role: &RoleRef) -> Result<(), Fault> {
        let by_id = role.existing().and_then(|role| reserved_uid(role.id.as_str()));
        let how = match reserved_name(role.name()).or(by_id) {
            None | Some(Reserved::Fixed | Reserved::Plugin) => return Ok(()),
            // The call for it is answered as if it were done, and nothing is (contract 3.9).
            Some(Reserved::Basic) => {
                "is a basic role, which Grafana does not assign: it is given by changing the user's or service account's role \
                 in the organization"
            }
            Some(Reserved::Managed) => {
                "is a managed role: it is given by the permissions of the resource that it belongs to"
            }
            Some(Reserved::ExternalService) => {
                "belongs to an external service, and Grafana assigns it to no other"
            }
        };
        let message = format!("{} {how}; name a fixed, a plugin's or a custom role", role.name());
        Err(Fault::new("spec.roleRef", message))
    }

    fn key(&self, body: &Body) -> Key {
        match body {
            Body::Role(role) => Key::new([("name", &role.name)]),
            Body::Grant(grant) => {
                Key::new([("role", grant.role.text()), ("subject", grant.subject.id.as_str())])
            }
            Body::Restriction(restriction) => Key::new([("resource", restriction.resource.id.as_str())]),
            Body::Group(group) => Key::new([("name", &group.name)]),
        }
    }

    fn id_of(&self, level: &str, text: &str) -> Option<Id> {
        if let Some(sort) = Sort::of(level) {
            let uid = text.strip_prefix("uid:")?;
            return Some(Resource { sort, uid: uid.to_owned() }.id());
        }
        let number = ids::number_of(text.strip_prefix("id:")?)?;
        Some(Principal { kind: ids::kind_of(level)?, number }.id())
    }

    fn level_of(&self, id: &Id) -> Option<&'static str> {
        let principal = Principal::of(id).map(|principal| principal.kind.level());
        match principal.or_else(|| Resource::of(id).map(|resource| resource.sort.level())) {
            Some(level) => Some(level),
            // No uid has a colon.
            None if !id.as_str().contains(':') => Some(ROLE),
            None => None,
        }
    }
}

/// No scope and an empty one are the same (contract 3.7).
fn normal(mut rule: Rule) -> Rule {
    rule.resource = rule.resource.filter(|scope| !scope.is_empty());
    rule
}

fn name_fault(name: &str) -> Option<Fault> {
    if name.is_empty() {
        return Some(Fault::new("spec.name", "a role's name cannot be empty"));
    }
    if let Some(kind) = reserved_name(name) {
        let message = format!(
            "{name:?} is the name of {}: Grafana keeps its prefix for itself, choose another",
            kind.told()
        );
        return Some(Fault::new("spec.name", message));
    }
    length_fault("spec.name", name)
}

fn uid_fault(uid: &str) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.grafana.uid", message));
    if uid.is_empty() || !uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return fault("write letters and digits of ASCII, - and _, or leave it out".to_owned());
    }
    if let Some(fault) = Fault::if_longer("spec.grafana.uid", uid, LONGEST_UID, "Grafana") {
        return Some(fault);
    }
    let kind = reserved_uid(uid)?;
    fault(format!(
        "{uid:?} is the uid of {}: Grafana keeps its prefix for itself, choose another",
        kind.told()
    ))
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
        if length > LONGEST_TEXT {
            let start: String = text.chars().take(30).collect();
            messages
                .push(format!("the {what} {start:?}… has {length} characters; Grafana takes {LONGEST_TEXT}"));
        }
    }
    messages.into_iter().map(|message| Fault::new("spec.rules", message)).collect()
}

fn length_fault(field: &str, text: &str) -> Option<Fault> {
    Fault::if_longer(field, text, LONGEST_TEXT, "Grafana")
}
