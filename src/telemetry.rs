//! Logs: for people as text, for programs as JSON, one line each.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Starts logging to stderr. The change log, on the target `rolewright::changes`, is never filtered out.
///
/// # Errors
/// When `level` is none of the known ones.
pub fn start(format: Format, level: &str) -> Result<(), String> {
    const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
    if !LEVELS.contains(&level) {
        return Err(format!("--log-level: {level:?} is not a level; write one of {}", LEVELS.join(", ")));
    }
    // Below debug, kube's client logs each failed call at ERROR although the caller deals with it.
    let filter = EnvFilter::new(format!(
        "warn,rolewright={level},rolewright::changes=info,kube_client::client::builder=off"
    ));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Text => {
            let colour = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(colour).with_writer(std::io::stderr)).init();
        }
        Format::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(false)
                    .with_writer(std::io::stderr),
            )
            .init(),
    }
    Ok(())
}
