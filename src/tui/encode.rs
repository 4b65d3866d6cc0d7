//! The difference of two pictures as few bytes for a terminal: moves, colours, scrolled regions.
//!
//! The pen's place and colours are remembered from frame to frame, so an unchanged picture costs nothing and a
//! moved cursor costs two rows. Rows that only moved are scrolled by the terminal (scroll region with line feed
//! or reverse index, which every terminal since the VT100 knows) instead of being sent again.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// What the terminal shows and where its pen is, as far as we know.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    shown: Option<Buffer>,
    pen: Pen,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Pen {
    /// Column and row; `None` when it must be set by an absolute move.
    at: Option<(u16, u16)>,
    look: Look,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Look {
        Look { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

impl Encoder {
    /// Forgets what is on the screen: the next frame clears it and draws everything.
    pub fn forget(&mut self) {
        *self = Encoder::default();
    }

    /// The bytes that turn the shown picture into `next`, inside synchronized output; empty when nothing differs.
    pub fn frame(&mut self, next: &Buffer) -> String {
        let mut out = String::new();
        let mut shown = match self.shown.take() {
            Some(shown) if shown.area == next.area => shown,
            _ => {
                self.pen = Pen::default();
                out.push_str("\x1b[0m\x1b[H\x1b[2J");
                self.pen.at = Some((0, 0));
                Buffer::empty(next.area)
            }
        };
        self.scroll(&mut shown, next, &mut out);
        for y in 0..next.area.height {
            self.row(&shown, next, y, &mut out);
        }
        self.shown = Some(next.clone());
        if out.is_empty() { out } else { format!("\x1b[?2026h{out}\x1b[?2026l") }
    }

    fn row(&mut self, shown: &Buffer, next: &Buffer, y: u16, out: &mut String) {
        let width = next.area.width;
        let blank_from = blank_from(next, y);
        let mut x = 0;
        while x < width {
            let (old, new) = (&shown[(x, y)], &next[(x, y)]);
            let cells = (unicode_width::UnicodeWidthStr::width(new.symbol()) as u16).max(1);
            if old == new {
                x += cells;
                continue;
            }
            if x >= blank_from && worth_erasing(shown, x, y) {
                self.go(x, y, out);
                self.wear(Look::default(), out);
                out.push_str("\x1b[K");
                return;
            }
            self.go(x, y, out);
            self.wear(Look::of(new), out);
            out.push_str(if new.symbol().is_empty() { " " } else { new.symbol() });
            x += cells;
            // At the right edge terminals differ on where the pen is.
            self.pen.at = (x < width).then_some((x, y));
        }
    }

    /// Moves the pen by the shortest way.
    fn go(&mut self, x: u16, y: u16, out: &mut String) {
        match self.pen.at {
            Some(at) if at == (x, y) => (),
            Some((from, row)) if row == y && x == from + 1 => out.push_str("\x1b[C"),
            Some((from, row)) if row == y && x > from => write!(out, "\x1b[{}C", x - from).expect("to a String"),
            Some((_, row)) if row == y && x == 0 => out.push('\r'),
            Some((_, row)) if row + 1 == y && x == 0 => out.push_str("\r\n"),
            _ => write!(out, "\x1b[{};{}H", y + 1, x + 1).expect("to a String"),
        }
        self.pen.at = Some((x, y));
    }

    /// Changes colors and attributes, naming only what differs.
    fn wear(&mut self, look: Look, out: &mut String) {
        let old = self.pen.look;
        if old == look {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let mut from = old;
        if !look.modifier.contains(old.modifier) {
            from = Look::default();
            codes.push(String::new());
        }
        let added = look.modifier - from.modifier;
        codes.extend(ATTRIBUTES.iter().filter(|(one, _)| added.contains(*one)).map(|(_, code)| code.to_string()));
        if look.fg != from.fg {
            codes.push(colour_code(look.fg, 30));
        }
        if look.bg != from.bg {
            codes.push(colour_code(look.bg, 40));
        }
        write!(out, "\x1b[{}m", codes.join(";")).expect("to a String");
        self.pen.look = look;
    }

    /// Lets the terminal move rows that only changed place, when that saves at least three rows.
    fn scroll(&mut self, shown: &mut Buffer, next: &Buffer, out: &mut String) {
        let Some(Moved { top, bottom, by }) = moved(shown, next) else { return };
        self.wear(Look::default(), out);
        write!(out, "\x1b[{};{}r", top + 1, bottom).expect("to a String");
        let (edge, step) = if by > 0 { (bottom, "\n") } else { (top + 1, "\x1bM") };
        write!(out, "\x1b[{edge};1H{}\x1b[r", step.repeat(by.unsigned_abs() as usize)).expect("to a String");
        self.pen.at = Some((0, 0));
        let old = shown.clone();
        for y in top..bottom {
            let from = i32::from(y) + by;
            let kept = (i32::from(top)..i32::from(bottom)).contains(&from);
            for x in 0..shown.area.width {
                shown[(x, y)] = if kept { old[(x, from as u16)].clone() } else { Cell::default() };
            }
        }
    }
}

const ATTRIBUTES: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// The code of a color (ECMA-48, and 90-107 for the bright half of the sixteen); `base` is 30 or 40.
fn colour_code(colour: Color, base: u8) -> String {
    let named = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match colour {
        Color::Reset => named(9),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// First column from which the row is plain blank to its end.
fn blank_from(buffer: &Buffer, y: u16) -> u16 {
    let blank = Cell::default();
    (0..buffer.area.width).rev().find(|&x| buffer[(x, y)] != blank).map_or(0, |x| x + 1)
}

/// Erasing takes three bytes; writing blanks takes one each.
fn worth_erasing(shown: &Buffer, x: u16, y: u16) -> bool {
    let blank = Cell::default();
    (x..shown.area.width).filter(|&x| shown[(x, y)] != blank).count() > 3
}

/// Rows `top..bottom` moved up by `by` (down when negative).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moved {
    top: u16,
    bottom: u16,
    by: i32,
}

/// The move that explains most changed rows; `None` when it explains fewer than three.
fn moved<'a>(shown: &'a Buffer, next: &'a Buffer) -> Option<Moved> {
    let Rect { width, height, .. } = next.area;
    if width == 0 {
        return None;
    }
    let rows = |buffer: &'a Buffer| buffer.content.chunks(usize::from(width));
    let changed: Vec<bool> = rows(shown).zip(rows(next)).map(|(old, new)| old != new).collect();
    if changed.iter().filter(|&&it| it).count() < 4 {
        return None;
    }
    let height = i32::from(height);
    let (old, new): (Vec<u64>, Vec<u64>) = (rows(shown).map(hash).collect(), rows(next).map(hash).collect());
    let same = |from: i32, to: i32| old[from as usize] == new[to as usize];
    let mut best: Option<(usize, Moved)> = None;
    for by in (1..height).flat_map(|by| [by, -by]) {
        let fits = |y: i32| (0..height).contains(&(y + by)) && same(y + by, y);
        let mut y = 0;
        while y < height {
            let start = y;
            while y < height && fits(y) {
                y += 1;
            }
            let explained = (start..y).filter(|&y| changed[y as usize]).count();
            if explained >= 3 && best.is_none_or(|(most, _)| explained > most) {
                let (top, bottom) = if by > 0 { (start, y + by) } else { (start + by, y) };
                best = Some((explained, Moved { top: top as u16, bottom: bottom as u16, by }));
            }
            y += 1;
        }
    }
    best.map(|(_, moved)| moved)
}

/// Two rows of one hash may differ: a wrong move is then drawn over, never left standing.
fn hash(row: &[Cell]) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn picture(lines: &[&str]) -> Buffer {
        Buffer::with_lines(lines.iter().copied())
    }

    fn parser(rows: u16, columns: u16) -> vt100::Parser {
        vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
    }

    /// What a terminal shows after all frames; its parser is not ours.
    fn shown(frames: &[Buffer]) -> (Vec<String>, Vec<usize>) {
        let area = frames[0].area;
        let mut terminal = parser(area.height, area.width);
        let mut encoder = Encoder::default();
        let sizes = frames.iter().map(|frame| {
            let bytes = encoder.frame(frame);
            terminal.process(bytes.as_bytes());
            bytes.len()
        });
        let sizes = sizes.collect();
        let rows = terminal.screen().rows(0, area.width).map(|row| row.trim_end().to_owned()).collect();
        (rows, sizes)
    }

    #[test]
    fn an_unchanged_picture_costs_nothing() {
        let frame = picture(&["patients", "SYN001"]);
        assert_eq!(shown(&[frame.clone(), frame]).1[1], 0);
    }

    #[test]
    fn rows_that_moved_are_not_sent_again() {
        let line = |n: usize| format!("row {n} {}", "abcdefgh".repeat(8));
        let frame = |from: usize| {
            let mut lines = vec!["heading".to_owned()];
            lines.extend((from..from + 12).map(line));
            lines.push("status".to_owned());
            Buffer::with_lines(lines)
        };
        for (from, to) in [(0, 1), (1, 0), (0, 5), (7, 2)] {
            let (rows, sizes) = shown(&[frame(from), frame(to)]);
            assert_eq!(rows[1], line(to));
            assert_eq!(rows[12], line(to + 11));
            assert_eq!((rows[0].as_str(), rows[13].as_str()), ("heading", "status"));
            assert!(sizes[1] < 60 + 80 * from.abs_diff(to), "{from} to {to}: {} bytes", sizes[1]);
        }
    }

    #[test]
    fn any_sequence_of_pictures_arrives_as_drawn() {
        use rand::Rng;
        let mut rng = osteon_base::seed::Seed(1).named("pictures").rng();
        let colours = [Color::Reset, Color::Red, Color::LightCyan, Color::Indexed(240)];
        let frames: Vec<Buffer> = (0..200)
            .map(|_| {
                let mut frame = Buffer::empty(Rect::new(0, 0, 20, 8));
                for _ in 0..rng.random_range(0..40) {
                    let (x, y) = (rng.random_range(0..20), rng.random_range(0..8));
                    let style = Style::new().fg(colours[rng.random_range(0..4)]).bg(colours[rng.random_range(0..4)]);
                    frame[(x, y)].set_char(['a', ' ', '█', 'é'][rng.random_range(0..4)]).set_style(style);
                }
                frame
            })
            .collect();
        let mut terminal = parser(8, 20);
        let mut encoder = Encoder::default();
        for frame in &frames {
            terminal.process(encoder.frame(frame).as_bytes());
            for (x, y) in (0..8).flat_map(|y| (0..20).map(move |x| (x, y))) {
                let cell = terminal.screen().cell(y, x).unwrap();
                let text = if cell.has_contents() { cell.contents() } else { " " };
                assert_eq!(text, frame[(x, y)].symbol(), "at {x},{y}");
                assert_eq!(cell.bgcolor(), vt_colour(frame[(x, y)].bg), "at {x},{y}");
            }
        }
    }

    fn vt_colour(colour: Color) -> vt100::Color {
        match colour {
            Color::Red => vt100::Color::Idx(1),
            Color::LightCyan => vt100::Color::Idx(14),
            Color::Indexed(n) => vt100::Color::Idx(n),
            _ => vt100::Color::Default,
        }
    }
}
