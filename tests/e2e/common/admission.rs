//! What the API server refuses, with which message, and that it stores an accepted object unchanged.

use serde_json::{Value, json};

use crate::support::{admission::Admission, backend, binding, grafana, kubectl, restriction, role, shared};

const URL: &str = "https://arize.example.com";

fn readers(more: Value) -> Value {
    binding("readers", "reader", &["alice@example.com"], more)
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_needs_exactly_one_known_block() {
    let admission = Admission::new().await;
    let mut none = backend(URL, json!({}));
    none["spec"].as_object_mut().unwrap().remove("arize");
    let mut two = backend(URL, json!({}));
    two["spec"]["grafana"] = grafana::backend(URL, json!({}))["spec"]["grafana"].clone();
    let one = "write exactly one back-end block: arize, grafana, lenses or zenml";
    admission.assert_refused(&[("no block", none, &[one]), ("two blocks", two, &[one])]).await;

    let mut unknown = backend(URL, json!({}));
    unknown["spec"]["jenkins"] = json!({ "url": "https://jenkins.example.com" });
    unknown["metadata"]["namespace"] = json!(admission.namespace);
    let text = unknown.to_string();
    let refused = kubectl(&["apply", "--validate=strict", "-f", "-"], Some(&text)).await.unwrap_err();
    assert!(refused.contains(r#"unknown field "spec.jenkins""#), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_values_are_refused() {
    let admission = Admission::new().await;
    let reader = |more| role("x", &["PROJECT_READ"], more);
    let effect = json!({ "rules": [{ "actions": ["A_B"], "effect": "Refuse" }] });
    let subject = json!({ "subjects": [{ "kind": "Robot", "name": "x" }] });
    let reference = json!({ "backendRef": { "kind": "Server", "name": "arize" } });
    let policy = json!({ "deletionPolicy": "Orphan" });
    admission
        .assert_refused(&[
            ("adopt", reader(json!({ "adopt": "Maybe" })), &["Never", "IfIdentical"]),
            ("mode", reader(json!({ "mode": "Dry" })), &["Enforce", "Plan"]),
            ("mode of a Backend", backend(URL, json!({ "mode": "plan" })), &["spec.mode", "Plan"]),
            ("deletionPolicy", restriction("x", "churn", policy), &["Delete", "Retain"]),
            ("effect", role("x", &[], effect), &["effect", "Allow", "Deny"]),
            ("subject kind", readers(subject), &["kind", "User", "ServiceAccount"]),
            ("backendRef kind", reader(reference), &["backendRef.kind", "Backend"]),
        ])
        .await;
    let interval = |text: &str| backend(URL, json!({ "sweepInterval": text }));
    const TIME: &str = "write a duration from 1s to 24h, such as 5m";
    admission
        .assert_refused(&[
            ("no unit", interval("5"), &[TIME]),
            ("days", interval("1d"), &[TIME]),
            ("words", interval("often"), &[TIME]),
            ("zero", interval("0s"), &[TIME]),
            ("too long", interval("25h"), &[TIME]),
            ("negative", interval("-5m"), &[TIME]),
        ])
        .await;
    admission.apply(&interval("1h30m")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_contradictory_fields_are_refused() {
    let admission = Admission::new().await;
    let subjects = |subjects: Value| readers(json!({ "subjects": subjects }));
    let alice = json!({ "kind": "User", "name": "alice@example.com" });
    let role_ref = |value: Value| readers(json!({ "roleRef": value }));
    let scope = |value: Value| readers(json!({ "scope": value }));
    let resource = |value: Value| restriction("x", "churn", json!({ "resource": value }));
    let ends_first = json!({ "startsAt": "2027-02-01T00:00:00Z", "expiresAt": "2027-01-31T18:00:00Z" });
    const ROLE_REF: &str = "write either name (a Role in this namespace) or external";
    const EXTERNAL: &str = "write either name or id of the external role";
    const SCOPE: &str = "write id alone, or space";
    const RESOURCE: &str = "write one of: project (with its space)";
    let mut no_rules = role("x", &[], json!({}));
    no_rules["spec"].as_object_mut().unwrap().remove("rules");
    admission
        .assert_refused(&[
            ("no rules", no_rules, &["spec.rules", "Required"]),
            (
                "empty rules",
                role("x", &[], json!({ "rules": [] })),
                &["spec.rules", "write at least one rule"],
            ),
            ("no actions", role("x", &[], json!({})), &["actions", "at least 1"]),
            ("empty action", role("x", &[""], json!({})), &["actions", "at least 1"]),
            ("no subjects", subjects(json!([])), &["spec.subjects", "at least 1"]),
            ("empty subject", subjects(json!([{ "kind": "User", "name": "" }])), &["name", "at least 1"]),
            ("repeated subject", subjects(json!([alice, alice])), &["spec.subjects", "duplicate"]),
            ("end before the start", readers(ends_first), &["spec.expiresAt", "must be later than startsAt"]),
            ("no time", readers(json!({ "expiresAt": "tomorrow" })), &["spec.expiresAt", "date-time"]),
            ("no role", role_ref(json!({})), &[ROLE_REF]),
            ("two roles", role_ref(json!({ "name": "a", "external": { "name": "b" } })), &[ROLE_REF]),
            ("no external role", role_ref(json!({ "external": {} })), &[EXTERNAL]),
            ("two external roles", role_ref(json!({ "external": { "name": "a", "id": "b" } })), &[EXTERNAL]),
            ("empty scope", scope(json!({})), &[SCOPE]),
            ("organization alone", scope(json!({ "organization": "Research" })), &[SCOPE]),
            ("id and names", scope(json!({ "id": "a", "space": "research" })), &[SCOPE]),
            ("empty resource", resource(json!({})), &[RESOURCE]),
            ("a space as resource", resource(json!({ "space": "research" })), &[RESOURCE]),
            ("id and names of a resource", resource(json!({ "id": "a", "project": "churn" })), &[RESOURCE]),
        ])
        .await;
    // A user and a service account can have the same name.
    let account = json!({ "kind": "ServiceAccount", "name": "alice@example.com" });
    admission.apply(&subjects(json!([alice, account]))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn longest_names_are_measured_in_bytes() {
    let admission = Admission::new().await;
    let subject = |index: usize, length: usize| {
        let start = format!("{index:04}");
        json!({ "kind": "User", "name": start.clone() + &"𐍈".repeat(length - start.len() / 4) })
    };
    let subjects = |last: usize| {
        let all: Vec<Value> = (0..249).map(|index| subject(index, 80)).chain([subject(249, last)]).collect();
        readers(json!({ "subjects": all }))
    };
    let refused = ("bytes", subjects(81), &["spec.subjects[249].name", "use at most 320 bytes"][..]);
    admission.assert_refused(&[refused]).await;
    admission.apply(&subjects(80)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_at_the_ends_of_names_are_refused() {
    const BLANKS: &str = "remove the blanks at the beginning and the end";
    let admission = Admission::new().await;
    let subject = |name: &str| readers(json!({ "subjects": [{ "kind": "User", "name": name }] }));
    let external = json!({ "roleRef": { "external": { "name": "Viewer " } } });
    let resource = json!({ "resource": { "space": "research", "project": "churn\t" } });
    admission
        .assert_refused(&[
            ("subject", subject(" alice@example.com"), &["spec.subjects[0].name", BLANKS]),
            ("role", role("x", &["read"], json!({ "name": "reader\n" })), &["spec.name", BLANKS]),
            (
                "display name",
                role("x", &["read"], json!({ "displayName": " Reader" })),
                &["displayName", BLANKS],
            ),
            ("external role", readers(external), &["spec.roleRef.external.name", BLANKS]),
            ("scope", readers(json!({ "scope": { "space": " research" } })), &["spec.scope.space", BLANKS]),
            ("resource", restriction("x", "churn", resource), &["spec.resource.project", BLANKS]),
        ])
        .await;
    admission.apply(&subject("Alice A. Example")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_expand_to_too_many_are_refused() {
    let admission = Admission::new().await;
    let texts = |count: usize| (0..count).map(|number| format!("A_{number}")).collect::<Vec<_>>();
    let rules = |rules: usize, actions: usize, resources: usize| {
        let rule = match resources {
            0 => json!({ "actions": texts(actions) }),
            _ => json!({ "actions": texts(actions), "resources": texts(resources) }),
        };
        role("x", &[], json!({ "rules": vec![rule; rules] }))
    };
    let words = &["more than 10000 single rules", "split the role"];
    admission
        .assert_refused(&[
            ("a million", rules(32, 512, 64), words),
            ("one more", rules(1, 173, 58), &words[..1]),
            ("without resources", rules(20, 501, 0), &words[..1]),
        ])
        .await;
    admission.apply(&rules(10, 50, 20)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn identifying_fields_are_immutable() {
    let admission = Admission::new().await;
    for object in
        [role("x", &["PROJECT_READ"], json!({})), readers(json!({})), restriction("x", "churn", json!({}))]
    {
        admission.apply(&object).await.unwrap();
        let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let other = json!({ "spec": { "backendRef": { "name": "other" } } });
        let refused = admission.merge(kind, name, other).await.unwrap_err();
        assert!(refused.contains("backendRef cannot be changed"), "{kind}: {refused}");
        assert!(
            refused.contains("delete this object and create it again for the other Backend"),
            "{refused}"
        );
        let removed = admission.merge(kind, name, json!({ "spec": { "backendRef": null } })).await;
        assert!(removed.is_err(), "{kind}: backendRef can be removed");
    }
    let merge =
        |resource| admission.merge("ResourceRestriction", "x", json!({ "spec": { "resource": resource } }));
    for resource in [
        json!({ "project": "summaries" }),
        json!({ "space": null, "project": "churn" }),
        json!({ "space": null, "project": null, "id": "TW9kZWw6MTphYUFh" }),
    ] {
        let refused = merge(resource).await.unwrap_err();
        assert!(refused.contains("resource cannot be changed"), "{refused}");
    }
    assert!(merge(json!(null)).await.is_err(), "the resource can be removed, and another set afterwards");
}

#[tokio::test(flavor = "multi_thread")]
async fn crds_apply_without_a_warning() {
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let mut command = shared().await.kubectl().unwrap();
    command.args(["apply", "--dry-run=server", "--server-side", "--force-conflicts", "-f", crds]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(!stderr.contains("Warning"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_objects_get_no_further_fields() {
    let admission = Admission::new().await;
    for object in [
        backend(URL, json!({})),
        role("reader", &["PROJECT_READ"], json!({})),
        readers(json!({})),
        restriction("churn", "churn", json!({})),
    ] {
        let applied = admission.apply(&object).await.unwrap();
        assert_eq!(applied.data, json!({ "spec": object["spec"] }));
        let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let stored = admission.get(kind, name).await;
        assert_eq!(stored.data, json!({ "spec": object["spec"] }));
        assert!(stored.metadata.finalizers.is_none() && stored.metadata.annotations.is_none());
    }
}
