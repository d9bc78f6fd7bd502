//! `/v2/users` (contract 2.4).

use serde_json::{Value, json};

use super::{
    assigned_roles::{account_role_json, read_account_role},
    body,
    call::Scene,
    paging::Window,
    problem::Problem,
};
use crate::{
    arize::{
        access::Target,
        rows::{
            ids::{Id, Kind},
            switches::Switches,
            users::{AccountRole, User, UserStatus},
        },
        state::now,
    },
    kit::answer::Answer,
};

/// GET `/v2/users`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("USER_READ", Target::Account)?;
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
    // Numbers are issued in the order of creation, which is the order of this list (contract 2.4).
    let rows = tenant.users.after(window.after);
    let rows = rows
        .filter(|user| statuses.contains(&user.status))
        .filter(|user| switches.bot_users_listed || !user.is_bot)
        .filter(|user| email.is_in(&user.email));
    Ok(window.page(rows.map(|user| (user.id, Some(to_json(user, switches))))))
}

/// GET `/v2/users/{user_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::User)?;
    let user = scene.tenant.live_user(id).filter(|_| scene.can("USER_READ", Target::Account));
    let user = user.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Answer::ok(to_json(user, &scene.tenant.switches)))
}

/// POST `/v2/users`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("USER_CREATE", Target::Account)?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let email = fields.required_text("email")?;
    let role = fields.value("role");
    let role = fields.required("role", role)?;
    let invite_mode = fields.required_text("invite_mode")?;
    fields.end()?;
    let name = body::name(name, 255)?;
    let role = read_account_role(role, &scene.tenant.switches)?;
    if !is_address(&email) {
        return Err(Problem::unprocessable("email is not a valid address"));
    }
    if !matches!(invite_mode.as_str(), "NONE" | "EMAIL_LINK" | "TEMPORARY_PASSWORD") {
        return Err(Problem::unprocessable("unknown invite_mode"));
    }

    let known = scene.tenant.users.iter().find(|user| user.email.eq_ignore_ascii_case(&email));
    if let Some(user) = known {
        return match user.status {
            UserStatus::Active | UserStatus::Inactive => {
                Err(Problem::conflict("a user with this email exists or was deleted"))
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
    let name = name.map(|name| body::name(name.trim().to_owned(), 255)).transpose()?;
    let switches = scene.tenant.switches.clone();
    let user = scene.tenant.users.get_mut(id).ok_or_else(|| Problem::not_found("user"))?;
    user.name = name.unwrap_or_else(|| std::mem::take(&mut user.name));
    user.is_developer = is_developer.unwrap_or(user.is_developer);
    Ok(Answer::ok(to_json(user, &switches)))
}

/// DELETE `/v2/users/{user_id}`: blocks the user permanently. Idempotent.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::User)?;
    scene.require("USER_DELETE", Target::Account)?;
    if scene.caller.grant.user_id == Some(id) {
        let status = scene.tenant.switches.self_deletion_status;
        return Err(Problem::switched(status, "users cannot delete themselves"));
    }
    if scene.tenant.block_user(id) { Ok(Answer::none()) } else { Err(Problem::not_found("user")) }
}

/// POST `/v2/users/{user_id}/resend-invitation`
pub fn resend_invitation(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene, "USER_UPDATE")?;
    let user = scene.tenant.users.get_mut(id).ok_or_else(|| Problem::not_found("user"))?;
    if user.status == UserStatus::Active {
        return Err(Problem::invalid("the user has already accepted the invitation"));
    }
    user.status = UserStatus::Invited;
    Ok(Answer::none())
}

/// POST `/v2/users/{user_id}/reset-password`
pub fn reset_password(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = changeable(scene, "USER_UPDATE")?;
    match scene.tenant.live_user(id) {
        Some(user) if user.status == UserStatus::Active => Ok(Answer::none()),
        _ => Err(Problem::invalid("the user has not accepted the invitation")),
    }
}

/// The user in the path, if the caller has this permission.
fn changeable(scene: &Scene<'_>, permission: &str) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::User)?;
    scene.require(permission, Target::Account)?;
    scene.tenant.live_user(id).map(|user| user.id).ok_or_else(|| Problem::not_found("user"))
}

fn is_address(email: &str) -> bool {
    let plain = !email.contains(char::is_whitespace) && email.len() <= 255;
    let parts = email.split_once('@');
    plain && parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn invited(user: &User, invite_mode: &str, switches: &Switches) -> Value {
    let mut answer = to_json(user, switches);
    answer["invite_mode"] = invite_mode.into();
    answer
}

fn to_json(user: &User, switches: &Switches) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "created_at": user.created_at,
        "status": switches.spell(user.status.name()),
        "role": account_role_json(user.role, switches),
        "is_developer": user.is_developer,
    })
}
