//! Bad days of a back end, for every vendor: it fails, loses answers, throttles, shows pages of others, or shows too little.
//!
//! The operator must reach the same end as on a good day, with one of each external thing.

use rolewright_simulators::kit::{
    Options,
    faults::Action::{self, AnswerLost, CutBody, Garbage, HugeBody, Reset, ShortPage},
};
use serde_json::json;

use super::{
    faults::{html_page, http_status, throttle},
    manifests::kind_and_name,
    objects::{GROUP_VERSION, MANAGING_KINDS},
    status::managed_ids,
    trial::{Call, Trial, lifecycle, lifecycle_on, settled, vendor_name},
    world::{ADMIN_CREDENTIAL, World},
};

/// Expands to the same tests for each vendor. Each calls the function of this module with the test's name.
macro_rules! bad_days {
    ($vendor:ty) => {
        $crate::support::bad_days::bad_days! { $vendor:
            failed_writes_are_retried
            failed_reads_are_retried
            lost_answers_create_nothing_twice
            unreadable_answers_create_nothing_twice
            proxy_errors_after_writes_create_nothing_twice
            reset_connections_are_retried
            throttled_writes_are_delayed
            foreign_answers_change_nothing
            broken_lists_change_nothing
            short_lists_change_nothing
            crash_before_recording_a_new_role_leaves_one_role
            failing_call_does_not_stop_the_rest
        }
    };
    ($vendor:ty: $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            $crate::support::bad_days::$test::<$vendor>().await;
        }
    )*};
}
pub(crate) use bad_days;

pub use super::broken_part::failing_call_does_not_stop_the_rest;

pub async fn failed_writes_are_retried<V: Trial>() {
    lifecycle::<V>("writes", V::WRITES, http_status(500), 1).await;
}

/// The HTTP client makes three attempts, so only the next sweep gets past the fourth failure.
pub async fn failed_reads_are_retried<V: Trial>() {
    let options = Options::new(ADMIN_CREDENTIAL);
    lifecycle_on::<V>("reads", options, V::READS, &[(http_status(500), 2), (http_status(503), 2)]).await;
}

pub async fn lost_answers_create_nothing_twice<V: Trial>() {
    for options in V::servers() {
        lifecycle_on("lost", options, V::WRITES, &[(AnswerLost, 1)]).await.assert_created_once();
    }
}

/// The operator ignores the body of a DELETE.
pub async fn unreadable_answers_create_nothing_twice<V: Trial>() {
    let calls: Vec<Call> = V::WRITES.iter().copied().filter(|(method, _)| *method != "DELETE").collect();
    lifecycle::<V>("garbage", &calls, Garbage, 1).await.assert_created_once();
}

/// No output contains the proxy's page.
pub async fn proxy_errors_after_writes_create_nothing_twice<V: Trial>() {
    let action = html_page(502, "nginx says Bad Gateway", true);
    let world = lifecycle::<V>("proxy", V::WRITES, action, 1).await;
    world.assert_created_once();
    assert!(!world.public_output().await.contains("nginx says"));
}

pub async fn reset_connections_are_retried<V: Trial>() {
    lifecycle::<V>("reset", V::WRITES, Reset, 1).await;
}

pub async fn throttled_writes_are_delayed<V: Trial>() {
    lifecycle::<V>("throttled", V::WRITES, throttle(1), 1).await;
}

/// Each answer replaces three answers of each read, as a login page or another server at the address does.
pub async fn foreign_answers_change_nothing<V: Trial>() {
    let world = settled::<V>("foreign").await;
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    for answer in V::foreign_answers() {
        for (method, path) in V::READS.iter().chain(V::RARE_READS) {
            world.inject_fault_times(&[method], path, answer.clone(), 3);
        }
        world.full_sweep().await;
        world.clear_faults();
        world.full_sweep().await;
    }
    world.ready("Backend", V::NAME).await;
    world.assert_unchanged(&checkpoint, "foreign answers");
    assert_eq!(world.resource_versions().await, versions);
}

pub async fn broken_lists_change_nothing<V: Trial>() {
    let world = settled::<V>("broken").await;
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    let actions: [Action; 4] = [
        CutBody { keep_bytes: 30 },
        Garbage,
        HugeBody { megabytes: 20 },
        html_page(200, "Please log in", false),
    ];
    for (path, action) in V::LISTS.into_iter().zip(actions) {
        world.inject_fault_times(&["GET"], path, action, 3);
        world.faults_exhausted().await;
        world.clear_faults();
        world.full_sweep().await;
    }
    for (kind, name) in V::objects().iter().map(kind_and_name) {
        world.ready(kind, name).await;
    }
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "broken lists");
}

/// The operator neither creates nor removes anything, and every object still manages the same.
pub async fn short_lists_change_nothing<V: Trial>() {
    let world = settled::<V>("short").await;
    for list in V::SHORT_LISTS {
        let what = format!("{} with {} entries", list.path, list.keep);
        let (ids, versions) = (all_managed_ids(&world).await, world.resource_versions().await);
        let checkpoint = world.checkpoint();
        world.inject_fault(&["GET"], list.path, ShortPage { keep: list.keep, last: true });
        world.full_sweep().await;
        world.full_sweep().await;
        let reported = world.resource_versions().await != versions;
        world.assert_unchanged(&checkpoint, &what);
        world.clear_faults();
        world.full_sweep().await;
        for (kind, name) in V::objects().iter().map(kind_and_name) {
            world.ready(kind, name).await;
        }
        assert_eq!(all_managed_ids(&world).await, ids, "{what}");
        world.assert_unchanged(&checkpoint, &what);
        assert!(list.can_report || !reported, "{what}: the operator wrote to an object");
    }
}

async fn all_managed_ids<V: Trial>(world: &World<V>) -> Vec<String> {
    let mut ids = Vec::new();
    for kind in MANAGING_KINDS {
        ids.extend(world.list(GROUP_VERSION, kind).await.iter().flat_map(managed_ids));
    }
    ids
}

/// The operator recognizes the role as its own: it is not an adoption.
pub async fn crash_before_recording_a_new_role_leaves_one_role<V: Trial>() {
    let (_, path) = V::WRITES[0];
    for options in V::servers() {
        let mut world = World::unconnected(&vendor_name::<V>("crash"), options).await;
        world.connect().await;
        let before = world.lasting_access();
        let mut reader = V::objects().remove(0);
        reader["spec"]["adopt"] = json!("Never");
        let is_created = |tenant: &V::Tenant| V::role_id(tenant, "reader").is_some();
        let ready =
            world.killed_before_recording(vec![reader], path, is_created, |_| {}, ("Role", "reader")).await;
        let id = world.sim.edit(|tenant| V::role_id(tenant, "reader")).unwrap();
        assert_eq!(managed_ids(&ready), [id]);
        // A server that does not show a role's content can need an update of it.
        let mut writes = world.writes_since(0);
        writes.retain(|write| !write.starts_with("PATCH"));
        assert_eq!(writes, [format!("POST {path}")]);
        world.delete_all(&[("Role", "reader")]).await;
        assert_eq!(world.lasting_access(), before);
    }
}
