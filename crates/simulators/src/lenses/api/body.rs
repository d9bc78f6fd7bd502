//! Request bodies: JSON objects with known keys. A key with the value null counts as absent.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::lenses::rows::switches::Switches;

/// The maximum length of a display name in characters (contract 2.2).
const MAX_DISPLAY_NAME: usize = 150;

/// The maximum length of a description in characters (contract 2.2).
const MAX_DESCRIPTION: usize = 250;

/// The maximum length of a role's description in characters (contract 2.1).
const MAX_ROLE_DESCRIPTION: usize = 280;

/// The fields of an object. Reading a field removes it.
pub struct Fields {
    left: Map<String, Value>,
    refuse_unknown: bool,
}

impl Fields {
    /// The fields of a request body. An empty body has no fields.
    ///
    /// # Errors
    /// 400 if the body is not a JSON object.
    pub fn of(body: &[u8], switches: &Switches) -> Result<Self, Problem> {
        if body.is_empty() {
            return Self::of_value(Value::Object(Map::new()), switches);
        }
        let value = serde_json::from_slice(body).map_err(|_| Problem::malformed("the body is not JSON"))?;
        Self::of_value(value, switches)
    }

    /// The fields of a nested object.
    ///
    /// # Errors
    /// 400 if the value is not an object.
    pub fn of_value(value: Value, switches: &Switches) -> Result<Self, Problem> {
        let Value::Object(mut left) = value else {
            return Err(Problem::malformed("an object is expected"));
        };
        left.retain(|_, value| !value.is_null());
        Ok(Self { left, refuse_unknown: switches.unknown_keys_refused })
    }

    /// A field of any type.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }

    /// A text field.
    ///
    /// # Errors
    /// Invalid if it is not a string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid(format!("{name} is not a string"))),
        }
    }

    /// A required text field.
    ///
    /// # Errors
    /// Invalid if it is absent or not a string.
    pub fn required_text(&mut self, name: &str) -> Result<String, Problem> {
        self.text(name)?.ok_or_else(|| Problem::invalid(format!("{name} is required")))
    }

    /// The field `display_name`.
    ///
    /// # Errors
    /// Invalid if it is empty, too long or not a string.
    pub fn display_name(&mut self) -> Result<Option<String>, Problem> {
        let text = self.text("display_name")?;
        within("display_name", text, 1, MAX_DISPLAY_NAME)
    }

    /// The field `description`.
    ///
    /// # Errors
    /// Invalid if it is too long or not a string.
    pub fn description(&mut self) -> Result<Option<String>, Problem> {
        let text = self.text("description")?;
        within("description", text, 0, MAX_DESCRIPTION)
    }

    /// The field `description` of a role.
    ///
    /// # Errors
    /// Invalid if it is too long or not a string.
    pub fn role_description(&mut self) -> Result<Option<String>, Problem> {
        let text = self.text("description")?;
        within("description", text, 0, MAX_ROLE_DESCRIPTION)
    }

    /// A field with a time.
    ///
    /// # Errors
    /// Invalid if it is not an RFC 3339 time.
    pub fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|_| Problem::invalid(format!("{name} is not a date-time"))))
            .transpose()
    }

    /// A field with an array.
    ///
    /// # Errors
    /// Invalid if it is not an array.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(Problem::invalid(format!("{name} is not an array"))),
        }
    }

    /// A field with an array of texts.
    ///
    /// # Errors
    /// Invalid if it is not an array of strings.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        let Some(items) = self.list(name)? else { return Ok(None) };
        let invalid = || Problem::invalid(format!("{name} is not an array of strings"));
        items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(invalid))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Invalid if an unread key is left and the server refuses unknown keys.
    pub fn done(self) -> Result<(), Problem> {
        match self.left.keys().next() {
            Some(unknown) if self.refuse_unknown => {
                Err(Problem::invalid(format!("the key {unknown} is not known")))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the length of a text, in characters. An absent text passes.
///
/// # Errors
/// Invalid if the text has fewer than `min` or more than `max`.
pub fn within(name: &str, text: Option<String>, min: usize, max: usize) -> Result<Option<String>, Problem> {
    let length = text.as_ref().map_or(min, |text| text.chars().count());
    if (min..=max).contains(&length) {
        Ok(text)
    } else {
        Err(Problem::invalid(format!("{name} must have {min} to {max} characters")))
    }
}
