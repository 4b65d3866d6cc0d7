//! Random forest (Breiman 2001) with scikit-learn's definitions: probabilities are means of leaf shares.

pub mod exchange;
mod grow;
mod tree;

use std::collections::BTreeSet;

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use osteon_base::seed::Seed;

pub use exchange::ForestError;
pub use grow::{Ranked, below};
pub use tree::{Node, Split, Tree};

use grow::{Growth, Limits};
use osteon_base::setting::{self, Unfit};

/// Trees over named features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    pub features: Vec<String>,
    pub trees: Vec<Tree>,
}

/// How one forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    pub n_trees: usize,
    /// 0 is no limit.
    pub max_depth: usize,
    /// Different training rows in a leaf.
    pub min_samples_leaf: usize,
    pub max_features: MaxFeatures,
}

/// How many features are drawn at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxFeatures {
    Sqrt,
    Log2,
    All,
}

/// What a class weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    Equal,
    /// n / (2 n of the class), from the training rows before the bootstrap.
    Balanced,
}

/// Settings that are tried, every combination, and what they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub n_trees: Vec<usize>,
    /// 0 is no limit.
    pub max_depth: Vec<usize>,
    pub min_samples_leaf: Vec<usize>,
    pub max_features: Vec<MaxFeatures>,
    pub class_weight: ClassWeight,
    /// Stratified folds of the grid search.
    pub n_folds: usize,
}

impl Default for Params {
    /// 48 settings.
    fn default() -> Self {
        Params {
            n_trees: vec![50, 100, 200, 500],
            max_depth: vec![2, 3, 5, 0],
            min_samples_leaf: vec![1, 3, 5],
            max_features: vec![MaxFeatures::Sqrt],
            class_weight: ClassWeight::Equal,
            n_folds: 5,
        }
    }
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::some("n_trees", &self.n_trees)?;
        setting::some("max_depth", &self.max_depth)?;
        setting::some("min_samples_leaf", &self.min_samples_leaf)?;
        setting::some("max_features", &self.max_features)?;
        for (key, list) in [("n_trees", &self.n_trees), ("min_samples_leaf", &self.min_samples_leaf)] {
            setting::require(!list.contains(&0), key, list, "whole numbers of at least 1")?;
        }
        setting::at_least("n_folds", self.n_folds, 2)
    }

    /// Every combination: trees change slowest, features fastest.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for &n_trees in &self.n_trees {
            for &max_depth in &self.max_depth {
                for &min_samples_leaf in &self.min_samples_leaf {
                    for &max_features in &self.max_features {
                        settings.push(Setting { n_trees, max_depth, min_samples_leaf, max_features });
                    }
                }
            }
        }
        settings
    }
}

impl MaxFeatures {
    /// How many of `n_columns`, at least one.
    pub fn of(self, n_columns: usize) -> usize {
        let n = match self {
            MaxFeatures::Sqrt => (n_columns as f64).sqrt() as usize,
            MaxFeatures::Log2 => (n_columns as f64).log2() as usize,
            MaxFeatures::All => n_columns,
        };
        n.max(1)
    }
}

impl Setting {
    fn depth(&self) -> usize {
        if self.max_depth == 0 { usize::MAX } else { self.max_depth }
    }

    fn leaf(&self) -> usize {
        self.min_samples_leaf.max(1)
    }
}

impl Forest {
    /// Tree t draws its rows and features from `seed.nth(t)`: its bits depend on nothing else.
    pub fn fit(features: &[String], rows: &Ranked, setting: Setting, weight: ClassWeight, seed: Seed) -> Forest {
        let limits = Limits {
            max_depth: setting.depth(),
            min_samples_leaf: vec![setting.leaf()],
            n_features: setting.max_features.of(rows.n_columns()),
        };
        let trees = grow(rows, limits, setting.n_trees, weight, seed, |trees| trees[0].clone());
        Forest { features: features.to_vec(), trees }
    }

    /// Probability of the event: the mean of the trees' leaf shares.
    pub fn probability(&self, row: ArrayView1<f64>) -> f64 {
        self.trees.iter().map(|tree| tree.value(row)).sum::<f64>() / self.trees.len() as f64
    }

    /// Probability of each row of `x` (rows x columns).
    pub fn probabilities(&self, x: ArrayView2<f64>) -> Vec<f64> {
        x.rows().into_iter().map(|row| self.probability(row)).collect()
    }

    /// Probability of each training row from the trees that did not see it; `None` when every tree did.
    /// `x` and `seed` are those of the fit.
    pub fn out_of_bag(&self, x: ArrayView2<f64>, seed: Seed) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0_usize); x.nrows()];
        for (at, tree) in self.trees.iter().enumerate() {
            let copies = bootstrap(x.nrows(), seed.nth(at));
            for (i, sum) in sums.iter_mut().enumerate().filter(|(i, _)| copies[*i] == 0) {
                *sum = (sum.0 + tree.value(x.row(i)), sum.1 + 1);
            }
        }
        sums.iter().map(|&(sum, n)| (n > 0).then(|| sum / n as f64)).collect()
    }

    /// Mean decrease of Gini impurity by feature, adding up to 1 (to 0 when no tree has a split).
    pub fn importances(&self) -> Vec<f64> {
        let n = self.features.len();
        let mut sums = vec![0.0; n];
        for tree in &self.trees {
            sums.iter_mut().zip(tree.importances(n)).for_each(|(sum, importance)| *sum += importance);
        }
        let total: f64 = sums.iter().sum();
        sums.iter().map(|sum| if total > 0.0 { sum / total } else { 0.0 }).collect()
    }
}

/// Probabilities of `held` rows under each setting, learnt from `rows`: the very numbers of `Forest::fit`.
///
/// Settings share their trees: a forest of 50 is the first 50 of a forest of 500, a shallow tree is a deep one cut,
/// and trees with other leaves share the nodes where their cuts agree.
pub fn probabilities_of_settings(
    rows: &Ranked,
    held: ArrayView2<f64>,
    settings: &[Setting],
    weight: ClassWeight,
    seed: Seed,
) -> Vec<Vec<f64>> {
    let held = held.as_standard_layout();
    let n_features = |at: usize| settings[at].max_features.of(rows.n_columns());
    let mut answers = vec![Vec::new(); settings.len()];
    for first in 0..settings.len() {
        if (0..first).any(|at| n_features(at) == n_features(first)) {
            continue;
        }
        let members: Vec<usize> = (first..settings.len()).filter(|&at| n_features(at) == n_features(first)).collect();
        let depths = rising(members.iter().map(|&at| settings[at].depth()));
        let leaves = rising(members.iter().map(|&at| settings[at].leaf()));
        let limits = Limits {
            max_depth: *depths.last().expect("a setting has a depth"),
            min_samples_leaf: leaves.clone(),
            n_features: n_features(first),
        };
        // By leaf, then row, then depth.
        let values = |trees: &[Tree]| {
            let mut values = vec![0.0; trees.len() * held.nrows() * depths.len()];
            let cells = trees.iter().flat_map(|tree| held.rows().into_iter().map(move |row| (tree, row)));
            for ((tree, row), values) in cells.zip(values.chunks_mut(depths.len())) {
                tree.values_at_depths(row.to_slice().expect("standard layout"), &depths, values);
            }
            values
        };
        let n_trees = members.iter().map(|&at| settings[at].n_trees).max().expect("a setting has trees");
        let mut sums = vec![0.0; leaves.len() * held.nrows() * depths.len()];
        for (at, values) in grow(rows, limits, n_trees, weight, seed, values).iter().enumerate() {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            for &member in members.iter().filter(|&&member| settings[member].n_trees == at + 1) {
                let leaf = leaves.binary_search(&settings[member].leaf()).expect("a leaf of these settings");
                let depth = depths.binary_search(&settings[member].depth()).expect("a depth of these settings");
                let own = sums.chunks(depths.len()).skip(leaf * held.nrows()).take(held.nrows());
                answers[member] = own.map(|sums| sums[depth] / (at + 1) as f64).collect();
            }
        }
    }
    answers
}

fn rising(values: impl Iterator<Item = usize>) -> Vec<usize> {
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What `of` says of the trees on each bootstrap sample, one tree a smallest leaf.
fn grow<T: Send>(
    rows: &Ranked,
    limits: Limits,
    n_trees: usize,
    weight: ClassWeight,
    seed: Seed,
    of: impl Fn(&[Tree]) -> T + Sync,
) -> Vec<T> {
    let class_weights = class_weights(rows.event(), weight);
    let one = |growth: &mut Growth, at: usize| {
        let seed = seed.nth(at);
        of(growth.trees(&bootstrap(rows.n_rows(), seed), seed.named("nodes")))
    };
    let memory = || Growth::new(rows, class_weights, limits.clone());
    (0..n_trees).into_par_iter().with_min_len(64).map_init(memory, one).collect()
}

/// How often each of `n` rows is drawn in `n` draws with replacement.
pub fn bootstrap(n: usize, seed: Seed) -> Vec<u32> {
    let seed = seed.named("rows");
    let mut copies = vec![0; n];
    (0..n).for_each(|draw| copies[below(seed.nth(draw), n)] += 1);
    copies
}

fn class_weights(event: &[bool], weight: ClassWeight) -> [f64; 2] {
    let (n, events) = (event.len() as f64, event.iter().filter(|&&event| event).count() as f64);
    match weight {
        ClassWeight::Balanced if events > 0.0 && events < n => [n / (2.0 * (n - events)), n / (2.0 * events)],
        _ => [1.0, 1.0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::Rng;

    #[test]
    fn shared_trees_give_the_numbers_of_separate_fits() {
        let mut rng = Seed(3).rng();
        let x = Array2::from_shape_fn((40, 5), |_| rng.random::<f64>());
        let event: Vec<bool> = x.rows().into_iter().map(|row| row[0] + 0.3 * row[1] > 0.6).collect();
        let (rows, names) = (Ranked::new(x.view(), &event), vec![String::new(); 5]);
        let params = Params { n_trees: vec![3, 12], ..Params::default() };
        let settings = params.settings();
        let shared = probabilities_of_settings(&rows, x.view(), &settings, ClassWeight::Balanced, Seed(9));
        for (setting, shared) in settings.iter().zip(shared) {
            let forest = Forest::fit(&names, &rows, *setting, ClassWeight::Balanced, Seed(9));
            assert_eq!(forest.probabilities(x.view()), shared, "{setting:?}");
        }
    }
}
