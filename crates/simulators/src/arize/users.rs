//! `/v2/users` (contract 2.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    api_keys::KeyStatus,
    auth::Place,
    body::{self, Fields},
    call::{Answer, Scene},
    ids::{Id, Kind},
    paging::Window,
    problem::Problem,
    state::{Tenant, now},
    switches::Switches,
};
use crate::kit::table::identified;

/// A human user, or the bot user of a service key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its identifier.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its address; unique in the account for ever.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it has accepted its invitation, or was deleted.
    pub status: UserStatus,
    /// Its role in the account.
    pub role: AccountRole,
    /// Whether it may have keys.
    #[serde(default)]
    pub is_developer: bool,
    /// Whether it belongs to a service key.
    #[serde(default)]
    pub is_bot: bool,
}

identified!(User, Id);

/// Where a user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum UserStatus {
    /// Has accepted.
    Active,
    /// Has not accepted yet.
    Invited,
    /// Has not accepted in time.
    Expired,
    /// Was deleted: never shown, never to be invited again.
    Inactive,
}

impl UserStatus {
    const SHOWN: [Self; 3] = [Self::Active, Self::Invited, Self::Expired];

    fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Invited => "INVITED",
            Self::Expired => "EXPIRED",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A role in the account, the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are the vendor's")]
pub enum AccountRole {
    Annotator,
    MemberUiOnly,
    #[default]
    Member,
    Admin,
}

impl AccountRole {
    const ALL: [Self; 4] = [Self::Annotator, Self::MemberUiOnly, Self::Member, Self::Admin];

    fn name(self) -> &'static str {
        match self {
            Self::Annotator => "ANNOTATOR",
            Self::MemberUiOnly => "MEMBER_UI_ONLY",
            Self::Member => "MEMBER",
            Self::Admin => "ADMIN",
        }
    }

    /// The role as the vendor writes it.
    pub fn wire(self, switches: &Switches) -> Value {
        json!({ "type": switches.spell("PREDEFINED"), "name": switches.spell(self.name()) })
    }

    /// Reads a role assignment of the account level.
    ///
    /// # Errors
    /// 400 for a wrong form, 422 for a custom role (not supported at this level) and an unknown name.
    pub fn read(value: Value, switches: &Switches) -> Result<Self, Problem> {
        let mut fields = Fields::of_value(value, "role", switches)?;
        if fields.required_text("type")? != switches.spell("PREDEFINED") {
            return Err(Problem::unprocessable("only predefined roles are supported at account level"));
        }
        let name = fields.required_text("name")?;
        fields.end()?;
        let known = Self::ALL.into_iter().find(|role| switches.spell(role.name()) == name);
        known.ok_or_else(|| Problem::unprocessable("unknown account role"))
    }
}

/// The user of this identifier, unless deleted.
pub fn live(tenant: &Tenant, id: Id) -> Option<&User> {
    tenant.users.get(id).filter(|user| user.status != UserStatus::Inactive)
}

/// GET `/v2/users`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("USER_READ", Place::Account)?;
    let tenant = &*scene.tenant;
    let switches = &tenant.switches;
    let window = Window::of("users", scene.call, switches)?;
    let email = scene.substring("email")?;
    let mut statuses = Vec::new();
    for text in scene.call.parameters("status") {
        let known = UserStatus::SHOWN.into_iter().find(|status| switches.spell(status.name()) == text);
        statuses.push(known.ok_or_else(|| Problem::invalid("unknown status"))?);
    }
    if statuses.is_empty() {
        statuses.extend(UserStatus::SHOWN);
    }
    // Numbers are given out in the order of creation, which is the order that the contract asks for.
    let rows = tenant.users.after(window.after);
    let rows = rows
        .filter(|user| statuses.contains(&user.status))
        .filter(|user| switches.bot_users_listed || !user.is_bot)
        .filter(|user| email.is_in(&user.email));
    Ok(window.page(rows.map(|user| (user.id, Some(wire(user, switches))))))
}

/// GET `/v2/users/{user_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::User)?;
    let user = live(scene.tenant, id).filter(|_| scene.may("USER_READ", Place::Account));
    let user = user.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Answer::ok(wire(user, &scene.tenant.switches)))
}

/// POST `/v2/users`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("USER_CREATE", Place::Account)?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let email = fields.required_text("email")?;
    let role = fields.value("role");
    let role = fields.required("role", role)?;
    let invite_mode = fields.required_text("invite_mode")?;
    fields.end()?;
    let name = body::name(name, 255)?;
    let role = AccountRole::read(role, &scene.tenant.switches)?;
    if !is_address(&email) {
        return Err(Problem::unprocessable("email is not an address"));
    }
    if !matches!(invite_mode.as_str(), "NONE" | "EMAIL_LINK" | "TEMPORARY_PASSWORD") {
        return Err(Problem::unprocessable("unknown invite_mode"));
    }

    let known = scene.tenant.users.iter().find(|user| user.email.eq_ignore_ascii_case(&email));
    if let Some(user) = known {
        return match user.status {
            UserStatus::Active | UserStatus::Inactive => {
                Err(Problem::conflict("a user of this address exists, or existed"))
            }
            UserStatus::Invited | UserStatus::Expired => {
                Ok(Answer::ok(invited(user, &invite_mode, &scene.tenant.switches)))
            }
        };
    }
    let user = User {
        id: scene.tenant.issue(Kind::User),
        name,
        email,
        created_at: now(),
        status: if invite_mode == "NONE" { UserStatus::Active } else { UserStatus::Invited },
        role,
        is_developer: role >= AccountRole::Member,
        is_bot: false,
    };
    let mut answer = invited(&user, &invite_mode, &scene.tenant.switches);
    if invite_mode == "TEMPORARY_PASSWORD" {
        answer["temporary_password"] = format!("change-me-{}", user.id.serial).into();
    }
    scene.tenant.users.insert(user);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/users/{user_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene, "USER_UPDATE")?;
    let mut fields = scene.updated_fields()?;
    let name = fields.text("name")?;
    let is_developer = fields.flag("is_developer")?;
    fields.end()?;
    let name = name.map(|name| body::name(name, 255)).transpose()?;
    let switches = scene.tenant.switches.clone();
    let user = scene.tenant.users.get_mut(id).ok_or_else(|| Problem::not_found("user"))?;
    user.name = name.unwrap_or_else(|| std::mem::take(&mut user.name));
    user.is_developer = is_developer.unwrap_or(user.is_developer);
    Ok(Answer::ok(wire(user, &switches)))
}

/// DELETE `/v2/users/{user_id}`: blocks the user for good; once more is as good as once.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::User)?;
    scene.require("USER_DELETE", Place::Account)?;
    if scene.caller.grant.user_id == Some(id) {
        let status = scene.tenant.switches.self_deletion_status;
        return Err(Problem::switched(status, "users cannot delete themselves"));
    }
    let tenant = &mut *scene.tenant;
    let user = tenant.users.get_mut(id).ok_or_else(|| Problem::not_found("user"))?;
    user.status = UserStatus::Inactive;
    tenant.organization_members.retain(|member| member.user_id != id);
    tenant.space_members.retain(|member| member.user_id != id);
    tenant.role_bindings.retain(|binding| binding.user_id != id);
    for key in tenant.api_keys.iter_mut() {
        if key.owner() == id {
            key.status = KeyStatus::Revoked;
        }
    }
    Ok(Answer::none())
}

/// POST `/v2/users/{user_id}/resend-invitation`
pub fn resend_invitation(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene, "USER_UPDATE")?;
    let user = scene.tenant.users.get_mut(id).ok_or_else(|| Problem::not_found("user"))?;
    if user.status == UserStatus::Active {
        return Err(Problem::invalid("the user has accepted the invitation"));
    }
    user.status = UserStatus::Invited;
    Ok(Answer::none())
}

/// POST `/v2/users/{user_id}/reset-password`
pub fn reset_password(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene, "USER_UPDATE")?;
    match live(scene.tenant, id) {
        Some(user) if user.status == UserStatus::Active => Ok(Answer::none()),
        _ => Err(Problem::invalid("the user has not accepted the invitation")),
    }
}

fn changeable(scene: &Scene<'_>, permission: &str) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::User)?;
    scene.require(permission, Place::Account)?;
    live(scene.tenant, id).map(|user| user.id).ok_or_else(|| Problem::not_found("user"))
}

fn is_address(email: &str) -> bool {
    let plain = !email.contains(char::is_whitespace) && email.len() <= 255;
    let parts = email.split_once('@');
    plain && parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn invited(user: &User, invite_mode: &str, switches: &Switches) -> Value {
    let mut answer = wire(user, switches);
    answer["invite_mode"] = invite_mode.into();
    answer
}

fn wire(user: &User, switches: &Switches) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "created_at": user.created_at,
        "status": switches.spell(user.status.name()),
        "role": user.role.wire(switches),
        "is_developer": user.is_developer,
    })
}
