//! `rolewright release`: before an uninstall, so that deleting the objects removes nothing from the back ends.

use kube::Client;

use rolewright_controller::release;

/// Whose objects are let go.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the objects of this namespace
    #[arg(long)]
    namespace: Option<String>,
    /// The namespace of the operator, whose Lease tells whether it still runs
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    own_namespace: String,
    /// Goes on although an operator seems to run
    #[arg(long)]
    force: bool,
}

/// Lets them go.
pub async fn run(args: Args) -> Result<(), String> {
    let client =
        Client::try_default().await.map_err(|error| format!("no way to the Kubernetes API: {error}"))?;
    if !args.force
        && let Some(holder) =
            release::running(&client, &args.own_namespace).await.map_err(|error| error.to_string())?
    {
        return Err(format!(
            "the operator {holder} seems to run and would take everything back: stop it first (kubectl scale --replicas=0), or say --force"
        ));
    }
    let released =
        release::all(&client, args.namespace.as_deref()).await.map_err(|error| error.to_string())?;
    println!(
        "{} objects were released: deleting them now removes nothing from the back ends",
        released.objects
    );
    Ok(())
}
