//! Published numbers held against themselves: could some data give all of them at the printed digits?
//!
//! A printed number stands for every value that rounds to it, and each check asks whether any data give all the
//! numbers it sees. Nothing here reads files or knows patients. The questions are those of GRIM and GRIMMER (Brown &
//! Heathers 2017; Anaya 2016; Allard 2018), of statcheck (Nuijten et al. 2016), of mlscorecheck (Fazekas & Kovacs
//! 2023) and of the R package scrutiny.
//!
#![doc = include_str!("../README.md")]

pub mod against;
mod anova;
mod auc;
mod averages;
mod balance;
pub mod cells;
mod cohort;
mod columns;
mod comparisons;
mod correlations;
mod counts;
mod coverage;
mod denominators;
pub mod error;
mod exact;
pub mod finding;
mod fractions;
mod group_sizes;
mod independence;
mod judge;
pub mod located;
mod means;
pub mod metric;
mod metrics;
mod models;
mod moments;
mod odds;
mod permuted;
mod pooling;
pub mod printed;
mod ranked;
mod ratios;
pub mod read;
mod regression;
pub mod role;
pub mod rows;
mod scores;
mod spread;
mod stated;
mod survival;
mod tested;
mod wald;

pub use cells::{PublishedCell, read};
pub use error::ReconcileError;
pub use finding::{Finding, Kind, Place, Severity};

/// What the checks say of the cells of a reading, and of how many they could say anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub findings: Vec<Finding>,
    /// For each cell, whether a check read its numbers.
    pub used: Vec<bool>,
    /// What was taken for a whole column, one sentence each: which groups a P compares, by which test, whether digits
    /// were rounded or cut.
    pub taken: Vec<String>,
}

/// The findings with what they stand on.
pub fn judge(cells: &[PublishedCell]) -> Judgement {
    let mut arms = cohort::arms(cells);
    counts::check(&mut arms);
    let columns = columns::columns(&arms);
    let means = means::columns(&arms, &columns);
    let taken = columns.iter().map(columns::Column::taken).chain(means.iter().map(means::Means::taken)).collect();
    Judgement { findings: reconcile(cells), used: coverage::used(cells), taken }
}

/// Everything that the printed cells get wrong or reveal, gravest first within a table, tables in order.
pub fn reconcile(cells: &[PublishedCell]) -> Vec<Finding> {
    let mut arms = cohort::arms(cells);
    let mut findings = formats(cells);
    findings.extend(counts::check(&mut arms));
    findings.extend(pooling::check(&arms));
    let mut columns = columns::columns(&arms);
    let means = means::columns(&arms, &columns);
    columns::support(&mut columns, &means);
    findings.extend(tested::check(&arms, &columns));
    findings.extend(means.iter().flat_map(means::Means::findings));
    findings.extend(anova::check(&arms));
    findings.extend(ranked::check(cells));
    findings.extend(regression::check(cells, &arms));
    let models = models::models(cells, &arms);
    let (judged, left) = judge::check(&models);
    findings.extend(judged);
    findings.extend(judge::own::numbers(cells));
    findings.extend(averages::check(cells));
    findings.extend(scores::check(&left));
    let of_areas = auc::check(&models);
    let of_point = |it: &Finding| findings.iter().any(|other| is_of_point(other, it));
    let of_areas: Vec<Finding> = of_areas.into_iter().filter(|it| !of_point(it)).collect();
    findings.extend(of_areas);
    findings.extend(comparisons::check(cells, &models));
    findings.extend(stated::chosen(&models));
    findings.extend(spread::check(cells));
    findings.extend(survival::check(cells));
    findings.extend(balance::check(cells, &arms));
    findings.extend(correlations::check(cells, &arms));
    let of_fractions = fractions::check(cells, &findings);
    findings.extend(of_fractions);
    let of_terms = wald::check(cells, &findings);
    findings.extend(of_terms);
    once(&mut findings);
    let first = |finding: &Finding| cells.iter().position(|cell| cell.place.table == finding.place.table);
    findings.sort_by_key(|finding| (first(finding), finding.severity));
    findings
}

/// Whether the sensitivity or specificity of an area's row is told to be wrong: then a curve through them says nothing.
fn is_of_point(told: &Finding, area: &Finding) -> bool {
    let same = (&told.place.table, &told.place.set, &told.place.row);
    let is_point = ["Sensitivity", "Specificity"].contains(&told.place.column.as_str());
    area.kind == Kind::Auc
        && told.kind == Kind::Metric
        && told.severity != Severity::Note
        && is_point
        && same == (&area.place.table, &area.place.set, &area.place.row)
}

/// One finding of a kind for a cell: several checks may meet the same number.
fn once(findings: &mut Vec<Finding>) {
    let mut seen: Vec<(Kind, Place)> = Vec::new();
    findings.retain(|it| {
        let key = (it.kind, it.place.clone());
        let is_new = it.severity == Severity::Note || !seen.contains(&key);
        if it.severity != Severity::Note {
            seen.push(key);
        }
        is_new
    });
}

/// What was lost or assumed when tables were read, before any check: letters of an unknown encoding, cells beyond the
/// largest table. One note for each.
pub fn reading_notes(readings: &[read::Reading]) -> Vec<Finding> {
    let note = |reading: &read::Reading, why: &String| Finding {
        kind: Kind::Format,
        severity: Severity::Note,
        place: Place {
            table: reading.name.clone(),
            set: "all".to_owned(),
            row: "all rows".to_owned(),
            column: "all columns".to_owned(),
        },
        printed: String::new(),
        implied: String::new(),
        alternatives: Vec::new(),
        why: format!("{}{}.", why[..1].to_uppercase(), &why[1..]),
    };
    readings.iter().flat_map(|reading| reading.grid.notes.iter().map(move |why| note(reading, why))).collect()
}

/// Cells written unlike the others: decimal commas where most numbers have points, a bracket or a dash that is missing.
fn formats(cells: &[PublishedCell]) -> Vec<Finding> {
    let commas = cells.iter().filter(|cell| cell.has_comma).count();
    let finding = |cell: &PublishedCell, severity, implied: String, why: String| Finding {
        kind: Kind::Format,
        severity,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied,
        alternatives: Vec::new(),
        why,
    };
    let odd = cells.iter().filter_map(|cell| cell.odd.as_ref().map(|odd| (cell, odd))).map(|(cell, odd)| {
        let severity = if odd.is_notation { Severity::Note } else { Severity::Typo };
        finding(cell, severity, odd.mended.clone(), odd.why.clone())
    });
    let comma = cells.iter().filter(|cell| cell.has_comma && 2 * commas < cells.len()).map(|cell| {
        let why = "A decimal comma, where the other numbers have points.".to_owned();
        finding(cell, Severity::Typo, cell.printed.replace(',', "."), why)
    });
    odd.chain(comma).collect()
}
