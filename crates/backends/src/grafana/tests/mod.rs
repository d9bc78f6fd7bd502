//! The back end against a server that follows the contract, or breaks it.

mod dialect;
mod grants;
mod large;
mod proofs;
mod reads;
mod restrictions;
mod roles;
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
    Absence, Body, Change, Effect, Grant, Id, Kind, Level, Named, Observed, Role, RoleRef, Rule, Snapshot,
};

const TOKEN: &str = "glsa_0123456789";
const BOTH: [Kind; 2] = [Kind::Role, Kind::Grant];
const LEVELS: [&str; 4] = ["user", "serviceAccount", "team", "role"];

/// A back end over a server that answers with this function, with a token, below a path.
async fn grafana(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Stub, Arc<dyn Backend>) {
    let stub = Stub::start(answer).await;
    let grafana = connect(&stub, json!({}));
    (stub, grafana)
}

/// A back end over a server, with more fields in its block.
fn connect(stub: &Stub, more: Value) -> Arc<dyn Backend> {
    let block = testing::block(stub, "/grafana/", json!({}), more);
    let field = if block.get("username").is_some() { "passwordSecretRef" } else { "tokenSecretRef" };
    testing::connect(&VENDOR, block, field, TOKEN)
}

/// The method, and the path below the base.
fn call(seen: &Seen) -> String {
    let path = seen.path.strip_prefix("/grafana/api").expect("a path below the base");
    format!("{} {path}", seen.method)
}

fn calls(stub: &Stub) -> Vec<String> {
    stub.seen().iter().map(call).collect()
}

/// The calls that write.
fn writes(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.method != "GET" && !seen.path.ends_with("/search")).collect()
}

fn needs(kinds: &[Kind], levels: &[&str], subjects: &[&str]) -> Needs {
    Needs {
        kinds: kinds.iter().copied().collect(),
        levels: levels.iter().map(|word| level(word)).collect(),
        hints: subjects.iter().copied().map(Id::new).collect(),
    }
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"message": message, "traceID": ""}))
}

fn ok(body: Value) -> Reply {
    Reply::json(200, body)
}

const STATUS: &str = "GET /access-control/status";
const OWN: &str = "GET /access-control/user/permissions";
const ROLES: &str = "GET /access-control/roles";
const USERS: &str = "GET /org/users/search";
const ACCOUNTS: &str = "GET /serviceaccounts/search";
const TEAMS: &str = "GET /teams/search";
const ROLES_OF_USERS: &str = "POST /access-control/users/roles/search";
const ROLES_OF_TEAMS: &str = "POST /access-control/teams/roles/search";

/// A small organization: a basic, a fixed and a custom role, two people, a service account and a team.
fn organization(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        STATUS => ok(json!({"enabled": true})),
        "GET /org" => ok(json!({"id": 1, "name": "Main Org.", "address": {}})),
        OWN => ok(json!({
            "roles:read": ["roles:*"], "users.roles:read": ["users:id:*"], "teams.roles:read": ["teams:id:*"],
            "reports:read": ["reports:*"], "licensing:read": [""],
        })),
        ROLES => ok(json!([
            listed("basic_viewer", "basic:viewer"),
            listed("fixed_r", "fixed:reports:reader"),
            listed("r1", "writer")
        ])),
        "GET /access-control/roles/r1" => ok(whole("r1", "writer", 3)),
        USERS => ok(json!({"totalCount": 2, "page": 1, "perPage": 1000, "orgUsers": [
            {"orgId": 1, "userId": 1, "uid": "a", "login": "alice", "email": "alice@example.com", "name": "Alice", "role": "Admin"},
            {"orgId": 1, "userId": 2, "login": "bob", "email": "", "name": "Bob"},
        ]})),
        ACCOUNTS => ok(json!({"totalCount": 1, "page": 1, "perPage": 1000,
            "serviceAccounts": [{"id": 14, "uid": "b", "name": "nightly", "login": "sa-1-nightly", "orgId": 1, "isDisabled": false}]})),
        TEAMS => ok(json!({"totalCount": 1, "page": 1, "perPage": 1000,
            "teams": [{"id": 1, "uid": "t1", "orgId": 1, "name": "sre", "memberCount": 4}]})),
        ROLES_OF_USERS => ok(
            json!({"1": [listed("r1", "writer")], "2": [], "14": [listed("fixed_r", "fixed:reports:reader")]}),
        ),
        ROLES_OF_TEAMS => ok(json!({"1": [listed("r1", "writer")]})),
        _ => error(404, "Not found"),
    }
}

/// The organization, with another answer to one call.
fn with(
    path: &'static str,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| if call(seen) == path { reply(seen) } else { organization(seen) }
}

/// A role in a list.
fn listed(uid: &str, name: &str) -> Value {
    json!({"version": 3, "uid": uid, "name": name, "description": "", "group": "Reports", "global": false,
        "created": "0001-01-01T00:00:00Z", "updated": "2026-01-01T12:00:00Z"})
}

/// A role with its permissions.
fn whole(uid: &str, name: &str, version: i64) -> Value {
    let mut role = listed(uid, name);
    role["version"] = json!(version);
    role["permissions"] = json!([
        {"action": "reports:read", "scope": "reports:*", "created": "2026-01-01T12:00:00Z"},
        {"action": "licensing:read", "scope": ""},
    ]);
    role
}

fn rule(action: &str, scope: Option<&str>) -> Rule {
    Rule { effect: Effect::Allow, action: action.to_owned(), resource: scope.map(str::to_owned) }
}

/// The body of a role.
fn role_body(name: &str, rules: &[(&str, Option<&str>)]) -> Body {
    let settings = [("group", "Reports"), ("hidden", "false"), ("global", "false")];
    Body::Role(Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: rules.iter().map(|(action, scope)| rule(action, *scope)).collect(),
        settings: settings.map(|(field, value)| (field.to_owned(), value.to_owned())).into(),
        unreadable: false,
    })
}

/// The role of [`whole`].
fn writer() -> Role {
    let rules = [("licensing:read", None), ("reports:read", Some("reports:*"))];
    let Body::Role(role) = role_body("writer", &rules) else { unreachable!() };
    role
}

fn named(word: &str, id: &str, name: &str) -> Named {
    Named::new(level(word), Id::new(id), name)
}

fn grant(role: &str, subject: &str) -> Body {
    let level = subject.split(':').next().expect("a level");
    Body::Grant(Grant {
        role: RoleRef::Existing(named("role", role, "writer")),
        subject: named(level, subject, "alice@example.com"),
        scope: None,
    })
}

async fn sweep(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Result<Snapshot, Error> {
    let (_stub, grafana) = grafana(answer).await;
    grafana.snapshot(&needs(&BOTH, &LEVELS, &[])).await
}

async fn write(
    change: Change,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Option<Observed>, Error>, Vec<Seen>) {
    let (stub, grafana) = grafana(answer).await;
    (grafana.write(&change).await, stub.seen())
}

fn class(result: Result<impl std::fmt::Debug, Error>) -> Class {
    result.expect_err("a failure").class
}
