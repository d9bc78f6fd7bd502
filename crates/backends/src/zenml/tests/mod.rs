//! The back end against a server that answers as the contract says, or as it should not.

mod dialect;
mod errors;
mod grants;
mod holders;
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
    testing,
};
use rolewright_core::model::{
    Absence, Body, Change, Effect, Grant, Id, Key, Kind, Named, Observed, Role, RoleRef, Rule, Snapshot, Verb,
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

/// A back end over a server that answers by this function, with an API key, below a path.
async fn zenml(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Stub, Arc<dyn Backend>) {
    let stub = Stub::start(answer).await;
    let zenml = connect(&stub, json!({}));
    (stub, zenml)
}

/// A back end over a server, with more in its block.
fn connect(stub: &Stub, more: Value) -> Arc<dyn Backend> {
    let block = testing::block(stub, "/pro/api/v1/", json!({"organization": "acme"}), more);
    let field = if block.get("clientId").is_some() { "clientSecretRef" } else { "apiKeySecretRef" };
    testing::connect(&VENDOR, block, field, KEY)
}

/// What comes after the base path, with the method.
fn call(seen: &Seen) -> String {
    let path = seen.path.strip_prefix("/pro/api/v1").expect("a path below the base");
    format!("{} {path}", seen.method)
}

/// All calls but the logins.
fn calls(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(call).filter(|call| call != LOGIN).collect()
}

/// The calls that write.
fn writes(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.method != "GET" && call(seen) != LOGIN).collect()
}

/// A call with its query, the pages left out.
fn asked(seen: &Seen) -> String {
    let query: Vec<String> = seen
        .query
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "offset" | "limit"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if query.is_empty() { call(seen) } else { format!("{}?{}", call(seen), query.join("&")) }
}

fn needs(kinds: &[Kind], levels: &[&str], held: &[String]) -> Needs {
    Needs {
        kinds: kinds.iter().copied().collect(),
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        held: held.iter().map(Id::new).collect(),
    }
}

fn ok(body: Value) -> Reply {
    Reply::json(200, body)
}

/// An error of the application (contract 1).
fn error(status: u16, class: &str, message: &str) -> Reply {
    Reply::json(status, json!({"detail": [class, message]}))
}

const LOGIN: &str = "POST /auth/login";
const ORGANIZATION: &str = "GET /organizations/acme";

fn of_org(list: &str) -> String {
    format!("GET /organizations/{ORG}/{list}")
}

fn holders_of(role: &str) -> String {
    format!("GET /roles/{role}/assignments")
}

fn login(token: &str, expires_in: Value) -> Reply {
    ok(
        json!({"access_token": token, "token_type": "bearer", "expires_in": expires_in, "device_id": null, "device_metadata": null}),
    )
}

/// The part of a list that is asked for.
fn page(seen: &Seen, items: &[Value]) -> Reply {
    let number = |name: &str, otherwise: usize| {
        seen.param(name).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (offset, limit) = (number("offset", 0), number("limit", 100));
    assert!(limit <= 100, "the server refuses larger pages");
    ok(items.iter().skip(offset).take(limit).cloned().collect())
}

/// A small organization: a role of each level and one of its own, two people, a service account, a team, somebody invited, two workspaces.
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
        _ if path == holders_of(READER) => ok(json!([
            assignment(
                READER,
                json!({"user": user(ALICE, "alice", "alice@example.com", false)}),
                Some(PRODUCTION),
                None
            ),
            assignment(READER, json!({"team": team()}), Some(PRODUCTION), None),
        ])),
        _ if path == holders_of(ADMIN) => ok(json!([assignment(
            ADMIN,
            json!({"user": user(BOB, "bob", "bob@example.com", false)}),
            None,
            None
        )])),
        _ if path == holders_of(TRAINER) => ok(json!([assignment(
            TRAINER,
            json!({"user": user(NIGHTLY, "nightly", "", true)}),
            Some(PRODUCTION),
            Some(CHURN)
        ),])),
        _ => Reply::json(404, json!({"detail": "Not Found"})),
    }
}

/// The organization, but for one call.
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
    json!({"id": id, "name": name, "organization_id": ORG, "status": "available"})
}

fn assignment(role_id: &str, holder: Value, workspace: Option<&str>, project: Option<&str>) -> Value {
    let mut assignment = json!({"user": null, "team": null, "organization_id": ORG,
        "role": role(role_id, "reader", "workspace", false), "workspace_id": workspace, "project_id": project});
    for (field, value) in holder.as_object().expect("an object") {
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

/// A role as a spec wants it.
fn wish(name: &str, level: &str) -> Role {
    Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: rules(&[("read", "pipeline")]),
        settings: BTreeMap::from([("level".to_owned(), level.to_owned())]),
        unreadable: false,
    }
}

fn named(level: &str, id: &str, name: &str) -> Named {
    Named { level: level.to_owned(), id: Id::new(id), name: name.to_owned() }
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

/// The id of a grant, which is also what a sweep is asked for it by.
fn grant_id(role: &str, scope: &str, subject: &str) -> String {
    format!("{role}/{scope}/{subject}")
}

fn alice() -> String {
    format!("user:{ALICE}")
}

fn alice_reads() -> String {
    grant_id(READER, &format!("workspace:{PRODUCTION}"), &alice())
}

async fn sweep(
    held: &[String],
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Snapshot, Error>, Vec<Seen>) {
    let (stub, zenml) = zenml(answer).await;
    (zenml.snapshot(&needs(&BOTH, &LEVELS, held)).await, stub.seen())
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
