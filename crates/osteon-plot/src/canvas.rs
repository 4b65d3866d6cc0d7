//! Dots and characters on a grid of terminal cells: 2 x 4 dots a cell in braille, one sign a cell in ASCII.

use crate::cells::{Cell, Cells, Charset};
use crate::{Ansi, Dash};
use osteon_base::text::clean;

pub struct Canvas {
    charset: Charset,
    width: usize,
    height: usize,
    bits: Vec<u8>,
    colours: Vec<Ansi>,
    /// Signs over the dots.
    signs: Vec<Option<Cell>>,
}

/// A part of the canvas in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

/// How lines look: colour, dashes, and the sign that stands for them in ASCII.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    pub colour: Ansi,
    pub dash: Dash,
    pub sign: char,
}

/// Dot of column 0 or 1 and row 0 to 3 of a braille cell, as its bit.
const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Canvas {
    pub fn new(width: usize, height: usize, charset: Charset) -> Canvas {
        let cells = width * height;
        Canvas {
            charset,
            width,
            height,
            bits: vec![0; cells],
            colours: vec![Ansi::Foreground; cells],
            signs: vec![None; cells],
        }
    }

    /// Dots of one cell, across and down.
    pub fn dots(&self) -> (usize, usize) {
        match self.charset {
            Charset::Braille => (2, 4),
            Charset::Ascii => (1, 1),
        }
    }

    /// The dot that `x`, `y` (0 to 1 from the left and from below) falls on, in dots of the area.
    pub fn place(&self, area: Area, x: f64, y: f64) -> [f64; 2] {
        let (across, down) = self.dots();
        [x * (area.width * across) as f64 - 0.5, (1.0 - y) * (area.height * down) as f64 - 0.5]
    }

    pub fn dot(&mut self, area: Area, at: [f64; 2], ink: Ink) {
        let (across, down) = self.dots();
        let (x, y) = (at[0].round(), at[1].round());
        if x < 0.0 || y < 0.0 || x >= (area.width * across) as f64 || y >= (area.height * down) as f64 {
            return;
        }
        let (x, y) = (x as usize, y as usize);
        let (column, row) = (area.left + x / across, area.top + y / down);
        if column < self.width && row < self.height {
            let cell = row * self.width + column;
            match self.charset {
                Charset::Braille => self.bits[cell] |= BRAILLE[x % 2][y % 4],
                Charset::Ascii => self.bits[cell] = ink.sign as u8,
            }
            self.colours[cell] = ink.colour;
        }
    }

    /// A straight line between two places, cut at the edge of the area; `phase` carries dashes along a polyline.
    pub fn line(&mut self, area: Area, from: [f64; 2], to: [f64; 2], ink: Ink, phase: &mut usize) {
        let (across, down) = self.dots();
        let limit = [(area.width * across) as f64, (area.height * down) as f64];
        let Some([from, to]) = cut(from, to, limit) else { return };
        let steps = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).round().max(1.0);
        for n in 0..=steps as usize {
            if drawn(ink.dash, *phase + n) {
                let part = n as f64 / steps;
                self.dot(area, [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part], ink);
            }
        }
        *phase += (to[0] - from[0]).hypot(to[1] - from[1]).round() as usize;
    }

    pub fn sign(&mut self, column: isize, row: isize, cell: Cell) {
        if (0..self.width as isize).contains(&column) && (0..self.height as isize).contains(&row) {
            self.signs[row as usize * self.width + column as usize] = Some(cell);
        }
    }

    /// Words from a cell on, cut at `room` cells with a sign. Characters that are not one cell wide become `?`.
    pub fn words(&mut self, column: isize, row: isize, text: &str, room: usize, look: (Ansi, bool)) {
        let (colour, bold) = look;
        let text = narrow(text, self.charset);
        let cut = text.chars().count() > room;
        for (n, symbol) in text.chars().take(room).enumerate() {
            let symbol = if cut && n + 1 == room { '~' } else { symbol };
            self.sign(column + n as isize, row, Cell { symbol, colour, bold });
        }
    }

    pub fn finish(self) -> Cells {
        let symbol = |bits: u8| match self.charset {
            _ if bits == 0 => ' ',
            Charset::Braille => char::from_u32(0x2800 + u32::from(bits)).expect("a braille pattern"),
            Charset::Ascii => bits as char,
        };
        let dots = self.bits.iter().zip(&self.colours).map(|(&bits, &colour)| Cell {
            symbol: symbol(bits),
            colour,
            bold: false,
        });
        let cells = dots.zip(&self.signs).map(|(dots, sign)| sign.unwrap_or(dots)).collect();
        Cells { width: self.width, height: self.height, cells }
    }
}

/// Text whose every character takes one cell: cleaned, and in ASCII where asked.
pub fn narrow(text: &str, charset: Charset) -> String {
    let plain = |c: char| match c {
        '−' | '–' | '—' => "-".to_owned(),
        '×' => "x".to_owned(),
        '≥' => ">=".to_owned(),
        '≤' => "<=".to_owned(),
        '±' => "+/-".to_owned(),
        'λ' => "lambda".to_owned(),
        '\u{a0}' => " ".to_owned(),
        '⁻' => "-".to_owned(),
        c => superscript(c).map_or("?".to_owned(), |digit| digit.to_string()),
    };
    let wide = |c: char| unicode_width::UnicodeWidthChar::width(c) != Some(1);
    let cleaned = clean(text);
    let kept = cleaned.chars().map(|c| match charset {
        _ if c.is_ascii() => c.to_string(),
        Charset::Ascii => plain(c),
        Charset::Braille if wide(c) => "?".to_owned(),
        Charset::Braille => c.to_string(),
    });
    kept.collect()
}

fn superscript(c: char) -> Option<usize> {
    ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'].iter().position(|it| *it == c)
}

fn drawn(dash: Dash, n: usize) -> bool {
    match dash {
        Dash::Solid => true,
        Dash::Dashed => n % 7 < 4,
        Dash::Dotted => n.is_multiple_of(3),
        Dash::DashDot => matches!(n % 8, 0..4 | 6),
    }
}

/// The part of a line inside `[-0.5, limit]` (Liang and Barsky); `None` when nothing is.
fn cut(from: [f64; 2], to: [f64; 2], limit: [f64; 2]) -> Option<[[f64; 2]; 2]> {
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        let step = to[axis] - from[axis];
        for (towards, room) in [(-step, from[axis] + 0.5), (step, limit[axis] - 0.5 - from[axis])] {
            match towards {
                _ if towards == 0.0 && room < 0.0 => return None,
                0.0 => (),
                _ if towards < 0.0 => enter = enter.max(room / towards),
                _ => leave = leave.min(room / towards),
            }
        }
    }
    let at = |part: f64| [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
    (enter <= leave && enter.is_finite() && leave.is_finite()).then(|| [at(enter), at(leave)])
}
