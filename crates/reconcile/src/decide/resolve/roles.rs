//! The role that a Role object describes, and the ids that a back end derives from an object.

use std::collections::BTreeSet;

use kube::ResourceExt;
use rolewright_api as api;
use rolewright_core::model::{Role, Rule};

use super::names::Surroundings;
use crate::{convert, object::ManagedObject};

/// A text that is unique to the object: a back end can derive ids from it.
pub fn owner<K: ManagedObject>(object: &K, around: &Surroundings<'_>) -> String {
    [around.account, &object.namespace().unwrap_or_default(), &object.name_any()].join("\n")
}

/// The role with all rules, one for each action, resource and effect.
pub fn desired_role(object: &api::Role) -> Role {
    let rules = object.spec.rules.iter().flat_map(|rule| {
        let effect = convert::effect(rule.effect.unwrap_or_default());
        let resources: Vec<Option<String>> = match &rule.resources {
            Some(resources) => resources.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        rule.actions.iter().flat_map(move |action| {
            resources.clone().into_iter().map(move |resource| Rule {
                effect,
                action: action.clone(),
                resource,
            })
        })
    });
    Role { rules: rules.collect(), ..role_without_rules(object) }
}

/// The role without its rules: they multiply when they are expanded.
pub fn role_without_rules(object: &api::Role) -> Role {
    let spec = &object.spec;
    Role {
        name: role_name(object),
        display_name: spec.display_name.clone(),
        // A text block of YAML ends with a line end, which some back ends remove.
        description: spec.description.as_deref().map(|text| text.trim().to_owned()),
        rules: BTreeSet::new(),
        settings: spec.settings().map(|(_, settings)| settings).unwrap_or_default(),
        unreadable: false,
    }
}

/// The name of the role of a Role object in the back end.
pub fn role_name(object: &api::Role) -> String {
    object.spec.name.clone().or_else(|| object.metadata.name.clone()).unwrap_or_default()
}
