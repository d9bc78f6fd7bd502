//! Projects (contract 2.5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Project {
    pub id: Id,
    /// Unique in its space.
    pub name: String,
    pub space_id: Id,
    pub created_at: Timestamp,
    /// Null in answers if absent.
    #[serde(default)]
    pub project_type: Option<ProjectType>,
    /// Whether it is an LLM project: only these can be restricted. Answers do not show it.
    #[serde(default = "yes")]
    pub generative: bool,
}

fn yes() -> bool {
    true
}

identified!(Project, Id);

/// A kind of LLM project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the vendor's")]
pub enum ProjectType {
    Application,
    Harness,
    Experiment,
}
