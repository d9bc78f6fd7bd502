//! The table of capabilities: one row for each feature, one column for each back end.

use rolewright_backends::VENDORS;
use rolewright_core::model::{Dialect, Kind, Level};

/// Describes the support for one feature in a back end.
type Cell = fn(&dyn Dialect) -> String;

/// The page with the table.
pub fn page() -> String {
    let mut rows = vec![
        row("", VENDORS.iter().map(|vendor| vendor.title.to_owned())),
        row("---", VENDORS.iter().map(|_| "---".to_owned())),
    ];
    let features: [(&str, Cell); 8] = [
        ("external things that objects manage", |dialect| listed(dialect.capabilities().kinds())),
        ("subjects of a RoleBinding", |dialect| listed(dialect.capabilities().subjects)),
        ("subjects that become members of a group of the RoleBinding", |dialect| {
            listed(dialect.capabilities().group_members())
        }),
        ("scope of a RoleBinding", scope),
        ("roles can be renamed", |dialect| yes(dialect.capabilities().renames_roles())),
        ("two roles with the same name", |dialect| {
            if dialect.capabilities().refuses_duplicates(Kind::Role) {
                "refused"
            } else {
                "possible: Rolewright searches before it creates a role"
            }
            .to_owned()
        }),
        ("resources of a ResourceRestriction", |dialect| named(dialect.capabilities().restriction_levels())),
        ("effect of a ResourceRestriction", restriction_effect),
    ];
    rows.extend(
        features.iter().map(|(name, cell)| row(name, VENDORS.iter().map(|vendor| cell(vendor.dialect)))),
    );
    [super::MARK, "# What each back end can do", &rows.join("\n")].join("\n\n") + "\n"
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("`{}`", item.to_string())).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn named(levels: &[Level]) -> String {
    if levels.is_empty() { "`Unsupported`".to_owned() } else { listed(levels) }
}

fn scope(dialect: &dyn Dialect) -> String {
    let capabilities = dialect.capabilities();
    match (capabilities.grant_levels(), capabilities.scope_is_optional()) {
        ([], _) => "none".to_owned(),
        (levels, true) => format!("{}, or none", listed(levels)),
        (levels, false) => format!("{}; required", listed(levels)),
    }
}

fn restriction_effect(dialect: &dyn Dialect) -> String {
    match (dialect.capabilities().restriction_levels(), dialect.capabilities().closes_defaults()) {
        ([], _) => "",
        (_, true) => "removes default permissions; restores them when the object is deleted",
        (_, false) => "creates a restriction; deletes it when the object is deleted",
    }
    .to_owned()
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
