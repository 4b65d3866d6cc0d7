//! Variables as columns of a design: numbers as they are, levels as indicators against a reference.

use std::ops::Range;

use ndarray::Array2;

use crate::table::{Design, Table, TableError, Values};

/// A design and where its columns come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// Complete rows only; an indicator is named by its variable, then its level.
    pub design: Design,
    pub variables: Vec<Variable>,
    /// Positions in the table of the rows that the design holds.
    pub kept: Vec<usize>,
}

/// One variable of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    /// Its columns in the design.
    pub columns: Range<usize>,
    /// The level without a column, of a categorical variable.
    pub reference: Option<String>,
    /// The levels that have columns.
    pub levels: Vec<String>,
}

/// Why variables cannot be encoded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodeError {
    #[error("column {column} has no level {level}, it has {levels}")]
    NoLevel { column: String, level: String, levels: String },
    #[error("a reference level was given for {0}, which holds numbers")]
    NumericReference(String),
    #[error("column {column} has {levels} levels for {rows} complete rows: is it an identifier?")]
    TooManyLevels { column: String, levels: usize, rows: usize },
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Indicators of one variable that fit into 160 MB; more levels are names, not groups.
const MAX_CELLS: usize = 20_000_000;

/// The named variables over the rows where all of them, and `needed`, have a value.
///
/// The reference level of a variable is that given in `references`, where a complete row has it, else the first. A level
/// that no complete row has gets no column.
pub fn encode(
    table: &Table,
    names: &[&str],
    references: &[(&str, &str)],
    needed: &[Option<bool>],
) -> Result<Encoded, EncodeError> {
    let rows: Vec<usize> = (0..table.rows().len()).filter(|&row| needed[row].is_some()).collect();
    encode_rows(table, names, references, &rows)
}

/// The same over those of `rows` where all variables have a value; a row may come more than once.
pub fn encode_rows(
    table: &Table,
    names: &[&str],
    references: &[(&str, &str)],
    rows: &[usize],
) -> Result<Encoded, EncodeError> {
    let columns = names.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    let complete = |row: &usize| columns.iter().all(|column| !column.values.is_hole(*row));
    let kept: Vec<usize> = rows.iter().copied().filter(complete).collect();
    let mut variables: Vec<Variable> = Vec::new();
    let mut filled: Vec<(String, Vec<f64>)> = Vec::new();
    for column in columns {
        let wanted = references.iter().find(|(name, _)| *name == column.name).map(|(_, level)| *level);
        let first = filled.len();
        let (mut reference, mut shown) = (None, Vec::new());
        match &column.values {
            Values::Numbers(_) if wanted.is_some() => {
                return Err(EncodeError::NumericReference(column.name.clone()));
            }
            Values::Numbers(values) => {
                filled.push((column.name.clone(), kept.iter().filter_map(|&row| values[row]).collect()));
            }
            Values::Levels { levels, codes } => {
                let present = present(codes, &kept, levels.len());
                if present.saturating_mul(kept.len()) > MAX_CELLS {
                    let (column, rows) = (column.name.clone(), kept.len());
                    return Err(EncodeError::TooManyLevels { column, levels: present, rows });
                }
                let base = reference_code(&column.name, levels, codes, &kept, wanted)?;
                for (code, level) in levels.iter().enumerate().filter(|(code, _)| Some(*code) != base) {
                    let is: Vec<f64> = kept.iter().map(|&row| f64::from(codes[row] == Some(code))).collect();
                    if is.contains(&1.0) {
                        filled.push((format!("{}{level}", column.name), is));
                        shown.push(level.clone());
                    }
                }
                reference = base.map(|code| levels[code].clone());
            }
        }
        variables.push(Variable { name: column.name.clone(), columns: first..filled.len(), reference, levels: shown });
    }
    let x = Array2::from_shape_fn((kept.len(), filled.len()), |(i, j)| filled[j].1[i]);
    let rows = kept.iter().map(|&row| table.rows()[row].clone()).collect();
    let design = Design { rows, columns: filled.into_iter().map(|(name, _)| name).collect(), x };
    Ok(Encoded { design, variables, kept })
}

/// How many levels the kept rows have.
fn present(codes: &[Option<usize>], kept: &[usize], n_levels: usize) -> usize {
    let mut seen = vec![false; n_levels];
    kept.iter().filter_map(|&row| codes[row]).for_each(|code| seen[code] = true);
    seen.into_iter().filter(|&seen| seen).count()
}

/// The code of the reference level: the wanted one if a kept row has it, else the first that one has; `None` without
/// levels.
fn reference_code(
    column: &str,
    levels: &[String],
    codes: &[Option<usize>],
    kept: &[usize],
    wanted: Option<&str>,
) -> Result<Option<usize>, EncodeError> {
    match wanted {
        None => Ok(kept.iter().filter_map(|&row| codes[row]).min()),
        Some(level) => match levels.iter().position(|found| found == level) {
            Some(code) if kept.iter().any(|&row| codes[row] == Some(code)) => Ok(Some(code)),
            Some(_) => Ok(kept.iter().filter_map(|&row| codes[row]).min()),
            None => {
                let levels = levels.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
                Err(EncodeError::NoLevel { column: column.to_owned(), level: level.to_owned(), levels })
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_become_indicators_over_complete_rows() {
        let table = crate::table::read::csv(b"site,alp,y\nfemur,1,1\ntibia,2,0\nother,,1\ntibia,3,\nother,5,0\n", &[]);
        let table = table.unwrap().table;
        let needed: Vec<Option<bool>> = table.numbers("y").unwrap().iter().map(|y| y.map(|y| y == 1.0)).collect();
        let encoded = encode(&table, &["site", "alp"], &[("site", "other")], &needed).unwrap();
        assert_eq!(encoded.design.columns, ["sitefemur", "sitetibia", "alp"]);
        assert_eq!(encoded.design.x, ndarray::array![[1.0, 0.0, 1.0], [0.0, 1.0, 2.0], [0.0, 0.0, 5.0]]);
        assert_eq!((encoded.kept, encoded.variables[1].columns.clone()), (vec![0, 1, 4], 2..3));
        let absent =
            encode(&table, &["site", "alp"], &[("site", "tibia")], &[Some(true), None, None, None, Some(true)]);
        assert_eq!(absent.unwrap().variables[0].reference.as_deref(), Some("femur"));
        let wrong = encode(&table, &["site"], &[("site", "hip")], &needed).unwrap_err();
        assert_eq!(wrong.to_string(), "column site has no level hip, it has femur, other, tibia");
    }
}
