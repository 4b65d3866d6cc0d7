//! Concordance of a predicted risk with the order of events: Harrell's C and Uno's, with the infinitesimal jackknife's
//! standard error, as `concordance` of R's survival.

use crate::survival::accuracy::Censoring;
use crate::survival::follow_up::FollowUp;

/// What a pair counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PairWeight {
    /// The same for each (Harrell 1982): the result depends on the censoring.
    Harrell,
    /// One over the squared probability of being uncensored (Uno 2011), up to a time where one is given.
    Uno { until: Option<f64> },
}

/// Weighted pairs whose order is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concordance {
    /// (concordant + tied / 2) / pairs.
    pub c: f64,
    pub se: f64,
    pub concordant: f64,
    pub discordant: f64,
    pub tied: f64,
}

/// Concordance of a risk, high where events come early; `None` without a pair whose order is known, or with Uno's
/// weights for rows that enter late, whose censoring is not estimated.
pub fn concordance(follow_up: &FollowUp, risk: &[f64], weight: PairWeight) -> Option<Concordance> {
    let n = follow_up.len();
    let weights = weights(follow_up, weight)?;
    let mut levels = risk.to_vec();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let rank: Vec<usize> = risk.iter().map(|value| levels.partition_point(|level| level < value)).collect();
    let mut influence = vec![[0.0; 3]; n];
    as_event(follow_up, &rank, levels.len(), &weights, &mut influence);
    let mut counts = [0.0; 3];
    influence.iter().for_each(|row| (0..3).for_each(|at| counts[at] += row[at]));
    as_survivor(follow_up, &rank, levels.len(), &weights, &mut influence);
    let pairs: f64 = counts.iter().sum();
    if pairs <= 0.0 {
        return None;
    }
    let [concordant, discordant, tied] = counts;
    let somers = (concordant - discordant) / pairs;
    let part = |row: &[f64; 3]| (row[0] - row[1] - somers * (row[0] + row[1] + row[2])) / pairs;
    let variance: f64 = influence.iter().map(|row| part(row).powi(2)).sum();
    Some(Concordance { c: (somers + 1.0) / 2.0, se: variance.sqrt() / 2.0, concordant, discordant, tied })
}

/// The weight of each row's event; 0 without one.
fn weights(follow_up: &FollowUp, weight: PairWeight) -> Option<Vec<f64>> {
    let events = follow_up.times().iter().zip(follow_up.events());
    match weight {
        PairWeight::Harrell => Some(events.map(|(_, &event)| f64::from(event)).collect()),
        PairWeight::Uno { until } => {
            if follow_up.enters_late() {
                return None;
            }
            let censoring = Censoring::of(follow_up);
            let one = |(&time, &event): (&f64, &bool)| {
                let counts = event && until.is_none_or(|until| time <= until);
                if counts { censoring.before(time).powi(-2) } else { 0.0 }
            };
            Some(events.map(one).collect())
        }
    }
}

/// Pairs of each event with those who were still at risk after it, from the last time to the first.
fn as_event(follow_up: &FollowUp, rank: &[usize], levels: usize, weights: &[f64], influence: &mut [[f64; 3]]) {
    let times = follow_up.times();
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|&a, &b| times[b].total_cmp(&times[a]));
    let mut by_entry = order.clone();
    by_entry.sort_by(|&a, &b| follow_up.entry(b).total_cmp(&follow_up.entry(a)));
    let mut left = by_entry.into_iter().peekable();
    let mut risk_set = Tree::new(levels);
    let mut at = 0;
    while at < order.len() {
        let time = times[order[at]];
        let end = at + order[at..].iter().take_while(|&&row| times[row] == time).count();
        let (dead, censored): (Vec<usize>, Vec<usize>) =
            order[at..end].iter().partition(|&&row| follow_up.events()[row]);
        censored.iter().for_each(|&row| risk_set.add(rank[row], 1.0));
        // Whoever enters at this time or later has been added, and is not yet at risk.
        while let Some(row) = left.next_if(|&row| follow_up.entry(row) >= time) {
            risk_set.add(rank[row], -1.0);
        }
        for &row in &dead {
            let [below, same, above] = risk_set.around(rank[row]);
            let counts = [below, above, same];
            (0..3).for_each(|kind| influence[row][kind] += weights[row] * counts[kind]);
        }
        dead.iter().for_each(|&row| risk_set.add(rank[row], 1.0));
        at = end;
    }
}

/// Pairs of each row with the events before its end (and after its entry), from the first time to the last.
fn as_survivor(follow_up: &FollowUp, rank: &[usize], levels: usize, weights: &[f64], influence: &mut [[f64; 3]]) {
    let times = follow_up.times();
    let mut events: Vec<usize> = (0..times.len()).filter(|&row| follow_up.events()[row]).collect();
    events.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    // (until, events at that very time too, sign, row)
    let ends = (0..times.len()).map(|row| (times[row], !follow_up.events()[row], 1.0, row));
    let starts =
        (0..times.len()).filter(|_| follow_up.enters_late()).map(|row| (follow_up.entry(row), true, -1.0, row));
    let mut questions: Vec<(f64, bool, f64, usize)> = ends.chain(starts).collect();
    questions.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.3.cmp(&b.3)));
    let mut passed = Tree::new(levels);
    let mut next = 0;
    for (until, too, sign, row) in questions {
        while next < events.len() && (times[events[next]] < until || too && times[events[next]] == until) {
            passed.add(rank[events[next]], weights[events[next]]);
            next += 1;
        }
        let [below, same, above] = passed.around(rank[row]);
        let counts = [above, below, same];
        (0..3).for_each(|kind| influence[row][kind] += sign * counts[kind]);
    }
}

/// Sums by rank that change (Fenwick 1994).
struct Tree {
    parts: Vec<f64>,
    each: Vec<f64>,
    total: f64,
}

impl Tree {
    fn new(levels: usize) -> Tree {
        Tree { parts: vec![0.0; levels + 1], each: vec![0.0; levels], total: 0.0 }
    }

    fn add(&mut self, rank: usize, weight: f64) {
        self.each[rank] += weight;
        self.total += weight;
        let mut at = rank + 1;
        while at < self.parts.len() {
            self.parts[at] += weight;
            at += at & at.wrapping_neg();
        }
    }

    /// The sums below, at and above a rank.
    fn around(&self, rank: usize) -> [f64; 3] {
        let (mut below, mut at) = (0.0, rank);
        while at > 0 {
            below += self.parts[at];
            at &= at - 1;
        }
        [below, self.each[rank], self.total - below - self.each[rank]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_alone_has_no_pair() {
        let one = FollowUp::right_censored(vec![1.0], vec![true]).unwrap();
        assert_eq!(concordance(&one, &[0.3], PairWeight::Harrell), None);
        let censored = FollowUp::right_censored(vec![1.0, 2.0], vec![false; 2]).unwrap();
        assert_eq!(concordance(&censored, &[0.3, 0.2], PairWeight::Uno { until: None }), None);
    }
}
