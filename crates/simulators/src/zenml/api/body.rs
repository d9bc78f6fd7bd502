//! Request bodies: JSON objects. Unknown fields are ignored.

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::zenml::rows::ids::Uuid;

/// The fields of an object. Reading a field removes it.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a request body.
    ///
    /// # Errors
    /// 422 if the body is not a JSON object.
    pub fn of(body: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Problem::invalid("body", "", "Input should be a valid object", "model_type")),
            Err(_) if body.is_empty() => Err(Problem::required("body", "")),
            Err(_) => Err(Problem::invalid("body", "", "JSON decode error", "json_invalid")),
        }
    }

    /// A field of any type. Null counts as absent.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Whether a field is null, not absent.
    pub fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    /// A text field of at most `max` characters.
    ///
    /// # Errors
    /// 422 if it is not a string, or is empty or too long.
    pub fn text(&mut self, name: &str, max: usize) -> Result<Option<String>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => {
                let message = "String should have at least 1 character";
                Err(Problem::invalid("body", name, message, "string_too_short"))
            }
            Some(Value::String(text)) if text.chars().count() > max => {
                let message = format!("String should have at most {max} characters");
                Err(Problem::invalid("body", name, &message, "string_too_long"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid("body", name, "Input should be a valid string", "string_type")),
        }
    }

    /// A boolean field.
    ///
    /// # Errors
    /// 422 if it is not a boolean.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Problem::invalid("body", name, "Input should be a valid boolean", "bool_type")),
        }
    }

    /// A field with a whole number that is not negative.
    ///
    /// # Errors
    /// 422 if it is another value.
    pub fn number(&mut self, name: &str) -> Result<Option<u32>, Problem> {
        let invalid = || Problem::invalid("body", name, "Input should be a valid integer", "int_type");
        self.value(name)
            .map(|value| value.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(invalid))
            .transpose()
    }

    /// A field with an identifier.
    ///
    /// # Errors
    /// 422 if it is not a UUID.
    pub fn id(&mut self, name: &str) -> Result<Option<Uuid>, Problem> {
        let invalid = || Problem::invalid("body", name, "Input should be a valid UUID", "uuid_parsing");
        self.value(name)
            .map(|value| value.as_str().and_then(|text| text.parse().ok()).ok_or_else(invalid))
            .transpose()
    }

    /// A field with one of these words.
    ///
    /// # Errors
    /// 422 if it is another value.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Problem> {
        self.value(name).map(|value| parse_choice("body", name, value.as_str(), choices)).transpose()
    }
}

/// The meaning of a word. `place` is `body` or `query`.
///
/// # Errors
/// 422 if it is not one of the choices.
pub fn parse_choice<T: Copy>(
    place: &str,
    name: &str,
    word: Option<&str>,
    choices: &[(&str, T)],
) -> Result<T, Problem> {
    let found = choices.iter().find(|(known, _)| Some(*known) == word);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        Problem::invalid(place, name, &format!("Input should be one of {}", known.join(", ")), "enum")
    })
}

/// Requires a field of the body.
///
/// # Errors
/// 422 if it is absent.
pub fn required<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::required("body", name))
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn null_counts_as_absent_and_empty_texts_are_invalid() {
        let mut fields = Fields::of(br#"{"name": null, "description": "", "unknown": 1}"#).unwrap();
        assert!(fields.is_null("name"));
        assert_eq!(fields.text("name", 50), Ok(None));
        assert!(fields.text("description", 256).is_err());
        assert!(Fields::of(b"[]").is_err() && Fields::of(b"{").is_err() && Fields::of(b"").is_err());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let body = serde_json::json!({ "name": "é".repeat(50), "long": "é".repeat(51) }).to_string();
        let mut fields = Fields::of(body.as_bytes()).unwrap();
        assert!(fields.text("name", 50).is_ok());
        assert!(fields.text("long", 50).is_err());
    }
}
