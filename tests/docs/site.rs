//! The site that `make docs` builds from the pages.

use std::collections::BTreeMap;

use rolewright_api::Reason;

use crate::pages::{self, page, resolve};

#[test]
fn site_contains_every_page_exactly_once() {
    let summary = page("docs/SUMMARY.md");
    let mut entries: BTreeMap<String, u32> = BTreeMap::new();
    for (_, line) in summary.prose() {
        let target = line.split_once("](").and_then(|(_, target)| target.split(')').next());
        if let Some(target) = target.filter(|target| !target.is_empty()) {
            *entries.entry(resolve(&summary.path, target)).or_default() += 1;
        }
    }
    for page in pages::below_docs() {
        let count = entries.get(&page.path).copied().unwrap_or_default();
        assert_eq!(count, 1, "entries of {} in docs/SUMMARY.md", page.path);
    }
}

/// Conditions and alerts link to `reasons.html#<reason in lower case>`.
#[test]
fn anchor_of_a_reason_is_its_name_in_lower_case() {
    let anchors = page("docs/reasons.md").anchors();
    for reason in Reason::ALL {
        let anchor = reason.as_str().to_ascii_lowercase();
        let count = anchors.iter().filter(|found| **found == anchor).count();
        // A second heading of the same name would have a number after it, and the first could be another section.
        let numbered = format!("{anchor}-1");
        assert!(count == 1 && !anchors.contains(&numbered), "headings of {anchor} in docs/reasons.md");
    }
}
