//! Request bodies: JSON objects whose unknown fields are ignored, and forms.

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::zenml::rows::ids::Uuid;

/// The fields of an object.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a request body.
    ///
    /// # Errors
    /// 422 if it is no JSON object.
    pub fn of(body: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Problem::invalid("body", "", "Input should be a valid object", "model_type")),
            Err(_) if body.is_empty() => Err(Problem::required("body", "")),
            Err(_) => Err(Problem::invalid("body", "", "JSON decode error", "json_invalid")),
        }
    }

    /// A field of any type; null is as good as absent.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Whether a field is there and null.
    pub fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    /// A text of this many characters.
    ///
    /// # Errors
    /// 422 if it is no string, or too short or too long.
    pub fn text(&mut self, name: &str, longest: usize) -> Result<Option<String>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => {
                let message = "String should have at least 1 character";
                Err(Problem::invalid("body", name, message, "string_too_short"))
            }
            Some(Value::String(text)) if text.chars().count() > longest => {
                let message = format!("String should have at most {longest} characters");
                Err(Problem::invalid("body", name, &message, "string_too_long"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid("body", name, "Input should be a valid string", "string_type")),
        }
    }

    /// A boolean.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Problem::invalid("body", name, "Input should be a valid boolean", "bool_type")),
        }
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn number(&mut self, name: &str) -> Result<Option<u32>, Problem> {
        let wrong = || Problem::invalid("body", name, "Input should be a valid integer", "int_type");
        self.value(name)
            .map(|value| value.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(wrong))
            .transpose()
    }

    /// An identifier.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn id(&mut self, name: &str) -> Result<Option<Uuid>, Problem> {
        let wrong = || Problem::invalid("body", name, "Input should be a valid UUID", "uuid_parsing");
        self.value(name)
            .map(|value| value.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong))
            .transpose()
    }

    /// One of some words.
    ///
    /// # Errors
    /// 422 if it is none of them.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Problem> {
        self.value(name).map(|value| chosen("body", name, value.as_str(), choices)).transpose()
    }
}

/// The meaning of a word; `place` is where it stood.
///
/// # Errors
/// 422 if it is none of them.
pub fn chosen<T: Copy>(
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

/// A field that must be there.
///
/// # Errors
/// 422 otherwise.
pub fn required<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::required("body", name))
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn null_is_absent_and_an_empty_text_is_wrong() {
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
