//! Contract 2.8: metadata.

use serde_json::{Value, json};

use crate::client::{Lenses, lenses};

const ROLE: &str = "/roles/developer";

async fn put(lenses: &Lenses, metadata: Value) -> u16 {
    lenses.patch(ROLE, json!({"metadata": metadata})).await.status
}

async fn shown(lenses: &Lenses) -> Value {
    lenses.get(ROLE).await.body["metadata"].clone()
}

#[tokio::test]
async fn all_kinds_show_metadata_alone_and_in_lists() {
    let lenses = lenses().await;
    for (list, name) in [
        ("/roles", "developer"),
        ("/groups", "sre"),
        ("/users", "peggy"),
        ("/service-accounts", "ci-pipeline"),
        ("/environments", "staging"),
    ] {
        let path = format!("{list}/{name}");
        let patched = lenses.patch(&path, json!({"metadata": {"k": "v"}})).await;
        assert_eq!((patched.status, &patched.body["metadata"]), (200, &json!({"k": "v"})), "{path}");
        assert_eq!(lenses.get(list).await.item(name)["metadata"], json!({"k": "v"}), "{list}");
    }
}

#[tokio::test]
async fn a_patch_replaces_metadata() {
    let lenses = lenses().await;
    assert_eq!(put(&lenses, json!({"a": "1", "b": "2"})).await, 200);
    assert_eq!(
        lenses.patch(ROLE, json!({"description": "d"})).await.body["metadata"],
        json!({"a": "1", "b": "2"})
    );
    assert_eq!(put(&lenses, json!({"b": "3"})).await, 200);
    assert_eq!(shown(&lenses).await, json!({"b": "3"}));
    assert_eq!(put(&lenses, json!({})).await, 200);
    assert!(shown(&lenses).await.is_null());
}

#[tokio::test]
async fn limits_are_in_bytes() {
    let lenses = lenses().await;
    let entry = |key: String, value: String| json!({key: value});
    assert_eq!(put(&lenses, entry("ä".repeat(20), "ä".repeat(250))).await, 200);
    assert_eq!(put(&lenses, entry("ä".repeat(20) + "a", String::new())).await, 400);
    assert_eq!(put(&lenses, entry("a".into(), "ä".repeat(250) + "a")).await, 400);
    let keys =
        |many: usize| (0..many).map(|key| (key.to_string(), "v".into())).collect::<serde_json::Map<_, _>>();
    assert_eq!(put(&lenses, keys(50).into()).await, 200);
    assert_eq!(put(&lenses, keys(51).into()).await, 400);
    assert_eq!(put(&lenses, json!({"a": 1})).await, 400);
    assert_eq!(put(&lenses, json!(["a"])).await, 400);
    assert_eq!(shown(&lenses).await.as_object().unwrap().len(), 50);
}
