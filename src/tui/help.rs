//! `?`: the keys that mean something here, made from the table of keys, searchable; a key that cannot be used says why.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use ratatui_textarea::TextArea;

use crate::tui::app::App;
use crate::tui::bindings::Context;
use crate::tui::dialog::{Dialog, WIDEST, frame, wrap};
use crate::tui::grid_view::put;
use crate::tui::message::Effect;

pub fn key(app: &mut App, dialog: Dialog, key: KeyEvent) -> Vec<Effect> {
    let Dialog::Help { context, mut search, mut top } = dialog else { return Vec::new() };
    let rows = lines(app, context, &search.lines().concat()).len();
    match key.code {
        KeyCode::Esc | KeyCode::Enter => return Vec::new(),
        KeyCode::Down => top = (top + 1).min(rows.saturating_sub(1)),
        KeyCode::Up => top = top.saturating_sub(1),
        KeyCode::PageDown => top = (top + 10).min(rows.saturating_sub(1)),
        KeyCode::PageUp => top = top.saturating_sub(10),
        _ => {
            search.input(key);
            top = 0;
        }
    }
    app.dialog = Some(Dialog::Help { context, search, top });
    Vec::new()
}

/// Keys and what they do, each with a second line where it cannot be used now.
fn lines(app: &App, context: &[Context], search: &str) -> Vec<(String, String, bool)> {
    let wanted = search.to_lowercase();
    let mut lines = Vec::new();
    for (binding, keys) in app.bindings.listed(context) {
        let text = format!("{:<16} {}", binding.name, binding.help);
        if !format!("{keys} {text}").to_lowercase().contains(&wanted) {
            continue;
        }
        let wrapped = |text: String| wrap(&[text], usize::from(app.size.0.min(WIDEST)).saturating_sub(36));
        for (n, line) in wrapped(binding.help.to_owned()).into_iter().enumerate() {
            let name = if n == 0 { binding.name } else { "" };
            lines.push((if n == 0 { keys.clone() } else { String::new() }, format!("{name:<16} {line}"), true));
        }
        if let Err(why) = (binding.when)(app) {
            let lines_of = wrapped(format!("not now: {why}")).into_iter();
            lines.extend(lines_of.map(|line| (String::new(), format!("{:<16} {line}", ""), false)));
        }
    }
    lines
}

pub fn draw(app: &App, context: &[Context], search: &TextArea, top: usize, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let lines = lines(app, context, &search.lines().concat());
    let inner = frame("Keys: type to search, Esc closes", area.height, theme, area, buffer);
    search.render(Rect { height: 1, ..inner }.intersection(inner), buffer);
    if lines.is_empty() {
        put(buffer, inner.x, inner.y + 1, inner.width, "no matching shortcut", false, theme.bad());
    }
    let seen = usize::from(inner.height.saturating_sub(1));
    let top = top.min(lines.len().saturating_sub(seen));
    for ((keys, text, usable), y) in lines[top..].iter().zip(inner.y + 1..inner.bottom()) {
        put(buffer, inner.x, y, 13.min(inner.width), keys, false, theme.heading());
        let style = if *usable { Style::new() } else { theme.attention() };
        put(buffer, inner.x + 14, y, inner.width.saturating_sub(14), text, false, style);
    }
}
