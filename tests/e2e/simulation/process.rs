//! One operator process in memory: every call that it makes passes here, so that it can be killed before or after any of them.

use std::{fmt, future, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Duration, Instant, sleep_until},
};

/// Where a process is killed: before or after one of its calls, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub call: usize,
    pub moment: Moment,
}

/// Before a call is delivered, or after it was executed and before its answer arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

/// What happens to a write to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is refused with 500.
    Refused,
    /// It is refused with 409.
    Stale,
    /// It is done, and the answer is 500.
    AnswerLost,
}

/// The calls of one process.
#[derive(Clone)]
pub struct Process {
    state: Arc<Mutex<State>>,
    died: Arc<Notify>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    cut: Option<Cut>,
    is_dead: bool,
    trouble: Option<(Trouble, usize)>,
    /// Until then, calls to the API server do not arrive.
    partitioned_until: Option<Instant>,
    /// The name under which it claims the Lease.
    identity: Option<String>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub to: String,
    pub method: String,
    pub path: String,
    /// Whether it can change something.
    pub is_write: bool,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.to, self.method, self.path)
    }
}

impl Process {
    /// A process that lives.
    pub fn new() -> Self {
        Self { state: Arc::default(), died: Arc::default() }
    }

    /// Kills it at this call, counted from now on.
    pub fn arm(&self, cut: Option<Cut>) {
        let mut state = self.state.lock();
        (state.calls, state.cut) = (Vec::new(), cut);
    }

    /// The next `times` writes to the API server fail.
    pub fn fail(&self, trouble: Trouble, times: usize) {
        self.state.lock().trouble = (times > 0).then_some((trouble, times));
    }

    /// What happens to a write to the API server now.
    pub fn trouble(&self) -> Option<Trouble> {
        let mut state = self.state.lock();
        let (trouble, times) = state.trouble.take()?;
        state.trouble = (times > 1).then_some((trouble, times - 1));
        Some(trouble)
    }

    /// Cuts the process off from the API server for this long.
    pub fn partition(&self, time: Duration) {
        self.state.lock().partitioned_until = Some(Instant::now() + time);
    }

    /// Waits for the end of a partition.
    pub async fn reach_api_server(&self) {
        let until = self.state.lock().partitioned_until;
        if let Some(until) = until {
            sleep_until(until).await;
        }
    }

    /// Learns the name under which the process claims the Lease.
    pub fn set_identity(&self, identity: String) {
        self.state.lock().identity = Some(identity);
    }

    /// The name under which the process claims the Lease, if it did.
    pub fn identity(&self) -> Option<String> {
        self.state.lock().identity.clone()
    }

    /// The calls since [`Process::arm`].
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().calls.clone()
    }

    /// Whether a cut was reached.
    pub fn is_dead(&self) -> bool {
        self.state.lock().is_dead
    }

    /// Waits for a cut to be reached.
    pub async fn died(&self) {
        let died = self.died.notified();
        if !self.is_dead() {
            died.await;
        }
    }

    /// Ends all calls of this process.
    pub fn kill(&self) {
        self.state.lock().is_dead = true;
        self.died.notify_waiters();
    }

    /// Makes a call, unless the process is dead: then it never returns.
    pub async fn call<T>(&self, call: Call, deliver: impl Future<Output = T>) -> T {
        self.unless_dead().await;
        let (number, cut) = {
            let mut state = self.state.lock();
            state.calls.push(call);
            (state.calls.len() - 1, state.cut)
        };
        let is_cut = |moment| cut == Some(Cut { call: number, moment });
        if is_cut(Moment::Before) {
            self.kill();
        }
        self.unless_dead().await;
        let answer = deliver.await;
        if is_cut(Moment::After) {
            self.kill();
        }
        self.unless_dead().await;
        answer
    }

    async fn unless_dead(&self) {
        if self.is_dead() {
            future::pending::<()>().await;
        }
    }
}
