//! Grafana.

mod admission;
mod bad_days;
mod main_job;
mod restrictions;
mod servers;
