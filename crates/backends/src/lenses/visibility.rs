//! What the credential can see, by the policy of its own service account. No call shows whose token it is (contract 1.2), so this is known only
//! if the Backend names the account: its groups, their roles, and their policies.

use std::collections::BTreeSet;

use super::{
    client::Client,
    lrn,
    wire::{Effect, Principal, Statement},
};
use crate::{Class, Error, reading::for_each};

/// Whether lists are complete for this account, by its own policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It can read all of iam, and no rule denies any of it.
    Complete,
    /// It cannot, or it cannot read its own policy.
    Limited,
}

/// What the credential needs to distinguish deleted things from hidden ones, for messages.
pub const NEEDED: &str = "name the token's service account in spec.lenses.serviceAccount of the Backend, and allow it iam:* on iam:*";

/// Reads the policy of the account. Nothing is known about an account that the Backend does not name.
pub async fn of_account(client: &Client, account: Option<&str>) -> Result<Visibility, Error> {
    let Some(account) = account else { return Ok(Visibility::Limited) };
    match statements(client, account).await {
        Ok(Some(statements)) if shows_everything(&statements) => Ok(Visibility::Complete),
        Ok(None) => Ok(Visibility::Complete),
        Ok(Some(_)) => Ok(Visibility::Limited),
        Err(error) if error.class.is_withheld() => Ok(Visibility::Limited),
        Err(error) => Err(error),
    }
}

/// All statements that apply to the account. None for an admin, who needs none (contract 1.2).
async fn statements(client: &Client, account: &str) -> Result<Option<Vec<Statement>>, Error> {
    let account: Principal = client.service_account(account).await?;
    if account.is_admin == Some(true) {
        return Ok(None);
    }
    let groups = account.groups.unwrap_or_default();
    let groups = for_each(groups, |group| async move {
        let roles = client.group(group.name()).await?.roles.unwrap_or_default();
        match group.role_count().is_none_or(|count| count == roles.len() as u64) {
            true => Ok(roles),
            false => Err(Error::new(Class::Denied, format!("a role of {} is not shown", group.name()))),
        }
    });
    let roles = groups.await?.into_iter().flatten();
    let roles: BTreeSet<String> = roles.map(|role| role.name().to_owned()).collect();
    let roles = for_each(roles, |role| async move { client.role(&role).await }).await?;
    Ok(Some(roles.into_iter().flat_map(|role| role.policy.unwrap_or_default()).collect()))
}

/// Whether these statements allow reading all roles and groups. It is not documented which action allows which read (contract 3.5), so it
/// has to be all of iam, or all list and get actions on all roles and groups, and no deny may touch iam.
fn shows_everything(statements: &[Statement]) -> bool {
    let on_all = |statement: &Statement, kind: &str| {
        statement.resource.as_slice().iter().any(|resource| ["*", "iam:*", kind].contains(&resource.as_str()))
    };
    let permits = |action: &str, kind: &str| {
        statements
            .iter()
            .filter(|it| it.effect == Effect::Allow && on_all(it, kind))
            .any(|statement| statement.action.as_slice().iter().any(|allowed| lrn::covers(allowed, action)))
    };
    let touches_iam = |statement: &Statement| {
        let iam = |text: &String| text.starts_with('*') || text.starts_with("iam:");
        statement.action.as_slice().iter().any(iam) && statement.resource.as_slice().iter().any(iam)
    };
    let denied =
        statements.iter().any(|statement| statement.effect == Effect::Deny && touches_iam(statement));
    let each = |kind: &str| permits("iam:List*", kind) && permits("iam:Get*", kind);
    !denied && ["iam:role:*", "iam:group:*"].into_iter().all(each)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sees(policy: Value) -> bool {
        shows_everything(&serde_json::from_value::<Vec<Statement>>(policy).expect("a policy"))
    }

    fn allow(action: &str, resource: &str) -> Value {
        json!({"effect": "allow", "action": action, "resource": resource})
    }

    #[test]
    fn all_of_iam_shows_everything_and_less_does_not() {
        assert!(sees(json!([allow("iam:*", "iam:*")])));
        assert!(sees(json!([allow("*", "*")])));
        let listing = json!({"effect": "allow", "action": ["iam:List*", "iam:Get*"], "resource": ["iam:role:*", "iam:group:*"]});
        assert!(sees(json!([listing])));
        for policy in [
            json!([]),
            json!([allow("iam:ListRoles", "iam:*")]),
            json!([allow("iam:List*", "iam:*")]),
            json!([allow("iam:*", "iam:role:*")]),
            json!([allow("iam:*", "iam:role:team-*"), allow("iam:*", "iam:group:*")]),
            json!([allow("kafka:*", "*")]),
        ] {
            assert!(!sees(policy.clone()), "{policy}");
        }
    }

    #[test]
    fn a_deny_that_touches_iam_limits_visibility() {
        let with = |action: &str, resource: &str| {
            sees(json!([allow("*", "*"), {"effect": "deny", "action": action, "resource": resource}]))
        };
        assert!(!with("iam:GetRole", "iam:role:secret"));
        assert!(!with("*", "iam:role:secret"));
        assert!(!with("*", "*"));
        assert!(with("kafka:*", "*"));
        assert!(with("*", "kafka:topic:*"));
    }
}
