//! The kinds of rows, their resource names and their actions.
//!
//! The contract does not have the names of the `iam` operations. They follow those of the other services
//! (contract 3.5).

/// A kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Role,
    Group,
    User,
    ServiceAccount,
    Environment,
}

/// What an operation does with a row.
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
    /// The service in resource names and actions.
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

    /// The resource name (LRN) of the row with this name.
    pub fn lrn(self, name: &str) -> String {
        format!("{}:{}:{name}", self.service(), self.resource_type())
    }

    /// The action, such as `iam:ListRoles`.
    pub fn action(self, verb: Verb) -> String {
        format!("{}:{}", self.service(), self.operation(verb))
    }

    /// The action without the service, such as `ListRoles`.
    pub fn operation(self, verb: Verb) -> String {
        let kind = match self {
            Self::Role => "Role",
            Self::Group => "Group",
            Self::User => "User",
            Self::ServiceAccount => "ServiceAccount",
            Self::Environment => "Environment",
        };
        match verb {
            Verb::List => format!("List{kind}s"),
            Verb::Get => format!("Get{kind}Details"),
            Verb::Create => format!("Create{kind}"),
            Verb::Update => format!("Update{kind}"),
            Verb::Delete => format!("Delete{kind}"),
        }
    }

    /// The name of the kind in errors.
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
    /// All verbs.
    pub const ALL: [Self; 5] = [Self::List, Self::Get, Self::Create, Self::Update, Self::Delete];
}
