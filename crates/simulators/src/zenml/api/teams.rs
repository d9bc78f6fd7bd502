//! The operations on teams and their members (contract 2.3).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    body::required,
    call::Scene,
    organizations,
    paging::{Page, ordered},
    problem::Problem,
    users,
};
use crate::zenml::{
    access::rights::Place,
    rows::{
        ids::Uuid,
        principals::Principal,
        teams::{Team, TeamMember},
    },
    state::Tenant,
};

/// GET `/organizations/{id}/teams`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let page = Page::if_paged(scene)?;
    if !scene.can_list(Place::organization(organization), "team:read")? {
        return Ok(json!([]));
    }
    let rows = scene.tenant.teams.iter().filter(|row| row.organization_id == organization);
    Ok(page.cut(ordered(rows, scene)).map(|team| to_json(team, scene.tenant)).collect())
}

/// POST `/teams`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.text("name", 50)?;
    let name = required("name", name)?;
    let description = fields.text("description", 256)?;
    let organization_id = fields.id("organization_id")?;
    let organization = required("organization_id", organization_id)?;
    if !scene.tenant.organizations.contains(organization) {
        return Err(Problem::missing("organization"));
    }
    scene.require(Place::organization(organization), "team:create")?;
    require_free_name(scene.tenant, organization, &name, None)?;
    let id = scene.tenant.add_team(organization, &name, description, Timestamp::now());
    Ok(scene.tenant.teams.get(id).map(|team| to_json(team, scene.tenant)).unwrap_or_default())
}

/// GET `/teams/{team_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let team = authorize(scene, "team:read")?;
    Ok(to_json(&team, scene.tenant))
}

/// PATCH `/teams/{team_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut team = authorize(scene, "team:update")?;
    let mut fields = scene.fields()?;
    let name = fields.text("name", 50)?;
    team.description = fields.text("description", 256)?.or(team.description);
    if let Some(name) = name {
        require_free_name(scene.tenant, team.organization_id, &name, Some(team.id))?;
        team.name = name;
    }
    team.updated = Timestamp::now();
    let answer = to_json(&team, scene.tenant);
    scene.tenant.teams.insert(team);
    Ok(answer)
}

/// DELETE `/teams/{team_id}`. Deletes its assignments and memberships too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let team = authorize(scene, "team:delete")?;
    scene.tenant.remove_principal(Principal::Team(team.id));
    scene.tenant.teams.remove(team.id);
    Ok(Value::Null)
}

/// GET `/teams/{team_id}/members`
pub fn members(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::if_paged(scene)?;
    let team = authorize(scene, "team:read")?;
    let tenant = &*scene.tenant;
    let user = |row: &TeamMember| match row.member {
        Principal::User(id) => Some(id),
        Principal::Team(_) | Principal::Invitation(_) => None,
    };
    let ids = tenant.team_members.iter().filter(|row| row.team_id == team.id).filter_map(user);
    Ok(page.cut(ids).map(|id| tenant.users.get(id).map(users::to_json).unwrap_or_default()).collect())
}

/// POST `/teams/{team_id}/members`
pub fn add_member(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let team = authorize(scene, "team:update")?;
    let row = TeamMember { team_id: team.id, member: queried_member(scene)? };
    let tenant = &mut *scene.tenant;
    let organization = team.organization_id;
    let is_in_organization = match row.member {
        Principal::User(id) => {
            let user = tenant.users.get(id).ok_or_else(|| Problem::missing("user"))?;
            user.organization_id == Some(organization) || tenant.is_member(id, organization)
        }
        Principal::Invitation(id) => {
            let invitation = tenant.invitations.get(id).ok_or_else(|| Problem::missing("invitation"))?;
            invitation.organization_id == organization
        }
        Principal::Team(_) => false,
    };
    if !is_in_organization {
        return Err(Problem::illegal("The user does not belong to the team's organization"));
    }
    if tenant.team_members.contains(&row) {
        return Err(Problem::exists("The user is already a member of the team"));
    }
    tenant.team_members.push(row);
    Ok(to_json(&team, tenant))
}

/// DELETE `/teams/{team_id}/members`
pub fn remove_member(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let team = authorize(scene, "team:update")?;
    let row = TeamMember { team_id: team.id, member: queried_member(scene)? };
    let tenant = &mut *scene.tenant;
    let status = tenant.switches.missing_removal_status;
    if !tenant.team_members.contains(&row) && status != 200 {
        return Err(Problem::nothing_to_remove(status, "team member"));
    }
    tenant.team_members.retain(|other| *other != row);
    Ok(Value::Null)
}

fn queried_member(scene: &Scene<'_>) -> Result<Principal, Problem> {
    let invitation = match scene.tenant.switches.invitations_are_principals {
        true => scene.query_id("invitation_id")?,
        false => None,
    };
    match (scene.query_id("user_id")?, invitation) {
        (Some(user), None) => Ok(Principal::User(user)),
        (None, Some(invitation)) => Ok(Principal::Invitation(invitation)),
        _ => Err(Problem::value(&scene.tenant.switches, "Exactly one member must be given")),
    }
}

/// The team in the path, if the caller has this right on it.
fn authorize(scene: &Scene<'_>, right: &str) -> Result<Team, Problem> {
    let id = scene.path_id(0, "team_id")?;
    let team = scene.tenant.teams.get(id).ok_or_else(|| Problem::missing("team"))?;
    if !scene.caller.can_see_organization(scene.tenant, team.organization_id) {
        return Err(Problem::hidden(&scene.tenant.switches, "team"));
    }
    scene.require(Place::organization(team.organization_id), right)?;
    Ok(team.clone())
}

fn require_free_name(
    tenant: &Tenant,
    organization: Uuid,
    name: &str,
    except: Option<Uuid>,
) -> Result<(), Problem> {
    let is_taken =
        |team: &Team| team.organization_id == organization && team.name == name && Some(team.id) != except;
    if tenant.teams.iter().any(is_taken) {
        return Err(Problem::exists("A team with this name already exists"));
    }
    Ok(())
}

/// The JSON of a team.
pub fn to_json(team: &Team, tenant: &Tenant) -> Value {
    json!({
        "name": team.name,
        "description": team.description,
        "id": team.id,
        "created": team.created,
        "updated": team.updated,
        "member_count": tenant.team_members.iter().filter(|row| row.team_id == team.id).count(),
    })
}
