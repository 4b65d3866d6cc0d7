//! How well predictions of survival at stated times do: area under the curve, Brier score and its integral, calibration.
//!
//! Rows that are censored before a time are made up for by weights, one over the probability of not being censored
//! (Graf 1999, Uno 2007, Blanche 2013), estimated by Kaplan and Meier's method with events before censorings.

use crate::survival::follow_up::FollowUp;
use crate::survival::kaplan_meier::{Interval, Landmark, kaplan_meier};

/// The probability of not being censored.
#[derive(Clone, Debug, PartialEq)]
pub struct Censoring {
    /// After each time that has a censoring.
    steps: Vec<(f64, f64)>,
}

impl Censoring {
    /// Of rows that are all at risk from the start.
    pub fn of(follow_up: &FollowUp) -> Censoring {
        let mut order: Vec<usize> = (0..follow_up.len()).collect();
        order.sort_by(|&a, &b| follow_up.times()[a].total_cmp(&follow_up.times()[b]));
        let (mut steps, mut left, mut at) = (Vec::new(), 1.0, 0);
        while at < order.len() {
            let time = follow_up.times()[order[at]];
            let end = at + order[at..].iter().take_while(|&&row| follow_up.times()[row] == time).count();
            let events = order[at..end].iter().filter(|&&row| follow_up.events()[row]).count();
            let censored = end - at - events;
            if censored > 0 {
                left *= 1.0 - censored as f64 / (order.len() - at - events) as f64;
                steps.push((time, left));
            }
            at = end;
        }
        Censoring { steps }
    }

    /// Just before a time.
    pub fn before(&self, time: f64) -> f64 {
        self.last(self.steps.partition_point(|step| step.0 < time))
    }

    /// Up to and at a time.
    pub fn at(&self, time: f64) -> f64 {
        self.last(self.steps.partition_point(|step| step.0 <= time))
    }

    fn last(&self, passed: usize) -> f64 {
        passed.checked_sub(1).map_or(1.0, |last| self.steps[last].1)
    }
}

/// The area under the curve at a time: the probability that who has had the event by then has the higher marker than
/// who has not. `None` without both, or for rows that enter late.
pub fn auc_at(follow_up: &FollowUp, marker: &[f64], time: f64) -> Option<f64> {
    if follow_up.enters_late() {
        return None;
    }
    let censoring = Censoring::of(follow_up);
    let mut order: Vec<usize> = (0..follow_up.len()).collect();
    order.sort_by(|&a, &b| marker[a].total_cmp(&marker[b]));
    let (mut below, mut cases, mut sum, mut at) = (0.0, 0.0, 0.0, 0);
    while at < order.len() {
        let end = at + order[at..].iter().take_while(|&&row| marker[row] == marker[order[at]]).count();
        let (mut case, mut control) = (0.0, 0.0);
        for &row in &order[at..end] {
            if follow_up.times()[row] > time {
                control += 1.0;
            } else if follow_up.events()[row] {
                case += 1.0 / censoring.before(follow_up.times()[row]);
            }
        }
        sum += case * (below + 0.5 * control);
        cases += case;
        below += control;
        at = end;
    }
    (cases > 0.0 && below > 0.0).then(|| sum / (cases * below))
}

/// The Brier score at a time of predicted survival there, one a row; `None` where everyone's state at that time is lost
/// to censoring, or for rows that enter late.
pub fn brier_at(follow_up: &FollowUp, survival: &[f64], time: f64) -> Option<f64> {
    let censoring = Censoring::of(follow_up);
    let last = censoring.at(time);
    let one = |row: usize| {
        if follow_up.times()[row] > time {
            (1.0 - survival[row]).powi(2) / last
        } else if follow_up.events()[row] {
            survival[row].powi(2) / censoring.before(follow_up.times()[row])
        } else {
            0.0
        }
    };
    let mean = (0..follow_up.len()).map(one).sum::<f64>() / follow_up.len() as f64;
    (!follow_up.enters_late() && mean.is_finite() && (last > 0.0 || follow_up.times().iter().all(|&end| end <= time)))
        .then_some(mean)
}

/// The mean Brier score between the first and the last of rising times, by the trapezoidal rule; `survival` has one list
/// a time. `None` with fewer than two times or where one has no score.
pub fn integrated_brier(follow_up: &FollowUp, survival: &[Vec<f64>], times: &[f64]) -> Option<f64> {
    let scores: Vec<f64> = times
        .iter()
        .zip(survival)
        .map(|(&time, survival)| brier_at(follow_up, survival, time))
        .collect::<Option<_>>()?;
    let span = times.last()? - times.first()?;
    let parts = times.windows(2).zip(scores.windows(2)).map(|(t, s)| (t[1] - t[0]) * (s[0] + s[1]) / 2.0);
    (span > 0.0).then(|| parts.sum::<f64>() / span)
}

/// Predicted beside observed survival at a time, in groups of rising prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    pub groups: Vec<CalibrationGroup>,
    /// Observed events over expected ones by that time, and its 95 % interval.
    pub ratio: Option<f64>,
    pub limits: Option<[f64; 2]>,
}

/// Rows of similar prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationGroup {
    pub n: usize,
    /// Mean predicted survival.
    pub predicted: f64,
    /// Kaplan and Meier's, with log-log limits.
    pub observed: Landmark,
}

/// Calibration at a time of predicted survival there, one a row, in at most `n_groups` groups of one size; rows of one
/// prediction stay together.
pub fn calibration_at(follow_up: &FollowUp, survival: &[f64], time: f64, n_groups: usize) -> Calibration {
    let mut order: Vec<usize> = (0..follow_up.len()).collect();
    order.sort_by(|&a, &b| survival[a].total_cmp(&survival[b]));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for (place, &row) in order.iter().enumerate() {
        let wanted = place * n_groups / order.len();
        let tied = place > 0 && survival[order[place - 1]] == survival[row];
        match rows.last_mut() {
            Some(last) if tied || place > 0 && (place - 1) * n_groups / order.len() == wanted => last.push(row),
            _ => rows.push(vec![row]),
        }
    }
    let mean = |rows: &[usize]| rows.iter().map(|&row| survival[row]).sum::<f64>() / rows.len() as f64;
    let group = |rows: &Vec<usize>| {
        let part = follow_up.select(rows).expect("a group has a row");
        let observed = kaplan_meier(&part).at(time, Interval::LogLog, 0.95);
        CalibrationGroup { n: rows.len(), predicted: mean(rows), observed }
    };
    let curve = kaplan_meier(follow_up);
    let whole = curve.at(time, Interval::LogLog, 0.95);
    let expected = 1.0 - mean(&order);
    let over = |survival: f64| (expected > 0.0).then(|| (1.0 - survival) / expected);
    Calibration {
        groups: rows.iter().map(group).collect(),
        ratio: over(whole.survival),
        limits: whole.limits.and_then(|[lower, upper]| Some([over(upper)?, over(lower)?])),
    }
}
