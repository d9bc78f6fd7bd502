//! Request bodies: closed objects, read field by field (contract 1.6).

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::arize::rows::switches::Switches;

/// The fields of an object that have not been read yet.
pub struct Fields {
    fields: Map<String, Value>,
    unknown_field_status: u16,
}

impl Fields {
    /// The fields of a request body.
    ///
    /// # Errors
    /// 400 if the body is not a JSON object.
    pub fn of(body: &[u8], switches: &Switches) -> Result<Self, Problem> {
        let value = serde_json::from_slice(body).map_err(|_| Problem::invalid("the body is not JSON"))?;
        Self::of_value(value, "the body", switches)
    }

    /// The fields of a nested object. `what` names it in errors.
    ///
    /// # Errors
    /// 400 if it is not an object.
    pub fn of_value(value: Value, what: &str, switches: &Switches) -> Result<Self, Problem> {
        match value {
            Value::Object(fields) => {
                Ok(Self { fields, unknown_field_status: switches.unknown_body_field_status })
            }
            _ => Err(Problem::invalid(format!("{what} is not an object"))),
        }
    }

    /// Whether all fields have been read.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// A field of any type.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name)
    }

    /// The value of a field that was read before and must be present.
    ///
    /// # Errors
    /// 400 if it is missing.
    pub fn required<T>(&self, name: &str, field: Option<T>) -> Result<T, Problem> {
        field.ok_or_else(|| Problem::invalid(format!("{name} is required")))
    }

    /// A string; none if absent.
    ///
    /// # Errors
    /// 400 if it is not a string; null is not one.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid(format!("{name} is not a string"))),
        }
    }

    /// A string that must be present.
    ///
    /// # Errors
    /// 400 if it is missing or not a string.
    pub fn required_text(&mut self, name: &str) -> Result<String, Problem> {
        let text = self.text(name)?;
        self.required(name, text)
    }

    /// A string that null clears: `None` if the field is absent, `Some(None)` if it is null.
    ///
    /// # Errors
    /// 400 if it is neither a string nor null.
    pub fn clearable_text(&mut self, name: &str) -> Result<Option<Option<String>>, Problem> {
        if self.fields.get(name) == Some(&Value::Null) {
            self.value(name);
            return Ok(Some(None));
        }
        Ok(self.text(name)?.map(Some))
    }

    /// A boolean; none if absent.
    ///
    /// # Errors
    /// 400 if it is not a boolean.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Problem::invalid(format!("{name} is not a boolean"))),
        }
    }

    /// A list of strings; none if absent.
    ///
    /// # Errors
    /// 400 if it is anything else.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        let wrong = || Problem::invalid(format!("{name} is not a list of strings"));
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    }

    /// Ends the reading: an object must not have other fields.
    ///
    /// # Errors
    /// The switched status if a field has not been read.
    pub fn end(self) -> Result<(), Problem> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => {
                Err(Problem::switched(self.unknown_field_status, format!("unknown field {name:?}")))
            }
        }
    }
}

/// A name of 1 to `longest` characters.
///
/// # Errors
/// 422 otherwise.
pub fn name(text: String, longest: usize) -> Result<String, Problem> {
    if (1..=longest).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err(Problem::unprocessable(format!("name must have 1 to {longest} characters")))
    }
}

/// A description of at most 1,000 characters.
///
/// # Errors
/// 422 otherwise.
pub fn description(text: String) -> Result<String, Problem> {
    if text.chars().count() <= 1_000 {
        Ok(text)
    } else {
        Err(Problem::unprocessable("description must have at most 1000 characters"))
    }
}
