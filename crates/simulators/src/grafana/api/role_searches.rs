//! Roles of many users or teams in one call (contract 2.3, 2.4): the answer is a map by number.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{call::Scene, problem::Problem, role_json};
use crate::{grafana::state::Tenant, kit::answer::Answer};

/// POST `/access-control/users/roles/search`
pub fn of_users(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users.roles:read", "users:id:*")?;
    let search = Search::read(scene, "userIds")?;
    let tenant = &*scene.tenant;
    let rows = tenant
        .direct_roles()
        .filter(|row| row.org_id == search.org || row.org_id == 0)
        .map(|row| (row.user_id, row.role_uid, row.mapped));
    let known = |id| tenant.basic_role(id, search.org).is_some();
    Ok(search.answer(tenant, rows, known, &tenant.switches.search_omits_users))
}

/// POST `/access-control/teams/roles/search`
pub fn of_teams(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("teams.roles:read", "teams:id:*")?;
    let search = Search::read(scene, "teamIds")?;
    let tenant = &*scene.tenant;
    let rows = tenant
        .team_roles
        .iter()
        .filter(|row| row.org_id == search.org)
        .map(|row| (row.team_id, row.role_uid.as_str(), row.mapped));
    let known = |id| tenant.team_in(search.org, id).is_some();
    Ok(search.answer(tenant, rows, known, &tenant.switches.search_omits_teams))
}

/// The body of a search.
struct Search {
    ids: BTreeSet<i64>,
    org: i64,
    with_hidden: bool,
    with_mapped: bool,
}

impl Search {
    fn read(scene: &Scene<'_>, ids: &str) -> Result<Self, Problem> {
        let mut fields = scene.fields()?;
        let org = fields.number("orgId")?.filter(|org| *org != 0);
        Ok(Self {
            ids: fields.numbers(ids)?.into_iter().collect(),
            org: scene.reachable_org(org)?,
            with_hidden: fields.flag("includeHidden")?.unwrap_or_default(),
            with_mapped: scene.is_set("includeMapped"),
        })
    }

    /// The answer for rows of (principal, role uid, mapped).
    fn answer<'a>(
        &self,
        tenant: &'a Tenant,
        rows: impl Iterator<Item = (i64, &'a str, bool)>,
        known: impl Fn(i64) -> bool,
        omitted: &BTreeSet<i64>,
    ) -> Answer {
        let roles = tenant.roles_by_uid();
        let mut found: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
        for (id, uid, mapped) in
            rows.filter(|(id, _, mapped)| self.ids.contains(id) && (self.with_mapped || !mapped))
        {
            let role = roles.get(uid).filter(|role| role.is_in(self.org));
            if let Some(role) = role.filter(|role| self.with_hidden || !role.hidden) {
                found.entry(id).or_default().push(role_json::assigned(role, mapped, &tenant.switches));
            }
        }
        let switches = &tenant.switches;
        for id in &self.ids {
            let listed =
                if known(*id) { switches.search_lists_roleless } else { switches.search_lists_unknown };
            if listed {
                found.entry(*id).or_default();
            }
        }
        let kept = found.into_iter().filter(|(id, _)| !omitted.contains(id));
        let map: Map<String, Value> = kept.map(|(id, roles)| (id.to_string(), roles.into())).collect();
        Answer::ok(map.into())
    }
}
