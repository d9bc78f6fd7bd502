//! Who can approve: the rights and the admission policies of the chart, on a real API server.

use std::time::{Duration, Instant};

use control_plane::ControlPlane;
use serde_json::{Value, json};

use super::chart::{documents, rendered};
use crate::support::{
    approval, client, dedicated_control_plane, kubectl_on, make_namespace, request_for, unique,
};

const CAROL: &str = "carol@example.com";

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
    create_as(plane, namespace, (user, &[]), &decision(name, by)).await
}

/// Creates an object as a user with these groups.
async fn create_as(
    plane: &ControlPlane,
    namespace: &str,
    (user, groups): (&str, &[&str]),
    object: &str,
) -> Result<String, String> {
    let groups: Vec<String> = groups.iter().map(|group| format!("--as-group={group}")).collect();
    let mut args = vec!["create", "--namespace", namespace, "--as", user, "-f", "-"];
    args.extend(groups.iter().map(String::as_str));
    kubectl_on(plane, &args, Some(object)).await
}

/// An object as text, with these groups and this author. An author of null is left out.
fn with_author(mut object: Value, field: &str, author: Value, groups: &[&str]) -> String {
    object["spec"]["groups"] = json!(groups);
    object["spec"][field] = author;
    object["spec"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object.to_string()
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
    let requester = approver.replace("-approver", "-requester");
    for (user, role) in
        [("alice@example.com", approver), ("bob@example.com", "admin"), (CAROL, requester.as_str())]
    {
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
    // Groups, which an AccessOffer can name.
    let in_group = approval("grouped", "AccessRequest", "one", "v1-0000", "Approve");
    let alice = |groups| with_author(in_group.clone(), "approvedBy", json!("alice@example.com"), groups);
    let leader = ("alice@example.com", &["leads"][..]);
    let refused = create_as(&plane, &namespace, leader, &alice(&["leads", "sre"])).await.unwrap_err();
    assert!(refused.contains("spec.groups can only name groups of the user"), "{refused}");
    create_as(&plane, &namespace, leader, &alice(&["leads"])).await.unwrap();

    // Requests name their author, and groups of the author only.
    let request = |name: &str, author: Value, groups: &[&str]| {
        with_author(request_for(name, CAROL, "1h"), "requestedBy", author, groups)
    };
    let carol = (CAROL, &["sre"][..]);
    let refused = create_as(&plane, &namespace, carol, &request("a", json!("alice@example.com"), &[])).await;
    let words = "spec.requestedBy must name the user who creates the AccessRequest: write carol@example.com";
    assert!(refused.as_ref().is_err_and(|why| why.contains(words)), "{refused:?}");
    let refused = create_as(&plane, &namespace, carol, &request("b", json!(CAROL), &["leads"])).await;
    assert!(refused.unwrap_err().contains("spec.groups can only name groups of the user"));
    create_as(&plane, &namespace, carol, &request("c", json!(CAROL), &["sre"])).await.unwrap();
    let left_out = create_as(&plane, &namespace, carol, &request("d", Value::Null, &[])).await;
    assert_eq!(left_out.is_ok(), fills_in, "{left_out:?}");
    // Approvers cannot request by that; requesters cannot decide, and cannot end the access of others.
    let by_alice = request("e", json!("alice@example.com"), &[]);
    let refused = create_as(&plane, &namespace, leader, &by_alice).await.unwrap_err();
    assert!(refused.contains("cannot create resource \"accessrequests\""), "{refused}");
    let own = with_author(in_group, "approvedBy", json!(CAROL), &[]);
    let refused = create_as(&plane, &namespace, carol, &own).await.unwrap_err();
    assert!(refused.contains("cannot create resource \"approvals\""), "{refused}");
    let args = ["delete", "rwar", "c", "--namespace", &namespace, "--as", CAROL];
    let refused = kubectl_on(&plane, &args, None).await.unwrap_err();
    assert!(refused.contains("cannot delete resource \"accessrequests\""), "{refused}");

    let patch = r#"{"spec":{"plan":"v1-1111"}}"#;
    let args = ["patch", "rwa", "own", "--namespace", &namespace, "--type=merge", "-p", patch];
    let refused = kubectl_on(&plane, &args, None).await.unwrap_err();
    assert!(refused.contains("an Approval cannot be changed: create another one"), "{refused}");
}
