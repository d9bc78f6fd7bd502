//! `/v2/api-keys` (contract 2.7): user keys, and service keys with their bot users.
//!
//! A key made here is a working credential. A service key may do in each of its spaces what any of the roles
//! permit that it was given: a simplification, good enough to see keys come and go.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::{Grant, Place},
    body::{self, Fields},
    call::{Answer, Scene},
    ids::{Id, Kind},
    memberships::{self, AssignedRole},
    paging::Window,
    problem::Problem,
    roles,
    state::{Tenant, now},
    users::{self, AccountRole, User, UserStatus},
};
use crate::kit::table::identified;

/// The longest grace period of a refresh, in seconds.
const MAX_GRACE: u64 = 86_400;

/// A user key or a service key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Its identifier, which a refresh keeps.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is valid.
    pub status: KeyStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Who made it.
    pub created_by_user_id: Id,
    /// The user that it acts as, on service keys.
    #[serde(default)]
    pub bot_user_id: Option<Id>,
    /// How often it was refreshed.
    #[serde(default)]
    pub refreshes: u32,
}

identified!(ApiKey, Id);

impl ApiKey {
    /// The user that the key acts as.
    pub fn owner(&self) -> Id {
        self.bot_user_id.unwrap_or(self.created_by_user_id)
    }

    /// The same in every run, and easy to guess: it guards nothing but a simulator.
    fn secret(&self) -> String {
        format!("ak-{}-{}", self.id, self.refreshes)
    }

    fn credential_name(&self) -> String {
        format!("api-key-{}-{}", self.id.serial, self.refreshes)
    }
}

/// Whether a key is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyStatus {
    Active,
    Revoked,
}

/// GET `/v2/api-keys`: all keys for account admins; for others their own, and with `SERVICE_KEY_READ` the
/// service keys of spaces that they see (who sees which key is not in the contract).
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
    let creator = scene.call.parameter("user_id").map(|text| scene.id(text, Kind::User)).transpose()?;
    let space = scene.call.parameter("space_id").map(|text| scene.id(text, Kind::Space)).transpose()?;
    if space.is_some_and(|id| !scene.caller.sees_space(tenant, id)) {
        return Err(Problem::not_found("space"));
    }
    let in_space = |key: &ApiKey, space: Id| {
        tenant.space_members.iter().any(|member| member.parent_id == space && member.user_id == key.owner())
    };
    let rows = tenant.api_keys.after(window.after);
    let rows = rows
        .filter(|key| key.status == status)
        .filter(|key| service.is_none_or(|wanted| key.bot_user_id.is_some() == wanted))
        .filter(|key| creator.is_none_or(|creator| key.created_by_user_id == creator))
        .filter(|key| space.is_none_or(|space| key.bot_user_id.is_some() && in_space(key, space)))
        .filter(|key| visible(scene, key));
    Ok(window.page(rows.map(|key| (key.id, Some(listed(key, tenant, space.is_none()))))))
}

/// POST `/v2/api-keys`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let creator = scene.caller.grant.user_id.and_then(|id| users::live(scene.tenant, id)).cloned();
    let creator = creator.filter(|user| user.is_developer || user.is_bot);
    let creator = creator.ok_or_else(|| Problem::forbidden("only developers have keys"))?;
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
        scene.require("SERVICE_KEY_CREATE", Place::Account)?;
        Some(Access::read(scene, &mut fields)?)
    } else {
        None
    };
    fields.end()?;

    let bot = access.as_ref().map(|access| add_bot(scene.tenant, &name, access));
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
    let mut answer = wire(&key, scene.tenant);
    answer["key"] = key.secret().into();
    if key.bot_user_id.is_some() {
        answer["bot_user"] = bot_wire(&key, scene.tenant, true);
    }
    scene.tenant.api_keys.insert(key);
    Ok(Answer::created(answer))
}

/// POST `/v2/api-keys/{api_key_id}/refresh`: a new secret for the same key.
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
        return Err(Problem::unprocessable("expires_at is required for a key that ends"));
    }
    let old_name = key.credential_name();
    let grant = scene.credentials.find(&key.secret()).map(|view| view.grant);
    let grant = grant.unwrap_or_else(|| Grant { api_key: Some(id), ..Grant::default() });
    let outcome = match grace {
        Some(seconds) => {
            let end = Timestamp::now() + Duration::from_secs(seconds);
            scene.credentials.narrow(&old_name, Grant { expires_at: Some(end), ..grant.clone() })
        }
        None => scene.credentials.expire(&old_name),
    };
    if let Err(error) = outcome {
        // A seeded key has no secret: nobody was ever told one.
        tracing::debug!(%error, name = old_name, "no secret to replace");
    }
    key.refreshes += 1;
    key.expires_at = expires_at;
    issue_secret(scene, &key, grant)?;
    let mut answer = wire(&key, scene.tenant);
    answer["key"] = key.secret().into();
    scene.tenant.api_keys.insert(key);
    Ok(Answer::ok(answer))
}

/// PUT `/v2/api-keys/{api_key_id}/revoke`: once more is as good as once.
pub fn revoke(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene)?;
    if let Some(key) = scene.tenant.api_keys.get_mut(id) {
        key.status = KeyStatus::Revoked;
    }
    Ok(Answer::none())
}

/// What a service key is given.
struct Access {
    account_role: AccountRole,
    organizations: Vec<(Id, AssignedRole)>,
    spaces: Vec<(Id, AssignedRole)>,
}

impl Access {
    fn read(scene: &Scene<'_>, fields: &mut Fields) -> Result<Self, Problem> {
        let switches = &scene.tenant.switches;
        let account_role = match fields.value("account_role") {
            Some(value) => AccountRole::read(value, switches)?,
            None => AccountRole::Member,
        };
        if account_role > scene.caller.grant.account_role {
            return Err(Problem::unprocessable("the account role is above the caller's own"));
        }
        let entries = fields.value("organizations");
        let entries = fields.required("organizations", entries)?;
        let mut access = Self { account_role, organizations: Vec::new(), spaces: Vec::new() };
        for entry in listed_entries(entries, "organizations")? {
            let mut entry = Fields::of_value(entry, "an organization", switches)?;
            let id = scene.id(&entry.required_text("org_id")?, Kind::AccountOrganization)?;
            let role = role_or(&mut entry, "READ_ONLY", scene)?;
            let spaces = entry.value("spaces");
            let spaces = entry.required("spaces", spaces)?;
            entry.end()?;
            if matches!(role, AssignedRole::Custom { .. }) {
                return Err(Problem::unprocessable("custom roles are supported in spaces only"));
            }
            if !scene.caller.sees_organization(scene.tenant, id) {
                return Err(Problem::not_found("organization"));
            }
            access.organizations.push((id, role));
            access.read_spaces(scene, id, spaces)?;
        }
        Ok(access)
    }

    fn read_spaces(&mut self, scene: &Scene<'_>, organization: Id, entries: Value) -> Result<(), Problem> {
        for entry in listed_entries(entries, "spaces")? {
            let mut entry = Fields::of_value(entry, "a space", &scene.tenant.switches)?;
            let id = scene.id(&entry.required_text("space_id")?, Kind::Space)?;
            let role = role_or(&mut entry, "MEMBER", scene)?;
            entry.end()?;
            let space = scene.tenant.spaces.get(id).filter(|_| scene.caller.sees_space(scene.tenant, id));
            let space = space.ok_or_else(|| Problem::not_found("space"))?;
            if space.organization_id != organization {
                return Err(Problem::unprocessable("a space is not in the organization it is listed under"));
            }
            if let AssignedRole::Custom { id } = role
                && roles::live(scene.tenant, id).is_none()
            {
                return Err(Problem::not_found("role"));
            }
            self.spaces.push((id, role));
        }
        Ok(())
    }

    fn grant(&self, tenant: &Tenant, key: &ApiKey) -> Grant {
        let held = self.spaces.iter().filter_map(|(_, role)| roles::live(tenant, role.role_id(tenant)?));
        let permissions: BTreeSet<String> = held.flat_map(|role| role.permissions.iter().cloned()).collect();
        let admin = self.account_role == AccountRole::Admin;
        Grant {
            account_role: self.account_role,
            user_id: key.bot_user_id,
            permissions: (!admin).then_some(permissions),
            spaces: (!admin).then(|| self.spaces.iter().map(|(id, _)| *id).collect()),
            api_key: Some(key.id),
            expires_at: None,
        }
    }
}

fn listed_entries(value: Value, name: &str) -> Result<Vec<Value>, Problem> {
    let Value::Array(entries) = value else {
        return Err(Problem::invalid(format!("{name} is not a list")));
    };
    if (1..=100).contains(&entries.len()) {
        Ok(entries)
    } else {
        Err(Problem::unprocessable(format!("{name} must have 1 to 100 entries")))
    }
}

fn role_or(entry: &mut Fields, default: &str, scene: &Scene<'_>) -> Result<AssignedRole, Problem> {
    match entry.value("role") {
        Some(value) => {
            let role = AssignedRole::read(value, scene)?;
            memberships::service_key_role(&role, &scene.tenant.switches)?;
            Ok(role)
        }
        None => Ok(AssignedRole::predefined(default)),
    }
}

fn add_bot(tenant: &mut Tenant, name: &str, access: &Access) -> Id {
    let id = tenant.issue(Kind::User);
    tenant.users.insert(User {
        id,
        name: name.to_owned(),
        email: format!("bot-{}@bots.invalid", id.serial),
        created_at: now(),
        status: UserStatus::Active,
        role: access.account_role,
        is_developer: true,
        is_bot: true,
    });
    for (organization, role) in &access.organizations {
        memberships::join_organization(tenant, id, *organization, role.clone());
    }
    for (space, role) in &access.spaces {
        memberships::join_space(tenant, id, *space, role.clone());
    }
    id
}

fn issue_secret(scene: &Scene<'_>, key: &ApiKey, grant: Grant) -> Result<(), Problem> {
    scene
        .credentials
        .add(&key.credential_name(), &key.secret(), grant)
        .map_err(|error| Problem::conflict(error.to_string()))
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

fn visible(scene: &Scene<'_>, key: &ApiKey) -> bool {
    let tenant = &*scene.tenant;
    let of_seen_space = || {
        tenant.space_members.iter().any(|member| {
            member.user_id == key.owner() && scene.may("SERVICE_KEY_READ", Place::Resource(member.parent_id))
        })
    };
    scene.caller.is_account_admin() && scene.caller.grant.permissions.is_none()
        || Some(key.created_by_user_id) == scene.caller.grant.user_id
        || key.bot_user_id.is_some() && of_seen_space()
}

fn changeable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::ApiKey)?;
    let key = scene.tenant.api_keys.get(id).filter(|key| visible(scene, key));
    let key = key.ok_or_else(|| Problem::not_found("API key"))?;
    if Some(key.created_by_user_id) != scene.caller.grant.user_id {
        scene.require("SERVICE_KEY_REVOKE", Place::Account)?;
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
    let mut wire = wire(key, tenant);
    let shown = tenant.switches.bot_users_in_key_list && !tenant.switches.before_1140();
    if key.bot_user_id.is_some() && shown {
        wire["bot_user"] = bot_wire(key, tenant, with_organizations);
    }
    wire
}

fn bot_wire(key: &ApiKey, tenant: &Tenant, with_organizations: bool) -> Value {
    let bot = users::live(tenant, key.owner());
    let organizations: Vec<Value> = match bot {
        Some(bot) if with_organizations => {
            let members = tenant.organization_members.iter().filter(|member| member.user_id == bot.id);
            members.map(|member| organization_wire(member, tenant)).collect()
        }
        _ => Vec::new(),
    };
    json!({
        "id": key.owner(),
        "name": bot.map_or("", |bot| bot.name.as_str()),
        "account_role": bot.map_or(AccountRole::Member, |bot| bot.role).wire(&tenant.switches),
        "organizations": organizations,
    })
}

fn organization_wire(member: &memberships::Membership, tenant: &Tenant) -> Value {
    let within =
        |space: Id| tenant.spaces.get(space).is_some_and(|space| space.organization_id == member.parent_id);
    let spaces = tenant
        .space_members
        .iter()
        .filter(|row| row.user_id == member.user_id && within(row.parent_id))
        .map(|row| json!({ "space_id": row.parent_id, "role": row.role.wire(tenant) }));
    json!({
        "org_id": member.parent_id,
        "role": member.role.wire(tenant),
        "spaces": spaces.collect::<Vec<_>>(),
    })
}

fn wire(key: &ApiKey, tenant: &Tenant) -> Value {
    let key_type = if key.bot_user_id.is_some() { "SERVICE" } else { "USER" };
    let mut wire = json!({
        "id": key.id,
        "name": key.name,
        "key_type": tenant.switches.spell(key_type),
        "status": status_name(key.status, tenant),
        "redacted_key": format!("ak-...{}", key.id.serial),
        "created_at": key.created_at,
        "created_by_user_id": key.created_by_user_id,
    });
    if let Some(description) = &key.description {
        wire["description"] = description.as_str().into();
    }
    if let Some(end) = key.expires_at {
        wire["expires_at"] = json!(end);
    }
    wire
}
