//! Grafana.

mod admission;
mod bad_days;
mod existence;
mod identity;
mod main_job;
mod restrictions;
mod servers;
