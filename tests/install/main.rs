//! `make test-install`: the image and the chart on a real node, from `helm install` to `helm uninstall`.
//!
//! One story in order, because each step needs the state of the one before. `hack/test-install.sh` runs it as root in namespaces of
//! its own, with the addresses that it needs. Nothing here knows how the operator works: it sees pods, objects, logs and the account.

mod cluster;
mod dns;
mod story;

use std::{net::UdpSocket, process::ExitCode};

#[tokio::main]
async fn main() -> ExitCode {
    // The addresses exist only in the namespaces of the script.
    if UdpSocket::bind((dns::ADDRESS, 0)).is_err() {
        eprintln!(
            "install: run it with `make test-install`: it needs root on Linux, and namespaces of its own"
        );
        return ExitCode::from(2);
    }
    let image = std::env::args().nth(1).unwrap_or_else(|| "target/image/rolewright.oci.tar".to_owned());
    // Blocking code: the simulator runs on the other threads.
    match tokio::task::block_in_place(|| story::run(&image)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ninstall: FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}
