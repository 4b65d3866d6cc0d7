//! The methods of a study in words: settings of what was done, and what the stored runs and tables did with them.

use std::collections::BTreeSet;

use crate::pipeline::clinical::Logistic;
use crate::pipeline::recipe::{COMBINED, Learnt, RADIOMICS, Training};
use crate::pipeline::validate::Validation;
use crate::protocol::Protocol;
use crate::protocol::learn::Lesions;
use crate::report::clinical::{PrintedTest, event_of, printed_tests, test_set_of};
use crate::report::methods;
use crate::store::{ChangeFilter, Model, Role, Run};
use crate::study::learn::performance::{at_is_event, exactly_number, recipe};
use crate::study::{ClinicalTable, Error, FigureName, Study};
use osteon_base::text::counted;
use osteon_stats::stats::compare::{PFrom, TestName};

/// Heading and text.
pub(in crate::study) type Paragraph = (String, String);

/// What was measured, and under which settings.
pub(in crate::study) struct MeasuredWith {
    pub protocol: Protocol,
    pub versions: Vec<String>,
    /// Regions that were measured under other settings than the newest ones.
    others: usize,
    all: usize,
}

/// The newest fit, its protocol and models.
pub(in crate::study) struct Fitted {
    pub run: Run,
    pub protocol: Protocol,
    pub models: Vec<Model>,
}

impl Study {
    /// A paragraph for each part of the study that was done; the last names what was not.
    pub(in crate::study) fn methods_in_words(&self) -> Result<Vec<Paragraph>, Error> {
        let (measured, fitted) = (self.measured_with()?, self.fitted()?);
        let times = self.times_in_words()?;
        let mut told = Vec::new();
        let mut not_done = Vec::new();
        told.extend(self.event_in_words()?);
        match self.split_in_words()? {
            Some(text) => told.push(("Training and test sets".to_owned(), format!("{text}."))),
            None => not_done.push("no training and test sets"),
        }
        told.extend(self.acquisition_in_words()?);
        if self.store.count_patients()? > 0 {
            told.extend(methods::methods(&self.protocol, &["query"], &[]));
        }
        match &measured {
            Some(measured) => told.extend(measured.in_words()),
            None => not_done.push("no features"),
        }
        told.extend(self.agreement_in_words()?);
        match &fitted {
            Some(fitted) => {
                told.extend(methods::methods(&fitted.protocol, &["select", "forest", "learn"], &[]));
                told.extend(self.lesions_in_words(&fitted.protocol)?);
                told.extend(fitted.in_words()?);
                told.push(("Evaluation of the models".to_owned(), self.evaluation_in_words(fitted)?));
            }
            None if times.is_empty() => not_done.push("no models"),
            None => (),
        }
        told.extend(times);
        told.extend(self.tests_in_words()?);
        if self.needs_response().is_ok() && self.clinical_table(ClinicalTable::Four, &self.protocol).is_ok() {
            told.extend(methods::methods(&self.protocol, &["screen", "logistic"], &[]));
        }
        let plan = [self.plan_in_words()?, self.first_look_in_words()?];
        let plan: Vec<String> = plan.into_iter().flatten().map(|text| format!("{text}.")).collect();
        if !plan.is_empty() && self.needs_response().is_ok() && self.analysis_plan()?.is_some() {
            told.push(("Analysis plan".to_owned(), plan.join(" ")));
        }
        told.push(("Software".to_owned(), software(measured.as_ref(), fitted.as_ref())));
        if !not_done.is_empty() {
            told.push(("Not done yet".to_owned(), format!("There are {}.", not_done.join(", "))));
        }
        Ok(told)
    }

    /// Settings and programs behind the stored features; `None` where nothing was measured.
    pub(in crate::study) fn measured_with(&self) -> Result<Option<MeasuredWith>, Error> {
        let states: Vec<_> = self.store.region_states()?.into_iter().filter(|state| state.error.is_none()).collect();
        let Some(newest) = states.iter().map(|state| state.run).max() else { return Ok(None) };
        let runs = self.store.runs()?;
        let of = |id| runs.iter().find(|run| run.id == id);
        let Some(run) = of(newest) else { return Ok(None) };
        let protocol = Protocol::stored(&self.store.protocol_document(&run.protocol_hash)?)?;
        let others = states.iter().filter(|state| of(state.run).is_none_or(|it| it.inputs != run.inputs)).count();
        let versions: BTreeSet<&str> =
            states.iter().filter_map(|state| of(state.run)).map(|run| run.program_version.as_str()).collect();
        let versions = versions.into_iter().map(str::to_owned).collect();
        Ok(Some(MeasuredWith { protocol, versions, others, all: states.len() }))
    }

    /// The newest fit; `None` where there is none, or for a blind reader.
    pub(in crate::study) fn fitted(&self) -> Result<Option<Fitted>, Error> {
        if self.needs_response().is_err() {
            return Ok(None);
        }
        let Some(run) = self.newest_fit()? else { return Ok(None) };
        Ok(Some(Fitted { protocol: self.protocol_of_fit()?, models: self.store.models()?, run }))
    }

    /// The outcome, with the patients who are exactly at its cut-off and those whose side is unknown.
    fn event_in_words(&self) -> Result<Option<Paragraph>, Error> {
        let book = &*self.protocol.codebook;
        let Some(outcome) = book.outcome().filter(|_| self.needs_response().is_ok()) else { return Ok(None) };
        let [_, with] = outcome.sides_in_words(book);
        let mut text = format!("{with} ({}) was the event", outcome.event_label);
        if let Some((cutoff, at)) = self.at_cutoff()? {
            let side = book.side(at_is_event(&cutoff));
            let n = counted(at.len(), "included patient");
            text.push_str(&format!("; {n} with {} counted as {side}", exactly_number(&cutoff)));
        }
        text.push('.');
        let reasons = self.store.unknown_outcomes()?;
        let total: usize = reasons.iter().map(|(_, n)| n).sum();
        if total > 0 {
            let named: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason} ({n})")).collect();
            let who = counted(total, "included patient");
            text.push_str(&format!(" The outcome of {who} was unknown: {}.", named.join(", ")));
        }
        Ok(Some(("Outcome".to_owned(), text)))
    }

    /// How the patients were divided, as it is stored; `None` without sets.
    pub(in crate::study) fn split_in_words(&self) -> Result<Option<String>, Error> {
        let Some(split) = self.store.split()? else { return Ok(None) };
        let day = split.created_at.get(..10).unwrap_or_default();
        let made = ChangeFilter { row: split.id.0.to_string(), ..ChangeFilter::default() };
        let how_made = if split.seed.is_some() { "drawn" } else { "imported" };
        let made = self.store.changes(&made)?.into_iter().find(|it| it.table == "split" && it.field == how_made);
        let by = made.map_or_else(|| "somebody".to_owned(), |change| change.actor);
        let how = match split.seed {
            Some(seed) => {
                let share = split
                    .train_fraction
                    .map_or(String::new(), |share| format!(", {} of each group for training", share));
                let strata = match split.strata.as_str() {
                    "" => "not stratified".to_owned(),
                    strata => format!("stratified by {strata}"),
                };
                format!("drawn at random with the seed {}{share}, {strata}, on {day} by {by}", seed.0)
            }
            None => format!("imported on {day} by {by}: how the sets were made is not known to the program"),
        };
        let locked = if split.locked { "; the split is locked" } else { "" };
        let sizes = self.flow()?.sets;
        let sizes: Vec<String> = sizes.iter().map(|(name, n, _)| format!("{name}: {n} patients")).collect();
        Ok(Some(format!("{}. The sets were {how}{locked}", sizes.join(", "))))
    }

    /// What was expected of the acquisition, where any image told it.
    fn acquisition_in_words(&self) -> Result<Vec<Paragraph>, Error> {
        let images: Vec<_> = self.store.images()?.into_iter().filter(|file| file.role == Role::Image).collect();
        let told = images.iter().filter(|file| file.acquisition.is_some()).count();
        if told == 0 {
            return Ok(Vec::new());
        }
        let with = format!("{told} of {} image files told their acquisition. ", images.len());
        let mut paragraphs = methods::methods(&self.protocol, &["acquisition"], &[]);
        paragraphs.iter_mut().for_each(|(_, text)| text.insert_str(0, &with));
        for slot in self.protocol.slots().iter().filter(|slot| !slot.acquisition.is_empty()) {
            let own = methods::methods(&self.protocol.in_slot(&slot.slot), &["acquisition"], &[]);
            paragraphs.extend(own.into_iter().map(|(heading, text)| (format!("{heading} ({})", slot.slot), text)));
        }
        Ok(paragraphs)
    }

    fn agreement_in_words(&self) -> Result<Option<Paragraph>, Error> {
        let second = self.second_rater()?.unwrap_or(Role::RepeatMask);
        if self.found(FigureName::Icc)?.is_none() {
            return Ok(None);
        }
        let text = format!(
            "Agreement of features between {}: ICC(2,1), two-way random effects, absolute agreement, single measurement \
             (Shrout and Fleiss 1979), in all included patients with both.",
            self.masks_in_words(&second)
        );
        Ok(Some(("Agreement of segmentations".to_owned(), text)))
    }

    /// Which lesion stands for the patients who have several.
    fn lesions_in_words(&self, protocol: &Protocol) -> Result<Option<Paragraph>, Error> {
        let n = self.lesions()?.len();
        let which = match protocol.learn.lesions {
            Lesions::Largest => "the largest was learnt from",
            Lesions::All => "all were measured as one region",
        };
        let who = counted(n, "patient");
        Ok((n > 0).then(|| ("Lesions".to_owned(), format!("{who} had several lesions, of which {which}."))))
    }

    /// The rules of Tables 1 and 2, and the tests that printed their P values.
    fn tests_in_words(&self) -> Result<Vec<Paragraph>, Error> {
        let printed = self.printed_tests()?;
        if printed.is_empty() {
            return Ok(Vec::new());
        }
        let any = |of: &[TestName]| printed.iter().any(|one| of.contains(&one.test));
        const T: [TestName; 2] = [TestName::TPooled, TestName::TWelch];
        let continuous = any(&[TestName::TPooled, TestName::TWelch, TestName::MannWhitney]);
        let categorical = any(&[TestName::Pearson, TestName::Yates, TestName::LikelihoodRatio, TestName::Fisher]);
        let mut untold = Vec::new();
        if !any(&T) {
            untold.push("compare.levene_alpha");
        }
        if !continuous {
            untold.extend(CONTINUOUS);
        }
        if !categorical {
            untold.extend(CATEGORICAL);
        }
        let mut paragraphs = methods::methods(&self.protocol, &["compare"], &untold);
        if let Some((_, text)) = paragraphs.first_mut() {
            for table in ["1", "2"] {
                text.push_str(&used(table, &printed));
            }
        }
        Ok(paragraphs)
    }

    /// The tests of Tables 1 and 2; none where the tables cannot be made.
    pub(in crate::study) fn printed_tests(&self) -> Result<Vec<PrintedTest>, Error> {
        if self.needs_response().is_err() {
            return Ok(Vec::new());
        }
        let (book, cohort) = (&*self.protocol.codebook, self.cohort()?);
        let Ok(event) = event_of(book, &cohort) else { return Ok(Vec::new()) };
        let test = test_set_of(&cohort).ok();
        Ok(printed_tests(book, &cohort, &event, test.as_deref(), &self.protocol.compare).unwrap_or_default())
    }

    /// How the models of a fit were judged.
    fn evaluation_in_words(&self, fitted: &Fitted) -> Result<String, Error> {
        let combined = fitted.models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let stored = recipe(combined)?;
        let mut text = "Discrimination: area under the ROC curve (AUC) with DeLong's 95% interval (DeLong et al. 1988; Sun \
                        and Xu 2014; Newcombe's where that has no width), AUCs of two models compared by DeLong's test on \
                        the same patients; NRI and IDI; accuracy, sensitivity, specificity, precision and F1 at a \
                        classification threshold of 0.5 with Wilson's 95% intervals of the proportions. Calibration: Brier \
                        score, Hosmer-Lemeshow test, calibration curves. Clinical benefit: decision curves (Vickers and \
                        Elkin 2006). "
            .to_owned();
        text.push_str(training_in_words(stored.training == Training::OutOfFold));
        if let Some(found) = &stored.validation {
            text.push_str(&relearnt_in_words(found, &fitted.protocol));
        }
        for (name, sentence) in [
            (FigureName::Nomogram, " The nomogram draws the coefficients of the combined model."),
            (
                FigureName::Shap,
                " SHAP values of the combined model are those of a linear predictor against the training patients \
                 (Lundberg and Lee 2017).",
            ),
        ] {
            if self.found(name)?.is_some() {
                text.push_str(sentence);
            }
        }
        Ok(text)
    }
}

/// Settings of continuous and of categorical variables, told where there are some.
const CONTINUOUS: [&str; 6] = [
    "compare.continuous",
    "compare.normality",
    "compare.normality_of",
    "compare.normality_alpha",
    "compare.levene_alpha",
    "compare.quantiles",
];
const CATEGORICAL: [&str; 3] = ["compare.categorical", "compare.small_expected", "compare.small_share"];

/// Which training probabilities Tables 3 and 5 are made of.
pub(in crate::study) fn training_in_words(out_of_fold: bool) -> &'static str {
    match out_of_fold {
        true => {
            "Training probabilities of the radiomics models are out of fold; those of the clinical and the combined model \
             come from coefficients that were fitted to the same patients, the combined model's with out-of-fold Rad-scores."
        }
        false => "Training probabilities come from models that were fitted to the same patients.",
    }
}

/// What was refitted for validation, as the run stored it.
fn relearnt_in_words(found: &Validation, protocol: &Protocol) -> String {
    let samples = found.optimism.iter().flatten().map(|one| one.used).max().unwrap_or(0);
    let learn = &protocol.learn;
    let mut text = match (samples, learn.n_bootstraps) {
        (0, 0) => " Optimism was not estimated by bootstrap.".to_owned(),
        (n, asked) => {
            let of = if n == asked { String::new() } else { format!(" (of {asked} drawn; the others gave no model)") };
            format!(
                " Optimism of the entire modelling pipeline, selection included, was corrected by Harrell's bootstrap \
                 (Harrell et al. 1996) on {}{of}.",
                counted(n, "bootstrap sample")
            )
        }
    };
    let repeats = learn.n_repeats.max(usize::from(learn.n_permutations > 0));
    text.push_str(&match (found.nested_auc.len(), repeats) {
        (0, 0) => " There was no nested cross-validation.".to_owned(),
        (n, asked) if n < asked => {
            format!(" {asked} nested cross-validations were asked for, {n} had a model in every fold.")
        }
        (1, _) => " Nested cross-validation of the entire modelling pipeline was done once.".to_owned(),
        (n, _) => format!(" Nested cross-validation of the entire modelling pipeline was repeated {n} times."),
    });
    if learn.n_permutations > 0 {
        let n = counted(found.permuted_auc.len(), "permutation");
        text.push_str(&format!(" The pipeline was refitted to {n} of the outcome for a permutation test of the AUC."));
    }
    if learn.n_splits > 0 {
        let n = counted(found.split_auc.len(), "random split");
        text.push_str(&format!(
            " Beside the split in force, it was refitted and tested on {n} of all patients, {} of each outcome group for \
             training, from which nothing was chosen.",
            learn.train_fraction
        ));
    }
    text
}

/// ` Table 1 prints ...` with the variables of each test; empty where it prints none.
fn used(table: &str, printed: &[PrintedTest]) -> String {
    let own: Vec<&PrintedTest> = printed.iter().filter(|one| one.table == table).collect();
    let mut kinds: Vec<(TestName, PFrom)> = Vec::new();
    for one in &own {
        if !kinds.contains(&(one.test, one.from)) {
            kinds.push((one.test, one.from));
        }
    }
    let of = |(test, from): &(TestName, PFrom)| {
        let labels = own.iter().filter(|one| one.test == *test && one.from == *from).map(|one| one.label.as_str());
        format!("{} ({})", in_words(*test, *from), labels.collect::<Vec<_>>().join(", "))
    };
    let parts: Vec<String> = kinds.iter().map(of).collect();
    if parts.is_empty() { String::new() } else { format!(" Table {table} prints P of {}.", parts.join("; ")) }
}

fn in_words(test: TestName, from: PFrom) -> &'static str {
    match (test, from) {
        (TestName::TPooled, _) => "Student's t test",
        (TestName::TWelch, _) => "Welch's t test",
        (TestName::MannWhitney, PFrom::Exact) => "the exact Mann-Whitney U test",
        (TestName::MannWhitney, PFrom::Asymptotic) => "the Mann-Whitney U test, asymptotic",
        (TestName::Pearson, _) => "Pearson's chi-square test",
        (TestName::Yates, _) => "the chi-square test with Yates' correction",
        (TestName::LikelihoodRatio, _) => "the likelihood-ratio test",
        (TestName::Fisher, _) => "Fisher's exact test",
    }
}

impl MeasuredWith {
    fn in_words(&self) -> Vec<Paragraph> {
        let mut told = methods::methods(&self.protocol, &["mask", "preprocess", "roi", "filter", "feature"], &[]);
        for slot in self.protocol.slots().iter().filter(|slot| !slot.preprocess.is_empty()) {
            let own = methods::methods(&self.protocol.in_slot(&slot.slot), &["preprocess"], &[]);
            told.extend(own.into_iter().map(|(heading, text)| (format!("{heading} ({})", slot.slot), text)));
        }
        if self.others > 0 {
            let text = format!(
                "{} of {} measured regions were measured under other settings than these (osteon extract).",
                self.others, self.all
            );
            told.push(("Regions of other settings".to_owned(), text));
        }
        told
    }
}

impl Fitted {
    /// The logistic model of a name.
    pub fn logistic(&self, name: &str) -> Result<Logistic, Error> {
        let model = self.models.iter().find(|model| model.name == name).ok_or(Error::NoFit)?;
        recipe(model)?.logistic().cloned().ok_or(Error::NoFit)
    }

    /// Predictors, methods and missing values of the models, and where a region was learnt otherwise than asked for.
    fn in_words(&self) -> Result<Vec<Paragraph>, Error> {
        let mut told = vec![("Clinical and combined models".to_owned(), self.models_in_words()?)];
        let mut notes = Vec::new();
        for model in self.models.iter().filter(|model| model.kind == "forest" && model.name != RADIOMICS) {
            let stored = recipe(model)?;
            let error = match &stored.learnt {
                Learnt::NoRegion { error, .. } => Some(format!("no model ({error})")),
                _ => None,
            };
            notes.extend(stored.notes.iter().cloned().chain(error).map(|note| format!("{}: {note}.", model.name)));
        }
        if !notes.is_empty() {
            told.push(("Deviations in regions".to_owned(), notes.join(" ")));
        }
        Ok(told)
    }

    fn models_in_words(&self) -> Result<String, Error> {
        const FIRTH: &str = "fitted with Firth's penalty";
        let combined = self.models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let Learnt::Combined { predictors, .. } = recipe(combined)?.learnt else { return Err(Error::NoFit) };
        let label =
            |name: &String| self.protocol.codebook.named(name).map_or_else(|| name.clone(), |it| it.label.clone());
        let mut text = format!("Clinical predictors: {}.", predictors.iter().map(label).collect::<Vec<_>>().join(", "));
        let mut lacking = false;
        for name in ["clinical", "combined"] {
            let fit = self.logistic(name)?;
            let how = match (fit.ridge_in_words(), fit.notes.iter().any(|note| note == FIRTH)) {
                (Some(ridge), _) => format!("with {ridge}"),
                (None, true) => "with Firth's penalty, as its terms separate the events".to_owned(),
                (None, false) => "by maximum likelihood".to_owned(),
            };
            text.push_str(&format!(
                " The {name} model was fitted {how} to {} training patients, {} with the event",
                fit.n, fit.n_events
            ));
            if fit.n_missing > 0 {
                let what = if name == "clinical" { "a predictor" } else { "a predictor or the Rad-score" };
                text.push_str(&format!(" ({} left out, without {what})", fit.n_missing));
            }
            text.push('.');
            let missing: Vec<&String> = fit.notes.iter().filter(|note| note.contains("missing value")).collect();
            lacking |= fit.n_missing > 0 || !missing.is_empty();
            text.extend(missing.into_iter().map(|note| format!(" {name} model: {note}.")));
        }
        if !lacking {
            text.push_str(" No training patient lacked a predictor.");
        }
        Ok(text)
    }
}

/// Programs by the runs that used them, the level of significance, and who defined what was used.
fn software(measured: Option<&MeasuredWith>, fitted: Option<&Fitted>) -> String {
    let mut text = String::new();
    let mut sources = Vec::new();
    if let Some(measured) = measured {
        text.push_str(&format!("Features were measured with osteon {}. ", measured.versions.join(" and ")));
        sources.extend(["Zwanenburg et al. 2020 (IBSI)", "van Griethuysen et al. 2017 (pyradiomics)"]);
    }
    if let Some(fitted) = fitted {
        text.push_str(&format!("Models were fitted with osteon {}. ", fitted.run.program_version));
        sources.extend(["Peng et al. 2005 (mRMR)", "Tibshirani 1996 (LASSO)", "Breiman 2001 (random forests)"]);
        let notes: Vec<String> = ["clinical", "combined"]
            .iter()
            .filter_map(|name| fitted.logistic(name).ok())
            .flat_map(|fit| fit.notes)
            .collect();
        let any = |part: &str| notes.iter().any(|note| note.contains(part));
        sources.extend(any("Firth").then_some("Firth 1993 (penalized likelihood)"));
        sources.extend(any("Barnard").then_some("Rubin 1987; Barnard and Rubin 1999 (pooling)"));
    }
    text.push_str(&format!(
        "Tables and figures were made with osteon {}. P values are two-sided and not corrected for multiple comparisons; the \
         significance level is 0.05, that of the 95% intervals.",
        env!("CARGO_PKG_VERSION")
    ));
    if !sources.is_empty() {
        text.push_str(&format!(" Definitions: {}.", sources.join(", ")));
    }
    text
}
