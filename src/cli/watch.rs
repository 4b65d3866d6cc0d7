//! A long computation at the command line: progress on stderr, Ctrl-C stops it cleanly.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::cli::Globals;
use osteon_base::job::{Job, Progress};

/// Runs `work` with a job that shows its progress, and that a signal cancels.
pub fn watched<T>(globals: &Globals, work: impl FnOnce(&Job) -> T) -> T {
    let cancel = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // A second signal ends the program at once: the first one was heard, but the work does not come to its end.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&cancel));
        let _ = signal_hook::flag::register(signal, Arc::clone(&cancel));
    }
    end_soon(Arc::clone(&cancel));
    let seen = || cancel.load(Ordering::Relaxed);
    if globals.quiet {
        work(&Job::new(&cancel, &|_| ()))
    } else if io::stderr().is_terminal() {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
        let style = "{msg} {bar:30} {pos}/{len} {elapsed} eta {eta}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is fixed").progress_chars("=> "));
        let result = work(&Job::new(&cancel, &|progress| {
            bar.set_message(if seen() { "stopping" } else { progress.stage });
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
        }));
        bar.finish_and_clear();
        result
    } else {
        let last = Mutex::new(None);
        work(&Job::new(&cancel, &|progress| line(progress, &last)))
    }
}

/// How long work may go on after a signal before the program ends without it: what is stored is whole at any moment.
const GRACE: Duration = Duration::from_millis(700);

/// Ends the program where the work does not see the signal, deep inside one image or fit.
fn end_soon(cancel: Arc<AtomicBool>) {
    const PULSE: Duration = Duration::from_millis(50);
    std::thread::spawn(move || {
        while !cancel.load(Ordering::Relaxed) {
            std::thread::sleep(PULSE);
        }
        std::thread::sleep(GRACE);
        std::process::exit(130);
    });
}

/// One line a stage's begin and end, and every ten seconds between.
fn line(progress: Progress, last: &Mutex<Option<Instant>>) {
    let mut last = last.lock().expect("no holder of the clock panics");
    let due = last.is_none_or(|at| at.elapsed() >= Duration::from_secs(10));
    if due || progress.done == 0 || progress.done == progress.total {
        *last = Some(Instant::now());
        let Progress { stage, done, total } = progress;
        let _ = writeln!(io::stderr(), "{stage} {done}/{total}");
    }
}
