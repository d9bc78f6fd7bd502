//! The back end against a server that follows the contract, or breaks it.

mod reads;
mod snapshots;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::VENDOR;
use crate::{
    Backend, Budget, Class, Dialling, Error, Limits, Needs, Settings,
    http::stub::{Reply, Seen, Stub},
    testing::{self, level},
};
use rolewright_core::model::{
    Body, Effect, Grant, Id, Kind, Level, Named, Restriction, Role, RoleRef, Rule, Snapshot,
};

const KEY: &str = "ak-0123456789";

/// A back end over a server that answers with this function.
async fn arize(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Stub, Arc<dyn Backend>) {
    let stub = Stub::start(answer).await;
    let block = testing::block(&stub, "/", json!({}), json!({}));
    let arize = testing::connect(&VENDOR, block, "apiKeySecretRef", KEY);
    (stub, arize)
}

/// An id in the form of Arize, such as that of `Space:1`.
fn id(text: &str) -> Id {
    Id::new(raw(text))
}

fn raw(text: &str) -> String {
    STANDARD.encode(format!("{text}:aBcD"))
}

fn named(word: &str, text: &str, name: &str) -> Named {
    Named::new(level(word), id(text), name)
}

fn needs(kinds: &[Kind], levels: &[&str]) -> Needs {
    Needs {
        kinds: kinds.iter().copied().collect(),
        levels: levels.iter().map(|word| level(word)).collect(),
        hints: BTreeSet::new(),
    }
}

/// The last page of a list.
fn page(key: &str, items: Value) -> Reply {
    Reply::json(200, json!({key: items, "pagination": {"has_more": false}}))
}

/// A page before another one.
fn page_before(key: &str, items: Value, cursor: &str) -> Reply {
    Reply::json(200, json!({key: items, "pagination": {"has_more": true, "next_cursor": cursor}}))
}

fn forbidden() -> Reply {
    Reply::problem(403, "Access forbidden", "no")
}

fn missing() -> Reply {
    Reply::problem(404, "Resource not found", "no")
}

/// A small account: two spaces with one project each, a predefined and a custom role, a person and a service key.
fn account(seen: &Seen) -> Reply {
    match seen.path.as_str() {
        "/v2/roles" => page(
            "roles",
            json!([role_json("Role:1", "Project Viewer", true), role_json("Role:2", "writer", false)]),
        ),
        "/v2/role-bindings" if seen.param("resource_type") == Some("SPACE") => page(
            "role_bindings",
            json!([binding_json("RoleBinding:1", "Role:2", "User:1", "SPACE", "Space:1")]),
        ),
        "/v2/role-bindings" => page("role_bindings", json!([])),
        "/v2/resource-restrictions" => page("resource_restrictions", json!([])),
        "/v2/users" => {
            page("users", json!([{"id": raw("User:1"), "name": "Alice", "email": "alice@example.com"}]))
        }
        "/v2/api-keys" => page(
            "api_keys",
            json!([
                {"id": raw("ApiKey:1"), "name": "ci", "key_type": "SERVICE", "bot_user": {"id": raw("User:9"), "name": "bot"}},
                {"id": raw("ApiKey:2"), "name": "old", "key_type": "service"},
            ]),
        ),
        "/v2/organizations" => {
            page("organizations", json!([{"id": raw("AccountOrganization:1"), "name": "org"}]))
        }
        "/v2/spaces" => page(
            "spaces",
            json!([
                {"id": raw("Space:1"), "name": "research", "organization_id": raw("AccountOrganization:1")},
                {"id": raw("Space:2"), "name": "sales", "organization_id": raw("AccountOrganization:1")},
            ]),
        ),
        "/v2/projects" => page(
            "projects",
            json!([
                {"id": raw("Model:1"), "name": "churn", "space_id": raw("Space:1"), "project_type": null},
                {"id": raw("Model:2"), "name": "churn", "space_id": raw("Space:2")},
            ]),
        ),
        "/v2/audit-logs" => forbidden(),
        _ => missing(),
    }
}

fn role_json(role: &str, name: &str, is_predefined: bool) -> Value {
    json!({
        "id": raw(role), "name": name, "permissions": ["PROJECT_READ", "SPACE_READ"], "is_predefined": is_predefined,
        "created_at": "2026-01-01T12:00:00Z", "updated_at": "2026-01-01T12:00:00.123Z",
    })
}

fn binding_json(binding: &str, role: &str, user: &str, resource_type: &str, resource: &str) -> Value {
    json!({
        "id": raw(binding), "role_id": raw(role), "user_id": raw(user),
        "resource_type": resource_type, "resource_id": raw(resource), "created_at": "2026-01-01T12:00:00Z",
    })
}

fn role(name: &str, description: Option<&str>, actions: &[&str]) -> Body {
    let rule = |action: &&str| Rule { effect: Effect::Allow, action: (*action).to_owned(), resource: None };
    Body::Role(Role {
        name: name.to_owned(),
        display_name: None,
        description: description.map(str::to_owned),
        rules: actions.iter().map(rule).collect::<BTreeSet<_>>(),
        settings: BTreeMap::new(),
        unreadable: false,
    })
}

fn grant(role: &str, scope: Named) -> Body {
    Body::Grant(Grant {
        role: RoleRef::Existing(named("role", role, "writer")),
        subject: named("user", "User:1", "alice@example.com"),
        scope: Some(scope),
    })
}

fn space(text: &str) -> Named {
    named("space", text, "research")
}

fn restriction(level: &str, text: &str) -> Body {
    Body::Restriction(Restriction::new(named(level, text, "churn")))
}

const EVERYTHING: [Kind; 3] = [Kind::Role, Kind::Grant, Kind::Restriction];
const LEVELS: [&str; 5] = ["user", "serviceAccount", "organization", "space", "project"];

async fn sweep(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Result<Snapshot, Error> {
    let (_stub, arize) = arize(answer).await;
    arize.snapshot(&needs(&EVERYTHING, &LEVELS)).await
}

fn class(result: Result<impl std::fmt::Debug, Error>) -> Class {
    result.expect_err("a failure").class
}

#[tokio::test]
async fn calls_carry_the_api_key_without_its_line_break() {
    let (stub, arize) = arize(|seen, _| account(seen)).await;
    arize.probe().await.expect("an identity");
    for seen in stub.seen() {
        assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    }
}

#[test]
fn a_local_address_is_a_fault_unless_allowed() {
    let settings = Settings {
        block: json!({"url": "https://[::ffff:169.254.169.254]"}),
        secrets: BTreeMap::from([("apiKeySecretRef".to_owned(), KEY.into())]),
        ca: None,
        budget: Arc::new(Budget::new(Limits::new(5, 10, 4))),
        dialling: Dialling::default(),
        transport: None,
        observer: Arc::new(()),
    };
    let Err(fault) = VENDOR.connect(settings) else { panic!("the metadata service was accepted") };
    assert_eq!(fault.field, "spec.arize.url");
}

#[tokio::test]
async fn throttling_delays_every_call_to_the_account() {
    let (stub, arize) = arize(|seen, before| match before {
        0 => Reply::problem(429, "Rate limit exceeded", "").with("retry-after", "1"),
        _ => account(seen),
    })
    .await;
    let refused = arize.write(&testing::create(None, role("x", None, &["PROJECT_READ"]))).await;
    assert_eq!(class(refused), Class::Throttled(Duration::from_secs(1)));
    arize.probe().await.expect("an identity");
    let seen = stub.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(950));
}
