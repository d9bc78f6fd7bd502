//! Credentials of a simulator: found by their secret, spoken of by their name.
//!
//! Secrets stay in here: no type that carries one can be printed or serialized.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

/// The credentials of one simulator, with what each may see and do.
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
    /// The name under which it appears in the request log.
    pub name: String,
    /// Whether the vendor refuses it.
    pub expired: bool,
    /// What it may see and do.
    pub grant: G,
}

/// What `POST /_sim/credentials` asks for.
#[derive(Deserialize)]
#[serde(tag = "action", deny_unknown_fields)]
pub enum Change<G> {
    /// A new credential.
    Add {
        /// Its name, unique.
        name: String,
        /// Its secret, unique: a bearer token, or `user:password` where the vendor takes basic
        /// authentication.
        token: String,
        /// What it may see and do.
        grant: G,
    },
    /// From now on the credential is refused.
    Expire {
        /// Its name.
        name: String,
    },
    /// An expired credential is taken again.
    Revive {
        /// Its name.
        name: String,
    },
    /// Replaces what the credential may see and do, be it less or more.
    Narrow {
        /// Its name.
        name: String,
        /// What it may see and do from now on.
        grant: G,
    },
}

/// Why a credential could not be changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialError {
    /// The name is taken, or another credential has this secret.
    #[error("a credential with this name or this token exists")]
    Taken,
    /// An empty name or secret.
    #[error("a credential needs a name and a token")]
    Empty,
    /// No credential of this name.
    #[error("no credential of this name")]
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

    /// Makes the vendor take an expired credential again.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn revive(&self, name: &str) -> Result<(), CredentialError> {
        self.change(name, |view| view.expired = false)
    }

    /// Replaces what a credential may see and do.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn narrow(&self, name: &str, grant: G) -> Result<(), CredentialError> {
        self.change(name, |view| view.grant = grant)
    }

    /// Does what `POST /_sim/credentials` asks for, and returns the credential as it is then.
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

    /// The credential with this secret, expired or not.
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

/// The secret after `Bearer ` (RFC 6750, 2.1), if the request carries one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests {
    use super::{CredentialError, Credentials};

    #[test]
    fn a_credential_is_found_by_its_secret_and_changed_by_its_name() {
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
