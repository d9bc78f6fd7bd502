//! The credentials of a simulator. Requests find them by secret; the log and `/_sim` identify them by name.
//!
//! Secrets do not leave this module: no type that contains one can be printed or serialized.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

/// The credentials of one simulator, each with its access.
pub struct Credentials<G> {
    store: RwLock<Store<G>>,
}

struct Store<G> {
    names_by_secret: HashMap<String, String>,
    views: Vec<View<G>>,
}

/// A credential without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View<G> {
    /// The name of the credential in the request log.
    pub name: String,
    /// Whether the vendor refuses the credential.
    pub expired: bool,
    /// The access of the credential.
    pub grant: G,
}

/// The body of `POST /_sim/credentials`.
#[derive(Deserialize)]
#[serde(tag = "action", deny_unknown_fields)]
pub enum Change<G> {
    /// Adds a credential.
    Add {
        /// A unique name.
        name: String,
        /// A unique secret: a bearer token, or `user:password` where the vendor uses basic authentication.
        token: String,
        /// The access of the new credential.
        grant: G,
    },
    /// Makes the vendor refuse the credential from now on.
    Expire {
        /// The credential's name.
        name: String,
    },
    /// Makes the vendor accept an expired credential again.
    Revive {
        /// The credential's name.
        name: String,
    },
    /// Replaces the access of the credential. The new access can be less or more.
    Narrow {
        /// The credential's name.
        name: String,
        /// The access from now on.
        grant: G,
    },
}

/// The reason why a credential was not added or changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialError {
    /// Another credential has this name or this secret.
    #[error("another credential has this name or this token")]
    Taken,
    /// The name or the secret is empty.
    #[error("name and token must not be empty")]
    Empty,
    /// No credential has this name.
    #[error("no credential has this name")]
    Unknown,
}

impl<G> Default for Credentials<G> {
    fn default() -> Self {
        Self { store: RwLock::new(Store { names_by_secret: HashMap::new(), views: Vec::new() }) }
    }
}

impl<G: Clone> Credentials<G> {
    /// Adds a credential.
    ///
    /// # Errors
    /// [`CredentialError::Taken`] or [`CredentialError::Empty`].
    pub fn add(&self, name: &str, secret: &str, grant: G) -> Result<(), CredentialError> {
        if name.is_empty() || secret.is_empty() {
            return Err(CredentialError::Empty);
        }
        let mut store = self.write();
        if store.names_by_secret.contains_key(secret) || store.views.iter().any(|view| view.name == name) {
            return Err(CredentialError::Taken);
        }
        store.names_by_secret.insert(secret.to_owned(), name.to_owned());
        store.views.push(View { name: name.to_owned(), expired: false, grant });
        Ok(())
    }

    /// Makes the vendor refuse a credential.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn expire(&self, name: &str) -> Result<(), CredentialError> {
        self.change(name, |view| view.expired = true)
    }

    /// Makes the vendor accept an expired credential again.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn revive(&self, name: &str) -> Result<(), CredentialError> {
        self.change(name, |view| view.expired = false)
    }

    /// Replaces the access of a credential.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn narrow(&self, name: &str, grant: G) -> Result<(), CredentialError> {
        self.change(name, |view| view.grant = grant)
    }

    /// Applies the body of `POST /_sim/credentials`, and returns the changed credential.
    ///
    /// # Errors
    /// Any [`CredentialError`].
    pub fn apply(&self, change: Change<G>) -> Result<View<G>, CredentialError> {
        let name = match change {
            Change::Add { name, token, grant } => {
                self.add(&name, &token, grant)?;
                name
            }
            Change::Expire { name } => {
                self.expire(&name)?;
                name
            }
            Change::Revive { name } => {
                self.revive(&name)?;
                name
            }
            Change::Narrow { name, grant } => {
                self.narrow(&name, grant)?;
                name
            }
        };
        self.read().views.iter().find(|view| view.name == name).cloned().ok_or(CredentialError::Unknown)
    }

    /// Finds the credential with this secret, expired or not.
    pub fn find(&self, secret: &str) -> Option<View<G>> {
        let store = self.read();
        let name = store.names_by_secret.get(secret)?;
        store.views.iter().find(|view| view.name == *name).cloned()
    }

    /// All credentials, in the order in which they were added.
    pub fn list(&self) -> Vec<View<G>> {
        self.read().views.clone()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut View<G>)) -> Result<(), CredentialError> {
        let mut store = self.write();
        let view = store.views.iter_mut().find(|view| view.name == name).ok_or(CredentialError::Unknown)?;
        change(view);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Store<G>> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Store<G>> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The secret after `Bearer ` (RFC 6750, 2.1), if the request has one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests {
    use super::{CredentialError, Credentials};

    #[test]
    fn credentials_are_found_by_secret_and_changed_by_name() {
        let credentials = Credentials::default();
        credentials.add("reader", "s3cret", 1).unwrap();
        assert_eq!(credentials.add("reader", "other", 2), Err(CredentialError::Taken));
        assert_eq!(credentials.add("writer", "s3cret", 2), Err(CredentialError::Taken));
        credentials.narrow("reader", 5).unwrap();
        credentials.expire("reader").unwrap();
        let view = credentials.find("s3cret").unwrap();
        assert_eq!((view.expired, view.grant), (true, 5));
        credentials.revive("reader").unwrap();
        assert!(!credentials.find("s3cret").unwrap().expired);
        assert_eq!(credentials.expire("nobody"), Err(CredentialError::Unknown));
    }
}
