//! One running server: its settings outside the tenant.

/// The simulated vendor.
pub struct Lenses {
    prefix: String,
}

impl Lenses {
    /// A server whose API is below `prefix`, which can be empty.
    pub fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// The path before all paths of the API; can be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}
