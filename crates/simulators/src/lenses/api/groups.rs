//! The operations on groups (contract 2.2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    body::{Fields, within},
    call::{Answer, Scene},
    memberships::Edit,
    metadata,
    problem::Problem,
    roles,
};
use crate::lenses::{
    rows::{
        groups::Group,
        kind::{Kind, Verb},
        metadata::Metadata,
        names,
        principals::{Principal, PrincipalKind},
        switches::{Generation, Switches},
    },
    state::{Tenant, now},
};

/// The maximum length of an `sso_name` in characters (contract 2.2).
const MAX_SSO_NAME: usize = 150;

/// GET `/groups`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let switches = &scene.tenant.switches;
    let groups = scene.tenant.groups.iter();
    scene.list(Kind::Group, groups.map(|group| (group.name.clone(), compact_json(group, switches))))
}

/// POST `/groups`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::Group, &name)?;
    let tenant = &mut *scene.tenant;
    if !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is not a valid name")));
    }
    let display_name = fields.display_name()?.unwrap_or_else(|| name.clone());
    let sso_name = read_sso_name(&mut fields, &tenant.switches)?.unwrap_or_else(|| name.clone());
    let description = fields.description()?.unwrap_or_default();
    let members = fields.texts("members")?.unwrap_or_default();
    let members = members.iter().map(|name| member(tenant, name)).collect::<Result<_, _>>()?;
    let roles = read_roles(&mut fields, tenant)?.unwrap_or_default();
    let metadata = metadata::read(&mut fields, &Metadata::new())?;
    fields.done()?;
    if tenant.groups.contains(&name) {
        return Err(Problem::taken("the group", &name));
    }
    let (id, created_at) = (tenant.issue_id(), now());
    let group = Group { name, display_name, sso_name, description, id, created_at, roles, members, metadata };
    let body = to_json(&group, tenant);
    tenant.groups.insert(group);
    Ok(Answer::created(body))
}

/// GET `/groups/{name}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut group = authorize(scene, Verb::Get)?;
    if scene.tenant.switches.hidden_members {
        group.members.retain(|member| {
            let kind = match member.kind {
                PrincipalKind::User => Kind::User,
                PrincipalKind::ServiceAccount => Kind::ServiceAccount,
            };
            scene.require(Verb::List, kind, &member.name).is_ok()
        });
    }
    Ok(Answer::ok(to_json(&group, scene.tenant)))
}

/// PATCH `/groups/{name}`. The body sets the roles as a whole; it can add, remove or set members.
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut group = authorize(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    let tenant = &mut *scene.tenant;
    let switches = &tenant.switches;
    group.display_name = fields.display_name()?.unwrap_or(group.display_name);
    group.sso_name = read_sso_name(&mut fields, switches)?.unwrap_or(group.sso_name);
    group.description = fields.description()?.unwrap_or(group.description);
    group.roles = read_roles(&mut fields, tenant)?.unwrap_or(group.roles);
    let edit = Edit::read(&mut fields, ["add_members", "remove_members", "set_members"])?;
    let edit =
        edit.resolve("the principal", switches.unknown_removals_refused, |name| tenant.principal(name))?;
    group.members = edit.result(&group.members);
    group.metadata = metadata::read(&mut fields, &group.metadata)?;
    fields.done()?;
    let body = to_json(&group, tenant);
    tenant.groups.insert(group);
    Ok(Answer::ok(body))
}

/// DELETE `/groups/{name}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let group = authorize(scene, Verb::Delete)?;
    scene.tenant.groups.remove(&group.name);
    Ok(Answer::none())
}

fn read_sso_name(fields: &mut Fields, switches: &Switches) -> Result<Option<String>, Problem> {
    match switches.generation {
        Generation::V60 => Ok(None),
        _ => {
            let text = fields.text("sso_name")?;
            within("sso_name", text, 1, MAX_SSO_NAME)
        }
    }
}

fn read_roles(fields: &mut Fields, tenant: &Tenant) -> Result<Option<BTreeSet<String>>, Problem> {
    let Some(names) = fields.texts("roles")? else { return Ok(None) };
    match names.iter().find(|name| !tenant.roles.contains(name)) {
        Some(unknown) => Err(Problem::unknown_reference("the role", unknown)),
        None => Ok(Some(names.into_iter().collect())),
    }
}

fn member(tenant: &Tenant, name: &str) -> Result<Principal, Problem> {
    tenant.principal(name).ok_or_else(|| Problem::unknown_reference("the principal", name))
}

/// The group in the path, if the caller is permitted to do this with it.
fn authorize(scene: &Scene<'_>, verb: Verb) -> Result<Group, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::Group, name)?;
    let group = scene.tenant.groups.get(name);
    group.cloned().ok_or_else(|| Problem::not_found(Kind::Group.noun(), name))
}

/// The JSON of a principal's groups.
pub fn groups_json(tenant: &Tenant, principal: &Principal) -> Vec<Value> {
    let groups = tenant.groups.iter().filter(|group| group.members.contains(principal));
    groups.map(|group| compact_json(group, &tenant.switches)).collect()
}

/// The JSON of the groups of all principals, in one pass over the groups.
pub fn groups_json_by_principal(tenant: &Tenant) -> BTreeMap<&Principal, Vec<Value>> {
    let mut groups: BTreeMap<&Principal, Vec<Value>> = BTreeMap::new();
    for group in tenant.groups.iter() {
        let compact = compact_json(group, &tenant.switches);
        for member in &group.members {
            groups.entry(member).or_default().push(compact.clone());
        }
    }
    groups
}

/// The JSON of a group in lists and principals.
pub fn compact_json(group: &Group, switches: &Switches) -> Value {
    let mut body = common_json(group, switches);
    body["user_count"] = group.count(PrincipalKind::User).into();
    body["sa_count"] = group.count(PrincipalKind::ServiceAccount).into();
    body["role_count"] = group.roles.len().into();
    metadata::show(&mut body, &group.metadata);
    body
}

fn to_json(group: &Group, tenant: &Tenant) -> Value {
    let switches = &tenant.switches;
    let mut body = common_json(group, switches);
    let roles = group.roles.iter().filter_map(|name| tenant.roles.get(name));
    body["roles"] = roles.map(roles::compact_json).collect();
    let members = |kind: PrincipalKind| -> Value {
        let members = group.members.iter().filter(|member| kind == member.kind);
        members.filter_map(|member| member_json(tenant, member)).collect()
    };
    body["users"] = members(PrincipalKind::User);
    body["service_accounts"] = members(PrincipalKind::ServiceAccount);
    metadata::show(&mut body, &group.metadata);
    body
}

fn common_json(group: &Group, switches: &Switches) -> Value {
    let mut body = json!({
        "name": group.name,
        "display_name": group.display_name,
        "lrn": Kind::Group.lrn(&group.name),
        "description": group.description,
        "id": group.id,
        "created_at": group.created_at,
    });
    if switches.generation > Generation::V60 {
        body["sso_name"] = group.sso_name.as_str().into();
    }
    body
}

fn member_json(tenant: &Tenant, member: &Principal) -> Option<Value> {
    let (display_name, id, created_at) = match member.kind {
        PrincipalKind::User => {
            let user = tenant.users.get(&member.name)?;
            (&user.display_name, &user.id, user.created_at)
        }
        PrincipalKind::ServiceAccount => {
            let account = tenant.service_accounts.get(&member.name)?;
            (&account.display_name, &account.id, account.created_at)
        }
    };
    Some(json!({
        "name": member.name,
        "display_name": display_name,
        "lrn": member.kind.kind().lrn(&member.name),
        "id": id,
        "created_at": created_at,
    }))
}
