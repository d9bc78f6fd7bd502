//! The simulators against the clients that their vendors publish.
//!
//! Needs a Python with what `tests/conformance/requirements.txt` lists, named by the environment variable
//! `ROLEWRIGHT_CONFORMANCE_PYTHON`. Without it the test is skipped, except in continuous integration.

use std::{env, path::Path};

use rolewright::simulators::arize::{Options, Simulator};
use tokio::process::Command;

const TOKEN: &str = "conformance-token";

/// Proxies would see requests that are meant for this machine.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_arize_sdk_takes_the_simulator_for_the_vendor() {
    let Some(python) = env::var_os("ROLEWRIGHT_CONFORMANCE_PYTHON") else {
        assert!(env::var_os("CI").is_none(), "ROLEWRIGHT_CONFORMANCE_PYTHON must be set in CI");
        eprintln!("SKIPPED: ROLEWRIGHT_CONFORMANCE_PYTHON is not set");
        return;
    };
    let simulator = Simulator::start(Options::new(TOKEN)).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/arize_sdk.py");
    let home = env::temp_dir().join(format!("rolewright-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(python);
    for proxy in PROXIES {
        command.env_remove(proxy);
    }
    let output = command
        .arg(script)
        // The SDK keeps profiles and caches at home; this test's are its own.
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

    let unanswered =
        simulator.world().log.since(0).requests.into_iter().find(|entry| entry.status == Some(405));
    assert_eq!(unanswered, None, "the SDK used an operation that the simulator does not have");
}
