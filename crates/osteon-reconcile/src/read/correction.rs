//! What a person says of a table against the reading of the program: a small TOML beside the file.

use serde::Deserialize;

use crate::metric::Metric;
use crate::read::columns::{Column, Kind};
use crate::read::rows::{Row, RowKind};
use crate::read::words::Ends;
use crate::read::{Of, Reading};
use crate::role::{Measure, Rounding};

/// The corrections of a file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    #[serde(default)]
    table: Vec<TableCorrection>,
}

/// The corrections of one table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableCorrection {
    /// From 1, in the order of the file.
    #[serde(default = "one")]
    pub number: usize,
    /// How findings call the table.
    pub name: Option<String>,
    /// `rows` or `columns`: where the names of metrics stand.
    pub metrics: Option<Metrics>,
    /// How many columns on the left hold labels.
    pub labels: Option<usize>,
    /// Whether digits were rounded or cut off.
    pub rounding: Option<Rounding>,
    /// Unit of all scores.
    pub unit: Option<Unit>,
    #[serde(default)]
    column: Vec<ColumnCorrection>,
    #[serde(default)]
    row: Vec<RowCorrection>,
}

fn one() -> usize {
    1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metrics {
    Rows,
    Columns,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Percent,
    Share,
}

/// What a column is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnCorrection {
    /// From 1.
    pub at: usize,
    /// One of `ROLES`, or the name of a metric.
    #[serde(default)]
    pub role: String,
    /// The groups that a P compares, by their names.
    pub pair: Option<Vec<String>>,
    pub unit: Option<Unit>,
    pub n: Option<u64>,
    pub name: Option<String>,
    pub set: Option<String>,
    /// Only to be read by a person.
    #[serde(default)]
    heading: String,
}

/// What a row is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCorrection {
    /// Line of the file, or number of the row where it has no lines.
    pub line: usize,
    /// `heading`, `sizes`, `variable`, `level`, `single` or `ignore`.
    #[serde(default)]
    pub role: String,
    pub variable: Option<String>,
    pub label: Option<String>,
    pub set: Option<String>,
    #[serde(default)]
    heading: String,
}

/// Roles of columns beside the names of metrics.
pub const ROLES: [&str; 14] = [
    "label",
    "group",
    "percent",
    "p",
    "statistic",
    "OR",
    "HR",
    "RR",
    "beta",
    "difference",
    "interval",
    "lower",
    "upper",
    "ignore",
];

/// Why a correction was refused.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    #[error("not a correction of tables: {0}")]
    Toml(String),
    #[error("nothing is said; expected a role, a pair, a unit, a rounding or the role of the row")]
    Nothing,
    #[error("table {table}, column {at}: role {found:?} is none of {} and no metric", ROLES.join(", "))]
    Role { table: usize, at: usize, found: String },
    #[error("table {table}, line {line}: role {found:?} is none of heading, sizes, variable, level, single, ignore")]
    RowRole { table: usize, line: usize, found: String },
}

impl Correction {
    /// Reads the TOML; every role is checked at once.
    pub fn parse(text: &str) -> Result<Correction, CorrectionError> {
        let correction: Correction =
            toml::from_str(text).map_err(|cause| CorrectionError::Toml(cause.message().to_owned()))?;
        for table in &correction.table {
            for column in table.column.iter().filter(|it| !it.role.is_empty()) {
                if kind_named(&column.role).is_none() {
                    return Err(CorrectionError::Role {
                        table: table.number,
                        at: column.at,
                        found: column.role.clone(),
                    });
                }
            }
            for row in table.row.iter().filter(|it| !it.role.is_empty()) {
                if row_named(&row.role).is_none() {
                    return Err(CorrectionError::RowRole {
                        table: table.number,
                        line: row.line,
                        found: row.role.clone(),
                    });
                }
            }
        }
        Ok(correction)
    }

    /// What is said of the table with this number; what is said later stands before what was said first.
    pub fn table(&self, number: usize) -> TableCorrection {
        let mut all = TableCorrection::default();
        for it in self.table.iter().filter(|it| it.number == number) {
            all.number = number;
            all.name = it.name.clone().or(all.name);
            all.metrics = it.metrics.or(all.metrics);
            all.labels = it.labels.or(all.labels);
            all.rounding = it.rounding.or(all.rounding);
            all.unit = it.unit.or(all.unit);
            for column in &it.column {
                match all.column.iter_mut().find(|known| known.at == column.at) {
                    Some(known) => known.amend(column),
                    None => all.column.push(column.clone()),
                }
            }
            for row in &it.row {
                match all.row.iter_mut().find(|known| known.line == row.line) {
                    Some(known) => known.amend(row),
                    None => all.row.push(row.clone()),
                }
            }
        }
        all
    }
}

/// What a person says of one cell's column, row and table; what is empty is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// Of the column: one of `ROLES`, or a metric.
    pub role: String,
    /// Names of the groups that a P compares, with colons between them.
    pub pair: String,
    /// `percent` or `share`, of the column.
    pub unit: String,
    /// `rounded` or `cut`, of the table.
    pub rounding: String,
    pub row_role: String,
}

impl Amendment {
    /// The TOML to be put behind what a file of corrections says already; `None` when nothing is said.
    pub fn toml(&self, table: usize, column: usize, line: usize) -> Option<String> {
        let quoted = |text: &str| toml::Value::String(text.trim().to_owned()).to_string();
        let line_of = |key: &str, value: &str| match value.trim() {
            "" => String::new(),
            value => format!("{key} = {}\n", quoted(value)),
        };
        let pair: Vec<String> = self.pair.split(':').map(str::trim).filter(|it| !it.is_empty()).map(quoted).collect();
        let pair = if pair.is_empty() { String::new() } else { format!("pair = [{}]\n", pair.join(", ")) };
        let of_column = line_of("role", &self.role) + &pair + &line_of("unit", &self.unit);
        let of_row = line_of("role", &self.row_role);
        let mut text = format!("\n[[table]]\nnumber = {table}\n{}", line_of("rounding", &self.rounding));
        if !of_column.is_empty() {
            text.push_str(&format!("\n[[table.column]]\nat = {column}\n{of_column}"));
        }
        if !of_row.is_empty() {
            text.push_str(&format!("\n[[table.row]]\nline = {line}\n{of_row}"));
        }
        (*self != Amendment::default()).then_some(text)
    }
}

impl TableCorrection {
    /// Whether nothing is said of any column or row.
    pub fn is_silent(&self) -> bool {
        self.column.iter().all(|it| it.role.is_empty()) && self.row.is_empty()
    }

    pub fn column(&self, at: usize) -> Option<&ColumnCorrection> {
        self.column.iter().find(|it| it.at == at)
    }

    pub fn row(&self, line: usize) -> Option<&RowCorrection> {
        self.row.iter().find(|it| it.line == line)
    }
}

impl ColumnCorrection {
    fn amend(&mut self, later: &ColumnCorrection) {
        if !later.role.is_empty() {
            self.role.clone_from(&later.role);
        }
        self.pair = later.pair.clone().or(self.pair.take());
        self.unit = later.unit.or(self.unit);
        self.n = later.n.or(self.n);
        self.name = later.name.clone().or(self.name.take());
        self.set = later.set.clone().or(self.set.take());
    }

    pub fn apply(&self, column: &mut Column) {
        if let Some(kind) = kind_named(&self.role) {
            column.kind = kind;
        }
        column.n = self.n.or(column.n);
        column.is_percent = self.unit.map(|unit| unit == Unit::Percent);
        if let Some(name) = &self.name {
            column.name.clone_from(name);
        }
        if let Some(set) = &self.set {
            column.set.clone_from(set);
        }
    }
}

impl RowCorrection {
    fn amend(&mut self, later: &RowCorrection) {
        if !later.role.is_empty() {
            self.role.clone_from(&later.role);
        }
        self.variable = later.variable.clone().or(self.variable.take());
        self.label = later.label.clone().or(self.label.take());
        self.set = later.set.clone().or(self.set.take());
    }

    pub fn apply(&self, row: &mut Row) {
        if let Some(kind) = row_named(&self.role) {
            row.kind = kind;
        }
        for (said, own) in
            [(&self.variable, &mut row.variable), (&self.label, &mut row.label), (&self.set, &mut row.set)]
        {
            if let Some(said) = said {
                own.clone_from(said);
            }
        }
    }
}

fn kind_named(role: &str) -> Option<Kind> {
    Some(match role {
        "label" => Kind::Label,
        "group" => Kind::Group,
        "percent" => Kind::Share,
        "p" => Kind::P,
        "statistic" => Kind::Statistic,
        "OR" => Kind::Estimate(Measure::OddsRatio),
        "HR" => Kind::Estimate(Measure::HazardRatio),
        "RR" => Kind::Estimate(Measure::RiskRatio),
        "beta" => Kind::Estimate(Measure::Coefficient),
        "difference" => Kind::Estimate(Measure::Difference),
        "interval" => Kind::Interval(Ends::Both),
        "lower" => Kind::Interval(Ends::Lower),
        "upper" => Kind::Interval(Ends::Upper),
        "se" => Kind::Error,
        "smd" => Kind::Balance,
        "ignore" => Kind::Ignored,
        metric => Kind::Score(Metric::named(metric)?),
    })
}

fn row_named(role: &str) -> Option<RowKind> {
    Some(match role {
        "heading" => RowKind::Heading,
        "sizes" => RowKind::Sizes,
        "variable" => RowKind::Variable,
        "level" => RowKind::Level,
        "single" => RowKind::Single,
        "ignore" => RowKind::Ignored,
        _ => return None,
    })
}

/// The readings of one file as the TOML that a person edits: every column with its role, rows only by name.
pub fn template(readings: &[Reading]) -> String {
    let mut out = String::from(
        "# How osteon read the tables of this file. Change what is wrong and read the file again; what is left out is found\n\
         # anew. Roles of columns: label, group, percent (of the group to its left), p, statistic, OR, HR, RR, beta,\n\
         # difference, interval, lower, upper, ignore, or a metric by name. A p may say pair = [\"A\", \"B\"], a group n = 93,\n\
         # a score unit = \"percent\" or \"share\". A table may say metrics = \"rows\" or \"columns\", labels = 1,\n\
         # unit = \"percent\" or \"share\", rounding = \"rounded\" or \"cut\". Rows: [[table.row]] with line and role heading,\n\
         # sizes, variable, level, single or ignore, and variable, label, set.\n",
    );
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    for reading in readings.iter().filter(|it| !it.said.is_empty()) {
        out.push_str(&format!("\n[[table]]\nnumber = {}\nname = {}\n", reading.number, quoted(&reading.name)));
        for said in reading.said.iter().filter(|it| it.of == Of::Column && !it.key.is_empty()) {
            let heading = quoted(&said.heading);
            out.push_str(&format!(
                "\n[[table.column]]\nat = {}\nheading = {heading}\nrole = {}\n",
                said.at,
                quoted(&said.key)
            ));
            if !said.pair.is_empty() {
                let pair: Vec<String> = said.pair.iter().map(|it| quoted(it)).collect();
                // A pair that is only the natural hypothesis is shown, not said.
                out.push_str(&format!("# pair = [{}]\n", pair.join(", ")));
            }
        }
    }
    out
}
