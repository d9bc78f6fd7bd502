//! Tests of the simulators with published clients of the vendors' APIs.
//!
//! The Python clients need a Python interpreter with the packages of `tests/conformance/requirements.txt`; the
//! environment variable `ROLEWRIGHT_CONFORMANCE_PYTHON` has its path. ZenML's SDK needs another one, with the packages
//! of `zenml-requirements.txt`, in `ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML`, and Lenses' client one with those of
//! `lenses-requirements.txt`, in `ROLEWRIGHT_CONFORMANCE_PYTHON_LENSES`. Without the variables these tests are skipped,
//! except in continuous integration. Grafana's Go client needs Go and its modules; without them its test is skipped too.

#[path = "conformance/grafana_crate.rs"]
mod grafana_crate;

use std::{
    env,
    path::{Path, PathBuf},
};

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
async fn the_grafana_go_client_works_with_the_simulator() {
    let Some(program) = go_program("grafana_go").await else { return };
    let options = grafana::Options { prefix: "/grafana".to_owned(), ..grafana::Options::new(TOKEN) };
    let simulator = grafana::Simulator::start(options).await.unwrap();
    run(&simulator, Command::new(&program), "grafana_go").await;
    std::fs::remove_file(program).unwrap();
}

/// Builds a Go program of `tests/conformance`. None if there is no Go, or if its modules cannot be downloaded.
async fn go_program(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(name);
    let go = async |arguments: &[&str]| {
        Command::new("go").args(arguments).current_dir(&folder).env("GOFLAGS", "-mod=readonly").output().await
    };
    let modules = go(&["mod", "download"]).await;
    if !modules.as_ref().is_ok_and(|output| output.status.success()) {
        assert!(env::var_os("CI").is_none(), "CI needs Go with the modules of {name}: {modules:?}");
        eprintln!("SKIPPED: {name} needs Go with its modules (go mod download)");
        return None;
    }
    let program = env::temp_dir().join(format!("rolewright-conformance-{}-{name}", std::process::id()));
    let built = go(&["build", "-o", program.to_str().unwrap(), "."]).await.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(program)
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
    let mut command = Command::new(python);
    command.arg(path);
    run(simulator, command, script).await;
    true
}

/// Runs a program against a simulator.
async fn run<V: Vendor>(simulator: &Server<V>, mut command: Command, name: &str) {
    let home = env::temp_dir().join(format!("rolewright-conformance-home-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    for proxy in PROXIES {
        command.env_remove(proxy);
    }
    let output = command
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
}
