//! Logging to stderr, as text or as JSON lines.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Plain text
    Text,
    /// One JSON object per line
    Json,
}

/// Starts logging to stderr. No level filters out the change log, the target `rolewright::changes`.
///
/// # Errors
/// `level` is not the name of a level.
pub fn start(format: Format, level: &str) -> Result<(), String> {
    const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
    if !LEVELS.contains(&level) {
        return Err(format!("--log-level: {level:?} is not a level; write one of {}", LEVELS.join(", ")));
    }
    // kube's client logs each failed call at ERROR, although the caller handles the error.
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
