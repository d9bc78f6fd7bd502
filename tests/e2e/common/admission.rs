//! What the API server itself refuses, and with which words; and that it leaves an accepted object as it was written.

use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::support::{backend, binding, client, kubectl, make_namespace, restriction, role, shared, unique};

/// A namespace that no operator serves.
struct Place {
    client: Client,
    namespace: String,
}

impl Place {
    async fn new() -> Self {
        let client = client(shared().await).await;
        let namespace = unique("admission");
        make_namespace(&client, &namespace).await;
        Self { client, namespace }
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("rolewright.dev", "v1alpha1", kind));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    async fn apply(&self, object: &Value) -> Result<DynamicObject, String> {
        let params = PatchParams {
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::apply("test").force()
        };
        let name = object["metadata"]["name"].as_str().unwrap();
        let api = self.api(object["kind"].as_str().unwrap());
        api.patch(name, &params, &Patch::Apply(object)).await.map_err(words)
    }

    async fn merge(&self, kind: &str, name: &str, patch: Value) -> Result<DynamicObject, String> {
        self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.map_err(words)
    }

    /// Every one of these is refused, with these words.
    async fn refuses(&self, cases: &[(&str, Value, &[&str])]) {
        let mut wrong = Vec::new();
        for (what, object, wanted) in cases {
            match self.apply(object).await {
                Ok(_) => wrong.push(format!("{what}: accepted")),
                Err(message) => {
                    let missing = wanted.iter().filter(|word| !message.contains(**word));
                    wrong.extend(missing.map(|word| format!("{what}: no {word:?} in: {message}")));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

fn words(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => panic!("{other}"),
    }
}

/// A Backend whose Arize block has these further fields; null takes one out.
fn arize(fields: Value) -> Value {
    let mut object = backend("https://arize.example.com", json!({}));
    let block = object["spec"]["arize"].as_object_mut().unwrap();
    block.remove("allowInsecure");
    for (field, value) in fields.as_object().unwrap() {
        if value.is_null() {
            block.remove(field);
        } else {
            block.insert(field.clone(), value.clone());
        }
    }
    object
}

fn bound(more: Value) -> Value {
    binding("readers", "reader", &["alice@example.com"], more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_without_exactly_one_block_is_refused() {
    let place = Place::new().await;
    let mut none = backend("https://arize.example.com", json!({}));
    none["spec"].as_object_mut().unwrap().remove("arize");
    let mut two = backend("https://arize.example.com", json!({}));
    two["spec"]["grafana"] = grafana(json!({}))["spec"]["grafana"].clone();
    let one = "write exactly one back-end block: arize, grafana, lenses or zenml";
    place.refuses(&[("no block", none, &[one]), ("two blocks", two, &[one])]).await;

    let mut unknown = backend("https://arize.example.com", json!({}));
    unknown["spec"]["jenkins"] = json!({ "url": "https://jenkins.example.com" });
    unknown["metadata"]["namespace"] = json!(place.namespace);
    let text = unknown.to_string();
    let refused = kubectl(&["apply", "--validate=strict", "-f", "-"], Some(&text)).await.unwrap_err();
    assert!(refused.contains(r#"unknown field "spec.jenkins""#), "{refused}");
}

fn grafana(more: Value) -> Value {
    crate::support::grafana::backend("https://grafana.example.com/grafana", more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_grafana_that_cannot_be_is_refused() {
    const URL: &str = "url can only have a scheme, a host with an optional port, and the path of Grafana";
    const ONE: &str = "write either tokenSecretRef, or username and passwordSecretRef";
    let place = Place::new().await;
    let with = |field: &str, value: Value| {
        let mut object = grafana(json!({}));
        object["spec"]["grafana"][field] = value;
        object
    };
    let clear = |url: &str| {
        let mut object = with("url", json!(url));
        object["spec"]["grafana"].as_object_mut().unwrap().remove("allowInsecure");
        object
    };
    let secret = json!({ "name": "grafana", "key": "password" });
    place
        .refuses(&[
            ("query", with("url", json!("https://grafana.example.com/?orgId=1")), &[URL]),
            ("user", with("url", json!("https://admin:secret@grafana.example.com")), &[URL]),
            ("no host", with("url", json!("https://")), &[URL]),
            ("clear text", clear("http://grafana.example.com"), &["set allowInsecure: true"]),
            ("no credential", with("credentials", json!({})), &[ONE]),
            ("a user without password", with("credentials", json!({ "username": "admin" })), &[ONE]),
            (
                "both",
                with(
                    "credentials",
                    json!({ "username": "admin", "passwordSecretRef": secret, "tokenSecretRef": secret }),
                ),
                &[ONE],
            ),
            ("organization 0", with("orgId", json!(0)), &["orgId"]),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_more_than_scheme_host_and_port_is_refused() {
    const WRITE: &str =
        "url can only have a scheme, a host and an optional port, such as https://arize.example.com";
    let place = Place::new().await;
    let url = |url: &str| arize(json!({ "url": url }));
    place
        .refuses(&[
            ("path", url("https://arize.example.com/v2"), &[WRITE]),
            ("query", url("https://arize.example.com?a=b"), &[WRITE]),
            ("fragment", url("https://arize.example.com#a"), &[WRITE]),
            ("user", url("https://alice:secret@arize.example.com"), &[WRITE]),
            ("no host", url("https://"), &[WRITE]),
            ("no scheme", url("arize.example.com"), &[WRITE]),
            ("another scheme", url("ftp://arize.example.com"), &["url must begin with https://"]),
            ("clear text", url("http://arize.example.com"), &["set allowInsecure: true"]),
            (
                "clear text, denied",
                arize(json!({ "url": "http://arize.example.com", "allowInsecure": false })),
                &["set allowInsecure: true"],
            ),
            (
                "region and url",
                arize(json!({ "region": "EU" })),
                &["write at most one of region, url and baseDomain"],
            ),
            (
                "region and domain",
                arize(json!({ "url": null, "region": "EU", "baseDomain": "arize.example.com" })),
                &["write at most one of region, url and baseDomain"],
            ),
        ])
        .await;
    place.apply(&arize(json!({ "url": null }))).await.unwrap();
    place.apply(&arize(json!({ "url": "https://arize.example.com:8443/" }))).await.unwrap();
    place.apply(&arize(json!({ "url": "http://arize.example.com", "allowInsecure": true }))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn values_outside_the_known_ones_are_refused() {
    let place = Place::new().await;
    let one = |field: &str, value: Value| json!({ field: value });
    let user = |kind: &str, name: &str| json!({ "kind": kind, "name": name });
    place
        .refuses(&[
            ("adopt", role("x", &["PROJECT_READ"], one("adopt", json!("Maybe"))), &["Never", "IfIdentical"]),
            ("mode", role("x", &["PROJECT_READ"], one("mode", json!("Dry"))), &["Enforce", "Plan"]),
            (
                "mode of a Backend",
                backend("https://arize.example.com", one("mode", json!("plan"))),
                &["spec.mode", "Plan"],
            ),
            (
                "deletionPolicy",
                restriction("x", "churn", one("deletionPolicy", json!("Orphan"))),
                &["Delete", "Retain"],
            ),
            (
                "effect",
                role("x", &[], json!({ "rules": [{ "actions": ["A_B"], "effect": "Refuse" }] })),
                &["effect", "Allow", "Deny"],
            ),
            (
                "subject kind",
                bound(json!({ "subjects": [user("Robot", "x")] })),
                &["kind", "User", "ServiceAccount"],
            ),
            (
                "backendRef kind",
                role("x", &["PROJECT_READ"], json!({ "backendRef": { "kind": "Server", "name": "arize" } })),
                &["backendRef.kind", "Backend"],
            ),
        ])
        .await;
    let interval = |text: &str| backend("https://arize.example.com", one("sweepInterval", json!(text)));
    const WRITE: &str = "write a duration from 1s to 24h, such as 5m";
    place
        .refuses(&[
            ("no unit", interval("5"), &[WRITE]),
            ("days", interval("1d"), &[WRITE]),
            ("words", interval("often"), &[WRITE]),
            ("none", interval("0s"), &[WRITE]),
            ("too long", interval("25h"), &[WRITE]),
            ("negative", interval("-5m"), &[WRITE]),
        ])
        .await;
    place.apply(&interval("1h30m")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_bindings_that_say_too_little_or_too_much_are_refused() {
    let place = Place::new().await;
    let subjects = |subjects: Value| bound(json!({ "subjects": subjects }));
    let alice = json!({ "kind": "User", "name": "alice@example.com" });
    let role_ref = |value: Value| bound(json!({ "roleRef": value }));
    let scope = |value: Value| bound(json!({ "scope": value }));
    const ROLE_REF: &str = "write either name (a Role in this namespace) or external";
    const EXTERNAL: &str = "write either name or id of the external role";
    const SCOPE: &str = "write id alone, or space";
    const RESOURCE: &str = "write one of: project (with its space)";
    let mut no_rules = role("x", &[], json!({}));
    no_rules["spec"].as_object_mut().unwrap().remove("rules");
    place
        .refuses(&[
            ("no rules", no_rules, &["spec.rules", "Required"]),
            ("empty rules", role("x", &[], json!({ "rules": [] })), &["spec.rules", "at least 1"]),
            ("no actions", role("x", &[], json!({})), &["actions", "at least 1"]),
            ("empty action", role("x", &[""], json!({})), &["actions", "at least 1"]),
            ("no subjects", subjects(json!([])), &["spec.subjects", "at least 1"]),
            ("empty subject", subjects(json!([{ "kind": "User", "name": "" }])), &["name", "at least 1"]),
            ("repeated subject", subjects(json!([alice, alice])), &["a subject is listed twice"]),
            ("no role", role_ref(json!({})), &[ROLE_REF]),
            ("two roles", role_ref(json!({ "name": "a", "external": { "name": "b" } })), &[ROLE_REF]),
            ("no external role", role_ref(json!({ "external": {} })), &[EXTERNAL]),
            ("two external roles", role_ref(json!({ "external": { "name": "a", "id": "b" } })), &[EXTERNAL]),
            ("empty scope", scope(json!({})), &[SCOPE]),
            ("organization alone", scope(json!({ "organization": "Research" })), &[SCOPE]),
            ("id and names", scope(json!({ "id": "a", "space": "research" })), &[SCOPE]),
            ("empty resource", restriction("x", "churn", json!({ "resource": {} })), &[RESOURCE]),
            (
                "a space as resource",
                restriction("x", "churn", json!({ "resource": { "space": "research" } })),
                &[RESOURCE],
            ),
            (
                "id and names of a resource",
                restriction("x", "churn", json!({ "resource": { "id": "a", "project": "churn" } })),
                &[RESOURCE],
            ),
        ])
        .await;
    // The same name may be a user's and a service account's.
    let robot = json!({ "kind": "ServiceAccount", "name": "alice@example.com" });
    place.apply(&subjects(json!([alice, robot]))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_identifies_an_object_cannot_be_changed_in_any_way() {
    let place = Place::new().await;
    let elsewhere = json!({ "backendRef": { "name": "other" } });
    for object in
        [role("x", &["PROJECT_READ"], json!({})), bound(json!({})), restriction("x", "churn", json!({}))]
    {
        place.apply(&object).await.unwrap();
        let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let refused = place.merge(kind, name, json!({ "spec": elsewhere })).await.unwrap_err();
        assert!(refused.contains("backendRef cannot be changed"), "{kind}: {refused}");
        assert!(
            refused.contains("delete this object and create it again for the other Backend"),
            "{refused}"
        );
        let removed = place.merge(kind, name, json!({ "spec": { "backendRef": null } })).await;
        assert!(removed.is_err(), "{kind}: backendRef was taken out");
    }
    for resource in [
        json!({ "project": "summaries" }),
        json!({ "space": null, "project": "churn" }),
        json!({ "space": null, "project": null, "id": "TW9kZWw6MTphYUFh" }),
    ] {
        let patch = json!({ "spec": { "resource": resource } });
        let refused = place.merge("ResourceRestriction", "x", patch).await.unwrap_err();
        assert!(refused.contains("resource cannot be changed"), "{refused}");
    }
    let removed = place.merge("ResourceRestriction", "x", json!({ "spec": { "resource": null } })).await;
    assert!(removed.is_err(), "the resource was taken out, so another could be put in");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_definitions_are_accepted_without_a_warning() {
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let mut command = shared().await.kubectl().unwrap();
    command.args(["apply", "--dry-run=server", "--server-side", "--force-conflicts", "-f", crds]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("Warning"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_read_back_says_what_was_written_and_no_more() {
    let place = Place::new().await;
    for object in [
        backend("https://arize.example.com", json!({})),
        role("reader", &["PROJECT_READ"], json!({})),
        bound(json!({})),
        restriction("churn", "churn", json!({})),
    ] {
        let back = place.apply(&object).await.unwrap();
        assert_eq!(back.data, json!({ "spec": object["spec"] }));
        let name = object["metadata"]["name"].as_str().unwrap();
        let again = place.api(object["kind"].as_str().unwrap()).get(name).await.unwrap();
        assert_eq!(again.data, json!({ "spec": object["spec"] }));
        assert!(again.metadata.finalizers.is_none() && again.metadata.annotations.is_none());
    }
}
