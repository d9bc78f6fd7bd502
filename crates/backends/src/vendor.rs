//! A vendor that Backends can name, and what it needs to connect to an account.

use std::{collections::BTreeMap, fmt, sync::Arc};

use secrecy::SecretString;

use crate::{
    backend::Backend,
    budget::{Budget, Limits},
    http::{CallObserver, Dialling, ErrorSchema, Http, Options, Times, Transport},
    read_only::ReadOnlyGuard,
};
use rolewright_core::model::{Dialect, Fault};

/// What connecting to an account needs.
pub struct Settings {
    /// The vendor's block of the Backend, as JSON, without its credentials.
    pub block: serde_json::Value,
    /// The values of the Secrets that the block refers to, by the field that refers to them, such as `apiKeySecretRef`.
    pub secrets: BTreeMap<String, SecretString>,
    /// Certificates (PEM) to trust in addition to the public ones.
    pub ca: Option<Vec<u8>>,
    /// The call limits of the account, shared by all that call it.
    pub budget: Arc<Budget>,
    /// Which addresses the operator can call.
    pub dialling: Dialling,
    /// In place of the network, for simulations.
    pub transport: Option<Arc<dyn Transport>>,
    /// Observes every call.
    pub observer: Arc<dyn CallObserver>,
}

impl Settings {
    /// The HTTP stack for paths below `base`. A fault of the URL is reported on `base_field`.
    pub(crate) fn http(
        self,
        vendor: &'static str,
        base: url::Url,
        base_field: &'static str,
        errors: ErrorSchema,
    ) -> Result<Http, Fault> {
        Http::new(Options {
            vendor,
            base,
            base_field,
            ca: self.ca,
            dialling: self.dialling,
            transport: self.transport,
            budget: self.budget,
            observer: self.observer,
            errors,
            times: Times::default(),
        })
    }
}

/// A vendor that Backends can name.
#[derive(Clone, Copy)]
pub struct Vendor {
    /// The name of its block in a Backend.
    pub name: &'static str,
    /// The name of the product.
    pub title: &'static str,
    /// Its pure part, unless a block selects another one.
    pub dialect: &'static dyn Dialect,
    /// The limits of the calls to an account for which the user sets none.
    pub limits: Limits,
    /// The scheme, host and port that the calls of a block go to, such as `https://api.arize.com`: the host that a Secret has to name,
    /// and the first half of an account's identity.
    pub origin: fn(&serde_json::Value) -> Result<url::Url, Fault>,
    /// Makes a client of one account. Makes no call. Use [`Vendor::connect`], which also protects what the vendor owns.
    pub client: fn(Settings) -> Result<Arc<dyn Backend>, Fault>,
}

impl Vendor {
    /// Connects to one account, with what the vendor owns protected from writes. Makes no call.
    ///
    /// # Errors
    /// A fault of the block or of a Secret.
    pub fn connect(&self, settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
        let client = (self.client)(settings)?;
        Ok(Arc::new(ReadOnlyGuard::new(client, self.title)))
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vendor").field(&self.name).finish()
    }
}
