//! Whether the CRDs in the cluster have the schema level of this operator.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, ResourceExt};

use rolewright_api as api;
use rolewright_api::annotations;

/// Why the CRDs do not fit.
pub enum Misfit {
    /// One is not there.
    Missing(String),
    /// One is of another level.
    Level(String),
}

impl Misfit {
    /// The message for the log.
    pub fn why(&self) -> &str {
        match self {
            Misfit::Missing(why) | Misfit::Level(why) => why,
        }
    }
}

/// Why the CRDs do not fit; None when they do.
///
/// # Errors
/// When the API server does not answer.
pub async fn misfit(client: &Client) -> Result<Option<Misfit>, kube::Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for name in api::CRD_NAMES {
        let name = name();
        // Without the schemas, which are long.
        let Some(there) = definitions.get_metadata_opt(name).await? else {
            return Ok(Some(Misfit::Missing(format!(
                "the custom resource definition {name} is missing: apply the ones of this release"
            ))));
        };
        let level = there.annotations().get(annotations::SCHEMA_LEVEL).map_or("none", String::as_str);
        if level != api::SCHEMA_LEVEL {
            return Ok(Some(Misfit::Level(format!(
                "the custom resource definition {name} has schema level {level} and this operator knows level {}: apply the definitions of \
                 this release, or run the operator that they belong to",
                api::SCHEMA_LEVEL
            ))));
        }
    }
    Ok(None)
}
