//! Grafana.

mod bad_days;
mod main_job;
mod restrictions;
