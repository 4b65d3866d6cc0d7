//! Mutual information of discretised columns, plug-in estimate in nats.

use ndarray::ArrayView1;

use crate::select::mrmr::{Bins, Params};

/// A column cut into few states, one set of rows a state.
pub struct States {
    /// Bit i of word i / 64 is row i.
    sets: Vec<Vec<u64>>,
    /// Σ c ln c over the counts of the states.
    own: f64,
}

/// c ln c for every count up to the number of rows: mutual information is sums of these.
pub struct CountLog(Vec<f64>);

impl CountLog {
    pub fn up_to(n: usize) -> CountLog {
        CountLog((0..=n).map(|c| if c == 0 { 0.0 } else { c as f64 * (c as f64).ln() }).collect())
    }

    pub fn states(&self, codes: &[usize]) -> States {
        let n_states = codes.iter().max().map_or(0, |last| last + 1);
        let mut sets = vec![vec![0_u64; codes.len().div_ceil(64)]; n_states];
        for (row, &code) in codes.iter().enumerate() {
            sets[code][row / 64] |= 1 << (row % 64);
        }
        sets.retain(|set| set.iter().any(|&word| word != 0));
        let own = sets.iter().map(|set| self.0[size(set)]).sum();
        States { sets, own }
    }

    /// I(a; b) in nats: (n ln n + Σ c_ij ln c_ij − Σ c_i ln c_i − Σ c_j ln c_j) / n.
    pub fn information(&self, a: &States, b: &States) -> f64 {
        let joint = |x: &[u64], y: &[u64]| x.iter().zip(y).map(|(x, y)| (x & y).count_ones() as usize).sum::<usize>();
        let cells: f64 = a.sets.iter().flat_map(|x| b.sets.iter().map(|y| self.0[joint(x, y)])).sum();
        let n = self.0.len() - 1;
        ((self.0[n] + cells) - (a.own + b.own)) / n as f64
    }
}

fn size(set: &[u64]) -> usize {
    set.iter().map(|word| word.count_ones() as usize).sum()
}

/// Codes of a column under the protocol's binning.
pub fn discretise(column: ArrayView1<f64>, params: &Params) -> Vec<usize> {
    match params.bins {
        Bins::MeanSd => around_mean(column, params.sd_multiple),
        Bins::Quantiles => quantiles(column, params.n_quantiles),
    }
}

/// 0 below mean − t SD, 2 above mean + t SD, 1 between; SD divided by n.
fn around_mean(column: ArrayView1<f64>, t: f64) -> Vec<usize> {
    let n = column.len() as f64;
    let mean = column.sum() / n;
    let sd = (column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let code = |&value: &f64| match value {
        low if low < mean - t * sd => 0,
        high if high > mean + t * sd => 2,
        _ => 1,
    };
    column.iter().map(code).collect()
}

/// Bins of equal frequency by average rank: ties stay together.
fn quantiles(column: ArrayView1<f64>, bins: usize) -> Vec<usize> {
    let n = column.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let mut codes = vec![0; n];
    for tied in order.chunk_by(|&a, &b| column[a] == column[b]) {
        let start = order.partition_point(|&row| column[row] < column[tied[0]]);
        // Twice the average rank from 0, so that it is whole.
        let rank = 2 * start + tied.len() - 1;
        tied.iter().for_each(|&row| codes[row] = (bins * rank / (2 * n)).min(bins - 1));
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_of_a_column_with_itself_is_its_entropy_and_with_noise_none() {
        let log = CountLog::up_to(4);
        let (a, b) = (log.states(&[0, 0, 1, 1]), log.states(&[0, 1, 0, 1]));
        assert!((log.information(&a, &a) - 2.0_f64.ln()).abs() < 1e-15);
        assert!(log.information(&a, &b).abs() < 1e-15);
    }

    #[test]
    fn tied_values_share_a_bin() {
        let column = ndarray::array![3.0, 1.0, 1.0, 2.0, 1.0];
        assert_eq!(quantiles(column.view(), 5), [4, 1, 1, 3, 1]);
    }
}
