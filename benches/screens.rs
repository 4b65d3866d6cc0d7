//! What the dashboard costs with 100,000 patients: frames, and what a key does before the next one.
//!
//! `cargo bench --bench screens` prints milliseconds of processor time and fails where a frame's 99th percentile is
//! above 2 ms or a key's work above 100 ms.

#[path = "../tests/it/tui_stage.rs"]
#[expect(dead_code, reason = "tests use more of the stage")]
mod tui_stage;

use std::time::Duration;

use osteon::tui::app::update;
use osteon::tui::data::{Content, Page};
use osteon::tui::message::{Answer, Message};
use osteon::tui::terminal::Terminal;
use osteon::tui::view::view;
use osteon_study::report::sheet::{Cell, Sheet};

const PATIENTS: usize = 100_000;

fn main() {
    let mut slow = Vec::new();
    for size in [(60, 16), (80, 24), (200, 60)] {
        let frames = frames(size);
        let at = |part: f64| frames[((frames.len() - 1) as f64 * part) as usize];
        let [median, most, last] = [0.5, 0.99, 1.0].map(at);
        println!(
            "{:>3} x {:<3} {} frames: median {median:?}, p99 {most:?}, slowest {last:?}",
            size.0,
            size.1,
            frames.len()
        );
        if size == (80, 24) && most > Duration::from_millis(2) {
            slow.push(format!("p99 {most:?}"));
        }
    }
    for (what, took) in keys() {
        println!("{what:<44} {took:?}");
        if took > Duration::from_millis(100) {
            slow.push(format!("{what} {took:?}"));
        }
    }
    assert!(slow.is_empty(), "too slow: {}", slow.join(", "));
}

/// Times of view and encoding, sorted: every screen in turn, the cursor moved on each.
fn frames(size: (u16, u16)) -> Vec<Duration> {
    let mut app = tui_stage::app(size, PATIENTS);
    let mut terminal = Terminal::over(std::io::sink(), false);
    let mut times = Vec::new();
    let places =
        ["2", "&alp > 300<enter>", "<esc>", "1", "3", "4", ":roc<enter>", ":forest<enter>", "5", "7", "8", "?<esc>"];
    for place in places {
        tui_stage::press(&mut app, place);
        for key in "jjjjlllljjkGkkkkgj$0lljhkl".repeat(4).split_inclusive(|_| true) {
            tui_stage::press(&mut app, key);
            let start = processor_time();
            terminal.draw(app.size, |buffer| view(&app, buffer)).expect("a sink takes all");
            times.push(processor_time().saturating_sub(start));
        }
    }
    times.sort();
    times
}

/// What the loop does between a key, or an answer, and the next frame.
fn keys() -> Vec<(String, Duration)> {
    let mut app = tui_stage::app((80, 24), PATIENTS);
    let mut times: Vec<(String, Duration)> = Vec::new();
    let cohort = std::sync::Arc::clone(&app.patients.cohort);
    let keys = [
        "&alp > 300 and pf = yes<enter>",
        "&not (sex = male or id ~ 7)<enter>",
        "<esc>",
        ":sort alp<enter>",
        ":sort -location<enter>",
        ":sort id<enter>",
        "/no such text<enter>",
        "/syn99999<enter>",
        ":patients SYN99999<enter>",
        "e<esc>",
        "<esc>G",
        " ",
        "5",
    ];
    let mut timed = |what: &str, work: &mut dyn FnMut()| {
        let start = processor_time();
        work();
        times.push((what.to_owned(), processor_time().saturating_sub(start)));
    };
    keys.iter().for_each(|key| timed(key, &mut || drop(tui_stage::press(&mut app, key))));
    let mut members = Some(Box::new(members()));
    timed("members come", &mut || {
        let content = members.take().expect("they come once");
        update(&mut app, Message::Answer(Answer::Page(Page::Members, None, content)));
    });
    for key in ["/no such text<enter>", "x<enter>", "<c-y>", "/SYN99999<enter>", "2"] {
        timed(&format!("members: {key}"), &mut || drop(tui_stage::press(&mut app, key)));
    }
    timed("all patients come again", &mut || {
        update(&mut app, Message::Answer(Answer::Cohort { cohort: cohort.clone(), whole: true }));
    });
    times
}

/// Who is in which set.
fn members() -> Content {
    let cells = |n: usize| [format!("SYN{n}"), "train".to_owned(), "yes".to_owned()].map(Cell::Text).to_vec();
    Content::Sheet(Sheet {
        title: "Split".into(),
        headings: ["patient", "set", "included"].map(str::to_owned).to_vec(),
        rows: (1..=PATIENTS).map(cells).collect(),
        notes: Vec::new(),
        provenance: Vec::new(),
    })
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the value that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
