//! The only line from a long computation to the outside: progress goes out, cancellation comes in.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A long computation as its watcher sees it; shared freely between threads.
pub struct Job<'a> {
    cancel: &'a AtomicBool,
    report: &'a (dyn Fn(Progress) + Sync),
}

/// How far one stage of a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: &'static str,
    pub done: usize,
    pub total: usize,
}

/// The watcher asked the computation to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// One counted part of a job; `step` may be called from any thread.
pub struct Stage<'a> {
    job: &'a Job<'a>,
    name: &'static str,
    done: AtomicUsize,
    total: usize,
}

static NEVER: AtomicBool = AtomicBool::new(false);

impl<'a> Job<'a> {
    /// `report` is called at every step, from whichever thread made it; set `cancel` to stop the job.
    pub fn new(cancel: &'a AtomicBool, report: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Job { cancel, report }
    }

    /// A stage of `total` steps begins.
    pub fn stage(&self, name: &'static str, total: usize) -> Stage<'_> {
        (self.report)(Progress { stage: name, done: 0, total });
        Stage { job: self, name, done: AtomicUsize::new(0), total }
    }

    /// The same job without reports: cancelled with it.
    pub fn silent(&self) -> Job<'_> {
        Job { cancel: self.cancel, report: &|_| {} }
    }

    /// `Err` when the watcher asked to stop; for loops too small to count.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

impl Job<'static> {
    /// A job that nobody watches and nobody cancels.
    pub fn unwatched() -> Self {
        Job { cancel: &NEVER, report: &|_| {} }
    }
}

impl Stage<'_> {
    /// One step is done; `Err` when the watcher asked to stop.
    pub fn step(&self) -> Result<(), Cancelled> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.job.report)(Progress { stage: self.name, done, total: self.total });
        self.job.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn every_step_is_reported_and_a_cancelled_job_stops() {
        let cancel = AtomicBool::new(false);
        let seen = Mutex::new(Vec::new());
        let report = |progress: Progress| seen.lock().unwrap().push(progress.done);
        let job = Job::new(&cancel, &report);
        let stage = job.stage("patients", 2);
        assert_eq!(stage.step(), Ok(()));
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(stage.step(), Err(Cancelled));
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
    }
}
