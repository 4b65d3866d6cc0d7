//! The increase of a number that its odds ratio is for: a unit, the interquartile range, or a doubling.

use crate::protocol::codebook::variable::{Per, Variable};
use osteon_stats::stats::describe::{Quantiles, quantile};

/// How much more of a variable an odds ratio stands for. The model is linear in the variable; only its odds ratio is
/// told for another step.
#[derive(Clone, Debug, PartialEq)]
pub struct Increase {
    /// In the variable's unit.
    pub by: f64,
    /// As behind the variable's name.
    pub words: String,
}

impl Increase {
    /// The increase that a variable declares, over the values of those who are in its model. Where it comes out as 0,
    /// for half of the patients with one value, it is one unit.
    pub fn of(variable: &Variable, values: &[f64], quantiles: Quantiles) -> Increase {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |p| quantile(&sorted, p, quantiles).unwrap_or(0.0);
        let written = |value: f64| {
            let digits = if value >= 100.0 { 0 } else { 2 };
            let text = format!("{value:.digits$}");
            if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
        };
        let unit = if variable.unit.is_empty() { String::new() } else { format!(" {}", variable.unit) };
        match variable.per {
            Per::Iqr if at(0.75) > at(0.25) => {
                let by = at(0.75) - at(0.25);
                Increase { by, words: format!("per {}{unit} (interquartile range)", written(by)) }
            }
            Per::Doubling if at(0.5) > 0.0 => {
                let (from, to) = (written(at(0.5)), written(2.0 * at(0.5)));
                Increase { by: at(0.5), words: format!("per doubling of the median ({from} to {to}{unit})") }
            }
            _ if variable.unit.is_empty() => Increase { by: 1.0, words: "per 1 unit".to_owned() },
            _ => Increase { by: 1.0, words: format!("per 1 {}", singular(&variable.unit)) },
        }
    }

    /// An odds ratio of one unit for this increase.
    pub fn scaled(&self, odds_ratio: f64) -> f64 {
        if self.by == 1.0 { odds_ratio } else { odds_ratio.powf(self.by) }
    }
}

/// `per 1 year`, not `per 1 years`.
fn singular(unit: &str) -> &str {
    match unit {
        "years" | "months" | "weeks" | "days" | "hours" | "points" | "cycles" => &unit[..unit.len() - 1],
        unit => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::codebook::Codebook;

    fn alp(per: &str) -> Variable {
        let text = format!("[variable.alp]\nper = \"{per}\"");
        Codebook::study().with(text.parse().unwrap()).unwrap().named("alp").unwrap().clone()
    }

    #[test]
    fn an_odds_ratio_is_for_the_declared_step() {
        // Quartiles 100 and 300, median 200.
        let values = [0.0, 100.0, 200.0, 300.0, 400.0];
        let unit = Increase::of(&alp("unit"), &values, Quantiles::Type7);
        assert_eq!((unit.by, unit.words.as_str()), (1.0, "per 1 U/L"));
        let iqr = Increase::of(&alp("iqr"), &values, Quantiles::Type7);
        assert_eq!((iqr.by, iqr.words.as_str()), (200.0, "per 200 U/L (interquartile range)"));
        let doubling = Increase::of(&alp("doubling"), &values, Quantiles::Type7);
        assert_eq!((doubling.by, doubling.words.as_str()), (200.0, "per doubling of the median (200 to 400 U/L)"));
        assert!((iqr.scaled(1.01) - 1.01_f64.powi(200)).abs() < 1e-12);
        assert_eq!(Increase::of(&alp("iqr"), &[5.0, 5.0, 5.0], Quantiles::Type7).by, 1.0);
    }
}
