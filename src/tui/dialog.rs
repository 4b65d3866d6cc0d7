//! What lies over a screen: help, the command line, forms, texts, questions, the column chooser.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};
use ratatui_textarea::TextArea;

use crate::tui::app::{App, perform};
use crate::tui::bindings::Context;
use crate::tui::form::{Form, Outcome, area as text_area};
use crate::tui::grid_view::put;
use crate::tui::message::{Effect, Request};
use crate::tui::theme::Theme;
use crate::tui::{columns, command, forms, help};
use osteon_base::text::counted;

/// One dialog; it takes all keys until it is closed.
#[derive(Clone, Debug)]
pub enum Dialog {
    Help {
        context: &'static [Context],
        search: TextArea<'static>,
        top: usize,
    },
    Command {
        line: TextArea<'static>,
        pick: usize,
    },
    Form(Form),
    /// Lines to read, and what `y` copies of them.
    Text {
        title: String,
        lines: Vec<String>,
        top: usize,
    },
    /// Done when the key is pressed; any other key leaves things as they are.
    Confirm {
        question: String,
        key: char,
        request: Request,
    },
    Columns {
        at: usize,
    },
}

impl Dialog {
    pub fn text(title: impl Into<String>, lines: Vec<String>) -> Dialog {
        Dialog::Text { title: title.into(), lines, top: 0 }
    }

    pub fn command() -> Dialog {
        Dialog::Command { line: text_area(""), pick: 0 }
    }

    pub fn help(context: &'static [Context]) -> Dialog {
        Dialog::Help { context, search: text_area(""), top: 0 }
    }
}

/// Gives a key to the open dialog.
pub fn key(app: &mut App, dialog: Dialog, key: KeyEvent) -> Vec<Effect> {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return Vec::new();
    }
    match dialog {
        Dialog::Help { .. } => help::key(app, dialog, key),
        Dialog::Command { line, pick } => command::key(app, line, pick, key),
        Dialog::Columns { at } => columns::key(app, at, key),
        Dialog::Text { title, lines, top } => text_key(app, title, lines, top, key),
        Dialog::Confirm { key: wanted, request, .. } => match key.code {
            KeyCode::Char(c) if c == wanted => perform(app, request),
            _ => {
                app.say("left as it was");
                Vec::new()
            }
        },
        Dialog::Form(mut form) => match form.key(key) {
            Outcome::Closed => Vec::new(),
            Outcome::Submitted => forms::submit(app, form),
            Outcome::Open => {
                app.dialog = Some(Dialog::Form(form));
                Vec::new()
            }
        },
    }
}

/// Gives pasted text to the open dialog's line.
pub fn paste(dialog: &mut Dialog, text: &str) {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match dialog {
        Dialog::Form(form) => form.paste(&line),
        Dialog::Command { line: area, .. } | Dialog::Help { search: area, .. } => {
            area.insert_str(line.trim());
        }
        Dialog::Text { .. } | Dialog::Confirm { .. } | Dialog::Columns { .. } => (),
    }
}

fn text_key(app: &mut App, title: String, lines: Vec<String>, top: usize, key: KeyEvent) -> Vec<Effect> {
    let last = lines.len().saturating_sub(1);
    let top = match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => return Vec::new(),
        KeyCode::Char('y') => {
            app.say(format!("copied {}", counted(lines.len(), "line")));
            return vec![Effect::Copy(lines.join("\n"))];
        }
        KeyCode::Char('j') | KeyCode::Down => (top + 1).min(last),
        KeyCode::Char('k') | KeyCode::Up => top.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => (top + 10).min(last),
        KeyCode::PageUp => top.saturating_sub(10),
        _ => top,
    };
    app.dialog = Some(Dialog::Text { title, lines, top });
    Vec::new()
}

/// Draws the open dialog over the body.
pub fn draw(app: &App, dialog: &Dialog, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    match dialog {
        Dialog::Help { context, search, top } => help::draw(app, context, search, *top, area, buffer),
        Dialog::Command { line, pick } => command::draw(app, line, *pick, area, buffer),
        Dialog::Form(form) => form.draw(theme, area, buffer),
        Dialog::Columns { at } => columns::draw(app, *at, area, buffer),
        Dialog::Confirm { question, key, .. } => {
            let inner = frame("Sure?", 2, theme, area, buffer);
            let answer = format!("{key} yes   any other key no");
            for (text, y) in [question.as_str(), &answer].into_iter().zip(inner.y..inner.bottom()) {
                put(buffer, inner.x, y, inner.width, text, false, Style::new());
            }
        }
        Dialog::Text { title, lines, top } => {
            let wrapped = wrap(lines, usize::from(area.width.saturating_sub(4)));
            let inner = frame(title, wrapped.len() as u16, theme, area, buffer);
            let seen = usize::from(inner.height);
            let top = (*top).min(wrapped.len().saturating_sub(seen));
            if seen < wrapped.len() {
                let place = format!(" {}-{} of {} lines: j down, k up ", top + 1, top + seen, wrapped.len());
                put(buffer, inner.x, inner.bottom(), inner.width, &place, false, theme.heading());
            }
            for (text, y) in wrapped[top..].iter().zip(inner.y..inner.bottom()) {
                put(buffer, inner.x, y, inner.width, text, false, Style::new());
            }
        }
    }
}

/// Lines broken at blanks where they are too long.
pub fn wrap(lines: &[String], width: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    for line in lines {
        let mut rest = line.as_str();
        while rest.chars().count() > width.max(8) {
            let limit = rest.char_indices().nth(width.max(8)).map_or(rest.len(), |(at, _)| at);
            let end = rest[..limit].rfind(' ').filter(|&at| at > 0).unwrap_or(limit);
            wrapped.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
        wrapped.push(rest.to_owned());
    }
    wrapped
}

/// No dialog is wider.
pub const WIDEST: u16 = 100;

/// A bordered box for `rows` lines in the middle of the area; gives the place inside.
pub fn frame(title: &str, rows: u16, theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    let width = area.width.min(WIDEST);
    let height = (rows + 2).min(area.height);
    let place = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    let place = place.intersection(buffer.area);
    Clear.render(place, buffer);
    let mut block = Block::bordered().title(format!(" {title} ")).border_style(theme.heading());
    if theme.ascii {
        block = block.border_set(ASCII_BORDER);
    }
    let inner = block.inner(place);
    block.render(place, buffer);
    Rect { x: inner.x.saturating_add(1).min(inner.right()), width: inner.width.saturating_sub(2), ..inner }
}

const ASCII_BORDER: ratatui::symbols::border::Set = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
