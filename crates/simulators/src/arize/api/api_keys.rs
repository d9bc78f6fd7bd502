//! `/v2/api-keys` (contract 2.7): user keys, and service keys with their bot users.
//!
//! A key that is created here is a working credential.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    assigned_roles::{account_role_json, role_json},
    body::{self, Fields},
    call::Scene,
    paging::Window,
    problem::Problem,
    service_key_access::ServiceKeyAccess,
};
use crate::{
    arize::{
        access::{Grant, Target},
        rows::{
            api_keys::{ApiKey, KeyStatus},
            ids::{Id, Kind},
            memberships::Membership,
            users::AccountRole,
        },
        state::{Tenant, now},
    },
    kit::answer::Answer,
};

/// The maximum grace period of a refresh, in seconds.
const MAX_GRACE: u64 = 86_400;

/// GET `/v2/api-keys`. Account admins see all keys. Others see their own and, with `SERVICE_KEY_READ`, the
/// service keys of visible spaces (the contract does not say who sees which key).
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let switches = &tenant.switches;
    let window = Window::of("api_keys", scene.call, switches)?;
    let service = match scene.call.parameter("key_type") {
        None => None,
        Some(text) if text == switches.spell("SERVICE") => Some(true),
        Some(text) if text == switches.spell("USER") => Some(false),
        Some(_) => return Err(Problem::invalid("unknown key_type")),
    };
    let status = match scene.call.parameter("status") {
        None => KeyStatus::Active,
        Some(text) => [KeyStatus::Active, KeyStatus::Revoked]
            .into_iter()
            .find(|status| status_name(*status, tenant) == text)
            .ok_or_else(|| Problem::invalid("unknown status"))?,
    };
    let creator = scene.query_id("user_id", Kind::User)?;
    let space = scene.query_id("space_id", Kind::Space)?;
    if space.is_some_and(|id| !scene.caller.sees_space(tenant, id)) {
        return Err(Problem::not_found("space"));
    }
    let in_space = |key: &ApiKey, space: Id| {
        tenant.space_members.iter().any(|member| member.parent_id == space && member.user_id == key.owner())
    };
    let rows = tenant.api_keys.after(window.after);
    let rows = rows
        .filter(|key| key.status == status)
        .filter(|key| service.is_none_or(|expected| key.bot_user_id.is_some() == expected))
        .filter(|key| creator.is_none_or(|creator| key.created_by_user_id == creator))
        .filter(|key| space.is_none_or(|space| key.bot_user_id.is_some() && in_space(key, space)))
        .filter(|key| is_visible(scene, key));
    Ok(window.page(rows.map(|key| (key.id, Some(listed(key, tenant, space.is_none()))))))
}

/// POST `/v2/api-keys`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let creator = scene.caller.grant.user_id.and_then(|id| scene.tenant.live_user(id)).cloned();
    let creator = creator.filter(|user| user.is_developer || user.is_bot);
    let creator = creator.ok_or_else(|| Problem::forbidden("only developers can have API keys"))?;
    let mut fields = scene.fields()?;
    let key_type = fields.required_text("key_type")?;
    let name = fields.required_text("name")?;
    let description = fields.text("description")?;
    let expires_at = time(&mut fields, "expires_at")?;
    let service = key_type == scene.tenant.switches.spell("SERVICE");
    if !service && key_type != scene.tenant.switches.spell("USER") {
        return Err(Problem::unprocessable("unknown key_type"));
    }
    let name = body::name(name, 256)?;
    let description = description.map(body::description).transpose()?.filter(|text| !text.is_empty());
    if expires_at.is_some_and(|end| end <= Timestamp::now()) {
        return Err(Problem::unprocessable("expires_at is not in the future"));
    }
    let access = if service {
        scene.require("SERVICE_KEY_CREATE", Target::Account)?;
        Some(ServiceKeyAccess::read(scene, &mut fields)?)
    } else {
        None
    };
    fields.end()?;

    let bot = access.as_ref().map(|access| access.add_bot(scene.tenant, &name));
    let key = ApiKey {
        id: scene.tenant.issue(Kind::ApiKey),
        name,
        description,
        status: KeyStatus::Active,
        created_at: now(),
        expires_at,
        created_by_user_id: creator.id,
        bot_user_id: bot,
        refreshes: 0,
    };
    let grant = match &access {
        Some(access) => access.grant(scene.tenant, &key),
        None => Grant { api_key: Some(key.id), expires_at: None, ..scene.caller.grant.clone() },
    };
    issue_secret(scene, &key, grant)?;
    let mut answer = to_json(&key, scene.tenant);
    answer["key"] = secret(&key).into();
    if key.bot_user_id.is_some() {
        answer["bot_user"] = bot_json(&key, scene.tenant, true);
    }
    scene.tenant.api_keys.insert(key);
    Ok(Answer::created(answer))
}

/// POST `/v2/api-keys/{api_key_id}/refresh`: the key gets a new secret and keeps its identifier.
pub fn refresh(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene)?;
    let mut fields = scene.fields()?;
    let expires_at = time(&mut fields, "expires_at")?;
    let grace = fields
        .value("grace_period_seconds")
        .map(|value| value.as_u64().ok_or_else(|| Problem::invalid("grace_period_seconds is not a number")));
    let grace = grace.transpose()?;
    fields.end()?;
    if grace.is_some_and(|seconds| seconds > MAX_GRACE) {
        return Err(Problem::unprocessable("grace_period_seconds is too long"));
    }
    let mut key = scene.tenant.api_keys.get(id).cloned().ok_or_else(|| Problem::not_found("API key"))?;
    if key.status == KeyStatus::Revoked {
        return Err(Problem::unprocessable("the key is revoked"));
    }
    if key.expires_at.is_some() && expires_at.is_none() {
        return Err(Problem::unprocessable("expires_at is required for a key that expires"));
    }
    let old_name = credential_name(&key);
    let grant = scene.credentials.find(&secret(&key)).map(|view| view.grant);
    let grant = grant.unwrap_or_else(|| Grant { api_key: Some(id), ..Grant::default() });
    let outcome = match grace {
        Some(seconds) => {
            let end = Timestamp::now() + Duration::from_secs(seconds);
            scene.credentials.narrow(&old_name, Grant { expires_at: Some(end), ..grant.clone() })
        }
        None => scene.credentials.expire(&old_name),
    };
    if let Err(error) = outcome {
        // Keys of the seed have no secret.
        tracing::debug!(%error, name = old_name, "no secret to replace");
    }
    key.refreshes += 1;
    key.expires_at = expires_at;
    issue_secret(scene, &key, grant)?;
    let mut answer = to_json(&key, scene.tenant);
    answer["key"] = secret(&key).into();
    scene.tenant.api_keys.insert(key);
    Ok(Answer::ok(answer))
}

/// PUT `/v2/api-keys/{api_key_id}/revoke`. Idempotent.
pub fn revoke(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene)?;
    if let Some(key) = scene.tenant.api_keys.get_mut(id) {
        key.status = KeyStatus::Revoked;
    }
    Ok(Answer::none())
}

fn issue_secret(scene: &Scene<'_>, key: &ApiKey, grant: Grant) -> Result<(), Problem> {
    scene
        .credentials
        .add(&credential_name(key), &secret(key), grant)
        .map_err(|error| Problem::conflict(error.to_string()))
}

/// The secret of a key: the same in every run and easy to guess, which is enough for a simulator.
fn secret(key: &ApiKey) -> String {
    format!("ak-{}-{}", key.id, key.refreshes)
}

/// The name of a key's current credential: each refresh makes a new one.
fn credential_name(key: &ApiKey) -> String {
    format!("api-key-{}-{}", key.id.serial, key.refreshes)
}

fn time(fields: &mut Fields, name: &str) -> Result<Option<Timestamp>, Problem> {
    match fields.clearable_text(name)?.flatten() {
        Some(text) => {
            let time = text.parse().map_err(|_| Problem::invalid(format!("{name} is not a time")))?;
            Ok(Some(time))
        }
        None => Ok(None),
    }
}

/// Whether the caller can see a key.
fn is_visible(scene: &Scene<'_>, key: &ApiKey) -> bool {
    let tenant = &*scene.tenant;
    let is_in_visible_space = || {
        tenant.space_members.iter().any(|member| {
            member.user_id == key.owner() && scene.can("SERVICE_KEY_READ", Target::Resource(member.parent_id))
        })
    };
    scene.caller.is_account_admin() && scene.caller.grant.permissions.is_none()
        || Some(key.created_by_user_id) == scene.caller.grant.user_id
        || key.bot_user_id.is_some() && is_in_visible_space()
}

/// The key in the path, if the caller created it or can revoke service keys.
fn changeable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::ApiKey)?;
    let key = scene.tenant.api_keys.get(id).filter(|key| is_visible(scene, key));
    let key = key.ok_or_else(|| Problem::not_found("API key"))?;
    if Some(key.created_by_user_id) != scene.caller.grant.user_id {
        scene.require("SERVICE_KEY_REVOKE", Target::Account)?;
    }
    Ok(id)
}

fn status_name(status: KeyStatus, tenant: &Tenant) -> String {
    match status {
        KeyStatus::Active => tenant.switches.spell("ACTIVE"),
        KeyStatus::Revoked if tenant.switches.before_1140() => "deleted".to_owned(),
        KeyStatus::Revoked => "REVOKED".to_owned(),
    }
}

fn listed(key: &ApiKey, tenant: &Tenant, with_organizations: bool) -> Value {
    let mut body = to_json(key, tenant);
    let shown = tenant.switches.bot_users_in_key_list && !tenant.switches.before_1140();
    if key.bot_user_id.is_some() && shown {
        body["bot_user"] = bot_json(key, tenant, with_organizations);
    }
    body
}

fn bot_json(key: &ApiKey, tenant: &Tenant, with_organizations: bool) -> Value {
    let bot = tenant.live_user(key.owner());
    let organizations: Vec<Value> = match bot {
        Some(bot) if with_organizations => {
            let members = tenant.organization_members.iter().filter(|member| member.user_id == bot.id);
            members.map(|member| organization_json(member, tenant)).collect()
        }
        _ => Vec::new(),
    };
    json!({
        "id": key.owner(),
        "name": bot.map_or("", |bot| bot.name.as_str()),
        "account_role": account_role_json(bot.map_or(AccountRole::Member, |bot| bot.role), &tenant.switches),
        "organizations": organizations,
    })
}

fn organization_json(member: &Membership, tenant: &Tenant) -> Value {
    let within =
        |space: Id| tenant.spaces.get(space).is_some_and(|space| space.organization_id == member.parent_id);
    let spaces = tenant
        .space_members
        .iter()
        .filter(|row| row.user_id == member.user_id && within(row.parent_id))
        .map(|row| json!({ "space_id": row.parent_id, "role": role_json(&row.role, tenant) }));
    json!({
        "org_id": member.parent_id,
        "role": role_json(&member.role, tenant),
        "spaces": spaces.collect::<Vec<_>>(),
    })
}

fn to_json(key: &ApiKey, tenant: &Tenant) -> Value {
    let key_type = if key.bot_user_id.is_some() { "SERVICE" } else { "USER" };
    let mut body = json!({
        "id": key.id,
        "name": key.name,
        "key_type": tenant.switches.spell(key_type),
        "status": status_name(key.status, tenant),
        "redacted_key": format!("ak-...{}", key.id.serial),
        "created_at": key.created_at,
        "created_by_user_id": key.created_by_user_id,
    });
    if let Some(description) = &key.description {
        body["description"] = description.as_str().into();
    }
    if let Some(end) = key.expires_at {
        body["expires_at"] = json!(end);
    }
    body
}
