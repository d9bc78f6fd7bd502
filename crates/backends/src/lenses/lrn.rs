//! The syntax of actions and of resource patterns, as far as it is documented (contract 3.3, 3.4). The server decides what exists.

/// The services whose service-wide pattern works with all agents (contract 5).
const EVERYWHERE: [&str; 3] = ["iam", "environments", "k2k"];

/// What is wrong with an action. None if it is valid.
pub fn action_fault(action: &str) -> Option<String> {
    if action == "*" {
        return None;
    }
    let Some((service, operation)) = action.split_once(':') else {
        return Some(format!("the action {action:?} has no service: write service:Operation, or *"));
    };
    if !is_plain(service) {
        return Some(format!(
            "the action {action:?} needs a plain service: letters, digits and hyphens, and a star only in * itself"
        ));
    }
    let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
    (operation.is_empty() || !operation.chars().all(sign)).then(|| {
        format!("the action {action:?} has no operation: write service:Operation or service:Prefix*")
    })
}

/// What is wrong with a resource pattern. None if it is valid.
pub fn resource_fault(pattern: &str) -> Option<String> {
    if pattern == "*" {
        return None;
    }
    let parts: Vec<&str> = pattern.splitn(3, ':').collect();
    let fault = |what: &str| Some(format!("the resource {pattern:?} {what}"));
    if pattern.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return fault("has spaces or control characters");
    }
    match parts[..] {
        [_] => fault("has no service: write service:resource-type:resource-id, or *"),
        [service, ..] if !is_plain(service) => {
            fault("needs a plain service: letters, digits and hyphens, and a star only in * itself")
        }
        [_, "*"] => None,
        [_, _] => fault("ends early: write service:* or service:resource-type:resource-id"),
        [_, kind, _] if kind != "*" && !is_plain(kind) => {
            fault("needs a plain resource type: letters, digits and hyphens, or a star alone")
        }
        [_, _, ""] => fault("has no resource-id: write * for all"),
        [_, _, id] if id.contains(':') => fault("has a colon in its resource-id, which Lenses does not take"),
        _ => None,
    }
}

/// The service of a service-wide pattern that agents up to 6.2.8 ignore (contract 5).
pub fn ignored_service(pattern: &str) -> Option<&str> {
    let service = pattern.strip_suffix(":*")?;
    (is_plain(service) && !EVERYWHERE.contains(&service)).then_some(service)
}

/// Whether some text matches both patterns, in which a star is any text. Takes time in proportion to the product of their lengths, however many
/// stars they have.
pub fn can_both_match(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    // For each rest of `other`: whether it and the rest of `one` can match the same text.
    let mut below: Vec<bool> = Vec::new();
    for at in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 1];
        for of in (0..=other.len()).rev() {
            let (here, there) = (one.get(at), other.get(of));
            let shorter = |row: &[bool]| of < other.len() && row[of + 1];
            row[of] = match (here, there) {
                (None, None) => true,
                (Some(b'*'), _) => below[of] || shorter(&row),
                (_, Some(b'*')) => shorter(&row) || below.get(of).is_some_and(|rest| *rest),
                (Some(here), Some(there)) => here == there && below[of + 1],
                _ => false,
            };
        }
        below = row;
    }
    below[0]
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_examples_of_actions_are_valid() {
        for action in ["*", "iam:*", "iam:List*", "kafka:ListTopics", "kafka-connect:GetConnector", "k2k:*"] {
            assert_eq!(action_fault(action), None, "{action}");
        }
        for action in
            ["", "kafka", "kaf*:ListTopics", "*:List", ":List", "kafka:", "kafka:List Topics", "kafka:a:b"]
        {
            assert!(action_fault(action).is_some(), "{action}");
        }
    }

    #[test]
    fn the_vendors_examples_of_resources_are_valid() {
        for pattern in [
            "*",
            "kafka:*",
            "kafka:topic:*",
            "kafka:topic:*/*/blue-*",
            "kafka:acl:*/*/*/user/blue-*",
            "alerts:event:*/*/*",
            "iam:user:alice@example.com",
            "kafka:topic:prod/kafka/a*b",
            "kafka:*:prod/*",
        ] {
            assert_eq!(resource_fault(pattern), None, "{pattern}");
        }
        for pattern in [
            "",
            "kafka",
            "kaf*:*",
            "*:topic:*",
            "kafka:topic",
            "kafka:top*:x",
            "kafka:topic:",
            "kafka:topic:a:b",
            "a:b:c d",
        ] {
            assert!(resource_fault(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn a_service_wide_pattern_is_ignored_by_some_agents() {
        assert_eq!(ignored_service("kafka:*"), Some("kafka"));
        for pattern in ["*", "iam:*", "environments:*", "k2k:*", "kafka:topic:*", "kafka:topic:a"] {
            assert_eq!(ignored_service(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn two_patterns_can_match_the_same_text() {
        for (one, other) in [
            ("*", ""),
            ("*", "iam:x"),
            ("iam:*", "iam:List*"),
            ("a*c", "abc"),
            ("a*b*c", "a1b2c"),
            ("*/blue-*", "*/kafka/*"),
            ("prod/*", "*/kafka/*"),
        ] {
            assert!(can_both_match(one, other) && can_both_match(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("iam:*", "iamx:List"),
            ("a*c", "ab"),
            ("List", "Lists"),
            ("", "a"),
            ("prod/kafak/*x", "*/kafka"),
        ] {
            assert!(!can_both_match(one, other) && !can_both_match(other, one), "{one} {other}");
        }
        assert!(!can_both_match(&"*a".repeat(500), &"*b".repeat(20)));
    }
}
