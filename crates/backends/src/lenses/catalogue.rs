//! The actions and resource types of this HQ (contract 2.7). Policies depend on the version: formats and actions changed from 6.0 to 6.2
//! (contract 5), and a pattern that matches nothing grants nothing without an error.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Mutex;

use super::{client::Client, lrn, wire::Definitions};
use crate::{Class, Error, Vocabulary, text::listed};
use rolewright_core::model::Rule;

/// How many faults of a role a message has.
const MAX_FAULTS: usize = 5;
/// How many existing names a fault lists.
const MAX_OFFERED: usize = 40;

/// The definitions, read when they are first needed and kept as long as the connection.
#[derive(Default)]
pub struct Catalogue(Mutex<Option<Arc<Known>>>);

/// The definitions by service.
#[derive(Debug, Default)]
struct Known {
    /// Complete actions, such as `kafka:ListTopics`.
    actions: BTreeMap<String, BTreeSet<String>>,
    /// The formats of each type, such as `topic`.
    types: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Catalogue {
    /// Checks rules against the definitions. If the definitions cannot be read, the server checks the rules itself.
    ///
    /// # Errors
    /// [`Class::Invalid`] with the existing names, and failures that every other call would have too.
    pub async fn check(&self, client: &Client, rules: &BTreeSet<Rule>) -> Result<(), Error> {
        if rules.is_empty() {
            return Ok(());
        }
        let mut kept = self.0.lock().await;
        if let Some(known) = &*kept
            && known.faults(rules).is_empty()
        {
            return Ok(());
        }
        // HQ may have been upgraded since.
        match client.definitions().await {
            Ok(definitions) => *kept = Some(Arc::new(Known::of(definitions))),
            Err(error) if matches!(error.class, Class::Unauthenticated | Class::Throttled(_)) => {
                return Err(error);
            }
            Err(_) => return Ok(()),
        }
        let faults = kept.as_ref().map(|known| known.faults(rules)).unwrap_or_default();
        if faults.is_empty() {
            return Ok(());
        }
        let more = match faults.len().saturating_sub(MAX_FAULTS) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let shown: Vec<String> = faults.into_iter().take(MAX_FAULTS).collect();
        Err(Error::new(Class::Invalid, format!("spec.rules: {}{more}", shown.join("; "))))
    }

    /// The actions that were read, if they were.
    pub async fn vocabulary(&self) -> Vocabulary {
        let mut all = Vocabulary::default();
        if let Some(known) = &*self.0.lock().await {
            known.actions.values().flatten().for_each(|action| all.add(action, None));
        }
        all
    }
}

impl Known {
    fn of(definitions: Definitions) -> Self {
        let mut known = Self::default();
        for definition in definitions.resource_definitions {
            let actions = known.actions.entry(definition.service.clone()).or_default();
            actions.extend(definition.actions.iter().map(|action| match action.contains(':') {
                true => action.clone(),
                false => format!("{}:{action}", definition.service),
            }));
            let full_name = definition.full_name.as_deref();
            let format = definition.resource_format.as_deref();
            if let Some(kind) = full_name.or(format).and_then(|text| text.split(':').nth(1)) {
                let types = known.types.entry(definition.service.clone()).or_default();
                types.entry(kind.to_owned()).or_default().extend(format.map(str::to_owned));
            }
        }
        known
    }

    /// What does not exist of these rules, each once.
    fn faults(&self, rules: &BTreeSet<Rule>) -> BTreeSet<String> {
        if self.actions.is_empty() {
            return BTreeSet::new();
        }
        let actions = rules.iter().filter_map(|rule| self.action_fault(&rule.action));
        let resources = rules.iter().filter_map(|rule| self.resource_fault(rule.resource.as_deref()?));
        actions.chain(resources).collect()
    }

    fn action_fault(&self, action: &str) -> Option<String> {
        let (service, operation) = action.split_once(':')?;
        let Some(known) = self.actions.get(service) else {
            return Some(format!(
                "this HQ has no service {service:?} as in {action:?}; it has {}",
                listed(self.actions.keys(), MAX_OFFERED)
            ));
        };
        // A service without listed actions can have any.
        let fits = operation == "*"
            || known.is_empty()
            || known.iter().any(|known| lrn::can_both_match(action, known));
        (!fits).then(|| {
            format!("this HQ has no action {action:?}; it has {}", listed(known.iter(), MAX_OFFERED))
        })
    }

    fn resource_fault(&self, pattern: &str) -> Option<String> {
        let mut parts = pattern.splitn(3, ':');
        let (service, kind) = (parts.next()?, parts.next()?);
        let Some(types) = self.types.get(service) else {
            let known = self.actions.contains_key(service);
            return (!known).then(|| {
                format!(
                    "this HQ has no service {service:?} as in the resource {pattern:?}; it has {}",
                    listed(self.actions.keys(), MAX_OFFERED)
                )
            });
        };
        if kind == "*" {
            return None;
        }
        let Some(formats) = types.get(kind) else {
            let all = types.keys().map(|kind| format!("{service}:{kind}")).collect::<Vec<_>>();
            return Some(format!(
                "this HQ has no resource type {service}:{kind} as in {pattern:?}; it has {}",
                listed(all.iter(), MAX_OFFERED)
            ));
        };
        let id = parts.next()?;
        let fits = formats.is_empty() || formats.iter().any(|format| can_match(id, format));
        (!fits).then(|| {
            format!(
                "the resource {pattern:?} cannot match any of this HQ, which have the form {}",
                listed(formats.iter(), MAX_OFFERED)
            )
        })
    }
}

/// Whether the resource-id of a pattern can match ids of this format, such as `kafka:topic:${Environment}/kafka/${Topic}`. A variable and a star
/// can be anything, also with slashes, so only patterns that certainly match nothing are refused.
fn can_match(id: &str, format: &str) -> bool {
    let Some(format) = format.splitn(3, ':').nth(2).filter(|format| format.contains("${")) else {
        return true;
    };
    let mut parts = format.split("${");
    let mut pattern = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        pattern.push('*');
        pattern.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    lrn::can_both_match(id, &pattern)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use rolewright_core::model::Effect;

    fn known() -> Known {
        let definitions = json!({"resource_definitions": [
            {"service": "kafka", "short_name": "topic", "full_name": "kafka:topic",
             "resource_format": "kafka:topic:${Environment}/kafka/${Topic}", "actions": ["ListTopics", "kafka:CreateTopic"]},
            {"service": "kafka", "short_name": "acl", "full_name": "kafka:acl",
             "resource_format": "kafka:acl:${Environment}/kafka/${Type}/${Kind}/${Name}", "actions": []},
            {"service": "k2k", "actions": []},
            {"service": "iam", "full_name": "iam:role", "resource_format": "iam:role:${Role}", "actions": ["ListRoles"]},
        ]});
        Known::of(serde_json::from_value(definitions).expect("definitions"))
    }

    fn faults(action: &str, resource: &str) -> Vec<String> {
        let rule =
            Rule { effect: Effect::Allow, action: action.to_owned(), resource: Some(resource.to_owned()) };
        known().faults(&[rule].into()).into_iter().collect()
    }

    #[test]
    fn existing_actions_and_resources_are_valid() {
        for (action, resource) in [
            ("*", "*"),
            ("kafka:*", "kafka:*"),
            ("kafka:List*", "kafka:topic:*"),
            ("kafka:CreateTopic", "kafka:topic:prod/kafka/orders"),
            ("kafka:ListTopics", "kafka:topic:prod/*"),
            ("kafka:ListTopics", "kafka:topic:*/*/blue-*"),
            ("kafka:ListTopics", "kafka:topic:*/blue-*"),
            ("kafka:ListTopics", "kafka:topic:prod/kafka/a/b"),
            ("k2k:Anything", "k2k:app:x"),
            ("iam:ListRoles", "iam:role:x"),
            ("iam:ListRoles", "kafka:acl:*/*/*/user/blue-*"),
        ] {
            assert_eq!(faults(action, resource), [""; 0], "{action} on {resource}");
        }
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_known_ones() {
        for (action, resource, known) in [
            ("kafka:ListTopic", "*", "kafka:CreateTopic, kafka:ListTopics"),
            ("kafka:Drop*", "*", "kafka:CreateTopic, kafka:ListTopics"),
            ("kafak:*", "*", "iam, k2k, kafka"),
            ("*", "kafak:*", "iam, k2k, kafka"),
            ("*", "kafka:topics:*", "kafka:acl, kafka:topic"),
            ("*", "kafka:topic:prod/kafka", "kafka:topic:${Environment}/kafka/${Topic}"),
            ("*", "kafka:topic:prod/kafak/orders", "kafka:topic:${Environment}/kafka/${Topic}"),
        ] {
            let faults = faults(action, resource);
            assert!(faults.len() == 1 && faults[0].contains(known), "{action} on {resource}: {faults:?}");
        }
    }

    #[test]
    fn empty_definitions_refuse_nothing() {
        let rule =
            Rule { effect: Effect::Allow, action: "a:b".to_owned(), resource: Some("a:b:c".to_owned()) };
        assert!(Known::default().faults(&[rule].into()).is_empty());
    }
}
