//! Whether the caller can assign a role or remove an assignment (contract 3.6, 3.9).

use super::{call::Scene, permission_checks, problem::Problem};
use crate::grafana::rows::roles::{Role, RoleKind};

/// Ends the call unless the caller can assign this role and remove its assignments.
///
/// # Errors
/// 400 if the role cannot be assigned, 403 if it has a permission that the caller lacks.
pub fn require(scene: &Scene<'_>, role: &Role) -> Result<(), Problem> {
    if matches!(role.kind(), RoleKind::Basic | RoleKind::Managed | RoleKind::ExternalService) {
        return Err(Problem::bad_request("this role cannot be assigned"));
    }
    if role.is_global() && role.kind() == RoleKind::Custom {
        for permission in &role.permissions {
            permission_checks::require_allowed_globally(&scene.tenant.switches, permission)?;
        }
    }
    if scene.caller.can_delegate(&role.permissions) { Ok(()) } else { Err(Problem::delegation()) }
}
