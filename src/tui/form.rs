//! Questions with one or more lines to fill in.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;
use ratatui_textarea::TextArea;

use crate::tui::dialog::{WIDEST, frame, wrap};
use crate::tui::grid_view::put;
use crate::tui::theme::Theme;

/// A form on the screen.
#[derive(Clone, Debug)]
pub struct Form {
    pub title: String,
    /// What to know before answering.
    pub lines: Vec<String>,
    pub fields: Vec<Field>,
    pub at: usize,
    pub purpose: Purpose,
    /// Why the last answer was refused.
    pub error: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub label: String,
    pub area: TextArea<'static>,
    /// What the answer means and takes; empty for nothing to say.
    pub tip: String,
}

/// What the answers are for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    Find,
    FilterPatients,
    FilterChanges,
    Export,
    Edit {
        id: String,
        field: String,
        version: i64,
    },
    Exclude {
        id: String,
        version: i64,
    },
    Include {
        id: String,
        version: i64,
    },
    Undo {
        id: String,
        seq: i64,
    },
    Split,
    ImportSplit,
    LockSplit,
    Fit,
    TakePatient,
    Reconcile,
    Correct {
        table: String,
        line: usize,
        column: usize,
    },
    Report,
    /// Of the page that stands before the dashboard.
    Start,
    Ask {
        id: String,
        field: String,
    },
    Answer {
        query: i64,
    },
    Close {
        query: i64,
    },
    Judge {
        id: String,
        mask: String,
        judgement: osteon_study::study::Judgement,
    },
}

/// What a key did to a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Open,
    Closed,
    Submitted,
}

impl Form {
    /// One field for each label and first text; the first is chosen whole.
    pub fn new(title: impl Into<String>, purpose: Purpose, fields: &[(&str, &str)]) -> Form {
        let field =
            |(label, text): &(&str, &str)| Field { label: (*label).to_owned(), area: area(text), tip: String::new() };
        let fields = fields.iter().map(field).collect();
        let mut form = Form { title: title.into(), lines: Vec::new(), fields, at: 0, purpose, error: None };
        form.go(0);
        form
    }

    /// Goes to a field and chooses its text: what is typed takes its place, arrow keys edit it.
    fn go(&mut self, to: usize) {
        self.fields[self.at].area.cancel_selection();
        self.at = to.min(self.fields.len() - 1);
        if !self.answer(self.at).is_empty() {
            self.fields[self.at].area.select_all();
        }
    }

    pub fn saying(mut self, lines: impl IntoIterator<Item = String>) -> Form {
        self.lines.extend(lines);
        self
    }

    /// A word on each field, seen while the pen is in it.
    pub fn hinted(mut self, tips: impl IntoIterator<Item = String>) -> Form {
        self.fields.iter_mut().zip(tips).for_each(|(field, tip)| field.tip = tip);
        self
    }

    /// The answer to a field, without blanks around it.
    pub fn answer(&self, at: usize) -> String {
        self.fields[at].area.lines().concat().trim().to_owned()
    }

    /// Enter goes to the next field and submits at the last; ctrl-s submits from any.
    pub fn key(&mut self, key: KeyEvent) -> Outcome {
        let last = self.fields.len() - 1;
        match key.code {
            KeyCode::Esc => return Outcome::Closed,
            KeyCode::Char('s') if key.modifiers.contains(KeyModifiers::CONTROL) => return Outcome::Submitted,
            KeyCode::Enter if self.at == last => return Outcome::Submitted,
            KeyCode::Enter | KeyCode::Tab | KeyCode::Down => self.go(self.at + 1),
            KeyCode::BackTab | KeyCode::Up => self.go(self.at.saturating_sub(1)),
            _ => {
                self.fields[self.at].area.input(key);
                self.error = None;
            }
        }
        Outcome::Open
    }

    pub fn paste(&mut self, text: &str) {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.fields[self.at].area.insert_str(line.trim());
    }

    /// What the keys do, and which field this is where not all are seen.
    fn hint(&self, scrolls: bool) -> String {
        let n = self.fields.len();
        let place = if scrolls { format!("   {} of {n}", self.at + 1) } else { String::new() };
        let next = if n > 1 { "Enter next   ctrl-s done   Esc leave" } else { "Enter done   Esc leave" };
        format!("{next}{place}")
    }

    pub fn draw(&self, theme: Theme, area: Rect, buffer: &mut Buffer) {
        let lines = wrap(&self.lines, usize::from(area.width.min(WIDEST).saturating_sub(4)));
        let error = self.error.iter().cloned().collect::<Vec<_>>();
        let error = wrap(&error, usize::from(area.width.min(WIDEST).saturating_sub(4)));
        let has_tips = self.fields.iter().any(|field| !field.tip.is_empty());
        let said = error.len().max(1 + usize::from(has_tips));
        let rows = lines.len() + self.fields.len() + said;
        let inner = frame(&self.title, rows as u16, theme, area, buffer);
        // On a low screen the fields and the error matter most; of many fields some can be out of sight.
        let room = usize::from(inner.height).saturating_sub(self.fields.len().min(MOST_KEPT) + said);
        let lines = &lines[..room.min(lines.len())];
        for (text, y) in lines.iter().zip(inner.y..) {
            put(buffer, inner.x, y, inner.width, text, false, Style::new());
        }
        let label = self.fields.iter().map(|field| field.label.chars().count()).max().unwrap_or(0) as u16 + 2;
        let first = inner.y + lines.len() as u16;
        // More fields than lines scroll after the pen.
        let seen = usize::from(inner.bottom().saturating_sub(first + said as u16)).max(1);
        let top = (self.at + 1).saturating_sub(seen);
        for ((at, field), y) in self.fields.iter().enumerate().skip(top).take(seen).zip(first..inner.bottom()) {
            let here = at == self.at;
            let style = if here { theme.heading() } else { Style::new() };
            put(buffer, inner.x, y, inner.width, &field.label, false, style);
            let mut area = field.area.clone();
            if !here {
                area.set_cursor_style(Style::new());
            }
            let place = Rect::new(inner.x + label, y, inner.width.saturating_sub(label), 1);
            area.render(place.intersection(buffer.area), buffer);
        }
        let last = first + self.fields.len().min(seen) as u16;
        let hint = || {
            let tip = Some(self.fields[self.at].tip.clone()).filter(|_| has_tips);
            tip.into_iter().chain([self.hint(seen < self.fields.len())]).collect()
        };
        let (said, style) = if error.is_empty() { (hint(), Style::new()) } else { (error, theme.bad()) };
        for (text, y) in said.iter().zip(last..inner.bottom()) {
            put(buffer, inner.x, y, inner.width, text, false, style);
        }
    }
}

/// So many fields are seen before what to know about them.
const MOST_KEPT: usize = 8;

/// A line to write in, the pen at its end.
pub fn area(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(vec![text.to_owned()]);
    area.set_cursor_line_style(Style::new());
    area.set_selection_style(Style::new().add_modifier(Modifier::REVERSED));
    area.move_cursor(ratatui_textarea::CursorMove::End);
    area
}
