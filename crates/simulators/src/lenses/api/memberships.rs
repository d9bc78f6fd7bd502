//! Changes of memberships, from the group or from the principal (contract 2.2, 2.5).

use std::collections::BTreeSet;

use super::{body::Fields, call::Scene, problem::Problem};
use crate::lenses::rows::principals::Principal;

/// The body keys of a change of a set: to add, to remove, to set.
pub type Keys = [&'static str; 3];

/// A change of a set: members to add and to remove, or the whole set.
pub struct Edit<T> {
    add: BTreeSet<T>,
    remove: BTreeSet<T>,
    set: Option<BTreeSet<T>>,
}

impl Edit<String> {
    /// Reads a change of a set of names.
    ///
    /// # Errors
    /// Invalid if a value is not an array of strings, or if the key to set is combined with another one.
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
    /// A name does not exist. Names to remove can be unknown unless `unknown_removals_refused`.
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
    /// The set after the change. If a member is both added and removed, the removal wins.
    pub fn result(&self, current: &BTreeSet<T>) -> BTreeSet<T> {
        match &self.set {
            Some(set) => set.clone(),
            None => current.union(&self.add).filter(|one| !self.remove.contains(one)).cloned().collect(),
        }
    }
}

/// Applies the body of PUT `/users/{name}/groups` or PUT `/service-accounts/{name}/groups`.
///
/// # Errors
/// Invalid, or a group does not exist.
pub fn put_groups(scene: &mut Scene<'_>, principal: &Principal) -> Result<(), Problem> {
    let mut fields = scene.fields()?;
    let edit = Edit::read(&mut fields, ["add_to_groups", "remove_from_groups", "set_groups"])?;
    fields.done()?;
    let tenant = &mut *scene.tenant;
    let look_up = |name: &str| tenant.groups.get(name).map(|group| group.name.clone());
    let edit = edit.resolve("the group", tenant.switches.unknown_removals_refused, look_up)?;
    let groups = edit.result(&tenant.groups_of(principal));
    tenant.set_groups_of(principal, &groups);
    Ok(())
}
