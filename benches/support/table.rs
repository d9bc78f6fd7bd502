//! The table of figures and goals.

use std::fmt;

/// Whether a figure meets its goal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Met,
    Missed,
    /// The figure has no goal. It is for comparison.
    NoGoal,
}

struct Row {
    figure: String,
    measured: String,
    goal: String,
    status: Status,
}

/// All figures of a run, and notes on how they were measured.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    /// A figure that must not exceed its goal.
    pub fn at_most(&mut self, figure: &str, measured: f64, goal: f64, unit: &str) {
        self.with_goal(figure, measured, format!("<= {}", formatted(goal, unit)), unit, measured <= goal);
    }

    /// A figure that must reach its goal.
    pub fn at_least(&mut self, figure: &str, measured: f64, goal: f64, unit: &str) {
        self.with_goal(figure, measured, format!(">= {}", formatted(goal, unit)), unit, measured >= goal);
    }

    fn with_goal(&mut self, figure: &str, measured: f64, goal: String, unit: &str, met: bool) {
        let status = if met { Status::Met } else { Status::Missed };
        self.rows.push(Row { figure: figure.to_owned(), measured: formatted(measured, unit), goal, status });
    }

    /// A figure without a goal.
    pub fn show(&mut self, figure: &str, measured: f64, unit: &str) {
        self.rows.push(Row {
            figure: figure.to_owned(),
            measured: formatted(measured, unit),
            goal: String::new(),
            status: Status::NoGoal,
        });
    }

    /// A note on how something was measured.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Whether all goals are met.
    pub fn all_met(&self) -> bool {
        self.rows.iter().all(|row| row.status != Status::Missed)
    }
}

/// A whole number without decimals, any other with two.
fn formatted(figure: f64, unit: &str) -> String {
    let number = if figure.fract() == 0.0 { format!("{figure:.0}") } else { format!("{figure:.2}") };
    format!("{number} {unit}").trim_end().to_owned()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |column: fn(&Row) -> &str| self.rows.iter().map(|row| column(row).len()).max().unwrap_or(0);
        let figures = width(|row| &row.figure).max("figure".len());
        let measures = width(|row| &row.measured).max("measured".len());
        let goals = width(|row| &row.goal).max("goal".len());
        writeln!(f, "{:figures$}  {:>measures$}  {:>goals$}", "figure", "measured", "goal")?;
        for Row { figure, measured, goal, status } in &self.rows {
            let status = match status {
                Status::Met => "OK",
                Status::Missed => "MISSED",
                Status::NoGoal => "",
            };
            let line = format!("{figure:figures$}  {measured:>measures$}  {goal:>goals$}  {status}");
            writeln!(f, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            write!(f, "\n{}", wrapped(note))?;
        }
        Ok(())
    }
}

/// A paragraph, wrapped for a terminal.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + word.len() >= WIDTH {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
        }
        lines.push_str(word);
        column += word.len() + 1;
    }
    lines + "\n"
}
