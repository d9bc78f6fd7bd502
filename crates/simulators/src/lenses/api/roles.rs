//! The operations on roles (contract 2.1).

use serde_json::{Value, json};

use super::{
    body::Fields,
    call::{Answer, Scene},
    metadata,
    problem::Problem,
    statements,
};
use crate::lenses::{
    rows::{
        kind::{Kind, Verb},
        metadata::Metadata,
        names,
        policy::Statement,
        roles::Role,
        switches::{RoleDeletion, Switches},
    },
    state::now,
};

/// GET `/roles`. The list has no policies.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.list(Kind::Role, scene.tenant.roles.iter().map(|role| (role.name.clone(), compact_json(role))))
}

/// POST `/roles`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::Role, &name)?;
    let switches = &scene.tenant.switches;
    if !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is not a valid name")));
    }
    let (display_name, description) = texts(&mut fields, switches)?;
    let policy = read_policy(&mut fields, switches)?;
    if policy.is_none() && switches.policy_required {
        return Err(Problem::invalid("policy is required"));
    }
    let metadata = metadata::read(&mut fields, &Metadata::new())?;
    fields.done()?;
    let tenant = &mut *scene.tenant;
    if tenant.roles.contains(&name) {
        return Err(Problem::taken("the role", &name));
    }
    let role = Role {
        display_name: display_name.unwrap_or_else(|| name.clone()),
        name,
        description: description.unwrap_or_default(),
        id: tenant.issue_id(),
        created_at: now(),
        policy: policy.unwrap_or_default(),
        metadata,
    };
    let body = to_json(&role, &tenant.switches);
    tenant.roles.insert(role);
    Ok(Answer::switched(tenant.switches.role_creation_status, body))
}

/// GET `/roles/{name}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let role = authorize(scene, Verb::Get)?;
    Ok(Answer::ok(to_json(&role, &scene.tenant.switches)))
}

/// PATCH `/roles/{name}`. Absent fields stay; a policy replaces the whole policy.
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut role = authorize(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    let switches = &scene.tenant.switches;
    let (display_name, description) = texts(&mut fields, switches)?;
    role.display_name = display_name.unwrap_or(role.display_name);
    role.description = description.unwrap_or(role.description);
    role.policy = read_policy(&mut fields, switches)?.unwrap_or(role.policy);
    role.metadata = metadata::read(&mut fields, &role.metadata)?;
    fields.done()?;
    let body = to_json(&role, switches);
    scene.tenant.roles.insert(role);
    Ok(Answer::ok(body))
}

/// POST `/roles/{name}/policy`. Adds one statement, also if the policy has it already.
pub fn append(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut role = authorize(scene, Verb::Update)?;
    let body = serde_json::from_slice(&scene.call.body);
    let body = body.map_err(|_| Problem::malformed("the body is not JSON"))?;
    let switches = &scene.tenant.switches;
    role.policy.push(statements::read(body, switches)?);
    let answer = Answer::switched(switches.append_status, to_json(&role, switches));
    scene.tenant.roles.insert(role);
    Ok(answer)
}

/// DELETE `/roles/{name}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let role = authorize(scene, Verb::Delete)?;
    let tenant = &mut *scene.tenant;
    if let Some(group) = tenant.groups.iter().find(|group| group.roles.contains(&role.name))
        && tenant.switches.role_deletion == RoleDeletion::Refuse
    {
        return Err(Problem::in_use(format!("the role {} is in the group {}", role.name, group.name)));
    }
    for group in tenant.groups.iter_mut() {
        group.roles.remove(&role.name);
    }
    tenant.roles.remove(&role.name);
    Ok(Answer::none())
}

fn texts(fields: &mut Fields, switches: &Switches) -> Result<(Option<String>, Option<String>), Problem> {
    match switches.role_text_limits {
        true => Ok((fields.display_name()?, fields.role_description()?)),
        false => Ok((fields.text("display_name")?, fields.text("description")?)),
    }
}

fn read_policy(fields: &mut Fields, switches: &Switches) -> Result<Option<Vec<Statement>>, Problem> {
    let Some(statements) = fields.list("policy")? else { return Ok(None) };
    if statements.is_empty() && switches.empty_policy_refused {
        return Err(Problem::invalid("a policy needs a statement"));
    }
    statements.into_iter().map(|one| statements::read(one, switches)).collect::<Result<_, _>>().map(Some)
}

/// The role in the path, if the caller is permitted to do this with it.
fn authorize(scene: &Scene<'_>, verb: Verb) -> Result<Role, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::Role, name)?;
    let role = scene.tenant.roles.get(name);
    role.cloned().ok_or_else(|| Problem::not_found(Kind::Role.noun(), name))
}

/// The JSON of a role in lists and groups.
pub fn compact_json(role: &Role) -> Value {
    let mut body = common_json(role);
    body["policy_length"] = role.policy.len().into();
    metadata::show(&mut body, &role.metadata);
    body
}

fn to_json(role: &Role, switches: &Switches) -> Value {
    let mut body = common_json(role);
    body["policy"] = role.policy.iter().map(|statement| statements::to_json(statement, switches)).collect();
    metadata::show(&mut body, &role.metadata);
    body
}

fn common_json(role: &Role) -> Value {
    json!({
        "name": role.name,
        "display_name": role.display_name,
        "lrn": Kind::Role.lrn(&role.name),
        "description": role.description,
        "id": role.id,
        "created_at": role.created_at,
    })
}
