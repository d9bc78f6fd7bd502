//! Identifiers: UUIDs that the server chooses (contract 3.1). They are the same in every run.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A UUID of version 4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(u128);

impl Uuid {
    /// The identifier that this simulator issues for a number.
    pub fn issue(serial: u64) -> Self {
        const VERSION: u128 = 0xf << 76;
        const VARIANT: u128 = 0b11 << 62;
        let random = fastrand::Rng::with_seed(serial).u128(..);
        // Version 4, variant 10 (RFC 9562, 4.1 and 4.2).
        Self(random & !VERSION & !VARIANT | 4 << 76 | 0b10 << 62)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        f.write_str(&parts.join("-"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a UUID.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a valid UUID")]
pub struct Malformed;

impl FromStr for Uuid {
    type Err = Malformed;

    /// Reads 32 hexadecimal digits in either case, with hyphens in their places or without hyphens.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let hyphens = text.match_indices('-').map(|(at, _)| at);
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let are_in_place = digits.len() == text.len() || hyphens.eq([8, 13, 18, 23]);
        let is_hex = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !(are_in_place && is_hex) {
            return Err(Malformed);
        }
        u128::from_str_radix(&digits, 16).map(Self).map_err(|_| Malformed)
    }
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not a UUID")))
    }
}

#[cfg(test)]
mod tests {
    use super::Uuid;

    #[test]
    fn identifiers_have_the_form_of_the_standard() {
        for serial in [0, 1, 2, 12_345] {
            let id = Uuid::issue(serial);
            let text = id.to_string();
            assert_eq!(text.parse(), Ok(id));
            assert_eq!(text.replace('-', "").to_uppercase().parse(), Ok(id));
            assert_eq!((text.len(), &text[14..15]), (36, "4"));
            assert!(["8", "9", "a", "b"].contains(&&text[19..20]), "{text}");
        }
        assert_ne!(Uuid::issue(1), Uuid::issue(2));
    }

    #[test]
    fn names_and_misplaced_hyphens_are_not_identifiers() {
        let text = Uuid::issue(1).to_string();
        let moved = format!("{}-{}", &text[..7], text[7..].replacen('-', "", 1));
        for invalid in ["production", "", &text[1..], &moved, &format!("{text}0")] {
            assert!(invalid.parse::<Uuid>().is_err(), "{invalid}");
        }
    }
}
