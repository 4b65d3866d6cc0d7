//! Random survival forest (Ishwaran, Kogalur, Blackstone and Lauer 2008): trees split where the log-rank statistic is
//! largest, leaves hold Nelson and Aalen's hazard, and the forest's hazard is the mean of its trees'.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::forest::{MaxFeatures, below, bootstrap};
use crate::survival::follow_up::FollowUp;
use osteon_base::seed::Seed;
use osteon_base::setting::{self, Unfit};

/// How a forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub n_trees: usize,
    /// 0 is no limit.
    pub max_depth: usize,
    /// Rows in a leaf, copies of the bootstrap counted.
    pub min_samples_leaf: usize,
    pub max_features: MaxFeatures,
}

impl Default for Params {
    fn default() -> Self {
        Params { n_trees: 500, max_depth: 0, min_samples_leaf: 6, max_features: MaxFeatures::Sqrt }
    }
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::at_least("n_trees", self.n_trees, 1)?;
        setting::at_least("min_samples_leaf", self.min_samples_leaf, 1)
    }
}

/// Trees over columns, and the times at which hazards are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurvivalForest {
    /// Distinct times of events of the rows learnt from, rising.
    pub times: Vec<f64>,
    /// How many distinct times of rows, events or censorings, lie from each of these up to the next.
    pub weights: Vec<usize>,
    pub trees: Vec<Tree>,
}

/// Nodes in depth-first order, the root first; the left child follows its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

/// A split or a leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Rows with `x[feature] <= threshold` go to the next node, the others to `right`.
    Split { feature: usize, threshold: f64, right: usize },
    /// Steps of the cumulative hazard: position among the forest's times, and what is added there.
    Leaf(Vec<(usize, f64)>),
}

impl SurvivalForest {
    /// Tree t draws its rows and features from `seed.nth(t)`: its bits depend on nothing else. `x` is rows x columns.
    pub fn fit<'a>(x: ArrayView2<'a, f64>, follow_up: &'a FollowUp, params: &Params, seed: Seed) -> SurvivalForest {
        assert_eq!(x.nrows(), follow_up.len(), "one time a row");
        let times = follow_up.event_times();
        let place = |row: usize| times.partition_point(|time| *time <= follow_up.times()[row]);
        let rows = Rows {
            x,
            until: (0..x.nrows()).map(place).collect(),
            event: follow_up.events(),
            n_times: times.len(),
            n_features: params.max_features.of(x.ncols()),
            params: *params,
        };
        let tree = |at: usize| {
            let seed = seed.nth(at);
            let copies = bootstrap(x.nrows(), seed);
            let drawn = copies.iter().enumerate().flat_map(|(row, &n)| std::iter::repeat_n(row, n as usize));
            let mut nodes = Vec::new();
            rows.grow(drawn.collect(), 0, seed.named("nodes"), &mut nodes);
            Tree { nodes }
        };
        let trees = (0..params.n_trees).into_par_iter().map(tree).collect();
        let mut distinct = follow_up.times().to_vec();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let mut weights = vec![0; times.len()];
        for time in distinct {
            if let Some(last) = times.partition_point(|event| *event <= time).checked_sub(1) {
                weights[last] += 1;
            }
        }
        SurvivalForest { times, weights, trees }
    }

    /// Cumulative hazard of a row at each of the forest's times.
    pub fn hazard(&self, row: ArrayView1<f64>) -> Vec<f64> {
        let mut hazard = vec![0.0; self.times.len()];
        self.trees.iter().for_each(|tree| tree.add_steps(row, &mut hazard));
        cumulative(&mut hazard, self.trees.len());
        hazard
    }

    /// Survival of a row at a time; after the last event it stays where it is.
    pub fn survival(&self, row: ArrayView1<f64>, time: f64) -> f64 {
        let passed = self.times.partition_point(|event| *event <= time);
        passed.checked_sub(1).map_or(1.0, |last| (-self.hazard(row)[last]).exp())
    }

    /// The risk of a cumulative hazard at the forest's times, high where events come early: its sum over the distinct
    /// times of the rows learnt from, as ranger and scikit-survival have it.
    pub fn mortality(&self, hazard: &[f64]) -> f64 {
        hazard.iter().zip(&self.weights).map(|(hazard, &weight)| hazard * weight as f64).sum()
    }

    /// Mortality of each row learnt from by the trees that did not see it; `None` when every tree did. `x` and `seed`
    /// are those of the fit.
    pub fn out_of_bag(&self, x: ArrayView2<f64>, seed: Seed) -> Vec<Option<f64>> {
        let mut sums: Vec<(Vec<f64>, usize)> = vec![(vec![0.0; self.times.len()], 0); x.nrows()];
        for (at, tree) in self.trees.iter().enumerate() {
            let copies = bootstrap(x.nrows(), seed.nth(at));
            for (row, (hazard, n)) in sums.iter_mut().enumerate().filter(|(row, _)| copies[*row] == 0) {
                tree.add_steps(x.row(row), hazard);
                *n += 1;
            }
        }
        let one = |(mut hazard, n): (Vec<f64>, usize)| {
            (n > 0).then(|| {
                cumulative(&mut hazard, n);
                self.mortality(&hazard)
            })
        };
        sums.into_iter().map(one).collect()
    }
}

/// Makes sums of steps of `n` trees their mean cumulative hazard.
fn cumulative(steps: &mut [f64], n: usize) {
    let mut sum = 0.0;
    for step in steps {
        sum += *step;
        *step = sum / n as f64;
    }
}

impl Tree {
    fn add_steps(&self, row: ArrayView1<f64>, to: &mut [f64]) {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Split { feature, threshold, right } => {
                    at = if row[*feature] <= *threshold { at + 1 } else { *right }
                }
                Node::Leaf(steps) => return steps.iter().for_each(|&(time, step)| to[time] += step),
            }
        }
    }
}

/// The rows that trees grow on.
struct Rows<'a> {
    x: ArrayView2<'a, f64>,
    /// A row is at risk at the times of positions below this; its event is at the last of them.
    until: Vec<usize>,
    event: &'a [bool],
    n_times: usize,
    n_features: usize,
    params: Params,
}

/// The best split found so far in a node.
struct Cut {
    statistic: f64,
    feature: usize,
    threshold: f64,
}

/// Counts of a node at each time.
struct Counts {
    at_risk: Vec<f64>,
    /// Nelson and Aalen's hazard up to and with each time; 0 before the first.
    hazard: Vec<f64>,
    /// d (n - d) / (n - 1) over n and over n squared: of the variance of the log-rank statistic.
    once: Vec<f64>,
    twice: Vec<f64>,
    deaths: Vec<f64>,
}

impl Rows<'_> {
    /// Adds the node of `rows`, and those below it.
    fn grow(&self, rows: Vec<usize>, depth: usize, seed: Seed, nodes: &mut Vec<Node>) {
        let counts = self.counts(&rows);
        let is_deep = self.params.max_depth > 0 && depth >= self.params.max_depth;
        let cut = if is_deep { None } else { self.best(&rows, &counts, seed.nth(nodes.len())) };
        let Some(Cut { feature, threshold, .. }) = cut else {
            let step = |(at, (d, n)): (usize, (&f64, &f64))| (*d > 0.0).then(|| (at, d / n));
            let steps = counts.deaths.iter().zip(&counts.at_risk).enumerate().filter_map(step);
            return nodes.push(Node::Leaf(steps.collect()));
        };
        let (left, right): (Vec<usize>, Vec<usize>) =
            rows.into_iter().partition(|&row| self.x[[row, feature]] <= threshold);
        let here = nodes.len();
        nodes.push(Node::Split { feature, threshold, right: 0 });
        self.grow(left, depth + 1, seed, nodes);
        let start = nodes.len();
        self.grow(right, depth + 1, seed, nodes);
        nodes[here] = Node::Split { feature, threshold, right: start };
    }

    fn counts(&self, rows: &[usize]) -> Counts {
        let mut ends = vec![0.0; self.n_times + 1];
        let mut deaths = vec![0.0; self.n_times];
        for &row in rows {
            ends[self.until[row]] += 1.0;
            if self.event[row] {
                deaths[self.until[row] - 1] += 1.0;
            }
        }
        let mut at_risk = vec![0.0; self.n_times];
        let mut sum = 0.0;
        for at in (0..self.n_times).rev() {
            sum += ends[at + 1];
            at_risk[at] = sum;
        }
        let mut hazard = vec![0.0; self.n_times + 1];
        let (mut once, mut twice) = (vec![0.0; self.n_times], vec![0.0; self.n_times]);
        for at in 0..self.n_times {
            let (d, n) = (deaths[at], at_risk[at]);
            hazard[at + 1] = hazard[at] + if d > 0.0 { d / n } else { 0.0 };
            if d > 0.0 && n > 1.0 {
                once[at] = d * (n - d) / (n - 1.0) / n;
                twice[at] = once[at] / n;
            }
        }
        Counts { at_risk, hazard, once, twice, deaths }
    }

    /// The split with the largest log-rank statistic between its sides; of equal ones the feature that was drawn first,
    /// then the lowest threshold. `None` where no side would be large enough or nothing tells the sides apart.
    fn best(&self, rows: &[usize], counts: &Counts, seed: Seed) -> Option<Cut> {
        let least = self.params.min_samples_leaf;
        if rows.len() < 2 * least || counts.deaths.iter().all(|d| *d == 0.0) {
            return None;
        }
        let mut features: Vec<usize> = (0..self.x.ncols()).collect();
        let mut best = None;
        // As in ranger and Breiman's own, a feature that is constant here is one of those drawn.
        for draw in 0..self.n_features.min(features.len()) {
            let other = draw + below(seed.nth(draw), features.len() - draw);
            features.swap(draw, other);
            self.scan(rows, features[draw], counts, &mut best);
        }
        best
    }

    /// Better splits of one feature.
    fn scan(&self, rows: &[usize], feature: usize, counts: &Counts, best: &mut Option<Cut>) {
        let value = |row: usize| self.x[[row, feature]];
        let mut order = rows.to_vec();
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let (n, least) = (order.len(), self.params.min_samples_leaf);
        let mut left = vec![0.0; self.n_times];
        let (mut difference, mut first, mut second) = (0.0, 0.0, 0.0);
        for at in 1..n {
            let row = order[at - 1];
            let until = self.until[row];
            difference += f64::from(self.event[row]) - counts.hazard[until];
            for ((left, once), twice) in left.iter_mut().zip(&counts.once).zip(&counts.twice).take(until) {
                first += once;
                second += twice * (2.0 * *left + 1.0);
                *left += 1.0;
            }
            let (here, next) = (value(row), value(order[at]));
            if here == next || at < least || n - at < least {
                continue;
            }
            let variance = first - second;
            if variance <= 1e-12 * first {
                continue;
            }
            let statistic = difference * difference / variance;
            if best.as_ref().is_none_or(|best| statistic > best.statistic) {
                let middle = here + (next - here) / 2.0;
                // Between neighbours the middle may be the upper one.
                let threshold = if middle < next { middle } else { here };
                *best = Some(Cut { statistic, feature, threshold });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::log_rank::{Weight, log_rank};
    use ndarray::array;

    #[test]
    fn a_node_is_cut_where_the_log_rank_statistic_is_largest() {
        let follow_up = FollowUp::right_censored(
            vec![1.0, 2.0, 2.0, 5.0, 6.0, 7.0, 7.0, 9.0],
            [true, true, true, false, true, false, true, true].to_vec(),
        )
        .unwrap();
        let x = array![[1.0], [2.0], [4.0], [3.0], [6.0], [5.0], [8.0], [7.0]];
        let times = follow_up.event_times();
        let rows = Rows {
            x: x.view(),
            until: follow_up.times().iter().map(|time| times.partition_point(|event| event <= time)).collect(),
            event: follow_up.events(),
            n_times: times.len(),
            n_features: 1,
            params: Params { min_samples_leaf: 1, ..Params::default() },
        };
        let all: Vec<usize> = (0..8).collect();
        let cut = rows.best(&all, &rows.counts(&all), Seed(1)).unwrap();
        let of = |threshold: f64| {
            let group: Vec<usize> = x.column(0).iter().map(|value| usize::from(*value > threshold)).collect();
            log_rank(&follow_up, &group, 2, None, Weight::LogRank).chi2
        };
        let largest = (1..8).map(|at| of(at as f64 + 0.5)).fold(0.0, f64::max);
        assert!((cut.statistic - largest).abs() < 1e-9 && (of(cut.threshold) - largest).abs() < 1e-9);
    }

    #[test]
    fn the_same_seed_gives_the_same_forest_on_any_number_of_threads() {
        let n = 40;
        let x = ndarray::Array2::from_shape_fn((n, 3), |(i, j)| ((i * 7 + j * 13) % 11) as f64);
        let time = (0..n).map(|i| 1.0 + (i * 5 % 17) as f64).collect();
        let follow_up = FollowUp::right_censored(time, (0..n).map(|i| i % 3 != 0).collect()).unwrap();
        let grow = || SurvivalForest::fit(x.view(), &follow_up, &Params { n_trees: 20, ..Params::default() }, Seed(4));
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(grow);
        assert_eq!(one, grow());
        let survival = one.survival(x.row(0), 8.0);
        assert!(survival > 0.0 && survival < 1.0 && one.survival(x.row(0), 0.5) == 1.0);
    }
}
