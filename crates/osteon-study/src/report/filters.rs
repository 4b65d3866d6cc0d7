//! Response maps and filtered intensities held against the consensus of the IBSI's second phase.

use crate::report::sheet::{Cell, Sheet};

/// One response map against its reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub name: &'static str,
    pub phantom: &'static str,
    pub filter: String,
    /// Largest difference, as a share of the reference map's range.
    pub largest: f64,
    /// Voxels that differ by more than 1% of the range.
    pub beyond: usize,
    pub voxels: usize,
}

/// One statistic of one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub configuration: String,
    pub feature: &'static str,
    pub value: Option<f64>,
    /// Value and tolerance; `None` where the table has none.
    pub consensus: Option<(f64, f64)>,
}

impl Judged {
    /// Whether the value, rounded to three significant digits as the consensus is, lies within its tolerance.
    pub fn is_within(&self) -> Option<bool> {
        let (consensus, tolerance) = self.consensus?;
        let rounded = |value: f64| format!("{value:.2e}").parse::<f64>().expect("a printed number is a number");
        let slack = 1e-9 * consensus.abs();
        Some(self.value.is_some_and(|value| (rounded(value) - consensus).abs() <= tolerance + slack))
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// One row a map.
pub fn maps(maps: &[Map]) -> Sheet {
    let row = |map: &Map| {
        vec![
            text(map.name),
            text(map.phantom),
            Cell::Number { value: 100.0 * map.largest, digits: 4 },
            Cell::Count(map.beyond),
            Cell::Count(map.voxels),
            text(if map.beyond == 0 { "yes" } else { "no" }),
            text(&map.filter),
        ]
    };
    let headings = ["map", "phantom", "largest difference (%)", "voxels beyond 1%", "voxels", "within", "filter"];
    Sheet {
        title: "Response maps of the IBSI's phantoms (phase 2, convolutional filters)".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: maps.iter().map(row).collect(),
        notes: vec![
            "Differences are parts of the reference map's range; the IBSI allows 1% in every voxel.".to_owned(),
        ],
        ..Sheet::default()
    }
}

const VALUES: &str = "Intensity statistics of the filtered CT phantom (phase 2, configurations A)";

/// One row a value.
pub fn every(values: &[Judged]) -> Sheet {
    let number = |value: Option<f64>| value.map_or(Cell::Empty, |value| Cell::Number { value, digits: 6 });
    let row = |it: &Judged| {
        vec![
            text(&it.configuration),
            text(it.feature),
            number(it.value),
            number(it.consensus.map(|consensus| consensus.0)),
            number(it.consensus.map(|consensus| consensus.1)),
            it.is_within().map_or(Cell::Empty, |within| text(if within { "yes" } else { "no" })),
        ]
    };
    let headings = ["configuration", "feature", "value", "consensus", "tolerance", "within"];
    let headings = headings.map(str::to_owned).to_vec();
    Sheet { title: VALUES.to_owned(), headings, rows: values.iter().map(row).collect(), ..Sheet::default() }
}

/// One row a configuration.
pub fn summary(values: &[Judged]) -> Sheet {
    let row = |of: &[Judged]| {
        let known = of.iter().filter(|it| it.consensus.is_some()).count();
        let not: Vec<&str> = of.iter().filter(|it| it.is_within() == Some(false)).map(|it| it.feature).collect();
        let within = Cell::Count(known - not.len());
        vec![text(&of[0].configuration), Cell::Count(of.len()), Cell::Count(known), within, text(&not.join(", "))]
    };
    let headings = ["configuration", "values", "with consensus", "within tolerance", "not within"];
    Sheet {
        title: VALUES.to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: values.chunk_by(|a, b| a.configuration == b.configuration).map(row).collect(),
        notes: vec!["Values are rounded to three significant digits before they are compared.".to_owned()],
        ..Sheet::default()
    }
}
