//! Which sign stands before the decimals of a file's numbers.

use osteon_base::cells::{Grid, Note, Separator};

/// What a number's signs tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Comma,
    Point,
    /// `1.234`: a decimal point, or a thousand.
    PointOrGroup,
    CommaOrGroup,
    Nothing,
}

/// What the numbers of a file, or of a column of a sheet, tell together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signs {
    commas: bool,
    points: bool,
}

/// How a file's cells are to be understood.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    /// Numbers of a workbook are no texts: only the texts of the same column tell how others were typed.
    pub is_workbook: bool,
    separator: Separator,
}

impl Writing {
    pub fn of(grid: &Grid) -> Writing {
        let named = grid.notes.iter().find_map(|note| match note {
            Note::Separator(separator) => Some(*separator),
            _ => None,
        });
        Writing { is_workbook: grid.sheet.is_some(), separator: named.unwrap_or(Separator::Comma) }
    }
}

impl Signs {
    /// Adds what a cell tells.
    pub fn see(&mut self, cell: &str) {
        match sign(cell) {
            Sign::Comma => self.commas = true,
            Sign::Point => self.points = true,
            _ => (),
        }
    }

    /// Whether a number may be a thousandfold of what it would be read as.
    pub fn is_unclear(self, cell: &str, writing: Writing) -> bool {
        match sign(cell) {
            // A file with semicolons comes from where the comma is the decimal sign, unless its points say otherwise.
            Sign::PointOrGroup => {
                let is_comma_land = writing.separator == Separator::Semicolon && !writing.is_workbook && !self.points;
                self.commas || is_comma_land
            }
            Sign::CommaOrGroup => self.points || writing.separator == Separator::Comma && !writing.is_workbook,
            _ => false,
        }
    }
}

fn sign(cell: &str) -> Sign {
    let number = cell.trim_start_matches(|c: char| "<>=≤≥+-−".contains(c) || c.is_whitespace());
    let count = |sign: char| number.matches(sign).count();
    let (sign, alone, group) = match (count(','), count('.')) {
        (1, 0) => (',', Sign::Comma, Sign::CommaOrGroup),
        (0, 1) => ('.', Sign::Point, Sign::PointOrGroup),
        _ => return Sign::Nothing,
    };
    let (whole, rest) = number.split_once(sign).expect("the sign is there once");
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_number = whole.bytes().all(|byte| byte.is_ascii_digit()) && digits > 0;
    // No group of three digits begins with a zero, and the first has one to three digits.
    let is_group = digits == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    match (is_number, is_group) {
        (false, _) => Sign::Nothing,
        (true, true) => group,
        (true, false) => alone,
    }
}

/// A number whose decimal sign is known, with a point and without groups; `None` where its signs stand elsewhere.
pub fn plain(cell: &str, decimal: char) -> Option<String> {
    let at = cell.find(|c: char| c.is_ascii_digit())?;
    let (start, number) = cell.split_at(at);
    let is_group = |c: char| c.is_whitespace() || matches!(c, '\'' | '’' | '.' | ',') && c != decimal;
    let (whole, rest) = match number.split_once(decimal) {
        Some((whole, rest)) => (whole, Some(rest)),
        None => (number, None),
    };
    let mut groups = whole.split(is_group);
    let first = groups.next()?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = groups.collect();
    let is_grouped = groups.iter().all(|group| group.len() == 3 && digits(group));
    if !digits(first) || !is_grouped || !groups.is_empty() && first.len() > 3 {
        return None;
    }
    let rest = rest.map(|rest| digits(rest).then(|| format!(".{rest}"))).unwrap_or(Some(String::new()))?;
    Some(format!("{start}{first}{}{rest}", groups.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_its_sign_or_may_be_a_thousand() {
        let check = |cell: &str, expected: Sign| assert_eq!(sign(cell), expected, "{cell}");
        check("312,5", Sign::Comma);
        check("<0.5", Sign::Point);
        check("1.234", Sign::PointOrGroup);
        check("-1,234", Sign::CommaOrGroup);
        check("0.123", Sign::Point);
        check("1234.567", Sign::Point);
        check("1.045,5", Sign::Nothing);
        check("12.05.2021", Sign::Nothing);
        check("340", Sign::Nothing);
    }

    #[test]
    fn groups_are_taken_out_where_the_sign_is_known() {
        let check = |cell: &str, decimal: char, expected: Option<&str>| {
            assert_eq!(plain(cell, decimal).as_deref(), expected, "{cell}");
        };
        check("1.045,5", ',', Some("1045.5"));
        check("1.234", ',', Some("1234"));
        check("1.234", '.', Some("1.234"));
        check("< 1'234.5", '.', Some("< 1234.5"));
        check("12 345", ',', Some("12345"));
        check("1.23", ',', None);
        check("1234.567", ',', None);
        check("1,2,3", ',', None);
    }
}
