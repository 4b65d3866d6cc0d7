//! Long work in a process of its own: queued in the study file, run by a worker that outlives whoever asked for it.

use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::report::sheet::{Cell, Sheet};
use crate::store::{JobId, JobRow, JobState, StoreError};
use crate::study::{Error, ExtractReport, ExtractRequest, Study};
use osteon_base::job::{Job, Progress};

/// A worker that was silent for so long is taken for dead.
const SILENCE: Duration = Duration::from_secs(60);
/// Progress is written no more often than this.
const PULSE: Duration = Duration::from_millis(500);
/// And a sign of life no more rarely than this.
const BEAT: Duration = Duration::from_secs(5);

/// How long a cancelled computation may go on before its process ends.
const GRACE: Duration = Duration::from_secs(30);
const ENDED: &str = "the job did not stop within 30 seconds of its cancellation; its worker was ended";

/// Whether somebody works on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing to be done: waiting, or over.
    Idle,
    Alive,
    /// Its worker is gone; `work` takes it up again.
    Dead,
}

/// What the worker and its pulse tell each other.
struct Signs<'a> {
    latest: &'a Mutex<Progress>,
    /// Stops the computation.
    cancel: &'a AtomicBool,
    /// A person asked the job to stop.
    asked: &'a AtomicBool,
    /// A signal asked the worker to stop.
    stop: &'a AtomicBool,
    /// The computation has ended.
    over: &'a AtomicBool,
}

impl Study {
    /// All jobs, newest first.
    pub fn jobs_sheet(&self) -> Result<Sheet, Error> {
        let row = |job: &JobRow| {
            let state = if health(job) == Health::Dead { "worker died" } else { job.state.name() };
            let text = |text: &str| Cell::Text(text.to_owned());
            let progress =
                if job.total > 0 { format!("{} {}/{}", job.stage, job.done, job.total) } else { String::new() };
            let end = job.finished_at.clone().or_else(|| job.heartbeat_at.clone()).unwrap_or_default();
            let error = job.error.clone().unwrap_or_default();
            let number = Cell::Count(usize::try_from(job.id.0).unwrap_or(0));
            vec![number, text(&job.kind), text(state), text(&progress), text(&job.actor), text(&end), text(&error)]
        };
        Ok(Sheet {
            title: "Jobs".to_owned(),
            headings: ["job", "kind", "state", "progress", "actor", "last sign", "error"].map(str::to_owned).to_vec(),
            rows: self.store.jobs()?.iter().map(row).collect(),
            ..Sheet::default()
        })
    }

    /// Puts an extraction in the queue.
    pub fn queue_extraction(&self, request: &ExtractRequest) -> Result<JobId, Error> {
        let request = serde_json::to_string(request).expect("a request is plain data");
        Ok(self.store.write("queue", |write| write.queue_job("extract", &request))?)
    }

    /// Starts a worker in a session of its own, so that no closed terminal ends it.
    pub fn start_worker(&self) -> Result<(), Error> {
        let wrong = |source| Error::File { path: "osteon work".into(), source };
        let mut worker = Command::new(std::env::current_exe().map_err(wrong)?);
        worker.arg("--study").arg(self.store.path()).args(["--quiet", "work"]);
        worker.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: setsid is async-signal-safe and touches no memory of this process.
        unsafe {
            worker.pre_exec(|| match libc::setsid() {
                -1 => Err(std::io::Error::last_os_error()),
                _ => Ok(()),
            });
        }
        let mut child = worker.spawn().map_err(wrong)?;
        // Whoever lives longer than the worker must not keep its remains.
        std::thread::spawn(move || child.wait());
        Ok(())
    }

    /// Runs queued jobs, and those whose worker died, until there are none; gives how many were run.
    /// `stop` ends the work; what is not finished stays in the queue.
    pub fn work(&self, stop: &AtomicBool) -> Result<usize, Error> {
        let mut n = 0;
        while let Some(job) = self.next_job()? {
            self.run_job(&job, stop)?;
            n += 1;
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(n)
    }

    /// Asks a job to stop; `false` when it is over already.
    pub fn cancel_job(&self, id: JobId) -> Result<bool, Error> {
        self.store.job(id)?.ok_or(Error::NoJob(id.0))?;
        Ok(self.store.write("cancel", |write| write.cancel_job(id))?)
    }

    /// Queues a job again that is over or whose worker died.
    pub fn retry_job(&self, id: JobId) -> Result<(), Error> {
        let job = self.store.job(id)?.ok_or(Error::NoJob(id.0))?;
        if !job.state.over() && health(&job) != Health::Dead {
            return Err(Error::JobBusy(id.0));
        }
        Ok(self.store.write("retry", |write| write.requeue_job(id))?)
    }

    /// Takes the oldest job that waits or was left by a dead worker.
    fn next_job(&self) -> Result<Option<JobRow>, Error> {
        for job in self.store.jobs()?.into_iter().rev() {
            let dead = health(&job) == Health::Dead;
            let taken = |write: &crate::store::Write| {
                if dead && write.job(job.id)?.is_some_and(|now| now.heartbeat_at == job.heartbeat_at) {
                    write.requeue_job(job.id)?;
                }
                write.take_job(job.id)
            };
            if (dead || job.state == JobState::Queued) && self.store.write::<_, StoreError>("work", taken)? {
                return Ok(Some(job));
            }
        }
        Ok(None)
    }

    fn run_job(&self, row: &JobRow, stop: &AtomicBool) -> Result<(), Error> {
        let (cancel, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let latest = Mutex::new(Progress { stage: "", done: 0, total: 0 });
        let asked = AtomicBool::new(false);
        let pulse = self.reopen()?;
        let signs = Signs { latest: &latest, cancel: &cancel, asked: &asked, stop, over: &over };
        let result = std::thread::scope(|scope| {
            let beating = scope.spawn(move || pulse.beat(row.id, &signs));
            let report = |progress| *latest.lock().expect("no holder of the progress panics") = progress;
            // A panic ends this job, not the worker: the pulse must stop and the job must say that it failed.
            let result = catch_unwind(AssertUnwindSafe(|| self.dispatch(row, &Job::new(&cancel, &report))));
            let result = result.unwrap_or(Err(Error::Internal("the job ran")));
            over.store(true, Ordering::Relaxed);
            beating.join().expect("the pulse does not panic")?;
            Ok::<_, Error>(result)
        })?;
        self.store.write("work", |write| match result {
            Ok(None) => write.end_job(row.id, JobState::Done, None),
            Ok(Some(trouble)) => write.end_job(row.id, JobState::Failed, Some(&trouble)),
            // Stopped with its process, not by a person: it goes on later.
            Err(Error::Cancelled(_)) if !asked.load(Ordering::Relaxed) => write.requeue_job(row.id),
            Err(Error::Cancelled(_)) => write.end_job(row.id, JobState::Cancelled, None),
            Err(cause) => write.end_job(row.id, JobState::Failed, Some(&cause.in_full())),
        })?;
        Ok(())
    }

    /// Does what a job asks; `Some` is trouble with a part of it.
    fn dispatch(&self, row: &JobRow, job: &Job) -> Result<Option<String>, Error> {
        match row.kind.as_str() {
            "extract" => {
                let request: ExtractRequest = serde_json::from_str(&row.request).map_err(|_| Error::NoJob(row.id.0))?;
                Ok(trouble(&self.extract(&request, job)?))
            }
            "fit" => {
                let failed = self.fit(job)?.regions.into_iter();
                let first = failed.filter_map(|(region, outcome)| Some((region, outcome.err()?))).next();
                Ok(first.map(|(region, why)| format!("{region}: {why}")))
            }
            _ => Err(Error::NoJob(row.id.0)),
        }
    }

    /// Writes progress and signs of life until the job is over; hears when it is to stop.
    fn beat(&self, id: JobId, signs: &Signs) -> Result<(), Error> {
        let Signs { latest, cancel, asked, stop, over } = signs;
        let (mut told, mut at, mut asked_at) = (None, Instant::now(), None);
        while !over.load(Ordering::Relaxed) {
            let now = *latest.lock().expect("no holder of the progress panics");
            if told != Some(now) || at.elapsed() >= BEAT {
                match self.store.write("beat", |write| write.beat(id, now.stage, now.done, now.total)) {
                    Ok(is_asked) if is_asked => asked.store(true, Ordering::Relaxed),
                    // A foreign lock is waited for, like any other write.
                    Ok(_) | Err(StoreError::Busy(_)) => (),
                    Err(cause) => return Err(cause.into()),
                }
                (told, at) = (Some(now), Instant::now());
            } else if self.store.job(id)?.is_some_and(|row| row.cancel) {
                asked.store(true, Ordering::Relaxed);
            }
            if asked.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed) {
                cancel.store(true, Ordering::Relaxed);
                let since = *asked_at.get_or_insert_with(Instant::now);
                if asked.load(Ordering::Relaxed) && since.elapsed() > GRACE {
                    self.store.write("cancel", |write| write.end_job(id, JobState::Cancelled, Some(ENDED)))?;
                    eprintln!("osteon: {ENDED}");
                    std::process::exit(1);
                }
            }
            let since = Instant::now();
            while since.elapsed() < PULSE && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let last = *latest.lock().expect("no holder of the progress panics");
        self.store.write("beat", |write| write.beat(id, last.stage, last.done, last.total))?;
        Ok(())
    }
}

/// Whether a job's worker lives: its process on this machine, its heartbeat anywhere.
pub fn health(job: &JobRow) -> Health {
    if job.state != JobState::Running {
        return Health::Idle;
    }
    let beat = job.heartbeat_at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
    let silent = beat.is_none_or(|at| Timestamp::now().duration_since(at).as_secs() > SILENCE.as_secs().cast_signed());
    let here = job.host == crate::store::Actor::of_process().host;
    let taken = job.started_at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
    let gone = here && job.pid.is_none_or(|pid| !lives(pid) || taken.is_some_and(|at| began_after(pid, at)));
    if silent || gone { Health::Dead } else { Health::Alive }
}

fn lives(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    // SAFETY: signal 0 only asks whether the process exists.
    unsafe { libc::kill(pid, 0) == 0 || *libc::__errno_location() == libc::EPERM }
}

/// Whether the process of this number began after the job was taken: then the number was given away again. The kernel
/// counts a process's start in hundredths of a second since the machine's.
fn began_after(pid: u32, taken: Timestamp) -> bool {
    const SLACK_S: i64 = 2;
    let began = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold anything; what follows it are 50 numbers, the start being the 20th.
        let ticks: i64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
        let machine = std::fs::read_to_string("/proc/stat").ok()?;
        let booted: i64 = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(booted + ticks / 100)
    };
    began().is_some_and(|at| at > taken.as_second() + SLACK_S)
}

fn trouble(report: &ExtractReport) -> Option<String> {
    let failed: std::collections::BTreeSet<&str> = report.failures.iter().map(|it| it.code.as_str()).collect();
    let first = report.failures.first()?;
    Some(format!("{} failed; {}: {}", osteon_base::text::counted(failed.len(), "patient"), first.code, first.reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_number_that_was_given_away_again_is_told_by_its_start() {
        let own = std::process::id();
        assert!(!began_after(own, Timestamp::now()));
        let before_this_process = Timestamp::from_second(1_000_000_000).unwrap();
        assert!(began_after(own, before_this_process));
    }
}
