//! A logistic model as scales of points, as rms::nomogram draws it.

/// One variable of the model.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub label: String,
    /// The value of a continuous variable, of the linear predictor or of the risk; the coefficient of a level.
    pub value: f64,
    /// Points, or total points on the common scales.
    pub points: f64,
}

/// The scale of one variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub name: String,
    pub marks: Vec<Mark>,
}

/// Scales of points and what a total means.
#[derive(Clone, Debug, PartialEq)]
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
const INTERVALS: f64 = 10.0;
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

/// Round numbers that cover `low..=high` in about `n` intervals, as R's `pretty`.
pub fn pretty(low: f64, high: f64, n: f64) -> Vec<f64> {
    const ROUNDING: f64 = 1e-10;
    // R's bias to larger steps: h = 1.5, h5 = 0.5 + 1.5 h.
    const H: f64 = 1.5;
    const H5: f64 = 2.75;
    let span = high - low;
    let largest = low.abs().max(high.abs());
    let cell = if span < largest * 3e-14 { largest.max(1e-3) / n } else { span / n };
    let base = 10_f64.powf(cell.log10().floor());
    let mut unit = base;
    for (factor, bias) in [(2.0, H), (5.0, H5), (10.0, H)] {
        if factor * base - cell < bias * (cell - unit) {
            unit = factor * base;
        } else {
            break;
        }
    }
    let mut first = (low / unit + ROUNDING).floor();
    let mut last = (high / unit - ROUNDING).ceil();
    while first * unit > low + ROUNDING * unit {
        first -= 1.0;
    }
    while last * unit < high - ROUNDING * unit {
        last += 1.0;
    }
    let steps = (last - first).max(0.0) as usize;
    // Divided by the whole number of units where the unit is a fraction: 0.3 and not 0.30000000000000004.
    let value = |k: f64| if unit < 1.0 { k / (1.0 / unit).round() } else { k * unit };
    (0..=steps).map(|k| value(first + k as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_those_of_r() {
        assert_eq!(pretty(80.0, 250.0, 10.0), [80., 100., 120., 140., 160., 180., 200., 220., 240., 260.]);
        assert_eq!(pretty(0.0, 1.0, 10.0), [0., 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.]);
        assert_eq!(pretty(3.0, 3.0, 10.0).len(), 2);
    }
}
