//! Grafana's responses (contract 2.1, 2.6, 3.10). Lenient where servers differ: unknown fields are ignored, and strings and flags can be
//! omitted or null. Strict where a missing field would make a thing look absent.

use std::collections::HashMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::http::VendorError;

/// An item of a list with pages.
pub trait Listed: DeserializeOwned + Send {
    /// Whether the total counts items that no page shows.
    const HIDES_SOME: bool = false;
    /// The path of the list.
    const PATH: &'static [&'static str];
    /// The key of the items in a page.
    const KEY: &'static str;

    /// Its identifier.
    fn id(&self) -> i64;
}

/// A role. Lists omit the permissions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub uid: String,
    pub name: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub group: Option<String>,
    pub version: Option<i64>,
    /// Omitted when there are none.
    pub permissions: Option<Vec<Permission>>,
    pub hidden: Option<bool>,
    pub global: Option<bool>,
    /// Assigned only by the mapping of external groups (contract 3.5).
    pub mapped: Option<bool>,
    pub updated: Option<String>,
}

/// One permission. No scope and an empty one are the same (contract 3.7).
#[derive(Debug, Deserialize)]
pub struct Permission {
    pub action: String,
    pub scope: Option<String>,
}

/// Whether the RBAC API is on (contract 1.4).
#[derive(Debug, Deserialize)]
pub struct Status {
    pub enabled: bool,
}

/// The current organization.
#[derive(Debug, Deserialize)]
pub struct Org {
    pub id: i64,
    pub name: Option<String>,
}

/// The sender of a call (contract 2.6).
#[derive(Clone, Debug, Deserialize)]
pub struct Caller {
    pub name: Option<String>,
    pub login: Option<String>,
    pub email: Option<String>,
}

/// A user of the current organization.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub user_id: i64,
    pub email: Option<String>,
    pub login: Option<String>,
}

impl Listed for User {
    /// Users that the server's configuration hides (contract 2.6).
    const HIDES_SOME: bool = true;
    const PATH: &'static [&'static str] = &["org", "users", "search"];
    const KEY: &'static str = "orgUsers";

    fn id(&self) -> i64 {
        self.user_id
    }
}

/// A service account.
#[derive(Debug, Deserialize)]
pub struct ServiceAccount {
    pub id: i64,
    pub name: Option<String>,
}

impl Listed for ServiceAccount {
    const PATH: &'static [&'static str] = &["serviceaccounts", "search"];
    const KEY: &'static str = "serviceAccounts";

    fn id(&self) -> i64 {
        self.id
    }
}

/// A team.
#[derive(Debug, Deserialize)]
pub struct Team {
    pub id: i64,
    /// Older servers omit it.
    pub uid: Option<String>,
    pub name: Option<String>,
}

impl Listed for Team {
    const PATH: &'static [&'static str] = &["teams", "search"];
    const KEY: &'static str = "teams";

    fn id(&self) -> i64 {
        self.id
    }
}

/// A folder or a dashboard in a search (contract 2.6).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    pub uid: String,
    pub title: String,
    /// Its parent folder. Omitted at the top level.
    pub folder_uid: Option<String>,
}

/// A data source.
#[derive(Debug, Deserialize)]
pub struct DataSource {
    pub uid: String,
    pub name: String,
}

/// A permission on a resource (contract 2.5). One of the names is the subject.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourcePermission {
    /// The role that contains the permission.
    pub role_name: Option<String>,
    pub is_managed: Option<bool>,
    pub is_inherited: Option<bool>,
    pub user_login: Option<String>,
    pub team: Option<String>,
    pub built_in_role: Option<String>,
    /// The level: `View`, `Query`, `Edit`, `Admin`.
    pub permission: Option<String>,
}

/// The permissions of the credential: scopes by action (contract 2.3).
pub type Permissions = HashMap<String, Option<Vec<String>>>;

/// A role that a principal has. Of many thousand, only this is kept.
#[derive(Debug, Deserialize)]
pub struct AssignedRole {
    pub uid: String,
    pub name: String,
    /// Assigned only by the mapping of external groups (contract 3.5).
    pub mapped: Option<bool>,
}

/// The roles of principals, by number. A principal without roles can be omitted or null (contract 2.4).
pub type Assigned = HashMap<String, Option<Vec<AssignedRole>>>;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The total number of items, if the server sends it.
    pub total: Option<usize>,
    /// The size of all pages but the last, if the server sends it.
    pub size: Option<usize>,
}

/// Decodes a page.
///
/// # Errors
/// Why it is invalid, without quoting it.
pub fn page<T: Listed>(body: &[u8]) -> Result<Page<T>, &'static str> {
    let mut page: Value = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    let number = |field: &str| page.get(field)?.as_u64().and_then(|number| usize::try_from(number).ok());
    let (total, size) = (number("totalCount"), number("perPage"));
    let items = page.get_mut(T::KEY).map(Value::take).ok_or("lacks the list's items")?;
    let items: Option<Vec<T>> =
        serde_json::from_value(items).map_err(|_| "has items that do not match the API description")?;
    Ok(Page { items: items.unwrap_or_default(), total, size })
}

/// The message id of the error for a token of another organization (contract 1.2).
pub const ORGANIZATION_MISMATCH: &str = "api-key.organization-mismatch";

/// The fields of an error that messages show, in any of its shapes (contract 3.10).
pub fn problem(body: &[u8]) -> Option<VendorError> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
    let (title, message) = (text("title"), text("message"));
    // The fault of a permission is beside the message, not in it (contract 3.7).
    let validation = match body.get("extra").and_then(|extra| extra.get("validationError")) {
        None | Some(Value::Null) => text("error").filter(|error| Some(error) != message.as_ref()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let code = text("messageId").or_else(|| text("accessErrorId"));
    Some(match (title, message, validation) {
        (None, message, validation) => VendorError { title: message, detail: validation, code },
        (title, Some(message), Some(validation)) => {
            VendorError { title, detail: Some(format!("{message}: {validation}")), code }
        }
        (title, message, validation) => VendorError { title, detail: message.or(validation), code },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: Value) -> [Option<String>; 3] {
        let VendorError { title, detail, code } = problem(body.to_string().as_bytes()).expect("an error");
        [title, detail, code]
    }

    fn texts<const N: usize>(texts: [&str; N]) -> [Option<String>; N] {
        texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
    }

    #[test]
    fn errors_are_decoded_in_all_their_shapes() {
        for (body, title, detail, code) in [
            (
                json!({"statusCode": 400, "messageId": "accesscontrol.permission-invalid-scope", "message": "invalid scope",
                    "extra": {"validationError": "a:b: scope x"}, "traceID": ""}),
                "invalid scope",
                "a:b: scope x",
                "accesscontrol.permission-invalid-scope",
            ),
            (json!({"message": "Role not found", "traceID": "1"}), "Role not found", "", ""),
            (json!({"message": "Failed", "error": "why", "status": "x"}), "Failed", "why", ""),
            (json!({"message": "Failed", "error": "Failed"}), "Failed", "", ""),
            (
                json!({"title": "Access denied", "message": "You need roles:write", "accessErrorId": "ACE0123456789"}),
                "Access denied",
                "You need roles:write",
                "ACE0123456789",
            ),
            (
                json!({"title": "A", "message": "b", "extra": {"validationError": ["c"]}}),
                "A",
                "b: [\"c\"]",
                "",
            ),
            (json!({"message": 4, "extra": 5}), "", "", ""),
        ] {
            assert_eq!(fields(body.clone()), texts([title, detail, code]), "{body}");
        }
        assert_eq!(problem(b"<html>Bad gateway"), None);
        assert_eq!(problem(b"[1]"), Some(VendorError::default()));
    }

    #[test]
    fn a_role_is_decoded_from_its_minimum() {
        let role: Role = serde_json::from_value(json!({"uid": "u", "name": "n"})).expect("a role");
        assert_eq!((role.uid.as_str(), role.version), ("u", None));
        let nulls = json!({"uid": "u", "name": "n", "description": null, "permissions": null, "hidden": null,
            "created": "0001-01-01T00:00:00Z", "delegatable": true, "new": {}});
        assert!(serde_json::from_value::<Role>(nulls).is_ok());
        for body in [json!({"name": "n"}), json!({"uid": "u"}), json!({"uid": null, "name": "n"})] {
            assert!(serde_json::from_value::<Role>(body.clone()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_page_without_its_list_is_an_error() {
        let read = |body: Value| {
            page::<Team>(body.to_string().as_bytes()).map(|page| (page.items.len(), page.total)).ok()
        };
        assert_eq!(read(json!({"teams": [{"id": 1}], "totalCount": 3})), Some((1, Some(3))));
        assert_eq!(read(json!({"teams": null, "totalCount": 0})), Some((0, Some(0))));
        assert_eq!(read(json!({"teams": []})), Some((0, None)));
        for body in
            [json!({"totalCount": 0}), json!([]), json!({"teams": [{"name": "x"}]}), json!({"teams": 1})]
        {
            assert_eq!(read(body.clone()), None, "{body}");
        }
    }
}
