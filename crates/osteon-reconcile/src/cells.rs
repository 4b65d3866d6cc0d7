//! Published tables as a tidy file: `table,set,row,column,printed`, one cell a line, every cell as printed.

use std::collections::HashMap;

use crate::error::ReconcileError;
use crate::finding::Place;
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::value::{self, Shape};
use crate::role::{Compared, Measure, Role, Rounding, RowRole, Source, Summary};
use osteon_base::cells::Separator;

/// One printed cell.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedCell {
    /// By names; no two cells of a reading share one.
    pub place: Place,
    /// Word for word; of a cell that continues in others (estimate and interval), their texts together.
    pub printed: String,
    pub value: Value,
    /// A number of the cell has a decimal comma.
    pub has_comma: bool,
    /// Printed in percent where `value` is a share of 1: 97.52 under "Sensitivity (%)" is 0.9752.
    pub is_percent: bool,
    /// A person said whether it is a percentage or a share.
    pub is_unit_said: bool,
    /// The fraction that the cell prints beside its number: 122 of 163 in `122/163 (74.8)`, 30 of 40 in `75.0 (30/40)`.
    pub fraction: Option<(u64, u64)>,
    /// Smallest and greatest value behind a mean with its SD: `17.1 ± 9.0 (4-52)`.
    pub range: Option<(Printed, Printed)>,
    /// The cell is not written as cells are, and was read in this way.
    pub odd: Option<Odd>,
    /// Whether the table's digits are rounded or cut, when a person has said it.
    pub rounding: Option<Rounding>,
    pub source: Source,
    pub role: Role,
    pub row_role: RowRole,
}

/// An odd cell: a finding of kind format, and never a reason to refuse its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// How it was read.
    pub mended: String,
    /// One sentence.
    pub why: String,
    /// A notation of its own (`5.87 * 10-5`) and no slip.
    pub is_notation: bool,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// `24(25.8)`
    Count { n: u64, percent: Printed },
    /// `17.13 ± 9.01` or `17.13 (9.01)`
    MeanSd { mean: Printed, sd: Printed },
    /// `1.148(0.452-2.914)`
    Estimate { estimate: Printed, low: Printed, high: Printed },
    /// `0.771`, `93`, `<0.001`
    Number(Printed),
    /// `4.5 (3.5-5.5)` or `9.1 (18.4)` under a label that says median: never a mean, an SD or a count.
    Median { median: Printed, spread: Option<(Printed, Printed)> },
    /// `Z = 1.189 (p value = 0.264)`
    Test { statistic: Printed, p: Printed },
    /// `Reference`
    Reference,
    /// Words without a number that a check reads.
    Words,
    /// `-` or nothing
    Absent,
}

impl Value {
    /// The same numbers, their further digits known to be cut off.
    pub fn cut(self) -> Value {
        match self {
            Value::Count { n, percent } => Value::Count { n, percent: percent.cut() },
            Value::MeanSd { mean, sd } => Value::MeanSd { mean: mean.cut(), sd: sd.cut() },
            Value::Estimate { estimate, low, high } => {
                Value::Estimate { estimate: estimate.cut(), low: low.cut(), high: high.cut() }
            }
            Value::Number(number) => Value::Number(number.cut()),
            Value::Median { median, spread } => {
                Value::Median { median: median.cut(), spread: spread.map(|(low, high)| (low.cut(), high.cut())) }
            }
            Value::Test { statistic, p } => Value::Test { statistic: statistic.cut(), p: p.cut() },
            other => other,
        }
    }
}

const COLUMNS: [&str; 5] = ["table", "set", "row", "column", "printed"];

/// Reads a tidy file; a cell given twice is refused by line and column, one that says nothing known stays words.
pub fn read(text: &str) -> Result<Vec<PublishedCell>, ReconcileError> {
    let params =
        osteon_base::cells::Params { separator: Some(Separator::Comma), ..osteon_base::cells::Params::default() };
    let grid = osteon_base::cells::read(text.as_bytes(), &params)?;
    let Some((header, rows)) = grid.headed() else { return Err(ReconcileError::NoColumn { name: COLUMNS[0] }) };
    let mut at = [0; COLUMNS.len()];
    for (at, name) in at.iter_mut().zip(COLUMNS) {
        *at = header.texts().position(|it| it == name).ok_or(ReconcileError::NoColumn { name })?;
    }
    let (mut cells, mut lines) = (Vec::new(), HashMap::new());
    for record in rows {
        let line = record.line as u64;
        let [table, set, row, column, printed] = at.map(|index| record.text(index).to_owned());
        let place = Place { table, set, row, column };
        for (name, found) in [("table", &place.table), ("row", &place.row), ("column", &place.column)] {
            if found.is_empty() {
                return Err(ReconcileError::Cell { line, column: name, why: "is empty".to_owned() });
            }
        }
        if let Some(first) = lines.insert(place.clone(), line) {
            let why = format!("this cell was given before, on line {first}");
            return Err(ReconcileError::Cell { line, column: "column", why });
        }
        let source = Source {
            line: record.cell(at[4]).map_or(record.line, |cell| cell.line),
            column: at[4] + 1,
            ..Source::default()
        };
        cells.push(cell(place, printed, source));
    }
    settle_units(&mut cells);
    name_groups(&mut cells);
    Ok(cells)
}

/// A cell of a tidy file; what is not written as cells are is mended and told, or stays words.
fn cell(place: Place, printed: String, source: Source) -> PublishedCell {
    let lenient = value::read(&printed);
    let said = crate::read::words::summary(&place.row);
    let is_median = matches!(said, Summary::MedianIqr | Summary::Range);
    let (mut value, has_comma) = match understand(&printed) {
        Some((value, has_comma)) => (value, has_comma),
        None => (loose(&lenient), lenient.has_comma),
    };
    let (role, row_role) = roles(&place, &value);
    if is_median && role == Role::Unknown {
        value = match value {
            Value::MeanSd { mean, .. } => Value::Median { median: mean, spread: None },
            Value::Estimate { estimate, low, high } => Value::Median { median: estimate, spread: Some((low, high)) },
            Value::Count { n, .. } => Value::Median { median: Printed::of(n as f64, 0), spread: None },
            other => other,
        };
    }
    PublishedCell {
        place,
        printed,
        value,
        has_comma,
        is_percent: false,
        is_unit_said: false,
        fraction: lenient.fraction,
        range: lenient.range,
        odd: lenient.odd,
        rounding: None,
        source,
        role,
        row_role,
    }
}

/// What the lenient reader found.
fn loose(read: &value::Read) -> Value {
    match read.shape {
        Shape::Absent => Value::Absent,
        Shape::Reference => Value::Reference,
        Shape::Words | Shape::Ends(..) => Value::Words,
        Shape::One(number) => Value::Number(number),
        Shape::Pair(first, second) if first.decimals() == 0 && first.value() >= 0.0 => {
            Value::Count { n: first.value() as u64, percent: second }
        }
        Shape::Pair(mean, sd) | Shape::PlusMinus(mean, sd) => Value::MeanSd { mean, sd },
        Shape::Interval(estimate, low, high) => Value::Estimate { estimate, low, high },
        Shape::Test(statistic, p) => Value::Test { statistic, p },
    }
}

/// Scores with a percent sign, or most of whose column lies above 1, are percentages.
fn settle_units(cells: &mut [PublishedCell]) {
    let share = |cell: &PublishedCell| matches!(cell.role, Role::Score(metric) if metric.is_share());
    let number = |cell: &PublishedCell| match cell.value {
        Value::Number(number) | Value::Estimate { estimate: number, .. } => Some(number.value()),
        _ => None,
    };
    let mut columns: HashMap<[String; 2], Vec<f64>> = HashMap::new();
    for cell in cells.iter().filter(|cell| share(cell)) {
        let key = [cell.place.table.clone(), cell.place.column.clone()];
        columns.entry(key).or_default().extend(number(cell));
    }
    for cell in cells.iter_mut().filter(|cell| share(cell)) {
        let values = &columns[&[cell.place.table.clone(), cell.place.column.clone()]];
        let above = values.iter().filter(|value| **value > 1.0).count();
        let most = values.iter().copied().fold(0.0, f64::max);
        cell.is_percent =
            cell.printed.contains('%') && !cell.printed.contains("95%") || 2 * above > values.len() && most >= 5.0;
    }
    crate::read::emit::shares(cells);
}

/// The roles that the names of a tidy file say.
fn roles(place: &Place, value: &Value) -> (Role, RowRole) {
    let column = place.column.to_lowercase();
    let last = column.split_whitespace().last().unwrap_or("");
    let ratio = [Measure::OddsRatio, Measure::HazardRatio, Measure::RiskRatio, Measure::Coefficient].into_iter();
    let measure = ratio.clone().find(|it| place.column.split([' ', '(', ',']).any(|word| word == it.word()));
    let role = if place.row.eq_ignore_ascii_case("n") {
        let Value::Number(n) = value else { return (Role::Unknown, RowRole::Sizes) };
        Role::Group { n: Some(n.value().max(0.0) as u64), is_total: false }
    } else if column == "p" || column.ends_with("p value") || column.ends_with("p-value") || last == "pvalue" {
        Role::P(Compared::default())
    } else if crate::cohort::STATISTICS.contains(&column.as_str()) {
        Role::Statistic(Compared::default())
    } else if let Some(measure) = measure {
        Role::Estimate(measure)
    } else {
        Metric::named(&place.column).map_or(Role::Unknown, Role::Score)
    };
    let words = || match place.row.split_once(": ") {
        Some((variable, level)) => (variable.trim().to_owned(), level.trim().to_owned()),
        None => (place.row.clone(), String::new()),
    };
    let row = match &role {
        _ if place.row.eq_ignore_ascii_case("n") => RowRole::Sizes,
        _ if place.row.starts_with("DeLong: ") => RowRole::Comparison,
        Role::Score(_) => RowRole::Model,
        Role::Estimate(_) => {
            let (variable, level) = words();
            RowRole::Term { variable, level }
        }
        _ if place.row.contains(": ") => {
            let (variable, level) = words();
            RowRole::Level { variable, level }
        }
        _ => RowRole::Variable { variable: place.row.clone() },
    };
    (role, row)
}

/// Columns with a size in their set are groups in every row, and a P of a cohort table is of all but the total.
fn name_groups(cells: &mut [PublishedCell]) {
    let mut sizes: HashMap<[String; 2], Vec<(String, Option<u64>)>> = HashMap::new();
    for cell in cells.iter() {
        if let (RowRole::Sizes, Role::Group { n, .. }) = (&cell.row_role, &cell.role) {
            let key = [cell.place.table.clone(), cell.place.set.clone()];
            sizes.entry(key).or_default().push((cell.place.column.clone(), *n));
        }
    }
    for cell in cells.iter_mut() {
        let Some(groups) = sizes.get(&[cell.place.table.clone(), cell.place.set.clone()]) else { continue };
        let sum: u64 = groups.iter().filter_map(|(_, n)| *n).sum();
        let total = |name: &str, n: Option<u64>| {
            let named = ["total", "all", "overall"].contains(&name.to_lowercase().as_str());
            named || groups.len() > 2 && n.is_some_and(|n| 2 * n == sum)
        };
        if let Some((name, n)) = groups.iter().find(|(name, _)| *name == cell.place.column) {
            cell.role = Role::Group { n: *n, is_total: total(name, *n) };
        }
        if let Role::P(compared) | Role::Statistic(compared) = &mut cell.role {
            let others = groups.iter().filter(|(name, n)| !total(name, *n));
            compared.groups = others.map(|(name, _)| name.clone()).collect();
        }
    }
}

/// What a printed cell says, and whether it has a decimal comma; `None` when it says nothing known.
fn understand(printed: &str) -> Option<(Value, bool)> {
    let text = printed.replace(['−', '–', '—'], "-").replace("+/-", "±").replace('\u{a0}', " ");
    let text = text.trim();
    if ["", "-", "NA", "n/a"].contains(&text) {
        return Some((Value::Absent, false));
    }
    let mut has_comma = false;
    let mut number = |text: &str| {
        let text = without_thousands(text.trim());
        has_comma |= text.contains(',');
        Printed::parse(&text)
    };
    let value = if let Some((mean, sd)) = text.split_once('±') {
        Value::MeanSd { mean: number(mean)?, sd: number(sd)? }
    } else if let Some(open) = text.find(['(', '[']) {
        let inner = text[open + 1..].trim_end_matches([')', ']']).trim();
        let level = inner.trim_start_matches("95%").trim_start_matches([' ', 'C', 'I', ':', ',']);
        // 36 (95%) has nothing behind its 95%.
        let inner = if level.is_empty() { inner } else { level };
        match bounds(inner) {
            Some((low, high)) => {
                Value::Estimate { estimate: number(&text[..open])?, low: number(low)?, high: number(high)? }
            }
            None => {
                let (head, inner) = (number(&text[..open])?, number(inner)?);
                match u64::try_from(head.value() as i64) {
                    Ok(n) if head.decimals() == 0 => Value::Count { n, percent: inner },
                    _ => Value::MeanSd { mean: head, sd: inner },
                }
            }
        }
    } else {
        let bare = text.trim_start_matches(['p', 'P', ' ']).trim_start_matches(['=', ' ']);
        Value::Number(number(bare)?)
    };
    Some((value, has_comma))
}

/// Whether a printed score is a percentage: it has the sign, or no share is as large.
pub fn percent_like(printed: &str) -> bool {
    let number: String = printed.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    printed.contains('%') || number.parse::<f64>().is_ok_and(|it| it > 1.5)
}

/// A computed share with the digits, and in the unit, of the printed one.
pub fn shown_like(text: &str, printed: Printed, share: f64) -> String {
    let (scale, digits) =
        if percent_like(text) { (100.0, printed.decimals().saturating_sub(2)) } else { (1.0, printed.decimals()) };
    format!("{:.*}", digits as usize, share * scale)
}

/// The two ends of `0.471-0.986`, `0.471 to 0.986`, `0.471; 0.986` or `0.471, 0.986`.
fn bounds(inner: &str) -> Option<(&str, &str)> {
    for separator in [" to ", ";", ", "] {
        if let Some(both) = inner.split_once(separator) {
            return Some(both);
        }
    }
    if let Some((low, high)) = inner.split_once(',').filter(|(low, high)| low.contains('.') && high.contains('.')) {
        return Some((low, high));
    }
    let hyphen = inner
        .char_indices()
        .skip(1)
        .find(|&(at, c)| c == '-' && inner[..at].trim_end().ends_with(|before: char| before.is_ascii_digit()))?;
    Some((&inner[..hyphen.0], &inner[hyphen.0 + 1..]))
}

/// `1,234` without its comma; `0,84` and `1,23` keep theirs.
fn without_thousands(text: &str) -> String {
    let mut groups = text.split(',');
    let first = groups.next().unwrap_or("");
    let leads = (1..=3).contains(&first.len()) && !first.starts_with('0') && first.bytes().all(|b| b.is_ascii_digit());
    let follow = groups.clone().count() > 0 && groups.all(|it| it.len() == 3 && it.bytes().all(|b| b.is_ascii_digit()));
    if leads && follow { text.replace(',', "") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Value {
        understand(text).unwrap().0
    }

    fn number(text: &str) -> Printed {
        Printed::parse(text).unwrap()
    }

    #[test]
    fn cells_are_read_as_journals_print_them() {
        let count = |n, percent| Value::Count { n, percent: number(percent) };
        let interval =
            |estimate, low, high| Value::Estimate { estimate: number(estimate), low: number(low), high: number(high) };
        assert_eq!(said("24(25.8)"), count(24, "25.8"));
        assert_eq!(said("1,234 [5.6%]"), count(1234, "5.6"));
        assert_eq!(understand("5(55,6)"), Some((count(5, "55.6"), true)));
        assert_eq!(said("17.13 +/- 9.01"), Value::MeanSd { mean: number("17.13"), sd: number("9.01") });
        for text in ["0.5(0.4-0.6)", "0.5 (95% CI: 0.4–0.6)", "0.5 [0.4, 0.6]", "0.5(0.4,0.6)", "0.5 (0.4 to 0.6)"] {
            assert_eq!(understand(text), Some((interval("0.5", "0.4", "0.6"), false)), "{text}");
        }
        assert_eq!(said("-0.5(-0.6--0.4)"), interval("-0.5", "-0.6", "-0.4"));
        assert_eq!(said("P < 0.001"), Value::Number(number("<0.001")));
        assert_eq!(said("–"), Value::Absent);
        assert_eq!(understand("see text"), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_line_and_column() {
        for (text, expected) in [
            ("table,set,row,column\n1,a,b,c\n", "the header has no column \"printed\""),
            ("table,set,row,column,printed\n1,all,Sex,P,0.5\n1,all,,P,0.5\n", "line 3, column \"row\": is empty"),
            (
                "table,set,row,column,printed\n1,all,Sex,P,0.5\n1,all,Sex,P,0.6\n",
                "line 3, column \"column\": this cell was given before, on line 2",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
        for ending in ["\n", "\r\n"] {
            let text =
                ["table,set,row,column,printed", "3,all,M,Accuracy,0.5x", "3,all,M,Sensitivity,none"].join(ending);
            let cells = read(&text).unwrap();
            let odd = cells[0].odd.as_ref().map(|odd| odd.mended.as_str());
            assert_eq!((cells[0].source.line, odd, cells[1].value), (2, Some("0.5"), Value::Words));
        }
    }
}
