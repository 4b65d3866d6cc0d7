//! Draws one panel: grid, marks, axes, words beside, legend.

use crate::font::{self, LEADING, Weight};
use crate::layout::{self, BAR, GAP, Placed, Rect, SIZE, TITLE};
use crate::scene::{Fill, Item, Stroke, Words, anchor_share, corners, stairs};
use crate::{Anchor, Axis, Colour, ColourBar, Direction, Look, Mark, Marker, Pen, TextColumn, TextStyle, What};
use osteon_base::text::clean;

const HAIR: f64 = 0.5;

/// Draws one panel.
pub struct Artist<'a> {
    pub placed: &'a Placed<'a>,
    pub items: &'a mut Vec<Item>,
    /// Of the whole figure.
    pub width: f64,
}

impl Artist<'_> {
    pub fn draw(&mut self) {
        self.grid();
        for mark in &self.placed.panel.marks {
            self.mark(mark);
        }
        self.axes();
        self.beside();
        self.legend();
    }

    pub fn words(&mut self, at: [f64; 2], text: &str, anchor: Anchor) {
        self.styled(at, text, anchor, Weight::Regular, SIZE);
    }

    fn styled(&mut self, at: [f64; 2], text: &str, anchor: Anchor, weight: Weight, size: f64) {
        let text = clean(text).into_owned();
        if !text.is_empty() {
            let colour = Colour::Ink;
            self.items.push(Item::Words(Words { at, text, size, weight, anchor, upright: false, colour }));
        }
    }

    pub fn lines(&mut self, paths: Vec<Vec<[f64; 2]>>, colour: Colour, pen: Pen, opacity: f64, clip: Option<Rect>) {
        let stroke = Some(Stroke { colour, pen, opacity });
        self.items.push(Item::Shape { paths, closed: false, stroke, fill: None, clip });
    }

    pub fn area(&mut self, paths: Vec<Vec<[f64; 2]>>, colour: Colour, opacity: f64, clip: Option<Rect>) {
        let fill = Some(Fill { colour, opacity });
        self.items.push(Item::Shape { paths, closed: true, stroke: None, fill, clip });
    }

    fn grid(&mut self) {
        let (frame, placed) = (self.placed.frame, self.placed);
        let mut rules = Vec::new();
        if placed.panel.x.look == Look::Grid {
            let places = placed.x_ticks.iter().filter_map(|tick| placed.x.fraction(tick.at));
            rules.extend(
                places.map(|f| frame.left + f * frame.width).map(|x| vec![[x, frame.top], [x, frame.bottom()]]),
            );
        }
        if placed.panel.y.look == Look::Grid {
            let places = placed.y_ticks.iter().filter_map(|tick| placed.y.fraction(tick.at));
            rules.extend(
                places.map(|f| frame.bottom() - f * frame.height).map(|y| vec![[frame.left, y], [frame.right(), y]]),
            );
        }
        if !rules.is_empty() {
            self.lines(rules, Colour::Faint, Pen::solid(HAIR), 1.0, None);
        }
    }

    fn axes(&mut self) {
        let (frame, panel) = (self.placed.frame, self.placed.panel);
        let mut lines = Vec::new();
        if panel.x.look != Look::Hidden {
            lines.push(vec![[frame.left, frame.bottom()], [frame.right(), frame.bottom()]]);
        }
        if panel.y.look != Look::Hidden {
            lines.push(vec![[frame.left, frame.top], [frame.left, frame.bottom()]]);
        }
        self.x_axis(&panel.x, &mut lines, frame.bottom(), 1.0);
        if let Some(above) = &panel.above {
            lines.push(vec![[frame.left, frame.top], [frame.right(), frame.top]]);
            self.x_axis(above, &mut lines, frame.top, -1.0);
        }
        self.y_axis(&mut lines);
        if !lines.is_empty() {
            self.lines(lines, Colour::Ink, Pen::solid(0.6), 1.0, None);
        }
    }

    /// Ticks, labels and title below (`down` 1) or above (-1) a line at `y`.
    fn x_axis(&mut self, axis: &Axis, lines: &mut Vec<Vec<[f64; 2]>>, y: f64, down: f64) {
        let frame = self.placed.frame;
        let length = layout::tick_length(axis);
        let baseline = |distance: f64| if down > 0.0 { y + distance + SIZE * 0.8 } else { y - distance - SIZE * 0.08 };
        for tick in layout::x_ticks(axis, &self.placed.x, frame.width) {
            let x = frame.left + self.placed.x.fraction(tick.at).unwrap_or(0.0) * frame.width;
            if length > 0.0 {
                lines.push(vec![[x, y], [x, y + down * length]]);
            }
            self.words([x, baseline(length + GAP)], &tick.label, Anchor::Middle);
        }
        let beyond = layout::x_room(axis) - SIZE * LEADING;
        self.words([frame.left + frame.width / 2.0, baseline(beyond)], &axis.title, Anchor::Middle);
    }

    fn y_axis(&mut self, lines: &mut Vec<Vec<[f64; 2]>>) {
        let (frame, axis) = (self.placed.frame, &self.placed.panel.y);
        let length = layout::tick_length(axis);
        let mut widest = 0.0f64;
        for tick in &self.placed.y_ticks {
            let y = frame.bottom() - self.placed.y.fraction(tick.at).unwrap_or(0.0) * frame.height;
            if length > 0.0 {
                lines.push(vec![[frame.left - length, y], [frame.left, y]]);
            }
            widest = widest.max(font::width(&tick.label, SIZE, Weight::Regular) + length + GAP);
            self.words([frame.left - length - GAP, y + SIZE * 0.36], &tick.label, Anchor::End);
        }
        let text = clean(&axis.title).into_owned();
        if !text.is_empty() {
            let at = [frame.left - widest - GAP - SIZE * 0.25, frame.top + frame.height / 2.0];
            let (anchor, colour) = (Anchor::Middle, Colour::Ink);
            self.items.push(Item::Words(Words {
                at,
                text,
                size: SIZE,
                weight: Weight::Regular,
                anchor,
                upright: true,
                colour,
            }));
        }
    }

    /// The panel's title, columns of words, and the colour bar.
    fn beside(&mut self) {
        let (frame, placed) = (self.placed.frame, self.placed);
        let left = frame.left - placed.margins.left;
        let above = placed.margins.top - placed.title.len() as f64 * TITLE * LEADING;
        for (n, line) in placed.title.iter().rev().enumerate() {
            let y = frame.top - above - n as f64 * TITLE * LEADING - TITLE * 0.35;
            self.styled([placed.left, y], line, Anchor::Start, Weight::SemiBold, TITLE);
        }
        let mut x = left;
        for column in &placed.panel.left {
            let width = layout::column_width(column);
            self.column(column, x, width);
            x += width + 2.5 * GAP;
        }
        let mut x = frame.right();
        for column in &placed.panel.right {
            let width = layout::column_width(column);
            self.column(column, x + 2.5 * GAP, width);
            x += width + 2.5 * GAP;
        }
        if let Some(bar) = &placed.panel.colour_bar {
            self.colour_bar(bar, x + 2.0 * GAP);
        }
    }

    fn column(&mut self, column: &TextColumn, left: f64, width: f64) {
        let x = left + width * anchor_share(column.anchor);
        let frame = self.placed.frame;
        self.styled([x, frame.top - GAP], &column.heading, column.anchor, Weight::SemiBold, SIZE);
        for cell in &column.cells {
            let weight = if cell.bold { Weight::SemiBold } else { Weight::Regular };
            if let Some(f) = self.placed.y.fraction(cell.at) {
                let y = frame.bottom() - f * frame.height + SIZE * 0.36;
                self.styled([x, y], &cell.text, column.anchor, weight, SIZE);
            }
        }
    }

    fn colour_bar(&mut self, bar: &ColourBar, left: f64) {
        const STEPS: usize = 48;
        let frame = self.placed.frame;
        let (top, height) = (frame.top + frame.height * 0.1, frame.height * 0.8);
        for n in 0..STEPS {
            let y = top + height * (1.0 - (n + 1) as f64 / STEPS as f64);
            let place = Rect { left, top: y, width: BAR, height: height / STEPS as f64 + 0.2 };
            self.area(vec![corners(place)], Colour::Ramp((n as f64 + 0.5) / STEPS as f64), 1.0, None);
        }
        let x = left + BAR + GAP;
        self.words([x, top + SIZE * 0.7], &bar.high, Anchor::Start);
        self.words([x, top + height], &bar.low, Anchor::Start);
        let (anchor, colour, text) = (Anchor::Middle, Colour::Ink, clean(&bar.title).into_owned());
        let at = [x + SIZE * 0.8, top + height / 2.0];
        self.items.push(Item::Words(Words {
            at,
            text,
            size: SIZE,
            weight: Weight::Regular,
            anchor,
            upright: true,
            colour,
        }));
    }

    fn mark(&mut self, mark: &Mark) {
        let (frame, placed) = (self.placed.frame, self.placed);
        let clip = Some(frame);
        // A line along the edge of the frame keeps its full width.
        let around = |pen: Pen| Some(frame.grown(pen.width_pt / 2.0 + 0.1));
        let (colour, opacity) = (mark.colour, mark.opacity);
        match &mark.what {
            What::Line { points, pen } => self.lines(self.runs(points), colour, *pen, opacity, around(*pen)),
            What::Step { points, pen } => self.lines(self.runs(&stairs(points)), colour, *pen, opacity, around(*pen)),
            What::Segments { pairs, pen } => {
                let segments = pairs.iter().filter_map(|pair| self.segment(pair)).collect();
                self.lines(segments, colour, *pen, opacity, around(*pen));
            }
            What::Arrows { pairs, pen } => {
                let segments: Vec<_> = pairs.iter().filter_map(|pair| self.segment(pair)).collect();
                let heads = segments.iter().map(|segment| arrow_head(segment[0], segment[1])).collect();
                self.lines(segments, colour, *pen, opacity, None);
                self.area(heads, colour, opacity, None);
            }
            What::Band { x, low, high } => {
                let up = x.iter().zip(high).filter_map(|(&x, &y)| placed.at([x, y]));
                let down = x.iter().zip(low).rev().filter_map(|(&x, &y)| placed.at([x, y]));
                self.area(vec![up.chain(down).collect()], colour, opacity, clip);
            }
            What::Points { at, marker, size_pt, levels } => self.points(mark, at, *marker, *size_pt, levels),
            What::Bars { boxes } => {
                let paths = boxes.iter().filter_map(|it| {
                    let (a, b) = (placed.at([it[0], it[1]])?, placed.at([it[2], it[3]])?);
                    Some(vec![a, [b[0], a[1]], b, [a[0], b[1]]])
                });
                let paths = paths.collect();
                self.area(paths, colour, opacity, clip);
            }
            What::Text { at, text, style } => self.text(*at, text, style, colour),
            What::Ruler { y, ticks } => self.ruler(*y, ticks, colour),
            What::Rule { at, direction, pen } => {
                let ends = match direction {
                    Direction::Vertical => placed
                        .x
                        .fraction(*at)
                        .map(|f| frame.left + f * frame.width)
                        .map(|x| [[x, frame.top], [x, frame.bottom()]]),
                    Direction::Horizontal => placed
                        .y
                        .fraction(*at)
                        .map(|f| frame.bottom() - f * frame.height)
                        .map(|y| [[frame.left, y], [frame.right(), y]]),
                };
                self.lines(ends.into_iter().map(|it| it.to_vec()).collect(), colour, *pen, opacity, clip);
            }
            What::Raster { x, y, columns, grey } => {
                if let (Some(a), Some(b)) = (placed.at([x[0], y[0]]), placed.at([x[1], y[1]])) {
                    let place = Rect {
                        left: a[0].min(b[0]),
                        top: a[1].min(b[1]),
                        width: (a[0] - b[0]).abs(),
                        height: (a[1] - b[1]).abs(),
                    };
                    self.items.push(Item::Raster {
                        place,
                        columns: (*columns).max(1),
                        grey: grey.clone(),
                        clip: frame,
                    });
                }
            }
        }
    }

    /// Polylines of the points, broken where a point has no place.
    pub fn runs(&self, points: &[[f64; 2]]) -> Vec<Vec<[f64; 2]>> {
        let mut runs = vec![Vec::new()];
        for &point in points {
            match self.placed.at(point) {
                Some(place) => runs.last_mut().expect("one run is open").push(place),
                None => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| run.len() > 1);
        runs
    }

    pub fn segment(&self, pair: &[[f64; 2]; 2]) -> Option<Vec<[f64; 2]>> {
        Some(vec![self.placed.at(pair[0])?, self.placed.at(pair[1])?])
    }

    fn points(&mut self, mark: &Mark, at: &[[f64; 2]], marker: Marker, size: f64, levels: &[f64]) {
        if levels.is_empty() {
            let places = at.iter().filter_map(|&point| self.placed.at(point)).collect();
            return self.markers(places, marker, size, mark.colour, mark.opacity);
        }
        for (&point, &level) in at.iter().zip(levels) {
            let places = self.placed.at(point).into_iter().collect();
            self.markers(places, marker, size, Colour::Ramp(level), mark.opacity);
        }
    }

    pub fn markers(&mut self, at: Vec<[f64; 2]>, marker: Marker, size: f64, colour: Colour, opacity: f64) {
        let r = size / 2.0;
        let polygon = |shape: &[[f64; 2]]| {
            at.iter().map(|p| shape.iter().map(|s| [p[0] + s[0] * r, p[1] + s[1] * r]).collect()).collect()
        };
        let strokes = |shape: &[[[f64; 2]; 2]]| {
            at.iter()
                .flat_map(|p| shape.iter().map(|s| s.map(|s| [p[0] + s[0] * r, p[1] + s[1] * r]).to_vec()))
                .collect()
        };
        match marker {
            Marker::Disc => {
                self.items.push(Item::Discs { at, radius: r, stroke: None, fill: Some(Fill { colour, opacity }) })
            }
            Marker::Circle => {
                let stroke = Some(Stroke { colour, pen: Pen::solid(0.9), opacity });
                let fill = Some(Fill { colour: Colour::White, opacity: 1.0 });
                self.items.push(Item::Discs { at, radius: r, stroke, fill });
            }
            Marker::Square => {
                self.area(polygon(&[[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]]), colour, opacity, None)
            }
            Marker::Triangle => self.area(polygon(&[[0.0, -1.1], [1.0, 0.75], [-1.0, 0.75]]), colour, opacity, None),
            Marker::Diamond => {
                self.area(polygon(&[[0.0, -1.2], [1.0, 0.0], [0.0, 1.2], [-1.0, 0.0]]), colour, opacity, None)
            }
            Marker::Cross => self.lines(
                strokes(&[[[-0.8, -0.8], [0.8, 0.8]], [[-0.8, 0.8], [0.8, -0.8]]]),
                colour,
                Pen::solid(0.9),
                opacity,
                None,
            ),
            Marker::Tick => self.lines(strokes(&[[[0.0, -1.0], [0.0, 1.0]]]), colour, Pen::solid(0.6), opacity, None),
        }
    }

    fn ruler(&mut self, y: f64, ticks: &[(f64, String)], colour: Colour) {
        let found = ticks.iter().filter_map(|(at, label)| Some((self.placed.at([*at, y])?, clean(label).into_owned())));
        let found: Vec<([f64; 2], String)> = found.collect();
        let ends = found.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), it| (l.min(it.0[0]), h.max(it.0[0])));
        let Some(height) = found.first().map(|it| it.0[1]) else { return };
        let mut lines = vec![vec![[ends.0, height], [ends.1, height]]];
        lines.extend(found.iter().map(|(at, _)| vec![*at, [at[0], at[1] - layout::TICK]]));
        self.lines(lines, colour, Pen::solid(0.7), 1.0, None);
        let half = |n: usize| font::width(&found[n].1, SIZE, Weight::Regular) / 2.0;
        for n in layout::labelled(found.len(), |n| found[n].0[0], half, SIZE * 0.6) {
            let x = found[n].0[0].min(self.width - half(n) - 1.0);
            self.words([x, height - layout::TICK - GAP], &found[n].1, Anchor::Middle);
        }
    }

    fn text(&mut self, at: [f64; 2], text: &str, style: &TextStyle, colour: Colour) {
        let Some(place) = self.placed.at(at) else { return };
        let weight = if style.bold { Weight::SemiBold } else { Weight::Regular };
        let lines: Vec<String> = text.split('\n').map(|line| clean(line).into_owned()).collect();
        let leading = style.size_pt * LEADING;
        let (x, y) = (place[0] + style.offset_pt[0], place[1] - style.offset_pt[1]);
        let longest = lines.iter().map(|line| font::width(line, style.size_pt, weight)).fold(0.0, f64::max);
        let before = longest * anchor_share(style.anchor);
        let x = x.min(self.width - longest + before - 1.0).max(before + 1.0);
        if style.framed {
            let width = longest + style.size_pt * 1.4;
            let height = lines.len() as f64 * leading + style.size_pt * 0.8;
            let left =
                x - width * anchor_share(style.anchor) + style.size_pt * 0.7 * (2.0 * anchor_share(style.anchor) - 1.0);
            let paths = vec![corners(Rect { left, top: y - height / 2.0, width, height })];
            let stroke = Some(Stroke { colour: Colour::Ink, pen: Pen::solid(0.6), opacity: 1.0 });
            let fill = Some(Fill { colour: Colour::White, opacity: 1.0 });
            self.items.push(Item::Shape { paths, closed: true, stroke, fill, clip: None });
        }
        for (n, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.is_empty()) {
            let y = y + (n as f64 - (text.split('\n').count() - 1) as f64 / 2.0) * leading + style.size_pt * 0.36;
            let words = Words {
                at: [x, y],
                text: line,
                size: style.size_pt,
                weight,
                anchor: style.anchor,
                upright: false,
                colour,
            };
            self.items.push(Item::Words(words));
        }
    }
}

fn arrow_head(from: [f64; 2], to: [f64; 2]) -> Vec<[f64; 2]> {
    let length = (to[0] - from[0]).hypot(to[1] - from[1]).max(1e-9);
    let (dx, dy) = ((to[0] - from[0]) / length, (to[1] - from[1]) / length);
    let back = [to[0] - dx * 4.5, to[1] - dy * 4.5];
    vec![to, [back[0] - dy * 2.0, back[1] + dx * 2.0], [back[0] + dy * 2.0, back[1] - dx * 2.0]]
}
