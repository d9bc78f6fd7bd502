//! Path patterns of faults: `*` matches any text within one path segment, `**` matches any text.

/// Whether `pattern` matches the whole `text`.
pub fn matches(pattern: &str, text: &str) -> bool {
    covers(pattern.as_bytes(), text.as_bytes())
}

fn covers(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|skipped| covers(rest, &text[skipped..])),
        [b'*', rest @ ..] => {
            let segment = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=segment).any(|skipped| covers(rest, &text[skipped..]))
        }
        [first, rest @ ..] => {
            text.split_first().is_some_and(|(byte, text)| byte == first && covers(rest, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn one_star_stays_within_a_segment() {
        assert!(matches("/v2/roles/*", "/v2/roles/Um9s="));
        assert!(!matches("/v2/*", "/v2/roles/Um9s="));
        assert!(matches("/v2/*s", "/v2/roles"));
    }

    #[test]
    fn two_stars_cross_segments_and_can_be_empty() {
        assert!(matches("/v2/roles**", "/v2/roles"));
        assert!(matches("/v2/**", "/v2/roles/a/b"));
        assert!(matches("**/permissions", "/grafana/api/user/permissions"));
        assert!(!matches("/v2/**/x", "/v2/roles/y"));
    }

    #[test]
    fn without_stars_a_pattern_matches_only_itself() {
        assert!(matches("/v2/roles", "/v2/roles"));
        assert!(!matches("/v2/roles", "/v2/roles/"));
    }
}
