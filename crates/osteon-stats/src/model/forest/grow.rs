//! Growing a tree: Gini impurity, exact splits at midpoints, as scikit-learn's `best` splitter.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};

use crate::model::forest::tree::{Node, Split, Tree};
use osteon_base::seed::Seed;

/// Training rows with every column ordered once, shared by all trees of all forests on these rows.
pub struct Ranked<'a> {
    event: &'a [bool],
    columns: Vec<Column>,
}

/// Rows in the order of their values, equal values in the order of the rows.
struct Column {
    rows: Vec<u32>,
    /// One a place in the order: its value, and its rank, equal for equal values.
    values: Vec<f64>,
    ranks: Vec<u32>,
    /// The place of each row.
    places: Vec<u32>,
}

impl<'a> Ranked<'a> {
    /// `x` is rows x columns.
    pub fn new(x: ArrayView2<f64>, event: &'a [bool]) -> Ranked<'a> {
        assert_eq!(x.nrows(), event.len(), "one outcome a row");
        Ranked { event, columns: x.columns().into_iter().map(Column::new).collect() }
    }

    pub fn n_rows(&self) -> usize {
        self.event.len()
    }

    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    pub fn event(&self) -> &[bool] {
        self.event
    }
}

impl Column {
    fn new(column: ArrayView1<f64>) -> Column {
        let mut rows: Vec<u32> = (0..column.len() as u32).collect();
        rows.sort_by(|&a, &b| column[a as usize].total_cmp(&column[b as usize]));
        let values: Vec<f64> = rows.iter().map(|&row| column[row as usize]).collect();
        let (mut ranks, mut places) = (vec![0; rows.len()], vec![0; rows.len()]);
        for (place, &row) in rows.iter().enumerate() {
            places[row as usize] = place as u32;
            ranks[place] = if place == 0 { 0 } else { ranks[place - 1] + u32::from(values[place] > values[place - 1]) };
        }
        Column { rows, values, ranks, places }
    }
}

/// What limits the growth of trees.
#[derive(Clone)]
pub struct Limits {
    /// `usize::MAX` is no limit.
    pub max_depth: usize,
    /// Different training rows in a leaf, not their bootstrap copies; rising, one tree each.
    pub min_samples_leaf: Vec<usize>,
    /// How many features are drawn at a node.
    pub n_features: usize,
}

/// The right child while only the left side is there.
const UNKNOWN: usize = usize::MAX;

/// Grows trees one after the other in the same memory.
///
/// Trees that differ in the smallest leaf alone draw the same features at the same node: as long as their cuts agree,
/// a node is searched once for all of them.
pub struct Growth<'a> {
    rows: &'a Ranked<'a>,
    class_weights: [f64; 2],
    limits: Limits,
    /// One a smallest leaf.
    trees: Vec<Tree>,
    /// Copies of each row in the trees.
    copies: Vec<Counts>,
    /// Rows in the trees; a node owns a range of them.
    members: Vec<u32>,
    /// Places of the members of one node in the order of one column, rising.
    order: Vec<u32>,
    /// Bit p is place p; all clear between uses.
    marks: Vec<u64>,
    features: Vec<usize>,
    /// Best cuts of the nodes from the root down, one a tree that goes on.
    cuts: Vec<Option<Cut>>,
    /// Nodes below and including each node.
    sizes: Vec<usize>,
}

/// Rows by class (no event, event); whole numbers, so that sums are exact in any order.
type Counts = [f64; 2];

/// Best cut found in a node so far: between two places of a feature.
#[derive(Clone, Copy, PartialEq)]
struct Cut {
    /// The gain as numerator and denominator: comparing products is faster than dividing.
    gain: [f64; 2],
    /// Which of the features drawn at the node, and which of all.
    drawn: usize,
    feature: usize,
    places: [u32; 2],
    left: Counts,
}

impl Cut {
    /// Of equal cuts the one that was seen first is taken.
    fn beats(&self, other: &Cut) -> bool {
        let (own, others) = (self.gain[0] * other.gain[1], other.gain[0] * self.gain[1]);
        own > others || own == others && (self.drawn, self.places) < (other.drawn, other.places)
    }
}

impl<'a> Growth<'a> {
    /// Classes weigh `class_weights` (no event, event).
    pub fn new(rows: &'a Ranked, class_weights: [f64; 2], limits: Limits) -> Growth<'a> {
        Growth {
            rows,
            class_weights,
            trees: vec![Tree { nodes: Vec::new() }; limits.min_samples_leaf.len()],
            limits,
            copies: Vec::new(),
            members: Vec::new(),
            order: vec![0; rows.n_rows()],
            marks: vec![0; rows.n_rows().div_ceil(64)],
            features: vec![0; rows.n_columns()],
            cuts: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// Grows the trees on rows taken `copies` times, at least one of them once; one tree a smallest leaf.
    ///
    /// Every node draws from a seed of its own, named by its place: a tree grown with a smaller depth is this tree cut.
    pub fn trees(&mut self, copies: &[u32], seed: Seed) -> &[Tree] {
        let by_class = |(&n, &event): (&u32, &bool)| if event { [0.0, f64::from(n)] } else { [f64::from(n), 0.0] };
        self.copies.clear();
        self.copies.extend(copies.iter().zip(self.rows.event).map(by_class));
        self.members.clear();
        self.members.extend((0..copies.len() as u32).filter(|&row| copies[row as usize] > 0));
        self.trees.iter_mut().for_each(|tree| tree.nodes.clear());
        let counts = self.copies.iter().fold([0.0; 2], |sum, copies| [sum[0] + copies[0], sum[1] + copies[1]]);
        self.node(0..self.trees.len(), 0..self.members.len(), counts, 0, seed);
        self.trees.iter_mut().for_each(|tree| link(&mut tree.nodes, &mut self.sizes));
        &self.trees
    }

    /// Adds to each of `trees` the node of these members and everything below it.
    fn node(&mut self, trees: Range<usize>, members: Range<usize>, counts: Counts, depth: usize, seed: Seed) {
        let weight = self.weights(counts);
        let cover = weight[0] + weight[1];
        let node = Node { split: None, value: weight[1] / cover, cover };
        self.trees[trees.clone()].iter_mut().for_each(|tree| tree.nodes.push(node));
        let parts = |&least: &usize| members.len() >= 2.max(2 * least);
        let large = self.limits.min_samples_leaf[trees.clone()].iter().take_while(|least| parts(least)).count();
        if large == 0 || depth >= self.limits.max_depth || weight[0] <= 0.0 || weight[1] <= 0.0 {
            return;
        }
        let base = self.cuts.len();
        self.best_cuts(trees.start..trees.start + large, members.clone(), counts, seed);
        let mut from = 0;
        while from < large {
            let cut = self.cuts[base + from];
            let alike = self.cuts[base + from..base + large].iter().take_while(|other| **other == cut).count();
            if let Some(cut) = cut {
                let trees = trees.start + from..trees.start + from + alike;
                self.split(trees, members.clone(), counts, cut, depth, seed);
            }
            from += alike;
        }
        self.cuts.truncate(base);
    }

    /// Cuts the last node of `trees` and adds both sides.
    fn split(
        &mut self,
        trees: Range<usize>,
        members: Range<usize>,
        counts: Counts,
        cut: Cut,
        depth: usize,
        seed: Seed,
    ) {
        let column = &self.rows.columns[cut.feature];
        let [low, high] = cut.places.map(|place| column.values[place as usize]);
        let middle = low / 2.0 + high / 2.0;
        let threshold = if middle < high { middle } else { low };
        for tree in &mut self.trees[trees.clone()] {
            let left = tree.nodes.len();
            tree.nodes[left - 1].split = Some(Split { feature: cut.feature, threshold, left, right: UNKNOWN });
        }
        let middle = self.partition(members.clone(), cut);
        self.node(trees.clone(), members.start..middle, cut.left, depth + 1, seed.nth(0));
        let right = [counts[0] - cut.left[0], counts[1] - cut.left[1]];
        self.node(trees, middle..members.end, right, depth + 1, seed.nth(1));
    }

    fn weights(&self, counts: Counts) -> [f64; 2] {
        [counts[0] * self.class_weights[0], counts[1] * self.class_weights[1]]
    }

    /// Appends the best cut for each of `trees` to `cuts`: features are tried in random order until enough were drawn
    /// and at least one of them varies.
    fn best_cuts(&mut self, trees: Range<usize>, members: Range<usize>, counts: Counts, seed: Seed) {
        let (n, base) = (self.features.len(), self.cuts.len());
        self.cuts.resize(base + trees.len(), None);
        self.features.iter_mut().enumerate().for_each(|(at, feature)| *feature = at);
        let mut varying = false;
        for drawn in 0..n {
            if drawn >= self.limits.n_features && varying {
                break;
            }
            self.features.swap(drawn, drawn + below(seed.nth(2 + drawn), n - drawn));
            self.sort(members.clone(), self.features[drawn]);
            let ranks = &self.rows.columns[self.features[drawn]].ranks;
            varying |= ranks[self.order[0] as usize] < ranks[self.order[members.len() - 1] as usize];
            self.scan(trees.clone(), drawn, members.len(), counts, base);
        }
        // A cut that leaves enough rows for a tree leaves enough for those before it.
        for at in (base + 1..self.cuts.len()).rev() {
            if let Some(cut) = self.cuts[at]
                && self.cuts[at - 1].is_none_or(|other| cut.beats(&other))
            {
                self.cuts[at - 1] = Some(cut);
            }
        }
    }

    /// Places of the members in the order of a column: marked in a set of bits, where they stand in order.
    fn sort(&mut self, members: Range<usize>, feature: usize) {
        let places = &self.rows.columns[feature].places;
        let members = &self.members[members];
        let order = &mut self.order[..members.len()];
        if members.len() * 4 < self.marks.len() {
            order.iter_mut().zip(members).for_each(|(place, &row)| *place = places[row as usize]);
            order.sort_unstable();
            return;
        }
        for &row in members {
            let place = places[row as usize];
            self.marks[place as usize / 64] |= 1 << (place % 64);
        }
        let mut order = order.iter_mut();
        for (word, marks) in self.marks.iter_mut().enumerate() {
            let mut left = std::mem::take(marks);
            while left != 0 {
                *order.next().expect("one mark a member") = word as u32 * 64 + left.trailing_zeros();
                left &= left - 1;
            }
        }
    }

    /// Better cuts of a feature among the first `n` places of `order`, each for the tree with the largest leaves that
    /// it serves. The least Gini impurity is the largest (l₁ w₀ − l₀ w₁)² / (l r), where l, r and w weigh the left,
    /// the right and both sides by class.
    fn scan(&mut self, trees: Range<usize>, drawn: usize, n: usize, counts: Counts, base: usize) {
        let feature = self.features[drawn];
        let Column { rows, ranks, .. } = &self.rows.columns[feature];
        let [w0, w1] = self.weights(counts);
        let least = &self.limits.min_samples_leaf[trees];
        let mut left = [0.0; 2];
        for at in 1..n {
            let places = [self.order[at - 1], self.order[at]];
            let copies = self.copies[rows[places[0] as usize] as usize];
            left = [left[0] + copies[0], left[1] + copies[1]];
            let [here, next] = places.map(|place| ranks[place as usize]);
            let smaller = at.min(n - at);
            if here == next || smaller < least[0] {
                continue;
            }
            let [l0, l1] = self.weights(left);
            let (l, gap) = (l0 + l1, l1 * w0 - l0 * w1);
            let gain = [gap * gap, l * (w0 + w1 - l)];
            let largest = least.iter().rposition(|&least| least <= smaller).expect("the first is not above");
            let best = &mut self.cuts[base + largest];
            if best.is_none_or(|best| gain[0] * best.gain[1] > best.gain[0] * gain[1]) {
                *best = Some(Cut { gain, drawn, feature, places, left });
            }
        }
    }

    /// Moves the rows that go left to the front; gives where the right side starts.
    fn partition(&mut self, members: Range<usize>, cut: Cut) -> usize {
        let places = &self.rows.columns[cut.feature].places;
        let mut middle = members.start;
        for at in members {
            if places[self.members[at] as usize] <= cut.places[0] {
                self.members.swap(at, middle);
                middle += 1;
            }
        }
        middle
    }
}

/// Fills in the right children: a node's left side ends where its right side begins.
fn link(nodes: &mut [Node], sizes: &mut Vec<usize>) {
    sizes.clear();
    sizes.resize(nodes.len(), 1);
    for (at, node) in nodes.iter_mut().enumerate().rev() {
        if let Some(split) = &mut node.split {
            split.right = split.left + sizes[split.left];
            sizes[at] = 1 + sizes[split.left] + sizes[split.right];
        }
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

    fn one_feature() -> Limits {
        Limits { max_depth: usize::MAX, min_samples_leaf: vec![1], n_features: 1 }
    }

    #[test]
    fn a_tree_splits_at_the_midpoint_of_the_best_feature() {
        let x = array![[0.0, 1.0], [1.0, 1.0], [3.0, 1.0], [4.0, 1.0]];
        let rows = Ranked::new(x.view(), &[false, false, true, true]);
        let mut growth = Growth::new(&rows, [1.0, 1.0], one_feature());
        let [tree] = growth.trees(&[1, 1, 2, 0], Seed(1)) else { panic!("one tree a smallest leaf") };
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
        let rows = Ranked::new(x.view(), &[true, false]);
        let mut growth = Growth::new(&rows, [1.0, 1.0], one_feature());
        let [tree] = growth.trees(&[1, 1], Seed(1)) else { panic!("one tree a smallest leaf") };
        assert_eq!(tree.nodes.len(), 1);
        assert_eq!(tree.value(x.row(0)), 0.5);
    }
}
