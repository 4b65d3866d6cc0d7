//! One classification tree: Gini impurity, exact splits at midpoints, as scikit-learn's `best` splitter.

use ndarray::{ArrayView1, ArrayView2};

use crate::seed::Seed;

/// Nodes in depth-first order, the root first; the left child follows its parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// `None` in a leaf.
    pub split: Option<Split>,
    /// Weighted share of events among the training rows that reach the node.
    pub value: f64,
    /// Weighted number of training rows that reach the node.
    pub cover: f64,
}

/// Rows with `x[feature] <= threshold` go left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    pub feature: usize,
    pub threshold: f64,
    pub left: usize,
    pub right: usize,
}

/// What limits the growth of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// 0 is no limit.
    pub max_depth: usize,
    /// Different training rows, not their bootstrap copies.
    pub min_samples_leaf: usize,
    /// How many features are drawn at a node.
    pub n_features: usize,
}

impl Tree {
    /// The leaf value of a row.
    pub fn value(&self, row: ArrayView1<f64>) -> f64 {
        self.value_at_depth(row, 0)
    }

    /// The value where a row ends in the tree cut at `max_depth` (0 is not cut): the tree grown with that limit.
    pub fn value_at_depth(&self, row: ArrayView1<f64>, max_depth: usize) -> f64 {
        let (mut node, mut depth) = (&self.nodes[0], 0);
        while let Some(split) = node.split
            && (max_depth == 0 || depth < max_depth)
        {
            node = &self.nodes[split.child(row[split.feature])];
            depth += 1;
        }
        node.value
    }

    /// Weighted decrease of Gini impurity by feature, adding up to 1 (or to 0 in a tree of one leaf).
    pub fn importances(&self, n_features: usize) -> Vec<f64> {
        let impurity = |node: &Node| node.cover * 2.0 * node.value * (1.0 - node.value);
        let mut sums = vec![0.0; n_features];
        for node in &self.nodes {
            if let Some(Split { feature, left, right, .. }) = node.split {
                sums[feature] += impurity(node) - impurity(&self.nodes[left]) - impurity(&self.nodes[right]);
            }
        }
        let total: f64 = sums.iter().sum();
        sums.iter().map(|sum| if total > 0.0 { sum / total } else { 0.0 }).collect()
    }
}

impl Split {
    pub fn child(&self, value: f64) -> usize {
        if value <= self.threshold { self.left } else { self.right }
    }
}

/// Training rows with every column ranked once, shared by all trees of all forests on these rows.
pub struct Ranked<'a> {
    x: ArrayView2<'a, f64>,
    event: &'a [bool],
    /// Rank of each row in each column, equal values alike; columns x rows.
    ranks: Vec<Vec<u32>>,
}

impl<'a> Ranked<'a> {
    /// `x` is rows x columns.
    pub fn new(x: ArrayView2<'a, f64>, event: &'a [bool]) -> Ranked<'a> {
        assert_eq!(x.nrows(), event.len(), "one outcome a row");
        Ranked { x, event, ranks: x.columns().into_iter().map(ranks).collect() }
    }

    pub fn n_rows(&self) -> usize {
        self.event.len()
    }

    pub fn n_columns(&self) -> usize {
        self.ranks.len()
    }

    pub fn event(&self) -> &[bool] {
        self.event
    }

    /// Grows a tree on rows taken `copies` times, classes weighing `class_weights` (no event, event).
    ///
    /// Every node draws from a seed of its own, named by its place: a tree grown with a smaller depth is this tree cut.
    pub fn grow(&self, copies: &[u32], class_weights: [f64; 2], limits: Limits, seed: Seed) -> Tree {
        let members: Vec<u32> = (0..self.event.len() as u32).filter(|&row| copies[row as usize] > 0).collect();
        let weights =
            copies.iter().zip(self.event).map(|(&n, &event)| f64::from(n) * class_weights[usize::from(event)]);
        let mut growth =
            Growth { rows: self, weights: weights.collect(), limits, nodes: Vec::new(), order: Vec::new(), members };
        let n = growth.members.len();
        growth.node(0..n, 0, seed);
        Tree { nodes: growth.nodes }
    }
}

fn ranks(column: ArrayView1<f64>) -> Vec<u32> {
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let (mut ranks, mut rank) = (vec![0; column.len()], 0);
    for (at, &row) in order.iter().enumerate() {
        if at > 0 && column[row] > column[order[at - 1]] {
            rank += 1;
        }
        ranks[row] = rank;
    }
    ranks
}

struct Growth<'a, 'x> {
    rows: &'a Ranked<'x>,
    weights: Vec<f64>,
    limits: Limits,
    nodes: Vec<Node>,
    /// Rows in the tree; a node owns a range of them.
    members: Vec<u32>,
    /// Rank and row of the members of one node, for sorting.
    order: Vec<u64>,
}

/// Best cut found in a node so far.
#[derive(Clone, Copy)]
struct Cut {
    gain: f64,
    feature: usize,
    rank: u32,
    threshold: f64,
}

impl Growth<'_, '_> {
    /// Adds the node of these members and everything below it; gives its position.
    fn node(&mut self, members: std::ops::Range<usize>, depth: usize, seed: Seed) -> usize {
        let weight = self.class_weights(members.clone());
        let cover = weight[0] + weight[1];
        let at = self.nodes.len();
        self.nodes.push(Node { split: None, value: weight[1] / cover, cover });
        let stop = members.len() < 2.max(2 * self.limits.min_samples_leaf)
            || self.limits.max_depth > 0 && depth >= self.limits.max_depth
            || weight[0] <= 0.0
            || weight[1] <= 0.0;
        if stop {
            return at;
        }
        if let Some(cut) = self.best_cut(members.clone(), weight, seed) {
            let middle = self.partition(members.clone(), cut);
            let left = self.node(members.start..middle, depth + 1, seed.nth(0));
            let right = self.node(middle..members.end, depth + 1, seed.nth(1));
            self.nodes[at].split = Some(Split { feature: cut.feature, threshold: cut.threshold, left, right });
        }
        at
    }

    fn class_weights(&self, members: std::ops::Range<usize>) -> [f64; 2] {
        let mut weight = [0.0; 2];
        for &row in &self.members[members] {
            weight[usize::from(self.rows.event[row as usize])] += self.weights[row as usize];
        }
        weight
    }

    /// Tries features in random order until enough were drawn and at least one of them varies.
    fn best_cut(&mut self, members: std::ops::Range<usize>, weight: [f64; 2], seed: Seed) -> Option<Cut> {
        let mut features: Vec<usize> = (0..self.rows.n_columns()).collect();
        let (mut best, mut varying): (Option<Cut>, bool) = (None, false);
        for drawn in 0..features.len() {
            if drawn >= self.limits.n_features && varying {
                break;
            }
            let pick = drawn + below(seed.nth(2 + drawn), features.len() - drawn);
            features.swap(drawn, pick);
            let feature = features[drawn];
            self.sort(members.clone(), feature);
            varying |= self.order[0] >> 32 != self.order[self.order.len() - 1] >> 32;
            best = self.scan(feature, weight, best);
        }
        best
    }

    fn sort(&mut self, members: std::ops::Range<usize>, feature: usize) {
        let ranks = &self.rows.ranks[feature];
        self.order.clear();
        let key = |&row: &u32| u64::from(ranks[row as usize]) << 32 | u64::from(row);
        self.order.extend(self.members[members].iter().map(key));
        self.order.sort_unstable();
    }

    /// The best cut among `best` and those of `feature`: the largest Σ w² / w over both sides, which is the least Gini.
    fn scan(&self, feature: usize, weight: [f64; 2], mut best: Option<Cut>) -> Option<Cut> {
        let n = self.order.len();
        let mut left = [0.0; 2];
        for at in 1..n {
            let row = self.order[at - 1] as u32 as usize;
            left[usize::from(self.rows.event[row])] += self.weights[row];
            let (rank, next) = (self.order[at - 1] >> 32, self.order[at] >> 32);
            if rank == next || at < self.limits.min_samples_leaf || n - at < self.limits.min_samples_leaf {
                continue;
            }
            let right = [weight[0] - left[0], weight[1] - left[1]];
            let purity = |w: [f64; 2]| (w[0] * w[0] + w[1] * w[1]) / (w[0] + w[1]);
            let gain = purity(left) + purity(right);
            if best.is_none_or(|best| gain > best.gain) {
                let (low, high) = (self.rows.x[[row, feature]], self.rows.x[[self.order[at] as u32 as usize, feature]]);
                let middle = low / 2.0 + high / 2.0;
                let threshold = if middle < high { middle } else { low };
                best = Some(Cut { gain, feature, rank: rank as u32, threshold });
            }
        }
        best
    }

    /// Moves the rows that go left to the front, each side in its old order; gives where the right side starts.
    fn partition(&mut self, members: std::ops::Range<usize>, cut: Cut) -> usize {
        let ranks = &self.rows.ranks[cut.feature];
        let (left, right): (Vec<u32>, Vec<u32>) =
            self.members[members.clone()].iter().partition(|&&row| ranks[row as usize] <= cut.rank);
        let middle = members.start + left.len();
        self.members[members.start..middle].copy_from_slice(&left);
        self.members[middle..members.end].copy_from_slice(&right);
        middle
    }
}

/// A whole number below `n` from a seed; its bias is below n / 2^64.
pub fn below(seed: Seed, n: usize) -> usize {
    ((u128::from(seed.0) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_tree_splits_at_the_midpoint_of_the_best_feature() {
        let x = array![[0.0, 1.0], [1.0, 1.0], [3.0, 1.0], [4.0, 1.0]];
        let event = [false, false, true, true];
        let limits = Limits { max_depth: 0, min_samples_leaf: 1, n_features: 1 };
        let tree = Ranked::new(x.view(), &event).grow(&[1, 1, 2, 0], [1.0, 1.0], limits, Seed(1));
        assert_eq!(
            tree.nodes[0],
            Node { split: Some(Split { feature: 0, threshold: 2.0, left: 1, right: 2 }), value: 0.5, cover: 4.0 }
        );
        assert_eq!((tree.value(x.row(0)), tree.value(x.row(3))), (0.0, 1.0));
        assert_eq!(tree.importances(2), [1.0, 0.0]);
    }

    #[test]
    fn a_constant_matrix_gives_one_leaf() {
        let x = array![[1.0], [1.0]];
        let limits = Limits { max_depth: 0, min_samples_leaf: 1, n_features: 1 };
        let tree = Ranked::new(x.view(), &[true, false]).grow(&[1, 1], [1.0, 1.0], limits, Seed(1));
        assert_eq!(tree.nodes.len(), 1);
        assert_eq!(tree.value(x.row(0)), 0.5);
    }
}
