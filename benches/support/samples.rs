//! A parser of the Prometheus text format for counters and gauges.

/// One sample.
pub struct Sample<'a> {
    /// The name of the metric.
    pub name: &'a str,
    labels: &'a str,
    /// The value of the metric.
    pub value: f64,
}

impl<'a> Sample<'a> {
    /// The value of a label. Values must contain neither quotation marks nor commas; those of the metrics read here do not.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.split(',').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then(|| value.trim_matches('"'))
        })
    }
}

/// The samples of a page.
pub fn samples(page: &str) -> impl Iterator<Item = Sample<'_>> {
    page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.trim_end_matches('}')),
            None => (series, ""),
        };
        Some(Sample { name, labels, value: value.parse().ok()? })
    })
}
