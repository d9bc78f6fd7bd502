//! The version that `--version`, the log and the metrics show: that of the package, with the commit where the build names one.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=ROLEWRIGHT_COMMIT");
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let commit = env::var("ROLEWRIGHT_COMMIT").unwrap_or_default();
    println!("cargo::rustc-env=ROLEWRIGHT_COMMIT={commit}");
    let text = if commit.is_empty() { version } else { format!("{version} ({commit})") };
    println!("cargo::rustc-env=ROLEWRIGHT_VERSION={text}");
}
