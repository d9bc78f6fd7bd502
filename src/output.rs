//! Output to stdout that a reader can stop early, as in `rolewright crds | head`.

use std::io::{self, ErrorKind, Write};

/// Writes `text` to stdout. A reader that closed the pipe has read enough: that is no error.
///
/// # Errors
/// Any other write error, as a message for the user.
pub fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {error}"))
        }
        _ => Ok(()),
    }
}
