//! Forests as JSON, one list a property and one entry a node, as scikit-learn holds them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::forest::{Forest, Node, Split, Tree};

const FORMAT: &str = "rf-json-1";
const DOC: &str = "node 0 is the root; leaf <=> children_left == -1; go left iff x[feature] <= threshold; \
    value = P(event) in the node; forest prediction = mean over trees of leaf value; \
    cover = weighted training rows reaching the node";

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    #[serde(default)]
    doc: String,
    features: Vec<String>,
    n_trees: usize,
    trees: Vec<Lists>,
}

#[derive(Serialize, Deserialize)]
struct Lists {
    children_left: Vec<i64>,
    children_right: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    value: Vec<f64>,
    cover: Vec<f64>,
}

/// Why a document is no forest.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForestError {
    #[error("the forest is not JSON of the expected shape: {0}")]
    Shape(String),
    #[error("the format is {0}, expected {FORMAT}")]
    Format(String),
    #[error("{found} trees, {expected} announced")]
    Trees { found: usize, expected: usize },
    #[error("tree {tree}: lists of different lengths, or none")]
    Lengths { tree: usize },
    #[error("tree {tree}, node {node}: child or feature out of range")]
    Node { tree: usize, node: usize },
    #[error("tree {tree}, node {node}: value {value} is no share, or cover {cover} is not above 0")]
    Value { tree: usize, node: usize, value: f64, cover: f64 },
}

impl Forest {
    pub fn to_json(&self) -> String {
        serde_json::to_string(&Document::of(self)).expect("a forest is plain data")
    }

    /// Children must follow their parent, so that every row ends in a leaf.
    pub fn from_json(text: &str) -> Result<Forest, ForestError> {
        let document: Document = serde_json::from_str(text).map_err(|cause| ForestError::Shape(cause.to_string()))?;
        document.forest()
    }
}

/// The document of `Forest::to_json` as a field of another: `#[serde(with = "exchange")]`.
pub fn serialize<S: Serializer>(forest: &Forest, to: S) -> Result<S::Ok, S::Error> {
    Document::of(forest).serialize(to)
}

/// Reads such a field, checked as `Forest::from_json` checks it.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Forest, D::Error> {
    Document::deserialize(from)?.forest().map_err(serde::de::Error::custom)
}

impl Document {
    fn of(forest: &Forest) -> Document {
        Document {
            format: FORMAT.to_owned(),
            doc: DOC.to_owned(),
            features: forest.features.clone(),
            n_trees: forest.trees.len(),
            trees: forest.trees.iter().map(lists).collect(),
        }
    }

    fn forest(self) -> Result<Forest, ForestError> {
        let document = self;
        if document.format != FORMAT {
            return Err(ForestError::Format(document.format));
        }
        if document.trees.len() != document.n_trees || document.n_trees == 0 {
            return Err(ForestError::Trees { found: document.trees.len(), expected: document.n_trees });
        }
        let n_features = document.features.len();
        let read = |(at, lists)| tree(at, lists, n_features);
        let trees = document.trees.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Forest { features: document.features, trees })
    }
}

fn lists(tree: &Tree) -> Lists {
    let by = |of: &dyn Fn(&Split) -> i64, leaf: i64| {
        tree.nodes.iter().map(|node| node.split.as_ref().map_or(leaf, of)).collect()
    };
    Lists {
        children_left: by(&|split| split.left as i64, -1),
        children_right: by(&|split| split.right as i64, -1),
        feature: by(&|split| split.feature as i64, -2),
        threshold: tree.nodes.iter().map(|node| node.split.map_or(-2.0, |split| split.threshold)).collect(),
        value: tree.nodes.iter().map(|node| node.value).collect(),
        cover: tree.nodes.iter().map(|node| node.cover).collect(),
    }
}

fn tree(tree: usize, lists: &Lists, n_features: usize) -> Result<Tree, ForestError> {
    let n = lists.children_left.len();
    let lengths =
        [lists.children_right.len(), lists.feature.len(), lists.threshold.len(), lists.value.len(), lists.cover.len()];
    if n == 0 || lengths.iter().any(|&length| length != n) {
        return Err(ForestError::Lengths { tree });
    }
    let node = |node: usize| {
        let (value, cover) = (lists.value[node], lists.cover[node]);
        if !(0.0..=1.0).contains(&value) || !cover.is_finite() || cover <= 0.0 {
            return Err(ForestError::Value { tree, node, value, cover });
        }
        if lists.children_left[node] == -1 {
            return Ok(Node { split: None, value, cover });
        }
        let below = |child: i64| usize::try_from(child).ok().filter(|&child| child > node && child < n);
        let feature = usize::try_from(lists.feature[node]).ok().filter(|&feature| feature < n_features);
        let (left, right) = (below(lists.children_left[node]), below(lists.children_right[node]));
        match (feature, left, right, lists.threshold[node]) {
            (Some(feature), Some(left), Some(right), threshold) if threshold.is_finite() => {
                Ok(Node { split: Some(Split { feature, threshold, left, right }), value, cover })
            }
            _ => Err(ForestError::Node { tree, node }),
        }
    };
    Ok(Tree { nodes: (0..n).map(node).collect::<Result<_, _>>()? })
}
