//! What is shown is what the documentation lists.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;

/// Each metric with a sample, as text.
fn everything() -> String {
    let metrics = Metrics::new(Build { version: "1.2.3", commit: "0123abcd" });
    let backend = ObjectName::new("team-a", "grafana");
    let waiting = WaitingPlans {
        objects: 2,
        removals: 12,
        since: Time(Timestamp::UNIX_EPOCH),
        plan: None,
        names: vec![],
    };
    metrics.set_ready(&backend, Some(true));
    metrics.set_expiry(&backend, Some(Timestamp::UNIX_EPOCH));
    metrics.set_waiting(&backend, Some(&waiting));
    metrics.set_swept(&backend);
    metrics.reason_changed(ObjectKind::Role, None, Some("InSync"));
    metrics.change(Kind::Role, Verb::Create, &StepResult::Done(None));
    metrics.reconcile(ObjectKind::Role);
    metrics.deadline(ObjectKind::Role);
    metrics.panic(ObjectKind::Role);
    metrics.dropped_events().inc();
    metrics.sweep(Duration::from_secs(2), true);
    metrics.set_leading(true);
    metrics.called("grafana", "GET", "2xx", Duration::from_millis(20));
    metrics.waited("grafana", Duration::from_millis(20));
    let usage = Usage { per_second: 10.0, calls: 7, waited: Duration::from_millis(1_500) };
    metrics.text(&BTreeMap::from([(backend, usage)]))
}

/// The label names of each metric in a text.
fn labels_in(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in samples {
        let (name, rest) = sample.split_at(sample.find(['{', ' ']).unwrap());
        let name =
            ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let labels = rest.strip_prefix('{').map_or("", |rest| rest.split('}').next().unwrap());
        let labels = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
        found.entry(name.to_owned()).or_default().extend(labels.filter(|label| label != "le"));
    }
    found
}

#[test]
fn described_metrics_and_labels_are_those_shown() {
    let described: BTreeMap<String, BTreeSet<String>> = Metrics::descriptions()
        .into_iter()
        .map(|it| (it.name, it.labels.iter().map(|label| (*label).to_owned()).collect()))
        .collect();
    assert_eq!(described, labels_in(&everything()));
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for Description { name, kind, .. } in Metrics::descriptions() {
        assert!(name.starts_with("rolewright_") || name.starts_with("process_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        assert!(!name.contains("milli") && !name.contains("_ms"), "{name}: base units are seconds and bytes");
    }
}

#[test]
fn values_of_accounts_and_backends_are_shown_as_set() {
    let text = everything();
    let of = |sample: &str| format!("{sample}{{namespace=\"team-a\",backend=\"grafana\"}}");
    for (sample, value) in [
        ("rolewright_backend_ready", "1"),
        ("rolewright_account_calls_total", "7"),
        ("rolewright_account_wait_seconds_total", "1.5"),
        ("rolewright_waiting_plans", "2"),
        ("rolewright_waiting_removals", "12"),
    ] {
        assert!(text.contains(&format!("{} {value}\n", of(sample))), "no {sample} {value} in:\n{text}");
    }
    assert!(text.contains("rolewright_build_info{version=\"1.2.3\",commit=\"0123abcd\"} 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn deleted_backend_leaves_no_metrics() {
    let metrics = Metrics::new(Build { version: "", commit: "" });
    let backend = ObjectName::new("team-a", "grafana");
    metrics.set_ready(&backend, Some(true));
    metrics.set_waiting(&backend, None);
    metrics.set_swept(&backend);
    assert!(metrics.text(&BTreeMap::new()).contains("team-a"));
    metrics.forget(&backend);
    assert!(!metrics.text(&BTreeMap::new()).contains("team-a"));
}

#[test]
fn process_works_while_it_leads_and_the_crds_fit() {
    let metrics = Metrics::new(Build { version: "", commit: "" });
    let works = || metrics.text(&BTreeMap::new()).contains("rolewright_leader 1\n");
    assert!(!works());
    metrics.set_leading(true);
    assert!(works());
    metrics.set_schema_fits(false);
    assert!(!works());
    metrics.set_schema_fits(true);
    assert!(works());
}

#[test]
fn account_that_was_never_read_grows_old_too() {
    let metrics = Metrics::new(Build { version: "", commit: "" });
    let backend = ObjectName::new("team-a", "grafana");
    metrics.set_ready(&backend, Some(false));
    let age = "rolewright_backend_last_sweep_timestamp_seconds{";
    assert!(metrics.text(&BTreeMap::new()).contains(age));
    metrics.set_ready(&backend, None);
    let text = metrics.text(&BTreeMap::new());
    assert!(!text.contains("rolewright_backend_ready{") && text.contains(age), "{text}");
}
