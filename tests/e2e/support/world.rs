//! The environment of one test: a namespace, a simulated account, an operator that serves only this namespace.

use std::{path::PathBuf, time::Duration};

use kube::Client;
use rolewright_simulators::{arize::Arize, kit::Server};

use super::{account::Account, operator::Operator};

/// The admin's credential in every simulated account.
pub const ADMIN_CREDENTIAL: &str = "admin-key-0123456789";
/// The limit of every wait. Much longer than any should take.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// The environment of one test.
pub struct World<V: Account = Arize> {
    /// The namespace of the test's objects.
    pub namespace: String,
    /// The simulated account.
    pub sim: Server<V>,
    /// A client with all rights.
    pub client: Client,
    /// The running operator.
    pub operator: Operator,
    pub(super) kubeconfig: PathBuf,
    pub(super) log: PathBuf,
    pub(super) args: Vec<String>,
}

impl<V: Account> World<V> {
    /// Replaces the operator process. If one still runs, it is killed.
    pub fn restart(&mut self) {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.operator = Operator::start(&self.kubeconfig, &self.log, &args);
    }
}
