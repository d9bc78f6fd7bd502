//! Leaves one field out of a JSON body while it is read, so that a long list with short entries needs little memory.

/// A filter for the chunks of one body.
pub struct Without<'a> {
    field: &'a str,
    depth: usize,
    /// The text is inside a string.
    in_string: bool,
    escaped: bool,
    /// The present or last string, as far as it can be the field's name.
    string: Vec<u8>,
    /// The depth of the object whose field is left out now.
    leaving_out: Option<usize>,
}

impl<'a> Without<'a> {
    /// A filter that replaces each value of this field by null.
    pub fn new(field: &'a str) -> Self {
        Self { field, depth: 0, in_string: false, escaped: false, string: Vec::new(), leaving_out: None }
    }

    /// Appends what remains of a chunk. The result of a body that is not JSON is not JSON either.
    pub fn append(&mut self, chunk: &[u8], body: &mut Vec<u8>) {
        for byte in chunk {
            self.step(*byte);
            if self.leaving_out.is_none() {
                body.push(*byte);
            }
            let is_field = *byte == b':' && !self.in_string && self.string == self.field.as_bytes();
            if is_field && self.leaving_out.is_none() {
                body.extend_from_slice(b"null");
                self.leaving_out = Some(self.depth);
            }
        }
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match (self.escaped, byte) {
                (false, b'"') => self.in_string = false,
                (false, b'\\') => self.escaped = true,
                _ => self.escaped = false,
            }
            if self.in_string && self.string.len() <= self.field.len() {
                self.string.push(byte);
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.string.clear();
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.end_value();
                self.depth = self.depth.saturating_sub(1);
            }
            b',' => self.end_value(),
            _ => {}
        }
    }

    fn end_value(&mut self) {
        if self.leaving_out == Some(self.depth) {
            self.leaving_out = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The body without `groups`, read in chunks of this length.
    fn filtered(body: &str, length: usize) -> Value {
        let (mut filter, mut rest) = (Without::new("groups"), Vec::new());
        body.as_bytes().chunks(length).for_each(|chunk| filter.append(chunk, &mut rest));
        serde_json::from_slice(&rest).expect("JSON")
    }

    #[test]
    fn one_field_is_left_out_wherever_the_chunks_end() {
        for (value, last) in [
            (json!([{"name": "a", "groups": ["x"]}, {}]), json!(1)),
            (json!("a \"groups\": [ ] } , x"), json!("groups")),
            (json!({"groups": [1, {"b": "]"}], "c": "\\"}), json!(["groups", "groups: x"])),
            (json!(null), json!({"other": {"a": [","]}})),
            (json!([]), json!("")),
        ] {
            let body =
                json!({"items": [{"name": "a", "groups": value, "last": last}, {"groups": value}], "n": 1});
            let expected =
                json!({"items": [{"name": "a", "groups": null, "last": last}, {"groups": null}], "n": 1});
            for text in [body.to_string(), serde_json::to_string_pretty(&body).expect("JSON")] {
                for length in [1, 2, 7, 1000] {
                    assert_eq!(filtered(&text, length), expected, "{text}");
                }
            }
        }
    }
}
