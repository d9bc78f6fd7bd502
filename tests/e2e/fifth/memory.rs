//! The smallest back end: a directory service in memory, with roles by name and users that have them. It uses only the public API of the
//! workspace's packages, and Rolewright knows it only from the list of vendors.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex},
};

use async_trait::async_trait;
use rolewright_backends::{Backend, Class, Error, Identity, Limits, Needs, Settings, Vendor};
use rolewright_core::model::{
    Body, Builder, Capabilities, Dialect, Entry, Fault, Grant, Grants, Id, IdentityRules, Kind, Level, Named,
    Observed, Proof, Restrictions, Role, RoleNames, RoleRef, Snapshot, SpecRules, SubjectKind, SweepHints,
};
use serde_json::Value;
use url::Url;

/// Users and tests name the vendor by Arize's block, because the blocks are a part of the API that a test cannot extend.
pub const VENDOR: Vendor = Vendor {
    name: "arize",
    title: "Memory",
    dialect: &MemoryDialect,
    limits: Limits::new(1000, 1000, 4),
    origin,
    client,
};

static CAPABILITIES: Capabilities = Capabilities {
    vendor: "memory",
    subjects: &[SubjectKind::User],
    levels: &[],
    role_names: RoleNames::Renamable,
    grants: Grants::Direct { levels: &[], scope_optional: false },
    restrictions: Restrictions::None { instead: None },
    duplicates: &[],
};

/// The pure part.
pub struct MemoryDialect;

impl IdentityRules for MemoryDialect {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }
}

impl SpecRules for MemoryDialect {
    fn check_role(&self, role: Role) -> Result<Role, Vec<Fault>> {
        match role.rules.iter().any(|rule| rule.resource.is_some()) {
            true => Err(vec![Fault::new("spec.rules", "roles in memory have no resources: leave them out")]),
            false => Ok(role),
        }
    }
}

impl SweepHints for MemoryDialect {}

/// An account of the service.
#[derive(Default)]
pub struct Account {
    pub roles: BTreeMap<String, Role>,
    /// Role and user.
    pub grants: BTreeSet<(String, String)>,
    /// The number of writes so far.
    pub writes: usize,
}

static ACCOUNTS: LazyLock<Mutex<HashMap<String, Arc<Mutex<Account>>>>> = LazyLock::new(Mutex::default);

/// The account at a host.
pub fn account(host: &str) -> Arc<Mutex<Account>> {
    ACCOUNTS.lock().unwrap().entry(host.to_owned()).or_default().clone()
}

/// A role that comes with every account and that nobody can change.
pub const PREDEFINED: &str = "owner";
const USERS: [&str; 3] = ["alice@example.com", "bob@example.com", "carol@example.com"];

fn origin(block: &Value) -> Result<Url, Fault> {
    let url = block["url"].as_str().unwrap_or_default();
    Url::parse(url).map_err(|error| Fault::new("spec.arize.url", error.to_string()))
}

fn client(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let host = origin(&settings.block)?.host_str().unwrap_or_default().to_owned();
    Ok(Arc::new(Memory { account: account(&host), host }))
}

struct Memory {
    host: String,
    account: Arc<Mutex<Account>>,
}

impl Memory {
    /// Makes one write.
    fn write<T>(&self, write: impl FnOnce(&mut Account) -> T) -> T {
        let mut account = self.account.lock().unwrap();
        account.writes += 1;
        write(&mut account)
    }
}

/// Restrictions and groups are not implemented: the defaults of the trait refuse them.
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
            own: BTreeSet::new(),
            expires: None,
        })
    }

    async fn snapshot(&self, _: &Needs) -> Result<Snapshot, Error> {
        let account = self.account.lock().unwrap();
        let mut builder = Builder::new();
        builder.add(predefined());
        account.roles.values().for_each(|role| builder.add(observed_role(role)));
        account.grants.iter().for_each(|(role, user)| builder.add(observed_grant(role, user)));
        // Every credential sees everything.
        builder.prove(Kind::Role, Proof::Everywhere);
        builder.prove(Kind::Grant, Proof::Everywhere);
        USERS.iter().for_each(|user| builder.directory().insert(entry(user)));
        Ok(builder.complete())
    }

    async fn look_up(&self, _: Level, name: &str, _: Option<&Id>) -> Result<Vec<Entry>, Error> {
        Ok(USERS.iter().filter(|user| **user == name).map(|user| entry(user)).collect())
    }

    async fn read_role(&self, id: &Id) -> Result<Option<Observed>, Error> {
        if id.as_str() == PREDEFINED {
            return Ok(Some(predefined()));
        }
        Ok(self.account.lock().unwrap().roles.get(id.as_str()).map(observed_role))
    }

    async fn read_grant(&self, id: &Id) -> Result<Option<Observed>, Error> {
        let pair = id.as_str().split_once('/').map(|(role, user)| (role.to_owned(), user.to_owned()));
        let pair = pair.filter(|pair| self.account.lock().unwrap().grants.contains(pair));
        Ok(pair.map(|(role, user)| observed_grant(&role, &user)))
    }

    async fn find_role(&self, role: &Role) -> Result<Option<Observed>, Error> {
        self.read_role(&Id::new(&role.name)).await
    }

    async fn find_grant(&self, grant: &Grant) -> Result<Option<Observed>, Error> {
        let (role, user) = pair(grant);
        self.read_grant(&grant_id(&role, &user)).await
    }

    async fn create_role(&self, _: Option<&Id>, role: &Role) -> Result<Observed, Error> {
        self.write(|account| {
            if account.roles.contains_key(&role.name) {
                return Err(Error::new(Class::Conflict, format!("the role {} exists", role.name)));
            }
            account.roles.insert(role.name.clone(), role.clone());
            Ok(observed_role(role))
        })
    }

    async fn update_role(&self, id: &Id, _: &Role, after: &Role) -> Result<Observed, Error> {
        self.write(|account| {
            account.roles.remove(id.as_str());
            account.roles.insert(after.name.clone(), after.clone());
            Ok(observed_role(after))
        })
    }

    async fn delete_role(&self, id: &Id, _: &Role) -> Result<(), Error> {
        self.write(|account| drop(account.roles.remove(id.as_str())));
        Ok(())
    }

    async fn create_grant(&self, grant: &Grant) -> Result<Observed, Error> {
        let (role, user) = pair(grant);
        self.write(|account| account.grants.insert((role.clone(), user.clone())));
        Ok(observed_grant(&role, &user))
    }

    async fn delete_grant(&self, _: &Id, before: &Grant) -> Result<(), Error> {
        self.write(|account| account.grants.remove(&pair(before)));
        Ok(())
    }
}

fn pair(grant: &Grant) -> (String, String) {
    (grant.role.name().to_owned(), grant.subject.id.to_string())
}

fn grant_id(role: &str, user: &str) -> Id {
    Id::new(format!("{role}/{user}"))
}

fn predefined() -> Observed {
    let role = Role {
        name: PREDEFINED.to_owned(),
        display_name: None,
        description: None,
        rules: BTreeSet::new(),
        settings: BTreeMap::new(),
        unreadable: false,
    };
    Observed { read_only: Some("a predefined role".to_owned()), ..observed_role(&role) }
}

fn observed_role(role: &Role) -> Observed {
    let body = Body::Role(role.clone());
    Observed::new(Id::new(&role.name), MemoryDialect.key(&body), body)
}

fn observed_grant(role: &str, user: &str) -> Observed {
    let named = |level: Level, id: &str| Named::new(level, Id::new(id), id);
    let grant = Grant {
        role: RoleRef::Existing(named(Level::ROLE, role)),
        subject: named(Level::USER, user),
        scope: None,
    };
    let body = Body::Grant(grant);
    Observed::new(grant_id(role, user), MemoryDialect.key(&body), body)
}

fn entry(user: &str) -> Entry {
    let named = Named::new(Level::USER, Id::new(user), user);
    Entry { named, parent: None, aliases: Vec::new() }
}
