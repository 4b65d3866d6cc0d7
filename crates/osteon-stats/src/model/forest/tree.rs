//! One classification tree: nodes, where a row ends, and what each feature gave.

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};

/// Nodes in depth-first order, the root first; the left child follows its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// `None` in a leaf.
    pub split: Option<Split>,
    /// Weighted share of events among the training rows that reach the node.
    pub value: f64,
    /// Weighted number of training rows that reach the node.
    pub cover: f64,
}

/// Rows with `x[feature] <= threshold` go left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    pub feature: usize,
    pub threshold: f64,
    pub left: usize,
    pub right: usize,
}

impl Tree {
    /// The leaf value of a row.
    pub fn value(&self, row: ArrayView1<f64>) -> f64 {
        let mut node = &self.nodes[0];
        while let Some(split) = node.split {
            node = &self.nodes[split.child(row[split.feature])];
        }
        node.value
    }

    /// The values where a row ends in the tree cut at each of `depths`, which rise: the trees grown with these limits.
    pub fn values_at_depths(&self, row: &[f64], depths: &[usize], values: &mut [f64]) {
        let (mut node, mut depth) = (&self.nodes[0], 0);
        for (value, &limit) in values.iter_mut().zip(depths) {
            while let Some(split) = node.split
                && depth < limit
            {
                node = &self.nodes[split.child(row[split.feature])];
                depth += 1;
            }
            *value = node.value;
        }
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
