//! Converts between the statements of a policy and rules. Any matching deny beats every allow (contract 3.2), so neither the order of
//! statements nor the grouping of actions and resources has a meaning.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::wire::{self, Statement};
use rolewright_core::model::{Effect, Rule};

/// The rules of a policy.
pub fn rules(policy: &[Statement]) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for Statement { effect, action, resource } in policy {
        let effect = match effect {
            wire::Effect::Allow => Effect::Allow,
            wire::Effect::Deny => Effect::Deny,
        };
        for action in action.as_slice() {
            for resource in resource.as_slice() {
                rules.insert(Rule { effect, action: action.clone(), resource: Some(resource.clone()) });
            }
        }
    }
    rules
}

/// The policy of these rules, with one statement for all actions on the same resources. The result is deterministic.
pub fn statements(rules: &BTreeSet<Rule>) -> Value {
    let mut reach: BTreeMap<(Effect, &str), BTreeSet<&str>> = BTreeMap::new();
    for rule in rules {
        // The check of the spec refuses a rule without a resource.
        reach.entry((rule.effect, &rule.action)).or_default().extend(rule.resource.as_deref());
    }
    let mut together: BTreeMap<(Effect, BTreeSet<&str>), Vec<&str>> = BTreeMap::new();
    for ((effect, action), resources) in reach {
        together.entry((effect, resources)).or_default().push(action);
    }
    let statement = |((effect, resources), actions): ((Effect, BTreeSet<&str>), Vec<&str>)| {
        let effect = match effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        json!({"effect": effect, "action": actions, "resource": resources})
    };
    together.into_iter().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(policy: Value) -> BTreeSet<Rule> {
        rules(&serde_json::from_value::<Vec<Statement>>(policy).expect("a policy"))
    }

    #[test]
    fn equal_policies_in_other_forms_have_equal_rules() {
        let scalar = json!([{"effect": "allow", "action": "kafka:ListTopics", "resource": "*"}]);
        let array = json!([{"effect": "allow", "action": ["kafka:ListTopics"], "resource": ["*"]}]);
        assert_eq!(read(scalar.clone()), read(array));
        let twice = json!([scalar[0], scalar[0]]);
        assert_eq!(read(scalar.clone()), read(twice), "a repeated append");
        let denied = json!([{"effect": "deny", "action": "kafka:ListTopics", "resource": "*"}]);
        assert_ne!(read(scalar), read(denied));
    }

    #[test]
    fn a_policy_is_compact_and_has_the_same_rules() {
        let policy = json!([
            {"effect": "deny", "action": "kafka:DeleteTopic", "resource": "kafka:topic:prod/*"},
            {"effect": "allow", "action": ["kafka:ListTopics", "kafka:GetTopicDetails"], "resource": ["b", "a"]},
            {"effect": "allow", "action": "kafka:ReadTopicData", "resource": "a"},
            {"effect": "allow", "action": "kafka:ReadTopicData", "resource": "b"},
            {"effect": "allow", "action": "audit:*", "resource": "a"},
        ]);
        let sent = statements(&read(policy.clone()));
        let expected = json!([
            {"effect": "allow", "action": ["audit:*"], "resource": ["a"]},
            {"effect": "allow", "action": ["kafka:GetTopicDetails", "kafka:ListTopics", "kafka:ReadTopicData"], "resource": ["a", "b"]},
            {"effect": "deny", "action": ["kafka:DeleteTopic"], "resource": ["kafka:topic:prod/*"]},
        ]);
        assert_eq!(sent, expected);
        assert_eq!(read(sent), read(policy));
        assert_eq!(statements(&BTreeSet::new()), json!([]));
    }

    #[test]
    fn an_unknown_effect_is_an_error() {
        let policy = json!([{"effect": "audit", "action": "a:b", "resource": "*"}]);
        assert!(serde_json::from_value::<Vec<Statement>>(policy).is_err());
    }
}
