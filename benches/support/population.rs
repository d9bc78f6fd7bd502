//! A thousand objects, 500 Roles and 500 RoleBindings with one subject each, and the account that they need.

use std::fmt::Debug;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::{Api, Client, Resource, api::PostParams, core::NamespaceResourceScope};
use rolewright_api::{Backend, Role, RoleBinding};
use rolewright_simulators::arize::{
    AccountRole, Id, Kind, Tenant,
    projects::Project,
    spaces::Space,
    users::{User, UserStatus},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{Outcome, cluster::Cluster, simulator::Simulator};

/// The number of Roles, and of RoleBindings.
pub const PAIRS: usize = 500;
/// The number of Roles and RoleBindings together.
pub const OBJECTS: usize = 2 * PAIRS;
/// The name of the Backend, and of its Secret.
pub const BACKEND: &str = "arize";
/// Concurrent requests that create objects.
const CONCURRENCY: usize = 8;

const SPACE: &str = "bench";
/// The number of resources: the space and its projects. A user has at most one binding on each (contract 2.2).
const RESOURCES: usize = 10;
const USERS: usize = 60;
const PERMISSIONS: [&str; 12] = [
    "PROJECT_READ",
    "PROJECT_SPAN_READ",
    "PROJECT_SPAN_ANNOTATE",
    "DATASET_CREATE",
    "DATASET_READ",
    "DATASET_UPDATE",
    "DATASET_DELETE",
    "EXPERIMENT_CREATE",
    "EXPERIMENT_READ",
    "DASHBOARD_READ",
    "DASHBOARD_CREATE",
    "CUSTOM_METRIC_READ",
];

/// The seeded account with the users and resources of the population.
pub fn tenant() -> Outcome<Tenant> {
    let mut tenant = Tenant::seeded();
    let model = tenant.spaces.iter().next().cloned().ok_or("the seed has no space")?;
    let created_at = model.created_at;
    let space_id = tenant.issue(Kind::Space);
    tenant.spaces.insert(Space { id: space_id, name: SPACE.to_owned(), ..model });
    for number in 1..RESOURCES {
        let id = tenant.issue(Kind::Model);
        let name = project(number);
        tenant.projects.insert(Project {
            id,
            name,
            space_id,
            created_at,
            project_type: None,
            generative: true,
        });
    }
    for number in 0..USERS {
        let id = tenant.issue(Kind::User);
        tenant.users.insert(User {
            id,
            name: format!("User {number}"),
            email: email(number),
            created_at,
            status: UserStatus::Active,
            role: AccountRole::Member,
            is_developer: true,
            is_bot: false,
        });
    }
    Ok(tenant)
}

fn project(number: usize) -> String {
    format!("project-{number}")
}

fn email(user: usize) -> String {
    format!("user-{user:02}@example.com")
}

/// The numbers of a binding's user and resource. No two bindings have the same pair.
fn target_numbers(number: usize) -> (usize, usize) {
    (number / RESOURCES, number % RESOURCES)
}

/// The ids of a binding's user and resource.
///
/// # Errors
/// If the account is not [`tenant`].
pub fn target(tenant: &Tenant, number: usize) -> Outcome<(Id, Id)> {
    let (user, resource) = target_numbers(number);
    let user = tenant.user_by_email(&email(user)).ok_or("no such user")?;
    let space = tenant.space_by_name(SPACE).ok_or("no such space")?;
    let resource =
        if resource == 0 { Some(space) } else { tenant.project_by_name(space, &project(resource)) };
    Ok((user, resource.ok_or("no such project")?))
}

/// The name of a role.
pub fn role_name(number: usize) -> String {
    format!("role-{number:03}")
}

/// Half of all permissions, rotated by the number.
pub fn permissions(number: usize) -> Vec<&'static str> {
    let half = PERMISSIONS.len() / 2;
    PERMISSIONS.iter().cycle().skip(number % PERMISSIONS.len()).take(half).copied().collect()
}

/// The description of a role.
pub fn description(number: usize) -> String {
    format!("What member {number} of the team may do")
}

/// The Role with this number.
pub fn role(number: usize) -> Outcome<Role> {
    Ok(serde_json::from_value(json!({
        "metadata": { "name": role_name(number) },
        "spec": {
            "backendRef": { "name": BACKEND },
            "description": description(number),
            "rules": [{ "actions": permissions(number) }],
        },
    }))?)
}

/// The RoleBinding with this number, to the Role with the number `role`.
pub fn binding(number: usize, role: usize) -> Outcome<RoleBinding> {
    let (user, resource) = target_numbers(number);
    let mut scope = json!({ "space": SPACE });
    if resource > 0 {
        scope["project"] = json!(project(resource));
    }
    Ok(serde_json::from_value(json!({
        "metadata": { "name": format!("binding-{number:03}") },
        "spec": {
            "backendRef": { "name": BACKEND },
            "roleRef": { "name": role_name(role) },
            "subjects": [{ "kind": "User", "name": email(user) }],
            "scope": scope,
        },
    }))?)
}

/// Creates the Secret and the Backend. Its budget is large enough to delay nothing.
pub async fn connect(
    cluster: &Cluster,
    namespace: &str,
    sim: &Simulator,
    token: &str,
    sweep: &str,
) -> Outcome<()> {
    let secret = json!({
        "metadata": { "name": BACKEND, "annotations": { "rolewright.dev/hosts": sim.host() } },
        "stringData": { "key": token },
    });
    let backend = json!({
        "metadata": { "name": BACKEND },
        "spec": {
            "arize": {
                "url": sim.url,
                "allowInsecure": true,
                "credentials": { "apiKeySecretRef": { "name": BACKEND, "key": "key" } },
            },
            "sweepInterval": sweep,
            "requests": { "perSecond": 10000, "burst": 10000, "concurrency": 4 },
            "guards": { "maxRemovalPercent": 100 },
        },
    });
    let (secret, backend): (Secret, Backend) =
        (serde_json::from_value(secret)?, serde_json::from_value(backend)?);
    create(&cluster.client, namespace, &secret).await?;
    create(&cluster.client, namespace, &backend).await
}

/// Creates all Roles, then all RoleBindings.
pub async fn populate(client: &Client, namespace: &str) -> Outcome<()> {
    let roles: Vec<Role> = (0..PAIRS).map(role).collect::<Outcome<_>>()?;
    let bindings: Vec<RoleBinding> =
        (0..PAIRS).map(|number| binding(number, number)).collect::<Outcome<_>>()?;
    create_all(client, namespace, &roles).await?;
    create_all(client, namespace, &bindings).await
}

/// Creates objects concurrently.
///
/// # Errors
/// If the API server refuses one of them.
pub async fn create_all<K: Object>(client: &Client, namespace: &str, objects: &[K]) -> Outcome<()> {
    // Collected, so that a task can be spawned with it: the compiler does not see that the closure is general.
    let requests: Vec<_> = objects.iter().map(|object| create(client, namespace, object)).collect();
    stream::iter(requests).buffer_unordered(CONCURRENCY).try_collect().await
}

/// Creates one object.
pub async fn create<K: Object>(client: &Client, namespace: &str, object: &K) -> Outcome<()> {
    Api::<K>::namespaced(client.clone(), namespace).create(&PostParams::default(), object).await?;
    Ok(())
}

/// A namespaced kind that the benchmark creates or lists.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl Object for Backend {}
impl Object for Event {}
impl Object for Role {}
impl Object for RoleBinding {}
impl Object for Secret {}
