//! Published numbers held against themselves: could some data give all of them at the printed digits?
//!
//! A printed number stands for every value that rounds to it, and each check asks whether any data give all the
//! numbers it sees. Nothing here reads files or knows patients. The questions are those of GRIM and GRIMMER (Brown &
//! Heathers 2017; Anaya 2016; Allard 2018), of statcheck (Nuijten et al. 2016), of mlscorecheck (Fazekas & Kovacs
//! 2023) and of the R package scrutiny.
//!
#![doc = include_str!("../README.md")]

mod across;
pub mod against;
mod anova;
mod auc;
mod averages;
mod balance;
pub mod cells;
mod chance;
mod cohort;
mod columns;
mod comparisons;
mod correlations;
mod counts;
mod coverage;
mod denominators;
mod each_level;
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
mod tallies;
mod tested;
mod wald;
mod whole;

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
    let of_counts = counts::check(&mut arms);
    let (of_levels, judged) = each_level::check(cells, &arms);
    let tests = Tests::new(&arms, &judged);
    let joined = across::arms(&arms, &tests.columns);
    let across = Tests::new(&joined, &[]).explained();
    let tests = tests.without(&across);
    let taken = tests.taken().chain(across.taken()).collect();
    let mut used = coverage::used(cells);
    let unjudged: Vec<Place> = tests.unjudged().chain(across.unjudged()).chain(regression::unjudged(cells)).collect();
    for (cell, used) in cells.iter().zip(&mut used) {
        *used &= !unjudged.contains(&cell.place);
    }
    let mut of_tests = of_levels;
    of_tests.extend(tests.findings(&arms));
    of_tests.extend(across.of_columns());
    Judgement { findings: all(cells, &arms, of_counts, of_tests), used, taken }
}

/// Everything that the printed cells get wrong or reveal, gravest first within a table, tables in order.
pub fn reconcile(cells: &[PublishedCell]) -> Vec<Finding> {
    judge(cells).findings
}

/// The columns of P values over counts and over means.
struct Tests<'a> {
    columns: Vec<columns::Column<'a>>,
    means: Vec<means::Means<'a>>,
}

impl<'a> Tests<'a> {
    /// Of the groups of each set, but for variables that are `judged` already: their levels have their own P values.
    fn new(arms: &'a [cohort::Arm], judged: &[each_level::Judged]) -> Tests<'a> {
        let mut columns = columns::columns(arms);
        for column in &mut columns {
            let (table, set) = (&column.arm.table, &column.arm.set);
            column.lines.retain(|line| {
                !judged.iter().any(|it| (&it.table, &it.set, &it.variable) == (table, set, &line.variable.name))
            });
        }
        columns.retain(|it| !it.lines.is_empty());
        let means = means::columns(arms, &columns);
        columns::support(&mut columns, &means);
        Tests { columns, means }
    }

    /// Those that can be judged, and whose groups are whole sets.
    fn explained(mut self) -> Tests<'a> {
        self.columns.retain(|it| it.is_judged() && it.groups.iter().all(|pool| pool.len() > 1));
        let columns = &self.columns;
        self.means.retain(|it| columns.iter().any(|column| it.is_of(column)));
        self
    }

    /// Without the columns that another choice of groups explains.
    fn without(mut self, others: &Tests) -> Tests<'a> {
        let keys: Vec<[String; 3]> = others.columns.iter().map(columns::Column::key).collect();
        self.columns.retain(|it| !keys.contains(&it.key()));
        self.means.retain(|it| !keys.contains(&it.key()));
        self
    }

    fn taken(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(columns::Column::taken).chain(self.means.iter().map(means::Means::taken))
    }

    fn unjudged(&self) -> impl Iterator<Item = Place> {
        let of_counts = self.columns.iter().flat_map(columns::Column::unjudged);
        of_counts.chain(self.means.iter().flat_map(means::Means::unjudged))
    }

    fn findings(&self, arms: &[cohort::Arm]) -> Vec<Finding> {
        let mut findings = tested::check(arms, &self.columns);
        findings.extend(self.means.iter().flat_map(means::Means::findings));
        findings
    }

    fn of_columns(&self) -> Vec<Finding> {
        let of_counts = self.columns.iter().flat_map(columns::Column::findings);
        of_counts.chain(self.means.iter().flat_map(means::Means::findings)).collect()
    }
}

fn all(cells: &[PublishedCell], arms: &[cohort::Arm], of_counts: Vec<Finding>, of_tests: Vec<Finding>) -> Vec<Finding> {
    let mut findings = formats(cells);
    findings.extend(of_counts);
    findings.extend(pooling::check(arms));
    findings.extend(of_tests);
    findings.extend(anova::check(arms));
    // A statistic beside counts that say the P is told by these.
    let of_ranks: Vec<Finding> = ranked::check(cells).into_iter().filter(|it| !is_row_told(&findings, it)).collect();
    findings.extend(of_ranks);
    findings.extend(regression::check(cells, arms));
    let models = models::models(cells, arms);
    let (judged, left) = judge::check(&models);
    findings.extend(judged);
    findings.extend(judge::own::numbers(cells));
    findings.extend(judge::folds::check(cells));
    findings.extend(averages::check(cells));
    findings.extend(scores::check(&left));
    let of_areas = auc::check(&models);
    let of_point = |it: &Finding| findings.iter().any(|other| is_of_point(other, it));
    let of_areas: Vec<Finding> = of_areas.into_iter().filter(|it| !of_point(it)).collect();
    findings.extend(of_areas);
    findings.extend(chance::check(cells, &models));
    findings.extend(comparisons::check(cells, &models));
    findings.extend(stated::chosen(&models));
    findings.extend(spread::check(cells));
    findings.extend(survival::check(cells));
    findings.extend(tallies::check(cells));
    findings.extend(whole::check(cells));
    findings.extend(balance::check(cells, arms));
    findings.extend(correlations::check(cells, arms));
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

/// Whether something is told of a finding's row already.
fn is_row_told(findings: &[Finding], of: &Finding) -> bool {
    let row = |it: &Finding| [it.place.table.clone(), it.place.set.clone(), it.place.row.clone()];
    findings.iter().any(|it| it.severity != Severity::Note && row(it) == row(of))
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
