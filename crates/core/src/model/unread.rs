//! What a sweep could not read, and why. What is unread is unknown: neither present nor absent.

use std::{collections::BTreeMap, fmt};

use super::{body::Kind, key::Id, level::Level};

/// The longest text of a failure, in bytes: a snapshot can have one for each thing.
const MAX_TEXT: usize = 400;

/// A part of an account, as the vendor's calls divide it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All things of a kind.
    Kind(Kind),
    /// The things of a kind whose place is at this level, such as the grants on projects.
    Level(Kind, Level),
    /// The things of a kind in one place: see [`Key::place`](super::Key::place).
    Place(Kind, Id),
    /// One thing.
    Thing(Kind, Id),
    /// The names of a level.
    Names(Level),
    /// What the credential can read. Without it no absence is proven.
    Rights,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = |kind: &Kind| kind.to_string().to_lowercase();
        match self {
            Part::Kind(kind) => write!(f, "all {}s", noun(kind)),
            Part::Level(kind, level) => write!(f, "{}s by {level}", noun(kind)),
            Part::Place(kind, id) => write!(f, "{}s of {id}", noun(kind)),
            Part::Thing(kind, id) => write!(f, "{} {id}", noun(kind)),
            Part::Names(level) => write!(f, "{level} names"),
            Part::Rights => f.write_str("rights of the credential"),
        }
    }
}

/// Why a part could not be read: the call and its failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFailure {
    /// The text for users, of bounded length.
    pub message: String,
    /// The credential may not read it. Otherwise the call failed, and a later one can succeed.
    pub denied: bool,
}

impl ReadFailure {
    /// A call that failed and can succeed later.
    pub fn failed(message: &str) -> Self {
        Self { message: message[..message.floor_char_boundary(MAX_TEXT)].to_owned(), denied: false }
    }

    /// A call that the back end refused.
    pub fn denied(message: &str) -> Self {
        Self { denied: true, ..Self::failed(message) }
    }
}

/// The parts that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures(BTreeMap<Part, ReadFailure>);

impl Failures {
    /// Records a failure. The first one of a part stays.
    pub fn add(&mut self, part: Part, failure: ReadFailure) {
        self.0.entry(part).or_insert(failure);
    }

    /// The failure of exactly this part.
    pub fn of(&self, part: &Part) -> Option<&ReadFailure> {
        self.0.get(part)
    }

    /// Whether every part was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts and their failures, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&Part, &ReadFailure)> {
        self.0.iter()
    }

    /// The failures in one text, each call once. None if every part was read.
    pub fn summary(&self) -> Option<String> {
        const SHOWN: usize = 5;
        let mut calls: Vec<(&str, &Part)> = Vec::new();
        for (part, failure) in self.iter() {
            if !calls.iter().take(SHOWN).any(|(message, _)| *message == failure.message) {
                calls.push((&failure.message, part));
            }
        }
        let lines = calls.iter().take(SHOWN).map(|(message, part)| format!("{part}: {message}"));
        let mut text = lines.collect::<Vec<_>>().join("; ");
        if calls.len() > SHOWN {
            text.push_str(&format!("; and {} more", calls.len() - SHOWN));
        }
        (!calls.is_empty()).then_some(text)
    }
}
