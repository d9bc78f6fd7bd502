//! The `rolewright` program: see `rolewright --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rolewright::cli::main()
}
