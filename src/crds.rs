//! `rolewright crds`: writes the custom resource definitions, or JSON Schemas of the objects, to stdout or to files.

use std::path::{Path, PathBuf};

use kube::ResourceExt;

use rolewright_api as api;

use crate::{output, schemas};

/// What to write, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory for the files, one for each definition; without it, all definitions go to stdout
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Write JSON Schemas of the objects instead, for editors and for checks without a cluster
    #[arg(long, requires = "dir")]
    json_schema: bool,
}

/// Writes all definitions or schemas.
pub fn run(args: &Args) -> Result<(), String> {
    let Some(dir) = &args.dir else {
        let documents: Result<String, String> =
            api::crds().iter().map(|crd| Ok(format!("---\n{}", yaml(crd)?))).collect();
        return output::print(&documents?);
    };
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    if args.json_schema {
        for (name, schema) in schemas::all()? {
            write(&dir.join(name), &format!("{schema:#}\n"))?;
        }
        return Ok(());
    }
    for crd in api::crds() {
        // controller-gen uses the same names: the group comes first, so that a listing sorts by group.
        let file = dir.join(format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural));
        let text = format!("# Written by `rolewright crds`. Do not edit.\n{}", yaml(&crd)?);
        write(&file, &text)?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn yaml(
    crd: &k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
) -> Result<String, String> {
    serde_yaml::to_string(crd).map_err(|error| format!("{}: {error}", crd.name_any()))
}
