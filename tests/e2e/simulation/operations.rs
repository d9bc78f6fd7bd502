//! The operations of the crash matrix.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, NAMESPACE, is_ready, is_reported},
    path::plural_of,
    scene::{Scene, Simulated, within},
};
use crate::support::kind_and_name;

/// What is there before, and what a user does.
pub struct Operation<V: Simulated> {
    pub name: &'static str,
    pub before: fn(&Scene<V>),
    /// Whether the operator is done with that.
    pub is_prepared: fn(&Cluster) -> bool,
    pub act: fn(&Scene<V>),
}

fn all_ready(cluster: &Cluster) -> bool {
    cluster.objects().iter().all(is_ready)
}

fn none<V: Simulated>(_: &Scene<V>) {}

fn apply<V: Simulated>(scene: &Scene<V>) {
    scene.cluster.apply_all(&V::objects());
}

fn apply_with_restriction<V: Simulated>(scene: &Scene<V>) {
    apply(scene);
    scene.cluster.apply(V::restriction().expect("a restriction"));
}

/// The binding of the trial, from another role.
fn with_another_role<V: Simulated>() -> [Value; 2] {
    let find = |kind| V::objects().into_iter().find(|object| object["kind"] == kind).expect("an object");
    let (mut role, mut binding) = (find("Role"), find("RoleBinding"));
    role["metadata"]["name"] = json!("another");
    binding["spec"]["roleRef"] = json!({ "name": "another" });
    [role, binding]
}

/// Long enough for all reports.
const PREPARATION: SignedDuration = SignedDuration::from_secs(90);

const OTHER_NAMESPACE: &str = "team-b";

/// All operations on a vendor.
pub fn operations<V: Simulated>() -> Vec<Operation<V>> {
    let mut operations = vec![
        Operation { name: "create", before: none, is_prepared: all_ready, act: apply },
        Operation {
            name: "change",
            before: apply,
            is_prepared: all_ready,
            act: |scene| scene.cluster.apply_all(&V::changed_objects()),
        },
        Operation {
            name: "re-role",
            before: |scene| {
                apply(scene);
                scene.cluster.apply(with_another_role::<V>()[0].clone());
            },
            is_prepared: all_ready,
            act: |scene| scene.cluster.apply(with_another_role::<V>()[1].clone()),
        },
        Operation {
            name: "correct drift",
            before: apply,
            is_prepared: all_ready,
            act: |scene| V::drift(&mut scene.sim.world().tenant()),
        },
        Operation {
            name: "restore",
            before: apply,
            is_prepared: all_ready,
            act: |scene| {
                // A backup has the annotations, and not the status.
                for mut object in V::objects() {
                    let (kind, name) = kind_and_name(&object);
                    let known = scene.cluster.api.get(plural_of(kind), NAMESPACE, name).expect("an object");
                    scene.cluster.api.lose(plural_of(kind), NAMESPACE, name);
                    if !known["metadata"]["annotations"].is_null() {
                        object["metadata"]["annotations"] = known["metadata"]["annotations"].clone();
                    }
                    scene.cluster.apply(object);
                }
            },
        },
        Operation {
            name: "hand over",
            before: |scene| {
                scene.connect(OTHER_NAMESPACE);
                apply(scene);
                for object in V::objects() {
                    scene.cluster.apply(within(object, OTHER_NAMESPACE));
                }
            },
            // The new objects wait for the old ones. That is reported in several steps.
            is_prepared: |cluster| {
                cluster.objects().iter().all(is_reported)
                    && cluster.api.now() > cluster.started() + PREPARATION
            },
            act: |scene| scene.delete_all(NAMESPACE, &V::objects()),
        },
        Operation {
            name: "delete",
            before: apply,
            is_prepared: all_ready,
            act: |scene| scene.delete_all(NAMESPACE, &V::objects()),
        },
    ];
    if V::restriction().is_some() {
        operations.push(Operation {
            name: "restrict",
            before: apply,
            is_prepared: all_ready,
            act: apply_with_restriction,
        });
        operations.push(Operation {
            name: "lift a restriction",
            before: apply_with_restriction,
            is_prepared: all_ready,
            act: |scene| scene.delete_all(NAMESPACE, &V::restriction().into_iter().collect::<Vec<_>>()),
        });
    }
    operations
}
