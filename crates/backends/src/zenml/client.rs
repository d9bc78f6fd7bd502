//! The endpoints of the control plane (contract 2), in wire types.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    connection::{Call, Connection},
    ids::{GrantId, Principal, Scope},
    pages::{self, Listing},
    permissions::{self, Format},
    session::Login,
    wire::{Assignment, Invitation, Listed, Member, Organization, Place, Role, Team, User},
};
use crate::{
    Class, Error,
    http::{Answer, Http},
    reading::found,
};
use rolewright_core::model::Rule;

/// Whether the assignments of a role without a scope include those in projects. This differs between servers (contract 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InProjects {
    #[default]
    Unknown,
    Shown,
    /// There was an assignment in a project, and it was not shown.
    NotShown,
}

/// The control plane's API with one credential, for one organization.
pub struct Client {
    connection: Connection,
    /// The organization's name or id.
    organization: String,
    /// Its id, read once.
    id: OnceCell<String>,
    /// The format of permissions that the server last accepted.
    format: Mutex<Format>,
    in_projects: Mutex<InProjects>,
}

impl Client {
    /// A client. Makes no call.
    pub fn new(http: Http, login: Login, organization: String) -> Self {
        Self {
            connection: Connection::new(http, login, &organization),
            organization,
            id: OnceCell::new(),
            format: Mutex::new(Format::Grouped),
            in_projects: Mutex::default(),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.connection.call(Call::get(path)).await?.decode()
    }

    /// A list of the organization. Older servers do not have all of them.
    async fn of_organization<T: Listed>(
        &self,
        list: &str,
        filters: &[(&str, &str)],
    ) -> Result<Listing<T>, Error> {
        let id = self.id().await?;
        pages::all(&self.connection, &["organizations", id, list], filters).await
    }

    /// The OAuth2 client of the credential. None if the credential belongs to a user.
    pub fn client_id(&self) -> Option<&str> {
        self.connection.client_id()
    }

    /// The user of the credential, if it belongs to one.
    pub async fn me(&self) -> Result<User, Error> {
        self.get(&["users", "me"]).await
    }

    /// The organization, by its name or id.
    pub async fn organization(&self) -> Result<Organization, Error> {
        self.get(&["organizations", &self.organization]).await
    }

    /// Reads the organization, which exists while the Backend is ready. If it is not found, another server is answering.
    ///
    /// # Errors
    /// Any failure to read it.
    pub async fn confirm_organization(&self) -> Result<(), Error> {
        always_exists(self.organization().await).map(drop)
    }

    /// The organization's id. If it is not found, no object is at fault: the next probe reports it.
    pub async fn id(&self) -> Result<&str, Error> {
        let read = || async { always_exists(self.organization().await).map(|organization| organization.id) };
        self.id.get_or_try_init(read).await.map(String::as_str)
    }

    /// All roles of the organization at all levels, except those that sharing a resource created (contract 2.1).
    pub async fn roles(&self, filters: &[(&str, &str)]) -> Result<Listing<Role>, Error> {
        let filters: Vec<(&str, &str)> =
            [("type", "normal")].into_iter().chain(filters.iter().copied()).collect();
        always_exists(self.of_organization("roles", &filters).await)
    }

    /// One role. None if it is not found: deleted or hidden.
    pub async fn role(&self, id: &str) -> Result<Option<Role>, Error> {
        found(self.get(&["roles", id]).await)
    }

    /// Creates a role.
    pub async fn create_role(&self, body: Value, rules: &BTreeSet<Rule>) -> Result<Answer, Error> {
        self.write_role(&Call::new(Method::POST, &["roles"]), body, rules).await
    }

    /// Changes a role.
    pub async fn update_role(&self, id: &str, body: Value, rules: &BTreeSet<Rule>) -> Result<Answer, Error> {
        self.write_role(&Call::new(Method::PATCH, &["roles", id]), body, rules).await
    }

    /// Writes a role with its permissions, whose format is not published. A refused request changed nothing, so the other format is tried.
    async fn write_role(
        &self,
        call: &Call<'_>,
        body: Value,
        rules: &BTreeSet<Rule>,
    ) -> Result<Answer, Error> {
        let send = async |format: Format| {
            let mut body = body.clone();
            body[permissions::FIELD] = permissions::write(rules, format);
            self.connection.call(call.clone().body(body)).await
        };
        let format = *self.format.lock();
        let refused = match send(format).await {
            Err(error) if is_refused(&error) => error,
            answer => return answer,
        };
        match send(format.other()).await {
            // It is not the format: the first answer names the cause.
            Err(error) if is_refused(&error) => Err(refused),
            answer => {
                if answer.is_ok() {
                    *self.format.lock() = format.other();
                }
                answer
            }
        }
    }

    /// Deletes a role.
    pub async fn delete_role(&self, id: &str) -> Result<(), Error> {
        self.connection.call(Call::new(Method::DELETE, &["roles", id])).await.map(drop)
    }

    /// The assignments of a role in a scope. Some servers also show those in narrower scopes (contract 5). None if the role or the scope is
    /// not found.
    pub async fn assignments(&self, role: &str, scope: &Scope) -> Result<Option<Vec<Assignment>>, Error> {
        let mut call = Call::get(&["roles", role, "assignments"]);
        call.query.extend(within(scope));
        let answer = self.connection.call(call).await;
        let assignments: Option<Vec<Assignment>> = found(answer.and_then(|answer| answer.decode()))?;
        if *scope == Scope::Organization && assignments.iter().flatten().any(|it| it.project_id.is_some()) {
            *self.in_projects.lock() = InProjects::Shown;
        }
        Ok(assignments)
    }

    /// Whether an answer without a scope has ever included assignments in projects. Such a server does not filter by a missing scope, so the
    /// answer includes all projects.
    pub fn shows_projects(&self) -> bool {
        *self.in_projects.lock() == InProjects::Shown
    }

    /// Learns this once from a grant in a project that is about to be deleted: later there may be no other. A failure does not matter.
    pub async fn learn_from(&self, existing: &GrantId) {
        if existing.scope.project().is_none() || *self.in_projects.lock() != InProjects::Unknown {
            return;
        }
        if let Ok(Some(_)) = self.assignments(&existing.role, &Scope::Organization).await {
            let mut in_projects = self.in_projects.lock();
            if *in_projects == InProjects::Unknown {
                *in_projects = InProjects::NotShown;
            }
        }
    }

    /// Assigns a role. Everything is in the query (contract 2.2).
    pub async fn assign(&self, role: &str, scope: &Scope, principal: &Principal) -> Result<(), Error> {
        self.assignment(Method::POST, role, scope, principal).await
    }

    /// Takes a role away.
    pub async fn unassign(&self, role: &str, scope: &Scope, principal: &Principal) -> Result<(), Error> {
        self.assignment(Method::DELETE, role, scope, principal).await
    }

    async fn assignment(
        &self,
        method: Method,
        role: &str,
        scope: &Scope,
        principal: &Principal,
    ) -> Result<(), Error> {
        let (parameter, uuid) = match principal {
            Principal::User(uuid) => ("user_id", uuid),
            Principal::Team(uuid) => ("team_id", uuid),
            Principal::Invitation { uuid, .. } => ("invitation_id", uuid),
        };
        let path = ["roles", role, "assignments"];
        let mut call = Call::new(method, &path).query(parameter, uuid);
        call.query.extend(within(scope));
        self.connection.call(call).await.map(drop)
    }

    /// The people and service accounts of the organization.
    pub async fn members(&self) -> Result<Listing<Member>, Error> {
        always_exists(self.of_organization("members", &[("include_teams", "false")]).await)
    }

    /// The invitations that nobody has accepted: all, or those for one address.
    pub async fn invitations(&self, email: Option<&str>) -> Result<Listing<Invitation>, Error> {
        let filters: Vec<(&str, &str)> =
            [("only_pending", "true")].into_iter().chain(email.map(|email| ("email", email))).collect();
        self.of_organization("invitations", &filters).await
    }

    /// The teams of the organization.
    pub async fn teams(&self) -> Result<Listing<Team>, Error> {
        always_exists(self.of_organization("teams", &[]).await)
    }

    /// The workspaces of the organization: all, or those with a name. `member_only` is always sent, because its default is not published
    /// (contract 2.3).
    pub async fn workspaces(&self, name: Option<&str>) -> Result<Listing<Place>, Error> {
        let id = self.id().await?;
        let filters: Vec<(&str, &str)> = [("organization_id", id), ("member_only", "false")]
            .into_iter()
            .chain(name.map(|name| ("workspace_name", name)))
            .collect();
        let listing = pages::all(&self.connection, &["workspaces"], &filters).await;
        let mut listing: Listing<Place> = always_exists(listing)?;
        listing.items.retain(|place| place.organization_id.as_deref().is_none_or(|of| of == id));
        Ok(listing)
    }

    /// The projects of a workspace, if the server has this list (contract 2.3).
    pub async fn projects(&self, workspace: &str) -> Result<Listing<Place>, Error> {
        pages::all(&self.connection, &["workspaces", workspace, "projects"], &[]).await
    }

    /// One project by its name, if the server has this path.
    pub async fn project(&self, workspace: &str, name: &str) -> Result<Option<Place>, Error> {
        found(self.get(&["workspaces", workspace, "projects", name]).await)
    }
}

/// The answer to a read that every server has, in an organization that was found. A credential that may not read gets another answer, or
/// fails the next probe. So a 404 comes from a proxy, is temporary and says nothing about the thing.
fn always_exists<T>(answer: Result<T, Error>) -> Result<T, Error> {
    answer.map_err(|error| match error.class {
        Class::Missing => Error { class: Class::Transient, ..error },
        _ => error,
    })
}

/// The query parameters of a scope.
fn within(scope: &Scope) -> Vec<(&str, &str)> {
    let workspace = scope.workspace().map(|id| ("workspace_id", id));
    workspace.into_iter().chain(scope.project().map(|id| ("project_id", id))).collect()
}

/// Whether the server may not know the format of the permissions: it refuses an invalid role, and one without permissions (contract 2.1).
fn is_refused(error: &Error) -> bool {
    matches!(error.class, Class::Invalid | Class::Denied)
}
