//! What the control plane sends (contract 1, 2). Lenient where servers differ: unknown fields are ignored, texts and flags may be left out
//! or null. Strict where a missing field would make something look absent.

use std::num::NonZeroU32;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::http::VendorError;

/// What comes in lists.
pub trait Listed: DeserializeOwned + Send {
    /// What tells it from any other.
    fn id(&self) -> &str;
}

/// A session. One that does not say when it ends is none, as for the vendor's own server (contract 1).
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
#[derive(Debug, Deserialize)]
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
    /// In whichever form: see the codec.
    pub permissions: Option<Value>,
}

impl Listed for Role {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A user, who may be a service account. What else is in it, a password among it, is not read.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub id: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub is_service_account: Option<bool>,
}

impl Listed for User {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A team.
#[derive(Clone, Debug, Deserialize)]
pub struct Team {
    pub id: String,
    pub name: Option<String>,
}

impl Listed for Team {
    fn id(&self) -> &str {
        &self.id
    }
}

/// An invitation.
#[derive(Clone, Debug, Deserialize)]
pub struct Invitation {
    pub id: String,
    pub email: Option<String>,
}

impl Listed for Invitation {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A workspace, or a project of one.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    pub id: String,
    pub name: Option<String>,
    pub organization_id: Option<String>,
}

impl Listed for Place {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A member of the organization: a user, as such or inside an object that says more of the membership. Which of the two is not published
/// (contract 2.3). Whoever else is in the list is found elsewhere.
#[derive(Debug, Deserialize)]
#[serde(from = "Value")]
pub struct Member {
    pub user: Option<User>,
    id: String,
}

impl From<Value> for Member {
    fn from(item: Value) -> Self {
        let inside = ["user", "service_account"]
            .into_iter()
            .find_map(|field| item.get(field))
            .filter(|it| it.is_object());
        // Teams and invitations have no user name.
        let user = inside.or(Some(&item).filter(|item| item.get("username").is_some()));
        let user: Option<User> = user.and_then(|user| User::deserialize(user).ok());
        let id = match (&user, item.get("id")) {
            (Some(user), _) => user.id.clone(),
            (None, Some(Value::String(id))) => id.clone(),
            (None, _) => item.to_string(),
        };
        Self { user, id }
    }
}

impl Listed for Member {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Somebody's holding of a role somewhere (contract 2.2). Exactly one of the three holds it.
#[derive(Clone, Debug, Deserialize)]
pub struct Assignment {
    pub user: Option<User>,
    pub team: Option<Team>,
    pub invitation: Option<Invitation>,
    pub role: Option<Role>,
    pub workspace_id: Option<String>,
    pub project_id: Option<String>,
}

/// Of what a refusal lists, so much is told.
const MOST_FAULTS: usize = 4;

/// The fields of an error that people are told, in any of its shapes (contract 1): an exception's class and its messages, a plain text, or
/// what is wrong with which field.
pub fn problem(body: &[u8]) -> Option<VendorError> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let list = match body.get("detail")? {
        Value::String(text) => return Some(told(None, vec![text.clone()])),
        Value::Array(list) => list,
        _ => return None,
    };
    if list.iter().all(Value::is_object) {
        return Some(told(None, list.iter().filter_map(fault).take(MOST_FAULTS).collect()));
    }
    let mut texts = list.iter().filter_map(Value::as_str).map(str::to_owned);
    let class = texts.next();
    Some(told(class, texts.take(MOST_FAULTS).collect()))
}

fn told(class: Option<String>, messages: Vec<String>) -> VendorError {
    let detail = (!messages.is_empty()).then(|| messages.join("; "));
    VendorError { title: class, detail, code: None }
}

/// What is wrong with a field. What was sent in it is not repeated.
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

    fn told_of(body: Value) -> [String; 2] {
        let VendorError { title, detail, code } = problem(body.to_string().as_bytes()).expect("an error");
        assert_eq!(code, None);
        [title, detail].map(Option::unwrap_or_default)
    }

    #[test]
    fn errors_are_read_in_all_their_shapes() {
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
            assert_eq!(told_of(body.clone()), [title.to_owned(), detail.to_owned()], "{body}");
        }
        for body in [&b"<html>Bad gateway"[..], b"{}", b"[1]", b"null", b"{\"detail\": 4}"] {
            assert_eq!(problem(body), None);
        }
    }

    #[test]
    fn a_session_says_when_it_ends() {
        let read = |body: Value| {
            serde_json::from_value::<Session>(body).map(|session| session.expires_in.get()).ok()
        };
        let token = json!({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "device_id": null, "new": {}});
        assert_eq!(read(token), Some(3600));
        for ends in [json!(0), Value::Null, json!("3600"), json!(-1), json!(1.5)] {
            assert_eq!(read(json!({"access_token": "t", "expires_in": ends})), None);
        }
        assert_eq!(read(json!({"access_token": "t"})), None);
        assert_eq!(read(json!({"expires_in": 3600})), None);
    }

    #[test]
    fn a_member_is_found_as_such_or_inside_a_membership() {
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
        assert_ne!(two[0], two[1], "a list's items are told apart");
    }
}
