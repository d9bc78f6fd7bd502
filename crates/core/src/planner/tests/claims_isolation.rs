//! Objects of one namespace cannot change the plans of another one by claims that their own credential could never execute.

use proptest::{collection::vec, prelude::*};

use super::claims::{binding, claimant, slot};
use super::support::grant;
use crate::model::{Body, Id};
use crate::planner::{Claim, Claims, DesiredKeys, DesiredThing, ObjectName, OtherClaims, Standing};

/// One of a few grants that compete for few natural keys.
fn body(number: usize) -> Body {
    grant(["reader", "writer"][number % 2], ["alice", "bob"][number / 2 % 2], Some("p"))
}

/// A thing that an object claims: its number, whether its credential reads it, whether it was refused.
type Thing = (usize, bool, bool);

#[derive(Clone, Debug)]
struct Object {
    desired: Vec<Thing>,
    /// A recorded thing, and whether it is present.
    managed: Option<(usize, bool)>,
    active: bool,
    is_being_deleted: bool,
}

/// The id of the thing that has the natural key of this body, whatever its role.
fn id(number: usize) -> Id {
    Id::new(format!("G{}", number / 2 % 2))
}

fn claim(name: &str, namespace: &str, object: &Object) -> Claim {
    let thing = |&(number, seen, refused): &Thing| {
        let fingerprint = body(number).fingerprint();
        (slot(&body(number)), DesiredThing { fingerprint, seen: seen.then(|| id(number)), refused })
    };
    let managed = object.managed.iter().map(|&(number, present)| {
        let (kind, key) = slot(&body(number));
        (kind, key, present.then(|| id(number)))
    });
    Claim {
        object: binding(namespace, name),
        backend: ObjectName::new(namespace, "backend"),
        credential: Some(namespace.into()),
        desired: match object.is_being_deleted {
            true => DesiredKeys::default(),
            false => object.desired.iter().map(thing).collect(),
        },
        managed: managed.collect(),
        taken: Box::default(),
        reach: Box::default(),
        active: object.active && !object.is_being_deleted,
        is_being_deleted: object.is_being_deleted,
        is_requested: false,
        complete: None,
    }
}

fn object() -> impl Strategy<Value = Object> {
    let things = vec((0..4_usize, any::<bool>(), any::<bool>()), 0..3);
    let managed = prop::option::of((0..4_usize, any::<bool>()));
    (things, managed, any::<bool>(), any::<bool>()).prop_map(
        |(desired, managed, active, is_being_deleted)| Object { desired, managed, active, is_being_deleted },
    )
}

/// An object whose credential fails: it reads nothing, and nothing was created for it.
fn failing() -> impl Strategy<Value = Object> {
    object().prop_map(|mut object| {
        object.desired.iter_mut().for_each(|(_, seen, _)| *seen = false);
        Object { managed: None, ..object }
    })
}

/// All that the plans of these objects depend on.
fn answers(claims: &Claims, names: &[String]) -> Vec<(Standing, OtherClaims)> {
    let mut answers = Vec::new();
    for name in names {
        for number in 0..4 {
            let ((kind, key), fingerprint) = (slot(&body(number)), body(number).fingerprint());
            for existing in [vec![], vec![id(number)]] {
                let standing = claims.standing(&claimant(name), kind, &key, &existing, &fingerprint);
                let others = claims.other_claims(&claimant(name), kind, &key, existing.first());
                answers.push((standing, others));
            }
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn failing_credential_changes_no_plan_elsewhere(
        objects in vec(object(), 1..4),
        others in vec((0..3_usize, failing(), any::<bool>(), any::<bool>()), 1..8),
    ) {
        let names: Vec<String> = (0..objects.len()).map(|number| format!("b{number}")).collect();
        let mut claims = Claims::default();
        for (name, object) in names.iter().zip(&objects) {
            claims.set(claimant(name), claim(name, "team-b", object));
        }
        let before = answers(&claims, &names);
        for (number, object, is_suspended, is_removed) in &others {
            // They are older than all others.
            let name = format!("a{number}");
            claims.set(claimant(&name), claim(&name, "team-a", object));
            if *is_suspended {
                claims.suspend(&claimant(&name));
            }
            prop_assert_eq!(&answers(&claims, &names), &before, "after {:?}", object);
            if *is_removed {
                claims.remove(&claimant(&name));
            }
        }
    }

    #[test]
    fn revocation_waits_only_for_those_who_can_take_it_over(objects in vec((object(), any::<bool>()), 1..5)) {
        let manager = Object { desired: Vec::new(), managed: Some((0, true)), active: false, is_being_deleted: true };
        let mut claims = Claims::default();
        claims.set(claimant("m"), claim("m", "team-m", &manager));
        for (number, (object, is_near)) in objects.iter().enumerate() {
            let name = format!("o{number}");
            claims.set(claimant(&name), claim(&name, if *is_near { "team-m" } else { "team-o" }, object));
        }
        let ((kind, key), first) = (slot(&body(0)), id(0));
        let records = objects.iter().any(|(object, _)| {
            object.managed.is_some_and(|(number, present)| present && id(number) == first)
        });
        let can_inherit = objects.iter().any(|(object, is_near)| {
            let can_act = |&(number, seen, refused): &Thing| {
                slot(&body(number)) == slot(&body(0)) && !refused && (seen || *is_near)
            };
            object.active && !object.is_being_deleted && object.desired.iter().any(can_act)
        });
        match claims.other_claims(&claimant("m"), kind, &key, Some(&first)) {
            OtherClaims::Shared(_) => prop_assert!(records),
            OtherClaims::Waiting(_) => prop_assert!(!records && can_inherit),
            OtherClaims::None => prop_assert!(!records),
        }
    }

    #[test]
    fn removed_claims_leave_nothing(objects in vec(object(), 1..5)) {
        let mut claims = Claims::default();
        for (number, object) in objects.iter().enumerate() {
            let name = format!("o{number}");
            claims.set(claimant(&name), claim(&name, "team-a", object));
        }
        for number in 0..objects.len() {
            claims.remove(&claimant(&format!("o{number}")));
        }
        prop_assert!(claims.is_empty());
        prop_assert!((0..4).all(|number| !claims.is_managed(body(number).kind(), &id(number))));
    }
}
