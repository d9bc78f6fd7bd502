//! The figures that the project promises, measured on a real API server and simulated back ends with a thousand objects and more, beside
//! their goals. Ends with 1 when a goal is missed.
//!
//! `cargo bench` measures all of it; `cargo bench -- steady` one part. Operator and back end are processes of their own, so that their
//! memory and their time are not the benchmark's.

mod convergence;
mod credential;
mod one_object;
mod steady;
#[path = "../support/mod.rs"]
mod support;
mod vendors;

use std::process::ExitCode;

use support::{Outcome, cluster::Cluster, simulator::Simulator, table::Table};

/// Arguments that name no part are cargo's own.
const PARTS: [&str; 3] = ["convergence", "steady", "credential"];

fn main() -> ExitCode {
    let named: Vec<String> =
        std::env::args().filter(|argument| parts().any(|part| part == argument)).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no threads are to be had: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(measure(wanted)) {
        Ok(table) => {
            if cfg!(debug_assertions) {
                println!("This is a debug build: its times and its memory say nothing.");
            }
            println!("\n{table}");
            if table.met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the figures could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parts() -> impl Iterator<Item = &'static str> {
    PARTS.into_iter().chain(vendors::PARTS)
}

async fn measure(wanted: impl Fn(&str) -> bool) -> Outcome<Table> {
    let cluster = Cluster::start().await?;
    let sim = Simulator::start("arize").await?;
    let mut table = Table::default();
    if wanted("convergence") {
        convergence::measure(&cluster, &sim, &mut table).await?;
    }
    if wanted("steady") {
        steady::measure(&cluster, &sim, &mut table).await?;
    }
    if wanted("credential") {
        credential::measure(&cluster, &sim, &mut table).await?;
    }
    for vendor in vendors::PARTS.into_iter().filter(|part| wanted(part)) {
        vendors::measure(vendor, &cluster, &mut table).await?;
    }
    Ok(table)
}
