use proptest::prelude::*;

use super::*;

/// A rate and a clock.
struct Trial {
    rate: Rate,
    now: Instant,
}

impl Trial {
    fn new(initial: u32, max: u32) -> Self {
        Self { rate: Rate::new(initial, max), now: Instant::now() }
    }

    /// Calls for this long, as many as the rate allows; each takes this time.
    fn calls(&mut self, seconds: u32, took: Duration, waited: bool) {
        let end = self.now + Duration::from_secs(seconds.into());
        while self.now < end {
            self.now += Duration::from_secs_f64(1.0 / self.rate.per_second());
            self.rate.answered(took, waited, self.now);
        }
    }

    fn throttle(&mut self) {
        self.rate.throttled(self.now, self.now);
        self.now += Duration::from_secs(1);
    }

    fn is_about(&self, per_second: f64) -> bool {
        (self.rate.per_second() / per_second - 1.0).abs() < 0.05
    }
}

const FAST: Duration = Duration::from_millis(50);
const SLOW: Duration = Duration::from_secs(3);

#[test]
fn rate_rises_to_its_maximum_while_calls_wait() {
    let mut trial = Trial::new(5, 25);
    trial.calls(5, FAST, true);
    assert!(trial.rate.per_second() < 10.0, "it rises slowly");
    trial.calls(15, FAST, true);
    assert_eq!(trial.rate.per_second().to_bits(), 25.0_f64.to_bits());
}

#[test]
fn rate_stays_while_calls_do_not_wait_or_fail() {
    let mut trial = Trial::new(5, 25);
    trial.calls(60, FAST, false);
    assert!(trial.is_about(5.0));
    for _ in 0..60 {
        trial.rate.failed();
        trial.calls(1, FAST, true);
    }
    assert!(trial.is_about(5.0), "{}", trial.rate.per_second());
}

#[test]
fn calls_throttled_at_the_same_time_halve_the_rate_once() {
    let mut trial = Trial::new(20, 20);
    let sent = trial.now;
    trial.now += Duration::from_millis(100);
    for _ in 0..8 {
        trial.rate.throttled(sent, trial.now);
    }
    assert!(trial.is_about(10.0));
    trial.now += Duration::from_secs(1);
    trial.throttle();
    assert!(trial.is_about(5.0));
}

#[test]
fn throttled_burst_does_not_slow_the_rate_down() {
    let mut trial = Trial::new(5, 50);
    for _ in 0..13 {
        trial.rate.sent(trial.now);
    }
    trial.throttle();
    assert!(trial.is_about(5.0), "13 calls in a second were too many, and 5 were not");
    trial.calls(5, FAST, true);
    assert!(trial.rate.per_second() > 7.0, "{}", trial.rate.per_second());
}

#[test]
fn rate_rises_carefully_near_the_one_that_was_too_high() {
    let mut trial = Trial::new(20, 100);
    trial.throttle();
    trial.calls(8, FAST, true);
    assert!((16.0..18.0).contains(&trial.rate.per_second()), "{}", trial.rate.per_second());
    trial.calls(10, FAST, true);
    assert!(trial.rate.per_second() < 20.0, "{}", trial.rate.per_second());
    trial.calls(60, FAST, true);
    assert!(trial.is_about(100.0), "the limit was lifted: {}", trial.rate.per_second());
}

#[test]
fn bursts_are_small_for_ten_minutes_after_throttling() {
    let mut trial = Trial::new(20, 20);
    assert_eq!(trial.rate.burst(10, trial.now).to_bits(), 10.0_f64.to_bits());
    trial.throttle();
    assert_eq!(trial.rate.burst(10, trial.now).to_bits(), 1.0_f64.to_bits());
    trial.now += MEMORY;
    assert_eq!(trial.rate.burst(10, trial.now).to_bits(), 10.0_f64.to_bits());
}

#[test]
fn slow_back_end_lowers_the_rate_until_slow_is_usual() {
    let mut trial = Trial::new(20, 40);
    trial.calls(3, FAST, true);
    let before = trial.rate.per_second();
    trial.calls(5, SLOW, true);
    let eased = trial.rate.per_second();
    assert!((before * 0.7..before * 0.9).contains(&eased), "{before} {eased}");
    trial.calls(12, SLOW, true);
    assert!(trial.rate.per_second() > before * 0.4, "{before} {}", trial.rate.per_second());
    trial.calls(60, SLOW, true);
    assert!(trial.is_about(40.0), "{}", trial.rate.per_second());
}

#[test]
fn new_limits_start_again_unless_the_back_end_throttled() {
    let mut trial = Trial::new(20, 20);
    trial.rate.set(50, 100, trial.now);
    assert!(trial.is_about(50.0));
    trial.throttle();
    trial.rate.set(50, 60, trial.now);
    assert!(trial.is_about(25.0));
    trial.rate.set(5, 5, trial.now);
    assert!(trial.is_about(5.0));
}

#[derive(Clone, Debug)]
enum Step {
    Calls { seconds: u32, millis: u64, waited: bool },
    Throttle,
    Fail,
    Limits(u32, u32),
    Quiet(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..20_u32, 1..5000_u64, any::<bool>())
            .prop_map(|(seconds, millis, waited)| Step::Calls { seconds, millis, waited }),
        2 => Just(Step::Throttle),
        1 => Just(Step::Fail),
        1 => (0..200_u32, 0..200_u32).prop_map(|(initial, max)| Step::Limits(initial, max)),
        1 => (0..2000_u64).prop_map(Step::Quiet),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rate_keeps_its_bounds_and_recovers_after_throttling(
        (initial, max) in (0..200_u32, 0..200_u32),
        steps in prop::collection::vec(step(), 0..30),
    ) {
        let mut trial = Trial::new(initial, max);
        let mut max = max;
        for step in steps {
            let before = trial.rate.per_second();
            match step {
                Step::Calls { seconds, millis, waited } => {
                    trial.calls(seconds, Duration::from_millis(millis), waited);
                }
                Step::Throttle => {
                    trial.throttle();
                    prop_assert!(trial.rate.per_second() <= (before / 2.0).max(MIN_PER_SECOND));
                }
                Step::Fail => trial.rate.failed(),
                Step::Limits(initial, new) => {
                    max = new;
                    trial.rate.set(initial, new, trial.now);
                }
                Step::Quiet(seconds) => trial.now += Duration::from_secs(seconds),
            }
            let ceiling = f64::from(max).max(MIN_PER_SECOND);
            prop_assert!((MIN_PER_SECOND..=ceiling).contains(&trial.rate.per_second()));
            prop_assert!((1.0..=10.0).contains(&trial.rate.burst(10, trial.now)));
        }
        trial.calls(400, FAST, true);
        prop_assert!(trial.is_about(f64::from(max).max(MIN_PER_SECOND)), "{:?}", trial.rate);
    }
}
