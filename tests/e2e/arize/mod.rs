//! Arize AX.

mod admission;
mod bad_days;
mod invalid;
mod main_job;
mod narrowed;
mod servers;
