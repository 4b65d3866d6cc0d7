//! Draws one panel on terminal cells.

use std::collections::BTreeSet;

use crate::canvas::{Area, Canvas, Ink, narrow};
use crate::cells::{Cell, Charset};
use crate::layout::labelled;
use crate::scale::{Mapping, reach};
use crate::scene::stairs;
use crate::ticks::{self, Tick};
use crate::{
    Anchor, Ansi, Axis, Colour, Dash, Direction, Legend, Look, Mark, Marker, Panel, Pen, Scale, TextColumn, TextStyle,
    Ticks, What,
};

/// Cells that an axis between words should have.
const AXIS: usize = 24;
/// Cells of a sample in the legend.
const KEY: usize = 5;
/// Cells along a curve from one of its signs to the next.
const BETWEEN: f64 = 9.0;

/// Draws one panel into its area.
pub struct Painter<'a> {
    canvas: &'a mut Canvas,
    panel: &'a Panel,
    area: Area,
    /// Inside the axes.
    frame: Area,
    x: Mapping,
    y: Mapping,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    charset: Charset,
}

impl<'a> Painter<'a> {
    pub fn new(canvas: &'a mut Canvas, panel: &'a Panel, area: Area, charset: Charset) -> Self {
        let x = Mapping::new(&panel.x, reach(&panel.marks, 0));
        let y = Mapping::new(&panel.y, reach(&panel.marks, 1));
        let y_ticks = ticks_of(&panel.y, &y, (area.height / 4).clamp(2, 6));
        let labels = y_ticks.iter().map(|tick| width_of(&tick.label, charset)).max().unwrap_or(0);
        let axis = usize::from(panel.y.look != Look::Hidden);
        let left = (labels + axis + words_width(&panel.left, charset)).min(area.width / 2);
        let right = words_width(&panel.right, charset).min((area.width - left).saturating_sub(AXIS / 2));
        let top = usize::from(!panel.title.is_empty()) + usize::from(has_heading(panel) || !panel.y.title.is_empty());
        let mut below = usize::from(panel.x.look != Look::Hidden) + usize::from(panel.x.ticks != Ticks::None);
        below += usize::from(!panel.x.title.is_empty());
        if panel.legend != Legend::None {
            below += panel.marks.iter().filter(|mark| !mark.name.is_empty()).count().min(area.height / 3);
        }
        let frame = Area {
            left: area.left + left,
            top: area.top + top.min(area.height),
            width: area.width - left - right,
            height: area.height.saturating_sub(top + below),
        };
        let x_ticks = ticks_of(&panel.x, &x, (frame.width / 9).clamp(2, 8));
        Painter { canvas, panel, area, frame, x, y, x_ticks, y_ticks, charset }
    }

    pub fn paint(&mut self) {
        let mut row = self.area.top as isize;
        if !self.panel.title.is_empty() {
            self.canvas.words(
                self.area.left as isize,
                row,
                &self.panel.title,
                self.area.width,
                (Ansi::Foreground, true),
            );
            row += 1;
        }
        if self.frame.height == 0 || self.frame.width == 0 {
            return;
        }
        if !self.panel.y.title.is_empty() {
            self.canvas.words(
                self.area.left as isize,
                row,
                &self.panel.y.title,
                self.area.width,
                (Ansi::DarkGray, false),
            );
        }
        let bars_first =
            |mark: &&Mark| !matches!(mark.what, What::Bars { .. } | What::Band { .. } | What::Raster { .. });
        let mut marks: Vec<&Mark> = self.panel.marks.iter().collect();
        marks.sort_by_key(bars_first);
        for mark in marks {
            self.mark(mark);
        }
        self.curve_signs();
        self.axes();
        self.beside();
        self.legend();
    }

    fn place(&self, point: [f64; 2]) -> Option<[f64; 2]> {
        Some(self.canvas.place(self.frame, self.x.fraction(point[0])?, self.y.fraction(point[1])?))
    }

    /// Column and row of the cell of a point that lies in the frame.
    fn cell(&self, point: [f64; 2]) -> Option<(isize, isize)> {
        self.cell_of(self.place(point)?)
    }

    /// Column and row of the cell of a dot that lies in the frame.
    fn cell_of(&self, [x, y]: [f64; 2]) -> Option<(isize, isize)> {
        let (across, down) = self.canvas.dots();
        let inside = |v: f64, limit: usize| {
            (-1.0..=limit as f64).contains(&v).then(|| (v.round().max(0.0) as usize).min(limit - 1))
        };
        let column = inside(x, self.frame.width * across)? / across;
        let row = inside(y, self.frame.height * down)? / down;
        Some(((self.frame.left + column) as isize, (self.frame.top + row) as isize))
    }

    fn mark(&mut self, mark: &Mark) {
        let sign = sign_of(mark.colour);
        let ink = |dash: Dash| Ink { colour: mark.colour.ansi(), dash, sign };
        match &mark.what {
            What::Line { points, pen } => self.polyline(points, ink(pen.dash)),
            What::Step { points, pen } => self.polyline(&stairs(points), ink(pen.dash)),
            What::Segments { pairs, pen } | What::Arrows { pairs, pen } => {
                for pair in pairs {
                    let level = (pair[0][1] - pair[1][1]).abs() < f64::EPSILON;
                    self.polyline(pair, Ink { sign: if level { '-' } else { '|' }, ..ink(pen.dash) });
                }
            }
            What::Band { x, low, high } => {
                for edge in [low, high] {
                    let points: Vec<_> = x.iter().zip(edge).map(|(&x, &y)| [x, y]).collect();
                    self.polyline(&points, Ink { sign: '.', ..ink(Dash::Dotted) });
                }
            }
            What::Points { at, marker, levels, .. } => self.points(mark, at, *marker, levels),
            What::Bars { boxes } => boxes.iter().for_each(|it| self.bar(it, ink(Dash::Solid))),
            What::Text { at, text, style } => self.text(*at, text, style, mark.colour),
            What::Ruler { y, ticks } => self.ruler(*y, ticks, ink(Dash::Solid)),
            What::Rule { at, direction, pen } => self.rule(*at, *direction, *pen, mark.colour),
            What::Raster { x, y, columns, grey } => self.raster(*x, *y, (*columns).max(1), grey),
        }
    }

    /// Sets the sign of each curve along its line, so that curves are told apart without colour too. In ASCII the
    /// lines themselves are made of these signs.
    fn curve_signs(&mut self) {
        if self.charset == Charset::Ascii {
            return;
        }
        let curves: Vec<&Mark> = self.panel.marks.iter().filter(|mark| has_signs(self.panel, mark)).collect();
        let mut taken = BTreeSet::new();
        for (n, mark) in curves.iter().enumerate() {
            let points = match &mark.what {
                What::Step { points, .. } => stairs(points),
                What::Line { points, .. } => points.clone(),
                _ => continue,
            };
            // Curves that lie on each other have their signs side by side.
            let first = BETWEEN * (n as f64 + 0.5) / curves.len() as f64;
            let cell = Cell { symbol: sign_of(mark.colour), colour: mark.colour.ansi(), bold: false };
            for place in self.cells_along(&points, first) {
                if taken.insert(place) {
                    self.canvas.sign(place.0, place.1, cell);
                }
            }
        }
    }

    /// Cells on a line, the first after so many cells and then one every `BETWEEN`.
    fn cells_along(&self, points: &[[f64; 2]], first: f64) -> Vec<(isize, isize)> {
        let (across, down) = self.canvas.dots();
        let (mut walked, mut next) = (0.0, first);
        let mut found = Vec::new();
        for pair in points.windows(2) {
            let (Some(from), Some(to)) = (self.place(pair[0]), self.place(pair[1])) else { continue };
            let length = ((to[0] - from[0]) / across as f64).hypot((to[1] - from[1]) / down as f64);
            while next <= walked + length && length > 0.0 {
                let part = (next - walked) / length;
                found.extend(self.cell_of([0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * part)));
                next += BETWEEN;
            }
            walked += length;
        }
        found
    }

    fn polyline(&mut self, points: &[[f64; 2]], ink: Ink) {
        let mut phase = 0;
        for pair in points.windows(2) {
            if let (Some(from), Some(to)) = (self.place(pair[0]), self.place(pair[1])) {
                self.canvas.line(self.frame, from, to, ink, &mut phase);
            }
        }
    }

    /// Few points are signs, many are dots.
    fn points(&mut self, mark: &Mark, at: &[[f64; 2]], marker: Marker, levels: &[f64]) {
        const FEW: usize = 40;
        let symbol = self.symbol_of(mark, marker);
        for (n, &point) in at.iter().enumerate() {
            let colour = levels.get(n).map_or(mark.colour, |&level| Colour::Ramp(level)).ansi();
            if at.len() > FEW && self.charset == Charset::Braille {
                if let Some(place) = self.place(point) {
                    self.canvas.dot(self.frame, place, Ink { colour, dash: Dash::Solid, sign: '.' });
                }
            } else if let Some((column, row)) = self.cell(point) {
                self.canvas.sign(column, row, Cell { symbol, colour, bold: false });
            }
        }
    }

    /// Points of a curve that has signs wear its sign too.
    fn symbol_of(&self, mark: &Mark, marker: Marker) -> char {
        let of_curve = |curve: &Mark| curve.colour == mark.colour && has_signs(self.panel, curve);
        if self.panel.marks.iter().any(of_curve) { sign_of(mark.colour) } else { symbol(marker) }
    }

    fn bar(&mut self, it: &[f64; 4], ink: Ink) {
        let (Some(a), Some(b)) = (self.place([it[0], it[1]]), self.place([it[2], it[3]])) else { return };
        let (across, down) = self.canvas.dots();
        let clamp = |v: f64, limit: usize| v.clamp(0.0, limit as f64 - 1.0).round() as usize;
        let (width, height) = (self.frame.width * across, self.frame.height * down);
        let (x0, x1) = (clamp(a[0].min(b[0]), width), clamp(a[0].max(b[0]), width));
        let (y0, y1) = (clamp(a[1].min(b[1]), height), clamp(a[1].max(b[1]), height));
        // The upper and right dots belong to the next bar, so that neighbours stay apart.
        for x in x0..=x1.max(x0 + 1) - 1 {
            for y in (y0 + 1).min(y1)..=y1 {
                self.canvas.dot(self.frame, [x as f64, y as f64], ink);
            }
        }
    }

    fn rule(&mut self, at: f64, direction: Direction, pen: Pen, colour: Colour) {
        let ends = match direction {
            Direction::Vertical => self.x.fraction(at).map(|f| [[f, 0.0], [f, 1.0]]),
            Direction::Horizontal => self.y.fraction(at).map(|f| [[0.0, f], [1.0, f]]),
        };
        if let Some(ends) = ends {
            let [from, to] = ends.map(|end| self.canvas.place(self.frame, end[0], end[1]));
            let sign = if direction == Direction::Vertical { ':' } else { '-' };
            self.canvas.line(self.frame, from, to, Ink { colour: colour.ansi(), dash: pen.dash, sign }, &mut 0);
        }
    }

    fn ruler(&mut self, y: f64, ticks: &[(f64, String)], ink: Ink) {
        let found = ticks.iter().filter_map(|(at, label)| Some((self.cell([*at, y])?, label)));
        let found: Vec<((isize, isize), &String)> = found.collect();
        let ends = ticks.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), it| (l.min(it.0), h.max(it.0)));
        self.polyline(&[[ends.0, y], [ends.1, y]], ink);
        let stroke = if self.charset == Charset::Braille { '┴' } else { '+' };
        found.iter().for_each(|((x, row), _)| {
            self.canvas.sign(*x, *row, Cell { symbol: stroke, colour: ink.colour, bold: false })
        });
        let half = |n: usize| width_of(found[n].1, self.charset) as f64 / 2.0;
        for n in labelled(found.len(), |n| found[n].0.0 as f64, half, 1.0) {
            let ((x, row), label) = found[n];
            let width = width_of(label, self.charset) as isize;
            let end = (self.area.left + self.area.width) as isize;
            self.canvas.words(
                (x - width / 2).min(end - width),
                row - 1,
                label,
                width as usize,
                (Ansi::Foreground, false),
            );
        }
    }

    fn text(&mut self, at: [f64; 2], text: &str, style: &TextStyle, colour: Colour) {
        let Some((column, row)) = self.cell(at) else { return };
        let lines: Vec<&str> = text.split('\n').collect();
        let raised = (style.offset_pt[1] / 9.0).round() as isize;
        for (n, line) in lines.iter().enumerate() {
            let width = width_of(line, self.charset) as isize;
            let before = match style.anchor {
                Anchor::Start => -isize::from(style.offset_pt[0] > 0.0),
                Anchor::Middle => width / 2,
                Anchor::End => width - 1,
            };
            let end = (self.area.left + self.area.width) as isize;
            let column = (column - before).min(end - width).max(self.area.left as isize);
            let row = row - raised + n as isize - (lines.len() as isize - 1) / 2;
            self.canvas.words(column, row, line, (end - column).max(0) as usize, (colour.ansi(), style.bold));
        }
    }

    /// Grey as dots by ordered dithering, or as denser signs in ASCII.
    fn raster(&mut self, x: [f64; 2], y: [f64; 2], columns: usize, grey: &[u8]) {
        const BAYER: [[f64; 4]; 4] =
            [[0.0, 8.0, 2.0, 10.0], [12.0, 4.0, 14.0, 6.0], [3.0, 11.0, 1.0, 9.0], [15.0, 7.0, 13.0, 5.0]];
        const SHADES: &[u8; 10] = b" .:-=+*#%@";
        let (Some(a), Some(b)) = (self.place([x[0], y[0]]), self.place([x[1], y[1]])) else { return };
        let rows = grey.len() / columns;
        let (across, down) = self.canvas.dots();
        for v in 0..self.frame.height * down {
            for h in 0..self.frame.width * across {
                let (cx, cy) = (
                    (h as f64 - a[0]) / (b[0] - a[0]) * columns as f64,
                    (v as f64 - a[1]) / (b[1] - a[1]) * rows as f64,
                );
                if !(cx >= 0.0 && cy >= 0.0 && cx < columns as f64 && cy < rows as f64) {
                    continue;
                }
                let level = f64::from(grey[cy as usize * columns + cx as usize]) / 255.0;
                let sign = SHADES[(level * 9.99) as usize] as char;
                let ink = Ink { colour: Ansi::Foreground, dash: Dash::Solid, sign };
                if self.charset == Charset::Ascii || level > (BAYER[v % 4][h % 4] + 0.5) / 16.0 {
                    self.canvas.dot(self.frame, [h as f64, v as f64], ink);
                }
            }
        }
    }

    fn axes(&mut self) {
        let (frame, panel) = (self.frame, self.panel);
        let (corner, level, upright) = match self.charset {
            Charset::Braille => ('└', '─', '│'),
            Charset::Ascii => ('+', '-', '|'),
        };
        let grey = |symbol| Cell { symbol, colour: Ansi::DarkGray, bold: false };
        let (left, bottom) = (frame.left as isize - 1, (frame.top + frame.height) as isize);
        if panel.y.look != Look::Hidden {
            (frame.top as isize..bottom).for_each(|row| self.canvas.sign(left, row, grey(upright)));
        }
        if panel.x.look != Look::Hidden {
            (0..frame.width as isize).for_each(|n| self.canvas.sign(frame.left as isize + n, bottom, grey(level)));
            if panel.y.look != Look::Hidden {
                self.canvas.sign(left, bottom, grey(corner));
            }
        }
        self.labels(left, bottom);
    }

    fn labels(&mut self, left: isize, bottom: isize) {
        let frame = self.frame;
        let look = (Ansi::Foreground, false);
        for tick in self.y_ticks.clone() {
            let row = (self.y.fraction(tick.at).unwrap_or(0.0) * (frame.height - 1) as f64).round() as isize;
            let width = width_of(&tick.label, self.charset) as isize;
            let column = (left - width + isize::from(self.panel.y.look == Look::Hidden)).max(self.area.left as isize);
            self.canvas.words(column, bottom - 1 - row, &tick.label, frame.left - self.area.left, look);
        }
        let mut row = bottom + isize::from(self.panel.x.look != Look::Hidden);
        let mut free = self.area.left as isize;
        for tick in self.x_ticks.clone() {
            let column = (self.x.fraction(tick.at).unwrap_or(0.0) * (frame.width - 1) as f64).round() as isize;
            let width = width_of(&tick.label, self.charset) as isize;
            let end = (self.area.left + self.area.width) as isize;
            let column = (frame.left as isize + column - width / 2).min(end - width);
            if column >= free {
                self.canvas.words(column, row, &tick.label, width as usize, look);
                free = column + width + 1;
            }
        }
        row += isize::from(!self.x_ticks.is_empty());
        // In the middle of the axis; a longer title begins further to the left.
        let title = &self.panel.x.title;
        let width = width_of(title, self.charset) as isize;
        let middle = frame.left as isize + (frame.width as isize - width) / 2;
        let end = (self.area.left + self.area.width) as isize;
        let column = middle.min(end - width).max(self.area.left as isize);
        self.canvas.words(column, row, title, self.area.width, (Ansi::DarkGray, false));
    }

    fn beside(&mut self) {
        let mut column = self.area.left;
        for words in &self.panel.left {
            self.column(words, column, self.frame.left);
            column += column_width(words, self.charset) + 1;
        }
        let mut column = self.frame.left + self.frame.width + 1;
        for words in &self.panel.right {
            self.column(words, column, self.area.left + self.area.width);
            column += column_width(words, self.charset) + 1;
        }
    }

    fn column(&mut self, words: &TextColumn, left: usize, end: usize) {
        let room = end.saturating_sub(left);
        let width = column_width(words, self.charset).min(room);
        let indent = |text: &str| match words.anchor {
            Anchor::Start => 0,
            Anchor::Middle => (width.saturating_sub(width_of(text, self.charset))) / 2,
            Anchor::End => width.saturating_sub(width_of(text, self.charset)),
        };
        let mut entries = vec![(self.frame.top as isize - 1, &words.heading, true)];
        for cell in &words.cells {
            if let Some(f) = self.y.fraction(cell.at) {
                let row =
                    ((1.0 - f) * self.frame.height as f64 - 0.5).round().clamp(0.0, self.frame.height as f64 - 1.0);
                entries.push((self.frame.top as isize + row as isize, &cell.text, cell.bold));
            }
        }
        // Where rows are too few for all words, the first of a row is kept whole.
        let mut taken = std::collections::BTreeSet::new();
        for (row, text, bold) in entries.into_iter().filter(|entry| taken.insert(entry.0)) {
            let before = indent(text);
            self.canvas.words(
                (left + before) as isize,
                row,
                text,
                room.saturating_sub(before),
                (Ansi::Foreground, bold),
            );
        }
    }

    fn legend(&mut self) {
        if self.panel.legend == Legend::None {
            return;
        }
        let named: Vec<&Mark> = self.panel.marks.iter().filter(|mark| !mark.name.is_empty()).collect();
        let end = self.area.top + self.area.height;
        let rows = named.len().min(self.area.height / 3);
        for (n, mark) in named.into_iter().take(rows).enumerate() {
            let row = (end - rows + n) as isize;
            let left = self.area.left;
            let key = Area { left, top: row as usize, width: KEY, height: 1 };
            let ink = |dash| Ink { colour: mark.colour.ansi(), dash, sign: sign_of(mark.colour) };
            let middle = (self.canvas.dots().1 / 2) as f64;
            match &mark.what {
                What::Points { marker, .. } => {
                    let cell = Cell { symbol: symbol(*marker), colour: mark.colour.ansi(), bold: false };
                    self.canvas.sign(left as isize + 2, row, cell);
                }
                What::Bars { .. } | What::Band { .. } => {
                    for line in 0..self.canvas.dots().1 {
                        self.canvas.line(key, [0.0, line as f64], [9.0, line as f64], ink(Dash::Solid), &mut 0);
                    }
                }
                What::Line { pen, .. }
                | What::Step { pen, .. }
                | What::Segments { pen, .. }
                | What::Rule { pen, .. }
                | What::Arrows { pen, .. } => {
                    self.canvas.line(key, [0.0, middle], [9.0, middle], ink(pen.dash), &mut 0);
                    if has_signs(self.panel, mark) {
                        let symbol = sign_of(mark.colour);
                        self.canvas.sign(
                            left as isize + 2,
                            row,
                            Cell { symbol, colour: mark.colour.ansi(), bold: false },
                        );
                    }
                }
                What::Text { .. } | What::Raster { .. } | What::Ruler { .. } => (),
            }
            let room = (self.area.left + self.area.width).saturating_sub(left + KEY + 1);
            self.canvas.words((left + KEY + 1) as isize, row, &mark.name, room, (Ansi::Foreground, false));
        }
    }
}

/// Whether a mark is one of several named curves: they have signs of their own.
fn has_signs(panel: &Panel, mark: &Mark) -> bool {
    let is_curve = |mark: &&Mark| {
        let line = matches!(mark.what, What::Line { .. } | What::Step { .. });
        line && matches!(mark.colour, Colour::Series(_)) && !mark.name.is_empty()
    };
    is_curve(&mark) && panel.legend != Legend::None && panel.marks.iter().filter(is_curve).count() > 1
}

/// The narrowest area in which the panel says something: its words and some axis.
pub fn least_width(panel: &Panel, charset: Charset) -> usize {
    const LEAST: usize = 34;
    (words_width(&panel.left, charset) + words_width(&panel.right, charset) + AXIS).max(LEAST)
}

fn ticks_of(axis: &Axis, mapping: &Mapping, most: usize) -> Vec<Tick> {
    let (low, high) = mapping.ends();
    match (&axis.ticks, mapping.scale()) {
        (Ticks::None, _) => Vec::new(),
        (Ticks::At(given), _) => given.iter().map(|(at, label)| Tick { at: *at, label: label.clone() }).collect(),
        (Ticks::Nice, Scale::Linear) => ticks::linear(low, high, most),
        (Ticks::Nice, Scale::Log) => ticks::logarithmic(low, high, most),
    }
}

fn width_of(text: &str, charset: Charset) -> usize {
    narrow(text, charset).chars().count()
}

fn column_width(words: &TextColumn, charset: Charset) -> usize {
    let cells = words.cells.iter().map(|cell| width_of(&cell.text, charset));
    cells.fold(width_of(&words.heading, charset), usize::max)
}

fn words_width(columns: &[TextColumn], charset: Charset) -> usize {
    columns.iter().map(|column| column_width(column, charset) + 1).sum()
}

fn has_heading(panel: &Panel) -> bool {
    panel.left.iter().chain(&panel.right).any(|column| !column.heading.is_empty())
}

fn symbol(marker: Marker) -> char {
    match marker {
        Marker::Disc => 'o',
        Marker::Circle => 'O',
        Marker::Square => '#',
        Marker::Triangle => '^',
        Marker::Diamond => '*',
        Marker::Cross => 'x',
        Marker::Tick => '|',
    }
}

/// The sign of a series' lines in ASCII.
fn sign_of(colour: Colour) -> char {
    match colour {
        Colour::Series(n) => ['*', '+', 'o', 'x', '#', '@'][n % 6],
        Colour::Ink => '#',
        _ => '.',
    }
}
