//! The patterns of actions and of resource names (LRN) in statements: which are well formed, and what each covers
//! (contract 3.3, 3.4).

/// Whether a text is an action pattern: `*`, `service:*`, `service:Prefix*` or `service:Operation`.
pub fn is_action_pattern(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some((service, operation)) = text.split_once(':') else { return false };
    let operation = operation.strip_suffix('*').map_or((operation, false), |prefix| (prefix, true));
    is_label(service)
        && match operation {
            ("", has_star) => has_star,
            (name, _) => name.bytes().all(|sign| sign.is_ascii_alphanumeric()),
        }
}

/// Whether a text is a resource pattern: `*`, `service:*`, or `service:resource-type:resource-id`. A star must be a
/// whole segment of the resource id, or the end of the last segment.
pub fn is_resource_pattern(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [service, "*"] => is_label(service),
        [service, kind, id] => is_label(service) && is_label(kind) && is_id_pattern(id),
        _ => false,
    }
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'-')
}

fn is_id_pattern(id: &str) -> bool {
    let mut segments: Vec<&str> = id.split('/').collect();
    let last = segments.pop().unwrap_or_default();
    let head = last.strip_suffix('*').unwrap_or(last);
    !id.is_empty()
        && !head.contains('*')
        && segments.iter().all(|segment| *segment == "*" || !segment.contains('*'))
}

/// Whether an action pattern covers an action.
pub fn covers_action(pattern: &str, action: &str) -> bool {
    pattern == action || pattern.strip_suffix('*').is_some_and(|prefix| action.starts_with(prefix))
}

/// Whether a resource pattern covers a resource. A star within the path matches one segment; a star at the end matches
/// the rest.
pub fn covers_resource(pattern: &str, resource: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (Some((pattern_head, pattern_id)), Some((head, id))) =
        (pattern.rsplit_once(':'), resource.rsplit_once(':'))
    else {
        return pattern == resource;
    };
    match pattern_head.contains(':') {
        true => pattern_head == head && covers_path(pattern_id, id),
        false => pattern_id == "*" && resource.split(':').next() == Some(pattern_head),
    }
}

fn covers_path(pattern: &str, path: &str) -> bool {
    match (pattern.split_once('/'), path.split_once('/')) {
        (Some((expected, pattern)), Some((segment, path))) => {
            (expected == "*" || expected == segment) && covers_path(pattern, path)
        }
        (Some(_), None) => false,
        (None, _) => match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => pattern == path,
        },
    }
}

/// The service of a service-wide resource pattern, `service:*`; none for other patterns.
pub fn whole_service(pattern: &str) -> Option<&str> {
    pattern.strip_suffix(":*").filter(|service| !service.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::{covers_action, covers_resource, is_action_pattern, is_resource_pattern};

    #[test]
    fn action_patterns_are_operations_prefixes_or_services() {
        for valid in ["*", "iam:*", "iam:List*", "kafka:ListTopics", "kafka-connect:*"] {
            assert!(is_action_pattern(valid), "{valid}");
        }
        for invalid in
            ["", "iam", "iam:", ":List", "iam:L*s", "iam:List:x", "*:List", "iam:List Topics", "i*:x"]
        {
            assert!(!is_action_pattern(invalid), "{invalid}");
        }
        assert!(covers_action("iam:List*", "iam:ListRoles") && covers_action("*", "iam:ListRoles"));
        assert!(!covers_action("iam:List", "iam:ListRoles") && !covers_action("iam:*", "kafka:ListTopics"));
    }

    #[test]
    fn stars_are_whole_segments_or_end_the_last_segment() {
        for valid in [
            "*",
            "kafka:*",
            "kafka:topic:*",
            "kafka:topic:*/*/blue-*",
            "kafka:acl:*/*/*/user/blue-*",
            "alerts:event:*/*/*",
            "iam:user:alice@example.com",
            "kafka:topic:prod/kafka/orders",
        ] {
            assert!(is_resource_pattern(valid), "{valid}");
        }
        for invalid in [
            "",
            "kafka",
            "kafka:topic",
            "kafka:topic:",
            "*:*",
            "kafka:*:x",
            "kaf*:topic:x",
            "kafka:top*:x",
            "kafka:topic:a*b",
            "kafka:topic:a*/x",
            "kafka:topic:**",
            "kafka:topic:a:b",
            "kaf ka:topic:x",
        ] {
            assert!(!is_resource_pattern(invalid), "{invalid}");
        }
    }

    #[test]
    fn inner_stars_match_one_segment_and_final_stars_the_rest() {
        let topic = "kafka:topic:prod/kafka/blue-1";
        for pattern in [
            "*",
            "kafka:*",
            "kafka:topic:*",
            "kafka:topic:prod/*",
            "kafka:topic:*/*/blue-*",
            "kafka:topic:*/kafka/*",
            topic,
        ] {
            assert!(covers_resource(pattern, topic), "{pattern}");
        }
        for pattern in [
            "iam:*",
            "kafka:acl:*",
            "kafka:topic:*/blue-*",
            "kafka:topic:prod",
            "kafka:topic:prod/kafka/blue",
            "kafka:topic:staging/*",
            "kafka:topic:*/*/*/*",
            "kafka:top:*",
        ] {
            assert!(!covers_resource(pattern, topic), "{pattern}");
        }
    }
}
