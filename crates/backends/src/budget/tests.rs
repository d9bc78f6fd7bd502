use std::sync::Arc;

use futures::FutureExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn background_calls_use_half_of_the_rate_until_raised() {
    let budget = Budget::new(Limits::new(1, 4, 4));
    let priority = Priority::default();
    let mut background = Box::pin(metered(priority.clone(), async {
        for _ in 0..3 {
            drop(budget.acquire().await.unwrap());
        }
    }));
    assert!((&mut background).now_or_never().is_none(), "half of the burst is less than three");
    assert!(budget.acquire().now_or_never().is_some(), "any other call goes at once");
    let raised = priority.raise();
    assert_eq!(background.await, ((), 3), "the other call is not counted");
    drop(raised);
    assert!(priority.raised().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn background_calls_use_half_of_a_rate_that_rose() {
    let budget = Budget::new(Limits { max_per_second: 40, ..Limits::new(5, 1, 4) });
    let calls = async |count: u32| {
        let began = Instant::now();
        for _ in 0..count {
            let permit = budget.acquire().await.unwrap();
            budget.answered(&permit);
        }
        f64::from(count) / began.elapsed().as_secs_f64()
    };
    calls(2000).await;
    assert!((budget.per_second() - 40.0).abs() < f64::EPSILON, "{}", budget.per_second());
    let (background, _) = metered(Priority::default(), calls(400)).await;
    assert!((19.0..=20.5).contains(&background), "{background}");
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_is_an_error_and_not_a_wait() {
    let budget = Budget::new(Limits::new(5, 10, 4));
    let permit = budget.acquire().await.unwrap();
    budget.throttled(&permit, Duration::from_secs(600));
    let rest = budget.acquire().now_or_never().expect("no wait").expect_err("a pause");
    assert!(rest > Duration::from_secs(590), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_after_a_pause_come_one_by_one() {
    let budget = Arc::new(Budget::new(Limits::new(10, 10, 8)));
    let permit = budget.acquire().await.unwrap();
    budget.throttled(&permit, Duration::from_secs(2));
    drop(permit);
    let began = Instant::now();
    let calls = (0..8).map(|_| {
        let budget = budget.clone();
        tokio::spawn(async move {
            let _permit = budget.acquire().await.unwrap();
            began.elapsed()
        })
    });
    let times: Vec<_> = futures::future::join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert!(times[0] >= Duration::from_secs(2), "{times:?}");
    assert!(times.windows(2).all(|two| two[1] - two[0] >= Duration::from_millis(199)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn new_limits_count_for_the_next_call() {
    let budget = Budget::new(Limits::new(1000, 1000, 4));
    budget.set(Limits::new(2, 1, 1));
    let began = Instant::now();
    let first = budget.acquire().await.unwrap();
    assert!(budget.acquire().now_or_never().is_none(), "one slot");
    drop(first);
    drop(budget.acquire().await.unwrap());
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
}
