//! Plans as rows, summaries and text.

use super::support::{TestDialect, World, desired, desired_for, grant, planned, present, restriction, role};
use crate::planner::{Adopt, Desired, Summary, past, text};

const DIALECT: TestDialect = TestDialect::NoScopes;

#[test]
fn text_shows_sign_name_and_differences() {
    let before = role("writer", &["read", "delete"]);
    let world = World::new(DIALECT).with("W", before.clone());
    let desired = [desired(role("writer", &["read", "write"]))];
    let plan = planned(&world, &desired, &[present(DIALECT, "W", &before, None)], Adopt::Never);
    assert_eq!(text(&plan.rows()), "~ Role writer\n    + write\n    - delete\n");
    assert_eq!(plan.summary().to_string(), "+0 ~1 -0, updates remove 1");
    assert_eq!(plan.intent(), "change the role writer (+ write, - delete)");
    assert_eq!(past(&plan.steps()[0]), "the role writer was changed: + write; - delete");
}

#[test]
fn grants_are_shown_by_subject_and_role_creates_first() {
    let old = grant("R", "alice", None);
    let world = World::new(DIALECT).with("G", old.clone());
    let desired = [desired_for("bob", grant("R", "bob", None))];
    let plan = planned(&world, &desired, &[present(DIALECT, "G", &old, Some("alice"))], Adopt::Never);
    assert_eq!(text(&plan.rows()), "+ Grant the bob as the R\n- Grant the alice as the R\n");
    assert_eq!(plan.summary(), Summary { create: 1, update: 0, delete: 1, removed: 0 });
    assert_eq!(plan.intent(), "grant the R to the bob; revoke the R from the alice");
    let done: Vec<String> = plan.steps().iter().map(past).collect();
    assert_eq!(done, ["the bob got the role the R", "the alice lost the role the R"]);
}

#[test]
fn intent_lists_what_is_done_alike_together() {
    let subjects = ["a", "b", "c", "d", "e", "f", "g"];
    let desired: Vec<Desired> =
        subjects.map(|name| desired_for(name, grant("R", name, Some("churn")))).into();
    let plan = planned(&World::new(TestDialect::ManyRolesAScope), &desired, &[], Adopt::Never);
    assert_eq!(
        plan.intent(),
        "grant the R to the a, the b, the c, the d, the e and 2 more on project the churn"
    );
    let closed =
        planned(&World::new(DIALECT), &[super::support::desired(restriction("churn"))], &[], Adopt::Never);
    assert_eq!(closed.intent(), "close project the churn to inherited access");
    assert_eq!(past(&closed.steps()[0]), "project the churn was closed to inherited access");
}

#[test]
fn control_characters_in_names_are_escaped() {
    let desired = [desired(role("reader\n- Role admin\u{1b}[2K", &["read\r"]))];
    let plan = planned(&World::new(DIALECT), &desired, &[], Adopt::Never);
    assert_eq!(text(&plan.rows()), "+ Role reader\\n- Role admin\\u{1b}[2K\n    + read\\r\n");
}

#[test]
fn empty_plan_has_no_text() {
    let plan = planned(&World::new(DIALECT), &[], &[], Adopt::Never);
    assert_eq!((text(&plan.rows()), plan.summary().to_string()), (String::new(), "+0 ~0 -0".to_owned()));
    assert_eq!(plan.intent(), "");
}
