//! Columns that tell nearly the same as another one: of those the first in some order stays.

use ndarray::ArrayView2;
use osteon_base::setting::{self, Unfit};
use serde::{Deserialize, Serialize};

use crate::select::mrmr::f_statistics;

/// Which of correlated features stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Largest |r| that two features may have; 1 leaves out none.
    pub max: f64,
    pub order: Order,
}

/// Who is asked first: a feature stays unless one that stays is too alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By the F statistic between outcome groups, largest first; of equal ones the first.
    Relevance,
    /// As the features are listed.
    Listed,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::require(self.max > 0.0 && self.max <= 1.0, "max", self.max, "a number above 0, at most 1")
    }
}

impl Default for Params {
    fn default() -> Self {
        Params { max: 1.0, order: Order::Relevance }
    }
}

/// For each column of z-scores (rows x columns, divided by the SD with n), the column that stands for it; `None` for those
/// that stay.
pub fn correlated(z: ArrayView2<f64>, event: &[bool], params: &Params) -> Vec<Option<usize>> {
    let mut stands: Vec<Option<usize>> = vec![None; z.ncols()];
    if params.max >= 1.0 {
        return stands;
    }
    let mut order: Vec<usize> = (0..z.ncols()).collect();
    if params.order == Order::Relevance {
        let relevance = f_statistics(z, event);
        order.sort_by(|&a, &b| relevance[b].total_cmp(&relevance[a]).then(a.cmp(&b)));
    }
    let columns = z.t().as_standard_layout().into_owned();
    let n = z.nrows() as f64;
    let correlation = |a: usize, b: usize| (columns.row(a).dot(&columns.row(b)) / n).abs();
    let mut kept: Vec<usize> = Vec::new();
    for column in order {
        match kept.iter().find(|&&other| correlation(column, other) > params.max) {
            Some(&other) => stands[column] = Some(other),
            None => kept.push(column),
        }
    }
    stands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::scale::Scaling;
    use osteon_base::seed::Seed;

    #[test]
    fn what_stays_is_unlike_and_stands_for_what_is_left_out() {
        let noise = |row: usize, k: u64| (Seed(k).nth(row).0 >> 11) as f64 / (1_u64 << 53) as f64;
        let event: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let x = ndarray::Array2::from_shape_fn((60, 24), |(row, column)| {
            let own = noise(row, 100 + column as u64);
            let shift = if event[row] && column % 4 == 1 { 0.3 } else { 0.0 };
            noise(row, column as u64 % 6) + 0.4 * own + shift
        });
        let z = Scaling::of(x.view()).apply(x.view());
        let r = |a: usize, b: usize| (z.column(a).dot(&z.column(b)) / 60.0).abs();
        let relevance = f_statistics(z.view(), &event);
        for (max, order) in [(0.8, Order::Relevance), (0.8, Order::Listed), (0.5, Order::Relevance)] {
            let stands = correlated(z.view(), &event, &Params { max, order });
            let kept: Vec<usize> = (0..24).filter(|&at| stands[at].is_none()).collect();
            assert!(kept.len() < 24 && !kept.is_empty());
            for (at, &a) in kept.iter().enumerate() {
                assert!(kept[at + 1..].iter().all(|&b| r(a, b) <= max), "{max} {order:?}");
            }
            for (column, other) in stands.iter().enumerate().filter_map(|(at, of)| Some((at, (*of)?))) {
                let first = match order {
                    Order::Relevance => relevance[other] >= relevance[column],
                    Order::Listed => other < column,
                };
                assert!(first && kept.contains(&other) && r(column, other) > max, "{max} {order:?} {column}");
            }
        }
        assert!(correlated(z.view(), &event, &Params::default()).iter().all(Option::is_none));
    }
}
