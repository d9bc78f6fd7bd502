//! What the control plane sends (contract 1, 2). Lenient where servers differ: unknown fields are ignored, and texts and flags can be missing
//! or null. Strict where a missing field would make a thing look absent.

use std::num::NonZeroU32;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::http::VendorError;

/// An item of a list.
pub trait Listed: DeserializeOwned + Send {
    /// Its id.
    fn id(&self) -> &str;
}

macro_rules! listed {
    ($($item:ty),*) => { $(impl Listed for $item {
        fn id(&self) -> &str {
            &self.id
        }
    })* };
}
listed!(Role, Member, Team, Invitation, Place);

/// A session. As for the vendor's own server, one without an expiry is invalid (contract 1.2).
#[derive(Deserialize)]
pub struct Session {
    #[serde(deserialize_with = "secret")]
    pub access_token: SecretString,
    /// In seconds.
    pub expires_in: NonZeroU32,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// An organization.
#[derive(Clone, Debug, Deserialize)]
pub struct Organization {
    pub id: String,
    pub name: Option<String>,
}

/// A role (contract 2.1).
#[derive(Clone, Debug, Deserialize)]
pub struct Role {
    pub id: String,
    /// Nullable.
    pub name: Option<String>,
    pub description: Option<String>,
    pub level: String,
    #[serde(default)]
    pub system_managed: bool,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// In one of the formats of [`super::permissions`].
    pub permissions: Option<Value>,
}

/// A user, who can be a service account. The other fields, such as the password, are not read.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub id: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub is_service_account: Option<bool>,
}

/// A team.
#[derive(Clone, Debug, Deserialize)]
pub struct Team {
    pub id: String,
    pub name: Option<String>,
}

/// An invitation.
#[derive(Clone, Debug, Deserialize)]
pub struct Invitation {
    pub id: String,
    pub email: Option<String>,
}

/// A workspace or a project.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    pub id: String,
    pub name: Option<String>,
    /// Only of workspaces.
    pub organization: Option<Organization>,
    /// Only of workspaces.
    pub status: Option<String>,
}

impl Place {
    /// Whether it is a workspace that was deleted and is still listed (contract 2.3).
    pub fn is_deleted(&self) -> bool {
        self.status.as_deref() == Some("deleted")
    }
}

/// A member of the organization: a user, or an object with a user inside. Which one is not published (contract 2.3). The list also contains
/// members that are not users, which other lists show.
#[derive(Debug, Deserialize)]
#[serde(from = "Value")]
pub struct Member {
    pub user: Option<User>,
    id: String,
}

impl From<Value> for Member {
    fn from(item: Value) -> Self {
        let inside = |field: &str| item.get(field).filter(|it| it.is_object());
        let account = inside("service_account");
        // Teams and invitations have no user name.
        let user = inside("user").or(account).or(Some(&item).filter(|item| item.get("username").is_some()));
        let mut user: Option<User> = user.and_then(|user| User::deserialize(user).ok());
        if let (Some(user), Some(_)) = (&mut user, account) {
            user.is_service_account = Some(true);
        }
        let id = match (&user, item.get("id")) {
            (Some(user), _) => user.id.clone(),
            (None, Some(Value::String(id))) => id.clone(),
            (None, _) => item.to_string(),
        };
        Self { user, id }
    }
}

/// An assignment of a role (contract 2.2). Exactly one of the three has the role.
#[derive(Clone, Debug, Deserialize)]
pub struct Assignment {
    pub user: Option<User>,
    pub team: Option<Team>,
    pub invitation: Option<Invitation>,
    pub role: Option<Role>,
    pub workspace_id: Option<String>,
    pub project_id: Option<String>,
}

/// The faults that a message repeats.
const MAX_FAULTS: usize = 4;

/// The readable fields of an error, in each of its shapes (contract 1.3): the class of an exception and its messages, a plain text, or the
/// invalid fields.
pub fn problem(body: &[u8]) -> Option<VendorError> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let list = match body.get("detail")? {
        Value::String(text) => return Some(error(None, vec![text.clone()])),
        Value::Array(list) => list,
        _ => return None,
    };
    if list.iter().all(Value::is_object) {
        return Some(error(None, list.iter().filter_map(fault).take(MAX_FAULTS).collect()));
    }
    let mut texts = list.iter().filter_map(Value::as_str).map(str::to_owned);
    let class = texts.next();
    Some(error(class, texts.take(MAX_FAULTS).collect()))
}

fn error(class: Option<String>, messages: Vec<String>) -> VendorError {
    let detail = (!messages.is_empty()).then(|| messages.join("; "));
    VendorError { title: class, detail, code: None }
}

/// Why a field is invalid. The message does not repeat the value of the field.
fn fault(fault: &Value) -> Option<String> {
    let message = fault.get("msg")?.as_str()?;
    let steps = fault.get("loc").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let place: Vec<String> =
        steps.iter().map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned)).collect();
    Some(if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> [String; 2] {
        let VendorError { title, detail, code } = problem(body.to_string().as_bytes()).expect("an error");
        assert_eq!(code, None);
        [title, detail].map(Option::unwrap_or_default)
    }

    #[test]
    fn every_shape_of_error_is_read() {
        for (body, title, detail) in [
            (
                json!({"detail": ["IllegalOperationError", "the last role of a member"]}),
                "IllegalOperationError",
                "the last role of a member",
            ),
            (json!({"detail": ["KeyError", "a", "b"]}), "KeyError", "a; b"),
            (json!({"detail": ["ValueError"]}), "ValueError", ""),
            (json!({"detail": "Not Found"}), "", "Not Found"),
            (
                json!({"detail": [
                {"loc": ["body", "name"], "msg": "too long", "type": "x", "input": "s3cret"},
                {"loc": ["query", 0], "msg": "no"}, {"msg": "odd"}, {"loc": ["x"]}]}),
                "",
                "body.name: too long; query.0: no; odd",
            ),
            (json!({"detail": []}), "", ""),
        ] {
            assert_eq!(read(body.clone()), [title.to_owned(), detail.to_owned()], "{body}");
        }
        for body in [&b"<html>Bad gateway"[..], b"{}", b"[1]", b"null", b"{\"detail\": 4}"] {
            assert_eq!(problem(body), None);
        }
    }

    #[test]
    fn a_session_has_an_expiry() {
        let expiry = |body: Value| {
            serde_json::from_value::<Session>(body).map(|session| session.expires_in.get()).ok()
        };
        let token = json!({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "device_id": null, "new": {}});
        assert_eq!(expiry(token), Some(3600));
        for expires_in in [json!(0), Value::Null, json!("3600"), json!(-1), json!(1.5)] {
            assert_eq!(expiry(json!({"access_token": "t", "expires_in": expires_in})), None);
        }
        assert_eq!(expiry(json!({"access_token": "t"})), None);
        assert_eq!(expiry(json!({"expires_in": 3600})), None);
    }

    #[test]
    fn a_member_is_a_user_or_contains_one() {
        let member = |body: Value| serde_json::from_value::<Member>(body).expect("a member");
        let user = json!({"id": "u", "username": "alice", "email": "alice@example.com", "password": "x", "is_active": true});
        for (body, id) in [
            (user.clone(), Some("u")),
            (json!({"user": user, "team": null, "roles": []}), Some("u")),
            (json!({"service_account": {"id": "s", "username": "nightly"}}), Some("s")),
            (json!({"id": "t", "name": "ml", "member_count": 3}), None),
            (json!({"team": {"id": "t", "name": "ml"}, "user": null}), None),
            (json!({"id": "i", "email": "dave@example.com"}), None),
        ] {
            assert_eq!(member(body.clone()).user.map(|user| user.id).as_deref(), id, "{body}");
        }
        let two = [json!({"team": {"id": "t"}}), json!({"team": {"id": "w"}})].map(|body| member(body).id);
        assert_ne!(two[0], two[1], "the items of a list are different");
    }
}
