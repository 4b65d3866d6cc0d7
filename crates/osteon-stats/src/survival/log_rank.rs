//! The log-rank test and its weighted forms for two and more groups, within strata.

use nalgebra::{DMatrix, DVector};

use crate::stats::distribution::chi2_sf;
use crate::survival::follow_up::FollowUp;

/// How much an event counts by its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// Every event counts the same (Mantel 1966): the best under proportional hazards.
    LogRank,
    /// The number at risk (Gehan 1965, Breslow 1970).
    Gehan,
    /// The root of the number at risk (Tarone and Ware 1977).
    TaroneWare,
    /// S(t-)^rho (1 - S(t-))^gamma of all rows together; rho 1, gamma 0 is Peto and Peto's test as in R.
    FlemingHarrington { rho: f64, gamma: f64 },
}

/// Observed and expected events, and the test of their difference.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRank {
    /// One a group, in the order of the groups' numbers.
    pub groups: Vec<Group>,
    /// Of observed - expected, groups x groups.
    pub covariance: DMatrix<f64>,
    pub chi2: f64,
    pub df: usize,
    /// `None` with fewer than two groups that could have had an event.
    pub p: Option<f64>,
}

/// Weighted numbers of events of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Group {
    pub n: usize,
    pub events: usize,
    pub observed: f64,
    pub expected: f64,
}

/// Compares groups 0 .. `n_groups`. A group that is at risk at no event's time takes no part in the test.
pub fn log_rank(
    follow_up: &FollowUp,
    group: &[usize],
    n_groups: usize,
    strata: Option<&[usize]>,
    weight: Weight,
) -> LogRank {
    let mut groups = vec![Group::default(); n_groups];
    let mut covariance = DMatrix::<f64>::zeros(n_groups, n_groups);
    for (row, &group) in group.iter().enumerate() {
        groups[group].n += 1;
        groups[group].events += usize::from(follow_up.events()[row]);
    }
    let n_strata = strata.map_or(1, |strata| strata.iter().max().map_or(0, |last| last + 1));
    for stratum in 0..n_strata {
        let rows: Vec<usize> =
            (0..follow_up.len()).filter(|&row| strata.is_none_or(|strata| strata[row] == stratum)).collect();
        add_stratum(follow_up, &rows, group, weight, &mut groups, &mut covariance);
    }
    let used: Vec<usize> = (0..n_groups).filter(|&at| groups[at].expected > 0.0).collect();
    let df = used.len().saturating_sub(1);
    let free = used.get(1..).unwrap_or_default();
    let difference = DVector::from_iterator(df, free.iter().map(|&at| groups[at].observed - groups[at].expected));
    let variance = covariance.select_rows(free).select_columns(free);
    let solved = if df > 0 { variance.lu().solve(&difference) } else { None };
    let chi2 = solved.map(|solved| solved.dot(&difference)).filter(|chi2| chi2.is_finite());
    LogRank { groups, covariance, chi2: chi2.unwrap_or(0.0), df, p: chi2.map(|chi2| chi2_sf(chi2, df as f64)) }
}

fn add_stratum(
    follow_up: &FollowUp,
    rows: &[usize],
    group: &[usize],
    weight: Weight,
    groups: &mut [Group],
    covariance: &mut DMatrix<f64>,
) {
    let k = groups.len();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); k];
    let mut entries = times.clone();
    let mut deaths = times.clone();
    for &row in rows {
        times[group[row]].push(follow_up.times()[row]);
        entries[group[row]].push(follow_up.entry(row));
        if follow_up.events()[row] {
            deaths[group[row]].push(follow_up.times()[row]);
        }
    }
    times.iter_mut().chain(&mut entries).chain(&mut deaths).for_each(|list| list.sort_by(f64::total_cmp));
    let mut moments: Vec<f64> = deaths.iter().flatten().copied().collect();
    moments.sort_by(f64::total_cmp);
    moments.dedup();
    let mut survival: f64 = 1.0;
    for time in moments {
        let below = |list: &[f64]| list.partition_point(|&other| other < time);
        let risk: Vec<f64> = (0..k).map(|at| (below(&entries[at]) - below(&times[at])) as f64).collect();
        let died = |list: &[f64]| (list.partition_point(|&other| other <= time) - below(list)) as f64;
        let dead: Vec<f64> = deaths.iter().map(|list| died(list)).collect();
        let (n, d): (f64, f64) = (risk.iter().sum(), dead.iter().sum());
        let w = match weight {
            Weight::LogRank => 1.0,
            Weight::Gehan => n,
            Weight::TaroneWare => n.sqrt(),
            Weight::FlemingHarrington { rho, gamma } => survival.powf(rho) * (1.0 - survival).powf(gamma),
        };
        survival *= (n - d) / n;
        for at in 0..k {
            groups[at].observed += w * dead[at];
            groups[at].expected += w * d * risk[at] / n;
        }
        if n > 1.0 {
            let factor = w * w * d * (n - d) / (n - 1.0);
            for i in 0..k {
                for j in 0..k {
                    let same = if i == j { risk[i] / n } else { 0.0 };
                    covariance[(i, j)] += factor * (same - risk[i] * risk[j] / (n * n));
                }
            }
        }
    }
}
