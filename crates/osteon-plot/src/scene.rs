//! A plot as plain shapes and words with places in points: what is left to do is to write them down.

use crate::artist::Artist;
use crate::font::{self, Weight};
use crate::layout::{self, Rect};
use crate::{Anchor, Colour, Dash, Pen, Plot};

/// Everything that is seen, in the order of drawing. Lengths in points, y downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub width: f64,
    pub height: f64,
    /// Points on paper for one point of the scene, whose words have their usual size.
    pub scale: f64,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Lines and areas of one look; each path is `closed` or open.
    Shape {
        paths: Vec<Vec<[f64; 2]>>,
        closed: bool,
        stroke: Option<Stroke>,
        fill: Option<Fill>,
        clip: Option<Rect>,
    },
    Discs {
        at: Vec<[f64; 2]>,
        radius: f64,
        stroke: Option<Stroke>,
        fill: Option<Fill>,
    },
    Words(Words),
    Raster {
        place: Rect,
        columns: usize,
        grey: Vec<u8>,
        clip: Rect,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    pub colour: Colour,
    pub pen: Pen,
    pub opacity: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    pub colour: Colour,
    pub opacity: f64,
}

/// One line of text; `at` is its anchor on the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    pub at: [f64; 2],
    pub text: String,
    pub size: f64,
    pub weight: Weight,
    pub anchor: Anchor,
    /// Turned a quarter to the left.
    pub upright: bool,
    pub colour: Colour,
}

impl Words {
    /// The box of the ink, with the full height of capitals and descenders.
    pub fn extent(&self) -> Rect {
        let width = font::width(&self.text, self.size, self.weight);
        let before = width * anchor_share(self.anchor);
        let (above, height) = (font::CAP * self.size, (font::CAP + font::DESCENT) * self.size);
        if self.upright {
            return Rect { left: self.at[0] - above, top: self.at[1] + before - width, width: height, height: width };
        }
        Rect { left: self.at[0] - before, top: self.at[1] - above, width, height }
    }
}

/// The part of a line's width that lies before its anchor.
pub fn anchor_share(anchor: Anchor) -> f64 {
    match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    }
}

/// Lays a plot out.
pub fn scene(plot: &Plot) -> Scene {
    let (width, height, panels) = layout::place(plot);
    let mut items = Vec::new();
    for placed in &panels {
        Artist { placed, items: &mut items, width }.draw();
    }
    Scene { width, height, scale: plot.scale(), items }
}

/// A staircase through the points: level first, then up or down.
pub fn stairs(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut found: Vec<[f64; 2]> = Vec::with_capacity(points.len() * 2);
    for &point in points {
        if let Some(last) = found.last().copied().filter(|last| last[0] != point[0] && last[1] != point[1]) {
            found.push([point[0], last[1]]);
        }
        found.push(point);
    }
    found
}

pub fn corners(place: Rect) -> Vec<[f64; 2]> {
    vec![
        [place.left, place.top],
        [place.right(), place.top],
        [place.right(), place.bottom()],
        [place.left, place.bottom()],
    ]
}

/// Lengths of strokes and gaps in points.
pub fn dashes(pen: Pen) -> &'static [f64] {
    match pen.dash {
        Dash::Solid => &[],
        Dash::Dashed => &[3.5, 2.2],
        Dash::Dotted => &[0.9, 1.8],
        Dash::DashDot => &[5.0, 1.8, 0.9, 1.8],
    }
}
