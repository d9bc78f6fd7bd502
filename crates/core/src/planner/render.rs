//! A plan for people and for statuses: rows, a summary, text.

use std::fmt::{self, Write};

use super::plan::Plan;
use crate::model::Verb;

/// One change of a plan, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Create, Update or Delete.
    pub verb: Verb,
    /// Role, Grant or Restriction.
    pub kind: String,
    /// The thing in words.
    pub name: String,
    /// What changes in it, a line each.
    pub details: Vec<String>,
}

/// How many things a plan adds, changes and removes: `+2 ~1 -0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Things to add.
    pub create: usize,
    /// Things to change.
    pub update: usize,
    /// Things to remove.
    pub delete: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ~{} -{}", self.create, self.update, self.delete)
    }
}

impl Plan {
    /// The changes in words, in the order in which they are made.
    pub fn rows(&self) -> Vec<Row> {
        let row = |step: &super::plan::Step| Row {
            verb: step.change.verb(),
            kind: step.change.body().kind().to_string(),
            name: step.change.body().title(),
            details: step.change.details(),
        };
        self.steps().iter().map(row).collect()
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        let count = |verb| self.steps().iter().filter(|step| step.change.verb() == verb).count();
        Summary { create: count(Verb::Create), update: count(Verb::Update), delete: count(Verb::Delete) }
    }
}

/// Rows as text: a sign, the kind and the name on a line, details indented below it. A line of it is always a line of the plan: names
/// and rules are other people's words, and a line break in them would let them write rows of their own.
pub fn text(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let sign = match row.verb {
            Verb::Create => '+',
            Verb::Update => '~',
            Verb::Delete => '-',
        };
        writeln!(text, "{sign} {} {}", row.kind, on_one_line(&row.name))
            .expect("writing to a String cannot fail");
        for detail in &row.details {
            writeln!(text, "    {}", on_one_line(detail)).expect("writing to a String cannot fail");
        }
    }
    text
}

fn on_one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Adopt, Removal, Want, plan,
            testing::{TestDialect, World, grant, held, policy, role},
        },
        *,
    };

    const DIALECT: TestDialect = TestDialect::NoScopes;

    fn made(wants: &[Want], world: &World, held: &[super::super::Held]) -> Plan {
        plan(wants, &world.snapshot(), held, &policy(&DIALECT, Adopt::Never, Removal::Delete))
    }

    #[test]
    fn a_plan_reads_as_signs_names_and_what_changes() {
        let before = role("writer", &["read", "delete"]);
        let world = World::new(DIALECT).with("W", before.clone());
        let wants = [Want::new(None, role("writer", &["read", "write"]))];
        let plan = made(&wants, &world, &[held(DIALECT, Some("W"), &before, None)]);
        assert_eq!(text(&plan.rows()), "~ Role writer\n    + write\n    - delete\n");
        assert_eq!(plan.summary().to_string(), "+0 ~1 -0");
    }

    #[test]
    fn grants_are_named_by_subject_and_role_and_come_before_removals() {
        let old = grant("R", "alice", None);
        let world = World::new(DIALECT).with("G", old.clone());
        let wants = [Want::new(Some("bob".to_owned()), grant("R", "bob", None))];
        let plan = made(&wants, &world, &[held(DIALECT, Some("G"), &old, Some("alice"))]);
        assert_eq!(text(&plan.rows()), "+ Grant the bob as the R\n- Grant the alice as the R\n");
        assert_eq!(plan.summary(), Summary { create: 1, update: 0, delete: 1 });
    }

    #[test]
    fn a_name_cannot_write_lines_of_its_own() {
        let wants = [Want::new(None, role("reader\n- Role admin\u{1b}[2K", &["read\r"]))];
        let plan = made(&wants, &World::new(DIALECT), &[]);
        assert_eq!(text(&plan.rows()), "+ Role reader\\n- Role admin\\u{1b}[2K\n    + read\\r\n");
    }

    #[test]
    fn nothing_to_do_is_no_text() {
        let plan = made(&[], &World::new(DIALECT), &[]);
        assert_eq!((text(&plan.rows()), plan.summary().to_string()), (String::new(), "+0 ~0 -0".to_owned()));
    }
}
