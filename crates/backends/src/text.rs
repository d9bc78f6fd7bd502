//! Short texts that several vendors need: lists in messages, and names that are derived from an object.

use rolewright_core::model::sha256_hex;

/// What a derived name starts with.
pub const DERIVED_PREFIX: &str = "rw-";
/// The length of the digest in a derived name.
pub const DIGEST: usize = 16;

/// The first `max` items of a list, and how many more there are.
pub fn listed<T: AsRef<str>>(items: impl IntoIterator<Item = T>, max: usize) -> String {
    let mut items = items.into_iter();
    let shown: Vec<T> = items.by_ref().take(max).collect();
    let mut text = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match items.count() {
        0 => {}
        more => text.push_str(&format!(" and {more} more")),
    }
    text
}

/// A name for a thing that an object owns: `rw-`, at most `readable` characters of the object's name, and a digest of `owner`.
///
/// It depends on the owner alone and not on what the spec says, so it is the same after a crash. `replace` maps each character to one
/// that the vendor accepts, and to a hyphen if there is none.
pub fn derived_name(owner: &str, readable: usize, replace: impl Fn(char) -> char) -> String {
    let object = owner.rsplit('\n').next().unwrap_or_default();
    let name: String = object.chars().map(replace).take(readable).collect();
    let digest = &sha256_hex(owner.as_bytes())[..DIGEST];
    match name.trim_matches('-') {
        "" => format!("{DERIVED_PREFIX}{digest}"),
        name => format!("{DERIVED_PREFIX}{name}-{digest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_shows_its_start_and_counts_the_rest() {
        assert_eq!(listed(["a", "b"], 2), "a, b");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(listed([""; 0], 2), "");
    }
}
