//! What each back end can do: a row a feature, a column a back end.

use rolewright_backends::VENDORS;
use rolewright_core::model::{Dialect, Kind, Level, Restrictions};

/// What a back end can do of one feature.
type Cell = fn(&dyn Dialect) -> String;

/// The page.
pub fn page() -> String {
    let mut rows = vec![
        row("", VENDORS.iter().map(|vendor| vendor.title.to_owned())),
        row("---", VENDORS.iter().map(|_| "---".to_owned())),
    ];
    let features: [(&str, Cell); 8] = [
        ("things that objects hold", |dialect| listed(&dialect.capabilities().kinds().collect::<Vec<_>>())),
        ("subjects of a RoleBinding", |dialect| listed(dialect.capabilities().subjects)),
        ("of them, members of a group that the RoleBinding owns", |dialect| {
            listed(dialect.capabilities().group_members())
        }),
        ("scope of a RoleBinding", scope),
        ("a role can be renamed", |dialect| yes(dialect.capabilities().renames_roles())),
        ("two roles of one name", |dialect| {
            if dialect.capabilities().refuses_duplicates(Kind::Role) {
                "refused"
            } else {
                "possible: looked for before one is made"
            }
            .to_owned()
        }),
        ("ResourceRestriction", |dialect| named(dialect.capabilities().restriction_levels())),
        ("restricting", restricting),
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

fn listed(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("`{}`", item.to_string())).collect();
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
        (levels, false) => format!("{}; needed", listed(levels)),
    }
}

fn restricting(dialect: &dyn Dialect) -> String {
    match dialect.capabilities().restrictions {
        Restrictions::None { .. } => "",
        Restrictions::ClosedDefaults { .. } => "takes default permissions away, and gives them back",
        Restrictions::Objects { .. } => "makes a restriction, and removes it",
    }
    .to_owned()
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
