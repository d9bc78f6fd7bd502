//! The kinds of things that HQ keeps, what they are called, and what may be done with them.
//!
//! The names of the `iam` operations follow those of the services that the contract lists (contract 3; the
//! table of `iam` itself is not known).

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Role,
    Group,
    User,
    ServiceAccount,
    Environment,
}

/// What is done with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verb {
    List,
    Get,
    Create,
    Update,
    Delete,
}

impl Kind {
    /// The service that the kind belongs to.
    pub fn service(self) -> &'static str {
        match self {
            Self::Environment => "environments",
            _ => "iam",
        }
    }

    /// The resource type in resource names.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Group => "group",
            Self::User => "user",
            Self::ServiceAccount => "service-account",
            Self::Environment => "environment",
        }
    }

    /// The resource name of the thing of this name.
    pub fn lrn(self, name: &str) -> String {
        format!("{}:{}:{name}", self.service(), self.resource_type())
    }

    /// The action that does this with it.
    pub fn action(self, verb: Verb) -> String {
        format!("{}:{}", self.service(), self.operation(verb))
    }

    /// The operation within the service.
    pub fn operation(self, verb: Verb) -> String {
        let thing = match self {
            Self::Role => "Role",
            Self::Group => "Group",
            Self::User => "User",
            Self::ServiceAccount => "ServiceAccount",
            Self::Environment => "Environment",
        };
        match verb {
            Verb::List => format!("List{thing}s"),
            Verb::Get => format!("Get{thing}Details"),
            Verb::Create => format!("Create{thing}"),
            Verb::Update => format!("Update{thing}"),
            Verb::Delete => format!("Delete{thing}"),
        }
    }

    /// What the thing is called in errors.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Role => "the role",
            Self::Group => "the group",
            Self::User => "the user",
            Self::ServiceAccount => "the service account",
            Self::Environment => "the environment",
        }
    }
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::List, Self::Get, Self::Create, Self::Update, Self::Delete];
}
