//! The simulators against the clients that are published for their vendors.
//!
//! Those in Python need what `tests/conformance/requirements.txt` lists, in a Python named by the environment
//! variable `ROLEWRIGHT_CONFORMANCE_PYTHON`, and ZenML's SDK what `zenml-requirements.txt` lists, in the one of
//! `ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML`. Without them these tests are skipped, except in continuous integration.

#[path = "conformance/grafana_crate.rs"]
mod grafana_crate;

use std::{env, path::Path};

use rolewright_simulators::{
    arize, grafana,
    kit::{Server, Vendor},
    zenml,
};
use tokio::process::Command;

const TOKEN: &str = "conformance-token";
const PYTHON: &str = "ROLEWRIGHT_CONFORMANCE_PYTHON";
const PYTHON_ZENML: &str = "ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML";

/// Proxies would see requests that are meant for this machine.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_arize_sdk_takes_the_simulator_for_the_vendor() {
    let simulator = arize::Simulator::start(arize::Options::new(TOKEN)).await.unwrap();
    if drive(&simulator, PYTHON, "arize_sdk.py").await {
        let unknown = |entry: &rolewright_simulators::kit::log::Entry| entry.status == Some(405);
        let unanswered = simulator.world().log.since(0).requests.into_iter().find(unknown);
        assert_eq!(unanswered, None, "the SDK used an operation that the simulator does not have");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grafana_api_sdk_takes_the_simulator_for_the_vendor() {
    let mut options = grafana::Options::new(TOKEN);
    // The SDK insists on the status of the documentation (contract 2.2).
    options.tenant.switches.create_status = 200;
    let simulator = grafana::Simulator::start(options).await.unwrap();
    drive(&simulator, PYTHON, "grafana_api_sdk.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grafana_client_takes_the_simulator_for_the_vendor() {
    let options = grafana::Options { prefix: "/grafana".to_owned(), ..grafana::Options::new(TOKEN) };
    let simulator = grafana::Simulator::start(options).await.unwrap();
    drive(&simulator, PYTHON, "drive_grafana_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_zenml_sdk_takes_the_simulator_for_the_vendor() {
    let simulator = zenml::Simulator::start(zenml::Options::new(TOKEN)).await.unwrap();
    drive(&simulator, PYTHON_ZENML, "zenml_sdk.py").await;
}

/// Runs a script against a simulator with the Python that this variable names; false if there is none.
async fn drive<V: Vendor>(simulator: &Server<V>, variable: &str, script: &str) -> bool {
    let Some(python) = env::var_os(variable) else {
        assert!(env::var_os("CI").is_none(), "{variable} must be set in CI");
        eprintln!("SKIPPED: {variable} is not set");
        return false;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(script);
    let home = env::temp_dir().join(format!("rolewright-conformance-{}-{script}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(python);
    for proxy in PROXIES {
        command.env_remove(proxy);
    }
    let output = command
        .arg(path)
        // Clients keep profiles and caches at home; this test's are its own.
        .env("HOME", &home)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ROLEWRIGHT_SIMULATOR_URL", simulator.url())
        .env("ROLEWRIGHT_SIMULATOR_TOKEN", TOKEN)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    std::fs::remove_dir_all(&home).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}", text(&output.stderr));
    true
}
