//! Finds the binaries of the servers: first in the directory of the envtest convention, then where `make tools` puts them.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::error::Error;

/// The absolute path of a binary such as `kubectl`. It searches the directory in `KUBEBUILDER_ASSETS`, then `hack/bin` of the
/// workspace.
///
/// # Errors
/// [`Error::MissingBinary`] if no directory contains it.
pub fn find(name: &str) -> Result<PathBuf, Error> {
    find_in(directories(), name)
}

fn directories() -> Vec<PathBuf> {
    let assets = env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()).map(PathBuf::from);
    // A program that was built elsewhere and copied here finds hack/bin in its working directory.
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(|root| root.join("hack/bin"));
    let run_in = env::current_dir().ok().map(|dir| dir.join("hack/bin"));
    let mut directories: Vec<PathBuf> = [assets, built_in, run_in].into_iter().flatten().collect();
    directories.dedup();
    directories
}

fn find_in(directories: Vec<PathBuf>, name: &str) -> Result<PathBuf, Error> {
    match directories.iter().map(|dir| dir.join(name)).find(|path| path.is_file()) {
        Some(path) => {
            std::path::absolute(&path).map_err(Error::io(format!("cannot resolve {}", path.display())))
        }
        None => Err(Error::MissingBinary { name: name.to_owned(), searched: directories }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_for_a_missing_binary_names_the_command() {
        let error = find_in(vec!["/nowhere/a".into(), "/nowhere/b".into()], "etcd").unwrap_err().to_string();
        assert!(
            error.starts_with("etcd is not in /nowhere/a or /nowhere/b: run `hack/tools.sh etcd`"),
            "{error}"
        );
    }

    #[test]
    fn first_directory_with_the_binary_wins() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = find_in(vec!["/nowhere".into(), own.join("src"), own.into()], "lib.rs").unwrap();
        assert_eq!(found, own.join("src/lib.rs"));
    }
}
