//! Events that compete: cumulative incidence (Aalen and Johansen 1978) and Gray's test (1988), as R's cmprsk.

use nalgebra::{DMatrix, DVector};

use crate::stats::distribution::chi2_sf;
use crate::survival::follow_up::FollowUp;
use crate::survival::kaplan_meier::{self, Interval};

/// The incidence of one cause at the times of its events.
#[derive(Clone, Debug, PartialEq)]
pub struct Incidence {
    pub points: Vec<IncidencePoint>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IncidencePoint {
    pub time: f64,
    pub at_risk: usize,
    /// Of this cause.
    pub events: usize,
    pub incidence: f64,
    pub variance: f64,
}

/// Counts of one time.
struct Counts {
    time: f64,
    at_risk: f64,
    of: f64,
    other: f64,
}

/// The incidence of the event of `follow_up` beside other events, which `competing` names row by row.
pub fn cumulative_incidence(follow_up: &FollowUp, competing: &[bool]) -> Incidence {
    let (mut survival, mut incidence) = (1.0, 0.0);
    // Gray's variance: sums of squares of what each event moves, before and after the time of the estimate.
    let (mut own, mut mixed, mut after) = (0.0, 0.0, 0.0);
    let mut points = Vec::new();
    for Counts { time, at_risk: n, of, other } in counts(follow_up, competing) {
        let next = survival * (n - of - other) / n;
        incidence += survival * of / n;
        let spread = |d: f64| {
            let finite = if d > 1.0 { 1.0 - (d - 1.0) / (n - 1.0) } else { 1.0 };
            survival * survival * finite * d / (n * n)
        };
        let inverse = if next > 0.0 { 1.0 / next } else { 0.0 };
        for (d, moved) in [(other, 0.0), (of, 1.0)] {
            if d > 0.0 && (moved > 0.0 || next > 0.0) {
                let share = moved + inverse * incidence;
                own += share * share * spread(d);
                mixed += inverse * share * spread(d);
                after += inverse * inverse * spread(d);
            }
        }
        if of > 0.0 {
            let variance = own + incidence * incidence * after - 2.0 * incidence * mixed;
            points.push(IncidencePoint { time, at_risk: n as usize, events: of as usize, incidence, variance });
        }
        survival = next;
    }
    Incidence { points }
}

impl Incidence {
    /// Incidence and its variance at a time.
    pub fn at(&self, time: f64) -> (f64, f64) {
        let passed = self.points.partition_point(|point| point.time <= time);
        passed.checked_sub(1).map_or((0.0, 0.0), |last| (self.points[last].incidence, self.points[last].variance))
    }

    /// 95 % limits at a time on the scale of ln(-ln(1 - F)); `None` before the first event.
    pub fn limits(&self, time: f64) -> Option<[f64; 2]> {
        let (f, variance) = self.at(time);
        let se_ln = variance.sqrt() / (1.0 - f);
        let pair = kaplan_meier::limits(1.0 - f, se_ln, Interval::LogLog, 0.95)?;
        Some([1.0 - pair[1], 1.0 - pair[0]])
    }
}

fn counts(follow_up: &FollowUp, competing: &[bool]) -> Vec<Counts> {
    let mut order: Vec<usize> = (0..follow_up.len()).collect();
    order.sort_by(|&a, &b| follow_up.times()[a].total_cmp(&follow_up.times()[b]));
    let mut entries: Vec<f64> = order.iter().map(|&row| follow_up.entry(row)).collect();
    entries.sort_by(f64::total_cmp);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < order.len() {
        let time = follow_up.times()[order[at]];
        let here: Vec<usize> = order[at..].iter().copied().take_while(|&row| follow_up.times()[row] == time).collect();
        let of = here.iter().filter(|&&row| follow_up.events()[row]).count();
        let other = here.iter().filter(|&&row| competing[row] && !follow_up.events()[row]).count();
        let at_risk = entries.partition_point(|&entry| entry < time) - at;
        if of + other > 0 {
            found.push(Counts { time, at_risk: at_risk as f64, of: of as f64, other: other as f64 });
        }
        at += here.len();
    }
    found
}

/// Gray's test of equal incidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gray {
    pub chi2: f64,
    pub df: usize,
    pub p: f64,
}

/// Compares the incidence of the event between groups 0 .. `n_groups`, within strata; `None` with one group, or for rows
/// that enter late.
pub fn gray(
    follow_up: &FollowUp,
    competing: &[bool],
    group: &[usize],
    n_groups: usize,
    strata: Option<&[usize]>,
) -> Option<Gray> {
    let df = n_groups.checked_sub(1).filter(|&df| df > 0 && !follow_up.enters_late())?;
    let (mut score, mut variance) = (DVector::<f64>::zeros(df), DMatrix::<f64>::zeros(df, df));
    let n_strata = strata.map_or(1, |strata| strata.iter().max().map_or(0, |last| last + 1));
    for stratum in 0..n_strata {
        let rows: Vec<usize> =
            (0..follow_up.len()).filter(|&row| strata.is_none_or(|strata| strata[row] == stratum)).collect();
        let (part, of_part) = stratum_score(follow_up, competing, group, n_groups, &rows);
        score += part;
        variance += of_part;
    }
    let chi2 = variance.lu().solve(&score)?.dot(&score);
    chi2.is_finite().then(|| Gray { chi2, df, p: chi2_sf(chi2, df as f64) })
}

/// One group on its way through time.
#[derive(Clone)]
struct State {
    at_risk: f64,
    /// Free of any event just before and just after the present time.
    free: f64,
    next_free: f64,
    /// Incidence just before and just after.
    incidence: f64,
    next_incidence: f64,
    of: f64,
    other: f64,
    censored: f64,
}

/// Score and variance within one stratum (Gray 1988, section 3, with rho = 0): the martingale of each group is followed
/// through its effect on the scores.
fn stratum_score(
    follow_up: &FollowUp,
    competing: &[bool],
    group: &[usize],
    n_groups: usize,
    rows: &[usize],
) -> (DVector<f64>, DMatrix<f64>) {
    let df = n_groups - 1;
    let fresh = State {
        at_risk: 0.0,
        free: 1.0,
        next_free: 1.0,
        incidence: 0.0,
        next_incidence: 0.0,
        of: 0.0,
        other: 0.0,
        censored: 0.0,
    };
    let mut states = vec![fresh; n_groups];
    rows.iter().for_each(|&row| states[group[row]].at_risk += 1.0);
    let mut order = rows.to_vec();
    order.sort_by(|&a, &b| follow_up.times()[a].total_cmp(&follow_up.times()[b]));
    let mut score = DVector::<f64>::zeros(df);
    let mut variance = DMatrix::<f64>::zeros(df, df);
    let mut effect = DMatrix::<f64>::zeros(n_groups, n_groups);
    let mut single = vec![0.0; n_groups];
    let mut cross = DMatrix::<f64>::zeros(df, n_groups);
    let (mut pooled, mut at) = (0.0, 0);
    while at < order.len() {
        let time = follow_up.times()[order[at]];
        let here: Vec<usize> = order[at..].iter().copied().take_while(|&row| follow_up.times()[row] == time).collect();
        for state in &mut states {
            (state.of, state.other, state.censored) = (0.0, 0.0, 0.0);
        }
        for &row in &here {
            let state = &mut states[group[row]];
            match (follow_up.events()[row], competing[row]) {
                (true, _) => state.of += 1.0,
                (false, true) => state.other += 1.0,
                (false, false) => state.censored += 1.0,
            }
        }
        let of: f64 = states.iter().map(|state| state.of).sum();
        let other: f64 = states.iter().map(|state| state.other).sum();
        if of + other > 0.0 {
            let present: Vec<usize> = (0..n_groups).filter(|&g| states[g].at_risk > 0.0).collect();
            // Σ at risk / free, and the same of those who have not had the event.
            let (mut weight, mut subjects) = (0.0, 0.0);
            for &g in &present {
                let state = &mut states[g];
                state.next_free = state.free * (state.at_risk - state.of - state.other) / state.at_risk;
                state.next_incidence = state.incidence + state.free * state.of / state.at_risk;
                weight += state.at_risk / state.free;
                subjects += state.at_risk * (1.0 - state.incidence) / state.free;
            }
            let next_pooled = pooled + of / weight;
            let mut now = DMatrix::<f64>::zeros(n_groups, n_groups);
            for &i in &present {
                for &j in &present {
                    let (a, b) = (states[i].at_risk / states[i].free, states[j].at_risk / states[j].free);
                    now[(i, j)] = if i == j { a * (1.0 - a / weight) } else { -a * b / weight };
                    effect[(i, j)] += now[(i, j)] * of / (weight * (1.0 - pooled));
                }
            }
            for &i in present.iter().filter(|&&i| i < df) {
                let state = &states[i];
                let expected = of * state.at_risk * (1.0 - state.incidence) / (state.free * subjects);
                score[i] += state.of - expected;
            }
            if of > 0.0 {
                for &g in &present {
                    let state = &states[g];
                    let share = if state.next_free > 0.0 { 1.0 - (1.0 - next_pooled) / state.next_free } else { 1.0 };
                    let finite = if of > 1.0 { 1.0 - (of - 1.0) / (weight * state.free - 1.0) } else { 1.0 };
                    let spread = finite * state.free * of / (weight * state.at_risk);
                    single[g] += share * share * spread;
                    for i in 0..df {
                        let first = now[(i, g)] - share * effect[(i, g)];
                        cross[(i, g)] += first * share * spread;
                        for j in 0..df {
                            variance[(i, j)] += first * (now[(j, g)] - share * effect[(j, g)]) * spread;
                        }
                    }
                }
            }
            for &g in present.iter().filter(|&&g| states[g].next_free > 0.0 && states[g].other > 0.0) {
                let state = &states[g];
                let share = (1.0 - next_pooled) / state.next_free;
                let d = state.other;
                let finite = if d > 1.0 { 1.0 - (d - 1.0) / (state.at_risk - 1.0) } else { 1.0 };
                let spread = finite * state.free * state.free * d / (state.at_risk * state.at_risk);
                single[g] += share * share * spread;
                for i in 0..df {
                    let first = share * effect[(i, g)];
                    cross[(i, g)] -= first * share * spread;
                    for j in 0..df {
                        variance[(i, j)] += first * share * effect[(j, g)] * spread;
                    }
                }
            }
            pooled = next_pooled;
            for state in &mut states {
                (state.free, state.incidence) = (state.next_free, state.next_incidence);
            }
        }
        for state in &mut states {
            state.at_risk -= state.of + state.other + state.censored;
        }
        at += here.len();
    }
    for i in 0..df {
        for j in 0..df {
            for g in 0..n_groups {
                let both = effect[(i, g)] * effect[(j, g)] * single[g];
                variance[(i, j)] += both + effect[(i, g)] * cross[(j, g)] + effect[(j, g)] * cross[(i, g)];
            }
        }
    }
    (score, variance)
}
