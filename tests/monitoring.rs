//! The alerts and the dashboard of the chart: they use metrics that exist, and each alert has its part of the documentation.

use std::{collections::BTreeSet, fs, path::Path};

use rolewright_api::{DOCUMENTATION, Reason};
use rolewright_controller::Metrics;
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn alerts() -> Vec<Value> {
    let file: Value = serde_yaml::from_str(&read("charts/rolewright/files/alerts.yaml")).unwrap();
    file["groups"][0]["rules"].as_array().unwrap().clone()
}

/// All expressions of the panels and variables of the dashboard.
fn queries_of_the_dashboard() -> Vec<String> {
    fn visit(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let own = ["expr", "query"].iter().filter_map(|name| fields.get(*name)?.as_str());
                found.extend(own.map(str::to_owned));
                fields.values().for_each(|field| visit(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
            _ => {}
        }
    }
    let dashboard: Value = serde_json::from_str(&read("charts/rolewright/files/dashboard.json")).unwrap();
    let mut found = Vec::new();
    visit(&dashboard, &mut found);
    found
}

/// The metrics that an expression names.
fn metrics_in(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("rolewright_") || word.starts_with("process_"))
}

#[test]
fn alerts_and_dashboard_use_existing_metrics() {
    let mut samples = BTreeSet::new();
    for metric in Metrics::descriptions() {
        match metric.kind {
            "histogram" => {
                samples.extend(["bucket", "count", "sum"].map(|end| format!("{}_{end}", metric.name)));
            }
            _ => _ = samples.insert(metric.name),
        }
    }
    let mut expressions = queries_of_the_dashboard();
    assert!(expressions.len() > 15, "{expressions:?}");
    expressions.extend(alerts().iter().map(|alert| alert["expr"].as_str().unwrap().to_owned()));
    for expression in expressions {
        for metric in metrics_in(&expression) {
            assert!(samples.contains(metric), "there is no metric {metric}: {expression}");
        }
    }
}

#[test]
fn each_alert_links_to_its_part_of_the_page() {
    let page = read("docs/alerts.md");
    let parts: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let alerts = alerts();
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert["alert"].as_str().unwrap()).collect();
    assert_eq!(parts, names);
    for alert in &alerts {
        let name = alert["alert"].as_str().unwrap();
        let link = format!("{DOCUMENTATION}alerts.html#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook_url"], link.as_str());
        assert!(alert["labels"]["severity"].is_string(), "{name} has no severity");
    }
}

/// A RoleBinding that has expired as planned needs nobody.
#[test]
fn alert_about_objects_covers_the_reasons_that_need_a_person() {
    let needing: Vec<&str> = Reason::ALL
        .iter()
        .filter(|it| it.stalled() && **it != Reason::Expired)
        .map(|it| it.as_str())
        .collect();
    let selector = |text: &str| {
        let (_, rest) = text.split_once("reason=~\"").unwrap();
        rest.split('"').next().unwrap().split('|').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let needing: BTreeSet<String> = needing.into_iter().map(str::to_owned).collect();
    let alerts = alerts();
    let alert = alerts.iter().find(|alert| alert["alert"] == "RolewrightObjectsNeedAttention").unwrap();
    assert_eq!(selector(alert["expr"].as_str().unwrap()), needing);
    let queries = queries_of_the_dashboard();
    let query = queries.iter().find(|query| query.contains("reason=~")).unwrap();
    assert_eq!(selector(query), needing);
}
