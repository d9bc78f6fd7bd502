//! The shared part of all simulators: the server, the request log, faults, credentials and the `/_sim` paths.
//!
//! The kit knows no vendor. Vendors differ in how a request carries its credential, and in the form of errors and
//! lists: these are methods of [`Vendor`].

pub mod answer;
pub mod call;
pub mod clock;
pub mod connection;
pub mod control;
pub mod credentials;
pub mod dice;
mod effects;
pub mod faults;
mod glob;
pub mod log;
mod observe;
pub mod options;
pub mod routing;
pub mod server;
pub mod table;
pub mod uri;
mod vendor;

pub use self::{
    options::{ADMIN, Options},
    server::{InMemory, Server},
    vendor::{Vendor, World},
};
