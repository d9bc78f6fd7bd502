//! What the credential can see, by the policy of its own service account. No call shows whose token it is (contract 1.2), so the Backend names
//! the account: its groups, their roles, and their policies.

use std::collections::BTreeSet;

use super::{
    client::Client,
    wire::{Effect, OneOrMany, Statement},
};
use crate::{Error, reading::for_each};

/// What the credential needs to distinguish deleted things from hidden ones, for messages.
pub const NEEDED: &str = "allow iam:* on iam:* to the service account in spec.lenses.serviceAccount of the Backend, and deny it nothing";

/// Whether the account can read all of iam, by its own policy. False if it cannot read that policy.
pub async fn is_complete(client: &Client, account: &str) -> Result<bool, Error> {
    match statements(client, account).await {
        Ok(None) => Ok(true),
        Ok(Some(statements)) => Ok(allows_everything(&statements)),
        Err(error) if error.class.is_withheld() => Ok(false),
        Err(error) => Err(error),
    }
}

/// All statements that apply to the account. None for an admin, who needs none (contract 1.2).
async fn statements(client: &Client, account: &str) -> Result<Option<Vec<Statement>>, Error> {
    let account = client.service_account(account).await?;
    if account.is_admin {
        return Ok(None);
    }
    // A hidden role can deny.
    let groups = for_each(account.groups, |item| async move { client.whole_group(&item).await }).await?;
    let roles: BTreeSet<String> =
        groups.into_iter().flat_map(|group| group.roles).map(|role| role.name).collect();
    let roles = for_each(roles, |role| async move { client.role(&role).await }).await?;
    Ok(Some(roles.into_iter().flat_map(|role| role.policy).collect()))
}

/// Whether one statement allows all of iam, and no statement denies anything. Which action allows which read is not documented (contract 3.5),
/// so nothing narrower counts.
fn allows_everything(statements: &[Statement]) -> bool {
    let is_all =
        |texts: &OneOrMany| texts.as_slice().iter().any(|text| ["*", "iam:*"].contains(&text.as_str()));
    let allows = |it: &Statement| is_all(&it.action) && is_all(&it.resource);
    statements.iter().all(|it| it.effect == Effect::Allow) && statements.iter().any(allows)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_all_of_iam_without_a_deny_is_everything() {
        let sees = |policy: Value| {
            allows_everything(&serde_json::from_value::<Vec<Statement>>(policy).expect("a policy"))
        };
        let rule = |effect: &str, action: &str, resource: &str| json!({"effect": effect, "action": action, "resource": resource});
        let allow = |action: &str, resource: &str| rule("allow", action, resource);
        for policy in [
            json!([allow("iam:*", "iam:*")]),
            json!([allow("*", "*")]),
            json!([{"effect": "allow", "action": ["kafka:*", "iam:*"], "resource": ["kafka:*", "iam:*"]}]),
        ] {
            assert!(sees(policy.clone()), "{policy}");
        }
        for policy in [
            json!([]),
            json!([allow("iam:List*", "iam:*"), allow("iam:Get*", "iam:*")]),
            json!([allow("iam:*", "iam:role:*"), allow("iam:*", "iam:group:*")]),
            json!([allow("kafka:*", "*")]),
            json!([allow("*", "*"), rule("deny", "iam:GetRole", "iam:role:secret")]),
            json!([allow("*", "*"), rule("deny", "kafka:*", "*")]),
        ] {
            assert!(!sees(policy.clone()), "{policy}");
        }
    }
}
