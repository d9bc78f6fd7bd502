//! A back end as small as one can be: a directory service in memory, with roles by name and users who hold them. It stands in a folder as
//! every vendor does, and nothing of the operator knows of it but the list of vendors.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex},
};

use async_trait::async_trait;
use rolewright_backends::{Backend, Class, Error, Identity, Needs, Settings, Vendor};
use rolewright_core::model::{
    Body, Builder, Capabilities, Change, Dialect, Entry, Fault, Grant, Id, Key, Kind, Named, Observed, Proof,
    Role, RoleRef, Snapshot, SubjectKind,
};
use serde_json::Value;
use url::Url;

/// It takes the place of Arize's block, because the blocks of the API are in `src/api`.
pub const VENDOR: Vendor =
    Vendor { name: "arize", title: "Memory", dialect: &MemoryDialect, origin, connect };

static CAPABILITIES: Capabilities = Capabilities {
    kinds: &[Kind::Role, Kind::Grant],
    subjects: &[SubjectKind::User],
    levels: &[],
    grant_levels: &[],
    scope_optional: false,
    group_members: &[],
    restriction_levels: &[],
};

/// The pure part: what is checked without calling anybody.
pub struct MemoryDialect;

impl Dialect for MemoryDialect {
    fn vendor(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_role(&self, role: Role) -> Result<Role, Vec<Fault>> {
        match role.rules.iter().any(|rule| rule.resource.is_some()) {
            true => Err(vec![Fault::new("spec.rules", "roles in memory have no resources: leave them out")]),
            false => Ok(role),
        }
    }

    fn key(&self, body: &Body) -> Key {
        match body {
            Body::Role(role) => Key::new([("name", &role.name)]),
            Body::Grant(grant) => {
                Key::new([("role", grant.role.name()), ("subject", grant.subject.id.as_str())])
            }
            Body::Restriction(_) | Body::Group(_) => unreachable!("it has neither"),
        }
    }

    fn id_of(&self, _: &str, _: &str) -> Option<Id> {
        None
    }

    fn level_of(&self, _: &Id) -> Option<&'static str> {
        None
    }
}

/// The service: what an account holds, and how often it was asked to change something.
#[derive(Default)]
pub struct Account {
    pub roles: BTreeMap<String, Role>,
    pub grants: BTreeSet<(String, String)>,
    pub writes: usize,
}

static ACCOUNTS: LazyLock<Mutex<HashMap<String, Arc<Mutex<Account>>>>> = LazyLock::new(Mutex::default);

/// The account at a host.
pub fn account(host: &str) -> Arc<Mutex<Account>> {
    ACCOUNTS.lock().unwrap().entry(host.to_owned()).or_default().clone()
}

const USERS: [&str; 3] = ["alice@example.com", "bob@example.com", "carol@example.com"];

fn origin(block: &Value) -> Result<Url, Fault> {
    let url = block["url"].as_str().unwrap_or_default();
    Url::parse(url).map_err(|error| Fault::new("spec.arize.url", error.to_string()))
}

fn connect(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let host = origin(&settings.block)?.host_str().unwrap_or_default().to_owned();
    Ok(Arc::new(Memory { account: account(&host), host }))
}

struct Memory {
    host: String,
    account: Arc<Mutex<Account>>,
}

#[async_trait]
impl Backend for Memory {
    fn dialect(&self) -> &'static dyn Dialect {
        &MemoryDialect
    }

    async fn probe(&self) -> Result<Identity, Error> {
        Ok(Identity {
            description: format!("the account {}", self.host),
            anchors: BTreeSet::from([self.host.clone()]),
            lacks: BTreeMap::new(),
            expires: None,
        })
    }

    async fn snapshot(&self, _: &Needs) -> Result<Snapshot, Error> {
        let account = self.account.lock().unwrap();
        let mut builder = Builder::new();
        account.roles.values().for_each(|role| builder.add(role_seen(role)));
        account.grants.iter().for_each(|(role, user)| builder.add(grant_seen(role, user)));
        // It shows all that it has to whoever asks.
        builder.prove(Kind::Role, Proof::Everywhere);
        builder.prove(Kind::Grant, Proof::Everywhere);
        USERS.iter().for_each(|user| builder.directory().insert(entry(user)));
        Ok(builder.complete())
    }

    async fn look_up(&self, _: &str, name: &str, _: Option<&Id>) -> Result<Vec<Entry>, Error> {
        Ok(USERS.iter().filter(|user| **user == name).map(|user| entry(user)).collect())
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        let account = self.account.lock().unwrap();
        Ok(match kind {
            Kind::Role => account.roles.get(id.as_str()).map(role_seen),
            Kind::Grant => {
                let pair = id.as_str().split_once('/').map(|(role, user)| (role.to_owned(), user.to_owned()));
                pair.filter(|pair| account.grants.contains(pair)).map(|(role, user)| grant_seen(&role, &user))
            }
            Kind::Restriction | Kind::Group => None,
        })
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        self.read(body.kind(), &id(body)?).await
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        let mut account = self.account.lock().unwrap();
        account.writes += 1;
        match change {
            Change::Create { after: Body::Role(role), .. } => match account.roles.contains_key(&role.name) {
                true => Err(Error::new(Class::Conflict, format!("there is a role {}", role.name))),
                false => {
                    account.roles.insert(role.name.clone(), role.clone());
                    Ok(Some(role_seen(role)))
                }
            },
            Change::Update { id, after: Body::Role(role), .. } => {
                account.roles.remove(id.as_str());
                account.roles.insert(role.name.clone(), role.clone());
                Ok(Some(role_seen(role)))
            }
            Change::Create { after: Body::Grant(grant), .. } => {
                let (role, user) = (grant.role.name().to_owned(), grant.subject.id.to_string());
                account.grants.insert((role.clone(), user.clone()));
                Ok(Some(grant_seen(&role, &user)))
            }
            Change::Delete { before: Body::Role(role), .. } => {
                account.roles.remove(&role.name);
                Ok(None)
            }
            Change::Delete { before: Body::Grant(grant), .. } => {
                account.grants.remove(&(grant.role.name().to_owned(), grant.subject.id.to_string()));
                Ok(None)
            }
            other => Err(Error::mistake(format!("{other:?}"))),
        }
    }
}

fn id(body: &Body) -> Result<Id, Error> {
    match body {
        Body::Role(role) => Ok(Id::new(&role.name)),
        Body::Grant(grant) => Ok(Id::new(format!("{}/{}", grant.role.name(), grant.subject.id))),
        other => Err(Error::mistake(format!("{other:?}"))),
    }
}

fn role_seen(role: &Role) -> Observed {
    let body = Body::Role(role.clone());
    Observed::new(Id::new(&role.name), MemoryDialect.key(&body), body)
}

fn grant_seen(role: &str, user: &str) -> Observed {
    let named =
        |level: &str, id: &str| Named { level: level.to_owned(), id: Id::new(id), name: id.to_owned() };
    let grant =
        Grant { role: RoleRef::Existing(named("role", role)), subject: named("user", user), scope: None };
    let body = Body::Grant(grant);
    Observed::new(Id::new(format!("{role}/{user}")), MemoryDialect.key(&body), body)
}

fn entry(user: &str) -> Entry {
    let named = Named { level: "user".to_owned(), id: Id::new(user), name: user.to_owned() };
    Entry { named, parent: None, aliases: Vec::new() }
}
