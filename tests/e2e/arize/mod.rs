//! Arize AX.

mod bad_days;
mod main_job;
mod narrowed;
mod servers;
