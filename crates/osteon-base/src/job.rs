//! The only line from a long computation to the outside: progress and finished parts go out, cancellation and what was
//! finished before come in.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A long computation as its watcher sees it; shared freely between threads.
pub struct Job<'a> {
    cancel: &'a AtomicBool,
    report: &'a (dyn Fn(Progress) + Sync),
    parts: Option<Parts<'a>>,
}

/// Where finished parts are kept under their names, as JSON, so that an interrupted computation goes on from there.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    pub find: &'a (dyn Fn(&str) -> Option<String> + Sync),
    pub keep: &'a (dyn Fn(&str, &str) + Sync),
}

/// How far one stage of a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: &'static str,
    pub done: usize,
    pub total: usize,
}

/// The watcher asked the computation to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, thiserror::Error)]
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
        Job { cancel, report, parts: None }
    }

    /// The same job, which keeps its finished parts.
    pub fn with_parts<'b>(&self, parts: Parts<'b>) -> Job<'b>
    where
        'a: 'b,
    {
        Job { cancel: self.cancel, report: self.report, parts: Some(parts) }
    }

    /// The part of this name: found where it was kept, else made, unless the job is cancelled, and kept. A part that
    /// does not read back as written, such as one with an infinite number, is made again.
    pub fn part<T: Serialize + DeserializeOwned>(&self, name: &str, make: impl FnOnce() -> T) -> Result<T, Cancelled> {
        let found = self.parts.and_then(|parts| (parts.find)(name));
        if let Some(part) = found.and_then(|text| serde_json::from_str(&text).ok()) {
            return Ok(part);
        }
        self.check()?;
        let made = make();
        // What a cancelled computation gives is no result.
        self.check()?;
        if let Some(parts) = self.parts {
            (parts.keep)(name, &serde_json::to_string(&made).expect("a part is plain data"));
        }
        Ok(made)
    }

    /// A stage of `total` steps begins; one without steps is not reported.
    pub fn stage(&self, name: &'static str, total: usize) -> Stage<'_> {
        if total > 0 {
            (self.report)(Progress { stage: name, done: 0, total });
        }
        Stage { job: self, name, done: AtomicUsize::new(0), total }
    }

    /// The same job without reports and parts: cancelled with it.
    pub fn silent(&self) -> Job<'_> {
        Job { cancel: self.cancel, report: &|_| {}, parts: None }
    }

    /// `Err` when the watcher asked to stop; for loops too small to count.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

impl Job<'static> {
    /// A job that nobody watches and nobody cancels.
    pub fn unwatched() -> Self {
        Job { cancel: &NEVER, report: &|_| {}, parts: None }
    }
}

impl Stage<'_> {
    /// `Err` when the watcher asked to stop; no step is counted.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.job.check()
    }

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

    #[test]
    fn a_part_is_made_once_and_a_cancelled_one_is_not_kept() {
        let cancel = AtomicBool::new(false);
        let kept = Mutex::new(std::collections::BTreeMap::new());
        let find = |name: &str| kept.lock().unwrap().get(name).cloned();
        let keep = |name: &str, value: &str| drop(kept.lock().unwrap().insert(name.to_owned(), value.to_owned()));
        let job = Job::new(&cancel, &|_| {}).with_parts(Parts { find: &find, keep: &keep });
        assert_eq!(job.part("a", || 0.1 + 0.2), Ok(0.1 + 0.2));
        assert_eq!(job.part("a", || 7.0), Ok(0.1 + 0.2));
        assert_eq!(job.silent().part("a", || 7.0), Ok(7.0));
        let stopped = || {
            cancel.store(true, Ordering::Relaxed);
            7.0
        };
        assert_eq!(job.part("b", stopped), Err(Cancelled));
        assert_eq!(kept.lock().unwrap().len(), 1);
    }
}
