//! Which field of a Role a message is about: the action or resource that it names.

use std::collections::HashMap;

use rolewright_api as api;

/// The field of all rules.
pub const RULES: &str = "spec.rules";

/// An action or a resource of a Role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText<'a> {
    /// Its field, such as `spec.rules[0].actions[0]`.
    pub field: String,
    /// Whether it is an action.
    pub is_action: bool,
    /// What the spec says.
    pub text: &'a str,
}

/// All actions and resources, in the order of the spec.
pub fn texts(rules: &[api::Rule]) -> impl Iterator<Item = RuleText<'_>> {
    rules.iter().enumerate().flat_map(|(rule, content)| {
        let actions = content.actions.iter().enumerate().map(move |(index, text)| RuleText {
            field: format!("{RULES}[{rule}].actions[{index}]"),
            is_action: true,
            text,
        });
        let resources = content.resources.iter().flatten().enumerate();
        actions.chain(resources.map(move |(index, text)| RuleText {
            field: format!("{RULES}[{rule}].resources[{index}]"),
            is_action: false,
            text,
        }))
    })
}

/// The action or resource that a message names first: in quotes, or as a word of its own if it is no plain word such as `read`.
pub fn named_in<'a>(rules: &'a [api::Rule], message: &str) -> Option<RuleText<'a>> {
    let quoted = message.split('"').skip(1).step_by(2);
    let is_separator = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']' | '(' | ')');
    let words = message.split(is_separator).map(|word| word.trim_end_matches(['.', ':', ';']));
    let is_plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    let mut named: HashMap<&str, usize> = HashMap::new();
    for (position, word) in quoted.chain(words.filter(|word| !is_plain(word))).enumerate() {
        named.entry(word).or_insert(position);
    }
    let of_spec = texts(rules).filter_map(|text| Some((*named.get(text.text)?, text)));
    of_spec.min_by_key(|(position, _)| *position).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Vec<api::Rule> {
        let rule = |actions: &[&str], resources: &[&str]| api::Rule {
            actions: actions.iter().map(|text| (*text).to_owned()).collect(),
            resources: Some(resources.iter().map(|text| (*text).to_owned()).collect()),
            effect: None,
        };
        vec![rule(&["reports:read", "read"], &["reports:*"]), rule(&["rockets:launch"], &["rocket"])]
    }

    fn field(message: &str) -> Option<String> {
        named_in(&rules(), message).map(|text| text.field)
    }

    #[test]
    fn message_names_one_field_of_the_rules() {
        for (message, expected) in [
            ("unknown action: rockets:launch, was not found", Some("spec.rules[1].actions[0]")),
            ("the action \"read\" cannot be denied", Some("spec.rules[0].actions[1]")),
            ("invalid scope: reports:*, for action: reports:read", Some("spec.rules[0].resources[0]")),
            ("expected prefixes are [rocket]; \"rocket\"", Some("spec.rules[1].resources[0]")),
            ("the credential cannot read a rocket", None),
            ("rockets:launch:now", None),
        ] {
            assert_eq!(field(message).as_deref(), expected, "{message}");
        }
    }
}
