//! What the dashboard sends over a slow link, counted.

use std::io::{self, Write};
use std::time::Duration;

use osteon::tui::app::{App, update};
use osteon::tui::message::{Answer, Message};
use osteon::tui::terminal::Terminal;
use osteon::tui::view::view;

use crate::tui_stage::{app, jobs, press};

/// Counts writes and bytes.
#[derive(Default)]
struct Counter {
    writes: usize,
    bytes: usize,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal and what the last frame cost.
struct Link {
    terminal: Terminal<Counter>,
    app: App,
}

impl Link {
    fn new(patients: usize) -> Link {
        Link { terminal: Terminal::over(Counter::default(), false), app: app((80, 24), patients) }
    }

    /// Writes and bytes of one frame.
    fn frame(&mut self) -> (usize, usize) {
        let (writes, bytes) = (self.terminal.writer().writes, self.terminal.writer().bytes);
        let app = &self.app;
        self.terminal.draw(app.size, |buffer| view(app, buffer)).unwrap();
        (self.terminal.writer().writes - writes, self.terminal.writer().bytes - bytes)
    }

    fn after(&mut self, keys: &str) -> (usize, usize) {
        press(&mut self.app, keys);
        self.frame()
    }
}

#[test]
fn frames_fit_a_slow_link() {
    let mut link = Link::new(10_000);
    let (writes, first) = link.frame();
    assert!(writes == 1 && first <= 3500, "first frame: {first} bytes in {writes} writes");
    assert_eq!(link.frame(), (0, 0), "an idle frame");
    for (name, key) in [("down", "j"), ("right", "l"), ("up", "k")] {
        let (writes, bytes) = link.after(key);
        assert!(writes == 1 && bytes <= 300, "{name}: {bytes} bytes in {writes} writes");
        eprintln!("{name}: {bytes} bytes");
    }
    link.after("jjjjjjjjjjjjjjjjjjj");
    for _ in 0..30 {
        let (writes, bytes) = link.after("j");
        assert!(writes == 1 && bytes <= 300, "down at the edge: {bytes} bytes in {writes} writes");
    }
    eprintln!("first frame {first} bytes");
}

#[test]
fn a_chart_fits_a_slow_link() {
    let mut link = Link::new(93);
    link.frame();
    let (writes, bytes) = link.after(":roc<enter>");
    assert!(writes == 1 && bytes <= 3500, "{bytes} bytes in {writes} writes");
    eprintln!("chart: {bytes} bytes");
}

#[test]
fn progress_costs_almost_nothing_on_any_screen() {
    for screen in ["2", "3", "4"] {
        let mut link = Link::new(93);
        link.after(screen);
        for done in 38..93 {
            update(&mut link.app, Message::Answer(Answer::Jobs(jobs(done))));
            let (writes, bytes) = link.frame();
            assert!(writes <= 1 && bytes <= 60, "screen {screen}: a tick of {bytes} bytes in {writes} writes");
        }
    }
}

#[test]
fn drawing_is_fast_with_many_patients() {
    let mut link = Link::new(100_000);
    let mut times: Vec<Duration> = Vec::new();
    for key in "jjjjllllGkkkkgjjj$kk0jj".repeat(9).split_inclusive(|_| true) {
        press(&mut link.app, key);
        let start = processor_time();
        link.frame();
        times.push(processor_time().saturating_sub(start));
    }
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let [median, most, slowest] = [0.5, 0.99, 1.0].map(at);
    eprintln!("{} frames: median {median:?}, p99 {most:?}, slowest {slowest:?}", times.len());
    // 2 ms is for the build that users have (`cargo bench --bench screens`); an unoptimised one is slower.
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 2 });
    assert!(most < limit, "{most:?}");
}

/// Processor time of this thread: other programs do not count.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the value that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
