//! Request bodies: objects with known keys, where null is as good as absent.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::lenses::rows::switches::Switches;

/// The longest display name (contract 2.2).
const LONGEST_DISPLAY_NAME: usize = 150;

/// The longest description (contract 2.2).
const LONGEST_DESCRIPTION: usize = 250;

/// The fields of an object, taken out one by one.
pub struct Fields {
    left: Map<String, Value>,
    refuse_unknown: bool,
}

impl Fields {
    /// The fields of a request body; an empty body has none.
    ///
    /// # Errors
    /// 400 if it is no JSON object.
    pub fn of(body: &[u8], switches: &Switches) -> Result<Self, Problem> {
        if body.is_empty() {
            return Self::of_value(Value::Object(Map::new()), switches);
        }
        let value = serde_json::from_slice(body).map_err(|_| Problem::malformed("the body is no JSON"))?;
        Self::of_value(value, switches)
    }

    /// The fields of a nested object.
    ///
    /// # Errors
    /// 400 if it is no object.
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

    /// A text.
    ///
    /// # Errors
    /// Invalid if it is no string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid(format!("{name} is no string"))),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Invalid otherwise.
    pub fn required_text(&mut self, name: &str) -> Result<String, Problem> {
        self.text(name)?.ok_or_else(|| Problem::invalid(format!("{name} is required")))
    }

    /// `display_name`, not empty and not too long.
    ///
    /// # Errors
    /// Invalid otherwise.
    pub fn display_name(&mut self) -> Result<Option<String>, Problem> {
        let text = self.text("display_name")?;
        within("display_name", text, 1, LONGEST_DISPLAY_NAME)
    }

    /// `description`, not too long.
    ///
    /// # Errors
    /// Invalid otherwise.
    pub fn description(&mut self) -> Result<Option<String>, Problem> {
        let text = self.text("description")?;
        within("description", text, 0, LONGEST_DESCRIPTION)
    }

    /// A time.
    ///
    /// # Errors
    /// Invalid if it is none.
    pub fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|_| Problem::invalid(format!("{name} is no date-time"))))
            .transpose()
    }

    /// A list.
    ///
    /// # Errors
    /// Invalid if it is anything else.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(Problem::invalid(format!("{name} is no array"))),
        }
    }

    /// A list of texts.
    ///
    /// # Errors
    /// Invalid if it is anything else.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        let Some(items) = self.list(name)? else { return Ok(None) };
        let wrong = || Problem::invalid(format!("{name} is no array of strings"));
        items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Invalid if a key is left that the operation does not know, and the server minds.
    pub fn done(self) -> Result<(), Problem> {
        match self.left.keys().next() {
            Some(unknown) if self.refuse_unknown => {
                Err(Problem::invalid(format!("the key {unknown} is not known")))
            }
            _ => Ok(()),
        }
    }
}

/// A text of so many characters.
///
/// # Errors
/// Invalid if it has fewer or more.
pub fn within(
    name: &str,
    text: Option<String>,
    least: usize,
    most: usize,
) -> Result<Option<String>, Problem> {
    let length = text.as_ref().map_or(least, |text| text.chars().count());
    if (least..=most).contains(&length) {
        Ok(text)
    } else {
        Err(Problem::invalid(format!("{name} must have {least} to {most} characters")))
    }
}
