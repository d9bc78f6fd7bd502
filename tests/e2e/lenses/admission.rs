//! What the API server refuses in a Backend for Lenses HQ.

use serde_json::json;

use crate::support::{admission::Admission, lenses::backend};

#[tokio::test(flavor = "multi_thread")]
async fn backend_that_cannot_connect_is_refused() {
    let url = |url: &str| backend(url, json!({ "allowInsecure": false }));
    let secure = |more| backend("https://hq.example.com", more);
    let mut two = url("https://hq.example.com");
    two["spec"]["grafana"] = json!({
        "url": "https://grafana.example.com",
        "credentials": { "tokenSecretRef": { "name": "x", "key": "y" } },
    });
    Admission::new()
        .await
        .assert_refused(&[
            ("clear text", url("http://hq.example.com"), &["allowInsecure"]),
            ("path of the API", url("https://hq.example.com/api/v1"), &["without /api"]),
            ("query", url("https://hq.example.com?x=1"), &["url"]),
            ("service account", secure(json!({ "serviceAccount": "Not one" })), &["serviceAccount"]),
            ("membership", secure(json!({ "membership": "Scim" })), &["membership"]),
            ("two blocks", two, &["exactly one"]),
        ])
        .await;
}
