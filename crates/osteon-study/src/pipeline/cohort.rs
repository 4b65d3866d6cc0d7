//! What learning may see of a study: events, clinical variables, and the features of every region.

use std::collections::BTreeMap;

use ndarray::Array2;

use crate::pipeline::harmonise::{Batches, Maps};
use osteon_base::seed::Seed;
use osteon_stats::table::{Table, Values};

/// Patients whose response is known, one position each.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    pub codes: Vec<String>,
    pub event: Vec<bool>,
    /// Candidates for clinical predictors, rows in the order of `codes`.
    pub clinical: Table,
    pub regions: Vec<Features>,
    /// Folds and resamples hold alike shares of each stratum (one a patient); empty where there are none.
    pub strata: Vec<usize>,
}

/// The features of one region.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub region: String,
    pub names: Vec<String>,
    /// One entry a patient: `None` where the region failed, and within, where a feature is undefined.
    pub rows: Vec<Option<Vec<Option<f64>>>>,
    /// Whether a feature may be chosen, one a name.
    pub eligible: Vec<bool>,
    /// Where the patients were scanned, if differences between batches are to be taken out.
    pub batch: Option<Batches>,
}

/// Some fold would hold no row of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("{smallest} patients in the smaller response group cannot fill {folds} folds")]
pub struct TooFew {
    pub smallest: usize,
    pub folds: usize,
}

impl Cohort {
    /// The fold (from 0) of each of `rows`, classes spread evenly. A patient drawn twice is in one fold, and a
    /// patient's fold depends on the other patients only through their number before it.
    pub fn folds(&self, rows: &[usize], n_folds: usize, seed: Seed) -> Result<Vec<usize>, TooFew> {
        let (mut fold_of, mut next) = (BTreeMap::new(), 0);
        for class in [false, true] {
            let mut members: Vec<usize> = rows.iter().copied().filter(|&row| self.event[row] == class).collect();
            members.sort_unstable();
            members.dedup();
            if members.len() < n_folds || n_folds < 2 {
                return Err(TooFew { smallest: members.len(), folds: n_folds });
            }
            members.sort_by_key(|&row| (self.stratum(row), seed.named(&self.codes[row]).0));
            for row in members {
                fold_of.insert(row, next % n_folds);
                next += 1;
            }
        }
        Ok(rows.iter().map(|row| fold_of[row]).collect())
    }

    /// The same, with fewer folds where the smaller class has fewer patients than folds were asked for; errors where it
    /// has less than two.
    pub fn folds_at_most(&self, rows: &[usize], n_folds: usize, seed: Seed) -> Result<Vec<usize>, TooFew> {
        let smaller = self.smaller_class(rows);
        self.folds(rows, if smaller < 2 { n_folds } else { n_folds.min(smaller) }, seed)
    }

    /// Different patients in the smaller class of some rows.
    pub fn smaller_class(&self, rows: &[usize]) -> usize {
        let of = |class: bool| {
            let mut members: Vec<usize> = rows.iter().copied().filter(|&row| self.event[row] == class).collect();
            members.sort_unstable();
            members.dedup();
            members.len()
        };
        of(false).min(of(true))
    }

    fn stratum(&self, row: usize) -> usize {
        self.strata.get(row).copied().unwrap_or(0)
    }

    /// Strata and classes of some rows together, numbered from 0.
    pub fn strata_and_classes(&self, rows: &[usize]) -> Vec<usize> {
        let of = |&row: &usize| (self.stratum(row), self.event[row]);
        let known: std::collections::BTreeSet<(usize, bool)> = rows.iter().map(of).collect();
        let place: BTreeMap<(usize, bool), usize> = known.into_iter().enumerate().map(|(at, it)| (it, at)).collect();
        rows.iter().map(|row| place[&of(row)]).collect()
    }

    pub fn events(&self, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|&row| self.event[row]).collect()
    }

    /// Columns of numbers for one clinical variable: itself, or one of 0 and 1 for each level but the first.
    pub fn coded(&self, variable: &str) -> Vec<(String, Vec<Option<f64>>)> {
        match self.clinical.column(variable).map(|column| &column.values) {
            Err(_) => Vec::new(),
            Ok(Values::Numbers(values)) => vec![(variable.to_owned(), values.clone())],
            Ok(Values::Levels { levels, codes }) => {
                let column = |(at, level): (usize, &String)| {
                    let is = codes.iter().map(|code| code.map(|code| f64::from(code == at))).collect();
                    (format!("{variable}={level}"), is)
                };
                levels.iter().enumerate().skip(1).map(column).collect()
            }
        }
    }
}

impl Features {
    /// Where some features stand; `None` where one is not there.
    pub fn places(&self, names: &[String]) -> Option<Vec<usize>> {
        let place: BTreeMap<&str, usize> =
            self.names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        names.iter().map(|name| place.get(name.as_str()).copied()).collect()
    }

    /// A patient's values in some columns, harmonized where maps are given; `None` where the region, a value or the batch
    /// is missing, or the batch is unknown to the maps.
    pub fn values(&self, row: usize, columns: &[usize], maps: Option<&Maps>) -> Option<Vec<f64>> {
        let own = self.rows[row].as_ref()?;
        let values: Vec<f64> = columns.iter().map(|&at| own[at]).collect::<Option<_>>()?;
        match maps {
            None => Some(values),
            Some(maps) => maps.apply(self.batch_of(row)?, values),
        }
    }

    pub fn batch_of(&self, row: usize) -> Option<&str> {
        self.batch.as_ref()?.of[row].as_deref()
    }

    /// `rows` x `columns`, harmonized; the rows have the region, its values and a batch that the maps know.
    pub fn matrix_under(&self, rows: &[usize], columns: &[usize], maps: Option<&Maps>) -> Array2<f64> {
        let Some(maps) = maps else { return self.matrix(rows, columns) };
        let all: Vec<f64> = rows
            .iter()
            .flat_map(|&row| self.values(row, columns, Some(maps)).expect("a row that was learnt from"))
            .collect();
        Array2::from_shape_vec((rows.len(), columns.len()), all).expect("one value a row and column")
    }

    /// `rows` x `columns`; the rows have the region and its values.
    pub fn matrix(&self, rows: &[usize], columns: &[usize]) -> Array2<f64> {
        let value = |(i, k): (usize, usize)| {
            let row = self.rows[rows[i]].as_ref().expect("a row with the region");
            row[columns[k]].expect("a feature that is defined")
        };
        Array2::from_shape_fn((rows.len(), columns.len()), value)
    }
}

/// Draws a training set: the same share of both classes, whatever the order of the patients.
pub fn draw(codes: &[String], event: &[bool], train_fraction: f64, seed: Seed) -> Vec<bool> {
    let seed = seed.named("split");
    let mut train = vec![false; codes.len()];
    for class in [false, true] {
        let mut members: Vec<usize> = (0..codes.len()).filter(|&row| event[row] == class).collect();
        members.sort_by_key(|&row| seed.named(&codes[row]).0);
        let n = (members.len() as f64 * train_fraction).round() as usize;
        members[..n.min(members.len())].iter().for_each(|&row| train[row] = true);
    }
    train
}

/// The same within strata: the same share of both classes of each.
pub fn draw_within(cohort: &Cohort, train_fraction: f64, seed: Seed) -> Vec<bool> {
    if cohort.strata.is_empty() {
        return draw(&cohort.codes, &cohort.event, train_fraction, seed);
    }
    let seed = seed.named("split");
    let all: Vec<usize> = (0..cohort.codes.len()).collect();
    let groups = cohort.strata_and_classes(&all);
    let mut train = vec![false; all.len()];
    for group in 0..groups.iter().max().map_or(0, |last| last + 1) {
        let mut members: Vec<usize> = all.iter().copied().filter(|&row| groups[row] == group).collect();
        members.sort_by_key(|&row| seed.named(&cohort.codes[row]).0);
        let n = (members.len() as f64 * train_fraction).round() as usize;
        members[..n.min(members.len())].iter().for_each(|&row| train[row] = true);
    }
    train
}

/// More groups than this are not tried in every combination.
const FEW_GROUPS: usize = 16;

/// Draws a training set of whole groups (the position of its group for each patient): of all combinations the one
/// whose share of patients, and of those with the event, is nearest to the wanted; with many groups, group after group
/// in a drawn order, each to the side that brings the shares nearer. Equal ones are decided by the seed.
pub fn draw_whole(groups: &[usize], event: &[bool], train_fraction: f64, seed: Seed) -> Vec<bool> {
    let n_groups = groups.iter().max().map_or(0, |last| last + 1);
    let seed = seed.named("split");
    let mut order: Vec<usize> = (0..n_groups).collect();
    order.sort_by_key(|&group| seed.nth(group).0);
    let count = |group: usize, only: bool| {
        groups.iter().zip(event).filter(|(own, event)| **own == group && (!only || **event)).count() as f64
    };
    let sizes: Vec<[f64; 2]> = order.iter().map(|&group| [count(group, false), count(group, true)]).collect();
    let total = |k: usize| sizes.iter().map(|size| size[k]).sum::<f64>().max(1.0);
    let totals = [total(0), total(1)];
    let distance = |chosen: [f64; 2]| (0..2).map(|k| (chosen[k] / totals[k] - train_fraction).abs()).sum::<f64>();
    let mut training = vec![false; n_groups];
    if n_groups <= FEW_GROUPS {
        let of = |mask: u32| {
            let chosen = sizes.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
            distance(chosen.fold([0.0; 2], |sum, (_, size)| [sum[0] + size[0], sum[1] + size[1]]))
        };
        // Neither side is empty.
        let masks = 1..(1_u32 << n_groups).saturating_sub(1);
        let best = masks.reduce(|best, next| if of(next) < of(best) { next } else { best }).unwrap_or(0);
        order.iter().enumerate().for_each(|(at, &group)| training[group] = best >> at & 1 == 1);
    } else {
        let mut chosen = [0.0; 2];
        for (&group, size) in order.iter().zip(&sizes) {
            let with = [chosen[0] + size[0], chosen[1] + size[1]];
            if distance(with) < distance(chosen) {
                (training[group], chosen) = (true, with);
            }
        }
    }
    groups.iter().map(|&group| training[group]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_whole_and_the_shares_come_near() {
        // Centres of 40, 30, 20 and 10 patients, a third of each with the event: 70 % are the first two.
        let groups: Vec<usize> = [40, 30, 20, 10].iter().enumerate().flat_map(|(at, &n)| vec![at; n]).collect();
        let event: Vec<bool> = (0..groups.len()).map(|row| row % 3 == 0).collect();
        let train = draw_whole(&groups, &event, 0.7, Seed(1));
        assert_eq!(train.iter().filter(|&&train| train).count(), 70);
        for group in 0..4 {
            let mut own = (0..groups.len()).filter(|&row| groups[row] == group).map(|row| train[row]);
            let first = own.next().unwrap();
            assert!(own.all(|train| train == first), "group {group}");
        }
        let many: Vec<usize> = (0..200).map(|row| row / 5).collect();
        let event: Vec<bool> = (0..200).map(|row| row % 4 == 0).collect();
        let train = draw_whole(&many, &event, 0.75, Seed(1));
        let n = train.iter().filter(|&&train| train).count();
        assert!((145..=155).contains(&n) && n % 5 == 0, "{n}");
        assert_eq!(draw_whole(&[0, 0], &[true, false], 0.5, Seed(1)), [false, false], "one group cannot be divided");
    }
}
