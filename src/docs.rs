//! `rolewright docs`: writes the field reference of each kind and the table of capabilities as Markdown. The source is the schemas and
//! capabilities in the code, so the pages never differ from the code.

mod capabilities;
mod metrics;

use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use rolewright_api as api;

const MARK: &str = "<!-- Written by `rolewright docs`. Do not edit. -->";

/// The destination of the pages.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory for the files, one for each kind
    #[arg(long)]
    dir: PathBuf,
}

/// Writes all pages.
pub fn run(args: &Args) -> Result<(), String> {
    std::fs::create_dir_all(&args.dir).map_err(|error| format!("{}: {error}", args.dir.display()))?;
    for crd in api::crds() {
        let file = args.dir.join(format!("{}.md", crd.spec.names.kind.to_lowercase()));
        write(&file, &page(&crd))?;
    }
    write(&args.dir.join("capabilities.md"), &capabilities::page())?;
    write(&args.dir.join("metrics.md"), &metrics::page())
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The page of one kind. Its blocks are paragraphs and tables, separated by blank lines.
fn page(crd: &CustomResourceDefinition) -> String {
    let names = &crd.spec.names;
    let full = format!("{}.{}", names.plural, crd.spec.group);
    let aliases = names.short_names.iter().flatten().chain([&full]);
    let commands: Vec<String> = aliases.map(|alias| format!("`kubectl get {alias}`")).collect();
    let mut blocks = vec![MARK.to_owned(), format!("# {}", names.kind)];
    for version in &crd.spec.versions {
        blocks.push(format!("`{}/{}`, {}", crd.spec.group, version.name, commands.join(" or ")));
        let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        blocks.extend(schema.into_iter().flat_map(described));
    }
    blocks.join("\n\n") + "\n"
}

fn described(schema: &JSONSchemaProps) -> Vec<String> {
    let mut blocks: Vec<String> = schema.description.iter().cloned().collect();
    for part in ["spec", "status"] {
        let Some(fields) = schema.properties.as_ref().and_then(|properties| properties.get(part)) else {
            continue;
        };
        let mut table = "| field | type | description |\n|---|---|---|".to_owned();
        rows(&mut table, "", fields);
        blocks.extend([format!("## {part}"), table]);
        let mut rules = Vec::new();
        collect_rules(&mut rules, part, fields);
        if !rules.is_empty() {
            blocks.push(
                "The API server also rejects an object that violates one of these rules, with this message:"
                    .to_owned(),
            );
            blocks.push(rules.join("\n"));
        }
    }
    blocks
}

fn rows(table: &mut String, prefix: &str, object: &JSONSchemaProps) {
    for (name, field) in object.properties.iter().flatten() {
        let path = format!("{prefix}{name}");
        let required = object.required.iter().flatten().any(|required| required == name);
        let kind = type_of(field) + if required { "; required" } else { "" };
        let description = field.description.as_deref().unwrap_or_default();
        table.push_str(&format!("\n| `{path}` | {} | {} |", cell(&kind), cell(description)));
        // The fields of a condition are the same in every Kubernetes API.
        if name == "conditions" {
            continue;
        }
        rows(table, &format!("{path}."), field);
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &field.items {
            rows(table, &format!("{path}[]."), item);
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

/// The type of a field and its limits, such as `string, 1 to 63 characters`.
fn type_of(field: &JSONSchemaProps) -> String {
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &field.items {
        let many =
            range(field.min_items, field.max_items).map(|range| format!("{range} ")).unwrap_or_default();
        return format!("{many}items: {}", type_of(item));
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = &field.additional_properties {
        return format!("map to {}", type_of(value));
    }
    let values: Vec<&str> = field.enum_.iter().flatten().filter_map(|value| value.0.as_str()).collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    let kind = field.type_.clone().unwrap_or_default();
    let limits = match kind.as_str() {
        "string" => range(field.min_length, field.max_length).map(|range| format!("{range} characters")),
        "integer" => range(field.minimum, field.maximum),
        _ => None,
    };
    limits.map_or(kind.clone(), |limits| format!("{kind}, {limits}"))
}

fn range<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> Option<String> {
    match (min, max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (None, None) => None,
    }
}

/// Collects the messages of the CEL rules of a schema and of all its fields.
fn collect_rules(rules: &mut Vec<String>, path: &str, schema: &JSONSchemaProps) {
    for rule in schema.x_kubernetes_validations.iter().flatten() {
        let path = format!("{path}{}", rule.field_path.as_deref().unwrap_or_default());
        rules.push(format!("- `{path}`: {}", rule.message.as_deref().unwrap_or(&rule.rule)));
    }
    for (name, field) in schema.properties.iter().flatten() {
        collect_rules(rules, &format!("{path}.{name}"), field);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        collect_rules(rules, &format!("{path}[]"), item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_page(name: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn reasons_page_has_exactly_one_section_per_reason() {
        let docs = read_page("reasons.md");
        let mut headings: Vec<&str> = docs.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let mut reasons: Vec<&str> = api::Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        headings.sort_unstable();
        reasons.sort_unstable();
        assert_eq!(headings, reasons);
    }

    #[test]
    fn page_shows_limits_of_fields_and_messages_of_rules() {
        let crds = api::crds();
        let binding =
            crds.iter().find(|crd| crd.spec.names.kind == "RoleBinding").expect("RoleBinding is a kind");
        let page = page(binding);
        assert!(
            page.contains("| `subjects[].kind` | User, ServiceAccount, Team, Group; required |"),
            "{page}"
        );
        assert!(page.contains("| `subjects` | 1 to 250 items: object; required |"), "{page}");
        assert!(page.contains("- `spec.roleRef`: write either name (a Role in this namespace)"), "{page}");
        assert!(!page.contains("conditions[]"), "{page}");
    }
}
