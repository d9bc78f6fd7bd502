//! The form of a role's permissions. **It is not published, and only this file knows it** (contract 2.1). The server refuses a role without
//! permissions. Two forms follow from what is known: a type of resource with a list of actions, or with one action. Both are read, and a
//! setting of the Backend selects the one that is sent. Anything else, also an empty list, means that the server does not show the
//! permissions, because every role has some.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use rolewright_core::model::{Effect, Rule};

/// The field of a role that contains them.
pub const FIELD: &str = "permissions";

/// A form of permissions.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Form {
    /// `{"resource": ..., "actions": [...]}`.
    #[default]
    Grouped,
    /// `{"resource": ..., "action": ...}`.
    Pairs,
}

/// The permissions of a role as a request has them.
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

/// The permissions of a role. None if the server does not show them in a known form.
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
    fn permissions_are_read_back_as_they_were_sent() {
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
    fn both_forms_are_read_in_any_order() {
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
    fn an_unknown_form_does_not_mean_no_permissions() {
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
