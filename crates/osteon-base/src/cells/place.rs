//! Where a cell stands, and what a reader should know about how a file was understood.

use std::fmt;

use crate::cells::Separator;
use crate::text::counted;

/// Where a cell stands, as a message names it: `line 3, column 2`, or `Data!B3` in a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Text { line: usize, column: usize },
    Sheet { sheet: String, row: usize, column: usize },
}

/// What was read differently than it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    ByteOrderMark,
    Utf16,
    Separator(Separator),
    /// A first line `sep=;`, as Excel writes it.
    SeparatorLine,
    /// Cells written `="007"`, read as `007`; the first of them.
    AsFormula {
        cells: usize,
        first: Place,
    },
    /// Sheets of a workbook beside the one that was read; hidden ones too.
    Sheets {
        read: String,
        others: Vec<String>,
    },
    /// Numbers that the sheet shows as percentages, read as shown: `95%`.
    Percentages {
        cells: usize,
        first: Place,
    },
    /// Merged regions, of which the first cell alone has the value.
    Merged {
        regions: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Place::Text { line, column } => write!(f, "line {line}, column {column}"),
            Place::Sheet { sheet, row, column } => write!(f, "{sheet}!{}{row}", letters(*column)),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Note::ByteOrderMark => f.write_str("the file begins with a byte order mark"),
            Note::Utf16 => f.write_str("the file is UTF-16"),
            Note::Separator(separator) => write!(f, "cells are separated by {}", separator.name()),
            Note::SeparatorLine => f.write_str("the first line names the separator and is not a row"),
            Note::AsFormula { cells, first } => {
                write!(f, "{} written as formulas were read as text, the first at {first}", counted(*cells, "cell"))
            }
            Note::Sheets { read, others } => {
                write!(f, "sheet {read} was read; not read: {}", others.join(", "))
            }
            Note::Percentages { cells, first } => {
                let cells = counted(*cells, "percentage");
                write!(f, "{cells} read as shown with the percent sign, the first at {first}")
            }
            Note::Merged { regions } => {
                write!(f, "{}: only the first cell of each has a value", counted(*regions, "merged region"))
            }
        }
    }
}

/// The letters of a column from 1: `A`, `Z`, `AA`.
fn letters(column: usize) -> String {
    let (mut rest, mut letters) = (column, Vec::new());
    while rest > 0 {
        letters.push(b'A' + ((rest - 1) % 26) as u8);
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().map(|&letter| char::from(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        for (column, expected) in [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA"), (16384, "XFD")] {
            assert_eq!(letters(column), expected);
        }
    }
}
