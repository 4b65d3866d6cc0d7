//! One patient under a model: Rad-score, points, probability with interval, contributions, and how far the patient is
//! from those that the model learnt from.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, SymmetricEigen};
use serde::Serialize;

use crate::model::file::Source;
use crate::model::read::{Model, ModelError, scaling};
use crate::model::terms::{self, NoValue, parts};
use crate::pipeline::learn::RAD_SCORE;
use osteon_stats::model::shap::{Explanation, path_dependent};
use osteon_stats::stats::distribution::chi2_sf;

/// What the model says of a patient.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Applied {
    pub probability: f64,
    /// 95 % interval of the probability: Wald's on the linear predictor.
    pub low: f64,
    pub high: f64,
    pub linear_predictor: f64,
    pub rad_score: f64,
    pub terms: Vec<AppliedTerm>,
    /// `None` where the model has no nomogram.
    pub total_points: Option<f64>,
    /// The sources of the Rad-score; none where it was given and no features were measured.
    pub sources: Vec<AppliedSource>,
    pub warnings: Vec<String>,
}

/// One term of the combined model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppliedTerm {
    pub name: String,
    pub value: f64,
    /// Whether the model's value for a missing one stands for it.
    pub filled: bool,
    pub points: Option<f64>,
    /// What the value adds to the log odds of the mean training patient.
    pub shap: f64,
}

/// One source of the Rad-score, and the features behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppliedSource {
    pub name: String,
    /// What the Rad-score is made of: the forest's probability, or the linear score.
    pub score: f64,
    /// Mean of the forest over its training patients, or the linear score's intercept, where the contributions start from.
    pub base: f64,
    pub features: Vec<AppliedFeature>,
    /// Mahalanobis distance of the z-scores to the training patients' mean.
    pub distance: f64,
    /// 97.5th percentile of the training patients' own distances.
    pub distance_p97_5: Option<f64>,
    /// Probability of a distance at least as large under a normal distribution.
    pub distance_p: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppliedFeature {
    pub name: String,
    pub value: f64,
    pub z: f64,
    /// Path-dependent TreeSHAP on the Rad-score; of a linear score weight times z-score, whose training mean is 0.
    pub shap: f64,
}

/// Measured values by `slot.region.feature`.
pub type Raw = BTreeMap<String, f64>;

impl Model {
    /// Applies the model to measured features and clinical values by name. A given `rad_score` takes the place of
    /// features.
    ///
    /// # Errors
    /// When a value is missing and the model has none for it, or neither features nor Rad-score are there.
    pub fn apply(&self, raw: Option<&Raw>, known: &BTreeMap<String, String>) -> Result<Applied, ModelError> {
        let mut known = known.clone();
        let measured = raw.map(|raw| self.sources(raw, &known)).transpose()?;
        if let Some((_, score)) = &measured {
            known.insert(RAD_SCORE.to_owned(), score.to_string());
        }
        let wrong = |NoValue { name, found, expected }| ModelError::Value { name, found, expected };
        let logistic = &self.combined;
        let (mut values, mut filled) = (Vec::new(), Vec::new());
        for (term, fill) in logistic.terms.iter().zip(&logistic.fill) {
            let is_known = self.is_known(parts(term).0, &known);
            let value = match (measured.as_ref().filter(|_| term == RAD_SCORE), fill) {
                // The score itself: no digit is lost on the way through words.
                (Some((_, score)), _) => *score,
                (None, Some(fill)) if !is_known => *fill,
                (None, _) => terms::value(&self.codebook, term, &known).map_err(wrong)?,
            };
            filled.push(!is_known);
            values.push(value);
        }
        let (low, high) = logistic.interval(&values);
        let points = self.file.nomogram.as_ref().and_then(|nomogram| terms::points(nomogram, &values));
        let term = |at: usize| AppliedTerm {
            name: logistic.terms[at].clone(),
            value: values[at],
            filled: filled[at],
            points: points.as_ref().map(|points| points[at]),
            shap: logistic.coefficients[at] * (values[at] - self.file.combined.terms[at].mean),
        };
        let rad_score = logistic.terms.iter().position(|term| term == RAD_SCORE).map(|at| values[at]);
        let mut applied = Applied {
            probability: logistic.probability(&values),
            low,
            high,
            linear_predictor: logistic.linear_predictor(&values),
            rad_score: measured.as_ref().map(|(_, score)| *score).or(rad_score).unwrap_or(f64::NAN),
            terms: (0..values.len()).map(term).collect(),
            total_points: points.as_ref().map(|points| points.iter().sum()),
            sources: measured.map(|(sources, _)| sources).unwrap_or_default(),
            warnings: Vec::new(),
        };
        applied.warnings = self.warnings(&applied);
        Ok(applied)
    }

    /// Probability under the clinical model; `None` where a value is missing.
    pub fn clinical_probability(&self, known: &BTreeMap<String, String>) -> Option<f64> {
        let values = self.clinical.terms.iter().map(|term| {
            let is_known = self.is_known(parts(term).0, known);
            is_known.then(|| terms::value(&self.codebook, term, known).ok()).flatten()
        });
        self.clinical.score(values)
    }

    /// Whether a value is given that is no empty cell.
    fn is_known(&self, name: &str, known: &BTreeMap<String, String>) -> bool {
        let Some(text) = known.get(name) else { return false };
        self.codebook.named(name).is_none_or(|variable| {
            !matches!(variable.read(text), Ok(None | Some(crate::protocol::codebook::Value::Missing(_))))
        })
    }

    /// The Rad-score of sources, each by its name; `None` where one that it needs has none.
    pub fn rad_score(&self, of: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        match &self.fusion {
            None => of(&self.file.rad_score.source),
            Some(fusion) => fusion.score(fusion.terms.iter().map(|name| of(name))),
        }
    }

    fn sources(&self, raw: &Raw, known: &BTreeMap<String, String>) -> Result<(Vec<AppliedSource>, f64), ModelError> {
        let one = |source: &Source| applied(source, raw, source.batch(&self.file, known)?);
        let sources = self.file.rad_sources().into_iter().map(one);
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let of = |name: &str| sources.iter().find(|source| source.name == name).map(|source| source.score);
        let lacking = || ModelError::Measured("the Rad-score lacks a source".to_owned());
        let score = self.rad_score(of).ok_or_else(lacking)?;
        Ok((sources, score))
    }

    /// One sentence for each input that training patients hardly had, and for a patient who is far from them as a whole.
    fn warnings(&self, applied: &Applied) -> Vec<String> {
        const RANGE: &str = "the 2.5th to 97.5th percentile of training patients";
        let beyond = |value: f64, low: Option<f64>, high: Option<f64>| {
            low.is_some_and(|low| value < low) || high.is_some_and(|high| value > high)
        };
        let text = |limit: Option<f64>| limit.map_or("-".to_owned(), short);
        let mut warnings = Vec::new();
        for (term, part) in applied.terms.iter().zip(&self.file.combined.terms) {
            if term.filled {
                let name = parts(&term.name).0;
                warnings
                    .push(format!("{name} is missing: {} stands for it, as learnt in training patients", term.value));
            } else if part.level.is_none() && beyond(term.value, part.p2_5, part.p97_5) {
                let (low, high) = (text(part.p2_5), text(part.p97_5));
                let value = short(term.value);
                warnings.push(format!("{}: {value} is outside {low} to {high}, {RANGE}", term.name));
            }
        }
        warnings.extend(self.rare_levels(applied));
        for (own, source) in applied.sources.iter().zip(self.file.rad_sources()) {
            for (own, part) in own.features.iter().zip(&source.features) {
                if beyond(own.value, part.p2_5, part.p97_5) {
                    let (low, high) = (text(part.p2_5), text(part.p97_5));
                    let name = format!("{}.{}", source.name, own.name);
                    let value = short(own.value);
                    warnings.push(format!("{name}: {value} is outside {low} to {high}, {RANGE}"));
                }
            }
            if let Some(limit) = own.distance_p97_5.filter(|limit| own.distance > *limit) {
                warnings.push(format!(
                    "{}: the features together lie {:.2} (Mahalanobis) from the training patients, of whom 97.5 % are within \
                     {limit:.2}",
                    own.name, own.distance
                ));
            }
        }
        warnings
    }

    /// Levels of this patient that no training patient had.
    fn rare_levels(&self, applied: &Applied) -> Vec<String> {
        use crate::model::file::VariableSummary;
        let mut warnings = Vec::new();
        for variable in &self.file.training.variables {
            let VariableSummary::Levels { name, levels, .. } = variable else { continue };
            let own = |level: &str| {
                applied.terms.iter().any(|term| term.name == format!("{name}={level}") && term.value == 1.0)
            };
            for level in levels.iter().filter(|level| level.share == 0.0 && own(&level.level)) {
                warnings.push(format!("{name}: no training patient had the level {}", level.level));
            }
        }
        warnings
    }
}

/// A number with five significant digits, without exponent where it is readable.
fn short(value: f64) -> String {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let text = format!("{value:.*}", usize::try_from(4 - magnitude).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn applied(source: &Source, raw: &Raw, batch: Option<usize>) -> Result<AppliedSource, ModelError> {
    let lacking = |name: &str| ModelError::Measured(format!("{}: {name} is undefined in these images", source.name));
    let value =
        |it: &crate::model::file::FeaturePart| it.value(|name| raw.get(name).copied()).ok_or_else(|| lacking(&it.name));
    let values = source.features.iter().map(value).collect::<Result<Vec<f64>, _>>()?;
    let taken = source.harmonised(&values, batch);
    let z = z_scores(source, &taken);
    let explained = match source.link {
        None => path_dependent(&source.forest, ndarray::aview1(&z)),
        Some(_) => Explanation { base: source.lasso_intercept, values: contributions(source, &z) },
    };
    let (distance, rank) = distance(&source.covariance, &z);
    let feature = |at: usize| AppliedFeature {
        name: source.features[at].name.clone(),
        value: values[at],
        z: z[at],
        shap: explained.values[at],
    };
    Ok(AppliedSource {
        name: source.name.clone(),
        score: rad_value(source, &taken),
        base: explained.base,
        features: (0..z.len()).map(feature).collect(),
        distance,
        distance_p97_5: source.distance_p97_5,
        distance_p: (rank > 0).then(|| chi2_sf(distance * distance, rank as f64)),
    })
}

/// The probability of a source's features (harmonized where it has batches), in the order of the file: the forest's, or by
/// the linear score.
pub fn probability(source: &Source, values: &[f64]) -> f64 {
    match source.link {
        None => source.forest.probability(ndarray::aview1(&z_scores(source, values))),
        Some(link) => link.probability(rad_value(source, values)),
    }
}

/// What a source gives to the Rad-score: the forest's probability, or the linear score.
pub fn rad_value(source: &Source, values: &[f64]) -> f64 {
    match source.link {
        None => probability(source, values),
        // Added up as the study does.
        Some(_) => source.lasso_intercept + contributions(source, &z_scores(source, values)).iter().sum::<f64>(),
    }
}

fn contributions(source: &Source, z: &[f64]) -> Vec<f64> {
    source.features.iter().zip(z).map(|(feature, z)| feature.weight * z).collect()
}

fn z_scores(source: &Source, values: &[f64]) -> Vec<f64> {
    let scaling = scaling(source);
    values.iter().enumerate().map(|(k, &value)| scaling.z(k, value)).collect()
}

/// Mahalanobis distance of z-scores to their training mean (0), and the rank of the covariance. Directions in which the
/// training patients do not vary (eigenvalues below 1e-10 of the largest) have no say: the pseudo-inverse.
pub fn distance(covariance: &[Vec<f64>], z: &[f64]) -> (f64, usize) {
    let n = z.len();
    let eigen = SymmetricEigen::new(DMatrix::from_fn(n, n, |i, k| covariance[i][k]));
    let largest = eigen.eigenvalues.iter().copied().fold(0.0, f64::max);
    let (mut sum, mut rank) = (0.0, 0);
    for (at, &value) in eigen.eigenvalues.iter().enumerate() {
        if value > 1e-10 * largest && value > 0.0 {
            let along: f64 = (0..n).map(|k| eigen.eigenvectors[(k, at)] * z[k]).sum();
            sum += along * along / value;
            rank += 1;
        }
    }
    (sum.sqrt(), rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_warnings_are_short() {
        for (value, text) in [
            (0.059_027_777, "0.059028"),
            (9000.0, "9000"),
            (1.0, "1"),
            (0.0, "0"),
            (-1.709_352_49, "-1.7094"),
            (12_345_678.0, "1.2346e7"),
            (300.5, "300.5"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn the_distance_is_mahalanobis_also_where_the_covariance_is_singular() {
        // z' S^-1 z = 7 / 5 by hand; sqrt(z @ numpy.linalg.pinv(S, hermitian=True) @ z) for the singular one.
        let (found, rank) = distance(&[vec![2.0, 1.0], vec![1.0, 3.0]], &[1.0, 2.0]);
        assert!((found - 1.4_f64.sqrt()).abs() < 1e-12, "{found}");
        assert_eq!(rank, 2);
        let (found, rank) = distance(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[1.0, 1.0]);
        assert!((found - 1.0).abs() < 1e-12, "{found}");
        assert_eq!(rank, 1);
    }
}
