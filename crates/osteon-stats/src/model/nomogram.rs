//! A logistic model as scales of points, as rms::nomogram draws it.

use serde::{Deserialize, Serialize};

/// One variable of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    Continuous {
        name: String,
        coefficient: f64,
        /// Range of the training rows.
        low: f64,
        high: f64,
    },
    Levels {
        name: String,
        /// Each level with its coefficient, 0 for the reference.
        levels: Vec<(String, f64)>,
    },
}

/// A mark on a scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub label: String,
    /// The value of a continuous variable, of the linear predictor or of the risk; the coefficient of a level.
    pub value: f64,
    /// Points, or total points on the common scales.
    pub points: f64,
}

/// The scale of one variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    pub name: String,
    pub marks: Vec<Mark>,
}

/// Scales of points and what a total means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nomogram {
    pub effects: Vec<Effect>,
    pub axes: Vec<Axis>,
    /// Points a unit of the linear predictor; the widest axis has 100 points.
    pub points_per_unit: f64,
    /// Linear predictor at zero points.
    pub origin: f64,
    pub total: Vec<f64>,
    pub linear_predictor: Vec<Mark>,
    pub risk: Vec<Mark>,
}

/// How many intervals a scale has, about.
const INTERVALS: usize = 10;
/// Risks that are marked where the training rows reach them.
pub const RISKS: [f64; 11] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// Scales of a model; `range` holds the smallest and largest linear predictor of the training rows.
/// `None` when no effect differs from zero.
pub fn nomogram(intercept: f64, effects: &[Effect], range: (f64, f64)) -> Option<Nomogram> {
    let scales: Vec<Vec<(String, f64, f64)>> = effects.iter().map(Effect::scale).collect();
    let extremes = |scale: &Vec<(String, f64, f64)>| {
        scale.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, _, xb)| (low.min(*xb), high.max(*xb)))
    };
    let widest = scales.iter().map(extremes).map(|(low, high)| high - low).fold(0.0, f64::max);
    if widest.is_nan() || widest <= 0.0 || !widest.is_finite() {
        return None;
    }
    let points_per_unit = 100.0 / widest;
    let axis = |(effect, scale): (&Effect, &Vec<(String, f64, f64)>)| {
        let low = extremes(scale).0;
        let mark = |(label, value, xb): &(String, f64, f64)| Mark {
            label: label.clone(),
            value: *value,
            points: (xb - low) * points_per_unit,
        };
        Axis { name: effect.name().to_owned(), marks: scale.iter().map(mark).collect() }
    };
    let axes = effects.iter().zip(&scales).map(axis).collect();
    let origin = scales.iter().fold(intercept, |sum, scale| sum + extremes(scale).0);
    let at = |lp: f64| (lp - origin) * points_per_unit;
    let predictors = pretty(range.0, range.1, INTERVALS);
    let (first, last) = (predictors[0], predictors[predictors.len() - 1]);
    let mark = |value: f64, lp: f64| Mark { label: short(value), value, points: at(lp) };
    let risk = RISKS.map(|risk| (risk, (risk / (1.0 - risk)).ln()));
    Some(Nomogram {
        effects: effects.to_vec(),
        axes,
        points_per_unit,
        origin,
        total: pretty(0.0, at(last), INTERVALS),
        risk: risk.into_iter().filter(|(_, lp)| (first..=last).contains(lp)).map(|(r, lp)| mark(r, lp)).collect(),
        linear_predictor: predictors.into_iter().map(|lp| mark(lp, lp)).collect(),
    })
}

impl Nomogram {
    /// Points of a value on the scale of effect `at`: a number, or the position of a level. `None` for no such level.
    pub fn points(&self, at: usize, value: f64) -> Option<f64> {
        let marks = &self.axes[at].marks;
        match &self.effects[at] {
            Effect::Continuous { coefficient, .. } => {
                let start = if *coefficient >= 0.0 { marks.first()? } else { marks.last()? };
                Some((value - start.value) * coefficient * self.points_per_unit)
            }
            Effect::Levels { .. } => {
                (value >= 0.0 && value.fract() == 0.0).then(|| marks.get(value as usize)).flatten().map(|m| m.points)
            }
        }
    }

    /// Probability of the event at a total of points.
    pub fn probability(&self, total_points: f64) -> f64 {
        1.0 / (1.0 + (-(self.origin + total_points / self.points_per_unit)).exp())
    }
}

impl Effect {
    pub fn name(&self) -> &str {
        match self {
            Effect::Continuous { name, .. } | Effect::Levels { name, .. } => name,
        }
    }

    /// Label, value and contribution of every mark.
    fn scale(&self) -> Vec<(String, f64, f64)> {
        match self {
            Effect::Continuous { coefficient, low, high, .. } => pretty(*low, *high, INTERVALS)
                .into_iter()
                .map(|value| (short(value), value, coefficient * value))
                .collect(),
            Effect::Levels { levels, .. } => levels.iter().map(|(label, b)| (label.clone(), *b, *b)).collect(),
        }
    }
}

/// A number with as many decimals as it needs, at most ten.
fn short(value: f64) -> String {
    let text = format!("{value:.10}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Round numbers that cover `low..=high` in about `n` intervals, as R's `pretty` (4.2) with its defaults.
pub fn pretty(low: f64, high: f64, n: usize) -> Vec<f64> {
    const ROUNDING: f64 = 1e-10;
    let fewest = (n / 3) as f64;
    let unit = round_step(low, high, n, fewest);
    let mut first = (low / unit + ROUNDING).floor();
    let mut last = (high / unit - ROUNDING).ceil();
    while first * unit > low + ROUNDING * unit {
        first -= 1.0;
    }
    while last * unit < high - ROUNDING * unit {
        last += 1.0;
    }
    let lacking = (fewest - (last - first)).max(0.0);
    let (less, more) = ((lacking / 2.0).floor(), (lacking / 2.0).ceil());
    let (down, up) = match (first, last) {
        (0.0, _) if low == 0.0 && high != 0.0 => (0.0, lacking),
        (_, 0.0) if high == 0.0 && low != 0.0 => (lacking, 0.0),
        _ if first >= 0.0 => (more, less),
        _ => (less, more),
    };
    let (first, steps) = (first - down, (last + up - first + down) as usize);
    // Divided by the whole number of units where the unit is a fraction: 0.3 and not 0.30000000000000004.
    let value = |k: f64| if unit < 1.0 { k / (1.0 / unit).round() } else { k * unit };
    (0..=steps).map(|k| value(first + k as f64)).collect()
}

/// 1, 2, 5 or 10 times a power of ten, near the width of one of `n` cells.
fn round_step(low: f64, high: f64, n: usize, fewest: f64) -> f64 {
    // R's shrink.sml, for a range of one value.
    const SHRINK: f64 = 0.75;
    // R's high.u.bias to larger steps: h = 1.5, h5 = 0.5 + 1.5 h.
    const H: f64 = 1.5;
    const H5: f64 = 2.75;
    let (span, largest) = (high - low, low.abs().max(high.abs()));
    let blurred = largest * (1.0 + 1.0 / (1.0 + H)) * n as f64 * f64::EPSILON * 3.0;
    let cell = if largest == 0.0 {
        SHRINK / fewest.max(1.0)
    } else if span < blurred {
        (if largest > 10.0 { 9.0 + largest / 10.0 } else { largest }) * SHRINK / fewest.max(1.0)
    } else {
        span / n as f64
    };
    let base = 10_f64.powf(cell.log10().floor());
    let mut unit = base;
    for (factor, bias) in [(2.0, H), (5.0, H5), (10.0, H)] {
        if factor * base - cell >= bias * (cell - unit) {
            break;
        }
        unit = factor * base;
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_those_of_r() {
        // R 4.2.2: pretty(c(low, high), n)
        let check = |low, high, n, expected: &[f64]| assert_eq!(pretty(low, high, n), expected, "{low} to {high}");
        check(80.0, 250.0, 10, &[80., 100., 120., 140., 160., 180., 200., 220., 240., 260.]);
        check(0.0, 1.0, 10, &[0., 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.]);
        check(-7.3, 2.1, 10, &[-8., -7., -6., -5., -4., -3., -2., -1., 0., 1., 2., 3.]);
        check(3.0, 3.0, 10, &[1., 2., 3., 4.]);
        check(0.0, 0.0, 10, &[-0.4, -0.2, 0., 0.2]);
        check(-5.0, -5.0, 5, &[-5., 0.]);
        check(-1.0, -1.0, 10, &[-1.2, -1., -0.8, -0.6]);
        check(1e10, 1e10, 10, &[9.6e9, 9.8e9, 1e10, 1.02e10]);
        check(0.0, 3.3e7, 7, &[0., 5e6, 1e7, 1.5e7, 2e7, 2.5e7, 3e7, 3.5e7]);
        check(2.0, 2.0, 1, &[2.]);
    }
}
