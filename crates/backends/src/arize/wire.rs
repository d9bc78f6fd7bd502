//! Arize's responses (contract 2). Lenient where servers differ: unknown fields are ignored, and enumerations are strings because they grow
//! and changed their case (contract 6.1, 6.2). Strict where a missing field would make a thing look absent.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::http::VendorError;

/// An item of a list with pages.
pub trait Listed: DeserializeOwned + Send {
    /// The last segment of the list's path.
    const PATH: &'static str;
    /// The key of the items in a page.
    const KEY: &'static str;
}

macro_rules! listed {
    ($($item:ty: $path:literal, $key:literal;)*) => {
        $(impl Listed for $item {
            const PATH: &'static str = $path;
            const KEY: &'static str = $key;
        })*
    };
}

listed! {
    Role: "roles", "roles";
    Binding: "role-bindings", "role_bindings";
    Restriction: "resource-restrictions", "resource_restrictions";
    User: "users", "users";
    ApiKey: "api-keys", "api_keys";
    Organization: "organizations", "organizations";
    Space: "spaces", "spaces";
    Project: "projects", "projects";
    AuditLog: "audit-logs", "logs";
}

/// Contract 2.1.
#[derive(Clone, Debug, Deserialize)]
pub struct Role {
    pub id: String,
    pub name: String,
    /// Omitted when it is empty.
    pub description: Option<String>,
    /// Only callers with ROLE_READ see them.
    pub permissions: Option<Vec<String>>,
    #[serde(default)]
    pub is_predefined: bool,
}

/// Contract 2.2.
#[derive(Debug, Deserialize)]
pub struct Binding {
    pub id: String,
    pub role_id: String,
    pub user_id: String,
    pub resource_type: String,
    pub resource_id: String,
}

/// Contract 2.3.
#[derive(Debug, Deserialize)]
pub struct Restriction {
    pub resource_type: Option<String>,
    pub resource_id: String,
}

/// The answer to a restrict call. Servers before 11.40 wrap it (contract 2.3).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Restricted {
    Wrapped { resource_restriction: Restriction },
    Bare(Restriction),
}

/// Contract 2.4.
#[derive(Debug, Deserialize)]
pub struct User {
    pub id: String,
    pub email: Option<String>,
}

/// Contract 2.7.
#[derive(Debug, Deserialize)]
pub struct ApiKey {
    pub name: Option<String>,
    /// Only for service keys, and only since 2026-10.
    pub bot_user: Option<BotUser>,
}

/// The user that acts for a service key.
#[derive(Debug, Deserialize)]
pub struct BotUser {
    pub id: Option<String>,
    pub name: Option<String>,
}

/// Contract 2.5.
#[derive(Debug, Deserialize)]
pub struct Organization {
    pub id: String,
    pub name: Option<String>,
}

/// Contract 2.5.
#[derive(Debug, Deserialize)]
pub struct Space {
    pub id: String,
    pub name: Option<String>,
    /// Older servers omit it.
    pub organization_id: Option<String>,
}

/// Contract 2.5.
#[derive(Debug, Deserialize)]
pub struct Project {
    pub id: String,
    pub name: Option<String>,
    pub space_id: Option<String>,
}

/// Contract 2.7. Its content does not matter.
#[derive(Debug, Deserialize)]
pub struct AuditLog {}

/// One page of a list (contract 1.8).
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page. None at the end of the list.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Pagination {
    has_more: bool,
    next_cursor: Option<String>,
}

/// Decodes a page.
///
/// # Errors
/// Why it is invalid, without quoting it. A page that does not say whether it is the last is an error, because the rest of the list
/// would look absent.
pub fn page<T: Listed>(body: &[u8]) -> Result<Page<T>, &'static str> {
    let mut page: Value = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    let items = page.get_mut(T::KEY).map(Value::take).ok_or("lacks the list's items")?;
    let items =
        serde_json::from_value(items).map_err(|_| "has items that do not match the API description")?;
    let pagination =
        page.get_mut("pagination").map(Value::take).ok_or("does not say whether more pages follow")?;
    let pagination: Pagination =
        serde_json::from_value(pagination).map_err(|_| "does not say whether more pages follow")?;
    let next = match (pagination.has_more, pagination.next_cursor) {
        (false, _) => None,
        (true, Some(cursor)) if !cursor.is_empty() => Some(cursor),
        (true, _) => return Err("says that more pages follow but has no cursor"),
    };
    Ok(Page { items, next })
}

/// The fields of a problem (RFC 9457) that messages show (contract 1.4).
pub fn problem(body: &[u8]) -> Option<VendorError> {
    #[derive(Deserialize)]
    struct Problem {
        title: Option<String>,
        detail: Option<String>,
        error_code: Option<String>,
    }
    let Problem { title, detail, error_code } = serde_json::from_slice(body).ok()?;
    Some(VendorError { title, detail, code: error_code })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn roles(body: Value) -> Result<(usize, Option<String>), &'static str> {
        page::<Role>(body.to_string().as_bytes()).map(|page| (page.items.len(), page.next))
    }

    #[test]
    fn a_page_has_the_cursor_of_the_next_one() {
        let role = json!({"id": "r", "name": "n", "new_field": {"a": 1}});
        let body = json!({"roles": [role], "pagination": {"has_more": true, "next_cursor": "c"}});
        assert_eq!(roles(body), Ok((1, Some("c".to_owned()))));
        assert_eq!(roles(json!({"roles": [], "pagination": {"has_more": false}})), Ok((0, None)));
        let ended = json!({"roles": [], "pagination": {"has_more": false, "next_cursor": "left over"}});
        assert_eq!(roles(ended), Ok((0, None)));
    }

    #[test]
    fn an_incomplete_page_is_an_error() {
        for body in [
            json!({"pagination": {"has_more": false}}),
            json!({"items": [], "pagination": {"has_more": false}}),
            json!({"roles": null, "pagination": {"has_more": false}}),
            json!({"roles": []}),
            json!({"roles": [], "pagination": {}}),
            json!({"roles": [], "pagination": {"has_more": true}}),
            json!({"roles": [], "pagination": {"has_more": true, "next_cursor": ""}}),
            json!({"roles": [{"name": "without an id"}], "pagination": {"has_more": false}}),
            json!([]),
        ] {
            assert!(roles(body.clone()).is_err(), "{body}");
        }
        assert!(page::<Role>(b"{\"roles\": [").is_err());
    }

    #[test]
    fn a_restriction_is_decoded_bare_and_wrapped() {
        let bare = json!({"resource_type": "project", "resource_id": "p", "created_at": "x"});
        for body in [bare.clone(), json!({"resource_restriction": bare})] {
            let (Restricted::Bare(restriction) | Restricted::Wrapped { resource_restriction: restriction }) =
                serde_json::from_value(body).expect("a restriction");
            assert_eq!(restriction.resource_id, "p");
        }
        assert!(serde_json::from_value::<Restricted>(json!({})).is_err());
    }

    #[test]
    fn a_body_that_is_not_a_problem_shows_nothing() {
        assert_eq!(problem(b"<html>"), None);
        assert_eq!(problem(b"{}"), Some(VendorError::default()));
        assert_eq!(problem(br#"{"title": 4}"#), None);
    }
}
