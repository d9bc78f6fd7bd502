//! The names of the objects that plans are made for.

use std::{fmt, sync::Arc};

/// The kinds of objects that are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The connection to an account, for the objects of its namespace.
    Backend,
    /// The connection to an account, for objects of several namespaces.
    ClusterBackend,
    /// A role.
    Role,
    /// Grants of one role.
    RoleBinding,
    /// A resource that is closed to inherited access.
    ResourceRestriction,
    /// A request for a role for a limited time.
    AccessRequest,
    /// The removal of what no object manages.
    Prune,
}

impl ObjectKind {
    /// The kind's name in the Kubernetes API.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectKind::Backend => "Backend",
            ObjectKind::ClusterBackend => "ClusterBackend",
            ObjectKind::Role => "Role",
            ObjectKind::RoleBinding => "RoleBinding",
            ObjectKind::ResourceRestriction => "ResourceRestriction",
            ObjectKind::AccessRequest => "AccessRequest",
            ObjectKind::Prune => "Prune",
        }
    }
}

/// The namespace and name of an object. Only a ClusterBackend has no namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The namespace. Empty for a ClusterBackend.
    pub namespace: Arc<str>,
    /// The name within the namespace.
    pub name: Arc<str>,
}

impl ObjectName {
    /// A name in a namespace.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The name of an object without a namespace.
    pub fn of_cluster(name: &str) -> Self {
        Self::new("", name)
    }

    /// Whether the object has no namespace.
    pub fn is_of_cluster(&self) -> bool {
        self.namespace.is_empty()
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_of_cluster() {
            true => f.write_str(&self.name),
            false => write!(f, "{}/{}", self.namespace, self.name),
        }
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
    /// A Backend, or a ClusterBackend if the name has no namespace.
    pub fn backend(name: &ObjectName) -> Self {
        let kind = match name.is_of_cluster() {
            true => ObjectKind::ClusterBackend,
            false => ObjectKind::Backend,
        };
        Self { kind, name: name.clone() }
    }

    /// How messages to objects of its namespace name it: `Backend grafana`.
    pub fn title(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.name.name)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}
