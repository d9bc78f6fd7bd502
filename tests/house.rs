//! Rules of the source tree that the compiler does not check.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The most lines that a source file can have.
const MAX_LINES: usize = 600;

/// The packages of this workspace that a package can depend on, except in its tests.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("rolewright-core", &[]),
    ("rolewright-api", &[]),
    ("rolewright-backends", &["core"]),
    ("rolewright-reconcile", &["api", "backends", "core"]),
    ("rolewright-controller", &["api", "backends", "core", "reconcile"]),
    // A type that simulators share with our clients could hide the same mistake on both sides.
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
    assert!(found.len() > 300, "too few sources found");
    found
}

#[test]
fn packages_depend_only_on_lower_layers() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let table: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), table.len(), "MAY_DEPEND_ON and the workspace have different packages");
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
fn source_file_has_at_most_600_lines() {
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let too_long: Vec<PathBuf> = sources().into_iter().filter(|path| lines(path) > MAX_LINES).collect();
    assert!(too_long.is_empty(), "{too_long:?}");
}

#[test]
fn documented_limits_are_those_of_the_vendors() {
    let page = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    for vendor in rolewright_backends::VENDORS {
        let limits = vendor.limits;
        let row = [limits.initial_per_second, limits.max_per_second, limits.burst, limits.concurrency];
        let row = format!("| {} | {} |\n", vendor.title, row.map(|limit| limit.to_string()).join(" | "));
        assert!(page.contains(&row), "docs/operating.md lacks the row {row}");
    }
}

/// A section of a contract: a chapter such as 2, or a section of it such as 2.1.
type Section = (u32, Option<u32>);

/// Simulations decide how fast time passes. Whatever waits or measures must use the clock of the runtime.
#[test]
fn operator_uses_the_clock_of_the_runtime() {
    // The budget's rate limiter takes standard instants, which come from that clock.
    const EXCEPTIONS: [&str; 2] = ["crates/backends/src/budget.rs", "crates/backends/src/http/stub.rs"];
    let packages = ["core", "backends", "reconcile", "controller"].map(|name| format!("crates/{name}/src"));
    for file in sources() {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if !packages.iter().any(|package| path.starts_with(package)) || EXCEPTIONS.contains(&path.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let imports_std = text.contains("std::time::Instant")
            || text.contains("    time::{Duration, Instant},")
            || text.contains("    time::Instant,");
        assert!(!imports_std, "{path}: use tokio::time::Instant");
    }
}

#[test]
fn contract_references_point_to_existing_sections() {
    let mut found = BTreeMap::new();
    let mut broken = Vec::new();
    for path in sources() {
        let Some(vendor) = vendor_of(&path) else { continue };
        let (sections, count) =
            found.entry(vendor.clone()).or_insert_with(|| (sections_of(&vendor), 0_usize));
        for (line, section) in references(&fs::read_to_string(&path).unwrap()) {
            *count += 1;
            if !sections.contains(&section) {
                let (chapter, part) = section;
                let number = part.map_or(chapter.to_string(), |part| format!("{chapter}.{part}"));
                broken.push(format!("{}:{line}: {vendor}.md has no section {number}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(found.len() > 1 && found.values().all(|(_, count)| *count > 10), "references found: {found:?}");
}

/// The vendor whose code a file has: a folder of the path is `<vendor>` or `simulator_<vendor>`.
fn vendor_of(path: &Path) -> Option<String> {
    let folders = path.strip_prefix(root()).unwrap().parent()?.components();
    folders.filter_map(|folder| folder.as_os_str().to_str()).find_map(|folder| {
        let name = folder.strip_prefix("simulator_").unwrap_or(folder);
        contract(name).exists().then(|| name.to_owned())
    })
}

fn contract(vendor: &str) -> PathBuf {
    root().join("docs/contracts").join(vendor).with_extension("md")
}

/// The sections of a contract: the numbers of its headings, `## 2. Endpoints` or `### 2.1 Roles`.
fn sections_of(vendor: &str) -> BTreeSet<Section> {
    let text = fs::read_to_string(contract(vendor)).unwrap();
    let titles = text.lines().filter_map(|line| line.strip_prefix("## ").or(line.strip_prefix("### ")));
    titles.filter_map(|title| Some(section(title)?.0)).collect()
}

/// The sections that a source refers to, each with its line number.
fn references(source: &str) -> Vec<(usize, Section)> {
    // A reference can continue on the next line of a comment.
    let mut text = String::new();
    let mut starts = Vec::new();
    for line in source.lines() {
        starts.push(text.len());
        text.push_str(line.trim_start().trim_start_matches(['/', '!']).trim_start());
        text.push(' ');
    }
    let lower = text.to_ascii_lowercase();
    let mut references = Vec::new();
    for (start, word) in lower.match_indices("contract ") {
        let line = starts.partition_point(|first| *first <= start);
        let listed = listed_sections(text[start + word.len()..].trim_start());
        references.extend(listed.into_iter().map(|section| (line, section)));
    }
    references
}

/// The sections at the start of a text, in forms such as `2.1`, `2.1, 3 and 3.4`, `2.1 to 2.5` or `1, "Error body"; 2.3`.
fn listed_sections(mut text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut is_range = false;
    while let Some((last, rest)) = section(text) {
        if is_range && let Some((chapter, Some(first))) = sections.last().copied() {
            let (_, end) = last;
            sections.extend((first + 1..end.unwrap_or(first)).map(|number| (chapter, Some(number))));
        }
        sections.push(last);
        // The title of the section.
        let rest = match rest.strip_prefix(", \"").and_then(|title| title.split_once('"')) {
            Some((_title, rest)) => rest,
            None => rest,
        };
        let separators = [", and ", ", ", "; ", " and ", " to ", "-"];
        let Some(separator) = separators.iter().find(|separator| rest.starts_with(**separator)) else {
            break;
        };
        is_range = [" to ", "-"].contains(separator);
        text = &rest[separator.len()..];
    }
    sections
}

/// The section number at the start of a text, and the rest of the text.
fn section(text: &str) -> Option<(Section, &str)> {
    let (chapter, rest) = number(text)?;
    match rest.strip_prefix('.').and_then(number) {
        Some((section, rest)) => Some(((chapter, Some(section)), rest)),
        None => Some(((chapter, None), rest)),
    }
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[test]
fn references_are_found_in_lists_ranges_and_wrapped_comments() {
    let sections = |source| references(source).into_iter().map(|(_, section)| section).collect::<Vec<_>>();
    assert_eq!(sections("// (contract 2.1)."), [(2, Some(1))]);
    assert_eq!(sections("//! Contract 2.1, 3 and 3.4: roles"), [(2, Some(1)), (3, None), (3, Some(4))]);
    assert_eq!(sections("// (contract 2.1 to 2.3)"), [(2, Some(1)), (2, Some(2)), (2, Some(3))]);
    assert_eq!(sections("// (contract 1, \"400 vs 422\"; 2.3)"), [(1, None), (2, Some(3))]);
    assert_eq!(sections("// (contract 2.2, since 13: 409)"), [(2, Some(2))]);
    assert_eq!(
        references("fn a() {}\n/// It is wrapped (contract\n/// 6.1, 6.2)").first(),
        Some(&(2, (6, Some(1))))
    );
}

/// CI installs one version. A tool that needs a newer one would fail there only.
#[test]
fn go_modules_of_tools_name_one_go_version() {
    let folders = fs::read_dir(root().join("hack")).unwrap().map(|entry| entry.unwrap().path());
    let version = |module: PathBuf| {
        let text = fs::read_to_string(module).ok()?;
        text.lines().find_map(|line| line.strip_prefix("go ").map(str::to_owned))
    };
    let versions: Vec<String> = folders.filter_map(|folder| version(folder.join("go.mod"))).collect();
    assert!(versions.len() > 4 && versions.iter().all(|it| *it == versions[0]), "{versions:?}");
}
