//! Measures the figures that the project promises and compares them with their goals: a real API server, simulated back ends, a thousand
//! objects and more. The exit code is 1 if a goal is missed.
//!
//! `cargo bench` measures all parts but the long ones, `cargo bench -- steady` one of them. The operator and the back end are separate
//! processes, so their memory and time can be measured apart from the benchmark's.

mod bombs;
mod convergence;
mod credential;
mod neighbours;
mod one_object;
mod steady;
#[path = "../support/mod.rs"]
mod support;
mod vendors;

use std::process::ExitCode;

use support::{Outcome, cluster::Cluster, simulator::Simulator, table::Table};

/// The parts on Arize. Other arguments come from cargo and are ignored.
const PARTS: [&str; 3] = ["convergence", "steady", "credential"];
/// The part on several accounts.
const NEIGHBOURS: &str = "neighbours";
/// The parts that take more than five minutes. Only their names select them.
const LONG_PARTS: [&str; 2] = [LARGE, BOMBS];
const LARGE: &str = "large";
const BOMBS: &str = "bombs";

fn main() -> ExitCode {
    let named: Vec<String> =
        std::env::args().filter(|argument| parts().any(|part| part == argument)).collect();
    let selected = |part: &str| match named.is_empty() {
        true => !LONG_PARTS.contains(&part),
        false => named.iter().any(|name| name == part),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("failed to start the async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(measure(selected)) {
        Ok(table) => {
            if cfg!(debug_assertions) {
                println!("This is a debug build: its times and its memory are meaningless.");
            }
            println!("\n{table}");
            if table.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the measurement failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parts() -> impl Iterator<Item = &'static str> {
    PARTS.into_iter().chain(vendors::PARTS).chain([NEIGHBOURS]).chain(LONG_PARTS)
}

async fn measure(selected: impl Fn(&str) -> bool) -> Outcome<Table> {
    let cluster = Cluster::start().await?;
    let sim = Simulator::start("arize").await?;
    let mut table = Table::default();
    if selected("convergence") {
        convergence::measure(&cluster, &sim, &mut table).await?;
    }
    if selected("steady") {
        steady::measure(&cluster, &sim, &mut table).await?;
    }
    if selected("credential") {
        credential::measure(&cluster, &sim, &mut table).await?;
    }
    for vendor in vendors::PARTS.into_iter().filter(|part| selected(part)) {
        vendors::measure(vendor, &cluster, &mut table).await?;
    }
    if selected(NEIGHBOURS) {
        neighbours::measure(&cluster, &mut table).await?;
    }
    if selected(LARGE) {
        vendors::large::measure(&cluster, &mut table).await?;
    }
    if selected(BOMBS) {
        bombs::measure(&cluster, &mut table).await?;
    }
    Ok(table)
}
