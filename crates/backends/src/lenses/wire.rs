//! Lenses HQ's responses (contract 2). Lenient where servers differ: unknown fields are ignored, strings can be omitted or null, and a single
//! value can be a list of one. Strict where a missing field would make a thing look absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::ids::Incarnation;
use crate::http::VendorError;

/// Decodes a list. There are no pages (contract 1.4).
///
/// # Errors
/// Why it is invalid, without quoting it. A list needs `items`.
pub fn list<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Vec<T>, &'static str> {
    let mut body: Value = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    let items = body.get_mut("items").map(Value::take).ok_or("lacks the list's items")?;
    let items: Option<Vec<T>> =
        serde_json::from_value(items).map_err(|_| "has items that do not match the API description")?;
    Ok(items.unwrap_or_default())
}

/// A string, or a list of strings (contract 2.1).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// The effect of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Allow,
    Deny,
}

/// One statement of a policy.
#[derive(Debug, Deserialize)]
pub struct Statement {
    pub effect: Effect,
    pub action: OneOrMany,
    pub resource: OneOrMany,
}

/// A role in a list, without its policy (contract 2.1).
#[derive(Debug, Deserialize)]
pub struct RoleItem {
    pub name: String,
    #[serde(flatten)]
    pub created: Created,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub policy_length: Option<u64>,
}

/// HQ's id of a thing and its time of creation: opaque, of any type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Created {
    #[serde(default, deserialize_with = "opaque")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "opaque")]
    pub created_at: Option<String>,
}

impl Created {
    /// What distinguishes the thing from others with its name.
    pub fn incarnation(&self) -> Incarnation {
        Incarnation::of(self.id.as_deref(), self.created_at.as_deref())
    }
}

/// A role with its policy.
#[derive(Debug, Deserialize)]
pub struct Role {
    pub name: String,
    #[serde(flatten)]
    pub created: Created,
    pub display_name: Option<String>,
    pub description: Option<String>,
    /// None if the answer omits it.
    #[serde(default, deserialize_with = "shown")]
    pub policy: Option<Vec<Statement>>,
    /// None if the answer omits it.
    pub metadata: Option<Metadata>,
}

/// Free entries that any client can write on a thing (contract 2.8).
pub type Metadata = BTreeMap<String, String>;

/// A group in a list, without its roles and members (contract 2.2).
#[derive(Debug, Deserialize)]
pub struct GroupItem {
    pub name: String,
    #[serde(flatten)]
    pub created: Created,
    pub display_name: Option<String>,
    pub sso_name: Option<String>,
    pub description: Option<String>,
    pub user_count: Option<u64>,
    pub sa_count: Option<u64>,
    pub role_count: Option<u64>,
}

/// A group with its roles. It is not documented which fields contain its members (contract 2.2), so all likely ones are read.
#[derive(Debug, Deserialize)]
pub struct Group {
    pub name: String,
    #[serde(flatten)]
    pub created: Created,
    pub sso_name: Option<String>,
    #[serde(default, deserialize_with = "shown")]
    pub roles: Option<Vec<Ref>>,
    #[serde(default, deserialize_with = "shown")]
    pub members: Option<Vec<Ref>>,
    #[serde(default, deserialize_with = "shown")]
    pub users: Option<Vec<Ref>>,
    #[serde(default, deserialize_with = "shown")]
    pub service_accounts: Option<Vec<Ref>>,
}

/// A reference to a thing: its name, or an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Ref {
    Name(String),
    /// References to groups have the number of their roles.
    Object {
        name: String,
        role_count: Option<u64>,
    },
}

impl Ref {
    pub fn name(&self) -> &str {
        match self {
            Ref::Name(name) | Ref::Object { name, .. } => name,
        }
    }

    /// The number of its roles, if the reference has it.
    pub fn role_count(&self) -> Option<u64> {
        match self {
            Ref::Name(_) => None,
            Ref::Object { role_count, .. } => *role_count,
        }
    }
}

/// A user or a service account (contract 2.3, 2.4).
#[derive(Debug, Deserialize)]
pub struct Principal {
    pub name: String,
    /// None if the answer omits them.
    #[serde(default, deserialize_with = "shown")]
    pub groups: Option<Vec<Ref>>,
    pub is_admin: Option<bool>,
    /// When its token expires. None if it does not, and for users.
    #[serde(default, deserialize_with = "opaque")]
    pub token_expires_at: Option<String>,
    pub token_expired: Option<bool>,
}

/// The actions and resource types of this HQ (contract 2.7).
#[derive(Debug, Deserialize)]
pub struct Definitions {
    pub resource_definitions: Vec<Definition>,
}

/// One resource type.
#[derive(Debug, Deserialize)]
pub struct Definition {
    pub service: String,
    /// `kafka:topic`.
    pub full_name: Option<String>,
    /// `kafka:topic:${Environment}/kafka/${Topic}`.
    pub resource_format: Option<String>,
    #[serde(default)]
    pub actions: Vec<String>,
}

/// Null is an empty list; an omitted field is None.
fn shown<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(from).map(|value| Some(value.unwrap_or_default()))
}

/// A string, or any other value as a string.
fn opaque<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(from)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

/// The fields of an error that messages show: of a problem (RFC 7807), whose title alone is certain, or of an OAuth error in front of HQ
/// (contract 1.2, 1.3). None for any other body. Only HQ's own errors have a title; an OAuth error is shown as a code.
pub fn problem(body: &[u8]) -> Option<VendorError> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
    let Some(title) = text("title") else {
        let error = text("error")?;
        let code =
            Some(text("error_description").map_or_else(|| error.clone(), |more| format!("{error}: {more}")));
        return Some(VendorError { title: None, detail: None, code });
    };
    let detail = text("detail").filter(|detail| *detail != title);
    Some(VendorError { title: Some(title), detail, code: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_needs_a_title_or_an_oauth_code() {
        let fields = |body: Value| {
            problem(body.to_string().as_bytes()).map(|error| (error.title.or(error.code), error.detail))
        };
        let some = |text: &str| Some(text.to_owned());
        for (body, expected) in [
            (json!({"title": "Not Found"}), Some((some("Not Found"), None))),
            (
                json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "name is taken"}),
                Some((some("Bad Request"), some("name is taken"))),
            ),
            (json!({"title": "Same", "detail": "Same"}), Some((some("Same"), None))),
            (
                json!({"error": "invalid_token", "error_description": "expired"}),
                Some((some("invalid_token: expired"), None)),
            ),
            (json!({"error": "no route"}), Some((some("no route"), None))),
            (json!({"detail": "x", "status": 500}), None),
            (json!({"title": 4}), None),
            (json!(["title"]), None),
        ] {
            assert_eq!(fields(body.clone()), expected, "{body}");
        }
        assert_eq!(problem(b"<html>Bad gateway"), None);
        assert_eq!(
            problem(br#"{"error": "not found"}"#).and_then(|error| error.title),
            None,
            "it is not HQ's"
        );
    }

    #[test]
    fn a_list_without_items_is_an_error() {
        let read = |body: Value| list::<RoleItem>(body.to_string().as_bytes()).map(|items| items.len()).ok();
        assert_eq!(read(json!({"items": [{"name": "a"}, {"name": "b", "new": 1}]})), Some(2));
        assert_eq!(read(json!({"items": []})), Some(0));
        assert_eq!(read(json!({"items": null})), Some(0));
        for body in [json!({}), json!([]), json!({"items": [{"display_name": "a"}]}), json!({"items": 1})] {
            assert_eq!(read(body.clone()), None, "{body}");
        }
    }

    #[test]
    fn an_id_can_have_any_type() {
        let of =
            |body: Value| serde_json::from_value::<RoleItem>(body).expect("a role").created.incarnation();
        assert_eq!(of(json!({"name": "a", "id": 7})), Incarnation::of(Some("7"), None));
        assert_eq!(
            of(json!({"name": "a", "id": "7", "created_at": "x"})),
            Incarnation::of(Some("7"), Some("x"))
        );
        assert_eq!(of(json!({"name": "a", "id": null})), Incarnation::default());
        assert_eq!(of(json!({"name": "a", "created_at": "x"})), Incarnation::of(None, Some("x")));
    }

    #[test]
    fn an_omitted_list_differs_from_an_empty_one() {
        let group = |body: Value| serde_json::from_value::<Group>(body).expect("a group");
        assert!(group(json!({"name": "a"})).roles.is_none());
        assert_eq!(group(json!({"name": "a", "roles": null})).roles.map(|roles| roles.len()), Some(0));
        let roles =
            group(json!({"name": "a", "roles": ["x", {"name": "y", "id": "1"}]})).roles.expect("roles");
        assert_eq!(roles.iter().map(Ref::name).collect::<Vec<_>>(), ["x", "y"]);
        let role = |body: Value| serde_json::from_value::<Role>(body).expect("a role").policy;
        assert!(role(json!({"name": "a"})).is_none());
        assert!(role(json!({"name": "a", "policy": null})).is_some());
    }
}
