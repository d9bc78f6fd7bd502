//! Percent-decoding of paths and queries (RFC 3986, and `+` for a blank in queries). Invalid escapes stay as they
//! were sent.

/// Decodes a path; `+` stays `+`.
pub fn decode(text: &str) -> String {
    unescape(text, false)
}

/// The names and values of a query string, in the order sent. Names can repeat.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name, true), unescape(value, true))
        })
        .collect()
}

fn unescape(text: &str, plus_is_blank: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let escaped = (byte == b'%')
            .then(|| text.get(position + 1..position + 3))
            .flatten()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(value) => {
                decoded.push(value);
                position += 3;
            }
            None => {
                decoded.push(if plus_is_blank && byte == b'+' { b' ' } else { byte });
                position += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decode, pairs};

    #[test]
    fn escapes_are_decoded_and_other_characters_are_kept() {
        assert_eq!(decode("/v2/roles/Um9s%3D"), "/v2/roles/Um9s=");
        assert_eq!(decode("/v2/roles/Um9s="), "/v2/roles/Um9s=");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("a+b"), "a+b");
    }

    #[test]
    fn a_query_keeps_its_order_and_repeated_names() {
        let expected = [("status", "ACTIVE"), ("status", "INVITED"), ("name", "a b=c"), ("flag", "")];
        let expected: Vec<_> = expected.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(pairs("status=ACTIVE&status=INVITED&name=a+b%3Dc&flag"), expected);
    }
}
