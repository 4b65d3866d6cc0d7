//! Penalised and shrunken models, and what bootstrap refits say of a logistic regression.

use serde_json::{Value, json};

use crate::report::sheet::{Cell, Sheet};
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::evaluate::optimism::{Corrected, Metrics, correct, resamples};
use osteon_stats::evaluate::refits::{OutOfBag, Refit, out_of_bag, point_632_plus};
use osteon_stats::evaluate::{decision, roc};
use osteon_stats::model::logistic::ridge::{PENALTIES, Ridge, Shrunken};
use osteon_stats::model::logistic::{self, INTERCEPT, Params};
use osteon_stats::stats::text::{decimals, fixed};
use osteon_stats::table::Design;

/// The ridge as a sheet.
pub fn ridge_sheet(ridge: &Ridge, chosen: bool) -> Sheet {
    let row = |term: &logistic::Term| {
        let digits = decimals(term.se, 4);
        vec![
            Cell::Text(term.name.clone()),
            Cell::number(term.estimate, digits),
            Cell::number(term.se, digits),
            Cell::number(term.odds_ratio().filter(|_| term.name != INTERCEPT), 3),
        ]
    };
    let fit = &ridge.fit;
    let how = if chosen {
        format!(
            "the largest corrected AIC of {} penalties from 0 to {}",
            PENALTIES.len(),
            PENALTIES[PENALTIES.len() - 1]
        )
    } else {
        "as asked".to_owned()
    };
    let mut notes = vec![
        format!(
            "{} rows, {} events; ridge penalty {} ({how}), scaled by the variance of each column, of levels together, as \
             rms::lrm",
            fit.n, fit.events, ridge.penalty
        ),
        format!(
            "effective degrees of freedom {}; LR chi2 {}; corrected AIC {}",
            fixed(ridge.df, 3),
            fixed(ridge.chi2, 3),
            fixed(ridge.aicc(), 3)
        ),
        "penalized estimates are drawn towards 0 on purpose: they have no P values".to_owned(),
    ];
    notes.extend(fit.warnings.iter().map(|warning| format!("warning: {warning}")));
    let headings = ["Term", "Estimate", "SE", "OR"].map(str::to_owned).to_vec();
    let rows = fit.terms.iter().map(row).collect();
    Sheet { title: "Penalized estimates".to_owned(), headings, rows, notes, provenance: Vec::new() }
}

/// `penalty`, `df`, `chi2`, `aicc` and `terms`.
pub fn ridge_json(ridge: &Ridge) -> Value {
    json!({
        "penalty": ridge.penalty,
        "df": ridge.df,
        "chi2": ridge.chi2,
        "aicc": ridge.aicc(),
        "terms": ridge.fit.terms.iter().map(|term| json!({
            "name": term.name, "estimate": term.estimate, "se": term.se,
        })).collect::<Vec<_>>(),
    })
}

/// Shrunken coefficients, one row a term; `how` says where the factor comes from.
pub fn shrunken_sheet(shrunken: &Shrunken, columns: &[String], how: &str) -> Sheet {
    let term = |name: &str, estimate: Option<f64>| vec![Cell::Text(name.to_owned()), Cell::number(estimate, 4)];
    let slopes = columns.iter().zip(&shrunken.slopes).map(|(name, slope)| term(name, *slope));
    Sheet {
        title: "Shrunken estimates".to_owned(),
        headings: ["Term", "Estimate"].map(str::to_owned).to_vec(),
        rows: std::iter::once(term(INTERCEPT, Some(shrunken.intercept))).chain(slopes).collect(),
        notes: vec![format!(
            "all slopes times {}, {how}; the intercept is fitted anew to them",
            fixed(shrunken.factor, 4)
        )],
        provenance: Vec::new(),
    }
}

/// What refits on bootstrap samples say of a logistic regression of given columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    /// One a name of `INDICES`, then net benefits at the thresholds.
    pub corrected: Vec<Option<Corrected>>,
    pub thresholds: Vec<f64>,
    pub left_out: Option<OutOfBag>,
    /// .632+ of the AUC.
    pub point_632_plus: Option<f64>,
    pub samples: usize,
    /// Samples from which no model came.
    pub failed: usize,
    pub seed: Seed,
}

/// The indices that are corrected, in their order.
pub const INDICES: [&str; 5] = ["AUC", "R2 (Nagelkerke)", "Brier score", "Calibration intercept", "Calibration slope"];

/// Refits the model on `samples` resamples of its rows.
pub fn validated(
    design: &Design,
    event: &[bool],
    params: &Params,
    thresholds: &[f64],
    samples: usize,
    seed: Seed,
) -> Result<Validated, Cancelled> {
    let all: Vec<usize> = (0..event.len()).collect();
    let drawn = resamples(event.len(), samples, seed);
    let job = Job::unwatched();
    let stage = job.stage("bootstrap", samples);
    let relearn = |rows: &[usize]| {
        let p = learnt(design, event, rows, params)?;
        Some((metrics(event, &p, rows, thresholds), metrics(event, &p, &all, thresholds), p))
    };
    let Some((apparent, ..)) = relearn(&all) else {
        let corrected = vec![None; INDICES.len() + thresholds.len()];
        let thresholds = thresholds.to_vec();
        return Ok(Validated {
            corrected,
            thresholds,
            left_out: None,
            point_632_plus: None,
            samples,
            failed: samples,
            seed,
        });
    };
    let refits = std::sync::Mutex::new(vec![None; samples]);
    let corrected = correct(
        &apparent,
        &drawn,
        |at, rows| {
            let (own, original, p) = relearn(rows)?;
            let scores = p.into_iter().map(Some).collect();
            refits.lock().expect("no thread panicked with it")[at] = Some(Refit { rows: rows.to_vec(), scores });
            Some((own, original))
        },
        &stage,
    )?;
    let refits: Vec<Refit> = refits.into_inner().expect("no thread panicked with it").into_iter().flatten().collect();
    let left_out = out_of_bag(event, &refits);
    Ok(Validated {
        point_632_plus: left_out
            .zip(apparent[0])
            .map(|(left_out, apparent)| point_632_plus(apparent, left_out.auc, 0.5)),
        left_out,
        corrected,
        thresholds: thresholds.to_vec(),
        samples,
        failed: samples - refits.len(),
        seed,
    })
}

/// Probabilities of all rows by the model of some; `None` where these separate the event or have one outcome.
fn learnt(design: &Design, event: &[bool], rows: &[usize], params: &Params) -> Option<Vec<f64>> {
    let own = Design {
        rows: rows.iter().map(usize::to_string).collect(),
        columns: design.columns.clone(),
        x: design.x.select(ndarray::Axis(0), rows),
    };
    let of: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
    let fit = logistic::fit(&own, &of, params).ok().filter(|fit| fit.converged && !fit.is_separated())?;
    let estimates: Vec<f64> = fit.terms.iter().map(|term| term.estimate.unwrap_or(0.0)).collect();
    let eta =
        |row: usize| estimates[0] + (1..estimates.len()).map(|k| estimates[k] * design.x[[row, k - 1]]).sum::<f64>();
    Some((0..event.len()).map(|row| 1.0 / (1.0 + (-eta(row)).exp())).collect())
}

fn metrics(event: &[bool], p: &[f64], rows: &[usize], thresholds: &[f64]) -> Metrics {
    let event: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
    let p: Vec<f64> = rows.iter().map(|&row| p[row]).collect();
    let found = calibration(&event, &p);
    let fit = found.as_ref().and_then(|it| it.recalibration);
    let mut metrics = vec![
        roc::auc(&p, &event).map(|auc| auc.auc),
        found.as_ref().and_then(|it| it.indices).map(|it| it.r2),
        found.as_ref().map(|it| it.brier),
        fit.map(|it| it.intercept),
        fit.map(|it| it.slope),
    ];
    metrics.extend(decision::curve(&event, &p, thresholds).into_iter().map(|it| Some(it.model)));
    metrics
}

impl Validated {
    /// The corrected calibration slope, by which coefficients may be shrunken.
    pub fn slope(&self) -> Option<f64> {
        self.corrected[4].map(|it| it.corrected)
    }

    fn names(&self) -> Vec<String> {
        let benefits = self.thresholds.iter().map(|at| format!("Net benefit at {at}"));
        INDICES.iter().map(|name| (*name).to_owned()).chain(benefits).collect()
    }

    /// One row an index.
    pub fn sheet(&self) -> Sheet {
        let row = |(name, it): (String, &Option<Corrected>)| {
            let number = |of: fn(&Corrected) -> f64| Cell::number(it.as_ref().map(of), 4);
            vec![
                Cell::Text(name),
                number(|it| it.apparent),
                number(|it| it.optimism),
                number(|it| it.corrected),
                number(|it| it.optimism_sd / (it.used as f64).sqrt()),
                it.map_or(Cell::Empty, |it| Cell::Count(it.used)),
            ]
        };
        let mut notes = Vec::new();
        if let Some(left) = self.left_out {
            notes.push(format!(
                "AUC of left-out pairs {} (95% CI {}-{}), Monte Carlo error {}: pairs of patients that a refit did not see; \
                 its standard error is the delta method after the bootstrap",
                fixed(left.auc, 3),
                fixed(left.ci[0], 3),
                fixed(left.ci[1], 3),
                fixed(left.monte_carlo, 4)
            ));
        }
        notes.extend(self.point_632_plus.map(|it| format!("AUC, .632+: {}", fixed(it, 3))));
        notes.push(format!(
            "model of these terms refitted on {} bootstrap samples, seed {}; {} gave no model. Corrected: apparent less mean \
             optimism (Harrell). What was chosen before (terms, knots) is not chosen anew",
            self.samples, self.seed.0, self.failed
        ));
        let headings = ["Index", "Apparent", "Optimism", "Corrected", "Monte Carlo error", "Samples"];
        Sheet {
            title: "Internal validation".to_owned(),
            headings: headings.map(str::to_owned).to_vec(),
            rows: self.names().into_iter().zip(&self.corrected).map(row).collect(),
            notes,
            provenance: Vec::new(),
        }
    }

    /// `indices`, `left_out`, `point_632_plus`, `samples`, `failed`, `seed`.
    pub fn json(&self) -> Value {
        let index = |(name, it): (String, &Option<Corrected>)| {
            json!({
                "name": name,
                "apparent": it.map(|it| it.apparent),
                "optimism": it.map(|it| it.optimism),
                "corrected": it.map(|it| it.corrected),
                "monte_carlo_error": it.map(|it| it.optimism_sd / (it.used as f64).sqrt()),
                "used": it.map(|it| it.used),
            })
        };
        json!({
            "indices": self.names().into_iter().zip(&self.corrected).map(index).collect::<Vec<_>>(),
            "left_out": self.left_out.map(|it| json!({
                "auc": it.auc, "se": it.se, "ci": it.ci, "monte_carlo_error": it.monte_carlo,
                "used": it.used, "pairs": it.pairs,
            })),
            "point_632_plus": self.point_632_plus,
            "samples": self.samples,
            "failed": self.failed,
            "seed": self.seed.0,
        })
    }
}

/// The resamples of `validated` for another program: one line a sample, positions of rows from 0.
pub fn resamples_csv(n_rows: usize, samples: usize, seed: Seed) -> String {
    let line = |rows: Vec<usize>| rows.iter().map(usize::to_string).collect::<Vec<_>>().join(",") + "\n";
    resamples(n_rows, samples, seed).into_iter().map(line).collect()
}
