//! A Prune desires nothing; what it removes depends on what all objects manage.

use rolewright_api as api;
use rolewright_backends::Needs;
use rolewright_core::{
    model::Dialect,
    planner::{Desired, Issue, Problem},
};

use super::{Resolve, Resolved, Surroundings, check_object, of_roles, unsupported};
use crate::{
    decide::unmanaged::{Pruning, missing_kind, unknown_grants},
    object::ManagedObject,
};

impl Resolve for api::Prune {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        let capabilities = dialect.capabilities();
        let subjects = capabilities.subjects.iter().map(|kind| kind.level());
        let levels = subjects.chain(capabilities.grant_levels().iter().copied()).collect();
        Needs { kinds: of_roles(dialect), levels, ..Needs::default() }
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let missing = missing_kind(self, around.dialect);
        let problem = missing
            .and_then(|kind| unsupported(around, kind))
            .or_else(|| unknown_grants(self, around.dialect))
            .or_else(|| check_object(self, around).err())
            .or_else(|| (!around.is_exclusive).then(|| not_exclusive(self)));
        match problem {
            Some(problem) => {
                Resolved { desired: vec![Desired::unresolved(None, problem)], ..Resolved::default() }
            }
            None => Resolved { pruning: Some(Pruning::of(self)), ..Resolved::default() },
        }
    }
}

fn not_exclusive(prune: &api::Prune) -> Problem {
    Problem::new(
        Issue::Denied,
        format!(
            "spec.exclusive of {} is not true: set it if this cluster alone manages the account",
            prune.backend_title()
        ),
    )
}
