//! The crash matrix: for each vendor and each operation, the operator is killed before and after every single call, started again, and must
//! end with exactly the external things and records of a run without a crash, and with no manual step.

use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::Options, lenses::Lenses, zenml::ZenMl};

use super::{
    operations::{Operation, operations},
    process::{Call, Cut, Moment},
    scene::{Scene, Simulated, simulated},
    shape::difference,
};

/// The end of a run.
struct Outcome {
    shape: Vec<String>,
    /// The calls from the operation to its end, or to the cut.
    calls: Vec<Call>,
    /// The calls after the restart.
    after: Vec<Call>,
}

/// Runs one operation.
async fn run<V: Simulated>(operation: &Operation<V>, options: Options<V>, cut: Option<Cut>) -> Outcome {
    let mut scene = Scene::new(options);
    scene.settled().await.unwrap();
    (operation.before)(&scene);
    scene.cluster.until("the preparation", operation.is_prepared).await.unwrap();
    scene.cluster.arm(cut);
    (operation.act)(&scene);
    let was_killed = scene.swept().await.is_err();
    assert_eq!(was_killed, cut.is_some(), "{cut:?}");
    let calls = scene.cluster.process().calls();
    let mut after = Vec::new();
    if was_killed {
        scene.cluster.kill().await;
        scene.cluster.start();
        scene.swept().await.unwrap();
        after = scene.cluster.process().calls();
    }
    let shape = scene.shape();
    scene.cluster.kill().await;
    Outcome { shape, calls, after }
}

fn writes(calls: &[Call]) -> Vec<String> {
    calls.iter().filter(|call| call.is_write && !call.path.contains("events")).map(Call::to_string).collect()
}

/// All cuts are made if this is set. Otherwise, reads are sampled: a cut at a read leaves what a cut at the write before it leaves.
const EVERY_CUT: &str = "ROLEWRIGHT_EVERY_CUT";
/// One read in so many is cut.
const SAMPLE: usize = 7;

fn cuts(calls: &[Call]) -> Vec<Cut> {
    let every = std::env::var_os(EVERY_CUT).is_some();
    let is_cut = |call: &usize| every || calls[*call].is_write || call.is_multiple_of(SAMPLE);
    let both = |call: usize| [Moment::Before, Moment::After].map(|moment| Cut { call, moment });
    (0..calls.len()).filter(is_cut).flat_map(both).collect()
}

/// Cuts each operation of a vendor before and after its calls.
fn crash_matrix<V: Simulated>() {
    let mut count = 0;
    for server in 0..V::servers().len() {
        for operation in operations::<V>() {
            let options = || V::servers().swap_remove(server);
            let expected = simulated(1, run(&operation, options(), None));
            for cut in cuts(&expected.calls) {
                let found = simulated(1, run(&operation, options(), Some(cut)));
                let unlike = difference(&expected.shape, &found.shape);
                assert!(
                    unlike.is_empty(),
                    "{} {}, {cut:?}: {unlike:#?}\nwithout a cut: {:#?}\nbefore the cut: {:#?}\nafter it: {:#?}",
                    V::NAME,
                    operation.name,
                    writes(&expected.calls),
                    writes(&found.calls),
                    writes(&found.after),
                );
                count += 1;
            }
        }
    }
    println!("{}: {count} cuts", V::NAME);
}

fn is_repeatable<V: Simulated>() {
    for operation in operations::<V>() {
        let calls = || simulated(1, run(&operation, V::servers().pop().unwrap(), None)).calls;
        let (one, other) = (calls(), calls());
        let first = one.iter().zip(&other).position(|(one, other)| one != other);
        assert!(
            first.is_none(),
            "{} {}: {first:?}\n{:#?}\n{:#?}",
            V::NAME,
            operation.name,
            writes(&one),
            writes(&other)
        );
        assert_eq!(one.len(), other.len(), "{} {}", V::NAME, operation.name);
    }
}

#[test]
fn runs_of_one_seed_make_the_same_calls() {
    is_repeatable::<Arize>();
    is_repeatable::<Grafana>();
    is_repeatable::<Lenses>();
    is_repeatable::<ZenMl>();
}

#[test]
fn arize_ends_the_same_after_a_crash_at_any_call() {
    crash_matrix::<Arize>();
}

#[test]
fn grafana_ends_the_same_after_a_crash_at_any_call() {
    crash_matrix::<Grafana>();
}

#[test]
fn lenses_ends_the_same_after_a_crash_at_any_call() {
    crash_matrix::<Lenses>();
}

#[test]
fn zenml_ends_the_same_after_a_crash_at_any_call() {
    crash_matrix::<ZenMl>();
}
