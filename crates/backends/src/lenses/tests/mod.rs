//! The back end against a server that follows the contract, or breaks it.

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

use super::{VENDOR, ids};
use crate::{
    Backend, Class, Error, Needs,
    http::stub::{Reply, Seen, Stub},
    testing::{self, level},
};
use rolewright_core::model::{
    Absence, Body, Change, Effect, Grant, Group, Id, Key, Kind, Level, Named, Observed, Role, RoleRef, Rule,
    Snapshot, SubjectKind,
};

const TOKEN: &str = "sa_0123456789";
const ALL: [Kind; 3] = [Kind::Role, Kind::Grant, Kind::Group];
const LEVELS: [&str; 3] = ["user", "serviceAccount", "group"];
/// A group that a RoleBinding owns.
const OWNED: &str = "rw-readers-0123456789abcdef";

const ROLES: &str = "GET /roles";
const READER: &str = "GET /roles/reader";
const GROUPS: &str = "GET /groups";
const DEVS: &str = "GET /groups/devs";
const OWN: &str = "GET /groups/rw-readers-0123456789abcdef";
const USERS: &str = "GET /users";
const ACCOUNTS: &str = "GET /service-accounts";
/// The account of the token: an admin.
const ACCOUNT: &str = "GET /service-accounts/rolewright";
const DEFINITIONS: &str = "GET /permissions/definitions";

/// A back end over a server that answers with this function, below a path.
async fn lenses(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Stub, Arc<dyn Backend>) {
    let stub = Stub::start(answer).await;
    let lenses = connect(&stub, json!({}));
    (stub, lenses)
}

/// A back end over a server, with more fields in its block.
fn connect(stub: &Stub, more: Value) -> Arc<dyn Backend> {
    let block = testing::block(stub, "/hq/", json!({"serviceAccount": "rolewright"}), more);
    testing::connect(&VENDOR, block, "tokenSecretRef", TOKEN)
}

/// The method, and the path below the base.
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

fn needs(hints: &[Id]) -> Needs {
    Needs {
        kinds: ALL.into(),
        levels: LEVELS.iter().map(|word| level(word)).collect(),
        hints: hints.iter().cloned().collect(),
    }
}

fn managed_role(name: &str) -> Id {
    ids::hint(Kind::Role, &Key::new([("name", name)]), None).expect("an id")
}

fn managed_group(name: &str) -> Id {
    ids::hint(Kind::Group, &Key::new([("name", name)]), None).expect("an id")
}

fn managed_grant(group: &str) -> Id {
    managed_grant_in(&place(group))
}

/// The hint for the managed grant of `reader` to a group with this id.
fn managed_grant_in(group: &Id) -> Id {
    ids::hint(Kind::Grant, &Key::new([("role", "reader"), ("subject", group.as_str())]), None).expect("an id")
}

/// The id of a role, or of an owned group.
fn thing(name: &str) -> Id {
    ids::thing(name, &format!("id-{name}"))
}

/// The id of a group as a subject.
fn place(group: &str) -> Id {
    ids::group(group, &format!("id-{group}"))
}

fn refusal(status: u16) -> Reply {
    Reply::problem(status, "Refused", "for a reason")
}

/// HQ's own 404.
fn missing() -> Reply {
    Reply::json(404, json!({"title": "Not Found"}))
}

fn ok(body: Value) -> Reply {
    Reply::json(200, body)
}

/// A small HQ: two roles, an owned group with a person and a service account, and two other groups.
fn hq(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        ROLES => ok(json!({"items": [listed("reader", 1), listed("writer", 2)]})),
        READER => ok(whole()),
        GROUPS => ok(json!({"items": [item("devs", 0, 0, 2), item(OWNED, 1, 1, 1), item("empty", 3, 0, 0)]})),
        DEVS => ok(devs(&["reader", "writer"])),
        OWN => ok(owned()),
        USERS => ok(json!({"items": [user("alice@example.com", &[OWNED]), user("bob@example.com", &[])]})),
        ACCOUNTS => ok(json!({"items": [user("nightly", &[OWNED])]})),
        ACCOUNT => ok(account(true, &[])),
        DEFINITIONS => ok(json!({"resource_definitions": [
            {"service": "kafka", "short_name": "topic", "full_name": "kafka:topic",
             "resource_format": "kafka:topic:${Environment}/kafka/${Topic}", "actions": ["ListTopics", "CreateTopic"]},
        ]})),
        _ => missing(),
    }
}

/// The HQ, with another answer to one call.
fn with(
    path: &'static str,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| if call(seen) == path { reply(seen) } else { hq(seen) }
}

/// A role in a list.
fn listed(name: &str, policy_length: u64) -> Value {
    json!({"name": name, "display_name": name, "lrn": format!("iam:role:{name}"), "description": "", "id": format!("id-{name}"),
        "created_at": "2026-01-01T12:00:00Z", "policy_length": policy_length})
}

/// The role `reader` with its policy.
fn whole() -> Value {
    json!({"name": "reader", "display_name": "reader", "lrn": "iam:role:reader", "description": "", "id": "id-reader",
        "created_at": "2026-01-01T12:00:00Z", "metadata": {"team": "data"},
        "policy": [{"effect": "allow", "action": "kafka:ListTopics", "resource": ["kafka:topic:*"]}]})
}

/// A group in a list.
fn item(name: &str, users: u64, accounts: u64, roles: u64) -> Value {
    json!({"name": name, "display_name": name, "sso_name": name, "id": format!("id-{name}"), "description": "",
        "created_at": "2026-01-01T12:00:00Z", "user_count": users, "sa_count": accounts, "role_count": roles})
}

/// The owned group with its roles and members.
fn owned() -> Value {
    group_of(OWNED, &["reader"], &["alice@example.com"], &["nightly"])
}

/// The group `devs` with these roles.
fn devs(roles: &[&str]) -> Value {
    group_of("devs", roles, &[], &[])
}

fn group_of(name: &str, roles: &[&str], users: &[&str], accounts: &[&str]) -> Value {
    let named = |names: &[&str]| {
        names.iter().map(|name| json!({"name": name, "id": format!("id-{name}")})).collect::<Value>()
    };
    json!({"name": name, "id": format!("id-{name}"), "sso_name": name, "roles": named(roles), "users": named(users),
        "service_accounts": named(accounts)})
}

/// The token's account, in these groups.
fn account(is_admin: bool, groups: &[Value]) -> Value {
    json!({"name": "rolewright", "is_admin": is_admin, "groups": groups, "token_expired": false})
}

fn user(name: &str, groups: &[&str]) -> Value {
    let groups: Vec<Value> = groups.iter().map(|name| json!({"name": name})).collect();
    json!({"name": name, "display_name": name, "id": "1", "groups": groups, "profile": {"email_address": "x@example.com"}})
}

fn rule(effect: Effect, action: &str, resource: &str) -> Rule {
    Rule { effect, action: action.to_owned(), resource: Some(resource.to_owned()) }
}

/// The role of [`whole`].
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

fn named(word: &str, id: &Id, name: &str) -> Named {
    Named::new(level(word), id.clone(), name)
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
        members: members.map(|members| members.iter().map(|name| member(name)).collect()),
    }
}

/// A user if the name is an address, else a service account.
fn member(name: &str) -> Named {
    let kind = if name.contains('@') { SubjectKind::User } else { SubjectKind::ServiceAccount };
    Named::new(kind.level(), ids::principal(kind, name), name)
}

/// The group of [`owned`].
fn readers() -> Group {
    group(&["reader"], Some(&["alice@example.com", "nightly"]))
}

async fn sweep(
    hints: &[Id],
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> Result<Snapshot, Error> {
    let (_stub, lenses) = lenses(answer).await;
    lenses.snapshot(&needs(hints)).await
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

/// The only write, with its body.
fn only_write(seen: &[Seen]) -> (String, Value) {
    let writes = writes(seen);
    assert_eq!(writes.len(), 1, "{writes:?}");
    (call(writes[0]), writes[0].body.clone())
}
