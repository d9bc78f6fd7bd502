//! Lenses HQ.

mod admission;
mod bad_days;
mod identity;
mod main_job;
mod servers;
mod token_end;
