//! `osteon jobs`, `osteon work`: the queue of long work.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;
use osteon_study::study::JobId;

/// List, cancel or retry long work
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Ask a job to stop
    Cancel { job: i64 },
    /// Queue a job again, and start a worker
    Retry { job: i64 },
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    match args.action {
        None => output::print_sheet(&opening::read(globals)?.jobs_sheet()?, globals.format)?,
        Some(Action::Cancel { job }) => {
            let stopping = opening::write(globals)?.cancel_job(JobId(job))?;
            output::say(globals, if stopping { "asked to stop" } else { "it is over already" });
        }
        Some(Action::Retry { job }) => {
            let study = opening::write(globals)?;
            study.retry_job(JobId(job))?;
            study.start_worker()?;
        }
    }
    Ok(Outcome::Done)
}

/// Runs queued jobs until there are none; a signal leaves the rest in the queue.
pub fn work(globals: &Globals) -> Result<Outcome, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    let n = opening::write(globals)?.work(&stop)?;
    output::say(globals, &format!("{n} jobs run"));
    Ok(Outcome::Done)
}
