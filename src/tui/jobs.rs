//! Long work: started here, done by a process of its own, seen again after coming back.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::{App, work};
use crate::tui::bindings::Action;
use crate::tui::data::{JobRow, JobState, Screen, Since};
use crate::tui::dialog::Dialog;
use crate::tui::grid_view::{GridView, Move, put, put_lines};
use crate::tui::message::{Effect, Request, Work};
use crate::tui::theme::Theme;
use crate::tui::{layout, origin, page};
use osteon_base::text::counted;
use osteon_study::study::Asked;

/// State of the screen.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// The newest first.
    pub rows: Vec<JobRow>,
    pub view: GridView,
    since: BTreeMap<i64, Since>,
}

impl Jobs {
    pub fn selected(&self) -> Option<&JobRow> {
        self.rows.get(self.view.row)
    }

    pub fn settle(&mut self, size: (u16, u16)) {
        self.view.settle(self.rows.len(), &[1], (size.0, list_height(size, self.rows.len())));
    }

    /// The first job that runs, in a few words for the foot of every screen.
    pub fn running(&self) -> Option<String> {
        let job = self.rows.iter().rev().find(|job| job.state == JobState::Running)?;
        Some(format!("{} {}", job.kind, percent(job)))
    }

    /// Notes when each job's present stage was first seen.
    fn note_stages(&mut self) {
        for job in self.rows.iter().filter(|job| job.state.is_active()) {
            let since = self.since.entry(job.id).or_insert_with(|| job.since());
            if since.stage != job.stage {
                *since = job.since();
            }
        }
    }
}

/// Rows of the list: beside it on a wide screen, below it on others, stands more about the selected job.
fn list_height((width, body): (u16, u16), jobs: usize) -> u16 {
    const STORY: u16 = 7;
    let free = if width < layout::WIDE { body.saturating_sub(STORY) } else { body };
    (jobs.min(usize::from(free)) as u16).max(1)
}

pub fn arrived(app: &mut App, rows: Vec<JobRow>) -> Vec<Effect> {
    let active =
        |rows: &[JobRow]| rows.iter().filter(|job| job.state.is_active()).map(|job| job.id).collect::<Vec<_>>();
    let (before, now) = (active(&app.jobs.rows), active(&rows));
    let ended = before.iter().any(|id| !now.contains(id));
    // The cursor stays on its job; on the newest it follows to a newer one.
    let selected = app.jobs.selected().filter(|_| app.jobs.view.row > 0).map(|job| job.id);
    app.jobs.view.row = rows.iter().position(|job| Some(job.id) == selected).unwrap_or(0);
    app.jobs.rows = rows;
    app.jobs.note_stages();
    app.settle();
    if !ended {
        return Vec::new();
    }
    let mut effects = app.stale();
    effects.push(Effect::Ask(Request::Cohort));
    effects
}

pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let size = layout::grid_size(app.size);
    let seen = usize::from(list_height(size, app.jobs.rows.len()));
    let to = match action {
        Action::Down => Move::Down(1),
        Action::Up => Move::Up(1),
        Action::HalfDown | Action::PageDown => Move::Down(seen),
        Action::HalfUp | Action::PageUp => Move::Up(seen),
        Action::First => Move::First,
        Action::Last => Move::Last,
        Action::Open => {
            let Some(job) = app.jobs.selected() else { return Vec::new() };
            let (title, mut lines) = (format!("Job {}", job.id), story(app, job));
            let may_fail = job.kind == "extract";
            if may_fail {
                lines.push(origin::ASKING.to_owned());
            }
            app.dialog = Some(Dialog::text(title, lines));
            return may_fail.then_some(Effect::Ask(Request::Origin(Asked::Failures))).into_iter().collect();
        }
        Action::Cancel => {
            let Some(job) = app.jobs.selected() else { return Vec::new() };
            let question = format!("Cancel {} (job {})? What is done stays done.", job.kind, job.id);
            let request = Request::Work(Work::Cancel { job: job.id });
            app.dialog = Some(Dialog::Confirm { question, key: 'Y', request });
            return Vec::new();
        }
        Action::Retry => {
            let Some(job) = app.jobs.selected().map(|job| job.id) else { return Vec::new() };
            return work(app, Work::Retry { job });
        }
        Action::CopyCell | Action::CopyRow => {
            let Some(job) = app.jobs.selected() else { return Vec::new() };
            let text = story(app, job).join("\n");
            app.say("copied what is known of the job");
            return vec![Effect::Copy(text)];
        }
        _ => return Vec::new(),
    };
    let rows = app.jobs.rows.len();
    app.jobs.view.go(to, rows, &[1], (size.0, seen as u16));
    Vec::new()
}

/// Starts the extraction of the marked patients, of the open one, or of all.
pub fn extract(app: &mut App) -> Vec<Effect> {
    let ids: Vec<String> = match (&app.patients.open, app.screen) {
        (Some(id), Screen::Patients) => vec![id.clone()],
        (None, Screen::Patients) => app.patients.marks.iter().cloned().collect(),
        _ => Vec::new(),
    };
    work(app, Work::Extract { ids })
}

fn percent(job: &JobRow) -> String {
    (100 * job.done).checked_div(job.total).map_or_else(|| "begins".to_owned(), |part| format!("{part}%"))
}

/// Minutes and seconds, or hours and minutes.
fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// All that is known of a job.
fn story(app: &App, job: &JobRow) -> Vec<String> {
    let queued = job.queued.get(..16).unwrap_or(&job.queued).replace('T', " ");
    let mut lines =
        vec![format!("{}, {}", job.kind, job.state_name()), format!("asked for by {} at {queued}", job.who)];
    lines.extend(job.error.iter().cloned());
    if job.state == JobState::Stale {
        lines.push("its process gave no sign of life; what it finished is kept, retry goes on from there".to_owned());
    }
    if job.total > 0 {
        lines.push(format!("{}: {} of {}", job.stage, job.done, job.total));
    }
    let since = app.jobs.since.get(&job.id).cloned().unwrap_or_else(|| job.since());
    if let Some(seconds) = job.seconds {
        let rate = job.pace(&since).map_or_else(String::new, |pace| format!(", {:.1} a minute", 60.0 * pace));
        lines.push(format!("worked for {}{rate}", duration(seconds)));
    }
    if let Some(left) = job.seconds_left(&since) {
        let stage = if job.kind == "extract" { "" } else { " of this stage" };
        lines.push(format!("about {} left{stage}", duration(left)));
    }
    lines
}

pub fn title(app: &App) -> String {
    let n = app.jobs.rows.len();
    let active = app.jobs.rows.iter().filter(|job| job.state.is_active()).count();
    format!("{}, {active} active", counted(n, "job"))
}

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    if app.jobs.rows.is_empty() {
        return page::say(
            "no jobs yet: E extracts features, f fits the models; both go on when you leave",
            area,
            buffer,
        );
    }
    let seen = list_height((area.width, area.height.saturating_sub(1)), app.jobs.rows.len());
    let (list, story_area) = match layout::halves(area) {
        (left, Some(right)) => (left, right),
        (whole, None) => {
            let used = (seen + 2).min(area.height);
            (
                whole,
                Rect {
                    x: area.x + 1,
                    y: area.y + used,
                    width: area.width.saturating_sub(2),
                    height: area.height - used,
                },
            )
        }
    };
    let head = "job  what        state      progress";
    put(buffer, list.x + 1, list.y, list.width.saturating_sub(1), head, false, theme.heading());
    let lines = app.jobs.rows.iter().enumerate().skip(app.jobs.view.top).take(usize::from(seen));
    for ((at, job), y) in lines.zip(list.y + 1..list.bottom()) {
        draw_job(job, at == app.jobs.view.row, theme, Rect { y, height: 1, ..list }, buffer);
    }
    if let Some(job) = app.jobs.selected() {
        put_lines(buffer, story_area, &story(app, job));
    }
}

fn draw_job(job: &JobRow, selected: bool, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let signs = theme.signs();
    let style = match job.state {
        JobState::Failed | JobState::Stale => theme.bad(),
        JobState::Done => theme.good(),
        JobState::Running => theme.attention(),
        JobState::Queued | JobState::Cancelled => Style::new(),
    };
    if selected {
        put(buffer, area.x, area.y, 1, signs.cursor, false, theme.heading());
    }
    let name = if selected { theme.heading() } else { Style::new() };
    put(buffer, area.x + 1, area.y, 16.min(area.width), &format!("{:>3}  {}", job.id, job.kind), false, name);
    put(buffer, area.x + 18, area.y, 9, job.state_name(), false, style);
    let room = area.width.saturating_sub(30);
    put(buffer, area.x + 29, area.y, room, &progress(job, usize::from(room), theme), false, Style::new());
}

/// A bar while the job is under way; then how far it came, how long it took, and what went wrong.
fn progress(job: &JobRow, room: usize, theme: Theme) -> String {
    let count = if job.total == 0 { String::new() } else { format!("{}/{}", job.done, job.total) };
    if job.state.is_active() {
        let signs = theme.signs();
        let width = room.saturating_sub(16).min(40);
        let full = (width as u64 * job.done).checked_div(job.total).unwrap_or(0).min(width as u64) as usize;
        return format!("{}{} {count}", signs.bar_full.repeat(full), signs.bar_empty.repeat(width - full));
    }
    let took = match job.seconds {
        // A fit's last stage may be empty.
        Some(_) if job.kind == "extract" && job.state == JobState::Done && job.total == 0 => {
            Some("nothing was left to do".to_owned())
        }
        seconds => seconds.map(duration),
    };
    [Some(count), took, job.error.clone()]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("  ")
}
