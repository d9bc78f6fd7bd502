//! What a thousand Roles and a thousand RoleBindings on Grafana cost while nothing changes, and across a restart.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use rolewright::{
    api::{Backend, Role, RoleBinding},
    simulators::{
        grafana::{BasicRole, Tenant},
        kit::log::Entry,
    },
};
use serde_json::json;

use super::support::{
    Outcome,
    cluster::Cluster,
    operator::{Flags, Operator},
    population::{create, create_all},
    simulator::{Simulator, TOKEN},
    table::Table,
};

const NAMESPACE: &str = "grafana";
const PAIRS: usize = 1000;
/// Users, and as many service accounts and teams.
const EACH: usize = 50;
const IDLE: Duration = Duration::from_secs(20);

/// Measures it.
pub async fn measure(cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    eprintln!("grafana: two thousand objects converge");
    let sim = Simulator::start("grafana").await?;
    sim.reset(&tenant()?).await?;
    cluster.namespace(NAMESPACE).await?;
    populate(cluster, &sim).await?;
    let flags = Flags { secret_interval: 1, probe_backoff: 1, ..Flags::new(NAMESPACE) };
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(2 * PAIRS).await?;
    // The Backend's counts are written once a minute at the most.
    tokio::time::sleep(Duration::from_secs(65)).await;

    eprintln!("grafana: idle for {} s", IDLE.as_secs());
    let first = operator.sweep_ends(1.0).await?;
    let (since, before) = (sim.last().await?, cluster.writes().await?);
    tokio::time::sleep(IDLE).await;
    let sweeps = operator.sweep_ends(1.0).await? - first;
    let log = sim.requests(since).await?;
    table.at_most("9 Grafana: calls an idle sweep", count(&log, |_| true) / sweeps, 10.0, "");
    table.at_most("9   API-server writes, idle", cluster.writes().await?.since(&before).all(), 0.0, "");
    table.at_most("9   back-end writes, idle", count(&log, writes), 0.0, "");

    eprintln!("grafana: restart");
    let (since, before) = (sim.last().await?, cluster.writes().await?);
    operator.kill().await?;
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(2 * PAIRS).await?;
    let sweeps = operator.sweep_ends(3.0).await?;
    let log = sim.requests(since).await?;
    let roles = count(&log, |entry| entry.path.starts_with("/api/access-control/roles/"));
    table.at_most("9   roles read one by one by a sweep, after a restart", roles / sweeps, 1.0, "");
    table.at_most(
        "9   API-server writes after the restart",
        cluster.writes().await?.since(&before).all(),
        0.0,
        "",
    );
    table.at_most("9   back-end writes after the restart", count(&log, writes), 0.0, "");
    table.show("9   memory, idle", operator.memory()?.now, "MiB");
    table.note(format!(
        "9: {PAIRS} Roles and {PAIRS} RoleBindings of one subject each, {EACH} users, service accounts and teams each; sweeps each 1 s. One held role is read whole in turn each \
         sweep, because no list shows what a role permits. The searches for assignments are POSTs and no writes."
    ));
    operator.kill().await
}

#[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
fn count(log: &[Entry], wanted: impl Fn(&Entry) -> bool) -> f64 {
    log.iter().filter(|entry| wanted(entry)).count() as f64
}

fn writes(entry: &Entry) -> bool {
    entry.is_write() && !entry.path.ends_with("/search")
}

fn tenant() -> Outcome<Tenant> {
    let mut tenant = Tenant::seeded();
    let created = tenant.users.iter().next().ok_or("the seed has no user")?.created;
    for number in 0..EACH {
        let login = format!("user-{number:02}");
        let email = format!("{login}@example.com");
        tenant.add_user(&login, &email, &login, 1, BasicRole::Viewer, created);
        tenant.add_service_account(1, &format!("account-{number:02}"), BasicRole::Viewer, created);
        tenant.add_team(1, &format!("team-{number:02}"), "");
    }
    Ok(tenant)
}

async fn populate(cluster: &Cluster, sim: &Simulator) -> Outcome<()> {
    let secret: Secret = serde_json::from_value(json!({
        "metadata": { "name": "grafana", "annotations": { "rolewright.dev/hosts": sim.host() } },
        "stringData": { "token": TOKEN },
    }))?;
    let backend: Backend = serde_json::from_value(json!({
        "metadata": { "name": "grafana" },
        "spec": {
            "grafana": {
                "url": sim.url,
                "allowInsecure": true,
                "credentials": { "tokenSecretRef": { "name": "grafana", "key": "token" } },
            },
            "sweepInterval": "1s",
            "requests": { "perSecond": 10000, "burst": 10000, "concurrency": 4 },
        },
    }))?;
    let role = |number: usize| -> Outcome<Role> {
        Ok(serde_json::from_value(json!({
            "metadata": { "name": format!("role-{number:04}") },
            "spec": {
                "backendRef": { "name": "grafana" },
                "rules": [{ "actions": ["reports:read", "reports:write"], "resources": ["reports:*"] }],
            },
        }))?)
    };
    let binding = |number: usize| -> Outcome<RoleBinding> {
        let of_kind = number % EACH;
        let (kind, name) = match number % 3 {
            0 => ("User", format!("user-{of_kind:02}@example.com")),
            1 => ("ServiceAccount", format!("account-{of_kind:02}")),
            _ => ("Team", format!("team-{of_kind:02}")),
        };
        Ok(serde_json::from_value(json!({
            "metadata": { "name": format!("binding-{number:04}") },
            "spec": {
                "backendRef": { "name": "grafana" },
                "roleRef": { "name": format!("role-{number:04}") },
                "subjects": [{ "kind": kind, "name": name }],
            },
        }))?)
    };
    let roles: Vec<Role> = (0..PAIRS).map(role).collect::<Outcome<_>>()?;
    let bindings: Vec<RoleBinding> = (0..PAIRS).map(binding).collect::<Outcome<_>>()?;
    create(&cluster.client, NAMESPACE, &secret).await?;
    create(&cluster.client, NAMESPACE, &backend).await?;
    create_all(&cluster.client, NAMESPACE, &roles).await?;
    create_all(&cluster.client, NAMESPACE, &bindings).await
}
