//! Invitations: who was asked to join, and in newer revisions already holds roles (contract 2.2, 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    assignments::Assignment,
    body::required,
    call::Scene,
    ids::Uuid,
    organizations,
    paging::{Page, arranged},
    problem::Problem,
    rights::Place,
    roles::{self, Level},
    state::{Listed, Principal, Tenant},
    users,
};
use crate::kit::table::identified;

/// An invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Its identifier.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Who was asked.
    pub email: String,
    /// Whether it was accepted; what it held is then the user's.
    #[serde(default)]
    pub is_accepted: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Invitation, Uuid);

impl Listed for Invitation {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// GET `/organizations/{id}/invitations`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::reach(scene, scene.call.param(0))?;
    let page = Page::undocumented(scene)?;
    let only_pending = scene.query_flag("only_pending")?.unwrap_or(false);
    let email = scene.call.parameter("email");
    if !scene.may_list(Place::organization(organization), "invitation:read")? {
        return Ok(json!([]));
    }
    let rows = scene.tenant.invitations.iter().filter(|row| {
        row.organization_id == organization
            && email.is_none_or(|email| row.email == email)
            && !(only_pending && row.is_accepted)
    });
    Ok(page.cut(arranged(rows, scene)).map(|row| wire(row, scene.tenant)).collect())
}

/// POST `/organizations/{id}/invitations`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::reach(scene, scene.call.param(0))?;
    let mut fields = scene.fields()?;
    let email = fields.text("email", 256)?;
    let email = required("email", email)?;
    let role_id = fields.id("role_id")?;
    let role_id = required("role_id", role_id)?;
    scene.require(Place::organization(organization), "invitation:create")?;
    let tenant = &mut *scene.tenant;
    let role = tenant.roles.get(role_id).filter(|role| role.organization_id == organization);
    if role.ok_or_else(|| Problem::missing("role"))?.level != Level::Organization {
        return Err(Problem::illegal("Only organization roles can be given with an invitation"));
    }
    let is_open =
        |row: &Invitation| row.organization_id == organization && row.email == email && !row.is_accepted;
    if tenant.invitations.iter().any(is_open) {
        return Err(Problem::exists("An invitation for this address already exists"));
    }
    let id = tenant.add_invitation(organization, &email, role_id, Timestamp::now());
    Ok(tenant.invitations.get(id).map(|row| wire(row, tenant)).unwrap_or_default())
}

/// DELETE `/organizations/{id}/invitations/{invitation_id}`: with what it holds.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::reach(scene, scene.call.param(0))?;
    let id = scene.path_id(1, "invitation_id")?;
    scene.require(Place::organization(organization), "invitation:delete")?;
    let found = scene.tenant.invitations.get(id).filter(|row| row.organization_id == organization);
    found.ok_or_else(|| Problem::missing("invitation"))?;
    scene.tenant.forget(Principal::Invitation(id));
    scene.tenant.invitations.remove(id);
    Ok(Value::Null)
}

/// GET `/invitations`: the caller's own open ones.
pub fn own(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let email = users::own(scene)?.email.clone();
    let rows = scene.tenant.invitations.iter();
    let rows = rows.filter(|row| Some(&row.email) == email.as_ref() && !row.is_accepted);
    Ok(arranged(rows, scene).into_iter().map(|row| wire(row, scene.tenant)).collect())
}

/// GET `/invitations/{id}`
pub fn read(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let invitation = addressed(scene)?;
    Ok(wire(&invitation, scene.tenant))
}

/// POST `/invitations/{id}`: accepts it; the user gets what it held.
pub fn accept(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let invitation = addressed(scene)?;
    if invitation.is_accepted {
        return Err(Problem::illegal("The invitation was already accepted"));
    }
    let user = Principal::User(users::own(scene)?.id);
    let tenant = &mut *scene.tenant;
    let accepted = tenant.accept(invitation, user);
    Ok(wire(&accepted, tenant))
}

/// The invitation of the path, if it is the caller's.
fn addressed(scene: &Scene<'_>) -> Result<Invitation, Problem> {
    let id = scene.path_id(0, "invitation_id")?;
    let invitation = scene.tenant.invitations.get(id).ok_or_else(|| Problem::missing("invitation"))?;
    if users::own(scene)?.email.as_ref() != Some(&invitation.email) {
        return Err(Problem::hidden(&scene.tenant.switches, "invitation"));
    }
    Ok(invitation.clone())
}

/// An invitation as answers show it.
pub fn wire(row: &Invitation, tenant: &Tenant) -> Value {
    let held = tenant.assignments.iter().find(|held| held.principal == Principal::Invitation(row.id));
    let role = held.and_then(|held| tenant.roles.get(held.role_id));
    json!({
        "id": row.id,
        "email": row.email,
        "organization_id": row.organization_id,
        "role": role.map(|role| roles::listed(role, &tenant.switches)),
        "accepted": row.is_accepted,
        "created": row.created,
        "updated": row.updated,
    })
}

impl Tenant {
    /// Invites somebody with a role of the organization's level.
    pub fn add_invitation(
        &mut self,
        organization_id: Uuid,
        email: &str,
        role_id: Uuid,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        let (email, is_accepted) = (email.to_owned(), false);
        self.invitations.insert(Invitation {
            id,
            organization_id,
            email,
            is_accepted,
            created,
            updated: created,
        });
        let principal = Principal::Invitation(id);
        self.assignments.push(Assignment { role_id, principal, workspace_id: None, project_id: None });
        id
    }

    fn accept(&mut self, invitation: Invitation, user: Principal) -> Invitation {
        let accepted = Invitation { is_accepted: true, updated: Timestamp::now(), ..invitation };
        self.hand_over(Principal::Invitation(accepted.id), user);
        self.invitations.insert(accepted.clone());
        accepted
    }

    /// Somebody became a member in another way than by an invitation: what an open one of the address held is the user's.
    pub fn accept_open_invitation(&mut self, organization: Uuid, member: Principal) {
        let Principal::User(id) = member else { return };
        let email = self.users.get(id).and_then(|user| user.email.clone());
        let is_open = |row: &&Invitation| {
            row.organization_id == organization && !row.is_accepted && Some(&row.email) == email.as_ref()
        };
        let open = self.invitations.iter().find(is_open).cloned();
        if let Some(open) = open {
            self.accept(open, member);
        }
    }

    fn hand_over(&mut self, from: Principal, to: Principal) {
        for row in self.assignments.iter_mut().filter(|row| row.principal == from) {
            row.principal = to;
        }
        for row in self.team_members.iter_mut().filter(|row| row.member == from) {
            row.member = to;
        }
        // What the user had anyway is there once.
        let mut seen = Vec::new();
        self.assignments.retain(|row| {
            let is_first = row.principal != to || !seen.contains(row);
            seen.push(*row);
            is_first
        });
        let mut teams = Vec::new();
        self.team_members.retain(|row| {
            let is_first = row.member != to || !teams.contains(&row.team_id);
            if row.member == to {
                teams.push(row.team_id);
            }
            is_first
        });
    }
}
