//! Files that nobody but their owner may read: a control plane's directory is full of keys.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::Error;

/// Makes a directory and its parents.
pub fn make_dir(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::io(format!("cannot make {}", path.display())))
}

/// Makes or empties a file and opens it for writing.
pub fn create(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io(format!("cannot write {}", path.display())))
}

/// Makes or replaces a file with this content.
pub fn write(path: &Path, content: &str) -> Result<(), Error> {
    create(path)?.write_all(content.as_bytes()).map_err(Error::io(format!("cannot write {}", path.display())))
}
