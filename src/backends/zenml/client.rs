//! The control plane's endpoints (contract 2): calls in wire types, each with a session. What the things mean is not known here.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    ids::{GrantId, Principal, Scope},
    pages::{self, Listing},
    permissions::{self, Form},
    session::{Login, Session, Sessions},
    wire::{Assignment, Invitation, Listed, Member, Organization, Place, Role, Team},
};
use crate::{
    access::Rule,
    backends::{
        Class, Error,
        http::{Answer, Http, Request},
        reading::found,
    },
};

/// One call, before it is known with which session it is sent.
#[derive(Clone)]
pub struct Call<'a> {
    method: Method,
    path: Vec<&'a str>,
    pub query: Vec<(&'a str, &'a str)>,
    body: Option<Value>,
}

impl<'a> Call<'a> {
    /// A call of a path below the base URL.
    pub fn new(method: Method, path: &[&'a str]) -> Self {
        Self { method, path: path.to_vec(), query: Vec::new(), body: None }
    }

    /// A read of a path.
    pub fn get(path: &[&'a str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// The same with one more query parameter.
    pub fn query(mut self, name: &'a str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    fn request(&self, session: &'a Session) -> Request<'a> {
        let mut request = Request::new(self.method.clone(), &self.path, &session.credential);
        request.query.clone_from(&self.query);
        request.body.clone_from(&self.body);
        request
    }
}

/// The control plane's API with one credential, for one organization.
pub struct Client {
    http: Http,
    sessions: Sessions,
    /// The organization's name or id.
    organization: String,
    /// Its id, asked once.
    id: OnceCell<String>,
    /// The form of permissions that the server was seen to take.
    form: Mutex<Form>,
    /// Whether the server tells of projects where it is asked about no scope; None while it was seen to do neither.
    tells_projects: Mutex<Option<bool>>,
}

impl Client {
    /// A client over a stack. Calls nothing.
    pub fn new(http: Http, login: Login, organization: String) -> Self {
        Self {
            http,
            sessions: Sessions::new(login),
            organization,
            id: OnceCell::new(),
            form: Mutex::new(Form::Grouped),
            tells_projects: Mutex::default(),
        }
    }

    /// Makes a call; once more, in another session, when the one that it was made in is not taken: then nothing was done (contract 1). Where
    /// a session is taken for another call, it is this one that is refused, and not the credential: to log in again would change nothing.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Error> {
        let session = self.sessions.current(&self.http).await?;
        let refused = match self.attempt(&call, &session).await {
            Err(error) if error.class == Class::Unauthenticated => error,
            answer => return answer,
        };
        if session.is_new() && self.is_taken(&session, &call).await? {
            return Err(Error { class: Class::Denied, ..refused });
        }
        let renewed = self.sessions.renewed(&self.http, &session).await?;
        let refused = match self.attempt(&call, &renewed).await {
            Err(error) if error.class == Class::Unauthenticated => error,
            answer => return answer,
        };
        let denied = renewed.was_taken() || self.is_taken(&renewed, &call).await?;
        Err(if denied { Error { class: Class::Denied, ..refused } } else { refused })
    }

    async fn attempt(&self, call: &Call<'_>, session: &Session) -> Result<Answer, Error> {
        let answer = self.http.call(call.request(session)).await;
        if answer.is_ok() {
            session.took();
        }
        answer
    }

    /// Whether a session is taken by now for what every credential may do: to ask who it is (contract 1), or, of a client, which is no user,
    /// for its organization. Of that call itself nothing else speaks.
    async fn is_taken(&self, session: &Session, refused: &Call<'_>) -> Result<bool, Error> {
        let path: &[&str] =
            if self.client().is_some() { &["organizations", &self.organization] } else { &["users", "me"] };
        if refused.path == path {
            return Ok(false);
        }
        match self.attempt(&Call::get(path), session).await {
            Err(error) if matches!(error.class, Class::Transient | Class::Throttled(_)) => Err(error),
            answer => Ok(answer.is_ok()),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.call(Call::get(path)).await?.decode()
    }

    /// A list of the organization.
    async fn of_organization<T: Listed>(
        &self,
        list: &str,
        filters: &[(&str, &str)],
    ) -> Result<Listing<T>, Error> {
        let id = self.id().await?;
        pages::all(self, &["organizations", id, list], filters).await
    }

    /// The client that the credential is for. None: it is a user's.
    pub fn client(&self) -> Option<&str> {
        self.sessions.client()
    }

    /// Who the credential is, if it is a user's.
    pub async fn me(&self) -> Result<super::wire::User, Error> {
        self.get(&["users", "me"]).await
    }

    /// The organization, by its name or id.
    pub async fn organization(&self) -> Result<Organization, Error> {
        self.get(&["organizations", &self.organization]).await
    }

    /// The organization's id.
    pub async fn id(&self) -> Result<&str, Error> {
        let ask = || async {
            self.organization().await.map(|organization| organization.id).map_err(|mut error| {
                // Of everything that is asked for next, nothing would be known to be absent.
                if error.class == Class::Missing {
                    error.class = Class::Denied;
                }
                error
            })
        };
        self.id.get_or_try_init(ask).await.map(String::as_str)
    }

    /// All roles of the organization at all levels, but for those that sharing a single resource makes (contract 2.1).
    pub async fn roles(&self, filters: &[(&str, &str)]) -> Result<Listing<Role>, Error> {
        let filters: Vec<(&str, &str)> =
            [("type", "normal")].into_iter().chain(filters.iter().copied()).collect();
        self.of_organization("roles", &filters).await
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
            self.call(Call { body: Some(body), ..call.clone() }).await
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
        self.call(Call::new(Method::DELETE, &["roles", id])).await.map(drop)
    }

    /// Who holds a role in a scope. Some servers show more than was asked for: those in narrower scopes too (contract 5). None when the
    /// role, or the scope, is not found.
    pub async fn assignments(&self, role: &str, scope: &Scope) -> Result<Option<Vec<Assignment>>, Error> {
        let mut call = Call::get(&["roles", role, "assignments"]);
        call.query.extend(within(scope));
        let told: Option<Vec<Assignment>> = found(self.call(call).await.and_then(|answer| answer.decode()))?;
        if *scope == Scope::Organization && told.iter().flatten().any(|it| it.project_id.is_some()) {
            *self.tells_projects.lock() = Some(true);
        }
        Ok(told)
    }

    /// Whether the server was seen to tell who holds a role in projects where it was asked about no scope. One that does so filters by no
    /// scope that it was not given, and leaves no project out.
    pub fn tells_projects(&self) -> bool {
        *self.tells_projects.lock() == Some(true)
    }

    /// Learns that, once, by a grant in a project while it is there: after it is taken there may be none to tell by. Nothing hangs on it
    /// now, so it may fail.
    pub async fn learn_by(&self, there: &GrantId) {
        if there.scope.project().is_none() || self.tells_projects.lock().is_some() {
            return;
        }
        if let Ok(Some(_)) = self.assignments(&there.role, &Scope::Organization).await {
            self.tells_projects.lock().get_or_insert(false);
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
        self.call(call).await.map(drop)
    }

    /// The people and service accounts of the organization.
    pub async fn members(&self) -> Result<Listing<Member>, Error> {
        self.of_organization("members", &[("include_teams", "false")]).await
    }

    /// Invitations that nobody has accepted yet: all, or those of one address.
    pub async fn invitations(&self, email: Option<&str>) -> Result<Listing<Invitation>, Error> {
        let filters: Vec<(&str, &str)> =
            [("only_pending", "true")].into_iter().chain(email.map(|email| ("email", email))).collect();
        self.of_organization("invitations", &filters).await
    }

    /// The teams of the organization.
    pub async fn teams(&self) -> Result<Listing<Team>, Error> {
        self.of_organization("teams", &[]).await
    }

    /// The workspaces of the organization: all, or those of one name.
    pub async fn workspaces(&self, name: Option<&str>) -> Result<Listing<Place>, Error> {
        let id = self.id().await?;
        let filters: Vec<(&str, &str)> =
            [("organization_id", id)].into_iter().chain(name.map(|name| ("workspace_name", name))).collect();
        let mut listing: Listing<Place> = pages::all(self, &["workspaces"], &filters).await?;
        listing.items.retain(|place| place.organization_id.as_deref().is_none_or(|of| of == id));
        Ok(listing)
    }

    /// The projects of a workspace, where the server has such a list. Projects are another API's (contract 2.3).
    pub async fn projects(&self, workspace: &str) -> Result<Listing<Place>, Error> {
        pages::all(self, &["workspaces", workspace, "projects"], &[]).await
    }

    /// One project by its name, where the server has such a path.
    pub async fn project(&self, workspace: &str, name: &str) -> Result<Option<Place>, Error> {
        found(self.get(&["workspaces", workspace, "projects", name]).await)
    }
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
