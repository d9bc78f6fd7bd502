//! Grafana's endpoints (contract 2) with wire types, and the meaning of a 404 (contract 1.4).

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    dialect::Reserved,
    ids::{Endpoints, Principal, Resource, ResourceKind},
    visibility::OwnPermissions,
    wire::{self, Assigned, AssignedRole, ResourcePermission},
};
use crate::{
    Class, Error,
    http::{Answer, Credential, Http, Request},
    reading::found,
};
use rolewright_core::model::Id;

/// The principals in one search, until an answer is too long.
const MAX_SEARCHED: usize = 2000;
const ROLES: [&str; 2] = ["access-control", "roles"];
const NEEDS_STATUS: &str =
    "the credential needs roles:read on roles:*, or status:accesscontrol on services:accesscontrol";
const NEEDS_RBAC: &str = "Rolewright needs the RBAC API of Grafana Enterprise or Grafana Cloud";

/// Whether Grafana has the RBAC API.
#[derive(Debug)]
pub enum Status {
    /// It has the API, and it is on.
    Enabled,
    /// The credential may not ask, nor read a role of Grafana's own, which would show it too. Contains the refusal.
    Denied(Error),
}

/// Grafana's API with one credential in one organization.
pub struct Client {
    http: Http,
    credential: Credential,
    /// The value of the organization header. None omits it.
    organization: Option<String>,
    /// The principals in one search: halved when an answer is too long.
    searched: AtomicUsize,
    /// The number of the current organization. The inner None means that the credential may not read it.
    number: OnceCell<Option<i64>>,
}

impl Client {
    /// A client over a stack. Makes no call.
    pub fn new(http: Http, credential: Credential, organization: Option<i64>) -> Self {
        let number = OnceCell::new_with(organization.map(Some));
        let (organization, searched) =
            (organization.map(|id| id.to_string()), AtomicUsize::new(MAX_SEARCHED));
        Self { http, credential, organization, searched, number }
    }

    /// The decoded answer for a path.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Error> {
        self.answer(path, query).await?.decode()
    }

    /// The answer for a path, undecoded.
    pub async fn answer(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Error> {
        let request = self.request(Method::GET, path);
        self.call(query.iter().fold(request, |request, (name, value)| request.query(name, value))).await
    }

    /// Whether Grafana has the RBAC API (contract 1.4).
    ///
    /// # Errors
    /// [`Class::Unsupported`] if it does not, or if the API is off.
    pub async fn status(&self) -> Result<Status, Error> {
        let answer: Result<wire::Status, Error> = self.get(&["access-control", "status"], &[]).await;
        match answer {
            Ok(wire::Status { enabled: true }) => Ok(Status::Enabled),
            Ok(wire::Status { enabled: false }) => Err(Error::new(
                Class::Unsupported,
                format!(
                    "RBAC is off in this Grafana, as it is without a licence or with an expired one: {NEEDS_RBAC}"
                ),
            )),
            Err(error) if matches!(error.class, Class::Missing | Class::Unsupported) => Err(Error::new(
                Class::Unsupported,
                format!(
                    "{}: this Grafana has no RBAC API (like open source Grafana, Amazon Managed Grafana and an expired \
                     licence), or it is served below another path: {NEEDS_RBAC}",
                    error.message
                ),
            )),
            // The fixed roles for roles do not include the permission to ask (contract 2.2).
            Err(error) if error.class == Class::Denied => match self.roles().await {
                Ok(roles) if roles.iter().any(is_of_grafana) => Ok(Status::Enabled),
                Err(failure) if !failure.class.is_withheld() => Err(failure),
                Ok(_) | Err(_) => {
                    let message = format!("{}; {NEEDS_STATUS}", error.message);
                    Ok(Status::Denied(Error::new(Class::Denied, message)))
                }
            },
            Err(error) => Err(error),
        }
    }

    /// Confirms that a 404 means "not found": without the RBAC API every path is a 404 (contract 1.4).
    ///
    /// # Errors
    /// There is no such API, or the credential may not ask.
    pub async fn confirm_missing(&self, not_found: &Error) -> Result<(), Error> {
        match self.status().await? {
            Status::Enabled => Ok(()),
            Status::Denied(refusal) => Err(Error::new(
                Class::Denied,
                format!(
                    "{}, and it is unknown whether that means deleted: {}",
                    not_found.message, refusal.message
                ),
            )),
        }
    }

    /// A failure of a call to the RBAC API, after a 404 is confirmed.
    pub async fn confirmed(&self, error: Error) -> Error {
        match error.class {
            Class::Missing => self.confirm_missing(&error).await.err().unwrap_or(error),
            _ => error,
        }
    }

    /// The current organization.
    pub async fn org(&self) -> Result<wire::Org, Error> {
        self.get(&["org"], &[]).await
    }

    /// The user or service account of the credential.
    pub async fn caller(&self) -> Result<wire::Caller, Error> {
        self.get(&["user"], &[]).await
    }

    /// The number of the current organization, read once. None if the credential may not read it.
    pub async fn org_number(&self) -> Result<Option<i64>, Error> {
        let ask = || async {
            match self.org().await {
                Ok(org) => Ok(Some(org.id)),
                Err(error) if matches!(error.class, Class::Denied | Class::Missing) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.number.get_or_try_init(ask).await.copied()
    }

    /// The permissions of the credential itself. Without `reloadcache`, because the server filters lists by its cached permissions, and only
    /// the same cache shows what they could contain (contract 3.6).
    pub async fn own_permissions(&self) -> Result<OwnPermissions, Error> {
        self.get(&["access-control", "user", "permissions"], &[]).await.map(OwnPermissions::new)
    }

    /// All roles, without their permissions (contract 2.1, 2.2).
    pub async fn roles(&self) -> Result<Vec<wire::Role>, Error> {
        self.get(&ROLES, &[("includeHidden", "true")]).await
    }

    /// One role with its permissions. None if it is deleted.
    pub async fn role(&self, uid: &Id) -> Result<Option<wire::Role>, Error> {
        match self.get(&["access-control", "roles", uid.as_str()], &[]).await {
            Err(error) if error.class == Class::Missing => self.confirm_missing(&error).await.map(|()| None),
            role => role.map(Some),
        }
    }

    /// Creates a role.
    pub async fn create_role(&self, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, &ROLES).body(body)).await
    }

    /// Replaces a role.
    pub async fn replace_role(&self, uid: &Id, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::PUT, &["access-control", "roles", uid.as_str()]).body(body)).await
    }

    /// Deletes a role without assignments: never with `force`, which would delete the assignments too (contract 3.8).
    pub async fn delete_role(&self, uid: &Id, global: bool) -> Result<(), Error> {
        let request = self.request(Method::DELETE, &["access-control", "roles", uid.as_str()]);
        self.call(request.query("global", if global { "true" } else { "false" })).await.map(|_| ())
    }

    /// The direct roles of a principal, without their permissions. None for an unknown principal.
    pub async fn roles_of(&self, principal: Principal) -> Result<Option<Vec<AssignedRole>>, Error> {
        let number = principal.number.to_string();
        let path = ["access-control", principal.endpoints().path(), &number, "roles"];
        match self.get(&path, &[("includeHidden", "true")]).await {
            Err(error) if error.class == Class::Missing => self.confirm_missing(&error).await.map(|()| None),
            roles => roles.map(|roles: Option<Vec<AssignedRole>>| Some(roles.unwrap_or_default())),
        }
    }

    /// The direct roles of many principals, without their permissions (contract 2.3, 2.4). A principal that the answer omits can have roles
    /// too.
    pub async fn roles_of_all(
        &self,
        endpoints: Endpoints,
        numbers: &BTreeSet<i64>,
    ) -> Result<Assigned, Error> {
        let mut assigned = Assigned::new();
        let numbers: Vec<i64> = numbers.iter().copied().collect();
        let mut rest = numbers.as_slice();
        while !rest.is_empty() {
            let (part, others) = rest.split_at(rest.len().min(self.searched.load(Ordering::Relaxed)));
            match self.search(endpoints, part).await {
                Err(error) if error.oversized && part.len() > 1 => {
                    self.searched.fetch_min(part.len() / 2, Ordering::Relaxed);
                }
                found => {
                    assigned.extend(found?.unwrap_or_default());
                    rest = others;
                }
            }
        }
        Ok(assigned)
    }

    async fn search(&self, endpoints: Endpoints, numbers: &[i64]) -> Result<Option<Assigned>, Error> {
        let mut query = json!({endpoints.ids_field(): numbers, "includeHidden": true});
        if let Some(org) = self.org_number().await? {
            query["orgId"] = json!(org);
        }
        let request = self.request(Method::POST, &["access-control", endpoints.path(), "roles", "search"]);
        self.call(request.read_only().body(query)).await?.decode()
    }

    /// Whether a number is that of a service account. Users and service accounts share their numbers.
    pub async fn is_service_account(&self, number: i64) -> Result<bool, Error> {
        Ok(found(self.answer(&["serviceaccounts", &number.to_string()], &[]).await)?.is_some())
    }

    /// Assigns a role to a principal, in this organization only (contract 3.4).
    pub async fn assign(&self, principal: Principal, role: &Id) -> Result<(), Error> {
        let number = principal.number.to_string();
        let path = ["access-control", principal.endpoints().path(), &number, "roles"];
        let body = json!({"roleUid": role});
        self.call(self.request(Method::POST, &path).body(body)).await.map(|_| ())
    }

    /// Takes a role away from a principal.
    pub async fn unassign(&self, principal: Principal, role: &Id) -> Result<(), Error> {
        let number = principal.number.to_string();
        let path = ["access-control", principal.endpoints().path(), &number, "roles", role.as_str()];
        self.call(self.request(Method::DELETE, &path)).await.map(|_| ())
    }

    /// The permissions on a resource. None if the resource is not found.
    pub async fn permissions(&self, resource: &Resource) -> Result<Option<Vec<ResourcePermission>>, Error> {
        let permissions: Result<Option<Vec<ResourcePermission>>, Error> =
            self.get(&["access-control", resource.kind.path(), &resource.uid], &[]).await;
        Ok(found(permissions)?.map(Option::unwrap_or_default))
    }

    /// Sets the permission of a built-in role on a resource. An empty permission removes it.
    pub async fn permit(&self, resource: &Resource, role: &str, permission: &str) -> Result<(), Error> {
        let path = ["access-control", resource.kind.path(), &resource.uid, "builtInRoles", role];
        let request = self.request(Method::POST, &path).body(json!({"permission": permission}));
        self.call(request).await.map(|_| ())
    }

    /// Whether a resource exists. It can exist without permissions: not every Grafana has permissions for each kind of resource.
    pub async fn exists(&self, resource: &Resource) -> Result<bool, Error> {
        let uid = resource.uid.as_str();
        let is_found = async |path: &[&str]| Ok(found(self.answer(path, &[]).await)?.is_some());
        match resource.kind {
            ResourceKind::Folder => is_found(&["folders", uid]).await,
            ResourceKind::DataSource => is_found(&["datasources", "uid", uid]).await,
            // The answer for a dashboard has all its panels. A server without the shorter one answers 404 too.
            ResourceKind::Dashboard => match is_found(&["dashboards", "uid", uid, "permissions"]).await {
                Ok(true) => Ok(true),
                Err(error) if !error.class.is_withheld() => Err(error),
                Ok(false) | Err(_) => is_found(&["dashboards", "uid", uid]).await,
            },
        }
    }

    async fn call(&self, request: Request<'_>) -> Result<Answer, Error> {
        self.http.call(request).await.map_err(|mut error| {
            if error.class == Class::Unauthenticated && error.message.contains(wire::ORGANIZATION_MISMATCH) {
                error.message.push_str(
                    "; the token belongs to another organization than spec.grafana.orgId names: remove orgId, or use a \
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

/// Whether a role is one of Grafana's own: only a Grafana with roles has them.
pub fn is_of_grafana(role: &wire::Role) -> bool {
    Reserved::of(&role.name, Some(&role.uid)).is_some()
}
