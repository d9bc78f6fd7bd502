//! How the permissions of a role travel. **This is the one place that knows, and nobody published it** (contract 2.1): the server refuses a
//! role without any, and what it shows of them is left open. Two forms follow from what is known of permissions, a type of resource and
//! actions on it, or one action: both are read, and either is sent. Whatever else is there, nothing, or an empty list (which no role of
//! this API has) says that the server does not show them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use rolewright_core::model::{Effect, Rule};

/// The field of a role that they are in.
pub const FIELD: &str = "permissions";

/// A form that permissions may travel in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"resource": ..., "actions": [...]}`.
    Grouped,
    /// `{"resource": ..., "action": ...}`.
    Pairs,
}

impl Form {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Form::Grouped => Form::Pairs,
            Form::Pairs => Form::Grouped,
        }
    }
}

/// As they are sent.
pub fn write(rules: &BTreeSet<Rule>, form: Form) -> Value {
    if form == Form::Pairs {
        let pair = |rule: &Rule| json!({"resource": rule.resource.as_deref().unwrap_or_default(), "action": rule.action});
        return rules.iter().map(pair).collect();
    }
    let mut by_resource: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in rules {
        by_resource.entry(rule.resource.as_deref().unwrap_or_default()).or_default().push(&rule.action);
    }
    by_resource
        .into_iter()
        .map(|(resource, actions)| json!({"resource": resource, "actions": actions}))
        .collect()
}

/// What a role permits. None where the server does not show it, or in no form that is known here.
pub fn read(permissions: Option<&Value>) -> Option<BTreeSet<Rule>> {
    let mut rules = BTreeSet::new();
    for permission in permissions?.as_array()? {
        let resource = permission.get("resource")?.as_str()?;
        let actions = match (permission.get("actions"), permission.get("action")) {
            (Some(Value::Array(actions)), _) => {
                actions.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?
            }
            (None, Some(Value::String(action))) => vec![action.as_str()],
            _ => return None,
        };
        rules.extend(actions.into_iter().map(|action| Rule {
            effect: Effect::Allow,
            action: action.to_owned(),
            resource: Some(resource.to_owned()),
        }));
    }
    if rules.is_empty() { None } else { Some(rules) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(pairs: &[(&str, &str)]) -> BTreeSet<Rule> {
        let rule = |(action, resource): &(&str, &str)| Rule {
            effect: Effect::Allow,
            action: (*action).to_owned(),
            resource: Some((*resource).to_owned()),
        };
        pairs.iter().map(rule).collect()
    }

    #[test]
    fn what_is_sent_is_read_back_as_the_same() {
        let all = rules(&[("read", "pipeline"), ("create", "pipeline"), ("read", "model")]);
        let sent = write(&all, Form::Grouped);
        assert_eq!(
            sent,
            json!([{"resource": "model", "actions": ["read"]}, {"resource": "pipeline", "actions": ["create", "read"]}])
        );
        assert_eq!(read(Some(&sent)), Some(all.clone()));
        let sent = write(&all, Form::Pairs);
        assert_eq!(sent.as_array().map(Vec::len), Some(3));
        assert_eq!(read(Some(&sent)), Some(all));
    }

    #[test]
    fn one_action_each_is_read_too_in_any_order_and_with_repetitions() {
        let shown = json!([
            {"resource": "pipeline", "action": "read", "id": "x"},
            {"resource": "model", "actions": ["read", "read"]},
            {"resource": "pipeline", "action": "create"},
            {"resource": "pipeline", "action": "read"},
        ]);
        let expected = rules(&[("create", "pipeline"), ("read", "pipeline"), ("read", "model")]);
        assert_eq!(read(Some(&shown)), Some(expected));
    }

    #[test]
    fn what_is_not_shown_or_not_understood_is_never_read_as_nothing() {
        assert_eq!(read(None), None);
        for shown in [
            Value::Null,
            json!([]),
            json!({}),
            json!("read"),
            json!(["pipeline:read"]),
            json!([{"resource": "pipeline"}]),
            json!([{"resource": "pipeline", "actions": []}]),
            json!([{"resource": "pipeline", "actions": "read"}]),
            json!([{"resource": "pipeline", "actions": ["read"]}, {"resource": 4, "actions": ["read"]}]),
            json!([{"action": "read"}]),
        ] {
            assert_eq!(read(Some(&shown)), None, "{shown}");
        }
    }
}
