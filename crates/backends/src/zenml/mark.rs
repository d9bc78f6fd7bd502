//! The mark of a role whose permissions the control plane hides: the fingerprint of what Rolewright last applied, at the end of the
//! description. It outlives the status of the Role, so a new cluster recognizes its roles (contract 3.3). A client that can change it can
//! change the permissions too.

use crate::reading::present;
use rolewright_core::model::Fingerprint;

const START: &str = "[rolewright:";
/// The digits of a fingerprint.
const DIGITS: usize = 16;
/// The characters that a mark adds to a description.
pub const LENGTH: usize = 1 + START.len() + DIGITS + 1;

/// A description with a mark.
pub fn write(description: Option<&str>, applied: &Fingerprint) -> String {
    let mark = format!("{START}{}]", applied.as_str());
    description.map_or_else(|| mark.clone(), |text| format!("{text} {mark}"))
}

/// A description without its mark, and the mark.
pub fn read(description: Option<String>) -> (Option<String>, Option<Fingerprint>) {
    let text = description.as_deref().unwrap_or_default();
    let digits = |mark: &str| mark.len() == DIGITS && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    let marked = text.strip_suffix(']').and_then(|text| text.rsplit_once(START));
    match marked.filter(|(_, mark)| digits(mark)) {
        Some((text, mark)) => {
            let text = text.strip_suffix(' ').unwrap_or(text).to_owned();
            (present(Some(text)), Some(Fingerprint::from_status(mark)))
        }
        None => (present(description), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_description_is_read_back_as_it_was_written() {
        let applied = Fingerprint::of(&1);
        for text in [None, Some("Reads"), Some("Reads "), Some("[rolewright:x]"), Some("a]")] {
            let marked = write(text, &applied);
            assert_eq!(read(Some(marked)), (text.map(str::to_owned), Some(applied.clone())), "{text:?}");
        }
        assert_eq!(write(Some(""), &applied).chars().count(), LENGTH);
    }

    #[test]
    fn a_text_that_looks_like_a_mark_is_no_mark() {
        for text in
            ["", "Reads", "[rolewright:]", "[rolewright:0123456789abcdeg]", "[rolewright:0123456789abcdef] x"]
        {
            let expected = (!text.is_empty()).then(|| text.to_owned());
            assert_eq!(read(Some(text.to_owned())), (expected, None), "{text}");
        }
        assert_eq!(read(None), (None, None));
    }
}
