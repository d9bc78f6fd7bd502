//! HQ's endpoints (contract 2): calls in wire types. What the things mean is not known here. The call that appends a statement to a policy
//! is not among them: made twice, as after a lost answer, it appends twice (contract 2.1).

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::{self, Definitions, Group, GroupItem, Principal, Role, RoleItem};
use crate::{
    Class, Error,
    http::{Answer, Credential, Http, Request},
    reading,
};

const ROLES: &str = "roles";
const GROUPS: &str = "groups";

/// HQ's API with one credential.
pub struct Client {
    http: Http,
    credential: Credential,
}

impl Client {
    /// A client over a stack. Calls nothing.
    pub fn new(http: Http, credential: Credential) -> Self {
        Self { http, credential }
    }

    /// All roles that the credential may see, without their policies.
    pub async fn roles(&self) -> Result<Vec<RoleItem>, Error> {
        self.list(ROLES).await
    }

    /// One role, with its policy.
    pub async fn role(&self, name: &str) -> Result<Role, Error> {
        let answer = self.call(self.request(Method::GET, &[ROLES, name])).await?;
        let role: Role = answer.decode()?;
        // Without its policy it would look as if it permitted nothing.
        if role.policy.is_none() || role.name != name {
            return Err(answer.undecodable("is not the role that was asked for, with its policy"));
        }
        Ok(role)
    }

    /// Makes a role.
    pub async fn create_role(&self, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, &[ROLES]).body(body)).await
    }

    /// Changes what of a role the body names.
    pub async fn change_role(&self, name: &str, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::PATCH, &[ROLES, name]).body(body)).await
    }

    /// Removes a role.
    pub async fn delete_role(&self, name: &str) -> Result<(), Error> {
        self.call(self.request(Method::DELETE, &[ROLES, name])).await.map(|_| ())
    }

    /// All groups that the credential may see, without their roles and members.
    pub async fn groups(&self) -> Result<Vec<GroupItem>, Error> {
        self.list(GROUPS).await
    }

    /// One group, with its roles.
    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        let answer = self.call(self.request(Method::GET, &[GROUPS, name])).await?;
        let group: Group = answer.decode()?;
        if group.roles.is_none() || group.name != name {
            return Err(answer.undecodable("is not the group that was asked for, with its roles"));
        }
        Ok(group)
    }

    /// Makes a group.
    pub async fn create_group(&self, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, &[GROUPS]).body(body)).await
    }

    /// Changes what of a group the body names.
    pub async fn change_group(&self, name: &str, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::PATCH, &[GROUPS, name]).body(body)).await
    }

    /// Removes a group.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        self.call(self.request(Method::DELETE, &[GROUPS, name])).await.map(|_| ())
    }

    /// All users that the credential may see.
    pub async fn users(&self) -> Result<Vec<Principal>, Error> {
        self.list("users").await
    }

    /// One user.
    pub async fn user(&self, name: &str) -> Result<Principal, Error> {
        self.get(&["users", name]).await
    }

    /// All service accounts that the credential may see.
    pub async fn service_accounts(&self) -> Result<Vec<Principal>, Error> {
        self.list("service-accounts").await
    }

    /// One service account.
    pub async fn service_account(&self, name: &str) -> Result<Principal, Error> {
        self.get(&["service-accounts", name]).await
    }

    /// What this HQ can permit, and on what.
    pub async fn definitions(&self) -> Result<Definitions, Error> {
        self.get(&["permissions", "definitions"]).await
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Error> {
        let answer = self.call(self.request(Method::GET, &[path])).await?;
        wire::list(&answer.body).map_err(|what| answer.undecodable(what))
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.call(self.request(Method::GET, path)).await?.decode()
    }

    async fn call(&self, request: Request<'_>) -> Result<Answer, Error> {
        self.http.call(request).await
    }

    fn request<'a>(&'a self, method: Method, path: &[&'a str]) -> Request<'a> {
        Request::new(method, path, &self.credential)
    }
}

/// What was found, None where HQ itself answers 404: it is not there, or hidden.
///
/// # Errors
/// Those of the call. A 404 of somebody else, such as a proxy that has no server behind it for a moment, passes.
pub fn seen<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    reading::found(found.map_err(|error| match error.class {
        Class::Missing if !is_hqs_own(&error) => {
            Error::new(Class::Transient, format!("{}, which is no answer of Lenses HQ's own", error.message))
        }
        _ => error,
    }))
}

/// Whether a 404 is HQ's own: only its errors have a title (contract 1), which the stack puts behind the status and a colon. That of a
/// proxy, or of a path that this HQ does not have, says nothing about the thing.
pub fn is_hqs_own(missing: &Error) -> bool {
    missing.class == Class::Missing && missing.message.contains(" answered 404: ")
}
