//! Who can request and approve, and how often.

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use rolewright_api::{AccessGrant, AccessOffer, AccessRequest, AccessState, Approval, Users};

use super::{Case, user_of};
use crate::patterns::{Patterns, matches};

/// The time in which the requests of one requester are counted.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Case<'_> {
    /// Why a request cannot be granted, even with an Approval.
    pub(super) fn refusal(&self, offer: &AccessOffer) -> Option<String> {
        let (spec, name) = (&self.request.spec, offer.name_any());
        if !includes(&offer.spec.requesters, &spec.requested_by, &spec.groups) {
            return Some(format!(
                "spec.requestedBy: AccessOffer {name} is for {}: a member of a group names it in spec.groups",
                named(&offer.spec.requesters)
            ));
        }
        if spec.duration() > offer.spec.max_duration() {
            return Some(format!(
                "spec.duration: AccessOffer {name} allows at most {}",
                offer.spec.max_duration
            ));
        }
        let (user, own) = (user_of(self.request, offer), own_name(&spec.requested_by, offer));
        if user != own && !Patterns::new(&offer.spec.other_users).matches(user) {
            return Some(format!(
                "spec.user: AccessOffer {name} does not allow {} to request the role for {user}: leave spec.user out",
                spec.requested_by,
            ));
        }
        self.exceeded_limit(offer)
    }

    fn exceeded_limit(&self, offer: &AccessOffer) -> Option<String> {
        let others = || self.others.iter().filter(|other| self.precedes(other));
        let by_same = |other: &AccessRequest| other.spec.requested_by == self.request.spec.requested_by;
        let user = user_of(self.request, offer);
        let for_same = |other: &AccessRequest| granted(other).is_some_and(|grant| grant.user == user);
        if let Some(open) = others().find(|other| other.is_open() && (by_same(other) || for_same(other))) {
            return Some(format!(
                "AccessRequest {} of the same offer is still open: create another one when it has ended",
                open.name_any()
            ));
        }
        let others = || others().filter(|other| by_same(other));
        let max = offer.spec.max_per_day();
        let created = self.created();
        let is_recent =
            |other: &AccessRequest| created_at(other).is_some_and(|at| created.duration_since(at) < DAY);
        let is_denied = |other: &AccessRequest| other.state() == Some(AccessState::Denied);
        if others().filter(|other| is_recent(other) && !is_denied(other)).count() >= max {
            return Some(format!(
                "limits.maxPerDay of the AccessOffer allows {max} requests within 24 hours"
            ));
        }
        let cooldown = SignedDuration::try_from(offer.spec.cooldown()).unwrap_or_default();
        let ends = others().filter(|other| granted(other).is_some());
        let ends = ends.filter_map(|other| other.status.as_ref()?.ended_at.as_ref().map(|end| end.0));
        let free = ends.max()?.checked_add(cooldown).ok()?;
        (self.now < free)
            .then(|| format!("limits.cooldown of the AccessOffer allows the next request at {free}"))
    }

    /// Whether another request of the offer is older, or granted.
    fn precedes(&self, other: &AccessRequest) -> bool {
        let age = |request: &AccessRequest| (created_at(request), request.uid());
        other.spec.offer == self.request.spec.offer
            && other.uid() != self.request.uid()
            && (granted(other).is_some() || age(other) < age(self.request))
    }

    /// Why an approval does not count.
    pub(super) fn refuses_approver(&self, offer: &AccessOffer, approval: &Approval) -> Option<String> {
        let by = &approval.spec.approved_by;
        let is_approver =
            offer.spec.approvers.as_ref().is_some_and(|all| includes(all, by, &approval.spec.groups));
        if !is_approver {
            return Some(format!(
                "{by} is not an approver of AccessOffer {}: it names {}",
                offer.name_any(),
                super::approvers(offer)
            ));
        }
        let same = |name: &str| own_name(by, offer).to_lowercase() == name.to_lowercase();
        let is_own =
            same(own_name(&self.request.spec.requested_by, offer)) || same(user_of(self.request, offer));
        (is_own && offer.spec.allow_self_approval != Some(true))
            .then(|| format!("{by} cannot approve a request of its own"))
    }

    fn created(&self) -> Timestamp {
        created_at(self.request).unwrap_or(self.now)
    }
}

fn created_at(request: &AccessRequest) -> Option<Timestamp> {
    request.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

fn granted(request: &AccessRequest) -> Option<&AccessGrant> {
    request.status.as_ref()?.grant.as_ref()
}

/// The name of a user of the cluster in the back end.
pub(super) fn own_name<'a>(user: &'a str, offer: &AccessOffer) -> &'a str {
    user.strip_prefix(offer.spec.user_prefix.as_deref().unwrap_or_default()).unwrap_or(user)
}

/// Kubernetes distinguishes upper and lower case in the names of users.
fn includes(users: &Users, name: &str, groups: &[String]) -> bool {
    users.users.iter().any(|pattern| matches(pattern, name))
        || groups.iter().any(|group| users.groups.contains(group))
}

/// Users and groups in words: the first of each.
pub(super) fn named(users: &Users) -> String {
    const SHOWN: usize = 5;
    let list = |what: &str, names: &[String]| {
        let more = if names.len() > SHOWN { ", …" } else { "" };
        let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("{what} {shown}{more}"))
    };
    let lists = [list("users", &users.users), list("groups", &users.groups)];
    lists.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
