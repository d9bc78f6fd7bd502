//! The back ends: what the pipeline asks of one, the HTTP stack they share, and a folder a vendor.
//! They know the access model and nothing of Kubernetes. Writes come in as a [`Change`] and in no other way.

mod address;
pub mod arize;
mod budget;
mod error;
pub mod grafana;
mod http;
pub mod lenses;
mod reading;
#[cfg(test)]
mod testing;
mod untouchable;
pub mod zenml;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use self::http::{ErrorSchema, Http, Options, Times};
pub use self::{
    budget::{Budget, Haste, Limits, Waiting, metered},
    error::{Class, Error},
    http::{CallObserver, Dialling},
};
use rolewright_core::model::{Body, Change, Dialect, Entry, Fault, Id, Kind, Observed, Snapshot};

/// Who a credential is, as far as the back end tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A sentence's end for people: what the credential is, or sees.
    pub description: String,
    /// Identifiers that only this account has. Two credentials whose anchors meet belong to one account; empty where
    /// the credential sees too little to tell.
    pub anchors: BTreeSet<String>,
    /// The kinds of things that the vendor has and this account has not, as for want of a licence, and why.
    pub lacks: BTreeMap<Kind, String>,
    /// When the credential ends, where the back end tells.
    pub expires: Option<Timestamp>,
}

/// Which parts of a tenant a snapshot has to show. What nobody refers to is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The kinds of things.
    pub kinds: BTreeSet<Kind>,
    /// The levels of the directory at which names have to be known.
    pub levels: BTreeSet<String>,
    /// What [`Dialect::asked_for`] says of the things that are held: where the lists say nothing of it, it is asked about by itself, so that
    /// what is held is seen, or its absence proven.
    pub held: BTreeSet<Id>,
}

/// One account of a vendor, seen with one credential.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The vendor's pure part.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Asks who the credential is, or what it sees where there is no such call.
    async fn probe(&self) -> Result<Identity, Error>;

    /// Reads everything that is needed, each list to its end.
    ///
    /// # Errors
    /// Whatever kept any list from being read to its end: there is no partial snapshot.
    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error>;

    /// Looks one name up, for what came after the last snapshot. More than one entry means that the name is ambiguous.
    async fn look_up(&self, level: &str, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error>;

    /// Reads one thing again by its id. None: it is not seen, which may mean gone or hidden.
    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error>;

    /// Looks for the thing that has this body's natural key. None: it is not seen, which may mean absent or hidden.
    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error>;

    /// Makes one change. Gives the thing as the back end answered, nothing for a removal.
    ///
    /// # Errors
    /// [`Class::Lost`] when the change may have been made although no answer says so: look before trying again.
    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error>;
}

/// What a back end is reached with.
pub struct Settings {
    /// The vendor's block of the Backend, as JSON, without its credentials.
    pub block: serde_json::Value,
    /// The values of the Secrets that the block refers to, by the field that refers to them, such as `apiKeySecretRef`.
    pub secrets: BTreeMap<String, SecretString>,
    /// Certificates (PEM) to trust beside the public ones.
    pub ca: Option<Vec<u8>>,
    /// What the tenant's calls may use up, shared by all that call it.
    pub budget: Arc<Budget>,
    /// Which addresses may be dialled.
    pub dialling: Dialling,
    /// Told of every call that was made.
    pub observer: Arc<dyn CallObserver>,
}

impl Settings {
    /// The stack that calls go through, to paths below `base`. A fault of that is one of `base_field`.
    fn http(
        self,
        vendor: &Vendor,
        base: url::Url,
        base_field: &'static str,
        errors: ErrorSchema,
    ) -> Result<Http, Fault> {
        Http::new(Options {
            vendor: vendor.name,
            base,
            base_field,
            ca: self.ca,
            dialling: self.dialling,
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
    /// The name of its block.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its pure part, as it is unless a block says otherwise.
    pub dialect: &'static dyn Dialect,
    /// The scheme, host and port that this block's calls go to, such as `https://api.arize.com`: what a Secret has to
    /// name, and the first half of a tenant.
    pub origin: fn(&serde_json::Value) -> Result<url::Url, Fault>,
    /// Makes a client. Calls nothing.
    pub connect: fn(Settings) -> Result<Arc<dyn Backend>, Fault>,
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vendor").field(&self.name).finish()
    }
}

/// All vendors.
pub const VENDORS: &[Vendor] = &[arize::VENDOR, grafana::VENDOR, lenses::VENDOR, zenml::VENDOR];
