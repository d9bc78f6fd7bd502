//! The memory of the operator with the largest objects that the API server admits, and with the largest answers that it reads.

use std::time::Duration;

use rolewright_api::Role;
use rolewright_simulators::{
    arize::{
        AccountRole, Kind,
        projects::Project,
        role_bindings,
        users::{User, UserStatus},
    },
    grafana::{
        self as simulated, BasicRole,
        rows::{role_assignments::UserRole, roles},
    },
};
use serde_json::{Value, json};

use super::{
    support::{
        Outcome,
        cluster::Cluster,
        operator::{Flags, Operator},
        population::{self, connect, create_all},
        simulator::{Simulator, TOKEN},
        table::Table,
        until,
    },
    vendors::{Vendor, grafana},
};

/// The number of equal objects of each kind.
const OBJECTS: usize = 50;
/// The memory limit of the chart, in MiB.
const LIMIT: f64 = 128.0;
/// The most subjects of a RoleBinding.
const SUBJECTS: usize = 250;
/// The most resources of a rule.
const RESOURCES: usize = 64;
/// A body with these blanks is just below the longest that the operator reads, 8 MiB.
const BLANKS_MEGABYTES: u64 = 7;
const USERS: usize = 1000;
const PROJECTS: usize = 100;

/// With so many rows on a page, 100,000 grants are nearly as many pages as the operator reads of one list.
const LONGEST_PAGE: usize = 11;

/// Measures goal 12.
pub async fn measure(cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    let valid = Vendor { namespace: "bomb-rules", role: valid_role, ..bombs()? };
    objects(cluster, table, &valid, "Roles of 9,984 single rules, longest valid texts", "InSync").await?;
    let longest = Vendor { namespace: "bomb-texts", role: longest_role, ..bombs()? };
    objects(cluster, table, &longest, "Roles of 9,984 single rules, 1.3 MB each", "Invalid").await?;
    let expanded = Vendor { namespace: "bomb-expanded", role: expanded_role, ..bombs()? };
    objects(cluster, table, &expanded, "Roles that expand to 28 MB each", "Invalid").await?;
    let subjects = Vendor {
        namespace: "bomb-subjects",
        tenant: Some(many_users()?),
        bindings: OBJECTS,
        binding: |_| json!({ "subjects": (0..SUBJECTS).map(subject).collect::<Vec<_>>() }),
        ..bombs()?
    };
    objects(cluster, table, &subjects, "RoleBindings of 250 subjects, longest names", "InSync").await?;
    let members =
        Vendor { namespace: "bomb-members", tenant: Some(large_account()?), bindings: OBJECTS, ..bombs()? };
    objects(
        cluster,
        table,
        &members,
        "Roles and RoleBindings beside 50,000 users, 2,000 teams, 20,000 grants",
        "InSync",
    )
    .await?;
    answers(cluster, table).await?;
    table.note(format!(
        "12: resident memory, VmHWM, of an operator with {OBJECTS} such objects: while they converge, and after a restart with two sweeps. The \
         long bodies have {BLANKS_MEGABYTES} MiB of blanks before each page of each list."
    ));
    Ok(())
}

/// Fifty Roles on Grafana.
fn bombs() -> Outcome<Vendor> {
    Ok(Vendor { roles: OBJECTS, bindings: 0, sweep_seconds: 20, ..grafana::vendor()? })
}

/// 52 rules, each of three actions on 64 resources, with the longest scopes that Grafana takes.
fn valid_role(number: usize) -> Value {
    let actions = ["read", "write", "delete"].map(|verb| format!("dashboards:{verb}"));
    rules(52, &actions, |index| filled(&format!("dashboards:uid:{number}-{index}-"), 'x', 190))
}

/// The longest actions and resources of the schema, in an object that is just smaller than the API server's limit.
fn longest_role(number: usize) -> Value {
    let actions: Vec<String> = (0..4).map(|index| filled(&format!("action-{index}-"), 'x', 190)).collect();
    rules(39, &actions, |index| filled(&format!("resource-{number}-{index}-"), 'x', 512))
}

/// One rule of 156 actions on 64 resources, all of the longest texts of the schema in characters of four bytes.
fn expanded_role(number: usize) -> Value {
    let actions: Vec<String> = (0..156).map(|index| filled(&format!("action-{index}-"), '𐍈', 190)).collect();
    rules(1, &actions, |index| filled(&format!("resource-{number}-{index}-"), '𐍈', 512))
}

/// Rules with these actions, each on 64 resources of its own.
fn rules(number: usize, actions: &[String], resource: impl Fn(usize) -> String) -> Value {
    let rule = |rule: usize| {
        let resources = (rule * RESOURCES..(rule + 1) * RESOURCES).map(&resource);
        json!({ "actions": actions, "resources": resources.collect::<Vec<_>>() })
    };
    json!({ "rules": (0..number).map(rule).collect::<Vec<_>>() })
}

/// A text of this many characters.
fn filled(start: &str, with: char, length: usize) -> String {
    let missing = length.saturating_sub(start.chars().count());
    start.chars().chain(std::iter::repeat_n(with, missing)).collect()
}

/// An e-mail address with the longest name of a subject.
fn email(number: usize) -> String {
    const HOST: &str = "@example.com";
    filled(&format!("user-{number:03}-"), 'x', 320 - HOST.len()) + HOST
}

fn subject(number: usize) -> Value {
    json!({ "kind": "User", "name": email(number) })
}

/// The account of the vendor's measurement, with users whose names are long.
fn many_users() -> Outcome<Value> {
    let mut tenant = simulated::Tenant::seeded();
    let created = tenant.users.iter().next().ok_or("the seed has no user")?.created;
    for number in 0..SUBJECTS {
        let login = format!("bomb-{number:03}");
        tenant.add_user(&login, &email(number), &login, 1, BasicRole::Viewer, created);
    }
    Ok(serde_json::to_value(tenant)?)
}

/// The account of the vendor's measurement, with 50,000 users, 2,000 teams, and 20,000 grants that no object manages.
fn large_account() -> Outcome<Value> {
    const ROLES: usize = 1000;
    let mut tenant = grafana::tenant()?;
    let row = |number: usize, user_id| UserRole {
        org_id: 1,
        user_id,
        role_uid: format!("large-{}", number % ROLES),
        mapped: false,
    };
    let sample =
        tenant.roles.iter().find(|role| role.org_id == 1).ok_or("the seed has no custom role")?.clone();
    for number in 0..ROLES {
        let (id, uid) = (tenant.issue(simulated::Kind::Role), format!("large-{number}"));
        tenant.roles.insert(roles::Role { id, name: uid.clone(), uid, ..sample.clone() });
    }
    let created = tenant.users.iter().next().ok_or("the seed has no user")?.created;
    for number in 0..50_000 {
        let login = format!("large-{number:05}");
        let id =
            tenant.add_user(&login, &format!("{login}@example.com"), &login, 1, BasicRole::Viewer, created);
        if number < 20_000 {
            tenant.user_roles.push(row(number, id));
        }
    }
    for number in 0..2000 {
        tenant.add_team(1, &format!("large-{number:04}"), "");
    }
    Ok(serde_json::to_value(tenant)?)
}

/// Measures the peaks of an operator with these objects. Fifty of them, or all in sync, get this reason.
async fn objects(
    cluster: &Cluster,
    table: &mut Table,
    vendor: &Vendor,
    title: &str,
    reason: &str,
) -> Outcome<()> {
    eprintln!("bombs: {OBJECTS} {title}");
    let _sim = vendor.populate(cluster).await?;
    let expected = if reason == "InSync" { vendor.roles + vendor.bindings } else { vendor.roles };
    let flags = Flags::new(vendor.namespace);
    for when in ["converging", "after a restart"] {
        let operator = Operator::start(cluster, flags).await?;
        let reached = operator.reach(reason, expected).await;
        let memory = operator.memory()?;
        eprintln!("bombs: {when}: {:.1} MiB now, {:.1} MiB peak", memory.now, memory.peak);
        reached?;
        operator.sweep_ends(2.0).await?;
        table.at_most(&format!("12 {OBJECTS} {title}: {when}"), operator.memory()?.peak, LIMIT, "MiB");
        operator.kill().await?;
    }
    Ok(())
}

/// The peaks of an operator that reads 100,000 grants, and pages of long bodies.
async fn answers(cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    let (_sim, operator) = account(cluster, "bomb-grants", &many_grants()?, None).await?;
    let memory = operator.memory()?;
    table.at_most("12 an account of 100,000 grants", memory.peak, LIMIT, "MiB");
    table.show("12   idle", memory.now, "MiB");
    operator.kill().await?;

    let mut paged = many_grants()?;
    paged.switches.longest_page = Some(LONGEST_PAGE);
    let (_sim, operator) = account(cluster, "bomb-pages", &paged, None).await?;
    table.at_most("12 the same grants on 9,091 pages", operator.memory()?.peak, LIMIT, "MiB");
    operator.kill().await?;

    let blanks = json!({ "kind": "HugeBody", "megabytes": BLANKS_MEGABYTES });
    let blanks = json!({ "match": { "methods": ["GET"] }, "action": blanks });
    let (_sim, operator) = account(cluster, "bomb-bodies", &population::tenant()?, Some(blanks)).await?;
    table.at_most("12 bodies of 7 MiB", operator.memory()?.peak, LIMIT, "MiB");
    operator.kill().await
}

/// An operator with fifty Roles on this account, after two sweeps.
async fn account(
    cluster: &Cluster,
    namespace: &'static str,
    tenant: &rolewright_simulators::arize::Tenant,
    fault: Option<Value>,
) -> Outcome<(Simulator, Operator)> {
    eprintln!("{namespace}");
    let sim = Simulator::start("arize").await?;
    sim.reset(tenant).await?;
    if let Some(fault) = fault {
        sim.fault(&fault).await?;
    }
    cluster.namespace(namespace).await?;
    connect(cluster, namespace, &sim, TOKEN, "20s").await?;
    let roles: Vec<Role> = (0..OBJECTS).map(population::role).collect::<Outcome<_>>()?;
    create_all(&cluster.client, namespace, &roles).await?;
    let operator = Operator::start(cluster, Flags::new(namespace)).await?;
    operator.in_sync(OBJECTS).await?;
    sweeps(&operator).await?;
    Ok((sim, operator))
}

/// Waits for two sweeps of a large account.
async fn sweeps(operator: &Operator) -> Outcome<()> {
    let before = operator.sweeps().await?;
    until("two sweeps", Duration::from_secs(300), async || {
        Ok((operator.sweeps().await? >= before + 2.0).then_some(()))
    })
    .await
}

/// The population's account with 100,000 grants of one role.
fn many_grants() -> Outcome<rolewright_simulators::arize::Tenant> {
    let mut tenant = population::tenant()?;
    let space = tenant.spaces.iter().next().ok_or("the seed has no space")?.clone();
    let role = tenant.roles.iter().next().ok_or("the seed has no role")?.id;
    let created_at = space.created_at;
    let mut projects = Vec::new();
    for number in 0..PROJECTS {
        let id = tenant.issue(Kind::Model);
        let name = format!("bomb-{number}");
        tenant.projects.insert(Project {
            id,
            name,
            space_id: space.id,
            created_at,
            project_type: None,
            generative: true,
        });
        projects.push(id);
    }
    for number in 0..USERS {
        let id = tenant.issue(Kind::User);
        tenant.users.insert(User {
            id,
            name: format!("Bomb {number}"),
            email: format!("bomb-{number}@example.com"),
            created_at,
            status: UserStatus::Active,
            role: AccountRole::Member,
            is_developer: true,
            is_bot: false,
        });
        for project in &projects {
            role_bindings::add(&mut tenant, id, *project, role);
        }
    }
    Ok(tenant)
}
