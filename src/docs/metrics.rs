//! The table of metrics.

use rolewright_controller::{Description, Metrics};

/// The page with the table.
pub fn page() -> String {
    let intro = "On `/metrics`, in the OpenMetrics text format. Times are in seconds since 1970, durations in seconds. No label has the name of an object, except that of a Backend.";
    let header = "| metric | type | labels | |\n|---|---|---|---|";
    let rows: Vec<String> = Metrics::descriptions().iter().map(row).collect();
    [super::MARK, "# Metrics", intro, &format!("{header}\n{}", rows.join("\n"))].join("\n\n") + "\n"
}

fn row(metric: &Description) -> String {
    let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}` | {} | {} | {} |", metric.name, metric.kind, labels.join(", "), metric.help)
}
