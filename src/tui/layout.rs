//! Where things stand: tabs, title, body, foot. `update` scrolls by the same places that `view` draws.

use ratatui::layout::Rect;

use crate::tui::data::Screen;

/// The places of the frame.
pub struct Places {
    pub tabs: Rect,
    pub title: Rect,
    pub body: Rect,
    pub foot: Rect,
}

/// Screen row of a table's first row: below tabs, title and heading.
pub const FIRST_ROW: u16 = 3;

/// Below this the frame gives way to one sentence.
pub const SMALLEST: (u16, u16) = (30, 8);

/// From this width on the patient list has the selected patient beside it.
pub const WIDE: u16 = 140;

pub fn places(area: Rect) -> Places {
    let line = |y: u16| Rect::new(area.x, (area.y + y).min(area.bottom()), area.width, u16::from(y < area.height));
    let body = Rect { y: area.y + 2.min(area.height), height: area.height.saturating_sub(3), ..area };
    Places { tabs: line(0), title: line(1), body, foot: line(area.height.saturating_sub(1)) }
}

/// Columns and rows that a table of the whole body has below its heading.
pub fn grid_size((width, height): (u16, u16)) -> (u16, u16) {
    (width, height.saturating_sub(4))
}

/// The two halves of a wide patient list; one half when it is not wide.
pub fn halves(body: Rect) -> (Rect, Option<Rect>) {
    if body.width < WIDE {
        return (body, None);
    }
    let left = body.width * 11 / 20;
    let right = Rect { x: body.x + left + 2, width: body.width - left - 2, ..body };
    (Rect { width: left, ..body }, Some(right))
}

/// Text and place of each tab.
pub fn tabs(width: u16) -> Vec<(Screen, u16, String)> {
    let short = width < 74;
    let mut x = 0;
    let tab = |(at, screen): (usize, Screen)| {
        let name: String = screen.name().chars().take(if short { 3 } else { 20 }).collect();
        let text = format!("{} {name}", at + 1);
        let place = x;
        x += text.len() as u16 + if short { 1 } else { 2 };
        (screen, place, text)
    };
    Screen::ALL.into_iter().enumerate().map(tab).collect()
}

/// The tab under a column.
pub fn tab_at(width: u16, x: u16) -> Option<Screen> {
    tabs(width).into_iter().rev().find(|(_, place, _)| *place <= x).map(|(screen, _, _)| screen)
}
