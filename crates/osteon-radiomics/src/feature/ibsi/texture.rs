//! What texture matrices are counted from, slice by slice or in the whole volume, and how the counts are put together.

use serde::{Deserialize, Serialize};

use crate::feature::ibsi::region::Region;

/// Over which neighbourhoods matrices are counted, and how those of slices are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dimension {
    /// A matrix a slice; features are averaged over slices.
    #[serde(rename = "2D")]
    Slices,
    /// A matrix a slice; the matrices of all slices are added up.
    #[serde(rename = "2.5D")]
    MergedSlices,
    /// One matrix of the volume.
    #[serde(rename = "3D")]
    Volume,
}

impl Dimension {
    /// The ending of a feature's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Dimension::Slices => "2D",
            Dimension::MergedSlices => "2_5D",
            Dimension::Volume => "3D",
        }
    }

    /// Directions of neighbours: those within a slice come first.
    pub fn directions(self) -> usize {
        if self == Dimension::Volume { 13 } else { 4 }
    }
}

/// A region's levels in its padded box: 0 outside.
pub struct Levels<'a> {
    pub region: &'a Region,
    pub cells: Vec<u32>,
    /// Highest level.
    pub highest: u32,
}

impl Levels<'_> {
    /// The cells of each slice, or of the volume.
    pub fn slabs(&self, dimension: Dimension) -> Vec<&[usize]> {
        match dimension {
            Dimension::Volume => vec![&self.region.cells],
            _ => self.region.cells.chunk_by(|&a, &b| self.region.place(a)[0] == self.region.place(b)[0]).collect(),
        }
    }

    /// Cells to all neighbours, to both sides.
    pub fn neighbours(&self, dimension: Dimension) -> Vec<isize> {
        let steps = self.region.steps();
        steps[..dimension.directions()].iter().flat_map(|&step| [step, -step]).collect()
    }

    /// Level of the cell a step away.
    pub fn next(&self, cell: usize, step: isize) -> u32 {
        self.cells[cell.strict_add_signed(step)]
    }
}

/// Counts that can be added to others of their kind.
pub trait Counts: Clone {
    fn add(&mut self, other: &Self);
    fn is_empty(&self) -> bool;
}

/// Pairs of a level with another number, as often as they occur.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    pub pairs: Vec<(u32, u32)>,
    /// Voxels that were looked at, once a direction.
    pub voxels: usize,
}

impl Counts for Pairs {
    fn add(&mut self, other: &Pairs) {
        self.pairs.extend(&other.pairs);
        self.voxels += other.voxels;
    }

    fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// A pair and how often it occurs, in ascending order.
pub fn table(mut pairs: Vec<(u32, u32)>) -> Vec<(u32, u32, f64)> {
    pairs.sort_unstable();
    pairs.chunk_by(PartialEq::eq).map(|same| (same[0].0, same[0].1, same.len() as f64)).collect()
}

/// The counts whose features are averaged: each slab and direction by itself, then directions put together; slabs are
/// put together unless features are averaged over slices.
pub fn averaged<C: Counts>(slabs: Vec<Vec<C>>, dimension: Dimension) -> Vec<C> {
    if dimension == Dimension::Slices {
        return slabs.into_iter().flatten().collect();
    }
    let mut slabs = slabs.into_iter();
    let first = slabs.next().unwrap_or_default();
    slabs.fold(first, |mut sum, slab| {
        sum.iter_mut().zip(&slab).for_each(|(own, other)| own.add(other));
        sum
    })
}

/// The same with all directions of a slab put together.
pub fn merged<C: Counts>(slabs: Vec<Vec<C>>, dimension: Dimension) -> Vec<C> {
    averaged(slabs.into_iter().map(|directions| sum(directions).into_iter().collect()).collect(), dimension)
}

fn sum<C: Counts>(counts: Vec<C>) -> Option<C> {
    counts.into_iter().reduce(|mut sum, other| {
        sum.add(&other);
        sum
    })
}

/// The mean of each feature over the counts in which it is defined.
pub fn mean<C: Counts, const N: usize>(counts: &[C], features: impl Fn(&C) -> [Option<f64>; N]) -> Vec<Option<f64>> {
    let all: Vec<[Option<f64>; N]> = counts.iter().filter(|counts| !counts.is_empty()).map(features).collect();
    let mean = |k: usize| {
        let defined: Vec<f64> = all.iter().filter_map(|values| values[k]).collect();
        (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
    };
    (0..N).map(mean).collect()
}
