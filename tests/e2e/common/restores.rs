//! Objects from a backup or in a new cluster: they have no status, and the account has everything already.

use std::collections::BTreeMap;

use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::log::Entry, lenses::Lenses, zenml::ZenMl};

use crate::support::{
    World, managed_ids,
    manifests::kind_and_name,
    trial::{Trial, vendor_name},
};

/// All objects manage what they managed before, and nothing is written to the account. Their deletion then removes it.
async fn restored_objects_manage_the_same<V: Trial>() {
    let mut world = World::<V>::with_switches(&vendor_name::<V>("restored"), |_| {}).await;
    let before = world.lasting_access();
    world.settle().await;
    let objects = V::objects();
    let mut names: Vec<(&str, &str)> = objects.iter().map(kind_and_name).collect();
    let ids = managed(&world, &names).await;
    let (access, since) = (world.access(), world.log_position());
    world.restore_from_backup().await;
    world.all_ready(&names).await;
    assert_eq!(managed(&world, &names).await, ids);
    world.full_sweep().await;
    assert_eq!(world.access(), access);
    // Where no list shows all grants, the refusal of a second one shows that it exists.
    let requests = world.requests_since(since);
    let is_done = |entry: &&Entry| V::is_change(entry) && entry.status.is_none_or(|status| status < 400);
    let done: Vec<&Entry> = requests.iter().filter(is_done).collect();
    assert!(done.is_empty(), "{done:?}");
    names.reverse();
    world.delete_all(&names).await;
    assert_eq!(world.lasting_access(), before);
}

/// The ids of the external things of each object.
async fn managed<V: Trial>(world: &World<V>, names: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let mut ids = BTreeMap::new();
    for (kind, name) in names {
        ids.insert(format!("{kind} {name}"), managed_ids(&world.get(kind, name).await));
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_objects_on_arize_manage_the_same() {
    restored_objects_manage_the_same::<Arize>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_objects_on_grafana_manage_the_same() {
    restored_objects_manage_the_same::<Grafana>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_objects_on_lenses_manage_the_same() {
    restored_objects_manage_the_same::<Lenses>().await;
}

/// This control plane hides the permissions of roles.
#[tokio::test(flavor = "multi_thread")]
async fn restored_objects_on_zenml_manage_the_same() {
    restored_objects_manage_the_same::<ZenMl>().await;
}
