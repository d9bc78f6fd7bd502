//! ZenML Pro.

mod admission;
mod bad_days;
mod invitations;
mod main_job;
mod servers;
