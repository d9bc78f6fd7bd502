//! Permission statements in requests and answers (contract 2.1).

use serde_json::{Value, json};

use super::{body::Fields, problem::Problem};
use crate::lenses::{
    access::{catalogue, lrn},
    rows::{
        policy::{Effect, Patterns, Statement},
        switches::{PolicyEcho, Switches, Validation},
    },
};

/// Reads a statement of a request.
///
/// # Errors
/// 400 if the value is not an object. Invalid for an unknown effect, or patterns that this server refuses.
pub fn read(value: Value, switches: &Switches) -> Result<Statement, Problem> {
    let mut fields = Fields::of_value(value, switches)?;
    let effect = match fields.required_text("effect")?.as_str() {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        other => return Err(Problem::invalid(format!("the effect {other} is neither allow nor deny"))),
    };
    let action = read_patterns(&mut fields, "action")?;
    let resource = read_patterns(&mut fields, "resource")?;
    fields.done()?;
    let statement = Statement { effect, action, resource };
    validate(&statement, switches)?;
    Ok(statement)
}

fn read_patterns(fields: &mut Fields, name: &str) -> Result<Patterns, Problem> {
    let value = fields.value(name).ok_or_else(|| Problem::invalid(format!("{name} is required")))?;
    serde_json::from_value(value)
        .map_err(|_| Problem::invalid(format!("{name} is neither a string nor an array of strings")))
}

fn validate(statement: &Statement, switches: &Switches) -> Result<(), Problem> {
    if switches.validation == Validation::Lax {
        return Ok(());
    }
    let invalid = |what: &str, text: &str| Problem::invalid(format!("{text} is not a valid {what}"));
    if statement.action.iter().next().is_none() || statement.resource.iter().next().is_none() {
        return Err(Problem::invalid("a statement needs an action and a resource"));
    }
    let strict = switches.validation == Validation::Strict;
    for action in statement.action.iter() {
        if !lrn::is_action_pattern(action) || (strict && !catalogue::knows_action(action, switches)) {
            return Err(invalid("action", action));
        }
    }
    for resource in statement.resource.iter() {
        if !lrn::is_resource_pattern(resource) || (strict && !catalogue::knows_resource(resource, switches)) {
            return Err(invalid("resource", resource));
        }
    }
    Ok(())
}

/// The JSON of a statement, in the form that the switches set.
pub fn to_json(statement: &Statement, switches: &Switches) -> Value {
    json!({
        "effect": statement.effect,
        "action": patterns_to_json(&statement.action, switches.policy_echo),
        "resource": patterns_to_json(&statement.resource, switches.policy_echo),
    })
}

fn patterns_to_json(patterns: &Patterns, echo: PolicyEcho) -> Value {
    let texts: Vec<&str> = patterns.iter().collect();
    match (echo, patterns, &texts[..]) {
        (PolicyEcho::Scalars, _, [text]) | (PolicyEcho::AsSent, Patterns::One(_), [text]) => {
            json!(text)
        }
        _ => json!(texts),
    }
}
