//! A role that the back end refused: the field of the spec that it refused, and the nearest value that the account has.

use std::collections::BTreeSet;

use rolewright_api as api;
use rolewright_backends::{Class, Error, Needs, VENDORS, Vocabulary};
use rolewright_core::model::{Body, Change, Kind, Snapshot, nearest};

use crate::{
    account::AccountView,
    decide::suggestion,
    rule_fields::{RuleText, named_in, texts},
};

/// How many unknown texts a message names if the back end names none.
const MAX_NAMED: usize = 3;

/// The failure of a write to a role, with the field that the back end refused. All other failures stay as they are.
pub async fn explained(view: &AccountView, change: &Change, rules: &[api::Rule], error: Error) -> Error {
    if error.class != Class::Invalid || change.body().kind() != Kind::Role || rules.is_empty() {
        return error;
    }
    let mut known = view.backend.vocabulary().await;
    view.with_snapshot(&Needs::default(), |snapshot| add_roles(&mut known, snapshot));
    let dialect = view.backend.dialect();
    let vendor = VENDORS.iter().find(|vendor| vendor.name == dialect.vendor());
    let title = vendor.map_or(dialect.vendor(), |vendor| vendor.title);
    Error { message: explain(title, rules, &known, &error.message), ..error }
}

/// The account has what its visible roles permit.
fn add_roles(known: &mut Vocabulary, snapshot: &Snapshot) {
    for seen in snapshot.all(Kind::Role) {
        let Body::Role(role) = &seen.body else { continue };
        for rule in &role.rules {
            known.add(&rule.action, rule.resource.as_deref());
        }
    }
}

fn explain(title: &str, rules: &[api::Rule], known: &Vocabulary, message: &str) -> String {
    let message = message.strip_prefix("spec.rules: ").unwrap_or(message);
    let named = named_in(rules, message);
    if let Some(text) = &named {
        let is_known = known.of(text.is_action).contains(text.text);
        let problem = match is_known {
            true => format!("{title} refuses {:?}", text.text),
            false => format!("{title} has no {} {:?}{}", noun(text), text.text, near(text, known)),
        };
        return format!("{}: {problem} ({message})", text.field);
    }
    if !is_about_rules(message) {
        return message.to_owned();
    }
    let mut seen = BTreeSet::new();
    let is_unknown = |text: &RuleText<'_>| {
        let of_kind = known.of(text.is_action);
        !of_kind.is_empty() && !of_kind.contains(text.text)
    };
    let unknown = texts(rules).filter(is_unknown).filter(|text| seen.insert((text.is_action, text.text)));
    let lines: Vec<String> = unknown
        .take(MAX_NAMED)
        .map(|text| {
            format!("{}: the {} {:?} is not known{}", text.field, noun(&text), text.text, near(&text, known))
        })
        .collect();
    if lines.is_empty() { message.to_owned() } else { format!("{} ({message})", lines.join("; ")) }
}

/// Whether a message that names no action and no resource can mean one.
fn is_about_rules(message: &str) -> bool {
    let message = message.to_lowercase();
    !message.starts_with("spec.")
        && ["permission", "action", "resource"].iter().any(|word| message.contains(word))
}

fn noun(text: &RuleText<'_>) -> &'static str {
    if text.is_action { "action" } else { "resource" }
}

fn near(text: &RuleText<'_>, known: &Vocabulary) -> String {
    suggestion(nearest(text.text, known.of(text.is_action).iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(actions: &[&str], message: &str) -> String {
        let rules = [api::Rule {
            actions: actions.iter().map(|text| (*text).to_owned()).collect(),
            resources: Some(vec!["pipeline".to_owned()]),
            effect: None,
        }];
        let mut known = Vocabulary::default();
        known.add("reports:read", Some("pipelines"));
        known.add("reports:write", None);
        explain("Grafana", &rules, &known, message)
    }

    #[test]
    fn named_action_is_shown_with_field_and_nearest_value() {
        let message = "400: unknown action: report:read, was not found";
        assert_eq!(
            explained(&["reports:write", "report:read"], message),
            format!(
                "spec.rules[0].actions[1]: Grafana has no action \"report:read\"; did you mean \"reports:read\"? ({message})"
            )
        );
        let message = "unknown action: rockets:launch";
        assert_eq!(
            explained(&["rockets:launch"], message),
            format!("spec.rules[0].actions[0]: Grafana has no action \"rockets:launch\" ({message})")
        );
        let message = "the action reports:read takes no scope";
        assert_eq!(
            explained(&["reports:read"], message),
            format!("spec.rules[0].actions[0]: Grafana refuses \"reports:read\" ({message})")
        );
    }

    #[test]
    fn unnamed_error_shows_what_is_not_known() {
        assert_eq!(
            explained(&["report:read", "report:read"], "422: Unknown permission"),
            "spec.rules[0].actions[0]: the action \"report:read\" is not known; did you mean \"reports:read\"?; \
             spec.rules[0].resources[0]: the resource \"pipeline\" is not known; did you mean \"pipelines\"? (422: Unknown permission)"
        );
        let other = "422: String should have at most 50 characters";
        assert_eq!(explained(&["report:read"], other), other);
    }
}
