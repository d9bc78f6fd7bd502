//! Rules of the source tree that the compiler does not check.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The most lines that a source file can have.
const MAX_LINES: usize = 600;

/// Which packages of this workspace a package can depend on, outside of its tests.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("rolewright-core", &[]),
    ("rolewright-api", &[]),
    ("rolewright-backends", &["core"]),
    ("rolewright-reconcile", &["api", "backends", "core"]),
    ("rolewright-controller", &["api", "backends", "core", "reconcile"]),
    // The vendors' side: a type shared with our clients could hide one mistake on both sides.
    ("rolewright-simulators", &[]),
    ("control-plane", &[]),
    ("rolewright", &["api", "backends", "controller", "core", "simulators"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["src", "crates", "tests", "benches"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 300, "the sources were not found");
    found
}

#[test]
fn packages_depend_only_on_those_below_them() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let table: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), table.len(), "a package has no line in this test's table");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        for dependency in dependencies.filter(|dependency| dependency["kind"].is_null()) {
            let Some(ours) = dependency["name"].as_str().unwrap().strip_prefix("rolewright-") else {
                continue;
            };
            assert!(table[name].contains(&ours), "{name} must not depend on rolewright-{ours}");
        }
    }
}

#[test]
fn a_source_file_has_at_most_600_lines() {
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let too_long: Vec<PathBuf> = sources().into_iter().filter(|path| lines(path) > MAX_LINES).collect();
    assert!(too_long.is_empty(), "{too_long:?}");
}
