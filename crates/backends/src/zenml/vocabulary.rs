//! The actions and types of resources that the vendor's client knows (contract 2.1), for messages alone: the server decides which exist.

use crate::Vocabulary;

const ACTIONS: &str = "backup_restore client create delete promote prune read read_secret_value share update";
const RESOURCES: &str = "artifact artifact_version code_repository deployment flavor model model_version pipeline pipeline_build \
                         pipeline_deployment pipeline_run project run_metadata run_template schedule secret service service_account \
                         service_connector stack stack_component tag trigger webhook";

/// All of them.
pub fn known() -> Vocabulary {
    let mut known = Vocabulary::default();
    ACTIONS.split_whitespace().for_each(|action| known.add(action, None));
    RESOURCES.split_whitespace().for_each(|resource| known.add("", Some(resource)));
    known
}
