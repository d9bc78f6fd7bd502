//! The names of the objects that plans are made for.

use std::{fmt, sync::Arc};

/// The kinds of objects that are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The connection to an account.
    Backend,
    /// A role.
    Role,
    /// Grants of one role.
    RoleBinding,
    /// A resource that is closed to inherited access.
    ResourceRestriction,
}

impl ObjectKind {
    /// The kind's name in the Kubernetes API.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectKind::Backend => "Backend",
            ObjectKind::Role => "Role",
            ObjectKind::RoleBinding => "RoleBinding",
            ObjectKind::ResourceRestriction => "ResourceRestriction",
        }
    }
}

/// The namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name within the namespace.
    pub name: Arc<str>,
}

impl ObjectName {
    /// A name in a namespace.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One object: its kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The kind.
    pub kind: ObjectKind,
    /// The namespace and name.
    pub name: ObjectName,
}

impl ObjectRef {
    /// A Backend.
    pub fn backend(name: &ObjectName) -> Self {
        Self { kind: ObjectKind::Backend, name: name.clone() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}
