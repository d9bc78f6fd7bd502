//! `rolewright release`: removes the finalizers of all objects, so that deleting them removes nothing from the back ends.

use kube::Client;

use rolewright_controller::release;

use crate::output;

/// The objects to release.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Releases only the objects in this namespace; without it, those in all namespaces
    #[arg(long)]
    namespace: Option<String>,
    /// Looks for a running operator only in this namespace; without it, in all namespaces
    #[arg(long)]
    operator_namespace: Option<String>,
    /// Releases the objects even if an operator runs
    #[arg(long)]
    force: bool,
}

/// Releases the objects, unless an operator runs.
pub async fn run(args: Args) -> Result<(), String> {
    let client = Client::try_default()
        .await
        .map_err(|error| format!("cannot find a Kubernetes configuration: {error}"))?;
    let operator_namespace = args.operator_namespace.as_deref();
    if !args.force
        && let Some(running) =
            release::running(&client, operator_namespace).await.map_err(|error| error.to_string())?
    {
        return Err(format!(
            "the operator {} in namespace {} runs and would manage the objects again: stop it first (kubectl scale --replicas=0), or use \
             --force",
            running.holder, running.namespace
        ));
    }
    let namespace = args.namespace.as_deref();
    let released = release::all(&client, namespace).await.map_err(|error| error.to_string())?;
    let taken_back = release::taken_back(&client, namespace).await.map_err(|error| error.to_string())?;
    if taken_back > 0 {
        return Err(format!(
            "{taken_back} objects are managed again: an operator runs. Deleting them now removes what they manage from the back ends. Stop \
             the operator, and run this command again"
        ));
    }
    output::print(&format!(
        "{} objects were released: deleting them now removes nothing from the back ends\n",
        released.objects
    ))
}
