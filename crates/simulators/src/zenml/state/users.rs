//! People and service accounts.

use jiff::Timestamp;

use super::tenant::Tenant;
use crate::zenml::rows::{ids::Uuid, users::User};

impl Tenant {
    /// Adds a person, as a first login does. The address of `alice` is `alice@example.com`.
    pub fn add_user(&mut self, username: &str, name: &str, created: Timestamp) -> Uuid {
        let id = self.issue();
        self.users.insert(User {
            id,
            username: username.to_owned(),
            name: Some(name.to_owned()),
            email: Some(format!("{}@example.com", username.to_lowercase())),
            description: None,
            oauth_provider: Some("oidc".to_owned()),
            oauth_id: Some(format!("oidc|{username}")),
            is_active: true,
            is_superuser: false,
            is_service_account: false,
            organization_id: None,
            created,
        });
        id
    }

    /// The user with this address.
    pub fn user_by_email(&self, email: &str) -> Option<Uuid> {
        self.users.iter().find(|user| user.email.as_deref() == Some(email)).map(|user| user.id)
    }

    /// Adds a service account to an organization.
    pub fn add_service_account(
        &mut self,
        organization: Uuid,
        username: &str,
        description: Option<String>,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        self.users.insert(User {
            id,
            username: username.to_owned(),
            name: Some(username.to_owned()),
            email: None,
            description,
            oauth_provider: None,
            oauth_id: None,
            is_active: true,
            is_superuser: false,
            is_service_account: true,
            organization_id: Some(organization),
            created,
        });
        id
    }

    /// The service account with this name.
    pub fn service_account_by_name(&self, organization: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.users.iter().filter(|user| user.organization_id == Some(organization));
        rows.find(|user| user.username == name).map(|user| user.id)
    }
}
