//! Where the servers' binaries are: the envtest convention first, then what `make tools` built.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::Error;

/// The path of a binary, e.g. `kubectl`: from the directory that `KUBEBUILDER_ASSETS` names, else from `hack/bin` of
/// the workspace.
///
/// # Errors
/// [`Error::MissingBinary`] if no directory has it.
pub fn find(name: &str) -> Result<PathBuf, Error> {
    find_in(directories(), name)
}

fn directories() -> Vec<PathBuf> {
    let assets = env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()).map(PathBuf::from);
    // A binary that was built elsewhere and carried here finds hack/bin from where it is run.
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
    fn a_missing_binary_says_how_to_get_it() {
        let error = find_in(vec!["/nowhere/a".into(), "/nowhere/b".into()], "etcd").unwrap_err().to_string();
        assert!(error.starts_with("etcd is not in /nowhere/a or /nowhere/b: run `make tools`"), "{error}");
    }

    #[test]
    fn the_first_directory_that_has_the_binary_wins() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = find_in(vec!["/nowhere".into(), own.join("src"), own.into()], "lib.rs").unwrap();
        assert_eq!(found, own.join("src/lib.rs"));
    }
}
