//! Each link between files of the project points to a file that exists, and to a heading of it.

use crate::pages::{self, Page, resolve, root};

/// The targets of a line's links, without those in `code`.
fn links(line: &str) -> Vec<&str> {
    let mut links = Vec::new();
    // Every other part is code.
    let code_free: Vec<&str> = line.split('`').collect();
    // A link's text can contain code, so the end of the text and the target are in the part after it.
    for part in code_free.into_iter().step_by(2) {
        for (start, mark) in part.match_indices("](") {
            let target = &part[start + mark.len()..];
            links.push(target.split([')', ' ']).next().unwrap());
        }
    }
    links
}

/// What is wrong with a link.
fn problem(page: &Page, link: &str, all: &[Page]) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = if file.is_empty() { page.path.clone() } else { resolve(&page.path, file) };
    if !root().join(&path).exists() {
        return Some(format!("{path} does not exist"));
    }
    if anchor.is_empty() {
        return None;
    }
    let Some(target) = all.iter().find(|page| page.path == path) else {
        return Some(format!("{path} is not a page"));
    };
    (!target.anchors().iter().any(|found| found == anchor)).then(|| format!("{path} has no heading {anchor}"))
}

#[test]
fn links_point_to_existing_files_and_headings() {
    let all = pages::all();
    let mut broken = Vec::new();
    let mut count = 0;
    for page in &all {
        for (line, text) in page.prose() {
            for link in links(text) {
                count += 1;
                let problem = problem(page, link, &all);
                broken.extend(problem.map(|problem| format!("{}:{line}: {link}: {problem}", page.path)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 200, "only {count} links found");
}

#[test]
fn broken_links_are_found() {
    let all = [Page { path: "docs/security.md".to_owned(), text: "# One\n".to_owned() }];
    let problem = |link| problem(&all[0], link, &all);
    assert_eq!(problem("#one"), None);
    assert_eq!(problem("../README.md"), None);
    assert_eq!(problem("#two").unwrap(), "docs/security.md has no heading two");
    assert_eq!(problem("missing.md#one").unwrap(), "docs/missing.md does not exist");
    assert_eq!(links("[a](b.md), `[c](d)` and [`e`](f.md#g)"), ["b.md", "f.md#g"]);
}
