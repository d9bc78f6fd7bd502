//! The back end against a server that answers as the contract says, or as it should not.

mod failures;
mod grants;
mod groups;
mod identity;
mod proofs;
mod reads;
mod roles;
mod snapshots;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{VENDOR, ids, ids::Incarnation};
use crate::{
    Backend, Class, Error, Needs,
    http::stub::{Reply, Seen, Stub},
    testing,
};
use rolewright_core::model::{
    Absence, Body, Change, Effect, Grant, Group, Id, Key, Kind, Named, Observed, Role, RoleRef, Rule,
    Snapshot,
};

const TOKEN: &str = "sa_0123456789";
const ALL: [Kind; 3] = [Kind::Role, Kind::Grant, Kind::Group];
const LEVELS: [&str; 3] = ["user", "serviceAccount", "group"];
/// A group that a binding owns.
const OWNED: &str = "rw-readers-0123456789abcdef";

const ROLES: &str = "GET /roles";
const READER: &str = "GET /roles/reader";
const GROUPS: &str = "GET /groups";
const DEVS: &str = "GET /groups/devs";
const OWN: &str = "GET /groups/rw-readers-0123456789abcdef";
const USERS: &str = "GET /users";
const ACCOUNTS: &str = "GET /service-accounts";
/// That of the token: an admin.
const ACCOUNT: &str = "GET /service-accounts/rolewright";
const DEFINITIONS: &str = "GET /permissions/definitions";

/// A back end over a server that answers by this function, below a path.
async fn lenses(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Stub, Arc<dyn Backend>) {
    let stub = Stub::start(answer).await;
    let lenses = connect(&stub, json!({}));
    (stub, lenses)
}

/// A back end over a server, with more in its block.
fn connect(stub: &Stub, more: Value) -> Arc<dyn Backend> {
    let block = testing::block(stub, "/hq/", json!({"serviceAccount": "rolewright"}), more);
    testing::connect(&VENDOR, block, "tokenSecretRef", TOKEN)
}

/// What comes after the base path, with the method.
fn call(seen: &Seen) -> String {
    let path = seen.path.strip_prefix("/hq/api/v1").expect("a path below the base");
    format!("{} {path}", seen.method)
}

fn calls(stub: &Stub) -> Vec<String> {
    stub.seen().iter().map(call).collect()
}

/// The calls that write.
fn writes(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.method != "GET").collect()
}

fn needs(held: &[Id]) -> Needs {
    Needs {
        kinds: ALL.into(),
        levels: LEVELS.iter().map(|level| (*level).to_owned()).collect(),
        held: held.iter().cloned().collect(),
    }
}

fn held_role(name: &str) -> Id {
    ids::asked_for(Kind::Role, &Key::new([("name", name)]), None).expect("an id")
}

fn held_group(name: &str) -> Id {
    ids::asked_for(Kind::Group, &Key::new([("name", name)]), None).expect("an id")
}

fn held_grant(group: &str) -> Id {
    held_place(&place(group))
}

/// What is asked because the role `reader` is held in a group of this id.
fn held_place(group: &Id) -> Id {
    ids::asked_for(Kind::Grant, &Key::new([("role", "reader"), ("subject", group.as_str())]), None)
        .expect("an id")
}

/// What the fixtures tell a thing of this name by.
fn made(name: &str) -> Incarnation {
    Incarnation::of(Some(&format!("id-{name}")), None)
}

/// The id of a role, or of a binding's own group.
fn thing(name: &str) -> Id {
    ids::thing(name, &made(name))
}

/// The id of a group as a subject.
fn place(group: &str) -> Id {
    ids::group(group, &made(group))
}

fn refusal(status: u16) -> Reply {
    Reply::problem(status, "Refused", "for a reason")
}

/// A 404 of HQ's own.
fn missing() -> Reply {
    Reply::json(404, json!({"title": "Not Found"}))
}

fn ok(body: Value) -> Reply {
    Reply::json(200, body)
}

/// A small HQ: two roles, two groups, one of them a binding's own, a person and a service account in it.
fn hq(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        ROLES => ok(json!({"items": [listed("reader", 1), listed("writer", 2)]})),
        READER => ok(whole()),
        GROUPS => ok(json!({"items": [item("devs", 0, 0, 2), item(OWNED, 1, 1, 1), item("empty", 3, 0, 0)]})),
        DEVS => ok(
            json!({"name": "devs", "sso_name": "devs", "roles": [listed("reader", 1), listed("writer", 2)]}),
        ),
        OWN => ok(owned()),
        USERS => ok(json!({"items": [user("alice@example.com", &[OWNED]), user("bob@example.com", &[])]})),
        ACCOUNTS => ok(json!({"items": [user("nightly", &[OWNED])]})),
        ACCOUNT => ok(json!({"name": "rolewright", "is_admin": true})),
        DEFINITIONS => ok(json!({"resource_definitions": [
            {"service": "kafka", "short_name": "topic", "full_name": "kafka:topic",
             "resource_format": "kafka:topic:${Environment}/kafka/${Topic}", "actions": ["ListTopics", "CreateTopic"]},
        ]})),
        _ => missing(),
    }
}

/// The HQ, but for one call.
fn with(
    path: &'static str,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| if call(seen) == path { reply(seen) } else { hq(seen) }
}

/// A role as lists have it.
fn listed(name: &str, policy_length: u64) -> Value {
    json!({"name": name, "display_name": name, "lrn": format!("iam:role:{name}"), "description": "", "id": format!("id-{name}"),
        "created_at": "2026-01-01T12:00:00Z", "policy_length": policy_length})
}

/// The role `reader`, as it is read by itself.
fn whole() -> Value {
    json!({"name": "reader", "display_name": "reader", "lrn": "iam:role:reader", "description": "", "id": "id-reader",
        "created_at": "2026-01-01T12:00:00Z", "metadata": {"team": "data"},
        "policy": [{"effect": "allow", "action": "kafka:ListTopics", "resource": ["kafka:topic:*"]}]})
}

/// A group as lists have it.
fn item(name: &str, users: u64, accounts: u64, roles: u64) -> Value {
    json!({"name": name, "display_name": name, "sso_name": name, "id": format!("id-{name}"), "description": "",
        "created_at": "2026-01-01T12:00:00Z", "user_count": users, "sa_count": accounts, "role_count": roles})
}

/// The binding's own group, as it is read by itself.
fn owned() -> Value {
    json!({"name": OWNED, "sso_name": ids::sso_name(OWNED), "roles": [listed("reader", 1)],
        "users": [{"name": "alice@example.com"}], "service_accounts": [{"name": "nightly"}]})
}

fn user(name: &str, groups: &[&str]) -> Value {
    let groups: Vec<Value> = groups.iter().map(|name| json!({"name": name})).collect();
    json!({"name": name, "display_name": name, "id": "1", "groups": groups, "profile": {"email_address": "x@example.com"}})
}

fn rule(effect: Effect, action: &str, resource: &str) -> Rule {
    Rule { effect, action: action.to_owned(), resource: Some(resource.to_owned()) }
}

/// What [`whole`] says.
fn reader() -> Role {
    Role {
        name: "reader".to_owned(),
        display_name: Some("reader".to_owned()),
        description: None,
        rules: [rule(Effect::Allow, "kafka:ListTopics", "kafka:topic:*")].into(),
        settings: BTreeMap::new(),
        unreadable: false,
    }
}

fn named(level: &str, id: &Id, name: &str) -> Named {
    Named { level: level.to_owned(), id: id.clone(), name: name.to_owned() }
}

fn role_ref(name: &str) -> RoleRef {
    RoleRef::Existing(named("role", &Id::new(name), name))
}

fn grant(group: &str, role: &str) -> Body {
    let subject = named("group", &place(group), group);
    Body::Grant(Grant { role: role_ref(role), subject, scope: None })
}

fn group(roles: &[&str], members: Option<&[&str]>) -> Group {
    Group {
        name: OWNED.to_owned(),
        roles: roles.iter().map(|role| role_ref(role)).collect(),
        members: members
            .map(|members| members.iter().map(|name| named("user", &ids::principal(name), name)).collect()),
    }
}

/// What [`owned`] says.
fn readers() -> Group {
    group(&["reader"], Some(&["alice@example.com", "nightly"]))
}

async fn sweep(
    held: &[Id],
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> Result<Snapshot, Error> {
    let (_stub, lenses) = lenses(answer).await;
    lenses.snapshot(&needs(held)).await
}

async fn write(
    change: Change,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Option<Observed>, Error>, Vec<Seen>) {
    let (stub, lenses) = lenses(answer).await;
    (lenses.write(&change).await, stub.seen())
}

fn class(result: Result<impl std::fmt::Debug, Error>) -> Class {
    result.expect_err("a failure").class
}

/// The one write, and what it was to be.
fn only_write(seen: &[Seen]) -> (String, Value) {
    let writes = writes(seen);
    assert_eq!(writes.len(), 1, "{writes:?}");
    (call(writes[0]), writes[0].body.clone())
}
