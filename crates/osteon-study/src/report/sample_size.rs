//! Sample sizes of a prediction model as sheets.

use crate::report::sheet::{Cell, Sheet};
use osteon_stats::evaluate::external_size::{Expected, Predictor, external};
use osteon_stats::evaluate::sample_size::{
    auc_se, n_for_auc_difference, n_for_auc_width, power_of_auc_difference, r2_of_auc, sample_size,
};
use osteon_stats::stats::text::fixed;

fn sheet(title: &str, headings: &[&str], rows: Vec<Vec<Cell>>, notes: Vec<String>) -> Sheet {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    Sheet { title: title.to_owned(), headings, rows, notes, provenance: Vec::new() }
}

fn text(words: &str) -> Cell {
    Cell::Text(words.to_owned())
}

/// How well the model is expected to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    CoxSnell(f64),
    Nagelkerke(f64),
    Auc(f64),
}

/// Riley's criteria for the development of a model.
pub fn development(parameters: usize, prevalence: f64, fit: Fit, shrinkage: f64) -> Sheet {
    let null = prevalence * prevalence.ln() + (1.0 - prevalence) * (1.0 - prevalence).ln();
    let max = 1.0 - (2.0 * null).exp();
    let r2 = match fit {
        Fit::CoxSnell(r2) => r2,
        Fit::Nagelkerke(share) => share * max,
        Fit::Auc(auc) => r2_of_auc(auc, prevalence),
    };
    let found = sample_size(parameters, prevalence, r2, shrinkage);
    let row = |what: &str, n: usize| {
        let events = n as f64 * prevalence;
        vec![
            text(what),
            Cell::Count(n),
            Cell::Number { value: events, digits: 1 },
            Cell::Number { value: events / parameters as f64, digits: 2 },
        ]
    };
    let all = found.n.max(found.for_error);
    let rows = vec![
        row(&format!("1. shrinkage of {shrinkage} or more"), found.for_shrinkage),
        row("2. optimism of Nagelkerke's R2 of 0.05 or less", found.for_optimism),
        row("3. overall risk within 0.05", found.for_risk),
        row("4. mean absolute error of probabilities of 0.05 or less", found.for_error),
        row("Criteria 1 to 3 (pmsampsize)", found.n),
        row("All four", all),
    ];
    let mut notes = vec![format!(
        "{parameters} candidate parameters, prevalence {prevalence}, Cox-Snell R2 {} (Nagelkerke {}, largest possible {})",
        fixed(r2, 4),
        fixed(found.nagelkerke, 4),
        fixed(found.max_r2, 4)
    )];
    if let Fit::Auc(auc) = fit {
        notes.push(format!(
            "Cox-Snell R2 of an AUC of {auc} where the linear predictor is normal with one SD in both outcomes (Riley 2021)"
        ));
    }
    notes.push(
        "Riley et al. 2019 and 2020 (1 to 3), van Smeden et al. 2019 (4); every variable or feature that was tried counts \
         as a parameter, chosen or not"
            .to_owned(),
    );
    sheet("Sample size to develop a model", &["Criterion", "n", "Events", "Events per parameter"], rows, notes)
}

/// Riley's criteria for an external validation.
pub fn validation(expected: &Expected) -> Sheet {
    let found = external(expected);
    let prevalence = expected.prevalence;
    let row = |what: String, n: usize| {
        vec![Cell::Text(what), Cell::Count(n), Cell::Number { value: n as f64 * prevalence, digits: 1 }]
    };
    let mut rows = vec![
        row(format!("1. O/E of {}, 95% CI {} wide", expected.oe, expected.oe_width), found.for_oe),
        row(format!("2. calibration slope of 1, 95% CI {} wide", expected.slope_width), found.for_slope),
        row(format!("3. AUC of {}, 95% CI {} wide", expected.auc, expected.auc_width), found.for_auc),
    ];
    let mut notes = vec![match expected.predictor {
        Predictor::Normal { mean, sd } => format!("linear predictor normal with mean {mean} and SD {sd}"),
        Predictor::Beta { a, b } => format!("probabilities of Beta({a}, {b})"),
        Predictor::OfAuc => {
            "linear predictor normal with one SD in both outcomes, as AUC and prevalence make it".to_owned()
        }
    }];
    if let (Some((threshold, width)), Some(n), Some([sensitivity, specificity])) =
        (expected.net_benefit, found.for_net_benefit, found.operating_point)
    {
        rows.push(row(format!("4. standardized net benefit at {threshold}, 95% CI {width} wide"), n));
        notes.push(format!(
            "at {threshold}: sensitivity {}, specificity {}",
            fixed(sensitivity, 3),
            fixed(specificity, 3)
        ));
    }
    rows.push(row("All".to_owned(), found.n));
    notes.push("Riley et al. 2021 and 2024, as pmvalsampsize; expectations are integrals here, not draws".to_owned());
    sheet("Sample size to validate a model", &["Criterion", "n", "Events"], rows, notes)
}

/// Precision of one AUC, and power of a difference of two on the same patients.
pub fn areas(auc: f64, other: Option<(f64, f64)>, n: Option<(usize, usize)>, width: f64, power: f64) -> Sheet {
    let each = n_for_auc_width(auc, width);
    let mut rows = vec![vec![
        text(&format!("AUC of {auc}, 95% CI {width} wide")),
        Cell::Count(each),
        Cell::Count(2 * each),
        Cell::Empty,
    ]];
    let mut notes = vec!["standard errors of Hanley and McNeil (1982); as many patients of either outcome".to_owned()];
    if let Some((events, others)) = n {
        let se = auc_se(auc, events, others);
        notes.push(format!(
            "{events} events and {others} others: standard error {}, 95% CI {} wide",
            fixed(se, 4),
            fixed(2.0 * osteon_stats::stats::distribution::Z_975 * se, 3)
        ));
    }
    if let Some((second, correlation)) = other {
        let found = n_for_auc_difference(auc, second, correlation, power);
        rows.push(vec![
            text(&format!("AUC of {auc} against {second}, correlation {correlation}, power {power}")),
            found.map_or(Cell::Empty, Cell::Count),
            found.map_or(Cell::Empty, |n| Cell::Count(2 * n)),
            Cell::number(found.map(|n| power_of_auc_difference(auc, second, correlation, n, n)), 3),
        ]);
        if let Some((events, others)) = n {
            rows.push(vec![
                text(&format!("the same difference with {events} events and {others} others")),
                Cell::Empty,
                Cell::Count(events + others),
                Cell::number(Some(power_of_auc_difference(auc, second, correlation, events, others)), 3),
            ]);
        }
        notes.push("two-sided at 5 %; correlation is that of the two AUCs' errors".to_owned());
    }
    sheet("Sample size of an AUC", &["Question", "Of either outcome", "n", "Power"], rows, notes)
}
