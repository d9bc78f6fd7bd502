//! The permissions that this server knows: resource types with their actions (contract 2.7, 3).
//!
//! The contract's list is partial, and so is this one.

use std::collections::BTreeSet;

use super::lrn;
use crate::lenses::rows::{
    kind::{Kind, Verb},
    switches::{Generation, Switches},
};

/// Resource types: service, short name, the format of the resource id, operations.
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

/// What stands for an environment in a format; such resources lie in one.
const ENVIRONMENT: &str = "${Environment}";

/// A resource type as this server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Such as `kafka`.
    pub service: String,
    /// Such as `topic`.
    pub short_name: String,
    /// Such as `${Environment}/kafka/${Topic}`.
    pub id_format: String,
    /// Operations, without the service.
    pub operations: BTreeSet<String>,
}

impl Definition {
    /// Such as `kafka:topic`.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.short_name)
    }
}

/// All resource types.
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

/// Whether a well-formed pattern of actions covers any that the server knows.
pub fn knows_action(pattern: &str, switches: &Switches) -> bool {
    definitions(switches).iter().any(|one| {
        one.operations.iter().any(|name| lrn::covers_action(pattern, &format!("{}:{name}", one.service)))
    })
}

/// Whether a well-formed pattern of resources is one of a service and a type that the server knows, with no
/// more segments than the type has, and with fewer only if it ends in a star.
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

/// The environment that a resource lies in.
pub fn environment_of<'a>(resource: &'a str, switches: &Switches) -> Option<&'a str> {
    let (full_name, id) = resource.rsplit_once(':')?;
    let known = definitions(switches).into_iter().find(|one| one.full_name() == full_name)?;
    let lies_in_one = known.id_format.strip_prefix(ENVIRONMENT)?.starts_with('/');
    lies_in_one.then(|| id.split('/').next()).flatten()
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
    fn what_lies_in_an_environment_names_it_first() {
        let switches = Switches::default();
        assert_eq!(environment_of("kafka:topic:prod/kafka/orders", &switches), Some("prod"));
        assert_eq!(environment_of("environments:environment:prod", &switches), None);
        assert_eq!(environment_of("iam:role:prod", &switches), None);
    }

    #[test]
    fn patterns_are_known_by_service_type_and_length() {
        let switches = Switches::default();
        for right in
            ["*", "kafka:*", "kafka:topic:*", "kafka:topic:prod/kafka/x", "alerts:event:*/*/*", "iam:role:a"]
        {
            assert!(knows_resource(right, &switches), "{right}");
        }
        for wrong in ["rockets:*", "kafka:rocket:*", "kafka:topic:prod/kafka", "iam:role:a/b"] {
            assert!(!knows_resource(wrong, &switches), "{wrong}");
        }
        for right in ["*", "iam:*", "iam:List*", "environments:AccessEnvironment", "iam:UpdateServiceAccount"]
        {
            assert!(knows_action(right, &switches), "{right}");
        }
        assert!(!knows_action("kafka:FlyTopic", &switches) && !knows_action("rockets:*", &switches));
    }
}
