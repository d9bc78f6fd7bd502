//! Changes of memberships, from either end (contract 2.2, 2.5).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{body::Fields, call::Scene, problem::Problem};
use crate::lenses::{
    rows::{principals::Principal, switches::GroupMembers},
    state::Tenant,
};

/// The keys of a body that changes a set: added, removed, set.
pub type Keys = [&'static str; 3];

/// Names to add and to remove, or the whole set.
pub struct Edit<T> {
    add: BTreeSet<T>,
    remove: BTreeSet<T>,
    set: Option<BTreeSet<T>>,
}

impl Edit<String> {
    /// Reads a change of a set of names.
    ///
    /// # Errors
    /// Invalid: no lists of names, or setting together with adding or removing.
    pub fn read(fields: &mut Fields, [add, remove, set]: Keys) -> Result<Self, Problem> {
        let [added, removed, whole] = [fields.texts(add)?, fields.texts(remove)?, fields.texts(set)?];
        if whole.is_some() && (added.is_some() || removed.is_some()) {
            return Err(Problem::invalid(format!("{set} cannot be combined with {add} and {remove}")));
        }
        let names = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
        Ok(Self {
            add: names(added),
            remove: names(removed),
            set: whole.map(|list| list.into_iter().collect()),
        })
    }

    /// Looks the names up.
    ///
    /// # Errors
    /// A name that is unknown; of those that are to be removed only if this server minds.
    pub fn resolve<T: Ord>(
        self,
        what: &str,
        unknown_removals_refused: bool,
        look_up: impl Fn(&str) -> Option<T>,
    ) -> Result<Edit<T>, Problem> {
        let find = |name: &String| look_up(name).ok_or_else(|| Problem::unknown_reference(what, name));
        let add = self.add.iter().map(find).collect::<Result<_, _>>()?;
        let set = self.set.map(|names| names.iter().map(find).collect::<Result<_, _>>()).transpose()?;
        let remove = match unknown_removals_refused {
            true => self.remove.iter().map(find).collect::<Result<_, _>>()?,
            false => self.remove.iter().filter_map(|name| look_up(name)).collect(),
        };
        Ok(Edit { add, remove, set })
    }
}

impl<T: Ord + Clone> Edit<T> {
    /// What the set is afterwards: removing wins.
    pub fn result(&self, current: &BTreeSet<T>) -> BTreeSet<T> {
        match &self.set {
            Some(set) => set.clone(),
            None => current.union(&self.add).filter(|one| !self.remove.contains(one)).cloned().collect(),
        }
    }
}

/// Does what PUT `/users/{name}/groups` and PUT `/service-accounts/{name}/groups` ask for.
///
/// # Errors
/// Invalid, or a group that is unknown.
pub fn put_groups(scene: &mut Scene<'_>, principal: &Principal) -> Result<(), Problem> {
    let mut fields = scene.fields()?;
    let edit = Edit::read(&mut fields, ["add_to_groups", "remove_from_groups", "set_groups"])?;
    fields.done()?;
    let tenant = &mut *scene.tenant;
    let look_up = |name: &str| tenant.groups.get(name).map(|group| group.name.clone());
    let edit = edit.resolve("the group", tenant.switches.unknown_removals_refused, look_up)?;
    let groups = edit.result(&tenant.groups_of(principal));
    tenant.put_into_groups(principal, &groups);
    Ok(())
}

/// A principal as lists show it.
pub fn row(tenant: &Tenant, mut shown: Value) -> Value {
    if tenant.switches.group_members == GroupMembers::Hidden
        && let Some(fields) = shown.as_object_mut()
    {
        fields.remove("groups");
    }
    shown
}
