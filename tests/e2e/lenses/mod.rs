//! Lenses HQ.

mod bad_days;
mod identity;
mod main_job;
mod servers;
