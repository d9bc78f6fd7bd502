//! The figures beside their goals.

use std::fmt;

/// How a figure stands to its goal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    /// There is no goal: the figure is for comparison.
    Shown,
}

struct Row {
    figure: String,
    measured: String,
    goal: String,
    verdict: Verdict,
}

/// All figures of a run, and how they were measured.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    /// A figure that may not be above its goal.
    pub fn at_most(&mut self, figure: &str, measured: f64, goal: f64, unit: &str) {
        self.judged(figure, measured, format!("<= {}", shown(goal, unit)), unit, measured <= goal);
    }

    /// A figure that may not be below its goal.
    pub fn at_least(&mut self, figure: &str, measured: f64, goal: f64, unit: &str) {
        self.judged(figure, measured, format!(">= {}", shown(goal, unit)), unit, measured >= goal);
    }

    fn judged(&mut self, figure: &str, measured: f64, goal: String, unit: &str, met: bool) {
        let verdict = if met { Verdict::Met } else { Verdict::Missed };
        self.rows.push(Row { figure: figure.to_owned(), measured: shown(measured, unit), goal, verdict });
    }

    /// A figure without a goal.
    pub fn show(&mut self, figure: &str, measured: f64, unit: &str) {
        self.rows.push(Row {
            figure: figure.to_owned(),
            measured: shown(measured, unit),
            goal: String::new(),
            verdict: Verdict::Shown,
        });
    }

    /// How something was measured.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Whether all goals were met.
    pub fn met(&self) -> bool {
        self.rows.iter().all(|row| row.verdict != Verdict::Missed)
    }
}

/// Whole numbers without a fraction, others with two digits of it.
fn shown(figure: f64, unit: &str) -> String {
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
        for Row { figure, measured, goal, verdict } in &self.rows {
            let verdict = match verdict {
                Verdict::Met => "OK",
                Verdict::Missed => "MISSED",
                Verdict::Shown => "",
            };
            let line = format!("{figure:figures$}  {measured:>measures$}  {goal:>goals$}  {verdict}");
            writeln!(f, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            write!(f, "\n{}", wrapped(note))?;
        }
        Ok(())
    }
}

/// A paragraph in lines that fit a terminal.
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
