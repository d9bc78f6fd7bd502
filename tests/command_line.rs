//! The binary as a command in a shell: output, exit codes, pipes.

use std::{
    io,
    process::{Command, Output, Stdio},
};

/// Runs the binary with a stdout whose reader is already closed.
fn run_with_closed_stdout(args: &[&str]) -> Output {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    Command::new(env!("CARGO_BIN_EXE_rolewright"))
        .args(args)
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

#[test]
fn closed_stdout_ends_a_command_quietly() {
    for args in [&["crds"][..], &["--help"], &["run", "--help"], &["--version"]] {
        let output = run_with_closed_stdout(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{args:?}: {}: {stderr}", output.status);
    }
}

#[test]
fn closed_stderr_does_not_hide_the_exit_code() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    // The directory cannot be created: its parent is a file.
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/crds");
    let status = Command::new(env!("CARGO_BIN_EXE_rolewright"))
        .args(["crds", "--dir", dir])
        .stderr(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}
