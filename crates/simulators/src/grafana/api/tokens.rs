//! Tokens of service accounts. A token that is created here is a working credential (contract 1.1).

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    call::{Scene, message},
    problem::Problem,
    service_accounts,
};
use crate::{
    grafana::{
        access::Grant,
        rows::service_accounts::Token,
        state::{Kind, now},
    },
    kit::answer::Answer,
};

/// GET `/serviceaccounts/{id}/tokens`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = service_accounts::authorize(scene, "serviceaccounts:read")?;
    let tokens = scene.tenant.tokens.iter().filter(|token| token.service_account_id == account.id);
    let to_json = |token: &Token| {
        json!({
            "id": token.id,
            "name": token.name,
            "created": token.created,
            "expiration": token.expires_at,
            "hasExpired": token.expires_at.is_some_and(|end| end <= Timestamp::now()),
            "isRevoked": false,
            "secondsUntilExpiration": 0,
            "lastUsedAt": null,
        })
    };
    Ok(Answer::ok(tokens.map(to_json).collect()))
}

/// POST `/serviceaccounts/{id}/tokens`: the only answer with the secret.
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = service_accounts::authorize(scene, "serviceaccounts:write")?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let lifetime = fields.number("secondsToLive")?.filter(|seconds| *seconds > 0);
    let tenant = &mut *scene.tenant;
    let is_taken = |token: &Token| token.service_account_id == account.id && token.name == name;
    if tenant.tokens.iter().any(is_taken) {
        return Err(Problem::switched(409, "a token with this name exists"));
    }
    let created = now();
    let expires_at =
        lifetime.and_then(|seconds| created.checked_add(SignedDuration::from_secs(seconds)).ok());
    let id = tenant.issue(Kind::Token);
    let secret = format!("glsa_{}_{id:08x}", tenant.issue_uid());
    let grant = Grant { expires_at, ..Grant::of_service_account(account.id, account.org_id) };
    let added = scene.credentials.add(&credential_name(id), &secret, grant);
    added.map_err(|error| Problem::switched(500, error.to_string()))?;
    let token = Token { id, service_account_id: account.id, name: name.clone(), created, expires_at };
    tenant.tokens.insert(token);
    Ok(Answer::ok(json!({ "id": id, "name": name, "key": secret })))
}

/// DELETE `/serviceaccounts/{id}/tokens/{tokenId}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = service_accounts::authorize(scene, "serviceaccounts:write")?;
    let id = scene.path_number(1)?;
    let token = scene.tenant.tokens.get(id).filter(|token| token.service_account_id == account.id);
    token.ok_or_else(|| Problem::not_found("Service account token not found"))?;
    scene.tenant.tokens.remove(id);
    let grant = Grant { revoked: true, ..Grant::of_service_account(account.id, account.org_id) };
    // A tenant that was put can have tokens without a credential: then there is nothing to revoke.
    let _ = scene.credentials.narrow(&credential_name(id), grant);
    Ok(message("Service account token deleted"))
}

/// The name of a token's credential.
fn credential_name(id: i64) -> String {
    format!("token-{id}")
}
