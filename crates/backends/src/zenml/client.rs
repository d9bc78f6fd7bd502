//! The control plane's endpoints (contract 2): calls in wire types. What the things mean is not known here, nor how a call is made.

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
    permissions::{self, Form},
    session::Login,
    wire::{Assignment, Invitation, Listed, Member, Organization, Place, Role, Team},
};
use crate::{
    Class, Error,
    http::{Answer, Http},
    reading::found,
};
use rolewright_core::model::Rule;

/// What the server tells of projects where it is asked about no scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OfProjects {
    /// That is not known yet.
    #[default]
    Unseen,
    /// Who holds a role in one.
    Told,
    /// Nothing, while there was something to tell.
    Untold,
}

/// The control plane's API with one credential, for one organization.
pub struct Client {
    connection: Connection,
    /// The organization's name or id.
    organization: String,
    /// Its id, asked once.
    id: OnceCell<String>,
    /// The form of permissions that the server was seen to take.
    form: Mutex<Form>,
    of_projects: Mutex<OfProjects>,
}

impl Client {
    /// A client over a stack. Calls nothing.
    pub fn new(http: Http, login: Login, organization: String) -> Self {
        Self {
            connection: Connection::new(http, login, &organization),
            organization,
            id: OnceCell::new(),
            form: Mutex::new(Form::Grouped),
            of_projects: Mutex::default(),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.connection.call(Call::get(path)).await?.decode()
    }

    /// A list of the organization, which may be one that older servers do not have.
    async fn of_organization<T: Listed>(
        &self,
        list: &str,
        filters: &[(&str, &str)],
    ) -> Result<Listing<T>, Error> {
        let id = self.id().await?;
        pages::all(&self.connection, &["organizations", id, list], filters).await
    }

    /// The client that the credential is for. None: it is a user's.
    pub fn client(&self) -> Option<&str> {
        self.connection.client()
    }

    /// Who the credential is, if it is a user's.
    pub async fn me(&self) -> Result<super::wire::User, Error> {
        self.get(&["users", "me"]).await
    }

    /// The organization, by its name or id.
    pub async fn organization(&self) -> Result<Organization, Error> {
        self.get(&["organizations", &self.organization]).await
    }

    /// That the organization is found, as at any time while the Backend is ready: where it is not, something else may be answering.
    ///
    /// # Errors
    /// Whatever kept it from being read.
    pub async fn is_there(&self) -> Result<(), Error> {
        everywhere(self.organization().await).map(drop)
    }

    /// The organization's id. That it is not found is no object's matter: the next probe says what to do if it stays so.
    pub async fn id(&self) -> Result<&str, Error> {
        let ask = || async { everywhere(self.organization().await).map(|organization| organization.id) };
        self.id.get_or_try_init(ask).await.map(String::as_str)
    }

    /// All roles of the organization at all levels, but for those that sharing a single resource makes (contract 2.1).
    pub async fn roles(&self, filters: &[(&str, &str)]) -> Result<Listing<Role>, Error> {
        let filters: Vec<(&str, &str)> =
            [("type", "normal")].into_iter().chain(filters.iter().copied()).collect();
        everywhere(self.of_organization("roles", &filters).await)
    }

    /// One role. None when it is not found, which may mean gone or hidden.
    pub async fn role(&self, id: &str) -> Result<Option<Role>, Error> {
        found(self.get(&["roles", id]).await)
    }

    /// Makes a role.
    pub async fn create_role(&self, body: Value, rules: &BTreeSet<Rule>) -> Result<Answer, Error> {
        self.permitting(&Call::new(Method::POST, &["roles"]), body, rules).await
    }

    /// Changes a role.
    pub async fn change_role(&self, id: &str, body: Value, rules: &BTreeSet<Rule>) -> Result<Answer, Error> {
        self.permitting(&Call::new(Method::PATCH, &["roles", id]), body, rules).await
    }

    /// Sends permissions in the form that the server takes. Which one that is nobody published, and what was refused was not done: then the
    /// other one is tried.
    async fn permitting(
        &self,
        call: &Call<'_>,
        body: Value,
        rules: &BTreeSet<Rule>,
    ) -> Result<Answer, Error> {
        let send = async |form: Form| {
            let mut body = body.clone();
            body[permissions::FIELD] = permissions::write(rules, form);
            self.connection.call(call.clone().body(body)).await
        };
        let form = *self.form.lock();
        let refused = match send(form).await {
            Err(error) if is_refused(&error) => error,
            answer => return answer,
        };
        match send(form.other()).await {
            // Neither form: the first answer speaks of what is really wrong.
            Err(error) if is_refused(&error) => Err(refused),
            answer => {
                if answer.is_ok() {
                    *self.form.lock() = form.other();
                }
                answer
            }
        }
    }

    /// Removes a role.
    pub async fn delete_role(&self, id: &str) -> Result<(), Error> {
        self.connection.call(Call::new(Method::DELETE, &["roles", id])).await.map(drop)
    }

    /// Who holds a role in a scope. Some servers show more than was asked for: those in narrower scopes too (contract 5). None when the
    /// role, or the scope, is not found.
    pub async fn assignments(&self, role: &str, scope: &Scope) -> Result<Option<Vec<Assignment>>, Error> {
        let mut call = Call::get(&["roles", role, "assignments"]);
        call.query.extend(within(scope));
        let answer = self.connection.call(call).await;
        let told: Option<Vec<Assignment>> = found(answer.and_then(|answer| answer.decode()))?;
        if *scope == Scope::Organization && told.iter().flatten().any(|it| it.project_id.is_some()) {
            *self.of_projects.lock() = OfProjects::Told;
        }
        Ok(told)
    }

    /// Whether the server was seen to tell who holds a role in projects where it was asked about no scope. One that does so filters by no
    /// scope that it was not given, and leaves no project out.
    pub fn tells_projects(&self) -> bool {
        *self.of_projects.lock() == OfProjects::Told
    }

    /// Learns that, once, by a grant in a project while it is there: after it is taken there may be none to tell by. Nothing hangs on it
    /// now, so it may fail.
    pub async fn learn_by(&self, there: &GrantId) {
        if there.scope.project().is_none() || *self.of_projects.lock() != OfProjects::Unseen {
            return;
        }
        if let Ok(Some(_)) = self.assignments(&there.role, &Scope::Organization).await {
            let mut of_projects = self.of_projects.lock();
            if *of_projects == OfProjects::Unseen {
                *of_projects = OfProjects::Untold;
            }
        }
    }

    /// Gives a role. All of it stands in the query (contract 2.2).
    pub async fn assign(&self, role: &str, scope: &Scope, principal: &Principal) -> Result<(), Error> {
        self.assignment(Method::POST, role, scope, principal).await
    }

    /// Takes a role.
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
        everywhere(self.of_organization("members", &[("include_teams", "false")]).await)
    }

    /// Invitations that nobody has accepted yet: all, or those of one address.
    pub async fn invitations(&self, email: Option<&str>) -> Result<Listing<Invitation>, Error> {
        let filters: Vec<(&str, &str)> =
            [("only_pending", "true")].into_iter().chain(email.map(|email| ("email", email))).collect();
        self.of_organization("invitations", &filters).await
    }

    /// The teams of the organization.
    pub async fn teams(&self) -> Result<Listing<Team>, Error> {
        everywhere(self.of_organization("teams", &[]).await)
    }

    /// The workspaces of the organization: all, or those of one name. Whether a server that is not told otherwise leaves out those that the
    /// credential's user is no member of is not published (contract 2.3).
    pub async fn workspaces(&self, name: Option<&str>) -> Result<Listing<Place>, Error> {
        let id = self.id().await?;
        let filters: Vec<(&str, &str)> = [("organization_id", id), ("member_only", "false")]
            .into_iter()
            .chain(name.map(|name| ("workspace_name", name)))
            .collect();
        let listing = pages::all(&self.connection, &["workspaces"], &filters).await;
        let mut listing: Listing<Place> = everywhere(listing)?;
        listing.items.retain(|place| place.organization_id.as_deref().is_none_or(|of| of == id));
        Ok(listing)
    }

    /// The projects of a workspace, where the server has such a list. Projects are another API's (contract 2.3).
    pub async fn projects(&self, workspace: &str) -> Result<Listing<Place>, Error> {
        pages::all(&self.connection, &["workspaces", workspace, "projects"], &[]).await
    }

    /// One project by its name, where the server has such a path.
    pub async fn project(&self, workspace: &str, name: &str) -> Result<Option<Place>, Error> {
        found(self.get(&["workspaces", workspace, "projects", name]).await)
    }
}

/// The answer to a read that every server knows of an organization that was found. Whoever may not read is refused otherwise, or fails the
/// next probe; so that it is not found is a proxy's word on the way, which says nothing of what is there and will pass.
fn everywhere<T>(answer: Result<T, Error>) -> Result<T, Error> {
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

/// A role whose permissions are in a form that the server does not know is wrong, or has none, which is forbidden (contract 2.1).
fn is_refused(error: &Error) -> bool {
    matches!(error.class, Class::Invalid | Class::Denied)
}
