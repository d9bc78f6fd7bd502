//! Patterns for names: `*` stands for any text, `?` for one character. Names of actions and resources can be patterns themselves.

/// Whether a pattern matches a whole text. `*` and `?` in the text are wildcards too: then the pattern matches all that they stand for.
pub fn covers(pattern: &str, text: &str) -> bool {
    is_match(pattern, text, |c| c != '*')
}

/// Whether a pattern matches a whole name. Every character of the name is itself.
pub fn matches(pattern: &str, name: &str) -> bool {
    is_match(pattern, name, |_| true)
}

/// `is_one`: whether a character of the text stands for one character.
fn is_match(pattern: &str, text: &str, is_one: impl Fn(char) -> bool) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The last `*`, and how much of the text it took.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        let one = match pattern.get(at) {
            Some('?') => is_one(text[read]),
            Some('*') => false,
            other => other == Some(&text[read]),
        };
        if one {
            (at, read) = (at + 1, read + 1);
        } else if pattern.get(at) == Some(&'*') {
            star = Some((at, read));
            at += 1;
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            (at, read) = (place + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Whether there is a text that both patterns match.
pub fn overlaps(one: &str, other: &str) -> bool {
    let other: Vec<char> = other.chars().collect();
    // What of `other` can be read after each character of `one`.
    let mut reached = vec![false; other.len() + 1];
    reached[0] = true;
    skip_stars(&mut reached, &other);
    for c in one.chars() {
        let mut next = vec![false; other.len() + 1];
        for (place, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            match (c, other.get(place)) {
                ('*', _) => next[place] = true,
                (_, Some('*')) => next[place] = true,
                (a, Some(b)) if a == *b || a == '?' || *b == '?' => next[place + 1] = true,
                _ => {}
            }
        }
        if c == '*' {
            // It takes any number of characters.
            let first = next.iter().position(|reached| *reached).unwrap_or(next.len());
            next[first..].fill(true);
        }
        skip_stars(&mut next, &other);
        reached = next;
    }
    reached[other.len()]
}

/// A `*` can stand for nothing.
fn skip_stars(reached: &mut [bool], pattern: &[char]) {
    for (place, c) in pattern.iter().enumerate() {
        if reached[place] && *c == '*' {
            reached[place + 1] = true;
        }
    }
}

/// A set of patterns for names, without regard to upper and lower case.
#[derive(Debug, Default)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// The patterns.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Self {
        Self(patterns.into_iter().map(|pattern| pattern.to_lowercase()).collect())
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.0.iter().any(|pattern| matches(pattern, &name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert!(matches("team-?", "team-*") && !covers("team-?", "team-*"));
    }

    #[test]
    fn pattern_covers_only_narrower_patterns() {
        for (pattern, text, expected) in [
            ("kafka:*", "kafka:*", true),
            ("kafka:*", "kafka:List*", true),
            ("kafka:List*", "kafka:*", false),
            ("kafka:?", "kafka:*", false),
            ("*", "*", true),
            ("a*c", "a*b*c", true),
            ("a*c", "a*", false),
            ("?", "?", true),
        ] {
            assert_eq!(covers(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_overlap_if_they_share_a_text() {
        for (one, other, expected) in [
            ("kafka:*", "kafka:Delete*", true),
            ("kafka:List*", "kafka:Delete*", false),
            ("*Topic", "kafka:Delete*", true),
            ("*", "", true),
            ("a?c", "ab*", true),
            ("a?", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(overlaps(one, other), expected, "{one} {other}");
            assert_eq!(overlaps(other, one), expected, "{other} {one}");
        }
    }

    /// All texts of at most four of two characters that a pattern matches.
    fn texts(pattern: &str) -> Vec<String> {
        let mut all = vec![String::new()];
        for length in 0..4 {
            let longest: Vec<String> = all.iter().filter(|text| text.len() == length).cloned().collect();
            all.extend(longest.iter().flat_map(|text| ["a", "b"].map(|c| format!("{text}{c}"))));
        }
        all.retain(|text| covers(pattern, text));
        all
    }

    proptest! {
        #[test]
        fn covers_and_overlaps_agree_with_the_texts(one in "[ab?*]{0,4}", other in "[ab?*]{0,4}") {
            let (of_one, of_other) = (texts(&one), texts(&other));
            if covers(&one, &other) {
                prop_assert!(of_other.iter().all(|text| of_one.contains(text)), "{one} covers {other}");
            }
            if of_one.iter().any(|text| of_other.contains(text)) {
                prop_assert!(overlaps(&one, &other), "{one} overlaps {other}");
            }
        }
    }
}
