//! Random schedules under a ceiling: users edit Roles and RoleBindings and request access, also with what is outside; hands change the
//! account; the namespace is selected or not; the operator is killed.
//!
//! After each write of the operator: nobody has got a role, and no role has got an action, that is outside of the ceiling.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{extract::Request, response::Response};
use futures::future::BoxFuture;
use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::InMemory, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};

use super::{
    ceilings::{SECRETS, cluster_backend, namespace, through},
    cluster::{Cluster, NAMESPACE, condition},
    network::Host,
    path::plural_of,
    process::{Cut, Moment},
    scene::{Simulated, host, remove_grant, schedules, simulated},
};
use crate::support::{ADMIN_CREDENTIAL, free_offer_of, kind_and_name, request_for};

/// Longer than the interval of sweeps.
const CALM: Duration = Duration::from_secs(150);

/// A role of a subject, or a role itself if the subject is empty, with the actions that it allows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Access {
    id: String,
    role: String,
    subject: String,
    actions: BTreeSet<String>,
}

/// What the schedules need of a vendor: things within the ceiling, and things outside.
trait Bounded: Simulated {
    /// Subjects, also by id. Those whose names are in [`Bounded::OUTSIDE`] are outside.
    fn subjects(tenant: &Value) -> Vec<Value>;
    /// Existing roles, as a `roleRef` names them.
    fn roles(tenant: &Value) -> Vec<Value>;
    /// An action with its resource that is outside, for a rule.
    const RULE: (&'static str, Option<&'static str>);
    /// Subjects, roles and actions that are outside.
    const OUTSIDE: &'static [&'static str];
    /// The ceiling.
    fn ceiling() -> Value;
    /// Who has what.
    fn holders(tenant: &Value) -> BTreeSet<Access>;
    /// Adds the action to an existing role that is within.
    fn widen(tenant: &mut Value);

    fn is_outside(access: &Access) -> bool {
        let is = |text: &String| Self::OUTSIDE.contains(&text.as_str());
        is(&access.role) || is(&access.subject) || access.actions.iter().any(is)
    }
}

fn rows<'a>(tenant: &'a Value, list: &str) -> &'a Vec<Value> {
    tenant[list].as_array().expect("rows")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A field of the rows of a list by another field.
fn by(tenant: &Value, list: &str, key: &str, field: &str) -> BTreeMap<String, String> {
    rows(tenant, list).iter().map(|row| (text(&row[key]), text(&row[field]))).collect()
}

/// The roles themselves, and the grants of them.
fn joined(
    roles: BTreeMap<String, (String, BTreeSet<String>)>,
    grants: impl IntoIterator<Item = (String, String)>,
) -> BTreeSet<Access> {
    let of = |id: &String, subject: String| {
        let (role, actions) = roles.get(id)?;
        Some(Access { id: id.clone(), role: role.clone(), subject, actions: actions.clone() })
    };
    let grants = grants.into_iter().filter_map(|(role, subject)| of(&role, subject));
    let grants: BTreeSet<Access> = grants.collect();
    roles.keys().filter_map(|id| of(id, String::new())).chain(grants).collect()
}

impl Bounded for Arize {
    const RULE: (&'static str, Option<&'static str>) = ("PROJECT_DELETE", None);
    const OUTSIDE: &'static [&'static str] = &["dave@example.com", "Admin", "PROJECT_DELETE", "foreign"];

    fn subjects(tenant: &Value) -> Vec<Value> {
        let users = by(tenant, "users", "email", "id");
        let by_id = ["bob@example.com", "dave@example.com"].map(|user| users[user].clone());
        let names = ["alice@example.com", "bob@example.com", "dave@example.com"].map(str::to_owned);
        let all = names.into_iter().chain(by_id);
        all.map(|name| json!({ "kind": "User", "name": name })).collect()
    }

    fn roles(tenant: &Value) -> Vec<Value> {
        let ids = by(tenant, "roles", "name", "id");
        vec![
            json!({ "name": "Legacy reviewer" }),
            json!({ "id": ids["Legacy reviewer"] }),
            json!({ "name": "Admin" }),
            json!({ "id": ids["Admin"] }),
        ]
    }

    fn ceiling() -> Value {
        json!({ "users": { "allow": ["*@example.com"], "deny": ["dave@*"] }, "actions": { "deny": ["*_DELETE"] } })
    }

    fn holders(tenant: &Value) -> BTreeSet<Access> {
        let live = rows(tenant, "roles").iter().filter(|role| role["deleted_at"].is_null());
        let actions = |role: &Value| role["permissions"].as_array().unwrap().iter().map(text).collect();
        let roles = live.map(|role| (text(&role["id"]), (text(&role["name"]), actions(role)))).collect();
        let users = by(tenant, "users", "id", "email");
        let grants = rows(tenant, "role_bindings").iter();
        joined(roles, grants.map(|row| (text(&row["role_id"]), users[&text(&row["user_id"])].clone())))
    }

    fn widen(tenant: &mut Value) {
        let roles = tenant["roles"].as_array_mut().unwrap();
        let role = roles.iter_mut().find(|role| role["name"] == "Legacy reviewer").unwrap();
        role["permissions"].as_array_mut().unwrap().push(json!(Self::RULE.0));
    }
}

impl Bounded for Grafana {
    const RULE: (&'static str, Option<&'static str>) = ("reports:delete", Some("reports:*"));
    const OUTSIDE: &'static [&'static str] = &["dave", "finance", "reports:delete", "foreign"];

    fn subjects(tenant: &Value) -> Vec<Value> {
        let teams = by(tenant, "teams", "name", "uid");
        [
            ("User", "alice@example.com"),
            ("User", "login:bob"),
            ("User", "dave@example.com"),
            ("User", "login:dave"),
            ("Team", "sre"),
            ("Team", "finance"),
            ("Team", &format!("uid:{}", teams["finance"])),
        ]
        .iter()
        .map(|(kind, name)| json!({ "kind": kind, "name": name }))
        .collect()
    }

    fn roles(_: &Value) -> Vec<Value> {
        vec![
            json!({ "name": "Legacy reviewer" }),
            json!({ "id": "legacy-reviewer" }),
            json!({ "name": "fixed:reports:writer" }),
        ]
    }

    fn ceiling() -> Value {
        json!({
            "users": { "deny": ["dave@example.com"] },
            "teams": { "allow": ["sre*", "data-*"] },
            "actions": { "deny": ["reports:delete"] },
        })
    }

    fn holders(tenant: &Value) -> BTreeSet<Access> {
        let actions = |role: &Value| {
            role["permissions"].as_array().unwrap().iter().map(|one| text(&one["action"])).collect()
        };
        let roles = rows(tenant, "roles").iter();
        let roles = roles.map(|role| (text(&role["uid"]), (text(&role["name"]), actions(role)))).collect();
        let (users, teams) = (by(tenant, "users", "id", "login"), by(tenant, "teams", "id", "name"));
        let of_users = rows(tenant, "user_roles").iter().map(|row| {
            let user = text(&row["user_id"]);
            (text(&row["role_uid"]), users.get(&user).cloned().unwrap_or(user))
        });
        let of_teams = rows(tenant, "team_roles").iter();
        let of_teams = of_teams.map(|row| (text(&row["role_uid"]), teams[&text(&row["team_id"])].clone()));
        joined(roles, of_users.chain(of_teams))
    }

    fn widen(tenant: &mut Value) {
        let roles = tenant["roles"].as_array_mut().unwrap();
        let role = roles.iter_mut().find(|role| role["uid"] == "legacy-reviewer").unwrap();
        let (action, scope) = Self::RULE;
        role["permissions"].as_array_mut().unwrap().push(json!({ "action": action, "scope": scope }));
        role["version"] = json!(role["version"].as_i64().unwrap() + 1);
    }
}

impl Bounded for Lenses {
    const RULE: (&'static str, Option<&'static str>) = ("kafka:DeleteTopic", Some("kafka:topic:*"));
    const OUTSIDE: &'static [&'static str] =
        &["dave@example.com", "group finance", "administrator", "kafka:DeleteTopic", "foreign"];

    fn subjects(_: &Value) -> Vec<Value> {
        [
            ("User", "alice@example.com"),
            ("User", "dave@example.com"),
            ("User", "peggy"),
            ("ServiceAccount", "nightly-reports"),
            ("Group", "sre"),
            ("Group", "finance"),
        ]
        .iter()
        .map(|(kind, name)| json!({ "kind": kind, "name": name }))
        .collect()
    }

    fn roles(_: &Value) -> Vec<Value> {
        ["topic-reader", "administrator"].iter().map(|name| json!({ "name": name })).collect()
    }

    fn ceiling() -> Value {
        json!({
            "users": { "deny": ["dave@*"] },
            "groups": { "allow": ["sre"] },
            "actions": { "allow": ["kafka:*"], "deny": ["kafka:Delete*"] },
        })
    }

    fn holders(tenant: &Value) -> BTreeSet<Access> {
        let actions = |role: &Value| {
            let statements = role["policy"].as_array().unwrap().iter();
            let of = |one: &Value| match &one["action"] {
                Value::Array(many) => many.iter().map(text).collect::<Vec<_>>(),
                one => vec![text(one)],
            };
            statements.filter(|one| one["effect"] == "allow").flat_map(of).collect()
        };
        let roles = rows(tenant, "roles").iter();
        let roles = roles.map(|role| (text(&role["name"]), (text(&role["name"]), actions(role)))).collect();
        let members = |group: &Value| match text(&group["name"]) {
            name if name.starts_with("rw-") => {
                group["members"].as_array().unwrap().iter().map(|it| text(&it["name"])).collect()
            }
            name => vec![format!("group {name}")],
        };
        let grants = rows(tenant, "groups").iter().flat_map(|group| {
            let holders = members(group);
            group["roles"].as_array().unwrap().iter().flat_map(move |role| {
                holders.clone().into_iter().map(|holder| (text(role), holder)).collect::<Vec<_>>()
            })
        });
        joined(roles, grants)
    }

    fn widen(tenant: &mut Value) {
        let roles = tenant["roles"].as_array_mut().unwrap();
        let role = roles.iter_mut().find(|role| role["name"] == "topic-reader").unwrap();
        let (action, resource) = Self::RULE;
        let statement = json!({ "effect": "allow", "action": [action], "resource": [resource] });
        role["policy"].as_array_mut().unwrap().push(statement);
    }
}

impl Bounded for ZenMl {
    const RULE: (&'static str, Option<&'static str>) = ("delete", Some("model"));
    const OUTSIDE: &'static [&'static str] = &["dave", "finance", "model:delete", "foreign"];

    fn subjects(_: &Value) -> Vec<Value> {
        [
            ("User", "alice@example.com"),
            ("User", "bob@example.com"),
            ("User", "dave@example.com"),
            ("Team", "sre"),
            ("Team", "finance"),
        ]
        .iter()
        .map(|(kind, name)| json!({ "kind": kind, "name": name }))
        .collect()
    }

    fn roles(_: &Value) -> Vec<Value> {
        vec![json!({ "name": "legacy-reviewer" })]
    }

    fn ceiling() -> Value {
        json!({
            "users": { "deny": ["dave@*"] },
            "teams": { "deny": ["fin*"] },
            "actions": { "deny": ["delete"] },
        })
    }

    fn holders(tenant: &Value) -> BTreeSet<Access> {
        let actions = |role: &Value| {
            let by_type = role["permissions"].as_object().unwrap().iter();
            let of = |(of, actions): (&String, &Value)| {
                let each = actions.as_array().unwrap().iter().map(|it| format!("{of}:{}", text(it)));
                each.collect::<Vec<_>>()
            };
            by_type.flat_map(of).collect()
        };
        let roles = rows(tenant, "roles").iter();
        let roles = roles.map(|role| (text(&role["id"]), (text(&role["name"]), actions(role)))).collect();
        let (users, teams) = (by(tenant, "users", "id", "email"), by(tenant, "teams", "id", "name"));
        let grants = rows(tenant, "assignments").iter().map(|row| {
            let principal = &row["principal"];
            let id = principal.as_object().and_then(|it| it.values().next()).map(text).unwrap_or_default();
            let name = users.get(&id).or_else(|| teams.get(&id)).cloned().unwrap_or(id);
            (text(&row["role_id"]), name.split('@').next().unwrap().to_owned())
        });
        joined(roles, grants)
    }

    fn widen(tenant: &mut Value) {
        let roles = tenant["roles"].as_array_mut().unwrap();
        let role = roles.iter_mut().find(|role| role["name"] == "legacy-reviewer").unwrap();
        let actions = role["permissions"]["model"].as_array_mut().unwrap();
        actions.push(json!(Self::RULE.0));
    }
}

/// The account, and what writes of the operator gave.
struct Measured<V: Bounded> {
    sim: Arc<InMemory<V>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    access: BTreeSet<Access>,
    given: usize,
    outside: Vec<Access>,
}

impl<V: Bounded> Measured<V> {
    fn tenant(&self) -> Value {
        serde_json::to_value(&*self.sim.world().tenant()).unwrap()
    }

    /// Notes what is new since the last look. `by_hand`: not by the operator.
    fn look(&self, by_hand: bool) {
        let now = V::holders(&self.tenant());
        let mut seen = self.seen.lock().unwrap();
        if !by_hand {
            // Who has a role that got another name has got nothing.
            let had = |new: &Access| {
                let same = |old: &Access| {
                    (&old.id, &old.subject, &old.actions) == (&new.id, &new.subject, &new.actions)
                };
                !new.subject.is_empty() && seen.access.iter().any(same)
            };
            let new: Vec<Access> = now.difference(&seen.access).filter(|new| !had(new)).cloned().collect();
            seen.given += new.len();
            seen.outside.extend(new.into_iter().filter(V::is_outside));
        }
        seen.access = now;
    }
}

impl<V: Bounded> Host for Measured<V> {
    fn changes(&self, target: &str, held: &Value) -> bool {
        V::changes(target, held)
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move {
            let is_write = request.method() != "GET";
            let answer = self.sim.answer(request).await;
            if is_write {
                self.look(false);
            }
            answer
        })
    }
}

struct Schedule<V: Bounded> {
    cluster: Cluster,
    account: Arc<Measured<V>>,
    random: fastrand::Rng,
    seeded: Value,
    subjects: Vec<Value>,
    roles: Vec<Value>,
    denied: usize,
    steps: Vec<String>,
    /// The ceiling holds. Before that, everything is within.
    is_narrow: bool,
}

impl<V: Bounded> Schedule<V> {
    fn new(seed: u64) -> Self {
        let sim = Arc::new(InMemory::new(V::servers().pop().unwrap()).unwrap());
        let seeded = V::external(&sim.world().tenant());
        let account = Arc::new(Measured { sim, seen: Mutex::default() });
        account.look(true);
        let tenant = account.tenant();
        let hosts: BTreeMap<String, Arc<dyn Host>> = [(host(), account.clone() as _)].into();
        let mut cluster = Cluster::new(Arc::new(hosts));
        cluster.apply_secret(SECRETS, V::SECRET, ADMIN_CREDENTIAL, "");
        // At first of every second schedule, nothing is limited; then the ceiling becomes narrower.
        let is_narrow = seed % 2 == 1;
        cluster.apply(shared::<V>(is_narrow));
        cluster.apply(namespace(json!({ "shared": "yes" })));
        cluster.start();
        let (subjects, roles) = (V::subjects(&tenant), V::roles(&tenant));
        let random = fastrand::Rng::with_seed(seed);
        Self { cluster, account, random, seeded, subjects, roles, denied: 0, steps: Vec::new(), is_narrow }
    }

    fn step(&mut self) -> String {
        match self.random.u8(..100) {
            0..25 => self.apply_role(),
            25..62 => self.apply_binding(),
            62..67 => self.request(),
            67..72 => self.delete(),
            72..80 => self.meddle(),
            80..88 => {
                let selected = if self.random.bool() { "yes" } else { "no" };
                self.cluster.apply(namespace(json!({ "shared": selected })));
                format!("label the namespace: {selected}")
            }
            88..95 => {
                let cut = Cut {
                    call: self.random.usize(..30),
                    moment: self.pick(&[Moment::Before, Moment::After]),
                };
                self.cluster.arm(Some(cut));
                format!("kill: {cut:?}")
            }
            _ => "wait".to_owned(),
        }
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.random.usize(..all.len())].clone()
    }

    fn apply_role(&mut self) -> String {
        let mut role = through(sample::<V>("Role"));
        let number = self.random.u8(..2);
        role["metadata"]["name"] = json!(format!("role-{number}"));
        let name = match self.random.u8(..4) {
            0 => "foreign".to_owned(),
            _ => format!("{NAMESPACE}-{number}"),
        };
        role["spec"]["name"] = json!(name);
        let is_wide = self.random.u8(..3) == 0;
        if is_wide {
            let (action, resource) = V::RULE;
            let mut rule = json!({ "actions": [action] });
            if let Some(resource) = resource {
                rule["resources"] = json!([resource]);
            }
            role["spec"]["rules"].as_array_mut().unwrap().push(rule);
        }
        role["spec"]["adopt"] = json!(self.pick(&["Always", "IfIdentical", "Never"]));
        self.cluster.apply(role);
        format!("apply Role role-{number} {name} wide={is_wide}")
    }

    fn apply_binding(&mut self) -> String {
        let mut binding = through(sample::<V>("RoleBinding"));
        let number = self.random.u8(..2);
        binding["metadata"]["name"] = json!(format!("binding-{number}"));
        let role = match self.random.bool() {
            true => json!({ "name": format!("role-{}", self.random.u8(..2)) }),
            false => json!({ "external": self.pick(&self.roles.clone()) }),
        };
        binding["spec"]["roleRef"] = role.clone();
        let mut subjects = self.subjects.clone();
        self.random.shuffle(&mut subjects);
        subjects.truncate(self.random.usize(1..4));
        // A group is not listed beside its members.
        let of_first = subjects[0]["kind"] == "Group";
        subjects.retain(|subject| (subject["kind"] == "Group") == of_first);
        binding["spec"]["subjects"] = json!(subjects);
        binding["spec"]["membership"] = json!(self.pick(&["Additive", "Additive", "Authoritative"]));
        binding["spec"]["adopt"] = json!(self.pick(&["Always", "IfIdentical"]));
        self.cluster.apply(binding);
        format!("apply RoleBinding binding-{number} of {role} to {}", json!(subjects))
    }

    /// Requests a role for a user, under an offer for which nobody has to approve requests.
    fn request(&mut self) -> String {
        let mut binding = through(sample::<V>("RoleBinding"));
        let role = self.pick(&self.roles.clone());
        binding["spec"]["roleRef"] = json!({ "external": role });
        self.cluster.apply(free_offer_of(&binding));
        let mut users = self.subjects.clone();
        users.retain(|subject| subject["kind"] == "User");
        let user = text(&self.pick(&users)["name"]);
        let name = format!("request-{}", self.cluster.api.version());
        self.cluster.apply(request_for(&name, &user, "2h"));
        format!("request {role} for {user}")
    }

    fn delete(&mut self) -> String {
        let mut objects = [self.cluster.objects(), self.cluster.api.list("accessrequests")].concat();
        objects.retain(|object| object["kind"] != "ClusterBackend");
        if objects.is_empty() {
            return "wait".to_owned();
        }
        let object = self.pick(&objects);
        let (kind, name) = kind_and_name(&object);
        self.cluster.api.delete(plural_of(kind), NAMESPACE, name);
        format!("delete {kind} {name}")
    }

    fn meddle(&mut self) -> String {
        let what = remove_grant(&self.account.sim, &self.seeded, &mut self.random);
        self.account.look(true);
        format!("by hand: remove {what:?}")
    }

    async fn pass(&mut self, time: Duration) {
        self.cluster.pass(time).await;
        let objects = self.cluster.objects();
        self.denied += objects.iter().filter(|it| condition(it, "Ready")["reason"] == "Denied").count();
        let outside = self.account.seen.lock().unwrap().outside.clone();
        assert!(
            outside.is_empty() || !self.is_narrow,
            "{outside:#?}\n{:#?}\n{}",
            self.steps,
            self.cluster.describe()
        );
    }

    /// Returns how much was given, and how often an object was refused.
    async fn run(mut self, steps: usize) -> (usize, usize) {
        for number in 0..steps {
            if number == steps / 4 && !self.is_narrow {
                // What is under way is done before.
                self.pass(CALM * 4).await;
                self.cluster.apply(shared::<V>(true));
                self.pass(CALM).await;
                self.is_narrow = true;
                self.account.seen.lock().unwrap().outside.clear();
            }
            let step = self.step();
            self.steps.push(step);
            let time =
                if self.random.u8(..4) == 0 { CALM } else { Duration::from_millis(self.random.u64(..2000)) };
            self.pass(time).await;
            if number == steps / 2 {
                // Nothing is under way when a role becomes wider, so the next sweep shows it before the next write.
                self.pass(CALM * 4).await;
                let mut tenant = self.account.tenant();
                V::widen(&mut tenant);
                self.account.sim.world().replace(serde_json::from_value(tenant).unwrap()).unwrap();
                self.account.look(true);
                self.steps.push("by hand: widen a role".to_owned());
                self.pass(CALM).await;
            }
        }
        self.pass(CALM * 4).await;
        self.cluster.kill().await;
        let given = self.account.seen.lock().unwrap().given;
        (given, self.denied)
    }
}

/// The ClusterBackend, without limits or with them.
fn shared<V: Bounded>(is_narrow: bool) -> Value {
    let (names, ceiling) = match is_narrow {
        true => ("{namespace}-*".to_owned(), V::ceiling()),
        false => ("*".to_owned(), json!({})),
    };
    let allow =
        json!({ "roleNames": [names], "adopt": true, "authoritative": true, "escalation": !is_narrow });
    cluster_backend::<V>(json!({ "allow": allow, "ceiling": ceiling }))
}

fn sample<V: Simulated>(kind: &str) -> Value {
    V::objects().into_iter().find(|object| object["kind"] == kind).expect("an object of each kind")
}

fn explore<V: Bounded>() {
    let all = Mutex::new((0, 0));
    schedules(&format!("{} under a ceiling", V::NAME), 40, 12, |seed, steps| {
        let (given, denied) = simulated(seed, async move { Schedule::<V>::new(seed).run(steps).await });
        let mut all = all.lock().unwrap();
        *all = (all.0 + given, all.1 + denied);
    });
    let (given, denied) = *all.lock().unwrap();
    assert!(given > 0 && denied > 0, "{given} given, {denied} denied: the schedules show nothing");
}

#[test]
fn nothing_beyond_the_ceiling_is_given_on_arize() {
    explore::<Arize>();
}

#[test]
fn nothing_beyond_the_ceiling_is_given_on_grafana() {
    explore::<Grafana>();
}

#[test]
fn nothing_beyond_the_ceiling_is_given_on_lenses() {
    explore::<Lenses>();
}

#[test]
fn nothing_beyond_the_ceiling_is_given_on_zenml() {
    explore::<ZenMl>();
}
