//! The syntax of actions and of patterns of resource names, as far as it is certain (contract 3). What exists is the server's to say.

/// Services whose service-wide pattern works everywhere (contract 5).
const EVERYWHERE: [&str; 3] = ["iam", "environments", "k2k"];

/// What is wrong with an action; None when nothing is.
pub fn action_fault(action: &str) -> Option<String> {
    if action == "*" {
        return None;
    }
    let Some((service, operation)) = action.split_once(':') else {
        return Some(format!("the action {action:?} lacks its service: write service:Operation, or *"));
    };
    if !is_plain(service) {
        return Some(format!(
            "the action {action:?} has no plain service: letters, digits and hyphens, and no star but in * alone"
        ));
    }
    let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
    (operation.is_empty() || !operation.chars().all(sign)).then(|| {
        format!("the action {action:?} has no operation: write service:Operation or service:Prefix*")
    })
}

/// What is wrong with a pattern of resource names; None when nothing is.
pub fn resource_fault(pattern: &str) -> Option<String> {
    if pattern == "*" {
        return None;
    }
    let parts: Vec<&str> = pattern.splitn(3, ':').collect();
    let fault = |what: &str| Some(format!("the resource {pattern:?} {what}"));
    if pattern.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return fault("holds spaces or control characters");
    }
    match parts[..] {
        [_] => fault("lacks its service: write service:resource-type:resource-id, or *"),
        [service, ..] if !is_plain(service) => {
            fault("has no plain service: letters, digits and hyphens, and no star but in * alone")
        }
        [_, "*"] => None,
        [_, _] => fault("ends early: write service:* or service:resource-type:resource-id"),
        [_, kind, _] if kind != "*" && !is_plain(kind) => {
            fault("has no plain resource type: letters, digits and hyphens, or a star alone")
        }
        [_, _, ""] => fault("lacks its resource-id: write * for all"),
        [_, _, id] if id.contains(':') => fault("has a colon in its resource-id, which Lenses does not take"),
        _ => None,
    }
}

/// The service of a pattern that means all of one service's resources and that agents ignore up to 6.2.8 (contract 5).
pub fn ignored_service(pattern: &str) -> Option<&str> {
    let service = pattern.strip_suffix(":*")?;
    (is_plain(service) && !EVERYWHERE.contains(&service)).then_some(service)
}

/// Whether a pattern matches all that another one of the same kind could: both plain texts with stars.
pub fn covers(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else { return false };
            let ends = (0..=rest.len()).filter(|at| rest.is_char_boundary(*at));
            let mut rests = ends.map(|at| &rest[at..]);
            rests.any(|rest| covers(tail, rest))
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_the_vendors_examples_are_taken_and_others_are_not() {
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
    fn resources_of_the_vendors_examples_are_taken_and_others_are_not() {
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
    fn a_pattern_of_a_whole_service_is_told_but_where_it_works() {
        assert_eq!(ignored_service("kafka:*"), Some("kafka"));
        for pattern in ["*", "iam:*", "environments:*", "k2k:*", "kafka:topic:*", "kafka:topic:a"] {
            assert_eq!(ignored_service(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn a_star_covers_any_text() {
        for (pattern, text) in
            [("*", ""), ("*", "iam:x"), ("iam:*", "iam:List*"), ("a*c", "abc"), ("a*b*c", "a1b2c")]
        {
            assert!(covers(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("iam:*", "iamx:List"), ("a*c", "ab"), ("List", "Lists"), ("", "a")] {
            assert!(!covers(pattern, text), "{pattern} {text}");
        }
    }
}
