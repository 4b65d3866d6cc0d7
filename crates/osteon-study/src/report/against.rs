//! A recomputed table beside the published one, cell by cell.

use crate::report::printed::Entry;
use crate::report::sheet::{Cell, Sheet};

/// One published cell: a line of a file with the columns `table,set,row,column,printed`.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    pub table: String,
    pub set: String,
    pub row: String,
    pub column: String,
    pub printed: String,
}

/// How a cell of ours stands to the published one.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Same,
    /// The numbers agree, the way they are written does not: a decimal comma.
    Notation,
    /// In units of the last printed digit, one entry a number.
    Digits(Vec<i64>),
    /// Something is printed that is no number of ours, or the other way round.
    Unlike,
    NotComputed,
    NotPrinted,
}

/// Both cells and how they differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub set: String,
    pub row: String,
    pub column: String,
    pub ours: Option<Cell>,
    pub theirs: Option<String>,
    pub difference: Difference,
}

/// Pairs the cells of one table by set, row and column; published ones first, in their order.
pub fn against(table: &str, ours: &[Entry], published: &[Published]) -> Vec<Compared> {
    let same =
        |entry: &Entry, cell: &Published| entry.set == cell.set && entry.row == cell.row && entry.column == cell.column;
    let of_table: Vec<&Published> = published.iter().filter(|cell| cell.table == table).collect();
    let mut found: Vec<Compared> = of_table
        .iter()
        .map(|cell| {
            let entry = ours.iter().find(|entry| same(entry, cell));
            Compared {
                set: cell.set.clone(),
                row: cell.row.clone(),
                column: cell.column.clone(),
                ours: entry.map(|entry| entry.cell.clone()),
                theirs: Some(cell.printed.clone()),
                difference: entry.map_or(Difference::NotComputed, |entry| difference(&entry.cell, &cell.printed)),
            }
        })
        .collect();
    let unprinted = ours.iter().filter(|entry| !of_table.iter().any(|cell| same(entry, cell)));
    found.extend(unprinted.map(|entry| Compared {
        set: entry.set.to_owned(),
        row: entry.row.clone(),
        column: entry.column.clone(),
        ours: Some(entry.cell.clone()),
        theirs: None,
        difference: Difference::NotPrinted,
    }));
    found
}

/// Compares number by number, ours rounded to the printed digits.
pub fn difference(ours: &Cell, printed: &str) -> Difference {
    if ours.text() == printed {
        return Difference::Same;
    }
    let (theirs, comma) = numbers(printed);
    let ours: Vec<f64> = ours.numbers();
    if theirs.is_empty() || theirs.len() != ours.len() {
        return Difference::Unlike;
    }
    let step = |(value, (theirs, digits)): (&f64, &(f64, usize))| {
        let unit = 10_f64.powi(*digits as i32);
        let rounded: f64 = format!("{value:.digits$}").parse().unwrap_or(f64::NAN);
        ((rounded - theirs) * unit).round() as i64
    };
    let steps: Vec<i64> = ours.iter().zip(&theirs).map(step).collect();
    match (steps.iter().all(|&step| step == 0), comma) {
        (true, false) => Difference::Same,
        (true, true) => Difference::Notation,
        _ => Difference::Digits(steps),
    }
}

/// The numbers of a printed cell with their decimals, and whether a decimal comma was among them.
///
/// A dash between digits separates the limits of an interval, elsewhere it is a sign.
fn numbers(printed: &str) -> (Vec<(f64, usize)>, bool) {
    let mut comma = false;
    let mut found = Vec::new();
    let mut word = String::new();
    let characters: Vec<char> = printed.chars().chain([' ']).collect();
    for (at, &c) in characters.iter().enumerate() {
        let next_is_digit = characters.get(at + 1).is_some_and(char::is_ascii_digit);
        match c {
            '0'..='9' => word.push(c),
            '.' | ',' if !word.is_empty() && !word.contains('.') && next_is_digit => {
                comma |= c == ',';
                word.push('.');
            }
            _ => {
                if let Ok(value) = word.parse::<f64>() {
                    let digits = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                    found.push((value, digits));
                }
                word.clear();
                let after_number = at > 0 && characters[at - 1].is_ascii_digit();
                if matches!(c, '-' | '−') && next_is_digit && !after_number {
                    word.push('-');
                }
            }
        }
    }
    (found, comma)
}

/// One row a cell, and how many agree.
pub fn sheet(title: String, compared: &[Compared]) -> Sheet {
    let text = |difference: &Difference| match difference {
        Difference::Same => "same".to_owned(),
        Difference::Notation => "decimal comma".to_owned(),
        Difference::Digits(steps) => steps.iter().map(|step| format!("{step:+}")).collect::<Vec<_>>().join(" "),
        Difference::Unlike => "unlike".to_owned(),
        Difference::NotComputed => "not computed".to_owned(),
        Difference::NotPrinted => "not printed".to_owned(),
    };
    let row = |cell: &Compared| {
        vec![
            Cell::Text(format!("{}, {}, {}", cell.set, cell.row, cell.column)),
            cell.ours.as_ref().map_or(Cell::Empty, |ours| Cell::Text(ours.text())),
            cell.theirs.as_ref().map_or(Cell::Empty, |theirs| Cell::Text(theirs.clone())),
            Cell::Text(text(&cell.difference)),
        ]
    };
    let same = compared.iter().filter(|cell| cell.difference == Difference::Same).count();
    let printed = compared.iter().filter(|cell| cell.theirs.is_some()).count();
    let notes = vec![
        format!("{same} of {printed} published cells are the same"),
        "differences are ours minus theirs in units of the last printed digit, one for each number".to_owned(),
    ];
    let headings = ["Cell", "Ours", "Published", "Difference"].map(str::to_owned).to_vec();
    Sheet { title, headings, rows: compared.iter().map(row).collect(), notes, provenance: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_counted_in_last_digits() {
        let check = |ours: Cell, printed: &str, expected: Difference| {
            assert_eq!(difference(&ours, printed), expected, "{printed}")
        };
        check(Cell::CountPercent { n: 12, of: 48 }, "12(25)", Difference::Same);
        check(Cell::CountPercent { n: 9, of: 48 }, "8(18.8)", Difference::Digits(vec![1, 0]));
        check(Cell::CountPercent { n: 5, of: 9 }, "5(55,6)", Difference::Notation);
        check(Cell::Number { value: -0.5583, digits: 3 }, "-0.558", Difference::Same);
        check(Cell::MeanSd { mean: 17.7708, sd: 9.4266, digits: 2 }, "17.77 ± 8.89", Difference::Digits(vec![0, 54]));
        check(
            Cell::Interval { estimate: 1.148, low: 0.4523, high: 2.9138, digits: 3 },
            "1.148(0.452-2.914)",
            Difference::Same,
        );
        check(Cell::P(0.00001), "<0.001", Difference::Same);
        check(Cell::P(0.5), "n.s.", Difference::Unlike);
    }
}
