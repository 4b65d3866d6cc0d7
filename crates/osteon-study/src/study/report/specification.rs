//! The models in full, so that somebody else can use them: what each region chose, and the coefficients of the
//! logistic models.

use crate::pipeline::clinical::Logistic;
use crate::pipeline::recipe::{CLINICAL, COMBINED, Learnt, RADIOMICS, Stored};
use crate::protocol::codebook::Codebook;
use crate::protocol::learn::Learner;
use crate::report::sheet::{Cell, Sheet};
use crate::study::learn::learnt::variable_label;
use crate::study::learn::performance::recipe;
use crate::study::pages::patient_pages::words;
use crate::study::report::caution::regions;
use crate::study::{Error, Study};
use osteon_stats::stats::distribution::{Z_975, normal_two_sided, t_quantile, t_two_sided};

impl Study {
    /// One row a region: how many features went in and out, the penalty, and the forest that was chosen.
    pub(in crate::study) fn regions_sheet(&self) -> Result<Sheet, Error> {
        let models = self.store.models()?;
        let row = |(model, stored): (&crate::store::Model, Stored)| {
            let learnt = match &stored.learnt {
                Learnt::Region(learnt) => learnt,
                Learnt::NoRegion { error, .. } => {
                    let mut row = vec![words(&model.name), words(format!("no model: {error}"))];
                    row.resize(HEADINGS.len(), Cell::Empty);
                    return row;
                }
                _ => return Vec::new(),
            };
            let lambda = learnt.lasso.path.lambdas.get(learnt.lasso.chosen).copied();
            let setting = &learnt.setting;
            let depth = match setting.max_depth {
                0 => "no limit".to_owned(),
                depth => format!("depth {depth}"),
            };
            let forest = format!("{} trees, {depth}, leaf {}", setting.n_trees, setting.min_samples_leaf);
            vec![
                words(&model.name),
                Cell::Count(learnt.n_rows),
                Cell::Count(learnt.n_candidates),
                Cell::Count(learnt.n_varying),
                Cell::Count(learnt.shortlist.len()),
                Cell::number(lambda, 4),
                Cell::Count(learnt.features.len()),
                words(forest),
                Cell::number(Some(learnt.tuning_auc), 3),
            ]
        };
        let rows = regions(&models)?.into_iter().map(row).collect();
        let title = "What was learnt of each region".to_owned();
        let sheet = self.sheet(title, &HEADINGS, rows)?;
        let notes = vec![
            "allowed: defined in every training patient and past the gate; shortlist: by mRMR; chosen: by LASSO \
                          (the first of the shortlist where it keeps none)"
                .to_owned(),
        ];
        self.told(Sheet { notes, provenance: self.provenance_of("fit")?, ..sheet })
    }

    /// The features of the region that gives the Rad-score.
    pub(in crate::study) fn rad_score_sheet(&self) -> Result<Sheet, Error> {
        let models = self.store.models()?;
        let radiomics = models.iter().find(|model| model.name == RADIOMICS).ok_or(Error::NoFit)?;
        let region = recipe(radiomics)?.region().unwrap_or_default().to_owned();
        let learnt = crate::study::learn::learnt::region_recipe(&models, &region)?;
        let row = |(at, name): (usize, &String)| {
            // Features differ by orders of magnitude: significant digits, not decimals.
            let scientific = |value: f64| words(format!("{value:.4e}"));
            let weight = Cell::Number { value: learnt.weights[at], digits: 4 };
            vec![words(name), scientific(learnt.scaling.means[at]), scientific(learnt.scaling.sds[at]), weight]
        };
        let rows = learnt.features.iter().enumerate().map(row).collect();
        let title = format!("Features of the Rad-score ({region})");
        let sheet = self.sheet(title, &["Feature", "Mean", "SD", "LASSO weight"], rows)?;
        let notes = vec![
            "means and SDs of training patients; weights are of z-scores; the forest itself is in the study \
                          file (table model)"
                .to_owned(),
        ];
        self.told(Sheet { notes, provenance: self.provenance_of("fit")?, ..sheet })
    }

    /// Learners beside the forest in full; `None` where there are none.
    pub(in crate::study) fn learners_sheet(&self) -> Result<Option<Sheet>, Error> {
        let (mut rows, mut notes) = (Vec::new(), Vec::new());
        for model in self.store.models()?.iter().filter(|model| Learner::of(&model.name).is_some()) {
            let scientific = |value: f64| words(format!("{value:.4e}"));
            match recipe(model)?.learnt {
                Learnt::Learner(learnt) => {
                    let of = |value: f64| Cell::Number { value, digits: 5 };
                    rows.push(vec![
                        words(&model.name),
                        words("intercept"),
                        Cell::Empty,
                        Cell::Empty,
                        of(learnt.intercept),
                    ]);
                    for (at, feature) in learnt.features.iter().enumerate() {
                        let [mean, sd] = [learnt.scaling.means[at], learnt.scaling.sds[at]].map(scientific);
                        rows.push(vec![words(&model.name), words(feature), mean, sd, of(learnt.weights[at])]);
                    }
                    let sigmoid = learnt.platt.map_or_else(String::new, |platt| {
                        format!("; probability 1 / (1 + exp(a f + b)) with a = {:.6}, b = {:.6}", platt.a, platt.b)
                    });
                    notes.push(format!(
                        "{} ({}), region {}: {} training patients, {} with the event; {}{sigmoid}",
                        model.name,
                        learnt.learner.label(),
                        learnt.region,
                        learnt.n_rows,
                        learnt.n_events,
                        learnt.setting_in_words()
                    ));
                }
                Learnt::NoRegion { error, .. } => notes.push(format!("{}: no model ({error})", model.name)),
                _ => (),
            }
        }
        if notes.is_empty() {
            return Ok(None);
        }
        notes.push("means and SDs of training patients; weights are of z-scores".to_owned());
        let headings = ["Model", "Term", "Mean", "SD", "Weight"];
        let sheet = self.sheet("Learners beside the random forest".to_owned(), &headings, rows)?;
        self.told(Sheet { notes, provenance: self.provenance_of("fit")?, ..sheet }).map(Some)
    }

    /// Intercept and coefficients of the clinical and the combined model.
    pub(in crate::study) fn coefficients_sheet(&self) -> Result<Sheet, Error> {
        let models = self.store.models()?;
        let mut rows = Vec::new();
        let mut notes = vec!["p and intervals: Wald's; range: of the training patients".to_owned()];
        for name in [CLINICAL, COMBINED] {
            let model = models.iter().find(|model| model.name == name).ok_or(Error::NoFit)?;
            let stored = recipe(model)?;
            let fit = stored.logistic().ok_or(Error::NoFit)?;
            rows.extend(coefficients(&self.protocol.codebook, name, fit));
            let out = if fit.n_missing > 0 {
                format!(", {} left out for a missing value", fit.n_missing)
            } else {
                String::new()
            };
            notes.push(format!("{name}: {} training patients, {} with the event{out}", fit.n, fit.n_events));
            notes.extend(fit.notes.iter().map(|note| format!("{name}: {note}")));
            if fit.ridge_in_words().is_some() {
                notes.push(format!("{name}: no P values, a penalized estimate is biased on purpose and tests nothing"));
            }
        }
        let mut headings = vec!["Model", "Term", "Coefficient", "SE", "OR (95 % CI)", "P", "Range"];
        if rows.iter().any(|row| row[headings.len()..].iter().any(|cell| *cell != Cell::Empty)) {
            headings.extend(["df", "FMI"]);
            notes.push(
                "df: degrees of freedom of Barnard and Rubin, by which P and interval of pooled coefficients are t's; FMI: \
                 fraction of missing information"
                    .to_owned(),
            );
        }
        rows.iter_mut().for_each(|row| row.truncate(headings.len()));
        let sheet = self.sheet("The logistic models in full".to_owned(), &headings, rows)?;
        self.told(Sheet { notes, provenance: self.provenance_of("fit")?, ..sheet })
    }
}

const HEADINGS: [&str; 9] =
    ["Region", "Patients", "Allowed", "Varying", "Shortlist", "Lambda", "Chosen", "Forest", "Tuning AUC"];

fn coefficients(book: &Codebook, name: &str, fit: &Logistic) -> Vec<Vec<Cell>> {
    let se = |at: usize| fit.covariance.get(at).and_then(|row| row.get(at)).map(|v| v.max(0.0).sqrt());
    let row = |(at, (term, b)): (usize, (String, f64))| {
        let known = se(at).filter(|se| *se > 0.0);
        let pooled = fit.pooled.get(at).copied().flatten();
        let half = pooled.and_then(|pooled| t_quantile(0.975, pooled.df)).unwrap_or(Z_975);
        let odds = match known.filter(|_| at > 0) {
            Some(se) => {
                let of = |z: f64| (b + z * se).exp();
                Cell::Interval { estimate: b.exp(), low: of(-half), high: of(half), digits: 3 }
            }
            None => Cell::Empty,
        };
        let range = match at.checked_sub(1).and_then(|at| fit.ranges.get(at)) {
            Some(&(low, high)) if !term.contains(": ") => Cell::Range { low, high, digits: 2 },
            _ => Cell::Empty,
        };
        // A penalised estimate is no test of its coefficient.
        let p = Cell::p(known.filter(|_| fit.ridge_in_words().is_none()).map(|se| match pooled {
            Some(pooled) => t_two_sided(b / se, pooled.df),
            None => normal_two_sided(b / se),
        }));
        let (df, fmi) = (pooled.map(|pooled| pooled.df), pooled.map(|pooled| pooled.fmi));
        let estimate = Cell::Number { value: b, digits: 5 };
        let [df, fmi] = [Cell::number(df, 1), Cell::number(fmi, 3)];
        vec![words(name), words(term), estimate, Cell::number(se(at), 5), odds, p, range, df, fmi]
    };
    let label = |term: &String| match term.split_once('=') {
        Some((_, level)) => format!("{}: {level}", variable_label(book, term)),
        None => variable_label(book, term),
    };
    let terms = fit.terms.iter().map(label).zip(fit.coefficients.iter().copied());
    std::iter::once(("Intercept".to_owned(), fit.intercept)).chain(terms).enumerate().map(row).collect()
}
