//! HQ's endpoints (contract 2) with wire types. The call that appends a statement to a policy is missing on purpose: repeated after a lost
//! answer, it appends twice (contract 2.1).

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::wire::{self, Account, Definitions, Group, GroupItem, Principal, Role, RoleItem};
use crate::{
    Class, Error,
    http::{Answer, Credential, Http, Request},
    reading,
};
use rolewright_core::model::SubjectKind;

const ROLES: &str = "roles";
const GROUPS: &str = "groups";
const USERS: &str = "users";
const ACCOUNTS: &str = "service-accounts";

/// The rights that the account needs, as the end of a message.
const NEEDED_RIGHTS: &str =
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
        self.list(self.request(Method::GET, &[ROLES])).await
    }

    /// One role, with its policy.
    pub async fn role(&self, name: &str) -> Result<Role, Error> {
        let answer = self.call(self.request(Method::GET, &[ROLES, name])).await?;
        let role: Role = answer.decode()?;
        if role.name == name { Ok(role) } else { Err(answer.undecodable("is not the requested role")) }
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
        self.list(self.request(Method::GET, &[GROUPS])).await
    }

    /// One group, with its roles and members.
    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        let answer = self.call(self.request(Method::GET, &[GROUPS, name])).await?;
        let group: Group = answer.decode()?;
        if group.name == name { Ok(group) } else { Err(answer.undecodable("is not the requested group")) }
    }

    /// A group of which the list of groups shows this.
    ///
    /// # Errors
    /// [`Class::Denied`] if it shows less than the list counts, or if it is another group by now.
    pub async fn whole_group(&self, item: &GroupItem) -> Result<Group, Error> {
        let group = self.group(&item.name).await?;
        match group.difference(item) {
            None => Ok(group),
            Some(difference) => Err(Error::new(Class::Denied, format!("{difference}{NEEDED_RIGHTS}"))),
        }
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
        self.principals(USERS).await
    }

    /// One user.
    pub async fn user(&self, name: &str) -> Result<Principal, Error> {
        self.get(&[USERS, name]).await
    }

    /// All visible service accounts.
    pub async fn service_accounts(&self) -> Result<Vec<Principal>, Error> {
        self.principals(ACCOUNTS).await
    }

    /// One service account.
    pub async fn service_account(&self, name: &str) -> Result<Account, Error> {
        self.get(&[ACCOUNTS, name]).await
    }

    /// Adds a user or a service account to a group, or removes it. Unlike a change of the group, it says which of the two it means.
    pub async fn change_membership(
        &self,
        kind: SubjectKind,
        name: &str,
        group: &str,
        is_member: bool,
    ) -> Result<(), Error> {
        let path = if kind == SubjectKind::ServiceAccount { ACCOUNTS } else { USERS };
        let field = if is_member { "add_to_groups" } else { "remove_from_groups" };
        let request = self.request(Method::PUT, &[path, name, GROUPS]).body(json!({field: [group]}));
        self.call(request).await.map(|_| ())
    }

    /// The actions and resource types of this HQ (contract 2.7).
    pub async fn definitions(&self) -> Result<Definitions, Error> {
        self.get(&["permissions", "definitions"]).await
    }

    /// Each entry has all the groups of the principal (contract 2.3), which are most of the list.
    async fn principals(&self, path: &str) -> Result<Vec<Principal>, Error> {
        self.list(self.request(Method::GET, &[path]).without("groups")).await
    }

    /// Every HQ has all lists. So a list that is not found is temporary: the answer is a proxy's, or the address is wrong.
    async fn list<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<Vec<T>, Error> {
        let answer = self.call(request).await.map_err(|error| match error.class {
            Class::Missing | Class::Unsupported => {
                let message =
                    format!("{}; is HQ served at spec.lenses.url, or below another path?", error.message);
                Error::new(Class::Transient, message)
            }
            _ => error,
        })?;
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
/// Every other failure. Each error of HQ has a title (contract 1.3), which the HTTP stack shows after the status and a colon. A 404 without
/// one comes from a proxy or from a path that this HQ does not have. It says nothing about the thing, and is temporary.
pub fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    reading::found(answer.map_err(|error| match error.class {
        Class::Missing if !error.message.contains(" answered 404: ") => {
            let message = format!("{}, which is not an answer of Lenses HQ itself", error.message);
            Error::new(Class::Transient, message)
        }
        _ => error,
    }))
}

/// Adds the needed rights to a refusal.
pub fn with_needed_rights(mut error: Error) -> Error {
    if error.class == Class::Denied && !error.message.ends_with(NEEDED_RIGHTS) {
        error.message.push_str(NEEDED_RIGHTS);
    }
    error
}
