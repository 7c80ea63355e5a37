//! The threads that share out what one thread should not do alone.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// How many threads may work, and a pool of that many that starts when first needed: a run over
/// three small files should not start any.
#[derive(Debug)]
pub struct Threads {
    count: NonZeroUsize,
    pool: OnceLock<Option<ThreadPool>>,
}

impl Threads {
    /// `count` of them.
    pub fn new(count: NonZeroUsize) -> Self {
        Self {
            count,
            pool: OnceLock::new(),
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// Runs `work` so that rayon's parallel iterators inside it use these threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let start = || {
            ThreadPoolBuilder::new()
                .num_threads(self.count.get())
                .thread_name(|n| format!("douse-{n}"))
                .build()
                .ok()
        };
        match self.pool.get_or_init(start) {
            Some(pool) => pool.install(work),
            // The system gives no more threads; then rayon's own pool, or this thread, has to do.
            None => work(),
        }
    }
}
