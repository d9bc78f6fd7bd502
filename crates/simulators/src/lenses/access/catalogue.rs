//! The catalogue: the resource types that this server knows, with their actions (contract 2.7, 3.5). The contract's
//! list is partial, and so is this one.

use std::collections::BTreeSet;

use super::lrn;
use crate::lenses::rows::{
    kind::{Kind, Verb},
    switches::{Generation, Switches},
};

/// Service, short name, format of the resource id, operations.
const TYPES: &[(&str, &str, &str, &[&str])] = &[
    (
        "administration",
        "connection",
        "${Environment}/${Connection}",
        &[
            "CreateConnection",
            "ListConnections",
            "GetConnectionDetails",
            "UpdateConnection",
            "DeleteConnection",
        ],
    ),
    (
        "administration",
        "license",
        "${License}",
        &["ListLicenses", "GetLicenseDetails", "UpdateLicenseDetails"],
    ),
    ("administration", "lenses", "${Environment}", &["GetLensesLogs", "GetLensesConfiguration"]),
    ("administration", "agent", "${Agent}", &["ListAgents", "GetAgentDetails", "UpdateAgent", "DeleteAgent"]),
    ("administration", "setting", "${Setting}", &["GetSetting", "UpdateSetting"]),
    (
        "applications",
        "application",
        "${Environment}/${Application}",
        &[
            "RegisterApplication",
            "UnregisterApplication",
            "ListApplications",
            "GetApplicationDetails",
            "ListApplicationDependants",
        ],
    ),
    (
        "alerts",
        "rule",
        "${Environment}/${AlertType}/${Rule}",
        &[
            "CreateAlertRule",
            "ListAlertRules",
            "GetAlertRuleDetails",
            "UpdateAlertRule",
            "DeleteAlertRule",
            "ToggleAlertRule",
        ],
    ),
    ("alerts", "event", "${Environment}/${AlertType}/${Event}", &["ListAlertEvents", "DeleteAlertEvents"]),
    ("alerts", "channel", "${Environment}/${ChannelType}/${Channel}", CHANNEL),
    ("audit", "log", "${Environment}/${Log}", &["ListLogEvents", "GetLogEventDetails"]),
    ("audit", "channel", "${Environment}/${ChannelType}/${Channel}", CHANNEL),
    ("environments", "environment", "${Environment}", &["AccessEnvironment"]),
    (
        "kafka",
        "topic",
        "${Environment}/kafka/${Topic}",
        &[
            "CreateTopic",
            "ListTopics",
            "GetTopicDetails",
            "UpdateTopicDetails",
            "ReadTopicData",
            "WriteTopicData",
            "ListTopicDependants",
        ],
    ),
    (
        "kafka",
        "consumer-group",
        "${Environment}/kafka/${ConsumerGroup}",
        &["ListConsumerGroups", "GetConsumerGroupDetails", "ListConsumerGroupDependants"],
    ),
    ("kafka", "acl", "${Environment}/kafka/${ResourceType}/${PrincipalType}/${Principal}", &["ListAcls"]),
    ("schemas", "schema", "${Environment}/schema-registry/${Schema}", &["CreateSchema", "ListSchemas"]),
    ("kafka-connect", "connector", "${Environment}/${KafkaConnectCluster}/${Connector}", &["ListConnectors"]),
    ("iam", "role", "${Role}", &[]),
    ("iam", "group", "${Group}", &[]),
    ("iam", "user", "${User}", &[]),
    ("iam", "service-account", "${ServiceAccount}", &[]),
];

const CHANNEL: &[&str] =
    &["CreateChannel", "ListChannels", "GetChannelDetails", "UpdateChannel", "DeleteChannel"];

const KINDS: [Kind; 5] = [Kind::Role, Kind::Group, Kind::User, Kind::ServiceAccount, Kind::Environment];

/// The placeholder of an environment. Formats of resources in an environment begin with it.
const ENVIRONMENT: &str = "${Environment}";

/// A resource type of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Such as `kafka`.
    pub service: String,
    /// Such as `topic`.
    pub short_name: String,
    /// Such as `${Environment}/kafka/${Topic}`.
    pub id_format: String,
    /// Without the service.
    pub operations: BTreeSet<String>,
}

impl Definition {
    /// Such as `kafka:topic`.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.short_name)
    }
}

/// All resource types of this server.
pub fn definitions(switches: &Switches) -> Vec<Definition> {
    let mut all: Vec<Definition> = TYPES.iter().map(|row| definition(row, switches.generation)).collect();
    for (full_name, operations) in &switches.extra_actions {
        let (service, short_name) = full_name.split_once(':').unwrap_or((full_name, ""));
        match all.iter_mut().find(|one| one.service == service && one.short_name == short_name) {
            Some(known) => known.operations.extend(operations.iter().cloned()),
            None => all.push(Definition {
                service: service.to_owned(),
                short_name: short_name.to_owned(),
                id_format: "${Resource}".to_owned(),
                operations: operations.clone(),
            }),
        }
    }
    for one in &mut all {
        let service = one.service.clone();
        one.operations.retain(|name| !switches.missing_actions.contains(&format!("{service}:{name}")));
    }
    all
}

fn definition(
    (service, short_name, format, operations): &(&str, &str, &str, &[&str]),
    of: Generation,
) -> Definition {
    let mut operations: BTreeSet<String> = operations.iter().map(|name| (*name).to_owned()).collect();
    let is_same = |kind: &&Kind| kind.service() == *service && kind.resource_type() == *short_name;
    if let Some(kind) = KINDS.iter().find(is_same) {
        operations.extend(Verb::ALL.map(|verb| kind.operation(verb)));
    }
    let mut id_format = *format;
    if of < Generation::V62 && *short_name == "connection" {
        id_format = "${Environment}/${ConnectionType}/${Connection}";
    }
    if of < Generation::V62 && operations.remove("UpdateLicenseDetails") {
        operations.insert("UpdateLicense".to_owned());
    }
    Definition {
        service: (*service).to_owned(),
        short_name: (*short_name).to_owned(),
        id_format: id_format.to_owned(),
        operations,
    }
}

/// Whether a well-formed action pattern covers an action of the catalogue.
pub fn knows_action(pattern: &str, switches: &Switches) -> bool {
    definitions(switches).iter().any(|one| {
        one.operations.iter().any(|name| lrn::covers_action(pattern, &format!("{}:{name}", one.service)))
    })
}

/// Whether the catalogue has the service and type of a well-formed resource pattern. The pattern must have as many
/// segments as the type, or fewer with a star at the end.
pub fn knows_resource(pattern: &str, switches: &Switches) -> bool {
    let all = definitions(switches);
    if let Some(service) = lrn::whole_service(pattern) {
        return all.iter().any(|one| one.service == service);
    }
    let Some((full_name, id)) = pattern.rsplit_once(':') else { return pattern == "*" };
    let Some(known) = all.iter().find(|one| one.full_name() == full_name) else { return false };
    let (has, takes) = (id.split('/').count(), known.id_format.split('/').count());
    has == takes || (has < takes && id.ends_with('*'))
}

/// The environment of a resource; none for resources outside environments.
pub fn environment_of<'a>(resource: &'a str, switches: &Switches) -> Option<&'a str> {
    let (full_name, id) = resource.rsplit_once(':')?;
    let known = definitions(switches).into_iter().find(|one| one.full_name() == full_name)?;
    let is_in_environment = known.id_format.strip_prefix(ENVIRONMENT)?.starts_with('/');
    is_in_environment.then(|| id.split('/').next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{definitions, environment_of, knows_action, knows_resource};
    use crate::lenses::rows::switches::{Generation, Switches};

    #[test]
    fn generations_differ_in_connections_and_licences() {
        let new = Switches::default();
        let old = Switches { generation: Generation::V61, ..Switches::default() };
        assert!(knows_action("administration:UpdateLicenseDetails", &new));
        assert!(!knows_action("administration:UpdateLicenseDetails", &old));
        assert!(knows_action("administration:UpdateLicense", &old));
        let three = "administration:connection:prod/kafka/main";
        assert!(knows_resource(three, &old) && !knows_resource(three, &new));
        assert_eq!(definitions(&new).len(), definitions(&old).len());
    }

    #[test]
    fn resources_in_an_environment_begin_with_its_name() {
        let switches = Switches::default();
        assert_eq!(environment_of("kafka:topic:prod/kafka/orders", &switches), Some("prod"));
        assert_eq!(environment_of("environments:environment:prod", &switches), None);
        assert_eq!(environment_of("iam:role:prod", &switches), None);
    }

    #[test]
    fn patterns_must_match_service_type_and_length() {
        let switches = Switches::default();
        for valid in
            ["*", "kafka:*", "kafka:topic:*", "kafka:topic:prod/kafka/x", "alerts:event:*/*/*", "iam:role:a"]
        {
            assert!(knows_resource(valid, &switches), "{valid}");
        }
        for invalid in ["rockets:*", "kafka:rocket:*", "kafka:topic:prod/kafka", "iam:role:a/b"] {
            assert!(!knows_resource(invalid, &switches), "{invalid}");
        }
        for valid in ["*", "iam:*", "iam:List*", "environments:AccessEnvironment", "iam:UpdateServiceAccount"]
        {
            assert!(knows_action(valid, &switches), "{valid}");
        }
        assert!(!knows_action("kafka:FlyTopic", &switches) && !knows_action("rockets:*", &switches));
    }
}
