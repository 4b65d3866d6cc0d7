//! The partial likelihood, its slope and its information, from the last time to the first.

use nalgebra::{DMatrix, DVector};

use crate::survival::cox::Ties;
use crate::survival::cox::sums::Sums;
use crate::survival::follow_up::FollowUp;

/// The rows in the order in which risk sets grow.
pub struct Prepared<'a> {
    /// Rows x columns, transposed: one column a row, because rows are read one by one.
    pub z: DMatrix<f64>,
    pub follow_up: &'a FollowUp,
    pub ties: Ties,
    pub strata: Vec<Stratum>,
    pub n: usize,
    pub n_events: usize,
}

/// The rows of one stratum.
pub struct Stratum {
    /// The times of events, falling.
    pub moments: Vec<Moment>,
    /// Rows that come to no moment's risk set are in none of the lists.
    pub rows: Vec<usize>,
}

/// One time of events: who joins those at risk (going back in time), who leaves them, who has the event.
pub struct Moment {
    pub time: f64,
    pub joins: Vec<usize>,
    pub leaves: Vec<usize>,
    pub dead: Vec<usize>,
}

/// The likelihood at some coefficients.
pub struct Value {
    pub log_likelihood: f64,
    pub score: DVector<f64>,
    pub information: DMatrix<f64>,
    /// The derivatives of the information, where asked for: entry (i, j, l) at (i k + j) k + l.
    pub third: Vec<f64>,
}

/// After so many parts of what was at risk have left, the rest is added up anew: differences keep few digits.
const REFRESH: f64 = 1e-3;

impl Prepared<'_> {
    /// `z` is rows x columns.
    pub fn new<'a>(z: &DMatrix<f64>, follow_up: &'a FollowUp, strata: Option<&[usize]>, ties: Ties) -> Prepared<'a> {
        let of = |row: usize| strata.map_or(0, |strata| strata[row]);
        let n_strata = (0..follow_up.len()).map(|row| of(row) + 1).max().unwrap_or(0);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_strata];
        (0..follow_up.len()).for_each(|row| members[of(row)].push(row));
        Prepared {
            z: z.transpose(),
            follow_up,
            ties,
            strata: members.into_iter().map(|rows| Stratum::new(follow_up, rows)).collect(),
            n: follow_up.len(),
            n_events: follow_up.n_events(),
        }
    }

    /// Events and rows at risk of each time that has several events.
    pub fn ties(&self) -> impl Iterator<Item = (usize, usize)> {
        self.strata.iter().flat_map(|stratum| {
            let mut at_risk = 0;
            let one = move |moment: &Moment| {
                at_risk = at_risk + moment.joins.len() - moment.leaves.len();
                (moment.dead.len(), at_risk)
            };
            stratum.moments.iter().map(one).filter(|ties| ties.0 > 1)
        })
    }

    pub fn predictor(&self, coefficients: &DVector<f64>) -> Vec<f64> {
        let eta = self.z.tr_mul(coefficients);
        // The likelihood does not change with a constant, and the largest hazard is 1.
        let largest = if eta.is_empty() { 0.0 } else { eta.max() };
        eta.iter().map(|eta| eta - largest).collect()
    }

    pub fn at(&self, coefficients: &DVector<f64>) -> Value {
        self.value(coefficients, false)
    }

    pub fn value(&self, coefficients: &DVector<f64>, third: bool) -> Value {
        let k = self.z.nrows();
        let eta = self.predictor(coefficients);
        let mut value = Value {
            log_likelihood: 0.0,
            score: DVector::zeros(k),
            information: DMatrix::zeros(k, k),
            third: if third { vec![0.0; k * k * k] } else { Vec::new() },
        };
        for stratum in &self.strata {
            if self.ties == Ties::Exact {
                self.add_exact(stratum, &eta, &mut value);
                continue;
            }
            self.walk(stratum, &eta, third, |moment, steps| {
                for &row in &moment.dead {
                    value.log_likelihood += eta[row];
                    value.score += self.z.column(row);
                }
                for (times, sums) in steps {
                    value.log_likelihood -= times * sums.zero.ln();
                    value.score.axpy(-times, &sums.mean(), 1.0);
                    value.information += *times * sums.covariance();
                    if third {
                        value.third.iter_mut().zip(sums.third()).for_each(|(sum, part)| *sum += times * part);
                    }
                }
            });
        }
        value
    }

    /// Goes through the times of events, the last first, with what is at risk at each: as often as there are events
    /// (Breslow), or one after the other less the share of those before it (Efron).
    pub fn walk(&self, stratum: &Stratum, eta: &[f64], third: bool, mut each: impl FnMut(&Moment, &[(f64, Sums)])) {
        let k = self.z.nrows();
        let mut all = Sums::new(k, third);
        let mut largest: f64 = 0.0;
        for (at, moment) in stratum.moments.iter().enumerate() {
            moment.joins.iter().for_each(|&row| all.add(eta[row].exp(), self.z.column(row)));
            largest = largest.max(all.zero);
            moment.leaves.iter().for_each(|&row| all.add(-eta[row].exp(), self.z.column(row)));
            if !moment.leaves.is_empty() && all.zero < REFRESH * largest {
                all = Sums::new(k, third);
                let under = |row: &&usize| self.follow_up.at_risk(**row, moment.time);
                let known = stratum.moments[..=at].iter().flat_map(|earlier| &earlier.joins).filter(under);
                known.for_each(|&row| all.add(eta[row].exp(), self.z.column(row)));
                largest = all.zero;
            }
            let d = moment.dead.len();
            let steps: Vec<(f64, Sums)> = if self.ties == Ties::Efron && d > 1 {
                let mut dead = Sums::new(k, third);
                moment.dead.iter().for_each(|&row| dead.add(eta[row].exp(), self.z.column(row)));
                (0..d).map(|step| (1.0, all.less(step as f64 / d as f64, &dead))).collect()
            } else {
                vec![(d as f64, all.clone())]
            };
            each(moment, &steps);
        }
    }

    /// Sums over all subsets of as many rows at risk as there are events, grown row by row (Gail, Lubin and Rubinstein
    /// 1981), with their first and second derivatives.
    ///
    /// Each row divides all sums by 1 + its weight: they are then the chances of so many events among independent rows,
    /// and neither overflow nor vanish where weights make the wanted number the likely one.
    fn add_exact(&self, stratum: &Stratum, eta: &[f64], value: &mut Value) {
        let k = self.z.nrows();
        let mut at_risk: Vec<usize> = Vec::new();
        for moment in &stratum.moments {
            at_risk.extend(&moment.joins);
            at_risk.retain(|&row| self.follow_up.at_risk(row, moment.time));
            let d = moment.dead.len();
            // Nothing else could have happened.
            if d == at_risk.len() {
                continue;
            }
            let hazards: Vec<f64> = at_risk.iter().map(|&row| eta[row].exp()).collect();
            let scale = likely(&hazards, d as f64);
            let mut sums: Vec<Sums> = (0..=d).map(|_| Sums::new(k, false)).collect();
            sums[0].zero = 1.0;
            let mut divided = 0.0;
            for (&row, hazard) in at_risk.iter().zip(&hazards) {
                let (w, z) = (scale * hazard, self.z.column(row));
                let keep = 1.0 / (1.0 + w);
                divided += w.ln_1p();
                for size in (0..=d).rev() {
                    let (smaller, larger) = sums.split_at_mut(size);
                    let to = &mut larger[0];
                    to.zero *= keep;
                    to.one *= keep;
                    to.two *= keep;
                    if let Some(from) = smaller.last().filter(|from| from.zero > 0.0) {
                        let share = w * keep;
                        to.zero += share * from.zero;
                        to.two += share * &from.two;
                        to.two.ger(share, &from.one, &z, 1.0);
                        to.two.ger(share, &z, &from.one, 1.0);
                        to.two.ger(share * from.zero, &z, &z, 1.0);
                        to.one.axpy(share, &from.one, 1.0);
                        to.one.axpy(share * from.zero, &z, 1.0);
                    }
                }
            }
            for &row in &moment.dead {
                value.log_likelihood += eta[row] + scale.ln();
                value.score += self.z.column(row);
            }
            value.log_likelihood -= sums[d].zero.ln() + divided;
            value.score -= sums[d].mean();
            value.information += sums[d].covariance();
        }
    }
}

/// The factor of hazards with which `events` is the expected number among independent rows.
fn likely(hazards: &[f64], events: f64) -> f64 {
    let expected = |ln_scale: f64| hazards.iter().map(|h| 1.0 / (1.0 + (-ln_scale).exp() / h)).sum::<f64>();
    let (mut low, mut high) = (-100.0, 800.0);
    // Near enough is enough: only the size of the sums depends on it.
    while high - low > 1e-3 {
        let middle = 0.5 * (low + high);
        if expected(middle) < events { low = middle } else { high = middle }
    }
    low.exp()
}

impl Stratum {
    fn new(follow_up: &FollowUp, rows: Vec<usize>) -> Stratum {
        let times = follow_up.times();
        let mut by_time = rows.clone();
        by_time.sort_by(|&a, &b| times[b].total_cmp(&times[a]));
        let mut by_entry: Vec<usize> = rows.clone();
        by_entry.sort_by(|&a, &b| follow_up.entry(b).total_cmp(&follow_up.entry(a)));
        let dead = by_time.iter().copied().filter(|&row| follow_up.events()[row]);
        let mut moments: Vec<Moment> = Vec::new();
        for row in dead {
            match moments.last_mut().filter(|moment| moment.time == times[row]) {
                Some(moment) => moment.dead.push(row),
                None => {
                    let (time, dead) = (times[row], vec![row]);
                    moments.push(Moment { time, joins: Vec::new(), leaves: Vec::new(), dead });
                }
            }
        }
        let (mut joined, mut left) = (by_time.into_iter().peekable(), by_entry.into_iter().peekable());
        let mut inside = vec![false; follow_up.len()];
        for moment in &mut moments {
            while let Some(row) = joined.next_if(|&row| times[row] >= moment.time) {
                // Who entered after this time and left before the next later one was never in a risk set.
                if follow_up.entry(row) < moment.time {
                    inside[row] = true;
                    moment.joins.push(row);
                }
            }
            while let Some(row) = left.next_if(|&row| follow_up.entry(row) >= moment.time) {
                if inside[row] {
                    moment.leaves.push(row);
                }
            }
        }
        Stratum { moments, rows }
    }
}
