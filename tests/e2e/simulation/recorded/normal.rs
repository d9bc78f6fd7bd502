//! An object without what differs between two runs: times, uids, hashes and hosts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::simulation::scene::host;

const TIME: &str = "2027-01-01T00:00:00Z";

/// The texts that were replaced, and by what.
type Names = BTreeMap<String, String>;

/// The object without what differs between two runs.
pub fn normalized(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let mut names = Names::new();
    normalize(&mut object, &mut names);
    object
}

fn normalize(value: &mut Value, names: &mut Names) {
    match value {
        Value::String(text) => *text = text_of(text, names),
        Value::Array(items) => items.iter_mut().for_each(|item| normalize(item, names)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.as_str() {
                    // Of the content that was applied, with ids and times of the back end in it.
                    "fingerprint" => *field = "0123456789abcdef".into(),
                    "revision" => *field = "1".into(),
                    _ => normalize(field, names),
                }
            }
        }
        _ => {}
    }
}

/// A text with other words in place of the host, times, uids, hashes of plans and ids that Rolewright chooses.
fn text_of(text: &str, names: &mut Names) -> String {
    let text = text.replace(&host(), "grafana.example.com");
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_word) {
        result.push_str(&rest[..start]);
        let end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |length| start + length);
        result.push_str(&word_of(&rest[start..end], names));
        rest = &rest[end..];
    }
    result + rest
}

fn word_of(word: &str, names: &mut Names) -> String {
    let plain = word.trim_end_matches(['.', ':']);
    let end = &word[plain.len()..];
    let is_time = plain.len() >= 20 && plain.ends_with('Z') && plain.contains("T") && plain.contains("-");
    let replaced = if is_time {
        TIME.to_owned()
    } else if plain.starts_with("v1-") && plain.len() > 20 {
        numbered(plain, names, "plan", |number| format!("v1-{number:040}"))
    } else if plain.starts_with("uid-") {
        numbered(plain, names, "uid", |number| format!("00000000-0000-4000-8000-{number:012}"))
    } else if let Some((start, _)) = plain.split_once("-uid-") {
        // The name of the RoleBinding of an AccessRequest.
        format!("{start}-00000000")
    } else {
        chosen_id(plain)
    };
    replaced + end
}

/// The ids of roles that Rolewright creates in Grafana end with a hash of the account, which has the host in it.
fn chosen_id(word: &str) -> String {
    const DIGITS: usize = 16;
    match word.rsplit_once('-') {
        Some((start, hash)) if start.starts_with("rw-") && hash.len() == DIGITS => {
            format!("{start}-0123456789abcdef")
        }
        _ => word.to_owned(),
    }
}

/// The same replacement for each occurrence of a word.
fn numbered(word: &str, names: &mut Names, kind: &str, new: impl Fn(usize) -> String) -> String {
    let number = names.keys().filter(|known| known.starts_with(kind)).count() + 1;
    names.entry(format!("{kind} {word}")).or_insert_with(|| new(number)).clone()
}
