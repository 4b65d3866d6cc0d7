//! The report of a study: everything that is known, in one document to hand in.

use std::collections::BTreeMap;
use std::path::Path;

use crate::pipeline::recipe::{COMBINED, Training};
use crate::report::checklist::{self, Fact, Facts};
use crate::report::figure::TWO_COLUMNS_MM;
use crate::report::methods;
use crate::report::page::{Block, Page, Section};
use crate::report::performance::parted;
use crate::report::sheet::{Cell, Sheet};
use crate::store::Patient;
use crate::study::learn::performance::{at_is_event, exactly_number};
use crate::study::{ClinicalTable, Error, FigureName, FigureRequest, ModelTable, Study};
use osteon_base::text::counted;

/// The model file that a report has beside it.
pub(in crate::study) const MODEL_FILE: &str = "model.json";
/// Where the comparisons of models stand among the sheets of an evaluation.
const PAIRS: usize = 4;

/// Figures of the models, in the order of the report.
const LEARNT: [FigureName; 6] = [
    FigureName::Lasso,
    FigureName::Nomogram,
    FigureName::Roc,
    FigureName::Dca,
    FigureName::Calibration,
    FigureName::Shap,
];

/// What is so whenever there are models.
const KNOWN_WITH_MODELS: [(Fact, &str); 7] = [
    (
        Fact::Scaling,
        "z-scores with the means and SDs of training patients (section “Models”, “What was learnt of each region”)",
    ),
    (
        Fact::Algorithm,
        "Random forest for each region on features chosen by mRMR and LASSO; logistic models (section “Methods”)",
    ),
    (
        Fact::Metrics,
        "AUC, accuracy, sensitivity, specificity, precision, F1, Brier score, calibration, net benefit (Tables 3 and 5)",
    ),
    (Fact::Comparison, "DeLong's paired test of two AUCs, NRI and IDI (section “Models”, “Between models”)"),
    (Fact::SideBySide, "Clinical, radiomics and combined models side by side (Table 5)"),
    (Fact::Performance, "Tables 3 and 5 with their figures"),
    (
        Fact::Specification,
        "Section “Models”: every coefficient, the features with means and SDs; probability of the event, 0.5 as threshold; \
         the forests themselves are in the study file",
    ),
];

impl Study {
    /// All sections; what has no results yet says so and names the command that makes them. `published` is a file of
    /// published tables to be audited.
    pub fn report(&self, published: Option<&Path>) -> Result<Page, Error> {
        let mut facts = self.facts()?;
        let mut sections = vec![self.patients_section(&mut facts)?, self.methods_section()?];
        sections.extend(self.results_sections(&mut facts)?);
        sections.push(Section { heading: "Audit".to_owned(), blocks: self.audit(published)? });
        let checklists = [checklist::clear(&facts), checklist::tripod(&facts)];
        let told =
            "Filled in by the program where it knows the answer; the rest is left to the authors. Research use only."
                .to_owned();
        let mut blocks = vec![Block::Text(told)];
        for sheet in checklists {
            blocks.push(Block::Sheet(Sheet { provenance: self.provenance()?, ..sheet }));
        }
        sections.push(Section { heading: "Checklists".to_owned(), blocks });
        Ok(Page { title: self.store.study()?.title, sections, provenance: self.provenance()? })
    }

    fn patients_section(&self, facts: &mut Facts) -> Result<Section, Error> {
        let flow = self.flow()?;
        let included: usize = flow.assessed - flow.excluded.iter().map(|(_, n)| n).sum::<usize>();
        let mut text = format!("{} patients were assessed and {included} included.", flow.assessed);
        for (name, n, events) in &flow.sets {
            let events = events.map_or(String::new(), |events| format!(", {events} with the event ({})", flow.event));
            text.push_str(&format!(" {name}: {n} patients{events}."));
        }
        facts.insert(Fact::Flow, "Section “Patients”, with its figure".to_owned());
        let mut blocks = vec![Block::Text(text)];
        blocks.extend(self.found(FigureName::Flow)?);
        for table in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
            match self.needs_response().and_then(|()| self.clinical_table(table, &self.protocol)) {
                Ok((sheet, _)) => {
                    let known = match table {
                        ClinicalTable::Four => (Fact::Predictors, "Table 4: the clinical variables and their screen"),
                        _ => (Fact::Baseline, "Tables of the section “Patients”"),
                    };
                    facts.insert(known.0, known.1.to_owned());
                    blocks.push(Block::Sheet(sheet));
                }
                // No response to show, or no sets yet.
                Err(Error::Blind | Error::Request(_)) => (),
                Err(other) => return Err(other),
            }
        }
        blocks.extend(self.found(FigureName::Forest)?);
        facts.insert(Fact::Missing, self.missing_in_words()?);
        facts.extend(self.sets_in_words(&flow.sets)?);
        blocks.extend(self.found(FigureName::Workflow)?);
        Ok(Section { heading: "Patients".to_owned(), blocks })
    }

    fn methods_section(&self) -> Result<Section, Error> {
        let protocol = self.protocol_of_fit()?;
        let mut told = methods::methods(&protocol);
        told.extend(self.methods_of_study()?);
        let mut blocks: Vec<Block> =
            told.into_iter().map(|(heading, text)| Block::Text(format!("{heading}. {text}"))).collect();
        let row = |(key, value): (String, String)| vec![Cell::Text(key), Cell::Text(value)];
        blocks.push(Block::Sheet(Sheet {
            title: "Every setting of the protocol".to_owned(),
            headings: vec!["Key".to_owned(), "Value".to_owned()],
            rows: methods::settings(&protocol).into_iter().map(row).collect(),
            notes: Vec::new(),
            provenance: self.provenance()?,
        }));
        Ok(Section { heading: "Methods".to_owned(), blocks })
    }

    /// What the protocol alone does not say: outcome, sets, evaluation, software, each as it is in this study.
    fn methods_of_study(&self) -> Result<Vec<(String, String)>, Error> {
        let mut told = Vec::new();
        let book = &*self.protocol.codebook;
        if let Some(outcome) = book.outcome().filter(|_| self.needs_response().is_ok()) {
            let [_, with] = outcome.sides_in_words(book);
            let mut text = format!("{with} ({}) was the event", outcome.event_label);
            if let Some((cutoff, at)) = self.at_cutoff()? {
                let side = book.side(at_is_event(&cutoff));
                let n = counted(at.len(), "included patient");
                text.push_str(&format!("; {n} with {} counted as {side}", exactly_number(&cutoff)));
            }
            text.push('.');
            text.extend(self.unknown_outcomes()?.map(|unknown| format!(" {unknown}")));
            told.push(("Outcome".to_owned(), text));
        }
        let flow = self.flow()?;
        if let Some(sets) = self.sets_in_words(&flow.sets)?.remove(&Fact::Split) {
            told.push(("Sets of this study".to_owned(), format!("{sets}.")));
        }
        told.extend(self.evaluation_in_words()?.map(|text| ("Evaluation of the models".to_owned(), text)));
        let version = self.newest_fit()?.map_or(env!("CARGO_PKG_VERSION").to_owned(), |run| run.program_version);
        told.push((
            "Software".to_owned(),
            format!(
                "osteon {version}. P values are two-sided and not corrected for multiple comparisons; 95 % intervals \
                 throughout. Definitions: Zwanenburg et al. 2020 (IBSI), van Griethuysen et al. 2017 (pyradiomics), Peng et \
                 al. 2005 (mRMR), Tibshirani 1996 (LASSO), Breiman 2001 (random forests)."
            ),
        ));
        Ok(told)
    }

    /// The event of the outcome in force, for a checklist.
    fn event_in_words(&self) -> String {
        let book = &*self.protocol.codebook;
        book.outcome().map_or_else(
            || "No outcome is declared".to_owned(),
            |outcome| {
                let [_, with] = outcome.sides_in_words(book);
                format!("{with} ({}) is the event (section “Methods”)", outcome.event_label)
            },
        )
    }

    /// How many included patients have an unknown outcome, by reason; `None` for nobody.
    fn unknown_outcomes(&self) -> Result<Option<String>, Error> {
        let reasons = self.store.unknown_outcomes()?;
        let total: usize = reasons.iter().map(|(_, n)| n).sum();
        let told: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason} ({n})")).collect();
        Ok((total > 0).then(|| {
            format!("The outcome of {} was unknown: {}.", counted(total, "included patient"), told.join(", "))
        }))
    }

    /// How the stored models were judged; `None` without models.
    fn evaluation_in_words(&self) -> Result<Option<String>, Error> {
        let models = self.store.models()?;
        let Some(combined) = models.iter().find(|model| model.name == COMBINED) else { return Ok(None) };
        let stored = crate::study::learn::performance::recipe(combined)?;
        let training = match stored.training == Training::OutOfFold {
            true => {
                "Training probabilities of models with a Rad-score are out of fold, those of the clinical model are not."
            }
            false => "Training probabilities come from models that saw the patients.",
        };
        let mut text = format!(
            "Discrimination: area under the ROC curve (AUC) with DeLong's 95 % interval (DeLong et al. 1988; Sun and Xu \
             2014), AUCs of two models compared by DeLong's test on the same patients; accuracy, sensitivity, specificity \
             and precision at a threshold of 0.5 with Wilson's 95 % intervals. Calibration: Brier score, \
             Hosmer-Lemeshow test, calibration curves. Clinical benefit: decision curves (Vickers and Elkin 2006). {training}"
        );
        if let Some(found) = stored.validation {
            let samples = found.optimism.iter().flatten().map(|one| one.used).max().unwrap_or(0);
            for (n, what) in [
                (samples, "Optimism was corrected (Harrell et al. 1996) on"),
                (found.nested_auc.len(), "Nested cross-validation was repeated on"),
            ] {
                if n > 0 {
                    let unit = if what.starts_with('O') { "bootstrap sample" } else { "draw of folds" };
                    text.push_str(&format!(" {what} {}.", counted(n, unit)));
                }
            }
        }
        if self.found(FigureName::Nomogram)?.is_some() {
            text.push_str(" The nomogram draws the coefficients of the combined model.");
        }
        if self.found(FigureName::Shap)?.is_some() {
            text.push_str(" SHAP values are exact (Lundberg et al. 2020).");
        }
        if self.found(FigureName::Icc)?.is_some() {
            text.push_str(
                " Agreement of segmentations: ICC(2,1), two-way random effects, absolute agreement, single measurement \
                 (Shrout and Fleiss 1979).",
            );
        }
        Ok(Some(text))
    }

    /// Values that included patients lack, and what models make of it.
    fn missing_in_words(&self) -> Result<String, Error> {
        let patients: Vec<Patient> = self.store.patients()?.into_iter().filter(Patient::included).collect();
        let lacking = self.variables().filter_map(|(at, variable)| {
            let n = patients.iter().filter(|patient| patient.entries[at].is_none()).count();
            (n > 0).then(|| format!("{}: {n}", variable.label))
        });
        let lacking: Vec<String> = lacking.collect();
        Ok(match lacking.as_slice() {
            [] => "No clinical value of an included patient is missing".to_owned(),
            some => format!("Patients without a value: {}; see the notes of Tables 1 to 5", some.join("; ")),
        })
    }

    /// How patients were divided, and how many have the event.
    fn sets_in_words(&self, sets: &[(String, usize, Option<usize>)]) -> Result<Facts, Error> {
        let mut facts = Facts::new();
        if let Some(split) = self.store.split()? {
            let how = match split.seed {
                Some(seed) => {
                    let strata = if split.strata.is_empty() { "nothing" } else { split.strata.as_str() };
                    let share = split.train_fraction.map_or(String::new(), |it| format!(", share for training {it}"));
                    format!("drawn at random with seed {}{share}, stratified by {strata}, {}", seed.0, split.created_at)
                }
                None => format!("imported {}: how the sets were made is not known to the program", split.created_at),
            };
            let sizes: Vec<String> = sets.iter().map(|(name, n, _)| format!("{name}: {n}")).collect();
            facts.insert(Fact::Split, format!("{}; {how}", sizes.join(", ")));
        }
        let events: Option<Vec<String>> =
            sets.iter().map(|(name, n, events)| events.map(|events| format!("{name}: {events} of {n}"))).collect();
        if let Some(events) = events.filter(|events| !events.is_empty()) {
            let weights = serde_json::to_string(&self.protocol.forest.class_weight).unwrap_or_default();
            let text = format!(
                "With the event: {}; class weights of forests: {}",
                events.join(", "),
                weights.trim_matches('"')
            );
            facts.insert(Fact::Imbalance, text);
        }
        Ok(facts)
    }

    fn results_sections(&self, facts: &mut Facts) -> Result<Vec<Section>, Error> {
        let mut sections = Vec::new();
        let agreement = self.found(FigureName::Icc)?;
        if agreement.is_some() {
            facts.insert(Fact::Agreement, "Section “Agreement of segmentations”".to_owned());
            let mut blocks = vec![Block::Sheet(self.agreement_sheet(false)?)];
            blocks.extend(agreement);
            sections.push(Section { heading: "Agreement of segmentations".to_owned(), blocks });
        }
        let mut blocks = Vec::new();
        for table in [ModelTable::Three, ModelTable::Five] {
            match self.model_table(table) {
                Ok(sheet) => blocks.extend(parted(sheet).map(Block::Sheet)),
                Err(Error::NoFit | Error::NoSplit | Error::Blind) => (),
                Err(other) => return Err(other),
            }
        }
        if !blocks.is_empty() {
            if let Some(doubt) = self.doubt()? {
                blocks.insert(0, Block::Warning(format!("{doubt}.")));
            }
            let pairs = self.evaluation(ModelTable::Five, 0.5)?.into_iter().nth(PAIRS);
            blocks.extend(pairs.map(Block::Sheet));
        }
        let external = self.external_section()?;
        if self.newest_fit()?.is_none() || blocks.is_empty() {
            let text = "No models yet: osteon fit learns them.".to_owned();
            blocks.insert(0, Block::Text(text));
            sections.push(Section { heading: "Models".to_owned(), blocks });
            sections.extend(external);
            return Ok(sections);
        }
        blocks.extend(self.cautions()?);
        facts.insert(Fact::SampleSize, self.size_in_words()?);
        blocks.push(Block::Sheet(self.regions_sheet()?));
        blocks.push(Block::Sheet(self.rad_score_sheet()?));
        blocks.push(Block::Sheet(self.coefficients_sheet()?));
        for name in LEARNT {
            let figure = self.found(name)?;
            let known = match name {
                FigureName::Shap => Some((Fact::Explanation, "Figure of SHAP values in the section “Models”")),
                FigureName::Nomogram => {
                    Some((Fact::Calculator, "nomogram.html beside this report; the Rad-score is typed in"))
                }
                _ => None,
            };
            facts.extend(known.filter(|_| figure.is_some()).map(|(fact, text)| (fact, text.to_owned())));
            blocks.extend(figure);
        }
        for (fact, text) in KNOWN_WITH_MODELS {
            facts.insert(fact, text.to_owned());
        }
        facts.extend(self.validation_facts()?);
        if let Ok(file) = self.export_model(None) {
            facts.insert(
                Fact::ModelFile,
                format!(
                    "{MODEL_FILE} beside this report (osteon model export; SHA-256 {}): every coefficient with its covariance, \
                     features with means and SDs, the forests, settings of images, variables",
                    file.sha256
                ),
            );
        }
        sections.push(Section { heading: "Models".to_owned(), blocks });
        sections.extend(external);
        Ok(sections)
    }

    /// What the newest fit says of its own validation and choice.
    fn validation_facts(&self) -> Result<Facts, Error> {
        let models = self.store.models()?;
        let combined = models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let stored = crate::study::learn::performance::recipe(combined)?;
        let found = stored.validation.as_ref();
        let (corrected, nested) =
            found.map_or((false, false), |it| (it.optimism.iter().any(Option::is_some), !it.nested_auc.is_empty()));
        let cohorts: Vec<String> = self.recorded()?.into_iter().map(|(cohort, _)| cohort).collect();
        let external = match cohorts.as_slice() {
            [] => String::new(),
            some => format!("; external: {} (section “External validation”)", some.join(", ")),
        };
        let mut internal = vec!["a test set that nothing was learnt from"];
        internal.extend(corrected.then_some("bootstrap"));
        internal.extend(nested.then_some("nested cross-validation"));
        let mut uncertainty = "95 % intervals in Tables 3 and 5".to_owned();
        if corrected {
            uncertainty.push_str("; optimism of the entire modelling pipeline");
        }
        let region = stored.region().unwrap_or_default();
        let chosen = match self.protocol_of_fit()?.learn.best_region.as_str() {
            crate::protocol::learn::BY_AUC => {
                format!("{region}: the region with the largest out-of-fold AUC in training")
            }
            _ => format!("{region}: the region that the protocol names"),
        };
        Ok(Facts::from([
            (Fact::Testing, format!("Internal: {} (Tables 3 and 5){external}", internal.join(", "))),
            (Fact::Uncertainty, uncertainty),
            (Fact::Choice, format!("{chosen} (Table 3)")),
        ]))
    }

    /// A figure as a block; nothing where the study has no results for it.
    fn found(&self, name: FigureName) -> Result<Option<Block>, Error> {
        match self.figure(&FigureRequest::new(name, TWO_COLUMNS_MM)) {
            Ok(figure) => Ok(Some(Block::Figure(Box::new(figure)))),
            Err(
                Error::NoResult { .. }
                | Error::NoFit
                | Error::NoSplit
                | Error::NoFeatures
                | Error::Blind
                // Table 4 before there are sets.
                | Error::Request(_),
            ) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// What the protocol and the program alone say.
    fn facts(&self) -> Result<Facts, Error> {
        let told: BTreeMap<String, String> = methods::methods(&self.protocol_of_fit()?).into_iter().collect();
        let part = |heading: &str| told.get(heading).cloned();
        let mut facts = Facts::from([
            (Fact::Guidelines, "CLEAR and TRIPOD+AI, below".to_owned()),
            (Fact::Outcome, self.event_in_words()),
            (
                Fact::Extraction,
                format!("osteon {}, features of the IBSI as pyradiomics names them", env!("CARGO_PKG_VERSION")),
            ),
            (Fact::Settings, format!("Section “Methods”; protocol {}", self.protocol.hash())),
        ]);
        for (fact, heading) in [
            (Fact::Preparation, "Image preparation"),
            (Fact::Images, "Filtered images"),
            (Fact::Families, "Features"),
            (Fact::Selection, "Choice of features"),
            (Fact::Tuning, "Random forests"),
        ] {
            facts.extend(part(heading).map(|text| (fact, text)));
        }
        let settings: BTreeMap<String, String> = methods::settings(&self.protocol_of_fit()?).into_iter().collect();
        for (fact, key) in [(Fact::Resampling, "preprocess.spacing_mm"), (Fact::Discretisation, "preprocess.bin_width")]
        {
            facts.extend(settings.get(key).map(|value| (fact, format!("{key} = {value}"))));
        }
        let n_features = self.store.features()?.len();
        if n_features > 0 {
            facts.insert(Fact::FeatureCount, format!("{n_features} a region"));
        }
        Ok(facts)
    }
}
