//! The survival curve of Kaplan and Meier (1958), with Greenwood's standard error, limits, quantiles and means.

use crate::stats::distribution::normal_quantile;
use crate::survival::follow_up::FollowUp;

/// A survival curve: one point a distinct time of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub n: usize,
    pub events: usize,
    pub points: Vec<Point>,
}

/// What happened at one time, and what stands after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub time: f64,
    pub at_risk: usize,
    pub events: usize,
    pub censored: usize,
    pub survival: f64,
    /// Of ln survival (Greenwood); infinite where survival is 0.
    pub se_ln: f64,
    /// Nelson and Aalen's cumulative hazard.
    pub hazard: f64,
}

/// On which scale the limits are even.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    Plain,
    Log,
    /// ln(-ln S): never beyond 0 and 1, and right in small samples (Borgan and Liestol 1990).
    LogLog,
    Logit,
    Arcsine,
}

/// A quantile of the times; an end is `None` where no curve comes down to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    pub time: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Survival at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmark {
    pub time: f64,
    pub at_risk: usize,
    pub survival: f64,
    /// `None` where the scale has none: at 1 and 0 for the log-log one.
    pub limits: Option<[f64; 2]>,
}

/// Two steps this near are one step (R's `quantile.survfit`).
const SAME: f64 = 1.490_116_119_384_765_6e-8;

pub fn kaplan_meier(follow_up: &FollowUp) -> Curve {
    let mut order: Vec<usize> = (0..follow_up.len()).collect();
    order.sort_by(|&a, &b| follow_up.times()[a].total_cmp(&follow_up.times()[b]));
    let mut entries: Vec<f64> = (0..follow_up.len()).map(|row| follow_up.entry(row)).collect();
    entries.sort_by(f64::total_cmp);
    let (mut survival, mut variance, mut hazard) = (1.0, 0.0, 0.0);
    let mut points = Vec::new();
    let mut at = 0;
    while at < order.len() {
        let time = follow_up.times()[order[at]];
        let end = at + order[at..].iter().take_while(|&&row| follow_up.times()[row] == time).count();
        let events = order[at..end].iter().filter(|&&row| follow_up.events()[row]).count();
        let at_risk = entries.partition_point(|&entry| entry < time) - at;
        if events > 0 {
            let (d, n) = (events as f64, at_risk as f64);
            survival *= (n - d) / n;
            variance += d / (n * (n - d));
            hazard += d / n;
        }
        let (censored, se_ln) = (end - at - events, variance.sqrt());
        points.push(Point { time, at_risk, events, censored, survival, se_ln, hazard });
        at = end;
    }
    Curve { n: follow_up.len(), events: follow_up.n_events(), points }
}

/// Rows at risk at each of `times`: those who came before it and whose time is not over.
pub fn numbers_at_risk(follow_up: &FollowUp, times: &[f64]) -> Vec<usize> {
    let under = |time: f64, row: usize| {
        let entered = follow_up.entry(row) < time || time <= 0.0 && follow_up.entry(row) <= 0.0;
        entered && time <= follow_up.times()[row]
    };
    times.iter().map(|&time| (0..follow_up.len()).filter(|&row| under(time, row)).count()).collect()
}

impl Point {
    /// The limits of survival at confidence `level`, 0.95 for instance; `None` where the scale has none.
    pub fn limits(&self, interval: Interval, level: f64) -> Option<[f64; 2]> {
        limits(self.survival, self.se_ln, interval, level)
    }
}

/// The limits of a survival whose logarithm has the standard error `se_ln`; `None` where the scale has none.
pub fn limits(survival: f64, se_ln: f64, interval: Interval, level: f64) -> Option<[f64; 2]> {
    let z = normal_quantile(0.5 + 0.5 * level);
    let s = survival;
    let half = z * se_ln;
    let pair = match interval {
        // The standard error of a survival of 0 is not known.
        Interval::Plain if s == 0.0 => return None,
        Interval::Plain => [(s - half * s).max(0.0), (s + half * s).min(1.0)],
        Interval::Log if s == 0.0 => return None,
        Interval::Log => [(s.ln() - half).exp(), (s.ln() + half).exp().min(1.0)],
        Interval::LogLog | Interval::Logit if s == 0.0 || s == 1.0 => return None,
        Interval::LogLog => {
            let (middle, half) = ((-s.ln()).ln(), half / s.ln());
            [(-(middle - half).exp()).exp(), (-(middle + half).exp()).exp()]
        }
        Interval::Logit => {
            let (middle, half) = ((s / (1.0 - s)).ln(), half / (1.0 - s));
            [1.0 / (1.0 + (half - middle).exp()), 1.0 / (1.0 + (-middle - half).exp())]
        }
        Interval::Arcsine if s == 0.0 || s == 1.0 => return None,
        Interval::Arcsine => {
            let (middle, half) = (s.sqrt().asin(), 0.5 * half * (s / (1.0 - s)).sqrt());
            let sine = |angle: f64| angle.sin().powi(2);
            [sine((middle - half).max(0.0)), sine((middle + half).min(std::f64::consts::FRAC_PI_2))]
        }
    };
    Some(pair)
}

impl Curve {
    /// Survival at a time, which may be after the last one: the curve stays where it ended. `None` before the first
    /// person is at risk is not asked: survival is 1 there.
    pub fn at(&self, time: f64, interval: Interval, level: f64) -> Landmark {
        let passed = self.points.partition_point(|point| point.time <= time);
        let at_risk = self.points.get(self.points.partition_point(|point| point.time < time)).map_or(0, |p| p.at_risk);
        match passed.checked_sub(1).map(|last| self.points[last]) {
            None => Landmark { time, at_risk, survival: 1.0, limits: limits(1.0, 0.0, interval, level) },
            Some(point) => Landmark { time, at_risk, survival: point.survival, limits: point.limits(interval, level) },
        }
    }

    /// Survival just after a time, without limits.
    pub fn survival(&self, time: f64) -> f64 {
        let passed = self.points.partition_point(|point| point.time <= time);
        passed.checked_sub(1).map_or(1.0, |last| self.points[last].survival)
    }

    /// Survival just before a time.
    pub fn survival_before(&self, time: f64) -> f64 {
        let passed = self.points.partition_point(|point| point.time < time);
        passed.checked_sub(1).map_or(1.0, |last| self.points[last].survival)
    }

    /// The time by which a share `p` has had the event; where the curve is level at 1 - p, the middle of the level.
    pub fn quantile(&self, p: f64, interval: Interval, level: f64) -> Quantile {
        let limit = |at: usize| move |point: &Point| point.limits(interval, level).map(|limits| 1.0 - limits[at]);
        Quantile {
            time: self.crossing(p, |point| Some(1.0 - point.survival)),
            lower: self.crossing(p, limit(0)),
            upper: self.crossing(p, limit(1)),
        }
    }

    pub fn median(&self, interval: Interval, level: f64) -> Quantile {
        self.quantile(0.5, interval, level)
    }

    /// Where a rising curve reaches `p`.
    fn crossing(&self, p: f64, height: impl Fn(&Point) -> Option<f64>) -> Option<f64> {
        let mut steps: Vec<(f64, f64)> = vec![(0.0, 0.0)];
        for point in &self.points {
            if let Some(height) = height(point)
                && !steps.iter().any(|(_, known)| *known == height)
            {
                steps.push((point.time, height));
            }
        }
        let first = steps.iter().position(|(_, height)| *height > p - SAME)?;
        if (steps[first].1 - p).abs() >= SAME {
            return Some(steps[first].0);
        }
        let next = steps.iter().position(|(_, height)| *height > p + SAME).map(|at| steps[at].0);
        let end = next.or_else(|| self.points.last().map(|point| point.time))?;
        Some((steps[first].0 + end) / 2.0)
    }

    /// The mean time until `end` and its standard error: the area under the curve.
    pub fn mean_until(&self, end: f64) -> (f64, f64) {
        let inside: Vec<&Point> = self.points.iter().take_while(|point| point.time <= end).collect();
        let ends = inside.iter().skip(1).map(|point| point.time).chain([end]);
        let first = inside.first().map_or(end, |point| point.time);
        let parts: Vec<f64> = inside.iter().zip(ends).map(|(point, end)| point.survival * (end - point.time)).collect();
        let mut rest: f64 = parts.iter().sum();
        let mean = first + rest;
        let mut variance = 0.0;
        for (point, part) in inside.iter().zip(&parts) {
            let (d, n) = (point.events as f64, point.at_risk as f64);
            if point.events < point.at_risk {
                variance += rest * rest * d / (n * (n - d));
            }
            rest -= part;
        }
        (mean, variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_patient_and_all_censored_have_a_curve() {
        let one = kaplan_meier(&FollowUp::right_censored(vec![3.0], vec![true]).unwrap());
        assert_eq!((one.points[0].survival, one.points[0].limits(Interval::LogLog, 0.95)), (0.0, None));
        assert_eq!(one.median(Interval::LogLog, 0.95), Quantile { time: Some(3.0), lower: None, upper: None });
        let none = kaplan_meier(&FollowUp::right_censored(vec![3.0, 4.0], vec![false; 2]).unwrap());
        assert_eq!((none.survival(10.0), none.median(Interval::LogLog, 0.95).time), (1.0, None));
    }
}
