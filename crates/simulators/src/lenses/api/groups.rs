//! The operations on groups (contract 2.2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    body::{Fields, within},
    call::{Answer, Scene},
    identity::{self, Place},
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
        switches::{Generation, GroupMembers, Switches},
    },
    state::{Tenant, now},
};

/// The longest `sso_name`: what identity providers call a group is longer than a name here may be.
const LONGEST_SSO_NAME: usize = 250;

/// GET `/groups`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let switches = &scene.tenant.switches;
    let groups = scene.tenant.groups.iter();
    scene.listed(Kind::Group, groups.map(|group| (group.name.clone(), compact(group, switches))))
}

/// POST `/groups`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::Group, &name)?;
    let tenant = &mut *scene.tenant;
    if !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is no valid name")));
    }
    let display_name = fields.display_name()?.unwrap_or_else(|| name.clone());
    let sso_name = read_sso_name(&mut fields, &tenant.switches)?.unwrap_or_else(|| name.clone());
    let description = fields.description()?.unwrap_or_default();
    let members = fields.texts("members")?.unwrap_or_default();
    let members = members.iter().map(|name| member(tenant, name)).collect::<Result<_, _>>()?;
    let roles = read_roles(&mut fields, tenant)?.unwrap_or_default();
    let metadata = metadata::read(&mut fields, &Metadata::new(), &tenant.switches)?;
    fields.done()?;
    if tenant.groups.contains(&name) {
        return Err(Problem::taken("the group", &name));
    }
    let (id, created_at) = (tenant.issue_id(), now());
    let group = Group { name, display_name, sso_name, description, id, created_at, roles, members, metadata };
    let body = whole(&group, tenant);
    tenant.groups.insert(group);
    Ok(Answer::created(body))
}

/// GET `/groups/{name}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let group = reach(scene, Verb::Get)?;
    Ok(Answer::ok(whole(&group, scene.tenant)))
}

/// PATCH `/groups/{name}`: roles can only be set, members be added and removed as well.
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut group = reach(scene, Verb::Update)?;
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
    group.metadata = metadata::read(&mut fields, &group.metadata, switches)?;
    fields.done()?;
    let body = whole(&group, tenant);
    tenant.groups.insert(group);
    Ok(Answer::ok(body))
}

/// DELETE `/groups/{name}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let group = reach(scene, Verb::Delete)?;
    scene.tenant.groups.remove(&group.name);
    Ok(Answer::none())
}

fn read_sso_name(fields: &mut Fields, switches: &Switches) -> Result<Option<String>, Problem> {
    match switches.generation {
        Generation::V60 => Ok(None),
        _ => {
            let text = fields.text("sso_name")?;
            within("sso_name", text, 1, LONGEST_SSO_NAME)
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

/// The group of the path, if the caller may do this with it.
fn reach(scene: &Scene<'_>, verb: Verb) -> Result<Group, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::Group, name)?;
    let group = scene.tenant.groups.get(name);
    group.cloned().ok_or_else(|| Problem::not_found(Kind::Group.noun(), name))
}

/// The groups of a principal, as it shows them.
pub fn shown_groups(tenant: &Tenant, principal: &Principal) -> Vec<Value> {
    let groups = tenant.groups.iter().filter(|group| group.members.contains(principal));
    groups.map(|group| compact(group, &tenant.switches)).collect()
}

/// The same for everybody who is in a group, at the cost of one pass.
pub fn all_shown_groups(tenant: &Tenant) -> BTreeMap<&Principal, Vec<Value>> {
    let mut shown: BTreeMap<&Principal, Vec<Value>> = BTreeMap::new();
    for group in tenant.groups.iter() {
        let compact = compact(group, &tenant.switches);
        for member in &group.members {
            shown.entry(member).or_default().push(compact.clone());
        }
    }
    shown
}

/// A group as lists and principals show it.
pub fn compact(group: &Group, switches: &Switches) -> Value {
    let mut body = head(group, Place::Row, switches);
    body["user_count"] = group.count(PrincipalKind::User).into();
    body["sa_count"] = group.count(PrincipalKind::ServiceAccount).into();
    body["role_count"] = group.roles.len().into();
    metadata::show(&mut body, &group.metadata, switches);
    body
}

fn whole(group: &Group, tenant: &Tenant) -> Value {
    let switches = &tenant.switches;
    let mut body = head(group, Place::Itself, switches);
    let roles = group.roles.iter().filter_map(|name| tenant.roles.get(name));
    body["roles"] = roles.map(|role| roles::compact(role, switches)).collect();
    let shown = |kind: Option<PrincipalKind>| -> Value {
        let members = group.members.iter().filter(|member| kind.is_none_or(|kind| kind == member.kind));
        members.filter_map(|member| shown_member(tenant, member)).collect()
    };
    match switches.group_members {
        GroupMembers::ByKind => {
            body["users"] = shown(Some(PrincipalKind::User));
            body["service_accounts"] = shown(Some(PrincipalKind::ServiceAccount));
        }
        GroupMembers::OneList => body["members"] = shown(None),
        GroupMembers::Absent | GroupMembers::Hidden => {}
    }
    metadata::show(&mut body, &group.metadata, switches);
    body
}

fn head(group: &Group, place: Place, switches: &Switches) -> Value {
    let mut body = json!({
        "name": group.name,
        "display_name": group.display_name,
        "lrn": Kind::Group.lrn(&group.name),
        "description": group.description,
    });
    identity::show(&mut body, &group.id, group.created_at, place, switches);
    if switches.generation > Generation::V60 {
        body["sso_name"] = group.sso_name.as_str().into();
    }
    body
}

fn shown_member(tenant: &Tenant, member: &Principal) -> Option<Value> {
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
