//! Discrimination: ROC curve, area with DeLong's variance in O(n log n), cut-offs and what they give.
//!
//! A higher score means the event; a row is called an event when its score is at least the threshold. Where low values
//! mean the event, the caller turns the scores' sign.

use crate::stats::distribution::{Z_975, normal_two_sided};
use crate::stats::mann_whitney::midranks;
use crate::stats::root;

/// The area under the curve, with what its variance and covariances are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Auc {
    pub auc: f64,
    /// Placement of each event among the others, and of each other among the events (DeLong et al. 1988).
    of_events: Vec<f64>,
    of_others: Vec<f64>,
}

/// How an interval of the area was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// DeLong's variance, Wald's limits clipped at 0 and 1.
    DeLong,
    /// Newcombe's method 5, which has width where DeLong's variance is 0 or does not exist.
    Newcombe,
}

impl Interval {
    /// As in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Interval::DeLong => "delong",
            Interval::Newcombe => "newcombe",
        }
    }
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Halfway between two neighbouring scores; infinite at the ends.
    pub threshold: f64,
    pub sensitivity: f64,
    pub specificity: f64,
}

/// DeLong's test of two areas on the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    pub difference: f64,
    pub se: f64,
    /// `None` when the difference has no variance.
    pub z: Option<f64>,
    pub p: Option<f64>,
}

/// Calls against events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confusion {
    pub tp: usize,
    pub fn_: usize,
    pub tn: usize,
    pub fp: usize,
}

/// The area; `None` unless there are rows with and without the event. Ties count half.
///
/// Midranks give all placements at once (Sun and Xu 2014).
pub fn auc(scores: &[f64], event: &[bool]) -> Option<Auc> {
    let split = |wanted: bool| -> Vec<f64> {
        scores.iter().zip(event).filter(|(_, event)| **event == wanted).map(|(score, _)| *score).collect()
    };
    let (events, others) = (split(true), split(false));
    let (m, n) = (events.len(), others.len());
    if m == 0 || n == 0 {
        return None;
    }
    let pooled: Vec<f64> = events.iter().chain(&others).copied().collect();
    let (ranks, _) = midranks(&pooled);
    let (own_events, _) = midranks(&events);
    let (own_others, _) = midranks(&others);
    let of_events: Vec<f64> = (0..m).map(|i| (ranks[i] - own_events[i]) / n as f64).collect();
    let of_others = (0..n).map(|j| 1.0 - (ranks[m + j] - own_others[j]) / m as f64).collect();
    let rank_sum: f64 = ranks[..m].iter().sum();
    let (mf, nf) = (m as f64, n as f64);
    Some(Auc { auc: (rank_sum - mf * (mf + 1.0) / 2.0) / (mf * nf), of_events, of_others })
}

impl Auc {
    /// DeLong's variance; `None` when one group has a single row.
    pub fn variance(&self) -> Option<f64> {
        covariance(self, self)
    }

    pub fn se(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Wald's 95 % interval, clipped to 0 and 1 as in pROC.
    pub fn ci(&self) -> Option<[f64; 2]> {
        let half = Z_975 * self.se()?;
        Some([(self.auc - half).max(0.0), (self.auc + half).min(1.0)])
    }

    /// The 95 % interval to print, and how it was made: DeLong's, or Newcombe's where that has no width (areas of 0 and
    /// 1) or does not exist (a single row in a group).
    pub fn interval(&self) -> ([f64; 2], Interval) {
        match self.ci() {
            Some(ci) if self.auc > 0.0 && self.auc < 1.0 && ci[0] < ci[1] => (ci, Interval::DeLong),
            _ => (self.ci_newcombe(), Interval::Newcombe),
        }
    }

    /// Newcombe's (2006) method 5: the areas from which the observed one is 1.96 of Hanley and McNeil's standard errors
    /// away, both groups taken to have the mean size.
    pub fn ci_newcombe(&self) -> [f64; 2] {
        let (m, n) = (self.of_events.len() as f64, self.of_others.len() as f64);
        let star = (m + n) / 2.0 - 1.0;
        // Variance over (1 - area) where the area is left of the observed one, which takes the root at 1 away.
        let spread = |area: f64| {
            area * (1.0 + star * ((1.0 - area) / (2.0 - area) + area / (1.0 + area))) * Z_975 * Z_975 / (m * n)
        };
        let lower = |observed: f64| match observed {
            observed if observed >= 1.0 => root::bracketed(|area| 1.0 - area - spread(area), 0.0, 1.0),
            observed if observed <= 0.0 => Some(0.0),
            observed => root::bracketed(|area| observed - area - (spread(area) * (1.0 - area)).sqrt(), 0.0, observed),
        };
        // The variance is that of the area turned round: the upper limit is the lower one of 1 - area.
        [lower(self.auc).unwrap_or(0.0), 1.0 - lower(1.0 - self.auc).unwrap_or(0.0)]
    }

    /// The 95 % interval on the scale of the log odds; `None` at areas of 0 and 1.
    pub fn ci_logit(&self) -> Option<[f64; 2]> {
        let variance = self.auc * (1.0 - self.auc);
        let (centre, half) = ((self.auc / (1.0 - self.auc)).ln(), Z_975 * self.se()? / variance);
        let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        (variance > 0.0).then(|| [back(centre - half), back(centre + half)])
    }

    /// Hanley and McNeil's (1982) standard error, from the area and the sizes alone.
    pub fn hanley_mcneil_se(&self) -> f64 {
        let (m, n, a) = (self.of_events.len() as f64, self.of_others.len() as f64, self.auc);
        let (q1, q2) = (a / (2.0 - a), 2.0 * a * a / (1.0 + a));
        ((a * (1.0 - a) + (m - 1.0) * (q1 - a * a) + (n - 1.0) * (q2 - a * a)) / (m * n)).sqrt()
    }
}

/// DeLong's covariance of two areas on the same rows.
fn covariance(a: &Auc, b: &Auc) -> Option<f64> {
    let part = |x: &[f64], y: &[f64], centre: [f64; 2]| {
        let n = x.len() as f64;
        let sum: f64 = x.iter().zip(y).map(|(x, y)| (x - centre[0]) * (y - centre[1])).sum();
        (x.len() > 1).then(|| sum / (n - 1.0) / n)
    };
    let centre = [a.auc, b.auc];
    Some(part(&a.of_events, &b.of_events, centre)? + part(&a.of_others, &b.of_others, centre)?)
}

/// Compares two areas on the same rows; `None` when one group has a single row.
pub fn paired(a: &Auc, b: &Auc) -> Option<Paired> {
    let difference = a.auc - b.auc;
    let variance = a.variance()? + b.variance()? - 2.0 * covariance(a, b)?;
    // The variance of a difference of equals is rounding.
    let se = if variance > 1e-15 * (a.variance()? + b.variance()?) { variance.sqrt() } else { 0.0 };
    let z = (se > 0.0).then(|| difference / se);
    Some(Paired { difference, se, z, p: z.map(normal_two_sided) })
}

/// The curve from the lowest threshold (everything an event) to the highest (nothing).
pub fn curve(scores: &[f64], event: &[bool]) -> Vec<Point> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&i, &j| scores[i].total_cmp(&scores[j]));
    let events = event.iter().filter(|&&event| event).count();
    let others = event.len() - events;
    let (mut tp, mut tn) = (events, 0);
    let point = |threshold, tp: usize, tn: usize| Point {
        threshold,
        sensitivity: tp as f64 / events as f64,
        specificity: tn as f64 / others as f64,
    };
    let mut points = vec![point(f64::NEG_INFINITY, tp, tn)];
    let groups: Vec<&[usize]> = order.chunk_by(|&i, &j| scores[i] == scores[j]).collect();
    for (at, group) in groups.iter().enumerate() {
        tp -= group.iter().filter(|&&row| event[row]).count();
        tn += group.iter().filter(|&&row| !event[row]).count();
        let here = scores[group[0]];
        let threshold = groups.get(at + 1).map_or(f64::INFINITY, |next| between(here, scores[next[0]]));
        points.push(point(threshold, tp, tn));
    }
    points
}

/// Halfway between two scores.
fn between(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    if middle.is_finite() { middle } else { low / 2.0 + high / 2.0 }
}

/// The point with the largest sensitivity + specificity, the lowest threshold among equals; it is finite.
///
/// `None` where no threshold separates better than calling everything an event, or nothing: Youden's index is at most 0.
pub fn youden(points: &[Point]) -> Option<Point> {
    let j = |point: &Point| point.sensitivity + point.specificity;
    let largest = points.iter().map(j).fold(f64::NEG_INFINITY, f64::max);
    points.iter().find(|point| largest > 1.0 + 1e-12 && j(point) > largest - 1e-12).copied()
}

/// What an operating point has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    Sensitivity(f64),
    Specificity(f64),
}

/// The point that reaches at least the wanted sensitivity with the best specificity, or the other way round; `None`
/// where only a threshold at infinity does.
pub fn reaching(points: &[Point], wanted: Wanted) -> Option<Point> {
    let found = match wanted {
        Wanted::Sensitivity(least) => points.iter().rev().find(|point| point.sensitivity >= least),
        Wanted::Specificity(least) => points.iter().find(|point| point.specificity >= least),
    };
    found.filter(|point| point.threshold.is_finite()).copied()
}

/// Calls at a threshold.
pub fn confusion(scores: &[f64], event: &[bool], threshold: f64) -> Confusion {
    let count = |called: bool, had: bool| {
        scores.iter().zip(event).filter(|(score, event)| (**score >= threshold) == called && **event == had).count()
    };
    Confusion { tp: count(true, true), fn_: count(false, true), tn: count(false, false), fp: count(true, false) }
}

/// Name, and how many of how many: every measure that is a proportion.
pub type Share = (&'static str, usize, usize);

impl Confusion {
    pub fn n(&self) -> usize {
        self.tp + self.fn_ + self.tn + self.fp
    }

    /// Accuracy, sensitivity, specificity, precision and negative predictive value as counts.
    pub fn shares(&self) -> [Share; 5] {
        [
            ("accuracy", self.tp + self.tn, self.n()),
            ("sensitivity", self.tp, self.tp + self.fn_),
            ("specificity", self.tn, self.tn + self.fp),
            ("precision", self.tp, self.tp + self.fp),
            ("npv", self.tn, self.tn + self.fn_),
        ]
    }

    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.tp + self.tn, self.n())
    }

    pub fn sensitivity(&self) -> Option<f64> {
        ratio(self.tp, self.tp + self.fn_)
    }

    pub fn specificity(&self) -> Option<f64> {
        ratio(self.tn, self.tn + self.fp)
    }

    pub fn precision(&self) -> Option<f64> {
        ratio(self.tp, self.tp + self.fp)
    }

    pub fn npv(&self) -> Option<f64> {
        ratio(self.tn, self.tn + self.fn_)
    }

    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn_)
    }

    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.sensitivity()? + self.specificity()?) / 2.0)
    }

    /// Matthews' correlation; `None` when a margin is empty.
    pub fn mcc(&self) -> Option<f64> {
        let [tp, fn_, tn, fp] = [self.tp, self.fn_, self.tn, self.fp].map(|count| count as f64);
        let product = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        (product > 0.0).then(|| (tp * tn - fp * fn_) / product.sqrt())
    }

    /// Cohen's kappa of calls and events.
    pub fn kappa(&self) -> Option<f64> {
        let [tp, fn_, tn, fp] = [self.tp, self.fn_, self.tn, self.fp].map(|count| count as f64);
        let n = self.n() as f64;
        let chance = ((tp + fp) * (tp + fn_) + (fn_ + tn) * (fp + tn)) / (n * n);
        (chance < 1.0).then(|| ((tp + tn) / n - chance) / (1.0 - chance))
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half_and_one_sided_data_has_no_area() {
        let area = auc(&[1.0, 2.0, 2.0, 3.0], &[false, true, false, true]).unwrap();
        assert_eq!(area.auc, 0.875);
        assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
        let single = auc(&[1.0, 2.0, 3.0], &[false, false, true]).unwrap();
        assert_eq!((single.auc, single.se(), single.ci()), (1.0, None, None));
        assert_eq!(paired(&area, &area).unwrap().z, None);
    }

    #[test]
    fn areas_of_0_and_1_have_an_interval_with_width_and_no_cut_off_at_infinity() {
        // Python 3.11, scipy 1.17.1: brentq of (1 - t)^2 = z^2 t (1 - t) (1 + N ((1 - t) / (2 - t) + t / (1 + t))) / (m n),
        // N = (m + n) / 2 - 1; the last two of the area 5/6 with one event among seven rows.
        let of = |scores: &[f64], event: &[bool]| auc(scores, event).unwrap();
        let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let four = [false, false, false, true, true, true, true];
        let (limits, method) = of(&rows, &four).interval();
        assert_eq!(method, Interval::Newcombe);
        assert!((limits[0] - 0.5396916671967272).abs() < 1e-12 && limits[1] == 1.0, "{limits:?}");
        let turned: Vec<f64> = rows.iter().map(|score| -score).collect();
        let (limits, _) = of(&turned, &four).interval();
        assert!(limits[0] == 0.0 && (limits[1] - (1.0 - 0.5396916671967272)).abs() < 1e-12, "{limits:?}");
        assert_eq!(youden(&curve(&turned, &four)), None);
        let (limits, method) = of(&rows, &[false, false, false, false, false, true, false]).interval();
        assert_eq!(method, Interval::Newcombe);
        let close = (limits[0] - 0.26545899973666964).abs() < 1e-12 && (limits[1] - 0.9841586255748042).abs() < 1e-12;
        assert!(close, "{limits:?}");
        assert_eq!(youden(&curve(&[1.0; 7], &four)), None);
        assert_eq!(youden(&curve(&rows, &[true; 7])), None);
    }

    #[test]
    fn a_hundred_thousand_scores_are_no_quadratic_work() {
        let scores: Vec<f64> = (0..100_000_u64).map(|at| (at * 7919 % 99_991) as f64).collect();
        let event: Vec<bool> = (0..100_000_u64).map(|at| at * 104_729 % 17 < 6).collect();
        let started = std::time::Instant::now();
        assert!(auc(&scores, &event).unwrap().ci().is_some());
        // Ten thousand million comparisons would take far longer in any build.
        assert!(started.elapsed().as_secs_f64() < 10.0);
    }
}
