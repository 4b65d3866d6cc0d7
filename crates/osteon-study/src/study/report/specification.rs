//! The models in full, so that somebody else can use them: what each region chose, and the coefficients of the
//! logistic models.

use serde_json::Value;

use crate::pipeline::clinical::Logistic;
use crate::protocol::codebook::Codebook;
use crate::report::sheet::{Cell, Sheet};
use crate::study::learn::learnt::variable_label;
use crate::study::learn::performance::recipe;
use crate::study::pages::patient_pages::words;
use crate::study::report::caution::{number, regions};
use crate::study::{Error, Study};
use osteon_stats::stats::distribution::{Z_975, normal_two_sided, t_quantile, t_two_sided};

impl Study {
    /// One row a region: how many features went in and out, the penalty, and the forest that was chosen.
    pub(in crate::study) fn regions_sheet(&self) -> Result<Sheet, Error> {
        let models = self.store.models()?;
        let count = |body: &Value, key: &str| body[key].as_u64().map_or(Cell::Empty, |n| Cell::Count(n as usize));
        let row = |(model, body): (&crate::store::Model, Value)| {
            if let Some(trouble) = body["error"].as_str() {
                let mut row = vec![words(&model.name), words(format!("no model: {trouble}"))];
                row.resize(HEADINGS.len(), Cell::Empty);
                return row;
            }
            let lasso = &body["lasso"];
            let lambda = lasso["chosen"].as_u64().and_then(|at| lasso["path"]["lambdas"][at as usize].as_f64());
            let length = |key: &str| body[key].as_array().map_or(Cell::Empty, |list| Cell::Count(list.len()));
            let setting = |key: &str| body["setting"][key].as_u64().unwrap_or(0);
            let depth = match setting("max_depth") {
                0 => "no limit".to_owned(),
                depth => format!("depth {depth}"),
            };
            let forest = format!("{} trees, {depth}, leaf {}", setting("n_trees"), setting("min_samples_leaf"));
            vec![
                words(&model.name),
                count(&body, "n_rows"),
                count(&body, "n_candidates"),
                count(&body, "n_varying"),
                length("shortlist"),
                Cell::number(lambda, 4),
                length("features"),
                words(forest),
                Cell::number(number(&body, &["tuning_auc"]), 3),
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
        let radiomics = models.iter().find(|model| model.name == "radiomics").ok_or(Error::NoFit)?;
        let region = recipe(radiomics)?["region"].as_str().unwrap_or_default().to_owned();
        let (_, body) = crate::study::learn::learnt::region_recipe(&models, &region)?;
        let names = body["features"].as_array().cloned().unwrap_or_default();
        let row = |(at, name): (usize, &Value)| {
            let of = |key: &str| body[key][at].as_f64();
            // Features differ by orders of magnitude: significant digits, not decimals.
            let scientific = |value: Option<f64>| value.map_or(Cell::Empty, |value| words(format!("{value:.4e}")));
            let weight = Cell::number(of("weights"), 4);
            vec![words(name.as_str().unwrap_or_default()), scientific(of("means")), scientific(of("sds")), weight]
        };
        let rows = names.iter().enumerate().map(row).collect();
        let title = format!("Features of the Rad-score ({region})");
        let sheet = self.sheet(title, &["Feature", "Mean", "SD", "LASSO weight"], rows)?;
        let notes = vec![
            "means and SDs of training patients; weights are of z-scores; the forest itself is in the study \
                          file (table model)"
                .to_owned(),
        ];
        self.told(Sheet { notes, provenance: self.provenance_of("fit")?, ..sheet })
    }

    /// Intercept and coefficients of the clinical and the combined model.
    pub(in crate::study) fn coefficients_sheet(&self) -> Result<Sheet, Error> {
        let models = self.store.models()?;
        let mut rows = Vec::new();
        let mut notes = vec!["p and intervals: Wald's; range: of the training patients".to_owned()];
        for name in ["clinical", "combined"] {
            let model = models.iter().find(|model| model.name == name).ok_or(Error::NoFit)?;
            let wrong = |source| Error::Recipe { model: name.to_owned(), source };
            let fit: Logistic = serde_json::from_value(recipe(model)?["logistic"].clone()).map_err(wrong)?;
            rows.extend(coefficients(&self.protocol.codebook, name, &fit));
            let out = if fit.n_missing > 0 {
                format!(", {} left out for a missing value", fit.n_missing)
            } else {
                String::new()
            };
            notes.push(format!("{name}: {} training patients, {} with the event{out}", fit.n, fit.n_events));
            notes.extend(fit.notes.iter().map(|note| format!("{name}: {note}")));
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
        let p = Cell::p(known.map(|se| match pooled {
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
