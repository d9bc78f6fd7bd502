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
    /// The namespace of the operator; its Lease shows whether the operator still runs
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    own_namespace: String,
    /// Releases the objects even if an operator seems to run
    #[arg(long)]
    force: bool,
}

/// Releases the objects, unless an operator holds the Lease.
pub async fn run(args: Args) -> Result<(), String> {
    let client = Client::try_default()
        .await
        .map_err(|error| format!("cannot find a Kubernetes configuration: {error}"))?;
    if !args.force
        && let Some(holder) =
            release::running(&client, &args.own_namespace).await.map_err(|error| error.to_string())?
    {
        return Err(format!(
            "the operator {holder} seems to run and would manage the objects again: stop it first (kubectl scale --replicas=0), or use --force"
        ));
    }
    let released =
        release::all(&client, args.namespace.as_deref()).await.map_err(|error| error.to_string())?;
    output::print(&format!(
        "{} objects were released: deleting them now removes nothing from the back ends\n",
        released.objects
    ))
}
