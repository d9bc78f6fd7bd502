//! Patterns for names: `*` stands for any text, `?` for one character; upper and lower case are the same.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A set of patterns.
#[derive(Default)]
pub struct Patterns(GlobSet);

impl Patterns {
    /// The patterns. The schema admits no other special characters; a text that is no pattern matches nothing.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Self {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern).case_insensitive(true).backslash_escape(false).build();
            if let Ok(glob) = glob {
                set.add(glob);
            }
        }
        Self(set.build().unwrap_or_default())
    }

    /// Whether a pattern matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names_without_case() {
        let patterns =
            Patterns::new(&["*@ops.example.com".to_owned(), "admin".to_owned(), "team-?/lead".to_owned()]);
        for (name, matches) in [
            ("alice@ops.example.com", true),
            ("Alice@OPS.example.com", true),
            ("alice@ops.example.com.evil.org", false),
            ("ADMIN", true),
            ("admins", false),
            ("team-a/lead", true),
            ("team-ab/lead", false),
        ] {
            assert_eq!(patterns.matches(name), matches, "{name}");
        }
        assert!(!Patterns::default().matches(""));
    }
}
