//! Simulators of the vendors' APIs: in memory, over HTTP, with faults. For tests, the demo and users' own CI.
//!
//! A simulator is a tenant (plain data) and a router for the vendor's contract, on top of the [`kit`]. This crate uses
//! no other crate of the project, so that one mistake cannot hide on both sides of the API.

pub mod arize;
pub mod grafana;
pub mod kit;
pub mod lenses;
mod registry;
pub mod zenml;

pub use registry::{Running, SIMULATORS, Simulator, Start};

#[cfg(test)]
mod tests {
    use super::{arize::Arize, grafana::Grafana, kit::Vendor, lenses::Lenses, zenml::ZenMl};

    fn seed_is_stable<V: Vendor>() {
        let json = serde_json::to_value(V::seeded()).unwrap();
        assert!(serde_json::to_value(V::seeded()).unwrap() == json, "{}", V::NAME);
        let mut tenant: V::Tenant = serde_json::from_value(json.clone()).unwrap();
        V::below(String::new()).admit(&mut tenant).unwrap();
        assert!(serde_json::to_value(tenant).unwrap() == json, "{}", V::NAME);
    }

    #[test]
    fn seeds_are_stable_and_survive_json() {
        seed_is_stable::<Arize>();
        seed_is_stable::<Grafana>();
        seed_is_stable::<Lenses>();
        seed_is_stable::<ZenMl>();
    }
}
