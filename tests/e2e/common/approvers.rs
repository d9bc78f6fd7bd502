//! Who can approve: the rights and the admission policies of the chart, on a real API server.

use std::time::{Duration, Instant};

use control_plane::ControlPlane;
use serde_json::{Value, json};

use super::chart::{documents, rendered};
use crate::support::{approval, client, dedicated_control_plane, kubectl_on, make_namespace, unique};

const MUTATING: &str = "MutatingAdmissionPolicy";

/// Whether the API server fills fields in by a policy, and which versions of it.
async fn mutating_versions(plane: &ControlPlane) -> Vec<String> {
    let mut versions = Vec::new();
    for version in ["v1", "v1beta1"] {
        let path = format!("/apis/admissionregistration.k8s.io/{version}");
        let resources = kubectl_on(plane, &["get", "--raw", &path], None).await.unwrap_or_default();
        if resources.contains(MUTATING) {
            versions.push(format!("admissionregistration.k8s.io/{version}/{MUTATING}"));
        }
    }
    versions
}

/// Applies the policies and the rights of users. Returns whether the API server fills in who approves.
async fn apply_policies(plane: &ControlPlane, own: &str) -> bool {
    const KINDS: [&str; 5] = [
        "ClusterRole",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        MUTATING,
        "MutatingAdmissionPolicyBinding",
    ];
    let versions = mutating_versions(plane).await;
    let served: Vec<&str> =
        versions.iter().flat_map(|version| ["--api-versions", version.as_str()]).collect();
    let mut all = documents(&rendered(own, &served));
    all.retain(|document| KINDS.contains(&document["kind"].as_str().unwrap()));
    assert_eq!(all.iter().any(|document| document["kind"] == MUTATING), !versions.is_empty());
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": all });
    kubectl_on(plane, &["apply", "--validate=strict", "-f", "-"], Some(&list.to_string())).await.unwrap();
    !versions.is_empty()
}

fn decision(name: &str, by: Option<&str>) -> String {
    let mut approval = approval(name, "Role", "reader", "v1-0000", "Approve");
    approval["spec"]["approvedBy"] = by.map_or(Value::Null, Value::from);
    if by.is_none() {
        approval["spec"].as_object_mut().unwrap().remove("approvedBy");
    }
    approval.to_string()
}

async fn create(
    plane: &ControlPlane,
    namespace: &str,
    user: &str,
    name: &str,
    by: Option<&str>,
) -> Result<String, String> {
    let args = ["create", "--namespace", namespace, "--as", user, "-f", "-"];
    kubectl_on(plane, &args, Some(&decision(name, by))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_approvers_approve_and_only_as_themselves() {
    let plane = dedicated_control_plane("approvers").await;
    let own = unique("rolewright-system");
    let admin = client(&plane).await;
    make_namespace(&admin, &own).await;
    let namespace = unique("approvers");
    make_namespace(&admin, &namespace).await;
    let fills_in = apply_policies(&plane, &own).await;
    let roles = kubectl_on(&plane, &["get", "clusterroles", "-o", "name"], None).await.unwrap();
    let approver = roles.lines().find(|name| name.ends_with("-approver")).expect("a role for approvers");
    let approver = approver.split_once('/').unwrap().1;
    for (user, role) in [("alice@example.com", approver), ("bob@example.com", "admin")] {
        let name = format!("{}-{}", user.split('@').next().unwrap(), unique("rights"));
        let (role, user) = (format!("--clusterrole={role}"), format!("--user={user}"));
        let args = ["create", "rolebinding", &name, "--namespace", &namespace, &role, &user];
        kubectl_on(&plane, &args, None).await.unwrap();
    }

    // A policy applies some time after it was created.
    let deadline = Instant::now() + Duration::from_secs(60);
    for number in 0.. {
        let name = format!("early-{number}");
        match create(&plane, &namespace, "alice@example.com", &name, Some("carol@example.com")).await {
            Err(why)
                if why.contains(
                    "approvedBy must name the user who creates the Approval: write alice@example.com",
                ) =>
            {
                break;
            }
            other => assert!(Instant::now() < deadline, "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    create(&plane, &namespace, "alice@example.com", "own", Some("alice@example.com")).await.unwrap();
    let refused = create(&plane, &namespace, "bob@example.com", "admins", Some("bob@example.com")).await;
    assert!(refused.unwrap_err().contains("cannot create resource \"approvals\""));

    let left_out = create(&plane, &namespace, "alice@example.com", "filled", None).await;
    if fills_in {
        left_out.unwrap();
        let path = ["get", "rwa", "filled", "--namespace", &namespace, "-o", "jsonpath={.spec.approvedBy}"];
        assert_eq!(kubectl_on(&plane, &path, None).await.unwrap(), "alice@example.com");
    } else {
        assert!(left_out.unwrap_err().contains("approvedBy"));
    }
    let patch = r#"{"spec":{"plan":"v1-1111"}}"#;
    let args = ["patch", "rwa", "own", "--namespace", &namespace, "--type=merge", "-p", patch];
    let refused = kubectl_on(&plane, &args, None).await.unwrap_err();
    assert!(refused.contains("an Approval cannot be changed: create another one"), "{refused}");
}
