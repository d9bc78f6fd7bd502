//! Tests of the simulators with published clients of the vendors' APIs.
//!
//! The Python clients need a Python interpreter with the packages of `tests/conformance/requirements.txt`; the
//! environment variable `ROLEWRIGHT_CONFORMANCE_PYTHON` has its path. ZenML's SDK needs another one, with the packages
//! of `zenml-requirements.txt`, in `ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML`, and Lenses' client one with those of
//! `lenses-requirements.txt`, in `ROLEWRIGHT_CONFORMANCE_PYTHON_LENSES`. Without the variables these tests are skipped,
//! except in continuous integration.

#[path = "conformance/grafana_crate.rs"]
mod grafana_crate;

use std::{env, path::Path};

use rolewright_simulators::{
    arize, grafana,
    kit::{Server, Vendor},
    lenses, zenml,
};
use tokio::process::Command;

const TOKEN: &str = "conformance-token";
const PYTHON: &str = "ROLEWRIGHT_CONFORMANCE_PYTHON";
const PYTHON_ZENML: &str = "ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML";
const PYTHON_LENSES: &str = "ROLEWRIGHT_CONFORMANCE_PYTHON_LENSES";

/// The scripts run without proxies, because the simulator is on this machine.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_arize_sdk_works_with_the_simulator() {
    let simulator = arize::Simulator::start(arize::Options::new(TOKEN)).await.unwrap();
    if drive(&simulator, PYTHON, "arize_sdk.py").await {
        let unknown = |entry: &rolewright_simulators::kit::log::Entry| entry.status == Some(405);
        let unanswered = simulator.world().log.since(0).requests.into_iter().find(unknown);
        assert_eq!(unanswered, None, "the SDK used an operation that the simulator does not have");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grafana_api_sdk_works_with_the_simulator() {
    let mut options = grafana::Options::new(TOKEN);
    // The SDK requires the status of the documentation (contract 2.2).
    options.tenant.switches.create_status = 200;
    let simulator = grafana::Simulator::start(options).await.unwrap();
    drive(&simulator, PYTHON, "grafana_api_sdk.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grafana_client_works_with_the_simulator() {
    let options = grafana::Options { prefix: "/grafana".to_owned(), ..grafana::Options::new(TOKEN) };
    let simulator = grafana::Simulator::start(options).await.unwrap();
    drive(&simulator, PYTHON, "drive_grafana_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_zenml_sdk_works_with_the_simulator() {
    let simulator = zenml::Simulator::start(zenml::Options::new(TOKEN)).await.unwrap();
    drive(&simulator, PYTHON_ZENML, "zenml_sdk.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lenses_client_works_with_the_simulator() {
    let simulator = lenses::Simulator::start(lenses::Options::new(TOKEN)).await.unwrap();
    drive(&simulator, PYTHON_LENSES, "lenses_mcp_client.py").await;
}

/// Runs a script against a simulator, with the interpreter in this variable. Returns false if the variable is not set.
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
        // Clients store profiles and caches in the home directory.
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
