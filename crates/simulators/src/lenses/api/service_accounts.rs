//! The operations on service accounts and their tokens (contract 2.4).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    groups, memberships, metadata,
    problem::Problem,
};
use crate::lenses::{
    access::Grant,
    rows::{
        kind::{Kind, Verb},
        metadata::Metadata,
        names,
        principals::Principal,
        service_accounts::ServiceAccount,
        switches::TokenEnd,
    },
    state::{Tenant, now},
};

/// The length of a token, without its prefix.
const TOKEN_LENGTH: usize = 40;

/// GET `/service-accounts`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let mut groups = groups::groups_json_by_principal(tenant);
    let rows = tenant.service_accounts.iter().map(|account| {
        let groups = groups.remove(&Principal::service_account(account.name.as_str())).unwrap_or_default();
        (account.name.clone(), json_with_groups(account, groups, tenant))
    });
    scene.list(Kind::ServiceAccount, rows)
}

/// POST `/service-accounts`. Only this answer has the token.
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::ServiceAccount, &name)?;
    if !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is not a valid name")));
    }
    let display_name = fields.display_name()?;
    let description = fields.description()?.unwrap_or_default();
    let token_expires_at = fields.time("token_expires_at")?;
    let metadata = metadata::read(&mut fields, &Metadata::new())?;
    fields.done()?;
    if scene.tenant.is_name_taken(&Principal::service_account(name.as_str())) {
        return Err(Problem::taken("a principal", &name));
    }
    let (token, secret) = issue_token(scene, &name)?;
    let tenant = &mut *scene.tenant;
    let id = tenant.issue_id();
    let account = ServiceAccount {
        description,
        token_expires_at,
        metadata,
        ..ServiceAccount::new(&name, display_name.as_deref().unwrap_or(&name), id, now(), token)
    };
    let mut body = common_json(&account, tenant);
    body["token"] = secret.into();
    tenant.service_accounts.insert(account);
    Ok(Answer::created(body))
}

/// GET `/service-accounts/{name}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = authorize(scene, Verb::Get)?;
    Ok(Answer::ok(to_json(&account, scene.tenant)))
}

/// PATCH `/service-accounts/{name}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut account = authorize(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    account.display_name = fields.display_name()?.unwrap_or(account.display_name);
    account.description = fields.description()?.unwrap_or(account.description);
    account.metadata = metadata::read(&mut fields, &account.metadata)?;
    fields.done()?;
    let body = to_json(&account, scene.tenant);
    scene.tenant.service_accounts.insert(account);
    Ok(Answer::ok(body))
}

/// DELETE `/service-accounts/{name}`. Removes the account from all groups too, and ends its token.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = authorize(scene, Verb::Delete)?;
    scene.tenant.service_accounts.remove(&account.name);
    scene.tenant.remove_from_groups(&Principal::service_account(account.name));
    Ok(Answer::none())
}

/// PUT `/service-accounts/{name}/groups`
pub fn set_groups(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = authorize(scene, Verb::Update)?;
    memberships::put_groups(scene, &Principal::service_account(account.name.as_str()))?;
    Ok(Answer::ok(to_json(&account, scene.tenant)))
}

/// POST `/service-accounts/{name}/renew-token`. Ends the old token at once; only this answer has the new one.
pub fn renew(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    if scene.call.param(1) != scene.tenant.switches.token_renewal_name {
        return Err(Problem::no_such_path());
    }
    let mut account = authorize(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    account.token_expires_at = fields.time("token_expires_at")?;
    fields.done()?;
    let (token, secret) = issue_token(scene, &account.name)?;
    account.token = token;
    let mut body = to_json(&account, scene.tenant);
    body["token"] = secret.into();
    scene.tenant.service_accounts.insert(account);
    Ok(Answer::ok(body))
}

/// Creates a token that works. Returns its number and its secret.
fn issue_token(scene: &mut Scene<'_>, account: &str) -> Result<(u64, String), Problem> {
    let serial = scene.tenant.issue();
    let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(TOKEN_LENGTH).collect();
    let secret = format!("sa_key_{secret}");
    let grant = Grant { token: Some(serial), ..Grant::of_service_account(account) };
    let added = scene.credentials.add(&format!("{account}-{serial}"), &secret, grant);
    added.map_err(|error| Problem::in_use(error.to_string()))?;
    Ok((serial, secret))
}

/// The service account in the path, if the caller is permitted to do this with it.
fn authorize(scene: &Scene<'_>, verb: Verb) -> Result<ServiceAccount, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::ServiceAccount, name)?;
    let account = scene.tenant.service_accounts.get(name);
    account.cloned().ok_or_else(|| Problem::not_found(Kind::ServiceAccount.noun(), name))
}

/// The JSON of a service account.
pub fn to_json(account: &ServiceAccount, tenant: &Tenant) -> Value {
    json_with_groups(
        account,
        groups::groups_json(tenant, &Principal::service_account(account.name.as_str())),
        tenant,
    )
}

fn json_with_groups(account: &ServiceAccount, groups: Vec<Value>, tenant: &Tenant) -> Value {
    let mut body = common_json(account, tenant);
    body["groups"] = groups.into();
    body["is_admin"] = account.is_admin.into();
    body
}

fn common_json(account: &ServiceAccount, tenant: &Tenant) -> Value {
    let mut body = json!({
        "name": account.name,
        "display_name": account.display_name,
        "id": account.id,
        "lrn": Kind::ServiceAccount.lrn(&account.name),
        "created_at": account.created_at,
        "description": account.description,
        "token_expired": account.is_token_expired(Timestamp::now()),
    });
    if let Some(time) = account.last_seen_at {
        body["last_seen_at"] = json!(time);
    }
    match (tenant.switches.token_end, account.token_expires_at) {
        (TokenEnd::Shown, Some(end)) => body["token_expires_at"] = json!(end),
        (TokenEnd::Seconds, Some(end)) => body["token_expires_at"] = json!(end.as_second()),
        (TokenEnd::Absent, _) | (_, None) => {}
    }
    metadata::show(&mut body, &account.metadata);
    body
}
