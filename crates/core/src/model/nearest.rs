//! "Did you mean": the known text that is most like a wrong one.

/// Longer texts are not compared.
const MAX_CHARS: usize = 128;

/// The known text that differs least from `text`, if so little that a typing error explains it: one edit of at least three characters, or
/// two of at least six, apart from case. An edit inserts, deletes or replaces a character, or swaps two neighbours. Of an e-mail
/// address only the part before the `@` counts, because all addresses of a company end alike.
///
/// Each candidate costs at most five comparisons per character, most of them one for the whole text.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let own_part = text.split_once('@').map_or(text, |(local, _)| local).chars().count();
    let max = (own_part / 3).min(2);
    let wrong = folded(text, Vec::new());
    if wrong.is_empty() || wrong.len() > MAX_CHARS {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut buffer = Vec::new();
    for candidate in known {
        // A character has at most four bytes.
        if candidate == text
            || candidate.len() > (wrong.len() + max) * 4
            || candidate.len() + max < wrong.len()
        {
            continue;
        }
        buffer = folded(candidate, buffer);
        let limit = best.map_or(max, |(distance, _)| distance);
        if let Some(distance) = distance(&wrong, &buffer, limit)
            && best.is_none_or(|best| (distance, candidate) < best)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn folded(text: &str, mut buffer: Vec<char>) -> Vec<char> {
    buffer.clear();
    buffer.extend(text.chars().flat_map(char::to_lowercase));
    buffer
}

/// The number of edits between two texts. None if there are more than `max`.
fn distance(a: &[char], b: &[char], max: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    // The band around the diagonal: cells outside it need more than `max` edits.
    let beyond = max + 1;
    let mut rows = [vec![beyond; b.len() + 1], (0..=b.len()).collect(), vec![beyond; b.len() + 1]];
    for i in 1..=a.len() {
        let [before, above, row] = &mut rows;
        row.fill(beyond);
        if i <= max {
            row[0] = i;
        }
        let mut least = row[0];
        for j in i.saturating_sub(max).max(1)..=(i + max).min(b.len()) {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut edits = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                edits = edits.min(before[j - 2] + 1);
            }
            row[j] = edits;
            least = least.min(edits);
        }
        if least > max {
            return None;
        }
        rows.rotate_left(1);
    }
    Some(rows[1][b.len()]).filter(|edits| *edits <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_error_finds_the_nearest_name() {
        for (wrong, known, found) in [
            ("report:read", &["reports:write", "reports:read", "folders:read"][..], Some("reports:read")),
            ("alise@example.com", &["bob@example.com", "alice@example.com"], Some("alice@example.com")),
            ("alice@exmaple.com", &["alice@example.com"], Some("alice@example.com")),
            ("ALICE", &["alice", "alicf"], Some("alice")),
            ("kafka:ListTopic", &["kafka:ListTopics", "kafka:GetTopic"], Some("kafka:ListTopics")),
            ("reserach", &["research", "storefront"], Some("research")),
            ("grafna", &["grafana", "arize"], Some("grafana")),
            ("größe", &["grösse", "große"], Some("große")),
        ] {
            assert_eq!(nearest(wrong, known.iter().copied()), found, "{wrong}");
        }
    }

    #[test]
    fn unlike_name_is_not_suggested() {
        for (wrong, known) in [
            ("bob@example.com", &["eve@example.com", "alice@example.com"][..]),
            ("ab", &["ac", "b"]),
            ("rockets:launch", &["reports:read"]),
            ("", &["a"]),
            ("alice", &["alice", "alice-smith"]),
        ] {
            assert_eq!(nearest(wrong, known.iter().copied()), None, "{wrong}");
        }
        let long = "x".repeat(MAX_CHARS + 1);
        assert_eq!(nearest(&long, [format!("{long}y").as_str()]), None);
    }

    #[test]
    fn order_of_the_known_names_does_not_matter() {
        let known = ["sre-b", "sre-a", "sre-c"];
        assert_eq!(nearest("sre-x", known), Some("sre-a"));
        assert_eq!(nearest("sre-x", known.into_iter().rev()), Some("sre-a"));
    }

    #[test]
    fn distance_counts_edits_up_to_the_limit() {
        let between = |a: &str, b: &str, max| distance(&folded(a, vec![]), &folded(b, vec![]), max);
        for (a, b, edits) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("ab", "ba", 1),
            ("abcd", "acbd", 1),
            ("abc", "xbcy", 2),
        ] {
            assert_eq!(between(a, b, 2), Some(edits), "{a} {b}");
            assert_eq!(between(b, a, 2), Some(edits), "{b} {a}");
        }
        for (a, b) in [("abc", "xyz"), ("abcdef", "badcfe"), ("a", "abcd")] {
            assert_eq!(between(a, b, 2), None, "{a} {b}");
        }
    }
}
