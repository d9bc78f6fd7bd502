//! What the API server refuses in a Backend for Arize.

use serde_json::{Value, json};

use crate::support::{admission::Admission, backend};

/// A Backend with these fields in its block. A null removes the field.
fn arize(fields: Value) -> Value {
    let mut object = backend("https://arize.example.com", json!({}));
    let block = object["spec"]["arize"].as_object_mut().unwrap();
    block.remove("allowInsecure");
    block.extend(fields.as_object().unwrap().clone());
    block.retain(|_, value| !value.is_null());
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn url_must_be_scheme_host_and_port_only() {
    const URL: &str =
        "url can only have a scheme, a host and an optional port, such as https://arize.example.com";
    const ONE: &str = "write at most one of region, url and baseDomain";
    const INSECURE: &str = "set allowInsecure: true";
    let admission = Admission::new().await;
    let url = |url: &str| arize(json!({ "url": url }));
    let clear_text = json!({ "url": "http://arize.example.com", "allowInsecure": false });
    let domain = json!({ "url": null, "region": "EU", "baseDomain": "arize.example.com" });
    admission
        .assert_refused(&[
            ("path", url("https://arize.example.com/v2"), &[URL]),
            ("query", url("https://arize.example.com?a=b"), &[URL]),
            ("fragment", url("https://arize.example.com#a"), &[URL]),
            ("user", url("https://alice:secret@arize.example.com"), &[URL]),
            ("no host", url("https://"), &[URL]),
            ("no scheme", url("arize.example.com"), &[URL]),
            ("another scheme", url("ftp://arize.example.com"), &["url must begin with https://"]),
            ("clear text", url("http://arize.example.com"), &[INSECURE]),
            ("clear text, denied", arize(clear_text), &[INSECURE]),
            ("region and url", arize(json!({ "region": "EU" })), &[ONE]),
            ("region and domain", arize(domain), &[ONE]),
        ])
        .await;
    admission.apply(&arize(json!({ "url": null }))).await.unwrap();
    admission.apply(&arize(json!({ "url": "https://arize.example.com:8443/" }))).await.unwrap();
    let insecure = json!({ "url": "http://arize.example.com", "allowInsecure": true });
    admission.apply(&arize(insecure)).await.unwrap();
}
