//! What the kernel knows about this process, under the names that all Prometheus clients use. Linux only; elsewhere nothing is shown.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// The metrics `process_*`: name, help, and whether it is a counter.
pub const METRICS: [(&str, &str, bool); 7] = [
    ("process_cpu_seconds", "User and system CPU time", true),
    ("process_open_fds", "Open file descriptors", false),
    ("process_max_fds", "The most file descriptors that can be open", false),
    ("process_virtual_memory_bytes", "Virtual memory", false),
    ("process_resident_memory_bytes", "Resident memory", false),
    ("process_threads", "Threads", false),
    ("process_start_time_seconds", "When the process started, in seconds since 1970", false),
];

/// Reads them at each scrape.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        // A process that cannot read /proc shows the other metrics all the same.
        let Some(values) = values() else { return Ok(()) };
        for ((name, help, is_counter), value) in METRICS.into_iter().zip(values) {
            if is_counter {
                let counter = ConstCounter::new(value);
                counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
            } else {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
            }
        }
        Ok(())
    }
}

/// The values in the order of [`METRICS`].
#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss, reason = "a metric is a floating-point number")]
fn values() -> Option<[f64; 7]> {
    use procfs::{CurrentSI, process};
    let own = process::Process::myself().ok()?;
    let stat = own.stat().ok()?;
    let ticks = procfs::ticks_per_second() as f64;
    let max_fds = match own.limits().ok()?.max_open_files.soft_limit {
        process::LimitValue::Value(value) => value as f64,
        process::LimitValue::Unlimited => f64::INFINITY,
    };
    let booted = procfs::KernelStats::current().ok()?.btime as f64;
    Some([
        (stat.utime + stat.stime) as f64 / ticks,
        own.fd_count().ok()? as f64,
        max_fds,
        stat.vsize as f64,
        (stat.rss * procfs::page_size()) as f64,
        stat.num_threads as f64,
        booted + stat.starttime as f64 / ticks,
    ])
}

#[cfg(not(target_os = "linux"))]
fn values() -> Option<[f64; 7]> {
    None
}
