//! HQ's endpoints (contract 2) with wire types. The call that appends a statement to a policy is missing on purpose: repeated after a lost
//! answer, it appends twice (contract 2.1).

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

/// The rights that the account needs, as the end of a message.
pub const NEEDED_RIGHTS: &str =
    "; the service account needs a role that allows iam:* on iam:*, by a group that it is in";

/// HQ's API with one credential.
pub struct Client {
    http: Http,
    credential: Credential,
}

impl Client {
    /// A client over a stack. Makes no call.
    pub fn new(http: Http, credential: Credential) -> Self {
        Self { http, credential }
    }

    /// All visible roles, without their policies.
    pub async fn roles(&self) -> Result<Vec<RoleItem>, Error> {
        self.list(ROLES).await
    }

    /// One role, with its policy.
    pub async fn role(&self, name: &str) -> Result<Role, Error> {
        let answer = self.call(self.request(Method::GET, &[ROLES, name])).await?;
        let role: Role = answer.decode()?;
        // Without its policy it would look like a role without rules.
        if role.policy.is_none() || role.name != name {
            return Err(answer.undecodable("is not the requested role with its policy"));
        }
        Ok(role)
    }

    /// Creates a role.
    pub async fn create_role(&self, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, &[ROLES]).body(body)).await
    }

    /// Changes the fields of a role that are in the body.
    pub async fn change_role(&self, name: &str, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::PATCH, &[ROLES, name]).body(body)).await
    }

    /// Deletes a role.
    pub async fn delete_role(&self, name: &str) -> Result<(), Error> {
        self.call(self.request(Method::DELETE, &[ROLES, name])).await.map(|_| ())
    }

    /// All visible groups, without their roles and members.
    pub async fn groups(&self) -> Result<Vec<GroupItem>, Error> {
        self.list(GROUPS).await
    }

    /// One group, with its roles.
    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        let answer = self.call(self.request(Method::GET, &[GROUPS, name])).await?;
        let group: Group = answer.decode()?;
        if group.roles.is_none() || group.name != name {
            return Err(answer.undecodable("is not the requested group with its roles"));
        }
        Ok(group)
    }

    /// Creates a group.
    pub async fn create_group(&self, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, &[GROUPS]).body(body)).await
    }

    /// Changes the fields of a group that are in the body.
    pub async fn change_group(&self, name: &str, body: Value) -> Result<Answer, Error> {
        self.call(self.request(Method::PATCH, &[GROUPS, name]).body(body)).await
    }

    /// Deletes a group.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        self.call(self.request(Method::DELETE, &[GROUPS, name])).await.map(|_| ())
    }

    /// All visible users.
    pub async fn users(&self) -> Result<Vec<Principal>, Error> {
        self.list("users").await
    }

    /// One user.
    pub async fn user(&self, name: &str) -> Result<Principal, Error> {
        self.get(&["users", name]).await
    }

    /// All visible service accounts.
    pub async fn service_accounts(&self) -> Result<Vec<Principal>, Error> {
        self.list("service-accounts").await
    }

    /// One service account.
    pub async fn service_account(&self, name: &str) -> Result<Principal, Error> {
        self.get(&["service-accounts", name]).await
    }

    /// The actions and resource types of this HQ (contract 2.7).
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

/// The thing, if it was found. None for HQ's own 404, which means deleted or hidden.
///
/// # Errors
/// Every other failure. A 404 of another sender, such as a proxy without a server behind it, is temporary.
pub fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    reading::found(answer.map_err(|error| match error.class {
        Class::Missing if !is_hqs_own(&error) => {
            let message = format!("{}, which is not an answer of Lenses HQ itself", error.message);
            Error::new(Class::Transient, message)
        }
        _ => error,
    }))
}

/// Whether a 404 is HQ's own. Only HQ's errors have a title (contract 1.3), which the HTTP stack shows after the status and a colon. The 404
/// of a proxy, or of a path that this HQ does not have, says nothing about the thing.
pub fn is_hqs_own(missing: &Error) -> bool {
    missing.class == Class::Missing && missing.message.contains(" answered 404: ")
}
