//! The column chooser of the patient list.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::dialog::{Dialog, frame};
use crate::tui::grid_view::put;
use crate::tui::message::Effect;

pub fn key(app: &mut App, mut at: usize, key: KeyEvent) -> Vec<Effect> {
    let columns = app.patients.cohort.columns();
    match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | 'c') => {
            app.settle();
            return Vec::new();
        }
        KeyCode::Down | KeyCode::Char('j') => at = (at + 1).min(columns.saturating_sub(2)),
        KeyCode::Up | KeyCode::Char('k') => at = at.saturating_sub(1),
        KeyCode::Char(' ') if columns > 1 => {
            let name = app.patients.cohort.name(at + 1).to_owned();
            if !app.patients.hidden.remove(&name) {
                app.patients.hidden.insert(name);
            }
        }
        KeyCode::Char('a') => app.patients.hidden.clear(),
        _ => (),
    }
    app.dialog = Some(Dialog::Columns { at });
    Vec::new()
}

pub fn draw(app: &App, at: usize, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let cohort = &app.patients.cohort;
    let inner = frame(
        "Columns: Space shows or hides, a all, Enter done",
        cohort.columns().saturating_sub(1) as u16,
        theme,
        area,
        buffer,
    );
    let top = (at + 1).saturating_sub(usize::from(inner.height));
    for (column, y) in (1 + top..cohort.columns()).zip(inner.y..inner.bottom()) {
        let name = cohort.name(column);
        let sign = if app.patients.hidden.contains(name) { "[ ]" } else { "[x]" };
        let style = if column == at + 1 { theme.selected() } else { Style::new() };
        put(buffer, inner.x, y, inner.width, &format!("{sign} {name}"), false, style);
    }
}
