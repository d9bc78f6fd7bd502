//! A plan in words: rows for statuses, a summary, and text for terminals.

use std::fmt::{self, Write};

use super::{plan::Plan, words::removals_inside};
use crate::model::Verb;

/// One change of a plan in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Create, Update or Delete.
    pub verb: Verb,
    /// Role, Grant, Restriction or Group.
    pub kind: String,
    /// The title of the thing.
    pub name: String,
    /// The differences, one per line.
    pub details: Vec<String>,
}

/// How many things a plan creates, updates and deletes: `+2 ~1 -0`. An update that takes something away must not look harmless:
/// `+0 ~1 -0, updates remove 2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Things to create.
    pub create: usize,
    /// Things to update.
    pub update: usize,
    /// Things to delete.
    pub delete: usize,
    /// Rules, roles and members that the updates take away.
    pub removed: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ~{} -{}", self.create, self.update, self.delete)?;
        if self.removed > 0 {
            write!(f, ", updates remove {}", self.removed)?;
        }
        Ok(())
    }
}

impl Plan {
    /// The changes in words, in the order of execution.
    pub fn rows(&self) -> Vec<Row> {
        let row = |step: &super::plan::Step| Row {
            verb: step.change.verb(),
            kind: step.change.body().kind().to_string(),
            name: step.change.body().title(),
            details: step.change.details(),
        };
        self.steps().iter().map(row).collect()
    }

    /// The number of changes by verb.
    pub fn summary(&self) -> Summary {
        let count = |verb| self.steps().iter().filter(|step| step.change.verb() == verb).count();
        let removed = self.steps().iter().map(|step| removals_inside(&step.change)).sum();
        Summary {
            create: count(Verb::Create),
            update: count(Verb::Update),
            delete: count(Verb::Delete),
            removed,
        }
    }
}

/// Rows as text: a line with a sign, the kind and the name, and the indented details below it.
///
/// Control characters are escaped: a line break in a name from a spec or a back end must not add a row.
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
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
