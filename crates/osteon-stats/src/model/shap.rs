//! Exact Shapley values: forests (path-dependent and interventional), linear predictors and logistic probabilities.

use ndarray::{ArrayView1, ArrayView2};

use crate::model::forest::{Forest, Tree};

/// The prediction of one row as a sum: `base` plus one contribution a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub base: f64,
    pub values: Vec<f64>,
}

/// TreeSHAP with the training cover as weights (Lundberg, Erion and Lee 2018, algorithm 2).
pub fn path_dependent(forest: &Forest, row: ArrayView1<f64>) -> Explanation {
    average(forest, |tree, values| {
        descend(tree, row, 0, &Walk::default().extended(1.0, 1.0, None), values);
        expected(tree, 0)
    })
}

/// Interventional TreeSHAP against each row of `background` (Lundberg et al. 2020): features are independent.
pub fn interventional(forest: &Forest, row: ArrayView1<f64>, background: ArrayView2<f64>) -> Explanation {
    let n = background.nrows() as f64;
    average(forest, |tree, values| {
        let mut sums = vec![0.0; values.len()];
        let mut base = 0.0;
        for other in background.rows() {
            let mut choice = vec![Choice::Open; values.len()];
            part(tree, 0, row, other, &mut choice, (0, 0), &mut sums);
            base += tree.value(other);
        }
        values.iter_mut().zip(sums).for_each(|(value, sum)| *value += sum / n);
        base / n
    })
}

/// Contributions to a linear predictor: b (x − mean of the background).
pub fn linear(intercept: f64, b: &[f64], row: ArrayView1<f64>, background: ArrayView2<f64>) -> Explanation {
    let mean = |j: usize| background.column(j).sum() / background.nrows() as f64;
    let base = b.iter().enumerate().fold(intercept, |sum, (j, b)| sum + b * mean(j));
    Explanation { base, values: b.iter().enumerate().map(|(j, b)| b * (row[j] - mean(j))).collect() }
}

/// Contributions to a logistic probability, every coalition enumerated: for models of up to about 15 terms.
pub fn logistic(intercept: f64, b: &[f64], row: ArrayView1<f64>, background: ArrayView2<f64>) -> Explanation {
    let worth: Vec<f64> = (0..1_usize << b.len())
        .map(|coalition| {
            let probability = |other: ArrayView1<f64>| {
                let term = |j: usize| b[j] * if coalition >> j & 1 == 1 { row[j] } else { other[j] };
                1.0 / (1.0 + (-(0..b.len()).fold(intercept, |sum, j| sum + term(j))).exp())
            };
            background.rows().into_iter().map(probability).sum::<f64>() / background.nrows() as f64
        })
        .collect();
    let value = |j: usize| {
        let without = (0..worth.len()).filter(|coalition| coalition >> j & 1 == 0);
        without
            .map(|s| {
                share(s.count_ones() as usize + 1, b.len() - 1 - s.count_ones() as usize)
                    * (worth[s | 1 << j] - worth[s])
            })
            .sum()
    };
    Explanation { base: worth[0], values: (0..b.len()).map(value).collect() }
}

/// (p − 1)! q! / (p + q)!: the weight of a member of a coalition of p when q stay outside.
fn share(p: usize, q: usize) -> f64 {
    let choose = (1..=q).fold(1.0, |c, k| c * (p + k) as f64 / k as f64);
    1.0 / (p as f64 * choose)
}

/// Mean over the trees of what `one` adds to the values and gives as base.
fn average(forest: &Forest, one: impl Fn(&Tree, &mut [f64]) -> f64) -> Explanation {
    let n = forest.trees.len() as f64;
    let mut values = vec![0.0; forest.features.len()];
    let base: f64 = forest.trees.iter().map(|tree| one(tree, &mut values)).sum();
    Explanation { base: base / n, values: values.iter().map(|value| value / n).collect() }
}

/// Mean of the leaves by cover.
fn expected(tree: &Tree, at: usize) -> f64 {
    let node = &tree.nodes[at];
    node.split.map_or(node.value, |split| {
        let of = |child: usize| tree.nodes[child].cover * expected(tree, child);
        (of(split.left) + of(split.right)) / node.cover
    })
}

/// The features met on the way to a node, with the weights of coalitions of every size.
#[derive(Clone, Default)]
struct Walk(Vec<Step>);

#[derive(Clone, Copy)]
struct Step {
    /// `None` for the root, which stands for no feature.
    feature: Option<usize>,
    /// Share of the cover that goes this way when the feature is unknown.
    zero: f64,
    /// 1 when the row goes this way, 0 when it does not.
    one: f64,
    weight: f64,
}

impl Walk {
    fn extended(&self, zero: f64, one: f64, feature: Option<usize>) -> Walk {
        let mut steps = self.0.clone();
        let l = steps.len();
        steps.push(Step { feature, zero, one, weight: if l == 0 { 1.0 } else { 0.0 } });
        let size = (l + 1) as f64;
        for i in (0..l).rev() {
            let weight = steps[i].weight;
            steps[i + 1].weight += one * weight * (i + 1) as f64 / size;
            steps[i].weight = zero * weight * (l - i) as f64 / size;
        }
        Walk(steps)
    }

    /// The walk as if step `at` had not been made.
    fn unwound(&self, at: usize) -> Walk {
        let mut steps = self.0.clone();
        let weights = self.weights_without(at);
        for j in at..steps.len() - 1 {
            steps[j] = steps[j + 1];
        }
        steps.pop();
        steps.iter_mut().zip(weights).for_each(|(step, weight)| step.weight = weight);
        Walk(steps)
    }

    fn weights_without(&self, at: usize) -> Vec<f64> {
        let l = self.0.len() - 1;
        let Step { zero, one, .. } = self.0[at];
        let size = (l + 1) as f64;
        let mut weights = vec![0.0; l];
        let mut next = self.0[l].weight;
        for j in (0..l).rev() {
            if one != 0.0 {
                weights[j] = next * size / ((j + 1) as f64 * one);
                next = self.0[j].weight - weights[j] * zero * (l - j) as f64 / size;
            } else {
                weights[j] = self.0[j].weight * size / (zero * (l - j) as f64);
            }
        }
        weights
    }
}

fn descend(tree: &Tree, row: ArrayView1<f64>, at: usize, walk: &Walk, values: &mut [f64]) {
    let node = &tree.nodes[at];
    let Some(split) = node.split else {
        for (i, step) in walk.0.iter().enumerate() {
            if let Some(feature) = step.feature {
                let weight: f64 = walk.weights_without(i).iter().sum();
                values[feature] += weight * (step.one - step.zero) * node.value;
            }
        }
        return;
    };
    let hot = split.child(row[split.feature]);
    let met = walk.0.iter().position(|step| step.feature == Some(split.feature));
    let (walk, zero, one) = match met {
        Some(at) => (walk.unwound(at), walk.0[at].zero, walk.0[at].one),
        None => (walk.clone(), 1.0, 1.0),
    };
    for child in [split.left, split.right] {
        let zero = zero * tree.nodes[child].cover / node.cover;
        let one = if child == hot { one } else { 0.0 };
        descend(tree, row, child, &walk.extended(zero, one, Some(split.feature)), values);
    }
}

/// Whose value a feature takes on the way to a leaf.
#[derive(Clone, Copy, PartialEq)]
enum Choice {
    Open,
    Own,
    Other,
}

/// Follows both rows; where they part, the feature belongs to one of them from there on.
/// `taken` counts the features that belong to the explained row and to the other.
fn part(
    tree: &Tree,
    at: usize,
    row: ArrayView1<f64>,
    other: ArrayView1<f64>,
    choice: &mut [Choice],
    taken: (usize, usize),
    sums: &mut [f64],
) {
    let node = &tree.nodes[at];
    let Some(split) = node.split else {
        for (sum, choice) in sums.iter_mut().zip(choice) {
            match choice {
                Choice::Open => (),
                Choice::Own => *sum += node.value * share(taken.0, taken.1),
                Choice::Other => *sum -= node.value * share(taken.1, taken.0),
            }
        }
        return;
    };
    let (own, others) = (split.child(row[split.feature]), split.child(other[split.feature]));
    match choice[split.feature] {
        Choice::Own => part(tree, own, row, other, choice, taken, sums),
        Choice::Other => part(tree, others, row, other, choice, taken, sums),
        Choice::Open if own == others => part(tree, own, row, other, choice, taken, sums),
        Choice::Open => {
            choice[split.feature] = Choice::Own;
            part(tree, own, row, other, choice, (taken.0 + 1, taken.1), sums);
            choice[split.feature] = Choice::Other;
            part(tree, others, row, other, choice, (taken.0, taken.1 + 1), sums);
            choice[split.feature] = Choice::Open;
        }
    }
}
