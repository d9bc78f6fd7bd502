//! `rolewright crds`: the custom resource definitions, on stdout or as files.

use std::path::PathBuf;

use kube::ResourceExt;

use rolewright_api as api;

/// Where they go.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Writes a file for each into this directory; without it, all go to stdout
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Writes them.
pub fn run(args: &Args) -> Result<(), String> {
    let Some(dir) = &args.dir else {
        for crd in api::crds() {
            print!("---\n{}", yaml(&crd)?);
        }
        return Ok(());
    };
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for crd in api::crds() {
        // The plural first in the definition's name, the group first in the file's: files of one group lie together.
        let file = dir.join(format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural));
        let text = format!("# Written by `rolewright crds`. Do not edit.\n{}", yaml(&crd)?);
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn yaml(
    crd: &k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
) -> Result<String, String> {
    serde_yaml::to_string(crd).map_err(|error| format!("{}: {error}", crd.name_any()))
}
