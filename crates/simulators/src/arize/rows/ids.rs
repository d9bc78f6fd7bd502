//! Identifiers: base64 of `<Kind>:<number>:<suffix>` (contract 4.9).

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// What an identifier names. The spelling is the vendor's: a project is a `Model`, an organization an
/// `AccountOrganization`. The contract does not list the kinds of memberships and audit logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    AccountOrganization,
    ApiKey,
    AuditLog,
    Dashboard,
    Model,
    OrganizationMembership,
    Prompt,
    Role,
    RoleBinding,
    Space,
    SpaceMembership,
    User,
}

const KINDS: [(Kind, &str); 12] = [
    (Kind::AccountOrganization, "AccountOrganization"),
    (Kind::ApiKey, "ApiKey"),
    (Kind::AuditLog, "AuditLog"),
    (Kind::Dashboard, "Dashboard"),
    (Kind::Model, "Model"),
    (Kind::OrganizationMembership, "OrganizationMembership"),
    (Kind::Prompt, "Prompt"),
    (Kind::Role, "Role"),
    (Kind::RoleBinding, "RoleBinding"),
    (Kind::Space, "Space"),
    (Kind::SpaceMembership, "SpaceMembership"),
    (Kind::User, "User"),
];

impl Kind {
    /// The vendor's spelling.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// One identifier. The suffix counts too: an identifier with a guessed number finds no row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The kind of row.
    pub kind: Kind,
    /// Unique in its kind, and never used again.
    pub serial: u64,
    suffix: Option<[u8; 4]>,
}

impl Id {
    /// The identifier of a kind and number; the same in every run.
    pub fn issue(kind: Kind, serial: u64) -> Self {
        Self { kind, serial, suffix: Some(suffix(kind, serial)) }
    }
}

/// Four letters and digits from kind and number. Punctuation could produce `+` or `/` in the base64 text,
/// which the vendor's ordinary identifiers never contain (contract 4.9).
fn suffix(kind: Kind, serial: u64) -> [u8; 4] {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let text = format!("{}:{serial}", kind.name());
    // FNV-1a: the standard library's hasher can change between Rust versions.
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    [(); 4].map(|()| {
        let letter = ALPHABET[(hash % ALPHABET.len() as u64) as usize];
        hash /= ALPHABET.len() as u64;
        letter
    })
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = format!("{}:{}", self.kind.name(), self.serial);
        if let Some(suffix) = self.suffix {
            plain.push(':');
            plain.push_str(&String::from_utf8_lossy(&suffix));
        }
        f.write_str(&BASE64_STANDARD.encode(plain))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.serial)
    }
}

/// The text is not an identifier, or its kind does not exist here.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a valid identifier")]
pub struct Malformed;

impl FromStr for Id {
    type Err = Malformed;

    /// Accepts only padded base64: the vendor's clients treat any other text as a name (contract 4.10, 6.14).
    /// The suffix is optional, as in some of the vendor's examples (contract 4.9).
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let plain = BASE64_STANDARD.decode(text).map_err(|_| Malformed)?;
        let plain = String::from_utf8(plain).map_err(|_| Malformed)?;
        let mut parts = plain.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let kind = KINDS.iter().find(|(_, known)| *known == name).ok_or(Malformed)?.0;
        let serial = parts.next().and_then(|number| number.parse().ok()).ok_or(Malformed)?;
        let suffix = parts
            .next()
            .map(|suffix| <[u8; 4]>::try_from(suffix.as_bytes()).map_err(|_| Malformed))
            .transpose()?;
        Ok(Self { kind, serial, suffix })
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not an identifier")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, KINDS, Kind};

    #[test]
    fn an_identifier_round_trips_in_the_vendors_form() {
        for (kind, _) in KINDS {
            for serial in [1, 9, 10, 12_345] {
                let id = Id::issue(kind, serial);
                let text = id.to_string();
                assert_eq!(text.parse(), Ok(id));
                assert!(!text.contains(['+', '/']), "{text}");
            }
        }
        assert!(Id::issue(Kind::Model, 121).to_string().starts_with("TW9kZWw6MTIxO"));
    }

    #[test]
    fn the_contracts_examples_parse() {
        assert_eq!("Um9sZToxOlY0S2E=".parse::<Id>().map(|id| (id.kind, id.serial)), Ok((Kind::Role, 1)));
        assert_eq!("VXNlcjoxMjM0NQ==".parse::<Id>().map(|id| (id.kind, id.serial)), Ok((Kind::User, 12_345)));
    }

    #[test]
    fn names_unpadded_text_and_unknown_kinds_are_rejected() {
        for text in ["reports-writer", "VXNlcjoxMjM0NQ", "TW9uaXRvcjoxOmFCY0Q=", "", "Um9sZTp4OmFCY0Q="] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_with_different_suffixes_differ() {
        assert_ne!("Um9sZToxOlY0S2E=".parse::<Id>().unwrap(), Id::issue(Kind::Role, 1));
    }
}
