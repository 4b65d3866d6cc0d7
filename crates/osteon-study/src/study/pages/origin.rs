//! Where a number on a screen comes from: what it means, which patients, which files, which run.

use std::collections::BTreeMap;

use crate::report::performance::Scored;
use crate::store::{ChangeFilter, Patient, PatientId, RunId, Side};
use crate::study::{Error, ModelTable, Study};
use osteon_radiomics::feature::Family;
use osteon_stats::evaluate::roc::confusion;

/// A number of which somebody asks where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A variable of a patient.
    Variable { code: String, field: String },
    /// A feature of a patient in a region.
    Feature { code: String, feature: String, region: String },
    /// A patient's probability by a model.
    Prediction { code: String, model: String },
    /// A row of Table 1 or 2, by the label of its variable.
    Clinical { label: String },
    /// A row of Table 4, by the label of its variable.
    Coefficient { label: String },
    /// A row of Table 3 or 5.
    Metric { table: ModelTable, set: String, model: String },
    /// A feature that a region's model uses.
    Weight { region: String, feature: String },
    /// The extraction's failures.
    Failures,
}

/// Headings and what stands below them; one with `(n` begins so.
const DEFINITIONS: &[(&str, &str)] = &[
    ("Total (n", "patients with a known response: n (%) of those with a known value, or mean and spread"),
    ("training (n", "patients of the training set: n (%) of those with a known value, or mean and spread"),
    ("test (n", "patients of the test set: n (%) of those with a known value, or mean and spread"),
    ("test", "the test that the protocol's rule chose for this variable"),
    ("statistic", "the test's statistic"),
    ("df", "the test's degrees of freedom"),
    ("p", "probability of a difference at least as large if the groups did not differ"),
    ("effect", "standardized mean difference, or Cramér's V for levels"),
    ("Univariate OR", "exp(coefficient) of a logistic regression on this variable alone, Wald's 95 % interval"),
    ("Multivariate OR", "exp(coefficient) with all variables that entered, Wald's 95 % interval"),
    ("coefficient", "log odds a unit, or against the reference level"),
    ("SE", "standard error of the coefficient, from the observed information"),
    ("z", "coefficient over its standard error"),
    ("Wald chi2", "square of z"),
    ("profile CI", "95 % interval of the odds ratio by profile likelihood"),
    ("LR p", "likelihood ratio test against the model without the variable"),
    ("AUC (95", "chance that a patient with the event scores higher than one without; DeLong's interval"),
    ("AUC bootstrap", "training AUC less Harrell's optimism, the entire modelling pipeline refitted on each sample"),
    ("AUC nested", "mean AUC of nested cross-validation of the entire modelling pipeline"),
    ("AUC random", "test AUC over random splits of all patients: median and the middle 95 %"),
    ("AUC difference", "the first model's AUC less the second's, in the same patients"),
    ("Permutation p", "proportion of permuted responses whose pipeline reaches this AUC"),
    ("Accuracy", "(true positives + true negatives) / all"),
    ("Sensitivity", "true positives / patients with the event"),
    ("Specificity", "true negatives / patients without the event"),
    ("Precision", "true positives / patients called positive"),
    ("Brier", "mean squared difference of probability and event"),
    ("H-L p", "Hosmer-Lemeshow: probability of calibration at least as bad if the probabilities were true"),
    ("F1", "harmonic mean of precision and sensitivity"),
    ("Z", "difference over its standard error by DeLong"),
    ("P (", "probability of a gain at least as large if there were none"),
    ("P", "probability of a difference at least as large if there were none"),
    ("NRI", "net reclassification improvement at the cut of 0.5"),
    ("IDI", "integrated discrimination improvement"),
    ("weight", "the LASSO's coefficient on z-scores of the training patients"),
    ("ICC(2,1)", "two-way random effects, absolute agreement, single measurement"),
    ("p(", "predicted probability of the event"),
    ("linear", "the LASSO's linear score"),
    ("seed", "all randomness of the run comes from it"),
    ("protocol", "SHA-256 of the protocol in force when the run began"),
    ("inputs", "SHA-256 of what the run read"),
    ("trail head", "SHA-256 of the last change when the run began"),
    ("hash", "SHA-256 of this change and the one before it"),
    ("Inclusion", "patients of the study file, by what became of them"),
    ("Missing values", "included patients without a value, and their percentage"),
    ("Images and features", "files that are linked to patients, and regions that were measured"),
    ("Jobs", "long work in a process of its own, the newest first"),
    ("Last changes", "the newest links of the trail, with who made them"),
];

/// What a heading means.
pub fn definition(heading: &str) -> Option<&'static str> {
    let bare = crate::report::clinical::SETS.iter().find_map(|set| heading.strip_prefix(set)).unwrap_or(heading);
    let bare = bare.strip_suffix(", multivariate").unwrap_or(bare);
    if bare.contains(" (n = ") && !["Total", "training", "test"].iter().any(|name| bare.starts_with(name)) {
        return Some("patients of this side of the outcome: n (%) of those with a known value, or mean and spread");
    }
    let exact = DEFINITIONS.iter().find(|(name, _)| *name == bare);
    let begins = || DEFINITIONS.iter().filter(|(name, _)| name.len() > 1).find(|(name, _)| bare.starts_with(name));
    exact.or_else(begins).map(|(_, meaning)| *meaning)
}

impl Study {
    /// What is known of a number beyond what the screen shows, a fact a line.
    pub fn origin(&self, asked: &Asked) -> Result<Vec<String>, Error> {
        match asked {
            Asked::Variable { code, field } => self.origin_of_variable(code, field),
            Asked::Feature { code, feature, region } => self.origin_of_feature(code, feature, region),
            Asked::Prediction { code, model } => self.origin_of_prediction(code, model),
            Asked::Clinical { label } => self.origin_of_label(label, "patients", &|_| true),
            Asked::Coefficient { label } => match self.store.split()? {
                Some(split) => {
                    let learnt_from = |patient: &Patient| split.members.contains(&(patient.id, Side::Train));
                    self.origin_of_label(label, "training patients", &learnt_from)
                }
                None => Ok(Vec::new()),
            },
            Asked::Metric { table, set, model } => self.origin_of_metric(*table, set, model),
            Asked::Weight { region, feature } => {
                self.needs_response()?;
                let run = self.store.newest_fit()?.ok_or(Error::NoFit)?;
                Ok([meaning(feature), vec![format!("chosen in {region} by mRMR, then LASSO")], self.run_lines(run)?]
                    .concat())
            }
            Asked::Failures => self.failures(),
        }
    }

    fn origin_of_variable(&self, code: &str, field: &str) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        let book = &self.protocol.codebook;
        let variable = book.named(field).filter(|_| self.may_see(field));
        if let Some(variable) = variable {
            lines.push(format!("{}: {}", variable.heading(), variable.expected()));
            lines.extend(variable.formula.as_ref().map(|formula| format!("computed: {}", formula.text())));
        }
        let filter = ChangeFilter { row: code.to_owned(), ..ChangeFilter::default() };
        let decides: Vec<&str> = match (field, book.outcome()) {
            ("response", Some(outcome)) => outcome.reads(book).into_iter().collect(),
            ("included", _) => vec!["included", "exclusion_reason"],
            _ => vec![field],
        };
        let keys: Vec<&str> =
            decides.iter().map(|name| book.named(name).map_or(*name, |variable| variable.key.as_str())).collect();
        let of = |name: &str| keys.contains(&name.split(" at ").next().unwrap_or(name));
        let changes = self.changes(&filter)?.into_iter().filter(|it| it.table == "patient" && of(&it.field));
        for change in changes.filter(|change| self.may_see(&change.field)).take(3) {
            let was = change.old.as_deref().unwrap_or("missing");
            let now = change.new.as_deref().unwrap_or("missing");
            let who = format!("{}@{}, {}", change.actor, change.host, self.minute(&change.at));
            lines.push(format!("change {}: {was} to {now} by {who}: {}", change.seq, change.reason));
        }
        Ok(lines)
    }

    fn origin_of_feature(&self, code: &str, feature: &str, region: &str) -> Result<Vec<String>, Error> {
        let patient = self.store.patient(code)?;
        let mut lines = meaning(feature);
        let rater = self.rater();
        let own = |it: &crate::store::RegionState| {
            it.patient == patient.id && it.place.region_name() == region && it.place.rater == rater
        };
        if let Some(state) = self.store.region_states()?.into_iter().find(own) {
            lines.push(format!("measured in {region} of {code}, on the first mask"));
            lines.push(format!("image: {}", state.inputs.image_sha256));
            lines.push(format!("mask: {}", state.inputs.mask_sha256));
            lines.extend(self.run_lines(state.run)?);
        }
        Ok(lines)
    }

    fn origin_of_prediction(&self, code: &str, model: &str) -> Result<Vec<String>, Error> {
        self.needs_response()?;
        let patient = self.store.patient(code)?;
        let models = self.store.models()?;
        let found = models.iter().find(|it| it.name == model).ok_or(Error::NoFit)?;
        let split = self.store.split()?.filter(|split| split.id == found.split);
        let side = split.and_then(|split| split.members.into_iter().find(|(id, _)| *id == patient.id));
        let mut lines = vec![match side {
            Some((_, Side::Train)) => format!("{code} is in the training set: the model learnt from this patient"),
            Some((_, Side::Test)) => format!("{code} is in the test set: the model never saw this patient"),
            None => format!("{code} is in neither set of the split that the model learnt from"),
        }];
        lines.push("fitted: by the model of all training patients; out of fold: by one of the other folds".to_owned());
        lines.extend(self.run_lines(found.run)?);
        Ok(lines)
    }

    /// How many patients have a value, by response.
    fn origin_of_label(
        &self,
        label: &str,
        who: &str,
        counts_in: &dyn Fn(&Patient) -> bool,
    ) -> Result<Vec<String>, Error> {
        self.needs_response()?;
        let described = self.protocol.codebook.described();
        let Some(variable) = described.into_iter().find(|variable| variable.in_tables() == label.trim()) else {
            return Ok(Vec::new());
        };
        let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for patient in self.store.patients()?.iter().filter(|it| it.included() && counts_in(it)) {
            let group = patient.event.map_or("unknown response", |event| self.protocol.codebook.side(event));
            let count = counts.entry(group).or_default();
            count[0] += usize::from(patient.entry(&variable.name).is_some());
            count[1] += 1;
        }
        let words = counts.iter().map(|(group, [known, all])| format!("{group} {known} of {all}"));
        Ok(vec![format!("{who} with a value: {}", words.collect::<Vec<_>>().join(", "))])
    }

    fn origin_of_metric(&self, table: ModelTable, set: &str, model: &str) -> Result<Vec<String>, Error> {
        let (rows, _, run) = self.scored(table)?;
        let Some(scored) = rows.iter().find(|row| row.set == set && row.model == model) else { return Ok(Vec::new()) };
        let of_run = run.map_or_else(|| Ok(Vec::new()), |run| self.run_lines(run))?;
        Ok([counts(scored, self.protocol.codebook.side(true)), of_run].concat())
    }

    fn run_lines(&self, id: RunId) -> Result<Vec<String>, Error> {
        let Some(run) = self.store.run(id)? else { return Ok(Vec::new()) };
        let began = self.minute(&run.started_at);
        let seed = run.seed.0;
        Ok(vec![
            format!(
                "run {}, {}: {began} by {}@{}, seed {seed}, osteon {}",
                id.0, run.kind, run.actor, run.host, run.program_version
            ),
            format!("its protocol: {}", run.protocol_hash),
            format!("its inputs: {}", run.inputs),
        ])
    }

    /// What could not be measured, with the reason; regions of a patient that failed for one reason are one line.
    fn failures(&self) -> Result<Vec<String>, Error> {
        let codes: BTreeMap<PatientId, String> =
            self.store.patients()?.into_iter().map(|Patient { id, code, .. }| (id, code)).collect();
        let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for state in self.store.region_states()? {
            let region = state.place.to_string();
            if let Some(key) = codes.get(&state.patient).cloned().zip(state.error) {
                found.entry(key).or_default().push(region);
            }
        }
        let line = |((code, why), regions): (&(String, String), &Vec<String>)| match &regions[..] {
            [one] => format!("failed: {code} {one}: {why}"),
            all => format!("failed: {code}, {} regions: {why}", all.len()),
        };
        Ok(found.iter().map(line).collect())
    }
}

/// The confusion matrix that the shares of a row come from.
fn counts(scored: &Scored, event: &str) -> Vec<String> {
    let events = scored.event.iter().filter(|&&event| event).count();
    let found = confusion(&scored.score, &scored.event, 0.5);
    let shares = found.shares();
    let mut lines = vec![format!(
        "{} patients of the {} set with a score, {events} of them with the event ({event}); {} without a score",
        scored.event.len(),
        scored.set,
        scored.n_missing
    )];
    lines.push("cut at 0.5:".to_owned());
    lines.extend(shares.iter().map(|(name, n, of)| format!("  {name}: {n} of {of}")));
    lines
}

/// Image, family, feature and IBSI code in the name of a feature.
fn meaning(feature: &str) -> Vec<String> {
    let mut parts = feature.splitn(3, '_');
    let (Some(image), Some(family), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return vec![feature.to_owned()];
    };
    let known = Family::ALL.into_iter().find(|it| it.name() == family);
    let code = known.and_then(|it| it.features().into_iter().find(|(own, _)| *own == name)).and_then(|(_, ibsi)| ibsi);
    let ibsi = code.map_or_else(|| "no IBSI code".to_owned(), |code| format!("IBSI {code}"));
    vec![format!("image {image}, family {family}, feature {name} ({ibsi})")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_finds_its_own_meaning() {
        let begins = |heading: &str, start: &str| {
            assert!(definition(heading).is_some_and(|text| text.starts_with(start)), "{heading}");
        };
        begins("non-pGR (n = 48)", "patients of this side");
        begins("Training: pGR (n = 36)", "patients of this side");
        begins("p(non-pGR)", "predicted probability");
        begins("Sets: test", "the test that");
        begins("profile CI, multivariate", "95 % interval");
        begins("AUC (95 % CI)", "chance");
        begins("P (NRI)", "probability");
        assert_eq!(definition("Variable"), None);
        assert_eq!(
            meaning("original_glcm_Autocorrelation"),
            ["image original, family glcm, feature Autocorrelation (IBSI QWB0)"]
        );
    }
}
