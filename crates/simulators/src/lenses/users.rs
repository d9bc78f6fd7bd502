//! Users (contract 2.3).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    body::within,
    call::{Answer, Scene},
    kind::{Kind, Verb},
    memberships,
    metadata::{self, Metadata},
    names::{self, Named},
    principals::{Principal, PrincipalKind},
    problem::Problem,
    service_accounts,
    state::{Tenant, now},
    switches::MembershipMode,
};

/// The longest name of a user.
const LONGEST_NAME: usize = 100;

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name, which never changes; often an address, and not a resource name.
    pub name: String,
    /// What people call the user.
    pub display_name: String,
    /// The identifier.
    pub id: String,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user last called.
    #[serde(default)]
    pub last_seen_at: Option<Timestamp>,
    /// More about the user.
    #[serde(default)]
    pub profile: Profile,
    /// Whether everything is permitted, whatever roles say.
    #[serde(default)]
    pub is_admin: bool,
    /// The groups, by their `sso_name`, that the identity provider has the user in.
    #[serde(default)]
    pub idp_groups: BTreeSet<String>,
    /// Texts by key.
    #[serde(default)]
    pub metadata: Metadata,
}

/// What a user says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// First and last name.
    pub full_name: String,
    /// The address, which need not be the name.
    pub email_address: String,
}

impl Named for User {
    fn name(&self) -> &str {
        &self.name
    }
}

/// GET `/users`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let mut groups = tenant.all_shown_groups();
    let rows = tenant.users.iter().map(|user| {
        let groups = groups.remove(&Principal::user(user.name.as_str())).unwrap_or_default();
        (user.name.clone(), tenant.row(shown(user, groups, tenant)))
    });
    scene.listed(Kind::User, rows)
}

/// POST `/users`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::User, &name)?;
    let tenant = &mut *scene.tenant;
    if tenant.switches.user_names_are_resource_names && !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is no valid name")));
    }
    within("name", Some(name.clone()), 1, LONGEST_NAME)?;
    let display_name = fields.display_name()?;
    let metadata = metadata::read(&mut fields, &Metadata::new(), &tenant.switches)?;
    fields.done()?;
    tenant.is_principal_free(&Principal::user(name.as_str()))?;
    let id = tenant.issue_id();
    let user = User { metadata, ..new(&name, display_name.as_deref().unwrap_or(&name), id, now()) };
    let body = wire(&user, tenant);
    tenant.users.insert(user);
    Ok(Answer::created(body))
}

/// GET `/users/{name}`, and whoever calls where the path has a name for that.
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    if scene.tenant.switches.current_user_name.as_deref() == Some(scene.name()) {
        return current(scene);
    }
    let user = reach(scene, Verb::Get)?;
    Ok(Answer::ok(wire(&user, scene.tenant)))
}

/// PATCH `/users/{name}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut user = reach(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    user.display_name = fields.display_name()?.unwrap_or(user.display_name);
    user.metadata = metadata::read(&mut fields, &user.metadata, &scene.tenant.switches)?;
    fields.done()?;
    let body = wire(&user, scene.tenant);
    scene.tenant.users.insert(user);
    Ok(Answer::ok(body))
}

/// DELETE `/users/{name}`: out of all groups too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = reach(scene, Verb::Delete)?;
    scene.tenant.users.remove(&user.name);
    scene.tenant.forget_principal(&Principal::user(user.name));
    Ok(Answer::none())
}

/// PUT `/users/{name}/groups`
pub fn set_groups(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = reach(scene, Verb::Update)?;
    memberships::put_groups(scene, &Principal::user(user.name.as_str()))?;
    Ok(Answer::ok(wire(&user, scene.tenant)))
}

impl Tenant {
    /// A user logs in. Where the identity provider decides on groups, it does so now.
    ///
    /// # Errors
    /// There is no such user.
    pub fn log_in(&mut self, name: &str) -> Result<(), String> {
        let principal = Principal::user(name);
        let user = self.users.get(name).ok_or_else(|| format!("there is no user {name}"))?;
        let given = |sso_name: &String| user.idp_groups.contains(sso_name);
        let groups: BTreeSet<String> = self
            .groups
            .iter()
            .filter(|group| given(&group.sso_name))
            .map(|group| group.name.clone())
            .collect();
        if self.switches.membership_mode == MembershipMode::Sso {
            self.put_into_groups(&principal, &groups);
        }
        self.see(&principal, now());
        Ok(())
    }
}

/// A user of this name, with nothing more.
pub fn new(name: &str, display_name: &str, id: String, created_at: Timestamp) -> User {
    User {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        id,
        created_at,
        last_seen_at: None,
        profile: Profile::default(),
        is_admin: false,
        idp_groups: BTreeSet::new(),
        metadata: Metadata::new(),
    }
}

fn current(scene: &Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let body = scene.caller.principal.as_ref().and_then(|principal| match principal.kind {
        PrincipalKind::User => tenant.users.get(&principal.name).map(|user| wire(user, tenant)),
        PrincipalKind::ServiceAccount => tenant
            .service_accounts
            .get(&principal.name)
            .map(|account| service_accounts::wire(account, tenant)),
    });
    body.map(Answer::ok).ok_or_else(|| Problem::not_found(Kind::User.noun(), "that calls"))
}

/// The user of the path, if the caller may do this with it.
fn reach(scene: &Scene<'_>, verb: Verb) -> Result<User, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::User, name)?;
    let user = scene.tenant.users.get(name);
    user.cloned().ok_or_else(|| Problem::not_found(Kind::User.noun(), name))
}

fn wire(user: &User, tenant: &Tenant) -> Value {
    shown(user, tenant.shown_groups(&Principal::user(user.name.as_str())), tenant)
}

fn shown(user: &User, groups: Vec<Value>, tenant: &Tenant) -> Value {
    let mut body = json!({
        "name": user.name,
        "display_name": user.display_name,
        "lrn": Kind::User.lrn(&user.name),
        "id": user.id,
        "created_at": user.created_at,
        "groups": groups,
        "profile": user.profile,
        "is_admin": user.is_admin,
    });
    if let Some(last_seen_at) = user.last_seen_at {
        body["last_seen_at"] = json!(last_seen_at);
    }
    metadata::show(&mut body, &user.metadata, &tenant.switches);
    body
}
