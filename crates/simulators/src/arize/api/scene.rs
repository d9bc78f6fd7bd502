//! What an operation works with: the call, its caller and the account.

use super::{body::Fields, problem::Problem};
use crate::{
    arize::{
        access::{Caller, Grant, Target},
        rows::ids::{Id, Kind},
        state::Tenant,
    },
    kit::{answer::Answer, call::Call, credentials::Credentials},
};

/// The code of an operation.
pub type Handler = fn(&mut Scene<'_>) -> Result<Answer, Problem>;

/// A filter on names: a part in lower case. Without a part, every name matches.
pub struct Substring(Option<String>);

impl Substring {
    /// Whether a name contains the part, in any case.
    pub fn is_in(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|part| name.to_lowercase().contains(part.as_str()))
    }
}

/// A call in progress.
pub struct Scene<'a> {
    /// The account, or for a list the copy that lags behind.
    pub tenant: &'a mut Tenant,
    /// The credentials: API keys that are created, refreshed or revoked change them.
    pub credentials: &'a Credentials<Grant>,
    /// The sender of the call.
    pub caller: Caller,
    /// The request.
    pub call: &'a Call,
}

impl Scene<'_> {
    /// The identifier at this position of the path, counted from 0.
    ///
    /// # Errors
    /// 400 if it is malformed, the switched status if it is of another kind.
    pub fn path_id(&self, position: usize, kind: Kind) -> Result<Id, Problem> {
        self.id(self.call.param(position), kind)
    }

    /// An identifier of this kind.
    ///
    /// # Errors
    /// As [`Scene::path_id`].
    pub fn id(&self, text: &str, kind: Kind) -> Result<Id, Problem> {
        let id: Id = text.parse().map_err(|_| Problem::invalid("malformed ID"))?;
        if id.kind == kind {
            Ok(id)
        } else {
            let status = self.tenant.switches.id_kind_mismatch_status;
            Err(Problem::switched(status, format!("the ID is not that of a {}", kind.name())))
        }
    }

    /// An identifier in the query; none if the parameter is absent.
    ///
    /// # Errors
    /// As [`Scene::path_id`].
    pub fn query_id(&self, name: &str, kind: Kind) -> Result<Option<Id>, Problem> {
        self.call.parameter(name).map(|text| self.id(text, kind)).transpose()
    }

    /// A filter on names in the query: a case-insensitive substring of at most 255 characters.
    ///
    /// # Errors
    /// 400 if it is longer.
    pub fn substring(&self, name: &str) -> Result<Substring, Problem> {
        match self.call.parameter(name) {
            Some(text) if text.chars().count() > 255 => {
                Err(Problem::invalid(format!("{name} must have at most 255 characters")))
            }
            text => Ok(Substring(text.map(str::to_lowercase))),
        }
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// 400 if it is not a JSON object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(&self.call.body, &self.tenant.switches)
    }

    /// The fields of the body of a PATCH, which must have at least one.
    ///
    /// # Errors
    /// 400 if it is not a JSON object, the switched status if it is empty.
    pub fn updated_fields(&self) -> Result<Fields, Problem> {
        let fields = self.fields()?;
        if fields.is_empty() {
            let status = self.tenant.switches.empty_update_status;
            return Err(Problem::switched(status, "there is nothing to update"));
        }
        Ok(fields)
    }

    /// Whether the caller has this permission on the target.
    pub fn can(&self, permission: &str, target: Target) -> bool {
        self.caller.can(self.tenant, permission, target)
    }

    /// Ends the call unless the caller has this permission on the target.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, permission: &str, target: Target) -> Result<(), Problem> {
        if self.can(permission, target) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("{permission} is required")))
        }
    }
}
