//! The back end against a stub that answers as the contract says, or wrongly.

mod dialect;
mod errors;
mod grants;
mod in_use;
mod invitations;
mod names;
mod pages;
mod proofs;
mod reads;
mod roles;
mod sessions;
mod snapshots;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::VENDOR;
use crate::{
    Backend, Class, Error, Needs,
    http::stub::{Reply, Seen, Stub},
    testing::{self, level},
};
use rolewright_core::model::{
    Absence, Body, Change, Effect, Grant, Id, Key, Kind, Level, Named, Observed, Role, RoleRef, Rule,
    Snapshot,
};

const KEY: &str = "ZENPROKEY_0123456789";
const BOTH: [Kind; 2] = [Kind::Role, Kind::Grant];
const LEVELS: [&str; 6] = ["user", "serviceAccount", "team", "workspace", "project", "role"];

const ORG: &str = "00000000-0000-4000-8000-000000000001";
const READER: &str = "10000000-0000-4000-8000-000000000001";
const TRAINER: &str = "10000000-0000-4000-8000-000000000002";
const VIEWER: &str = "10000000-0000-4000-8000-000000000003";
const ADMIN: &str = "10000000-0000-4000-8000-000000000004";
const ALICE: &str = "20000000-0000-4000-8000-000000000001";
const BOB: &str = "20000000-0000-4000-8000-000000000002";
const DAVE: &str = "20000000-0000-4000-8000-000000000003";
const NIGHTLY: &str = "20000000-0000-4000-8000-000000000009";
const ML: &str = "30000000-0000-4000-8000-000000000001";
const INVITED: &str = "40000000-0000-4000-8000-000000000001";
const PRODUCTION: &str = "50000000-0000-4000-8000-000000000001";
const STAGING: &str = "50000000-0000-4000-8000-000000000002";
const CHURN: &str = "60000000-0000-4000-8000-000000000001";

/// A back end with an API key and a base path, and the stub that answers it.
async fn zenml(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Stub, Arc<dyn Backend>) {
    let stub = Stub::start(answer).await;
    let zenml = connect(&stub, json!({}));
    (stub, zenml)
}

/// A back end of a stub, with more fields in its block.
fn connect(stub: &Stub, more: Value) -> Arc<dyn Backend> {
    let block = testing::block(stub, "/pro/api/v1/", json!({"organization": "acme"}), more);
    let field = if block.get("clientId").is_some() { "clientSecretRef" } else { "apiKeySecretRef" };
    testing::connect(&VENDOR, block, field, KEY)
}

/// A call as method and path, without the base path.
fn call(seen: &Seen) -> String {
    let path = seen.path.strip_prefix("/pro/api/v1").expect("a path below the base");
    format!("{} {path}", seen.method)
}

/// All calls except logins.
fn calls(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(call).filter(|call| call != LOGIN).collect()
}

/// All calls that write.
fn writes(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.method != "GET" && call(seen) != LOGIN).collect()
}

/// A call with its query, except offset and limit.
fn call_with_query(seen: &Seen) -> String {
    let query: Vec<String> = seen
        .query
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "offset" | "limit"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if query.is_empty() { call(seen) } else { format!("{}?{}", call(seen), query.join("&")) }
}

fn needs(kinds: &[Kind], levels: &[&str], hints: &[String]) -> Needs {
    Needs {
        kinds: kinds.iter().copied().collect(),
        levels: levels.iter().map(|word| level(word)).collect(),
        hints: hints.iter().map(Id::new).collect(),
    }
}

fn ok(body: Value) -> Reply {
    Reply::json(200, body)
}

/// An application error (contract 1.3).
fn error(status: u16, class: &str, message: &str) -> Reply {
    Reply::json(status, json!({"detail": [class, message]}))
}

const LOGIN: &str = "POST /auth/login";
const ORGANIZATION: &str = "GET /organizations/acme";

fn of_org(list: &str) -> String {
    format!("GET /organizations/{ORG}/{list}")
}

fn assignments_of(role: &str) -> String {
    format!("GET /roles/{role}/assignments")
}

fn login(token: &str, expires_in: Value) -> Reply {
    ok(
        json!({"access_token": token, "token_type": "bearer", "expires_in": expires_in, "device_id": null, "device_metadata": null}),
    )
}

/// The requested page of a list.
fn page(seen: &Seen, items: &[Value]) -> Reply {
    let number = |name: &str, fallback: usize| {
        seen.param(name).map_or(fallback, |text| text.parse().expect("a number"))
    };
    let (offset, limit) = (number("offset", 0), number("limit", 100));
    assert!(limit <= 100, "the server refuses larger pages");
    ok(items.iter().skip(offset).take(limit).cloned().collect())
}

/// A small organization: two custom and two predefined roles, two people, a service account, a team, an invitation and two workspaces.
fn organization(seen: &Seen) -> Reply {
    let path = call(seen);
    let list = path.strip_prefix(&format!("GET /organizations/{ORG}/"));
    match (path.as_str(), list) {
        (LOGIN, _) => login("jwt-1", json!(3600)),
        ("GET /users/me", _) => ok(user(NIGHTLY, "nightly", "", true)),
        (ORGANIZATION, _) => {
            ok(json!({"id": ORG, "name": "acme", "description": null, "created": "2026-01-01T12:00:00"}))
        }
        (_, Some("roles")) => page(seen, &roles()),
        (_, Some("members")) => page(
            seen,
            &[
                user(ALICE, "alice", "alice@example.com", false),
                user(BOB, "bob", "bob@example.com", false),
                user(NIGHTLY, "nightly", "", true),
            ],
        ),
        (_, Some("teams")) => page(seen, &[team()]),
        (_, Some("invitations")) => page(seen, &[invitation()]),
        ("GET /workspaces", _) => {
            page(seen, &[workspace(PRODUCTION, "production"), workspace(STAGING, "staging")])
        }
        _ if path == format!("GET /roles/{READER}") => ok(roles()[0].clone()),
        _ if path == assignments_of(READER) => ok(json!([
            assignment(
                READER,
                json!({"user": user(ALICE, "alice", "alice@example.com", false)}),
                Some(PRODUCTION),
                None
            ),
            assignment(READER, json!({"team": team()}), Some(PRODUCTION), None),
        ])),
        _ if path == assignments_of(ADMIN) => ok(json!([assignment(
            ADMIN,
            json!({"user": user(BOB, "bob", "bob@example.com", false)}),
            None,
            None
        )])),
        _ if path == assignments_of(TRAINER) => ok(json!([assignment(
            TRAINER,
            json!({"user": user(NIGHTLY, "nightly", "", true)}),
            Some(PRODUCTION),
            Some(CHURN)
        ),])),
        _ => Reply::json(404, json!({"detail": "Not Found"})),
    }
}

/// The organization, with another answer to one call.
fn with(
    path: impl Into<String>,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Reply {
    let path = path.into();
    move |seen, _| if call(seen) == path { reply(seen) } else { organization(seen) }
}

fn roles() -> [Value; 4] {
    [
        role(READER, "reader", "workspace", false),
        role(TRAINER, "trainer", "project", false),
        role(VIEWER, "Workspace Viewer", "workspace", true),
        role(ADMIN, "Organization Admin", "organization", true),
    ]
}

/// A role as the server shows it.
fn role(id: &str, name: &str, level: &str, system_managed: bool) -> Value {
    json!({"id": id, "name": name, "description": null, "organization_id": ORG, "level": level,
        "system_managed": system_managed, "type": "normal",
        "permissions": [{"resource": "pipeline", "actions": ["read"]}]})
}

/// A role whose permissions the server does not show.
fn hidden(id: &str, name: &str) -> Value {
    let mut role = role(id, name, "workspace", false);
    role.as_object_mut().expect("an object").remove("permissions");
    role
}

fn user(id: &str, username: &str, email: &str, service_account: bool) -> Value {
    json!({"id": id, "username": username, "email": email, "name": username, "password": "hashed-secret",
        "is_active": true, "is_superuser": false, "is_service_account": service_account, "organization_id": null})
}

fn team() -> Value {
    json!({"id": ML, "name": "ml", "description": null, "member_count": 2})
}

fn invitation() -> Value {
    json!({"id": INVITED, "email": "Dave@example.com", "organization_id": ORG})
}

fn workspace(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "organization": {"id": ORG, "name": "acme"}, "status": "available"})
}

fn assignment(role_id: &str, subject: Value, workspace: Option<&str>, project: Option<&str>) -> Value {
    let mut assignment = json!({"user": null, "team": null, "organization_id": ORG,
        "role": role(role_id, "reader", "workspace", false), "workspace_id": workspace, "project_id": project});
    for (field, value) in subject.as_object().expect("an object") {
        assignment[field] = value.clone();
    }
    assignment
}

fn rules(pairs: &[(&str, &str)]) -> BTreeSet<Rule> {
    let rule = |(action, resource): &(&str, &str)| Rule {
        effect: Effect::Allow,
        action: (*action).to_owned(),
        resource: Some((*resource).to_owned()),
    };
    pairs.iter().map(rule).collect()
}

/// The role of a spec.
fn desired_role(name: &str, level: &str) -> Role {
    Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: rules(&[("read", "pipeline")]),
        settings: BTreeMap::from([("level".to_owned(), level.to_owned())]),
        unreadable: false,
    }
}

fn named(word: &str, id: &str, name: &str) -> Named {
    Named::new(level(word), Id::new(id), name)
}

fn in_production() -> Option<Named> {
    Some(named("workspace", &format!("workspace:{PRODUCTION}"), "production"))
}

fn in_churn() -> Option<Named> {
    Some(named("project", &format!("project:{PRODUCTION}:{CHURN}"), "churn"))
}

fn grant(role: &str, subject: &str, scope: Option<Named>) -> Body {
    let level = subject.split(':').next().expect("a level");
    Body::Grant(Grant {
        role: RoleRef::Existing(named("role", role, "reader")),
        subject: named(level, subject, "alice@example.com"),
        scope,
    })
}

/// The id of a grant, which is also its hint for sweeps.
fn grant_id(role: &str, scope: &str, subject: &str) -> String {
    format!("{role}/{scope}/{subject}")
}

fn alice() -> String {
    format!("user:{ALICE}")
}

fn alice_as_reader() -> String {
    grant_id(READER, &format!("workspace:{PRODUCTION}"), &alice())
}

async fn sweep(
    hints: &[String],
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Snapshot, Error>, Vec<Seen>) {
    let (stub, zenml) = zenml(answer).await;
    (zenml.snapshot(&needs(&BOTH, &LEVELS, hints)).await, stub.seen())
}

async fn write(
    change: Change,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Option<Observed>, Error>, Vec<Seen>) {
    let (stub, zenml) = zenml(answer).await;
    (zenml.write(&change).await, stub.seen())
}

fn class(result: Result<impl std::fmt::Debug, Error>) -> Class {
    result.expect_err("a failure").class
}

fn create(body: Body) -> Change {
    testing::create(None, body)
}

fn delete(id: impl Into<String>, body: Body) -> Change {
    testing::delete(Id::new(id), body)
}
