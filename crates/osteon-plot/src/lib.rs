//! Axes and marks as one plain value, drawn to SVG, PDF, PNG, TIFF and terminal cells; knows nothing of the field.
//!
#![doc = include_str!("../README.md")]

mod artist;
mod canvas;
pub mod cells;
pub mod fit;
mod font;
mod layout;
mod legend;
mod painter;
mod palette;
pub mod pdf;
pub mod png;
mod scale;
pub mod scene;
pub mod svg;
mod ticks;
pub mod tiff;

pub use palette::{Ansi, Colour};
pub use ticks::number;

/// A figure: panels in reading order, `columns` to a row. Its height follows from the panels unless it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// A lower-case word; the prefix of all ids in the SVG.
    pub name: String,
    /// What the figure is, for readers who hear it and for file metadata; not drawn.
    pub title: String,
    pub width_mm: f64,
    /// The areas between the axes are stretched to this height of the whole figure.
    pub height_mm: Option<f64>,
    /// Point size of text; lines and markers grow with it. [`FONT_PT`] unless asked for another.
    pub font_pt: f64,
    pub columns: usize,
    pub panels: Vec<Panel>,
    /// Lines of `name: value` for the metadata.
    pub provenance: Vec<String>,
}

/// The usual point size of text in figures of journals.
pub const FONT_PT: f64 = 7.0;

/// Two axes and what is drawn between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// A second axis over the panel, in the values of `x`.
    pub above: Option<Axis>,
    pub marks: Vec<Mark>,
    pub legend: Legend,
    /// Columns of words at heights of `y`, outside the axes.
    pub left: Vec<TextColumn>,
    pub right: Vec<TextColumn>,
    pub colour_bar: Option<ColourBar>,
    pub shape: Shape,
    /// Width of the panel's column in relation to others.
    pub share: f64,
    /// Stands alone on its row, over all columns.
    pub wide: bool,
}

/// How high the area between the axes is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Height over width.
    Ratio(f64),
    Height {
        mm: f64,
    },
}

/// One direction of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub title: String,
    pub scale: Scale,
    pub range: Range,
    pub ticks: Ticks,
    pub look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    /// Values at or below zero are not drawn.
    Log,
}

/// What an axis spans; the first end is left or below, so a descending pair turns the axis round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// The marks' extent and a little air.
    Data,
    Fixed(f64, f64),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ticks {
    /// Steps of 1, 2 or 5 times a power of ten, as many as there is room for.
    Nice,
    At(Vec<(f64, String)>),
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Line,
    /// A line, and faint rules at the ticks.
    Grid,
    Hidden,
}

/// Something drawn from data, in the colour of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub what: What,
    pub colour: Colour,
    /// 0 unseen to 1 full.
    pub opacity: f64,
    /// Its words in the legend; empty for none.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Line {
        points: Vec<[f64; 2]>,
        pen: Pen,
    },
    /// Level until the next point, then straight up or down.
    Step {
        points: Vec<[f64; 2]>,
        pen: Pen,
    },
    /// Unconnected lines: whiskers, contours, scales.
    Segments {
        pairs: Vec<[[f64; 2]; 2]>,
        pen: Pen,
    },
    Arrows {
        pairs: Vec<[[f64; 2]; 2]>,
        pen: Pen,
    },
    /// Between `low` and `high` at each `x`.
    Band {
        x: Vec<f64>,
        low: Vec<f64>,
        high: Vec<f64>,
    },
    /// `levels` (0 to 1, one a point) colour each point on the ramp; empty for the mark's colour.
    Points {
        at: Vec<[f64; 2]>,
        marker: Marker,
        size_pt: f64,
        levels: Vec<f64>,
    },
    /// Rectangles `[x0, y0, x1, y1]`.
    Bars {
        boxes: Vec<[f64; 4]>,
    },
    Text {
        at: [f64; 2],
        text: String,
        style: TextStyle,
    },
    /// A line across the whole panel at a value of one axis.
    Rule {
        at: f64,
        direction: Direction,
        pen: Pen,
    },
    /// A line at a height with its own ticks and labels above it; labels that would touch are left out.
    Ruler {
        y: f64,
        ticks: Vec<(f64, String)>,
    },
    /// Grey cells, `columns` to a row, the first row at `y[0]`, the first cell at `x[0]`.
    Raster {
        x: [f64; 2],
        y: [f64; 2],
        columns: usize,
        grey: Vec<u8>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pen {
    pub width_pt: f64,
    pub dash: Dash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Dashed,
    Dotted,
    DashDot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    Disc,
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    /// An upright stroke.
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Horizontal,
    Vertical,
}

/// How words stand at their point; lines are parted by `\n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextStyle {
    pub anchor: Anchor,
    pub size_pt: f64,
    pub bold: bool,
    /// Moved right and up by so much.
    pub offset_pt: [f64; 2],
    pub framed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legend {
    None,
    /// In the corner that hides least.
    Inside,
    Right,
    Below,
}

/// Words beside the panel.
#[derive(Clone, Debug, PartialEq)]
pub struct TextColumn {
    pub heading: String,
    pub anchor: Anchor,
    pub cells: Vec<TextCell>,
}

/// One entry of a [`TextColumn`], at a value of the y axis.
#[derive(Clone, Debug, PartialEq)]
pub struct TextCell {
    pub at: f64,
    pub text: String,
    pub bold: bool,
}

/// The key of [`Colour::Ramp`], right of the panel.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourBar {
    pub title: String,
    pub low: String,
    pub high: String,
}

impl Default for Panel {
    fn default() -> Self {
        Panel {
            title: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            above: None,
            marks: Vec::new(),
            legend: Legend::None,
            left: Vec::new(),
            right: Vec::new(),
            colour_bar: None,
            shape: Shape::Ratio(0.75),
            share: 1.0,
            wide: false,
        }
    }
}

impl Default for Axis {
    fn default() -> Self {
        Axis { title: String::new(), scale: Scale::Linear, range: Range::Data, ticks: Ticks::Nice, look: Look::Line }
    }
}

impl Axis {
    /// A linear axis over the data.
    pub fn titled(title: &str) -> Axis {
        Axis { title: title.to_owned(), ..Axis::default() }
    }

    pub fn fixed(title: &str, from: f64, to: f64) -> Axis {
        Axis { range: Range::Fixed(from, to), ..Axis::titled(title) }
    }

    /// Neither line nor ticks: the marks stand alone.
    pub fn hidden(from: f64, to: f64) -> Axis {
        Axis { ticks: Ticks::None, look: Look::Hidden, ..Axis::fixed("", from, to) }
    }
}

impl Plot {
    /// How much larger than in 7-point text everything is drawn.
    pub fn scale(&self) -> f64 {
        if (1.0..=100.0).contains(&self.font_pt) { self.font_pt / FONT_PT } else { 1.0 }
    }

    /// Positions of the panels of each row: as many as `columns`, wide ones alone.
    fn rows(&self, columns: usize) -> Vec<Vec<usize>> {
        let mut rows: Vec<Vec<usize>> = Vec::new();
        for (n, panel) in self.panels.iter().enumerate() {
            match rows.last_mut() {
                Some(row) if !panel.wide && row.len() < columns && !self.panels[row[0]].wide => row.push(n),
                _ => rows.push(vec![n]),
            }
        }
        rows
    }
}

impl Pen {
    pub fn solid(width_pt: f64) -> Pen {
        Pen { width_pt, dash: Dash::Solid }
    }

    pub fn dashed(width_pt: f64) -> Pen {
        Pen { width_pt, dash: Dash::Dashed }
    }
}

impl Default for TextStyle {
    fn default() -> Self {
        TextStyle { anchor: Anchor::Middle, size_pt: 7.0, bold: false, offset_pt: [0.0, 0.0], framed: false }
    }
}

impl Mark {
    pub fn new(what: What, colour: Colour) -> Mark {
        Mark { what, colour, opacity: 1.0, name: String::new() }
    }

    pub fn named(self, name: impl Into<String>) -> Mark {
        Mark { name: name.into(), ..self }
    }

    pub fn faded(self, opacity: f64) -> Mark {
        Mark { opacity, ..self }
    }

    pub fn line(points: Vec<[f64; 2]>, pen: Pen, colour: Colour) -> Mark {
        Mark::new(What::Line { points, pen }, colour)
    }

    pub fn points(at: Vec<[f64; 2]>, marker: Marker, size_pt: f64, colour: Colour) -> Mark {
        Mark::new(What::Points { at, marker, size_pt, levels: Vec::new() }, colour)
    }

    pub fn rule(at: f64, direction: Direction, pen: Pen) -> Mark {
        Mark::new(What::Rule { at, direction, pen }, Colour::Muted)
    }

    pub fn text(at: [f64; 2], text: impl Into<String>, style: TextStyle) -> Mark {
        Mark::new(What::Text { at, text: text.into(), style }, Colour::Ink)
    }
}
