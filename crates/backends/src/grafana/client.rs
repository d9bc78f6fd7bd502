//! Grafana's endpoints (contract 2): calls in wire types, and what a 404 says. What the things mean is not known here.

use std::collections::BTreeSet;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    ids::{Group, Principal, Resource, Sort},
    rights::Rights,
    wire::{self, Assigned, ResourcePermission},
};
use crate::{
    Class, Error,
    http::{Answer, Credential, Http, Request},
    reading::found,
};
use rolewright_core::model::Id;

/// So many principals in a search that their roles stay well below what the stack reads of an answer.
const SEARCHED_AT_ONCE: usize = 2000;
const ROLES: [&str; 2] = ["access-control", "roles"];
const NEEDS_RBAC: &str = "Rolewright needs the RBAC API of Grafana Enterprise or Grafana Cloud";

/// Whether there is an RBAC API, as far as the credential is told.
#[derive(Debug)]
pub enum Status {
    /// There is one, and it is switched on.
    Enabled,
    /// The credential may not ask. Holds the refusal.
    Untold(Error),
}

/// Grafana's API with one credential, in one organization.
pub struct Client {
    http: Http,
    credential: Credential,
    /// As the header has it; None leaves it out.
    organization: Option<String>,
    /// The number of the organization that answers; None inside where the credential may not ask.
    answering: OnceCell<Option<i64>>,
}

impl Client {
    /// A client over a stack. Calls nothing.
    pub fn new(http: Http, credential: Credential, organization: Option<i64>) -> Self {
        let answering = OnceCell::new_with(organization.map(Some));
        Self { http, credential, organization: organization.map(|id| id.to_string()), answering }
    }

    /// What is answered for a path.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Error> {
        self.answer(path, query).await?.decode()
    }

    /// The same, undecoded.
    pub async fn answer(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Error> {
        let request = self.request(Method::GET, path);
        self.call(query.iter().fold(request, |request, (name, value)| request.query(name, value))).await
    }

    /// Whether there is an RBAC API (contract 1.4).
    ///
    /// # Errors
    /// [`Class::Unsupported`] where there is none, or it is off.
    pub async fn status(&self) -> Result<Status, Error> {
        let answer: Result<wire::Status, Error> = self.get(&["access-control", "status"], &[]).await;
        match answer {
            Ok(wire::Status { enabled: true }) => Ok(Status::Enabled),
            Ok(wire::Status { enabled: false }) => Err(Error::new(
                Class::Unsupported,
                format!(
                    "this Grafana says that RBAC is off, as it is without a licence or after one lapsed: {NEEDS_RBAC}"
                ),
            )),
            Err(error) if matches!(error.class, Class::Missing | Class::Unsupported) => Err(Error::new(
                Class::Unsupported,
                format!(
                    "{}: this Grafana has no RBAC API, as open source Grafana, Amazon Managed Grafana and a lapsed licence \
                     have none, or it is served below another path: {NEEDS_RBAC}",
                    error.message
                ),
            )),
            Err(error) if error.class == Class::Denied => Ok(Status::Untold(error)),
            Err(error) => Err(error),
        }
    }

    /// Whether what a call did not find is not there: a 404 says the same where there is no RBAC API at all (contract 1.4).
    ///
    /// # Errors
    /// That there is no such API, or that nobody can tell.
    pub async fn is_missing(&self, not_found: &Error) -> Result<(), Error> {
        match self.status().await? {
            Status::Enabled => Ok(()),
            Status::Untold(refusal) => Err(Error::new(
                Class::Denied,
                format!(
                    "{}, and whether that means gone cannot be told: {}; the credential needs status:accesscontrol on \
                     services:accesscontrol",
                    not_found.message, refusal.message
                ),
            )),
        }
    }

    /// A failure of a call to the RBAC API, with the doubt about a 404 taken away.
    pub async fn sure(&self, error: Error) -> Error {
        match error.class {
            Class::Missing => self.is_missing(&error).await.err().unwrap_or(error),
            _ => error,
        }
    }

    /// The current organization.
    pub async fn org(&self) -> Result<wire::Org, Error> {
        self.get(&["org"], &[]).await
    }

    /// The number of the current organization, asked once. None where the credential may not ask.
    pub async fn org_number(&self) -> Result<Option<i64>, Error> {
        let ask = || async {
            match self.org().await {
                Ok(org) => Ok(Some(org.id)),
                Err(error) if matches!(error.class, Class::Denied | Class::Missing) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.answering.get_or_try_init(ask).await.copied()
    }

    /// What the credential may do. Without `reloadcache`: what lists are filtered by is cached too, and only the same cache tells what
    /// they could show (contract 3.6).
    pub async fn rights(&self) -> Result<Rights, Error> {
        self.get(&["access-control", "user", "permissions"], &[]).await.map(Rights::new)
    }

    /// All roles, in outline (contract 2.2).
    pub async fn roles(&self) -> Result<Vec<wire::Role>, Error> {
        self.get(&ROLES, &[("includeHidden", "true")]).await
    }

    /// One role, whole. None when it is gone.
    pub async fn role(&self, uid: &Id) -> Result<Option<wire::Role>, Error> {
        match self.get(&["access-control", "roles", uid.as_str()], &[]).await {
            Err(error) if error.class == Class::Missing => self.is_missing(&error).await.map(|()| None),
            role => role.map(Some),
        }
    }

    /// Makes a role.
    pub async fn create_role(&self, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, &ROLES).body(body)).await
    }

    /// Replaces a role.
    pub async fn replace_role(&self, uid: &Id, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::PUT, &["access-control", "roles", uid.as_str()]).body(body)).await
    }

    /// Removes a role that nobody holds: never with force, which would take it from those who do (contract 3.8).
    pub async fn delete_role(&self, uid: &Id, global: bool) -> Result<(), Error> {
        let request = self.request(Method::DELETE, &["access-control", "roles", uid.as_str()]);
        self.call(request.query("global", if global { "true" } else { "false" })).await.map(|_| ())
    }

    /// The roles that a principal holds itself, in outline. None when there is no such principal.
    pub async fn roles_of(&self, principal: Principal) -> Result<Option<Vec<wire::Role>>, Error> {
        let number = principal.number.to_string();
        let path = ["access-control", principal.group().path(), &number, "roles"];
        match self.get(&path, &[("includeHidden", "true")]).await {
            Err(error) if error.class == Class::Missing => self.is_missing(&error).await.map(|()| None),
            roles => roles.map(|roles: Option<Vec<wire::Role>>| Some(roles.unwrap_or_default())),
        }
    }

    /// The roles that many principals hold themselves, in outline (contract 2.3, 2.4). Who is left out may hold some all the same.
    pub async fn roles_of_all(&self, group: Group, numbers: &BTreeSet<i64>) -> Result<Assigned, Error> {
        let mut assigned = Assigned::new();
        let numbers: Vec<i64> = numbers.iter().copied().collect();
        for part in numbers.chunks(SEARCHED_AT_ONCE) {
            let mut query = json!({group.ids_field(): part, "includeHidden": true});
            if let Some(org) = self.org_number().await? {
                query["orgId"] = json!(org);
            }
            let request = self.request(Method::POST, &["access-control", group.path(), "roles", "search"]);
            let found: Option<Assigned> = self.call(request.asking().body(query)).await?.decode()?;
            assigned.extend(found.unwrap_or_default());
        }
        Ok(assigned)
    }

    /// Gives a role to a principal. It is given in this organization only (contract 3.4).
    pub async fn assign(&self, principal: Principal, role: &Id) -> Result<(), Error> {
        let number = principal.number.to_string();
        let path = ["access-control", principal.group().path(), &number, "roles"];
        let body = json!({"roleUid": role});
        self.call(self.request(Method::POST, &path).body(body)).await.map(|_| ())
    }

    /// Takes a role from a principal.
    pub async fn unassign(&self, principal: Principal, role: &Id) -> Result<(), Error> {
        let number = principal.number.to_string();
        let path = ["access-control", principal.group().path(), &number, "roles", role.as_str()];
        self.call(self.request(Method::DELETE, &path)).await.map(|_| ())
    }

    /// Who may do what to a resource. None when it is not found.
    pub async fn permissions(&self, resource: &Resource) -> Result<Option<Vec<ResourcePermission>>, Error> {
        let permissions: Result<Option<Vec<ResourcePermission>>, Error> =
            self.get(&["access-control", resource.sort.path(), &resource.uid], &[]).await;
        Ok(found(permissions)?.map(Option::unwrap_or_default))
    }

    /// Gives a built-in role a permission on a resource; an empty one takes away what it has.
    pub async fn permit(&self, resource: &Resource, role: &str, permission: &str) -> Result<(), Error> {
        let path = ["access-control", resource.sort.path(), &resource.uid, "builtInRoles", role];
        let request = self.request(Method::POST, &path).body(json!({"permission": permission}));
        self.call(request).await.map(|_| ())
    }

    /// Whether a resource is there. A resource whose permissions are not found may be: not every Grafana has permissions for each sort.
    pub async fn is_there(&self, resource: &Resource) -> Result<bool, Error> {
        let uid = resource.uid.as_str();
        let path = match resource.sort {
            Sort::Folder => vec!["folders", uid],
            Sort::Dashboard => vec!["dashboards", "uid", uid],
            Sort::DataSource => vec!["datasources", "uid", uid],
        };
        Ok(found(self.answer(&path, &[]).await)?.is_some())
    }

    async fn call(&self, request: Request<'_>) -> Result<Answer, Error> {
        self.http.call(request).await.map_err(|mut error| {
            if error.class == Class::Unauthenticated && error.message.contains(wire::ORGANIZATION_MISMATCH) {
                error.message.push_str(
                    "; the token belongs to another organization than spec.grafana.orgId names: leave orgId out, or use a \
                     token of that organization",
                );
            }
            error
        })
    }

    fn request<'a>(&'a self, method: Method, path: &[&'a str]) -> Request<'a> {
        let request = Request::new(method, path, &self.credential);
        match &self.organization {
            Some(organization) => request.header("X-Grafana-Org-Id", organization),
            None => request,
        }
    }
}
