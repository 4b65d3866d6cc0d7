//! Names of marks beside their samples, inside a panel where they hide least.

use crate::artist::Artist;
use crate::font::LEADING;
use crate::layout::{self, GAP, KEY, Rect, SIZE};
use crate::scene::{corners, stairs};
use crate::{Anchor, Colour, Legend, Mark, What};

impl Artist<'_> {
    pub fn legend(&mut self) {
        let (placed, frame) = (self.placed, self.placed.frame);
        if placed.legend.is_empty() {
            return;
        }
        let (width, height) =
            (layout::legend_width(placed.panel, &placed.legend), placed.legend.len() as f64 * SIZE * LEADING);
        let (left, top) = match placed.panel.legend {
            Legend::None => return,
            Legend::Right => (frame.right() + placed.margins.right - width, frame.top),
            Legend::Below => {
                let room = placed.margins.left + frame.width;
                (
                    (frame.left - placed.margins.left + (room - width).max(0.0) / 2.0).max(0.0),
                    frame.bottom() + placed.margins.bottom - height,
                )
            }
            Legend::Inside => {
                let place = self.emptiest(width + 2.0 * GAP, height + GAP);
                self.area(vec![corners(place)], Colour::White, 0.85, None);
                (place.left + GAP, place.top + GAP / 2.0)
            }
        };
        for (n, row) in placed.legend.iter().enumerate() {
            let y = top + (n as f64 + 0.5) * SIZE * LEADING;
            for &(mark, offset) in row {
                self.key(&placed.panel.marks[mark], left + offset, y);
                self.words([left + offset + KEY + GAP, y + SIZE * 0.36], &placed.panel.marks[mark].name, Anchor::Start);
            }
        }
    }

    /// The sample of a mark beside its words.
    fn key(&mut self, mark: &Mark, x: f64, y: f64) {
        match &mark.what {
            What::Line { pen, .. }
            | What::Step { pen, .. }
            | What::Segments { pen, .. }
            | What::Arrows { pen, .. }
            | What::Rule { pen, .. } => {
                self.lines(vec![vec![[x, y], [x + KEY, y]]], mark.colour, *pen, mark.opacity, None);
            }
            What::Points { marker, size_pt, .. } => {
                self.markers(vec![[x + KEY / 2.0, y]], *marker, size_pt.max(3.0), mark.colour, 1.0);
            }
            What::Band { .. } | What::Bars { .. } | What::Raster { .. } => {
                let place = Rect { left: x + 2.0, top: y - 2.5, width: KEY - 4.0, height: 5.0 };
                self.area(vec![corners(place)], mark.colour, mark.opacity, None);
            }
            What::Text { .. } | What::Ruler { .. } => (),
        }
    }

    /// Of nine places in the frame, the one with the fewest drawn points under it.
    fn emptiest(&self, width: f64, height: f64) -> Rect {
        let frame = self.placed.frame;
        let places = [(1.0, 1.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0), (0.5, 0.0), (1.0, 0.5), (0.0, 0.5), (0.5, 1.0)];
        let inset = 3.0;
        let rect = |(h, v): (f64, f64)| Rect {
            left: frame.left + inset + (frame.width - width - 2.0 * inset).max(0.0) * h,
            top: frame.top + inset + (frame.height - height - 2.0 * inset).max(0.0) * v,
            width,
            height,
        };
        let drawn = self.samples();
        let hidden = |place: &Rect| {
            let near = |p: &&[f64; 2]| {
                p[0] > place.left - 2.0
                    && p[0] < place.right() + 2.0
                    && p[1] > place.top - 2.0
                    && p[1] < place.bottom() + 2.0
            };
            drawn.iter().filter(near).count()
        };
        places.into_iter().map(rect).min_by_key(hidden).expect("there are places")
    }

    /// Points along everything drawn, about two points apart.
    fn samples(&self) -> Vec<[f64; 2]> {
        let mut found = Vec::new();
        for mark in &self.placed.panel.marks {
            match &mark.what {
                What::Points { at, .. } => found.extend(at.iter().filter_map(|&p| self.placed.at(p))),
                What::Line { points, .. } => self.runs(points).iter().for_each(|run| along(run, &mut found)),
                What::Step { points, .. } => self.runs(&stairs(points)).iter().for_each(|run| along(run, &mut found)),
                What::Segments { pairs, .. } => {
                    pairs.iter().filter_map(|p| self.segment(p)).for_each(|run| along(&run, &mut found))
                }
                What::Band { x, low, high } => {
                    for edge in [low, high] {
                        found.extend(x.iter().zip(edge).filter_map(|(&x, &y)| self.placed.at([x, y])));
                    }
                }
                What::Bars { boxes } => {
                    for it in boxes {
                        let run: Vec<_> =
                            [[it[0], it[1]], [it[2], it[3]]].into_iter().filter_map(|p| self.placed.at(p)).collect();
                        along(&run, &mut found);
                    }
                }
                _ => (),
            }
        }
        found
    }
}

fn along(run: &[[f64; 2]], found: &mut Vec<[f64; 2]>) {
    for pair in run.windows(2) {
        let length = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
        let steps = (length / 2.0).ceil().clamp(1.0, 1000.0) as usize;
        let at = |n: usize| {
            let f = n as f64 / steps as f64;
            [pair[0][0] + (pair[1][0] - pair[0][0]) * f, pair[0][1] + (pair[1][1] - pair[0][1]) * f]
        };
        found.extend((0..=steps).map(at));
    }
}
