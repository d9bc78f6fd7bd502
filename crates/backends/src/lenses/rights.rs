//! What the credential may see, by its own policy. No call tells whose token it is (contract 1), so this is known only where the Backend
//! names the service account: its groups, their roles, and what those permit.

use std::collections::BTreeSet;

use super::{
    client::Client,
    lrn,
    wire::{Effect, Principal, Statement},
};
use crate::{Class, Error, reading::each};

/// Whether the lists hold anything back from this account, as far as its own policy tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It may read all of iam, and nothing denies it any of that.
    Everything,
    /// It may not, or not even its own policy.
    Narrowed,
}

/// What a token needs that is to tell what is gone from what is hidden, for messages.
pub const NEEDED: &str = "name the token's service account in spec.lenses.serviceAccount of the Backend, and let it do iam:* on iam:*";

/// Reads the account's own policy. Of an account that is not named nothing is known.
pub async fn sight(client: &Client, account: Option<&str>) -> Result<Sight, Error> {
    let Some(account) = account else { return Ok(Sight::Narrowed) };
    match statements(client, account).await {
        Ok(Some(statements)) if sees_everything(&statements) => Ok(Sight::Everything),
        Ok(None) => Ok(Sight::Everything),
        Ok(Some(_)) => Ok(Sight::Narrowed),
        Err(error) if error.class.is_withheld() => Ok(Sight::Narrowed),
        Err(error) => Err(error),
    }
}

/// All statements that hold for the account. None for an admin, for whom none is needed (contract 1).
async fn statements(client: &Client, account: &str) -> Result<Option<Vec<Statement>>, Error> {
    let account: Principal = client.service_account(account).await?;
    if account.is_admin == Some(true) {
        return Ok(None);
    }
    let groups = account.groups.unwrap_or_default();
    let groups = each(groups, |group| async move {
        let roles = client.group(group.name()).await?.roles.unwrap_or_default();
        match group.role_count().is_none_or(|count| count == roles.len() as u64) {
            true => Ok(roles),
            false => Err(Error::new(Class::Denied, format!("a role of {} is not shown", group.name()))),
        }
    });
    let roles = groups.await?.into_iter().flatten();
    let roles: BTreeSet<String> = roles.map(|role| role.name().to_owned()).collect();
    let roles = each(roles, |role| async move { client.role(&role).await }).await?;
    Ok(Some(roles.into_iter().flat_map(|role| role.policy.unwrap_or_default()).collect()))
}

/// Whether these permit reading all roles and groups: by which action each is read is not told (contract 3), so it has to be all of iam,
/// or all of it that lists and gets, on all roles and groups, and no deny may be near.
fn sees_everything(statements: &[Statement]) -> bool {
    let on_all = |statement: &Statement, kind: &str| {
        statement.resource.as_slice().iter().any(|resource| ["*", "iam:*", kind].contains(&resource.as_str()))
    };
    let permits = |action: &str, kind: &str| {
        statements
            .iter()
            .filter(|it| it.effect == Effect::Allow && on_all(it, kind))
            .any(|statement| statement.action.as_slice().iter().any(|allowed| lrn::covers(allowed, action)))
    };
    let is_near = |statement: &Statement| {
        let near = |text: &String| text.starts_with('*') || text.starts_with("iam:");
        statement.action.as_slice().iter().any(near) && statement.resource.as_slice().iter().any(near)
    };
    let denied = statements.iter().any(|statement| statement.effect == Effect::Deny && is_near(statement));
    let each = |kind: &str| permits("iam:List*", kind) && permits("iam:Get*", kind);
    !denied && ["iam:role:*", "iam:group:*"].into_iter().all(each)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sees(policy: Value) -> bool {
        sees_everything(&serde_json::from_value::<Vec<Statement>>(policy).expect("a policy"))
    }

    fn allow(action: &str, resource: &str) -> Value {
        json!({"effect": "allow", "action": action, "resource": resource})
    }

    #[test]
    fn all_of_iam_is_everything_and_less_is_not() {
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
    fn a_deny_that_could_touch_iam_narrows() {
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
