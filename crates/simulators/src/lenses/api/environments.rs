//! The operations on environments (contract 2.6).

use serde_json::{Value, json};

use super::{
    body::Fields,
    call::{Answer, Scene},
    metadata,
    problem::Problem,
};
use crate::lenses::{
    rows::{
        environments::{Environment, Tier},
        kind::{Kind, Verb},
        metadata::Metadata,
        names,
    },
    state::now,
};

/// The length of an agent's key, without its prefix.
const KEY_LENGTH: usize = 40;

/// GET `/environments`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let environments = scene.tenant.environments.iter();
    scene.list(Kind::Environment, environments.map(|one| (one.name.clone(), to_json(one))))
}

/// POST `/environments`. Only this answer has the agent's key.
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::Environment, &name)?;
    let tenant = &mut *scene.tenant;
    if !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is not a valid name")));
    }
    let display_name = fields.display_name()?.unwrap_or_else(|| name.clone());
    let tier = read_tier(&mut fields)?.ok_or_else(|| Problem::invalid("tier is required"))?;
    let metadata = metadata::read(&mut fields, &Metadata::new())?;
    fields.done()?;
    if tenant.environments.contains(&name) {
        return Err(Problem::taken("the environment", &name));
    }
    let id = tenant.issue_id();
    let environment =
        Environment { name, display_name, id, created_at: now(), tier, agent_connected: false, metadata };
    // Without the fields that change while it runs.
    let mut body = fixed_json(&environment);
    let key: String = std::iter::repeat_with(fastrand::alphanumeric).take(KEY_LENGTH).collect();
    body["agent_key"] = format!("agent_key_{key}").into();
    tenant.environments.insert(environment);
    Ok(Answer::created(body))
}

/// GET `/environments/{name}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let environment = authorize(scene, Verb::Get)?;
    Ok(Answer::ok(to_json(&environment)))
}

/// PATCH `/environments/{name}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut environment = authorize(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    environment.display_name = fields.display_name()?.unwrap_or(environment.display_name);
    environment.tier = read_tier(&mut fields)?.unwrap_or(environment.tier);
    environment.metadata = metadata::read(&mut fields, &environment.metadata)?;
    fields.done()?;
    let body = to_json(&environment);
    scene.tenant.environments.insert(environment);
    Ok(Answer::ok(body))
}

/// DELETE `/environments/{name}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let environment = authorize(scene, Verb::Delete)?;
    scene.tenant.environments.remove(&environment.name);
    Ok(Answer::none())
}

fn read_tier(fields: &mut Fields) -> Result<Option<Tier>, Problem> {
    let tier = fields.value("tier").map(serde_json::from_value).transpose();
    tier.map_err(|_| Problem::invalid("tier is neither development nor staging nor production"))
}

/// The environment in the path, if the caller is permitted to do this with it.
fn authorize(scene: &Scene<'_>, verb: Verb) -> Result<Environment, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::Environment, name)?;
    let environment = scene.tenant.environments.get(name);
    environment.cloned().ok_or_else(|| Problem::not_found(Kind::Environment.noun(), name))
}

/// With `status` and `metadata`, which the vendor's client reads.
fn to_json(environment: &Environment) -> Value {
    let mut body = fixed_json(environment);
    body["metadata"] = json!(environment.metadata);
    body["status"] = json!({ "agent_connected": environment.agent_connected });
    if environment.agent_connected {
        let at = environment.created_at;
        body["status"]["agent"] = json!({
            "updated_at": at,
            "roundtrip_duration": 1,
            "agent": { "hostname": format!("agent-{}", environment.name), "version": "6.2.0" },
            "metrics": {
                "kafka": { "version": "4.1", "num_brokers": 3, "updated_at": at },
                "data": { "num_topics": 12, "num_partitions": 36, "num_schemas": 4, "updated_at": at },
                "apps": { "num_consumers": 5, "num_other_apps": 0, "updated_at": at },
                "connect": { "num_clusters": 1, "num_connectors": 2, "updated_at": at },
                "other": { "num_issues": 0, "updated_at": at },
            },
        });
    }
    body
}

fn fixed_json(environment: &Environment) -> Value {
    let mut body = json!({
        "name": environment.name,
        "display_name": environment.display_name,
        "lrn": Kind::Environment.lrn(&environment.name),
        "id": environment.id,
        "created_at": environment.created_at,
        "tier": environment.tier,
    });
    metadata::show(&mut body, &environment.metadata);
    body
}
