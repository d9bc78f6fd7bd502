//! Lenses HQ's responses (contract 2). Lenient where servers differ: unknown fields are ignored, optional strings can be null, and a single
//! value can be a list of one. Strict where the API description requires a field: without it, the answer is an error (contract 6).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{ids, map};
use crate::http::VendorError;
use rolewright_core::model::{Named, SubjectKind};

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
    /// HQ's id: opaque, and another one for a later role with this name.
    pub id: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub policy_length: u64,
}

impl RoleItem {
    /// What the list shows of a role. While it is the same, its policy is assumed to be.
    pub fn mark(&self) -> String {
        format!("{:?}", (&self.id, &self.display_name, &self.description, self.policy_length))
    }
}

/// A role with its policy.
#[derive(Debug, Deserialize)]
pub struct Role {
    pub name: String,
    pub id: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub policy: Vec<Statement>,
}

/// A group in a list or in an account, without its roles and members (contract 2.2).
#[derive(Debug, Deserialize)]
pub struct GroupItem {
    pub name: String,
    pub id: String,
    pub display_name: Option<String>,
    pub sso_name: Option<String>,
    pub description: Option<String>,
    pub user_count: usize,
    pub sa_count: usize,
    pub role_count: usize,
}

impl GroupItem {
    /// What the list shows of a group. While it is the same, its roles and members are assumed to be.
    pub fn mark(&self) -> String {
        let counts = (self.role_count, self.user_count, self.sa_count);
        format!("{:?}", (&self.id, &self.display_name, &self.sso_name, &self.description, counts))
    }
}

/// A group with its roles and members (contract 2.2).
#[derive(Clone, Debug, Deserialize)]
pub struct Group {
    pub name: String,
    pub id: String,
    /// Early servers have none (contract 2.2).
    pub sso_name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub roles: Vec<Ref>,
    #[serde(deserialize_with = "nullable")]
    pub users: Vec<Ref>,
    #[serde(deserialize_with = "nullable")]
    pub service_accounts: Vec<Ref>,
}

/// A reference to a role, a user or a service account.
#[derive(Clone, Debug, Deserialize)]
pub struct Ref {
    pub name: String,
}

impl Group {
    pub fn is_owned(&self) -> bool {
        ids::is_owned(&self.name)
    }

    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|of| of.name == role)
    }

    /// The users and service accounts in it.
    pub fn members(&self) -> impl Iterator<Item = Named> {
        let of =
            |kind, list: &'_ [Ref]| list.iter().map(|it| map::member(kind, &it.name)).collect::<Vec<_>>();
        of(SubjectKind::User, &self.users)
            .into_iter()
            .chain(of(SubjectKind::ServiceAccount, &self.service_accounts))
    }

    /// How it differs from its entry in the list: less is shown than the list counts, or it is another group by now. None if it does not.
    pub fn difference(&self, item: &GroupItem) -> Option<String> {
        if self.id != item.id {
            return Some(format!(
                "the group {} was created again after the list of groups was read",
                self.name
            ));
        }
        let counts = [
            ("roles", self.roles.len(), item.role_count),
            ("users", self.users.len(), item.user_count),
            ("service accounts", self.service_accounts.len(), item.sa_count),
        ];
        let (what, shown, counted) = counts.into_iter().find(|(_, shown, counted)| shown != counted)?;
        Some(format!("the group {} shows {shown} {what}, and the list of groups counts {counted}", self.name))
    }
}

/// A user or a service account in a list.
#[derive(Debug, Deserialize)]
pub struct Principal {
    pub name: String,
}

/// A service account (contract 2.4).
#[derive(Debug, Deserialize)]
pub struct Account {
    #[serde(deserialize_with = "nullable")]
    pub groups: Vec<GroupItem>,
    pub is_admin: bool,
    /// When its token expires. None if it does not.
    #[serde(default, deserialize_with = "opaque")]
    pub token_expires_at: Option<String>,
    pub token_expired: bool,
    /// Its last call.
    #[serde(default, deserialize_with = "opaque")]
    pub last_seen_at: Option<String>,
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

/// Null is an empty list: many servers in Go write one so. An omitted list is an error.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(from).map(Option::unwrap_or_default)
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
        assert_eq!(
            read(
                json!({"items": [{"name": "a", "id": "1", "policy_length": 0}, {"name": "b", "id": "2", "policy_length": 1, "new": 1}]})
            ),
            Some(2)
        );
        assert_eq!(read(json!({"items": []})), Some(0));
        assert_eq!(read(json!({"items": null})), Some(0));
        for body in [json!({}), json!([]), json!({"items": [{"name": "a"}]}), json!({"items": 1})] {
            assert_eq!(read(body.clone()), None, "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_required_field_is_an_error() {
        let role = json!({"name": "a", "id": "1", "policy": null});
        assert!(serde_json::from_value::<Role>(role.clone()).is_ok_and(|role| role.policy.is_empty()));
        let group = json!({"name": "a", "id": "1", "roles": [{"name": "x", "id": "1"}], "users": null, "service_accounts": []});
        assert!(serde_json::from_value::<Group>(group.clone()).is_ok_and(|group| group.has_role("x")));
        let without = |body: &Value, field: &str| {
            let mut body = body.clone();
            body.as_object_mut().expect("an object").remove(field);
            body
        };
        for field in ["name", "id", "policy"] {
            assert!(serde_json::from_value::<Role>(without(&role, field)).is_err(), "{field}");
        }
        for field in ["name", "id", "roles", "users", "service_accounts"] {
            assert!(serde_json::from_value::<Group>(without(&group, field)).is_err(), "{field}");
        }
    }
}
