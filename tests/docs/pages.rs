//! The pages of the project, their headings and their blocks of code.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page of Markdown.
pub struct Page {
    /// From the root of the project, such as `docs/reasons.md`.
    pub path: String,
    pub text: String,
}

impl Page {
    /// The lines that are not in a block of code, with their numbers.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut in_code = false;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            (!in_code && !is_fence).then_some((index + 1, line))
        })
    }

    /// The blocks of code in a language, each without the indentation of its first line.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(fence) = lines.next() {
            let Some(found) = fence.trim_start().strip_prefix("```") else { continue };
            let indent = fence.len() - fence.trim_start().len();
            let body = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
            let text: String =
                body.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
            if found == language {
                blocks.push(text);
            }
        }
        blocks
    }

    /// The anchors of the headings, as GitHub and mdBook compute them.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for (_, line) in self.prose() {
            let title = line.trim_start_matches('#');
            if title.len() == line.len() || !title.starts_with(' ') {
                continue;
            }
            let anchor = anchor(title.trim());
            let same = anchors.iter().filter(|other| **other == anchor).count();
            anchors.push(if same == 0 { anchor } else { format!("{anchor}-{same}") });
        }
        anchors
    }
}

/// The anchor of a heading: its letters, digits, hyphens and underscores in lower case, with a hyphen for each blank.
fn anchor(title: &str) -> String {
    let kept = |c: char| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then(|| c.to_ascii_lowercase()),
    };
    title.chars().filter_map(kept).collect()
}

pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.to_owned(), text }
}

/// All pages below docs/, without the table of contents.
pub fn below_docs() -> Vec<Page> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") && !path.ends_with("SUMMARY.md") {
                found.push(page(path.to_str().unwrap()));
            }
        }
    }
    assert!(found.len() > 30, "too few pages found");
    found
}

/// All pages of the project.
pub fn all() -> Vec<Page> {
    let mut pages = below_docs();
    let others = [
        "docs/SUMMARY.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
        "charts/rolewright/README.md",
    ];
    pages.extend(others.map(page));
    pages
}

/// The path from the root of what a link of a page points to.
pub fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let folder = Path::new(page).parent().unwrap();
    for part in folder.components().chain(Path::new(link).components()) {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_str().unwrap()),
            _ => {}
        }
    }
    parts.join("/")
}

#[test]
fn anchors_are_lower_case_without_punctuation() {
    let text = "# A: `b.c/d` (e)\n```\n# no heading\n```\n## Same\n### Same\n#no heading\n".to_owned();
    let page = Page { path: String::new(), text };
    assert_eq!(page.anchors(), ["a-bcd-e", "same", "same-1"]);
}

#[test]
fn block_in_a_list_loses_its_indentation() {
    let text = "- a:\n\n  ```yaml\n  b:\n    c: 1\n  ```\n\n```sh\nd\n```\n".to_owned();
    let page = Page { path: String::new(), text };
    assert_eq!(page.blocks("yaml"), ["b:\n  c: 1\n"]);
}
