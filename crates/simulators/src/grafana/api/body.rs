//! Request bodies: objects with any fields. Field names match in any case, and null counts as absent
//! (contract 2.1).

use std::collections::BTreeMap;

use serde_json::Value;

use super::problem::Problem;
use crate::grafana::rows::basic_role::BasicRole;

/// The fields of an object, by lower-case name.
#[derive(Default)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// The fields of a request body; an empty body has none.
    ///
    /// # Errors
    /// 400 if it is not a JSON object.
    pub fn of(body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(body).map_err(|_| wrong()).and_then(Self::of_value)
    }

    /// The fields of a nested object.
    ///
    /// # Errors
    /// 400 if it is not an object.
    pub fn of_value(value: Value) -> Result<Self, Problem> {
        let Value::Object(fields) = value else { return Err(wrong()) };
        let present = fields.into_iter().filter(|(_, value)| !value.is_null());
        Ok(Self(present.map(|(name, value)| (name.to_lowercase(), value)).collect()))
    }

    /// A field of any type.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(&name.to_lowercase())
    }

    /// A string.
    ///
    /// # Errors
    /// 400 if it is not a string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong()),
        }
    }

    /// A string that must be present and not empty.
    ///
    /// # Errors
    /// 400 otherwise.
    pub fn required_text(&mut self, name: &str) -> Result<String, Problem> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Problem::bad_request(format!("{name} is required")))
    }

    /// A boolean.
    ///
    /// # Errors
    /// 400 if it is not a boolean.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(wrong()),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// 400 if it is not a whole number.
    pub fn number(&mut self, name: &str) -> Result<Option<i64>, Problem> {
        self.value(name).map(|value| value.as_i64().ok_or_else(wrong)).transpose()
    }

    /// A list; empty if absent.
    ///
    /// # Errors
    /// 400 if it is anything else.
    pub fn list(&mut self, name: &str) -> Result<Vec<Value>, Problem> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(wrong()),
        }
    }

    /// A list of whole numbers; empty if absent.
    ///
    /// # Errors
    /// 400 if it is anything else.
    pub fn numbers(&mut self, name: &str) -> Result<Vec<i64>, Problem> {
        self.list(name)?.iter().map(|item| item.as_i64().ok_or_else(wrong)).collect()
    }

    /// A list of strings; empty if absent.
    ///
    /// # Errors
    /// 400 if it is anything else.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        self.list(name)?.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }
}

fn wrong() -> Problem {
    Problem::bad_request("bad request data")
}

/// The basic role with this name.
///
/// # Errors
/// 400 if there is none.
pub fn basic_role(name: &str) -> Result<BasicRole, Problem> {
    BasicRole::find(name).ok_or_else(|| Problem::bad_request("Invalid role specified"))
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn field_names_match_in_any_case_and_null_is_absent() {
        let mut fields = Fields::of(br#"{"RoleUIDs": null, "NAME": "x", "unknown": 1}"#).unwrap();
        assert_eq!(fields.text("name").unwrap().as_deref(), Some("x"));
        assert!(fields.texts("roleUids").unwrap().is_empty());
        assert!(Fields::of(b"[]").is_err() && Fields::of(b"{").is_err());
        assert!(Fields::of(b"").unwrap().value("name").is_none());
    }
}
