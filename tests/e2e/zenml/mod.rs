//! ZenML Pro.

mod bad_days;
mod main_job;
mod servers;
