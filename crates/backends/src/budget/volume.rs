//! How much a back end can make the operator remember. A snapshot is made of many answers, and each can be small: pages without end, or
//! bodies of nothing but tiny objects, which need far more memory than text.

use std::{fmt, future::Future, sync::Arc};

use parking_lot::Mutex;

/// The most JSON objects of one answer.
const MAX_OBJECTS_OF_ANSWER: usize = 100_000;
/// The most JSON objects of all answers of a [`bounded`] task. An account of 100,000 grants needs about 110,000.
const MAX_OBJECTS: usize = 250_000;
/// The most bytes of all these answers.
const MAX_BYTES: usize = 128 * MEBIBYTE;
const MEBIBYTE: usize = 1024 * 1024;

tokio::task_local! {
    /// What the answers of a task have together.
    static READ: Arc<Mutex<Volume>>;
}

#[derive(Clone, Copy, Default)]
struct Volume {
    bytes: usize,
    objects: usize,
}

/// The answers are larger than any account that this operator can manage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// One answer.
    Answer,
    /// All answers of the task together.
    Task,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => write!(f, "the answer has more than {MAX_OBJECTS_OF_ANSWER} JSON objects"),
            Self::Task => write!(
                f,
                "the answers of this sweep have together more than {} MiB or {MAX_OBJECTS} JSON objects",
                MAX_BYTES / MEBIBYTE
            ),
        }
    }
}

/// Runs a task whose answers are counted together.
pub async fn bounded<T>(task: impl Future<Output = T>) -> T {
    READ.scope(Arc::default(), task).await
}

/// Counts the body of an answer, before it is decoded.
///
/// # Errors
/// If it is too large, or with all earlier ones of the task.
pub fn count(body: &[u8]) -> Result<(), Exceeded> {
    // Braces within texts count too. No account has so many.
    let objects = body.iter().filter(|byte| **byte == b'{').count();
    if objects > MAX_OBJECTS_OF_ANSWER {
        return Err(Exceeded::Answer);
    }
    let Ok(read) = READ.try_with(Clone::clone) else { return Ok(()) };
    let mut read = read.lock();
    *read = Volume { bytes: read.bytes + body.len(), objects: read.objects + objects };
    if read.bytes > MAX_BYTES || read.objects > MAX_OBJECTS { Err(Exceeded::Task) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_of_one_task_count_together() {
        let body = vec![b' '; 8 * MEBIBYTE];
        let read = async |times| (0..times).try_for_each(|_| count(&body));
        assert_eq!(bounded(read(16)).await, Ok(()));
        assert_eq!(bounded(read(17)).await, Err(Exceeded::Task));
        assert_eq!(read(17).await, Ok(()), "single calls are no snapshot");
    }

    #[tokio::test]
    async fn tiny_objects_count_more_than_their_bytes() {
        let objects = |number: usize| "{},".repeat(number).into_bytes();
        assert_eq!(count(&objects(MAX_OBJECTS_OF_ANSWER)), Ok(()));
        assert_eq!(count(&objects(MAX_OBJECTS_OF_ANSWER + 1)), Err(Exceeded::Answer));
        let page = objects(MAX_OBJECTS_OF_ANSWER);
        let read = async |times| (0..times).try_for_each(|_| count(&page));
        assert_eq!(bounded(read(2)).await, Ok(()));
        assert_eq!(bounded(read(3)).await, Err(Exceeded::Task));
    }
}
