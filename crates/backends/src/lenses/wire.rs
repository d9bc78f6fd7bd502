//! What Lenses HQ sends (contract 2). Lenient where servers differ: unknown fields are ignored, texts may be left out or null, what is one
//! may be a list of one. Strict where a missing field would make something look absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::ids::Incarnation;
use crate::http::VendorError;

/// Reads a list, which is always whole: there are no pages (contract 1). One without `items` is none.
///
/// # Errors
/// What is wrong with it, without quoting it.
pub fn list<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Vec<T>, &'static str> {
    let mut body: Value = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    let items = body.get_mut("items").map(Value::take).ok_or("lacks the list's items")?;
    let items: Option<Vec<T>> =
        serde_json::from_value(items).map_err(|_| "has items that are not what the API describes")?;
    Ok(items.unwrap_or_default())
}

/// A text, or a list of them (contract 2.1).
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

/// What a statement does.
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

/// A role as lists show it: without its policy (contract 2.1).
#[derive(Debug, Deserialize)]
pub struct RoleItem {
    pub name: String,
    #[serde(flatten)]
    pub made: Made,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub policy_length: Option<u64>,
}

/// What HQ itself knows a thing by: opaque, of whatever type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Made {
    #[serde(default, deserialize_with = "opaque")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "opaque")]
    pub created_at: Option<String>,
}

impl Made {
    /// What tells the thing from any other of its name.
    pub fn incarnation(&self) -> Incarnation {
        Incarnation::of(self.id.as_deref(), self.created_at.as_deref())
    }
}

/// A role that was read by itself.
#[derive(Debug, Deserialize)]
pub struct Role {
    pub name: String,
    #[serde(flatten)]
    pub made: Made,
    pub display_name: Option<String>,
    pub description: Option<String>,
    /// None: the answer does not show it.
    #[serde(default, deserialize_with = "shown")]
    pub policy: Option<Vec<Statement>>,
    /// None: the answer does not show any.
    pub metadata: Option<Metadata>,
}

/// What anybody may have written on a thing (contract 2, "metadata").
pub type Metadata = BTreeMap<String, String>;

/// A group as lists show it: without its roles and members (contract 2.2).
#[derive(Debug, Deserialize)]
pub struct GroupItem {
    pub name: String,
    #[serde(flatten)]
    pub made: Made,
    pub display_name: Option<String>,
    pub sso_name: Option<String>,
    pub description: Option<String>,
    pub user_count: Option<u64>,
    pub sa_count: Option<u64>,
    pub role_count: Option<u64>,
}

/// A group that was read by itself. Which fields hold its members no source says (contract 2.2): all likely ones are read.
#[derive(Debug, Deserialize)]
pub struct Group {
    pub name: String,
    #[serde(flatten)]
    pub made: Made,
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

/// Something named inside something else: by its name alone, or as an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Ref {
    Name(String),
    /// Groups that are named so say how many roles they have.
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

    /// How many roles it has, where that is told.
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
    /// None: the answer does not show them.
    #[serde(default, deserialize_with = "shown")]
    pub groups: Option<Vec<Ref>>,
    pub is_admin: Option<bool>,
    /// When its token ends; None for one that does not end, and for users.
    #[serde(default, deserialize_with = "opaque")]
    pub token_expires_at: Option<String>,
    pub token_expired: Option<bool>,
}

/// What this HQ can permit, and on what (contract 2.7).
#[derive(Debug, Deserialize)]
pub struct Definitions {
    pub resource_definitions: Vec<Definition>,
}

/// One type of resource.
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

/// Null is an empty list, a field that is left out is none at all.
fn shown<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(from).map(|value| Some(value.unwrap_or_default()))
}

/// A text, or whatever else stands in its place as text: it is compared, or read by somebody who can say that it makes no sense.
fn opaque<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(from)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

/// The fields of an error that people are told: a problem (RFC 7807), of which only the title is certain (contract 1), or what stands in
/// front of HQ and speaks OAuth. None for any other body. Only a title makes it HQ's own: what others say is told as a code.
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
    fn an_error_is_read_from_its_title_alone_and_never_from_another_body() {
        let told = |body: Value| {
            problem(body.to_string().as_bytes()).map(|said| (said.title.or(said.code), said.detail))
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
            assert_eq!(told(body.clone()), expected, "{body}");
        }
        assert_eq!(problem(b"<html>Bad gateway"), None);
        assert_eq!(problem(br#"{"error": "not found"}"#).and_then(|said| said.title), None, "it is not HQ's");
    }

    #[test]
    fn a_list_without_items_is_no_list() {
        let read = |body: Value| list::<RoleItem>(body.to_string().as_bytes()).map(|items| items.len()).ok();
        assert_eq!(read(json!({"items": [{"name": "a"}, {"name": "b", "new": 1}]})), Some(2));
        assert_eq!(read(json!({"items": []})), Some(0));
        assert_eq!(read(json!({"items": null})), Some(0));
        for body in [json!({}), json!([]), json!({"items": [{"display_name": "a"}]}), json!({"items": 1})] {
            assert_eq!(read(body.clone()), None, "{body}");
        }
    }

    #[test]
    fn an_id_is_taken_whatever_its_type() {
        let made = |body: Value| serde_json::from_value::<RoleItem>(body).expect("a role").made.incarnation();
        assert_eq!(made(json!({"name": "a", "id": 7})), Incarnation::of(Some("7"), None));
        assert_eq!(
            made(json!({"name": "a", "id": "7", "created_at": "x"})),
            Incarnation::of(Some("7"), Some("x"))
        );
        assert_eq!(made(json!({"name": "a", "id": null})), Incarnation::default());
        assert_eq!(made(json!({"name": "a", "created_at": "x"})), Incarnation::of(None, Some("x")));
    }

    #[test]
    fn what_is_not_shown_is_told_from_what_is_empty() {
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
