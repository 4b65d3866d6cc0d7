//! From data to a fraction of an axis.

use crate::{Axis, Mark, Range, Scale, What};

/// Maps a value of an axis to 0 (left or below) to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mapping {
    scale: Scale,
    from: f64,
    to: f64,
}

impl Mapping {
    /// The axis over its fixed range, or over `values` with 4 % air; a base of exactly zero keeps the edge.
    pub fn new(axis: &Axis, values: impl Iterator<Item = f64>) -> Mapping {
        let (from, to) = match axis.range {
            Range::Fixed(from, to) => (from, to),
            Range::Data => air(axis.scale, values),
        };
        let sound = has_place(axis.scale, from) && has_place(axis.scale, to) && (from - to).abs() > 1e-290;
        let (from, to) = if sound { (from, to) } else { (0.1, 1.0) };
        Mapping { scale: axis.scale, from, to }
    }

    /// `None` where the value has no place: not finite, or not positive on a logarithmic axis.
    pub fn fraction(&self, value: f64) -> Option<f64> {
        if !has_place(self.scale, value) {
            return None;
        }
        let found = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.ln() - self.from.ln()) / (self.to.ln() - self.from.ln()),
        };
        found.is_finite().then_some(found)
    }

    /// Smaller end, larger end.
    pub fn ends(&self) -> (f64, f64) {
        (self.from.min(self.to), self.from.max(self.to))
    }

    pub fn scale(&self) -> Scale {
        self.scale
    }
}

fn air(scale: Scale, values: impl Iterator<Item = f64>) -> (f64, f64) {
    let seen = values.filter(|&value| has_place(scale, value));
    let (low, high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.1, 1.0);
    }
    match scale {
        Scale::Log => {
            let factor = if low == high { 2.0 } else { (high / low).powf(0.04) };
            (low / factor, high * factor)
        }
        Scale::Linear => {
            let pad = if low == high { low.abs().max(1.0) * 0.5 } else { (high - low) * 0.04 };
            (if low == 0.0 { 0.0 } else { low - pad }, if high == 0.0 { 0.0 } else { high + pad })
        }
    }
}

/// Finite, positive on a logarithmic axis, and far enough from the limits of `f64` that spans can be computed.
fn has_place(scale: Scale, value: f64) -> bool {
    value.abs() < 1e300 && (scale == Scale::Linear || value > 1e-300)
}

/// Every x (`axis` 0) or y (`axis` 1) that the marks reach.
pub fn reach(marks: &[Mark], axis: usize) -> impl Iterator<Item = f64> {
    marks.iter().flat_map(move |mark| values(&mark.what, axis))
}

fn values(what: &What, axis: usize) -> Vec<f64> {
    match what {
        What::Line { points, .. } | What::Step { points, .. } | What::Points { at: points, .. } => {
            points.iter().map(|point| point[axis]).collect()
        }
        What::Segments { pairs, .. } | What::Arrows { pairs, .. } => {
            pairs.iter().flatten().map(|point| point[axis]).collect()
        }
        What::Band { x, .. } if axis == 0 => x.clone(),
        What::Band { low, high, .. } => low.iter().chain(high).copied().collect(),
        What::Bars { boxes } => boxes.iter().flat_map(|it| [it[axis], it[axis + 2]]).collect(),
        What::Text { at, .. } => vec![at[axis]],
        What::Rule { .. } => Vec::new(),
        What::Ruler { ticks, .. } if axis == 0 => ticks.iter().map(|tick| tick.0).collect(),
        What::Ruler { y, .. } => vec![*y],
        What::Raster { x, y, .. } => if axis == 0 { x } else { y }.to_vec(),
    }
}
