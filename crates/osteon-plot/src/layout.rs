//! Where panels, axes and words beside them stand, in points (1/72 inch), y downwards.

use crate::font::{self, LEADING, Weight};
use crate::scale::{Mapping, reach};
use crate::ticks::{self, Tick};
use crate::{Axis, Legend, Look, Panel, Plot, Scale, Shape, TextColumn, Ticks};
use osteon_base::text::clean;

/// Point size of all text that does not ask for another; titles of panels are half a point larger.
pub const SIZE: f64 = 7.0;
pub const TITLE: f64 = 7.5;
pub const TICK: f64 = 2.5;
pub const GAP: f64 = 2.5;
/// Around the figure, and between panels.
const EDGE: f64 = 3.0;
const BETWEEN: f64 = 12.0;
pub const KEY: f64 = 13.0;
pub const BAR: f64 = 5.0;
const PT_PER_MM: f64 = 72.0 / 25.4;

#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// Room that a panel needs around its frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Margins {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// A panel with its place; `frame` is the area between the axes.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    pub panel: &'a Panel,
    pub frame: Rect,
    pub margins: Margins,
    /// Where the panel's column begins.
    pub left: f64,
    pub x: Mapping,
    pub y: Mapping,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    pub title: Vec<String>,
    pub legend: Vec<LegendRow>,
}

/// One line of a legend: positions of marks and where each begins, from the left.
pub type LegendRow = Vec<(usize, f64)>;

impl Rect {
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// With a border of this width around it.
    pub fn grown(&self, by: f64) -> Rect {
        Rect { left: self.left - by, top: self.top - by, width: self.width + 2.0 * by, height: self.height + 2.0 * by }
    }
}

/// Width and height of the figure, and all its panels.
pub fn place(plot: &Plot) -> (f64, f64, Vec<Placed<'_>>) {
    let width = sound(plot.width_mm, 10.0, 2000.0) * PT_PER_MM / plot.scale();
    let asked = plot.height_mm.map(|mm| sound(mm, 10.0, 2000.0) * PT_PER_MM / plot.scale());
    let columns = plot.columns.clamp(1, plot.panels.len().max(1));
    let guess = Rect { left: 0.0, top: 0.0, width: width / columns as f64 * 0.75, height: 100.0 };
    let mut panels: Vec<Placed> = plot.panels.iter().map(|panel| Placed::new(panel, guess)).collect();
    let rows = plot.rows(columns);
    let mut height = 2.0 * EDGE;
    let mut stretch = 1.0;
    // Margins depend on tick labels, those on the frame, and that on the margins: three rounds settle it, and a few more
    // where frames are stretched to a height.
    for _ in 0..if asked.is_some() { 10 } else { 3 } {
        for placed in &mut panels {
            placed.measure();
        }
        height = arrange(&mut panels, &rows, columns, width, stretch);
        if let Some(asked) = asked {
            let of_row = |row: &Vec<usize>| row.iter().map(|&n| panels[n].frame.height).fold(0.0, f64::max);
            let frames: f64 = rows.iter().map(of_row).sum();
            stretch *= ((asked - (height - frames)) / frames.max(1e-9)).clamp(0.02, 50.0);
            stretch = stretch.clamp(1e-3, 1e3);
        }
    }
    // What is left of rounding goes to the lower edge; a height that is too small stays what is needed.
    let height = asked.filter(|asked| (asked - height).abs() < 0.5).unwrap_or(height);
    (width, height, panels)
}

/// Frames from margins; the figure's height. Panels of one column share its margins, wide ones keep their own.
fn arrange(panels: &mut [Placed], rows: &[Vec<usize>], columns: usize, width: f64, stretch: f64) -> f64 {
    let mut top = EDGE;
    for row in rows {
        let wide = panels[row[0]].panel.wide;
        let columns = if wide { 1 } else { columns };
        let peers: Vec<&Vec<usize>> = rows.iter().filter(|other| !wide && !panels[other[0]].panel.wide).collect();
        let of_column = |column: usize, of: fn(&Placed) -> f64| {
            let own = row.get(column).into_iter().chain(peers.iter().filter_map(|other| other.get(column)));
            own.map(|&n| of(&panels[n])).fold(0.0, f64::max)
        };
        let of = |of: fn(&Placed) -> f64| (0..columns).map(|c| of_column(c, of)).collect::<Vec<f64>>();
        let (lefts, rights) = (of(|it| it.margins.left), of(|it| it.margins.right));
        let shares = of(|it| sound(it.panel.share, 0.01, 100.0));
        let taken = lefts.iter().chain(&rights).sum::<f64>() + BETWEEN * (columns - 1) as f64 + 2.0 * EDGE;
        let free = (width - taken).max(columns as f64) / shares.iter().sum::<f64>();
        let above = row.iter().map(|&n| panels[n].margins.top).fold(0.0, f64::max);
        let (mut left, mut bottom) = (EDGE, top);
        for (c, &n) in row.iter().enumerate() {
            let (width, placed) = (free * shares[c], &mut panels[n]);
            let height = frame_height(placed.panel.shape, width) * stretch;
            placed.frame = Rect { left: left + lefts[c], top: top + above, width, height };
            placed.left = left;
            left += lefts[c] + width + rights[c] + BETWEEN;
            bottom = bottom.max(placed.frame.bottom() + placed.margins.bottom);
        }
        top = bottom + BETWEEN;
    }
    top - BETWEEN + EDGE
}

fn frame_height(shape: Shape, width: f64) -> f64 {
    match shape {
        Shape::Ratio(ratio) => width * sound(ratio, 0.01, 10.0),
        Shape::Height { mm } => sound(mm, 1.0, 2000.0) * PT_PER_MM,
    }
}

fn sound(value: f64, low: f64, high: f64) -> f64 {
    if value.is_finite() { value.clamp(low, high) } else { low }
}

impl<'a> Placed<'a> {
    fn new(panel: &'a Panel, frame: Rect) -> Self {
        let x = Mapping::new(&panel.x, reach(&panel.marks, 0));
        let y = Mapping::new(&panel.y, reach(&panel.marks, 1));
        let (x_ticks, y_ticks, title, legend) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Placed { panel, frame, margins: Margins::default(), left: 0.0, x, y, x_ticks, y_ticks, title, legend }
    }

    /// The point of `[x, y]`; `None` where it has no place on an axis.
    pub fn at(&self, point: [f64; 2]) -> Option<[f64; 2]> {
        let (x, y) = (self.x.fraction(point[0])?, self.y.fraction(point[1])?);
        Some([self.frame.left + x * self.frame.width, self.frame.bottom() - y * self.frame.height])
    }

    fn measure(&mut self) {
        let (panel, frame) = (self.panel, self.frame);
        self.x_ticks = x_ticks(&panel.x, &self.x, frame.width);
        let most = (frame.height / (SIZE * 2.6)) as usize;
        self.y_ticks = fitting(&panel.y, &self.y, |ticks| ticks.len() <= most.clamp(2, 8));
        let mut margins = Margins {
            left: beside(&panel.left) + y_room(&panel.y, &self.y_ticks),
            right: beside(&panel.right) + bar_room(panel),
            ..Margins::default()
        };
        let room = margins.left + frame.width + margins.right;
        self.title = match panel.title.as_str() {
            "" => Vec::new(),
            title => font::wrap(&clean(title), TITLE, Weight::SemiBold, room),
        };
        self.legend = if panel.legend == Legend::Below { balanced(panel, room) } else { legend_rows(panel, 0.0) };
        if panel.legend == Legend::Right {
            margins.right += legend_width(panel, &self.legend) + 3.0 * GAP;
        }
        let (left, right) = overhang(&self.x_ticks, &self.x, frame.width);
        (margins.left, margins.right) = (margins.left.max(left), margins.right.max(right));
        margins.top = self.title.len() as f64 * TITLE * LEADING + headings(panel);
        margins.top += panel.above.as_ref().map_or(0.0, x_room).max(SIZE / 2.0);
        margins.bottom = x_room(&panel.x).max(if self.y_ticks.is_empty() { 0.0 } else { SIZE / 2.0 });
        if panel.legend == Legend::Below && !self.legend.is_empty() {
            margins.bottom += GAP + self.legend.len() as f64 * SIZE * LEADING;
        }
        self.margins = margins;
    }
}

/// The most ticks of an axis that `fits` allows.
fn fitting(axis: &Axis, mapping: &Mapping, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
    let (low, high) = mapping.ends();
    match &axis.ticks {
        Ticks::None => Vec::new(),
        Ticks::At(given) => {
            let inside =
                given.iter().filter(|(at, _)| mapping.fraction(*at).is_some_and(|f| (-1e-9..=1.0 + 1e-9).contains(&f)));
            inside.map(|(at, label)| Tick { at: *at, label: clean(label).into_owned() }).collect()
        }
        Ticks::Nice => {
            let of = |most| match mapping.scale() {
                Scale::Linear => ticks::linear(low, high, most),
                Scale::Log => ticks::logarithmic(low, high, most),
            };
            (2..=8).rev().map(of).find(|ticks| fits(ticks)).unwrap_or_else(|| of(2))
        }
    }
}

/// Whether the labels under an axis of this length leave air between them.
fn apart(ticks: &[Tick], mapping: &Mapping, length: f64) -> bool {
    let centre = |tick: &Tick| mapping.fraction(tick.at).unwrap_or(0.0) * length;
    let half = |tick: &Tick| font::width(&tick.label, SIZE, Weight::Regular) / 2.0;
    ticks.windows(2).all(|pair| (centre(&pair[1]) - centre(&pair[0])).abs() > half(&pair[0]) + half(&pair[1]) + SIZE)
}

/// How far labels reach beyond the frame's left and right ends.
fn overhang(ticks: &[Tick], mapping: &Mapping, length: f64) -> (f64, f64) {
    let ends = ticks.iter().map(|tick| {
        let centre = mapping.fraction(tick.at).unwrap_or(0.0) * length;
        let half = font::width(&tick.label, SIZE, Weight::Regular) / 2.0;
        (half - centre, centre + half - length)
    });
    ends.fold((0.0, 0.0), |(left, right), (l, r)| (f64::max(left, l), f64::max(right, r)))
}

/// Which labels of a ruler are written so that none touch: every first, second or fifth, unless that leaves out many.
/// `place` and `half` give a tick's place and half the width of its label, in one unit.
pub fn labelled(n: usize, place: impl Fn(usize) -> f64, half: impl Fn(usize) -> f64, air: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| place(a).total_cmp(&place(b)));
    let clear = |a: usize, b: usize| place(b) - place(a) >= half(a) + half(b) + air;
    let mut greedy: Vec<usize> = Vec::new();
    for &at in &order {
        if greedy.last().is_none_or(|&last| clear(last, at)) {
            greedy.push(at);
        }
    }
    let even = [1, 2, 5].map(|stride| order.iter().copied().step_by(stride).collect::<Vec<usize>>());
    let even = even.into_iter().find(|kept| kept.windows(2).all(|pair| clear(pair[0], pair[1])));
    even.filter(|kept| kept.len() * 2 >= greedy.len()).unwrap_or(greedy)
}

/// The ticks of an axis over a frame of this width, without labels that would touch the one before.
pub fn x_ticks(axis: &Axis, mapping: &Mapping, length: f64) -> Vec<Tick> {
    let mut ticks = fitting(axis, mapping, |ticks| apart(ticks, mapping, length));
    let mut kept: Option<Tick> = None;
    for tick in &mut ticks {
        match &kept {
            Some(before) if !apart(&[before.clone(), tick.clone()], mapping, length) => tick.label.clear(),
            _ => kept = Some(tick.clone()),
        }
    }
    ticks
}

/// Room left of the frame for ticks, labels and title.
fn y_room(axis: &Axis, ticks: &[Tick]) -> f64 {
    let labels = ticks.iter().map(|tick| font::width(&tick.label, SIZE, Weight::Regular)).fold(0.0, f64::max);
    let ticks = if ticks.is_empty() { 0.0 } else { labels + GAP + tick_length(axis) };
    ticks + if axis.title.is_empty() { 0.0 } else { SIZE * LEADING + GAP }
}

/// Room below (or above) the frame for ticks, labels and title.
pub fn x_room(axis: &Axis) -> f64 {
    let ticks = if axis.ticks == Ticks::None { 0.0 } else { tick_length(axis) + GAP + SIZE };
    ticks + if axis.title.is_empty() { 0.0 } else { GAP + SIZE * LEADING }
}

pub fn tick_length(axis: &Axis) -> f64 {
    if axis.look == Look::Hidden || axis.ticks == Ticks::None { 0.0 } else { TICK }
}

/// Width of columns of words, each with air on its inner side.
fn beside(columns: &[TextColumn]) -> f64 {
    columns.iter().map(|column| column_width(column) + 2.5 * GAP).sum()
}

pub fn column_width(column: &TextColumn) -> f64 {
    let cell = |text: &str, bold: bool| font::width(text, SIZE, if bold { Weight::SemiBold } else { Weight::Regular });
    column.cells.iter().map(|it| cell(&it.text, it.bold)).fold(cell(&column.heading, true), f64::max)
}

fn headings(panel: &Panel) -> f64 {
    let any = panel.left.iter().chain(&panel.right).any(|column| !column.heading.is_empty());
    if any { SIZE * LEADING } else { 0.0 }
}

fn bar_room(panel: &Panel) -> f64 {
    panel.colour_bar.as_ref().map_or(0.0, |bar| {
        let words = [&bar.low, &bar.high].map(|text| font::width(text, SIZE, Weight::Regular));
        4.0 * GAP + BAR + words[0].max(words[1]).max(SIZE * LEADING)
    })
}

/// As few rows as `room` allows, of about one length.
fn balanced(panel: &Panel, room: f64) -> Vec<LegendRow> {
    let widest = legend_rows(panel, room);
    let narrower = (10..20).map(|n| legend_rows(panel, room * f64::from(n) / 20.0));
    narrower.into_iter().find(|rows| rows.len() == widest.len()).unwrap_or(widest)
}

/// Named marks in rows no wider than `room`, one a row when `room` is 0.
fn legend_rows(panel: &Panel, room: f64) -> Vec<LegendRow> {
    if panel.legend == Legend::None {
        return Vec::new();
    }
    let mut rows: Vec<LegendRow> = Vec::new();
    let mut left = f64::INFINITY;
    for (n, mark) in panel.marks.iter().enumerate().filter(|(_, mark)| !mark.name.is_empty()) {
        let width = entry_width(&mark.name);
        if left + width > room {
            rows.push(Vec::new());
            left = 0.0;
        }
        rows.last_mut().expect("the first entry opened a row").push((n, left));
        left += width + 3.0 * GAP;
    }
    rows
}

fn entry_width(name: &str) -> f64 {
    KEY + GAP + font::width(name, SIZE, Weight::Regular)
}

pub fn legend_width(panel: &Panel, rows: &[LegendRow]) -> f64 {
    let ends = rows.iter().flatten().map(|&(n, left)| left + entry_width(&panel.marks[n].name));
    ends.fold(0.0, f64::max)
}
