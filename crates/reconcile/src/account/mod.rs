//! What all objects of one account share.
//!
//! - [`Account`]: the budget of calls and the claims of all objects, whatever their credential.
//! - [`AccountView`]: what one credential sees of it: client, snapshot, requests to its reader.
//! - [`BackendStates`]: each Backend's [`Link`] to a view, or why it has none.

mod accounts;
mod backend_states;
mod corrections;
mod identity;
mod ledger;
mod reader;
mod room;
mod sweep;
mod unanswered_creates;
mod view;

pub use self::{
    accounts::{Account, Accounts, Usage},
    backend_states::{
        BackendState, BackendStates, CredentialDoubt, Link, REPORT_INTERVAL, Report, SweepFailure,
    },
    corrections::Corrections,
    identity::{AccountId, Address},
    ledger::{Ledger, Reserved},
    reader::{Access, Reader, Withheld},
    sweep::{Unmanaged, min_interval, named, read_next_outline, stretched_interval, unmanaged},
    view::{AccountView, Published, Read},
};
