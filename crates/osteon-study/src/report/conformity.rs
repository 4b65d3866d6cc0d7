//! Measured values held against the IBSI's consensus: per family, how many lie within its tolerance, and which do not.

use crate::report::sheet::{Cell, Sheet};
use osteon_radiomics::feature::ibsi::Part;

/// One value of one configuration, and what the consensus says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub configuration: String,
    pub family: Part,
    pub feature: String,
    /// How matrices were put together; empty where there are none.
    pub aggregation: String,
    pub ibsi: &'static str,
    pub value: Option<f64>,
    /// Consensus and its tolerance; `None` where this osteon knows none.
    pub consensus: Option<(f64, f64)>,
}

impl Judged {
    /// Whether the value, rounded to the three significant digits that the consensus has, lies within its tolerance.
    pub fn is_within(&self) -> Option<bool> {
        let (consensus, tolerance) = self.consensus?;
        // Decimal fractions do not subtract exactly.
        let slack = 1e-9 * consensus.abs();
        Some(self.value.is_some_and(|value| (three_digits(value) - consensus).abs() <= tolerance + slack))
    }
}

/// One row a configuration and family that has values.
pub fn summary(judged: &[Judged]) -> Sheet {
    let mut rows = Vec::new();
    for of_configuration in judged.chunk_by(|a, b| a.configuration == b.configuration) {
        for family in Part::ALL {
            let own: Vec<&Judged> = of_configuration.iter().filter(|it| it.family == family).collect();
            let known: Vec<&&Judged> = own.iter().filter(|it| it.consensus.is_some()).collect();
            let beyond: Vec<String> =
                known.iter().filter(|it| it.is_within() == Some(false)).map(|it| it.place()).collect();
            rows.push(vec![
                Cell::Text(of_configuration[0].configuration.clone()),
                Cell::Text(family.name().to_owned()),
                Cell::Count(own.len()),
                Cell::Count(known.len()),
                Cell::Count(known.len() - beyond.len()),
                Cell::Text(beyond.join(", ")),
            ]);
        }
    }
    let headings = ["configuration", "family", "values", "with consensus", "within tolerance", "not within"];
    let columns = if rows.iter().any(|row| !row[5].text().is_empty()) { 6 } else { 5 };
    rows.iter_mut().for_each(|row: &mut Vec<Cell>| row.truncate(columns));
    Sheet {
        title: "Conformity with the IBSI's consensus (reference manual, version 11)".to_owned(),
        headings: headings[..columns].iter().map(|heading| (*heading).to_owned()).collect(),
        rows,
        notes: vec!["Values are rounded to three significant digits before they are compared.".to_owned()],
        ..Sheet::default()
    }
}

/// One row a value, in full precision.
pub fn every(judged: &[Judged]) -> Sheet {
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = |value: Option<f64>| value.map_or(Cell::Empty, |value| Cell::Number { value, digits: 6 });
    let row = |it: &Judged| {
        vec![
            text(&it.configuration),
            text(it.family.name()),
            text(&it.feature),
            text(&it.aggregation),
            text(it.ibsi),
            number(it.value),
            number(it.consensus.map(|consensus| consensus.0)),
            number(it.consensus.map(|consensus| consensus.1)),
            it.is_within().map_or(Cell::Empty, |within| text(if within { "yes" } else { "no" })),
        ]
    };
    let headings =
        ["configuration", "family", "feature", "aggregation", "ibsi", "value", "consensus", "tolerance", "within"];
    Sheet {
        title: "Values of the IBSI's phantoms".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: judged.iter().map(row).collect(),
        ..Sheet::default()
    }
}

impl Judged {
    fn place(&self) -> String {
        let found = self.value.map_or("undefined".to_owned(), |value| value.to_string());
        format!("{} {} ({found})", self.feature, self.aggregation).replace("  ", " ")
    }
}

fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().expect("a printed number is a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_rounded_to_three_digits_before_it_is_judged() {
        let within = |value, consensus| {
            let consensus = Some(consensus);
            let feature = String::new();
            let (configuration, aggregation) = (String::new(), String::new());
            Judged { configuration, family: Part::Histogram, feature, aggregation, ibsi: "", value, consensus }
                .is_within()
        };
        assert_eq!(within(Some(1.2649), (1.26, 0.0)), Some(true));
        assert_eq!(within(Some(1.2651), (1.26, 0.0)), Some(false));
        assert_eq!(within(Some(0.0711), (0.07, 0.0011)), Some(true));
        assert_eq!(within(None, (1.26, 1.0)), Some(false));
    }
}
