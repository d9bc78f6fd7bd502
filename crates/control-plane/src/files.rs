//! Files and directories that only their owner can read, because a control plane's directory contains private keys.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::error::Error;

/// Creates a directory and its parents, readable only by the owner.
pub fn make_dir(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::io(format!("cannot create {}", path.display())))
}

/// Creates or truncates a file, and opens it for writing.
pub fn create(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io(format!("cannot write {}", path.display())))
}

/// Creates or replaces a file with `content`.
pub fn write(path: &Path, content: &str) -> Result<(), Error> {
    create(path)?.write_all(content.as_bytes()).map_err(Error::io(format!("cannot write {}", path.display())))
}
