//! The endpoints of the control plane (contract 2), in wire types.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    config,
    connection::{Call, Connection},
    ids::{Principal, Scope},
    pages,
    permissions::{self, Form},
    session::Login,
    wire::{Assignment, Invitation, Listed, Member, Organization, Place, Role, Team, User},
};
use crate::{
    Class, Error,
    http::{Answer, Http},
    reading::found,
};

/// The names of exceptions that mean "does not exist" (contract 1.3). Framework errors have none.
const NOT_FOUND: [&str; 2] = ["KeyError", "DoesNotExistException"];

/// The control plane's API with one credential, for one organization.
pub struct Client {
    connection: Connection,
    /// The organization's name or id.
    organization: String,
    /// The form in which permissions are sent.
    pub form: Form,
    /// The organization's id, read once.
    id: OnceCell<String>,
    /// The id of the credential's user, read once.
    own: OnceCell<String>,
    /// A list of roles has shown permissions.
    shows_permissions: AtomicBool,
}

impl Client {
    /// A client. Makes no call.
    pub fn new(http: Http, login: Login, connection: config::Connection) -> Self {
        Self {
            connection: Connection::new(http, login),
            organization: connection.organization,
            form: connection.form,
            id: OnceCell::new(),
            own: OnceCell::new(),
            shows_permissions: AtomicBool::new(false),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.connection.call(Call::get(path)).await?.decode()
    }

    /// A list of the organization.
    async fn of_organization<T: Listed>(
        &self,
        list: &str,
        filters: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
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

    /// The id of the principal that the credential acts as.
    pub async fn own_id(&self) -> Result<&str, Error> {
        match self.client_id() {
            Some(client) => Ok(client),
            None => {
                self.own.get_or_try_init(async || self.me().await.map(|me| me.id)).await.map(String::as_str)
            }
        }
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
        let read = async || always_exists(self.organization().await).map(|organization| organization.id);
        self.id.get_or_try_init(read).await.map(String::as_str)
    }

    /// All roles of the organization at all levels, except those that sharing a resource created (contract 2.1).
    pub async fn roles(&self, filters: &[(&str, &str)]) -> Result<Vec<Role>, Error> {
        let filters: Vec<(&str, &str)> =
            [("type", "normal")].into_iter().chain(filters.iter().copied()).collect();
        let roles: Vec<Role> = always_exists(self.of_organization("roles", &filters).await)?;
        if roles.iter().any(|role| permissions::read(role.permissions.as_ref()).is_some()) {
            self.shows_permissions.store(true, Ordering::Relaxed);
        }
        Ok(roles)
    }

    /// Whether no list of roles has shown permissions, so that a role needs a mark (contract 3.3).
    pub fn hides_permissions(&self) -> bool {
        !self.shows_permissions.load(Ordering::Relaxed)
    }

    /// One role. None if it is not found: deleted or hidden.
    pub async fn role(&self, id: &str) -> Result<Option<Role>, Error> {
        found(self.get(&["roles", id]).await)
    }

    /// Creates a role (POST), or changes the one with an id (PATCH).
    pub async fn write_role(&self, method: Method, path: &[&str], body: &Value) -> Result<Role, Error> {
        self.connection.call(Call::new(method, path).body(body)).await?.decode()
    }

    /// Deletes a role. The answer is JSON of any content: anything else is not the control plane's (contract 2.1).
    pub async fn delete_role(&self, id: &str) -> Result<(), Error> {
        self.connection.call(Call::new(Method::DELETE, &["roles", id])).await?.decode::<Value>().map(drop)
    }

    /// The assignments of a role in a scope. Some servers also show those in narrower scopes (contract 5). None if the role or the scope is
    /// not found.
    pub async fn assignments(&self, role: &str, scope: &Scope) -> Result<Option<Vec<Assignment>>, Error> {
        let mut call = Call::get(&["roles", role, "assignments"]);
        call.query.extend(within(scope));
        let answer = self.connection.call(call).await;
        found(answer.and_then(|answer| answer.decode()))
    }

    /// Assigns a role (POST), or takes it away (DELETE). Everything is in the query (contract 2.2).
    pub async fn assign(
        &self,
        method: Method,
        role: &str,
        scope: &Scope,
        principal: &Principal,
    ) -> Result<Answer, Error> {
        let mut call = Call::new(method, &["roles", role, "assignments"]);
        call.query.push(match principal {
            Principal::User(uuid) => ("user_id", uuid),
            Principal::Team(uuid) => ("team_id", uuid),
            Principal::Invitation { uuid, .. } => ("invitation_id", uuid),
        });
        call.query.extend(within(scope));
        self.connection.call(call).await
    }

    /// The people and service accounts of the organization.
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        always_exists(self.of_organization("members", &[("include_teams", "false")]).await)
    }

    /// The invitations that nobody has accepted. Older servers have none.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, Error> {
        self.of_organization("invitations", &[("only_pending", "true")]).await
    }

    /// The teams of the organization.
    pub async fn teams(&self) -> Result<Vec<Team>, Error> {
        always_exists(self.of_organization("teams", &[]).await)
    }

    /// The workspaces of the organization, also the deleted ones that the server still lists: all, or those with a name. `member_only` is
    /// always sent, because its default is not published (contract 2.3).
    pub async fn workspaces(&self, name: Option<&str>) -> Result<Vec<Place>, Error> {
        let id = self.id().await?;
        let mut filters = vec![("organization_id", id), ("member_only", "false")];
        filters.extend(name.map(|name| ("workspace_name", name)));
        let mut places: Vec<Place> =
            always_exists(pages::all(&self.connection, &["workspaces"], &filters).await)?;
        places.retain(|place| place.organization.as_ref().is_none_or(|of| of.id == id));
        Ok(places)
    }

    /// The projects of a workspace (contract 2.3, 6).
    pub async fn projects(&self, workspace: &str) -> Result<Vec<Place>, Error> {
        pages::all(&self.connection, &["workspaces", workspace, "projects"], &[]).await
    }

    /// Whether the control plane answers that a role, a workspace or a project does not exist, or that it is deleted. A credential that may
    /// not read it gets a refusal, and a proxy does not answer in the control plane's form (contract 1.3, 6).
    ///
    /// # Errors
    /// Any failure but a refusal.
    pub async fn lacks(&self, path: &[&str]) -> Result<bool, Error> {
        match self.get::<Place>(path).await {
            Ok(place) => Ok(place.is_deleted()),
            Err(error) if error.class.is_withheld() => {
                Ok(error.class == Class::Missing && NOT_FOUND.iter().any(|name| error.message.contains(name)))
            }
            Err(error) => Err(error),
        }
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
fn within(scope: &Scope) -> impl Iterator<Item = (&str, &str)> {
    let workspace = scope.workspace().map(|id| ("workspace_id", id));
    workspace.into_iter().chain(scope.project().map(|id| ("project_id", id)))
}
