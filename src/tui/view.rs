//! State to picture; nothing is changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::bindings::Action;
use crate::tui::data::{Page, Screen};
use crate::tui::grid_view::put;
use crate::tui::layout::{SMALLEST, places, tabs};
use crate::tui::{dialog, jobs, nomogram, patients, slices};

/// Draws everything.
pub fn view(app: &App, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("{} x {} is too small: {} x {} at least", area.width, area.height, SMALLEST.0, SMALLEST.1);
        put(buffer, area.x, area.y, area.width, &text, false, Style::new());
        return;
    }
    let places = places(area);
    draw_tabs(app, places.tabs, buffer);
    draw_title(app, places.title, buffer);
    draw_body(app, places.body, buffer);
    draw_foot(app, places.foot, buffer);
    if let Some(open) = &app.dialog {
        dialog::draw(app, open, places.body, buffer);
    }
}

fn draw_tabs(app: &App, area: Rect, buffer: &mut Buffer) {
    for (screen, x, text) in tabs(area.width) {
        let style = if screen == app.screen { app.options.theme.selected() } else { Style::new() };
        put(buffer, area.x + x, area.y, area.width.saturating_sub(x), &text, false, style);
    }
}

fn draw_title(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let said = match (&app.slices, app.screen) {
        (Some(slices), _) => Some(slices::title(slices, theme, area.width)),
        (None, Screen::Jobs) => Some(jobs::title(app)),
        (None, Screen::Nomogram) => Some(nomogram::title(app)),
        (None, Screen::Patients) if app.page().is_none() => Some(patients::title(app)),
        _ => None,
    };
    if let Some(said) = said {
        put(buffer, area.x + 1, area.y, area.width.saturating_sub(1), &said, false, theme.heading());
        return;
    }
    let mut x = area.x + 1;
    if let Some(id) = app.page().and_then(|page| app.patient_of(page)) {
        put(buffer, x, area.y, area.width.saturating_sub(1), &id, false, theme.heading());
        x += id.chars().count() as u16 + 2;
    }
    draw_pages(app, x, area, buffer);
    if let Some(split) = app.head.split.as_ref().filter(|_| app.screen == Screen::Split) {
        let width = (split.words.chars().count() as u16).min(area.width / 2);
        put(buffer, area.right() - width - 1, area.y, width, &split.words, true, Style::new());
    }
}

/// The pages of the screen; where they do not fit, those around the present one.
fn draw_pages(app: &App, mut x: u16, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let pages = app.screen.pages();
    let at = app.page().and_then(|page| pages.iter().position(|it| *it == page)).unwrap_or(0);
    let width = |from: usize| -> u16 { pages[from..=at].iter().map(|page| page.name().len() as u16 + 2).sum() };
    let first = (0..=at).find(|&from| x + width(from) <= area.right()).unwrap_or(at);
    if pages.len() < 2 {
        put(buffer, x, area.y, area.width.saturating_sub(x), &app.head.title, false, theme.heading());
        return;
    }
    let signs = theme.signs();
    if first > 0 {
        put(buffer, area.x, area.y, 1, signs.more_left, false, theme.attention());
    }
    for (n, page) in pages.iter().enumerate().skip(first) {
        if x + page.name().len() as u16 > area.right() {
            put(buffer, area.right() - 1, area.y, 1, signs.more_right, false, theme.attention());
            break;
        }
        let style = if n == at { theme.heading().underlined() } else { Style::new() };
        put(buffer, x, area.y, area.right().saturating_sub(x), page.name(), false, style);
        x += page.name().len() as u16 + 2;
    }
}

fn draw_body(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    if let Some(slices) = &app.slices {
        return slices::draw(slices, theme, area, buffer);
    }
    match (app.screen, app.page()) {
        (Screen::Patients, None) => patients::draw(app, area, buffer),
        (Screen::Jobs, _) => jobs::draw(app, area, buffer),
        (Screen::Nomogram, _) => nomogram::draw(app, area, buffer),
        (_, Some(page)) => {
            if let Some(state) = app.pages.get(&page) {
                state.draw(app, page, area, buffer);
            }
        }
        (_, None) => (),
    }
}

/// What was said, or the keys that matter here; to the right the study and what runs.
fn draw_foot(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let right = state_of_study(app);
    let room = area.width.saturating_sub(right.chars().count() as u16 + 2);
    let (text, style) = match &app.note {
        Some(note) if note.bad => (note.text.clone(), theme.bad()),
        Some(note) => (note.text.clone(), theme.good()),
        None => (hints(app, room), Style::new()),
    };
    let room = if app.note.is_some() && text.chars().count() > usize::from(room) { area.width } else { room };
    put(buffer, area.x, area.y, room, &text, false, style);
    if room < area.width {
        put(buffer, area.x + room, area.y, area.width - room, &right, true, Style::new());
    }
}

fn state_of_study(app: &App) -> String {
    let mut parts = Vec::new();
    if app.screen != Screen::Jobs {
        parts.extend(app.jobs.running());
    }
    if app.head.synthetic {
        parts.push("synthetic".to_owned());
    }
    if app.head.locked.is_some() {
        parts.push("locked".to_owned());
    }
    if app.head.blind {
        parts.push("blind".to_owned());
    }
    if app.options.read_only {
        parts.push("read-only".to_owned());
    }
    if app.size.0 >= 70 {
        parts.push(app.head.file.clone());
    }
    parts.join("  ")
}

/// Keys that matter here, as many as there is room for.
fn hints(app: &App, room: u16) -> String {
    let actions: &[(Action, &str)] = match (app.screen, app.page()) {
        _ if app.slices.is_some() => &[
            (Action::SliceForward, "slice"),
            (Action::Zoom, "zoom"),
            (Action::Accept, "accept"),
            (Action::Redo, "redo"),
            (Action::NextMask, "next"),
            (Action::Back, "back"),
        ],
        (Screen::Patients, None) => &[
            (Action::Open, "open"),
            (Action::Find, "find"),
            (Action::Filter, "filter"),
            (Action::Sort, "sort"),
            (Action::Edit, "edit"),
        ],
        (Screen::Patients, _) => {
            &[(Action::NextPage, "page"), (Action::Edit, "edit"), (Action::Slices, "image"), (Action::Back, "back")]
        }
        (Screen::Jobs, _) => {
            &[(Action::Extract, "extract"), (Action::Fit, "fit"), (Action::Cancel, "cancel"), (Action::Retry, "retry")]
        }
        (Screen::Nomogram, _) => &[
            (Action::NextValue, "value"),
            (Action::More, "more"),
            (Action::Less, "less"),
            (Action::TakePatient, "patient"),
            (Action::Explain, "SHAP"),
        ],
        (Screen::Study, Some(Page::Queries)) => &[
            (Action::NextPage, "page"),
            (Action::Answer, "answer"),
            (Action::Close, "close"),
            (Action::Open, "patient"),
        ],
        (Screen::Study, Some(Page::Masks)) => {
            &[(Action::NextPage, "page"), (Action::Open, "image"), (Action::Answer, "accept"), (Action::Redo, "redo")]
        }
        (Screen::Study, _) => &[
            (Action::NextPage, "page"),
            (Action::Open, "do"),
            (Action::Command, "command"),
            (Action::Export, "export"),
        ],
        (Screen::Split, _) => &[
            (Action::NextPage, "page"),
            (Action::Draw, "draw"),
            (Action::ImportSplit, "import"),
            (Action::Lock, "lock"),
        ],
        (Screen::Models, _) => &[
            (Action::NextPage, "page"),
            (Action::Fit, "fit"),
            (Action::Compare, "compare"),
            (Action::Export, "export"),
        ],
        (Screen::Trail, _) => &[
            (Action::NextPage, "page"),
            (Action::Filter, "filter"),
            (Action::Verify, "verify"),
            (Action::Reconcile, "reconcile"),
            (Action::Report, "report"),
        ],
        _ => &[
            (Action::NextPage, "page"),
            (Action::Open, "origin"),
            (Action::CopyCell, "copy"),
            (Action::Export, "export"),
        ],
    };
    let hint = |(action, word): &(Action, &str)| format!("{} {word}", app.bindings.key_of(*action));
    let help = format!("{} help", app.bindings.key_of(Action::Help));
    let mut line = help;
    let turns = app.screen.pages().len() > 1;
    for hint in actions.iter().filter(|(action, _)| turns || *action != Action::NextPage).map(hint) {
        if line.chars().count() + 2 + hint.chars().count() > usize::from(room) {
            break;
        }
        line = format!("{line}  {hint}");
    }
    line
}
