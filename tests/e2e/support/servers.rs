//! Servers that differ: generations, and answers to what the contract leaves open, as switches of the simulator.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use super::account::Account;

/// `name: switches => scenario;` expands to a test that runs the scenario on a server with these switches. One more test fails if a
/// switch is neither set here nor named in `elsewhere`, the switches of other tests.
macro_rules! servers {
    ($vendor:ty, elsewhere: $elsewhere:expr; $($(#[$doc:meta])* $name:ident: $switches:expr => $scenario:path;)*) => {
        #[test]
        fn every_switch_is_set_on_some_server() {
            $crate::support::servers::assert_every_switch_is_set::<$vendor>(&[$($switches),*], &$elsewhere);
        }

        $(
            $(#[$doc])*
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $scenario($switches).await;
            }
        )*
    };
}
pub(crate) use servers;

/// Fails with the names of the switches that no server changes from the default.
pub fn assert_every_switch_is_set<V: Account<Switches: Default + Serialize>>(
    servers: &[fn(&mut V::Switches)],
    elsewhere: &[&str],
) {
    let fields = |switches: &V::Switches| json!(switches).as_object().unwrap().clone();
    let defaults = fields(&V::Switches::default());
    let mut unset: BTreeSet<&str> = defaults.keys().map(String::as_str).collect();
    for name in elsewhere {
        assert!(unset.remove(name), "there is no switch {name}");
    }
    for set in servers {
        let mut switches = V::Switches::default();
        set(&mut switches);
        let changed = fields(&switches);
        unset.retain(|name| changed[*name] == defaults[*name]);
    }
    assert!(unset.is_empty(), "no server sets {unset:?}");
}
