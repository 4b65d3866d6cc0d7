//! Decision curves at a time: the net benefit of treating whoever is predicted to have the event by then (Vickers,
//! Cronin, Elkin and Gonen 2008), with Kaplan and Meier's share of events among the treated.

use crate::survival::follow_up::FollowUp;
use crate::survival::kaplan_meier::kaplan_meier;

/// The net benefit of a prediction at one threshold, beside that of treating everybody; treating nobody has 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetBenefit {
    pub threshold: f64,
    /// Rows at or above the threshold.
    pub treated: usize,
    /// `None` where nobody of the treated was followed for so long: their events by then are not known.
    pub model: Option<f64>,
    pub all: f64,
}

/// Net benefits at thresholds of the predicted risk of the event by `time`, one risk a row.
pub fn net_benefits(follow_up: &FollowUp, risk: &[f64], time: f64, thresholds: &[f64]) -> Vec<NetBenefit> {
    let n = follow_up.len() as f64;
    let benefit = |part: &FollowUp, odds: f64| {
        let event = 1.0 - kaplan_meier(part).survival(time);
        part.len() as f64 / n * (event - (1.0 - event) * odds)
    };
    let one = |&threshold: &f64| {
        let odds = threshold / (1.0 - threshold);
        let rows: Vec<usize> = (0..risk.len()).filter(|&row| risk[row] >= threshold).collect();
        let model = match follow_up.select(&rows) {
            None => Some(0.0),
            Some(part) => is_known(&part, time).then(|| benefit(&part, odds)),
        };
        NetBenefit { threshold, treated: rows.len(), model, all: benefit(follow_up, odds) }
    };
    thresholds.iter().map(one).collect()
}

/// Whether the curve goes so far: somebody was followed to the time, or the last row had the event.
fn is_known(part: &FollowUp, time: f64) -> bool {
    let last = part.times().iter().copied().fold(0.0, f64::max);
    let ended = (0..part.len()).any(|row| part.times()[row] == last && part.events()[row]);
    last >= time || ended && kaplan_meier(part).survival(last) == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_censoring_the_net_benefit_is_that_of_two_classes() {
        let follow_up = FollowUp::right_censored(vec![1.0, 2.0, 8.0, 9.0], vec![true; 4]).unwrap();
        let found = net_benefits(&follow_up, &[0.9, 0.4, 0.6, 0.1], 5.0, &[0.5, 0.95]);
        assert!((found[0].model.unwrap() - (0.25 - 0.25)).abs() < 1e-12, "one true, one false, odds 1");
        assert!((found[0].all - 0.0).abs() < 1e-12);
        assert_eq!((found[1].treated, found[1].model), (0, Some(0.0)));
    }
}
