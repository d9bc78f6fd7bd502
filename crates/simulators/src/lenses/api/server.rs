//! The vendor's code.

/// Lenses HQ.
pub struct Lenses {
    prefix: String,
}

impl Lenses {
    /// A server with all paths below `prefix`; empty for none.
    pub fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// The path before the vendor's own paths.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}
