//! Published cells against recomputed ones, in units of the last printed digit.

use crate::cells::{PublishedCell, Value};
use crate::finding::Place;
use crate::printed::Printed;

/// A recomputed cell: its values in the order in which the cell prints them (count and percentage; mean and SD;
/// estimate, low and high; one number).
#[derive(Clone, Debug, PartialEq)]
pub struct Recomputed {
    pub place: Place,
    pub values: Vec<f64>,
}

/// A published cell beside its recomputed values.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub place: Place,
    pub printed: String,
    /// At the printed digits.
    pub recomputed: String,
    /// Of the value furthest off: recomputed minus printed, in units of its last printed digit.
    pub units: f64,
    /// Every recomputed value is printed as it stands there.
    pub agrees: bool,
}

/// Each published cell that was recomputed, in published order; table, set, row and column are compared without case.
pub fn against(cells: &[PublishedCell], recomputed: &[Recomputed]) -> Vec<Difference> {
    let key = |place: &Place| [&place.table, &place.set, &place.row, &place.column].map(|it| it.to_lowercase());
    let known: std::collections::HashMap<[String; 4], &Recomputed> =
        recomputed.iter().map(|it| (key(&it.place), it)).collect();
    cells.iter().filter_map(|cell| difference(cell, known.get(&key(&cell.place))?)).collect()
}

fn difference(cell: &PublishedCell, recomputed: &Recomputed) -> Option<Difference> {
    let printed: Vec<Printed> = match cell.value {
        Value::Count { n, percent } => vec![Printed::of(n as f64, 0), percent],
        Value::MeanSd { mean, sd } => vec![mean, sd],
        Value::Estimate { estimate, low, high } => vec![estimate, low, high],
        Value::Number(number) => vec![number],
        Value::Median { median, spread } => {
            std::iter::once(median).chain(spread.into_iter().flat_map(|(low, high)| [low, high])).collect()
        }
        Value::Test { statistic, p } => vec![statistic, p],
        Value::Absent | Value::Reference | Value::Words => return None,
    };
    let pairs: Vec<(Printed, f64)> = printed.into_iter().zip(recomputed.values.iter().copied()).collect();
    let units = pairs.iter().map(|&(printed, value)| printed.units_off(value));
    let units = units.max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    let text: Vec<String> = pairs.iter().map(|&(printed, value)| printed.like(value)).collect();
    Some(Difference {
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        recomputed: text.join(" "),
        units,
        agrees: pairs.iter().all(|&(printed, value)| printed.is(value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_units_of_the_last_digit() {
        let text = "table,set,row,column,printed\n1,all,Age,Total,17.13 ± 9.01\n1,all,Sex,P value,<0.001\n";
        let cells = crate::read(text).unwrap();
        let recomputed = |row: &str, column: &str, values: &[f64]| Recomputed {
            place: Place { table: "1".into(), set: "all".into(), row: row.into(), column: column.into() },
            values: values.to_vec(),
        };
        let found =
            against(&cells, &[recomputed("age", "Total", &[17.129, 9.04]), recomputed("Sex", "P value", &[0.0004])]);
        assert_eq!(found[0].recomputed, "17.13 9.04");
        assert!((found[0].units - 3.0).abs() < 1e-9 && !found[0].agrees);
        assert!(found[1].agrees);
    }
}
