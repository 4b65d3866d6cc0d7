//! What the study knows for the reporting checklists, each with its place in the report.

use std::collections::BTreeMap;

use crate::pipeline::recipe::COMBINED;
use crate::protocol::codebook::variable::Variable;
use crate::protocol::learn::{BY_AUC, Penalty, RadScore};
use crate::protocol::{Preset, keys};
use crate::report::checklist::{Fact, Facts};
use crate::report::figure::flow::Outcome;
use crate::report::sheet::{Cell, Sheet};
use crate::store::Patient;
use crate::study::learn::performance::recipe;
use crate::study::report::document::MODEL_FILE;
use crate::study::{Error, Study};
use osteon_base::text::counted;
use osteon_stats::model::logistic::screen::Rows;

/// What is so whenever there are models.
const KNOWN_WITH_MODELS: [(Fact, &str); 5] = [
    (
        Fact::Scaling,
        "z-scores with the means and SDs of training patients (section “Models”, “What was learnt of each region”)",
    ),
    (
        Fact::Metrics,
        "AUC, accuracy, sensitivity, specificity, precision, F1, Brier score, Hosmer-Lemeshow test (Tables 3 and 5); \
         calibration and decision curves (section “Models”)",
    ),
    (Fact::SideBySide, "Clinical, radiomics and combined models side by side (Table 5)"),
    (Fact::Performance, "Tables 3 and 5 with their figures"),
    (
        Fact::Specification,
        "Probability of the event, classification threshold 0.5; section “Models”: every coefficient of the logistic \
         models, the features of the Rad-score with means and SDs",
    ),
];

/// Where a paragraph of the methods answers an item.
const FROM_METHODS: [(Fact, &str); 5] = [
    (Fact::Preparation, "Image preparation"),
    (Fact::Images, "Filtered images"),
    (Fact::Families, "Features"),
    (Fact::Selection, "Choice of features"),
    (Fact::Tuning, "Random forests"),
];

impl Study {
    /// What is known without tables and models; `told` are the paragraphs of the methods.
    pub(in crate::study) fn facts(&self, told: &[(String, String)]) -> Result<Facts, Error> {
        let told: BTreeMap<&str, &str> = told.iter().map(|(heading, text)| (heading.as_str(), text.as_str())).collect();
        let mut facts = Facts::from([
            (Fact::Guidelines, "CLEAR and TRIPOD+AI (section “Checklists”)".to_owned()),
            (Fact::Settings, "Section “Methods”, table “Every setting of the protocol”".to_owned()),
            (Fact::Missing, self.missing_in_words()?),
        ]);
        let place = |heading: &str, text: &str| format!("{text} (section “Methods”, “{heading}”)");
        for (fact, heading) in FROM_METHODS {
            facts.extend(told.get(heading).map(|text| (fact, place(heading, text))));
        }
        facts.extend(told.get("Outcome").map(|text| (Fact::Outcome, place("Outcome", text))));
        facts.extend(self.definitions().map(|text| (Fact::Predictors, text)));
        if let Some(measured) = self.measured_with()? {
            let document = measured.protocol.to_table();
            let sentences = |names: &[&str]| {
                let sentence = |name: &&str| {
                    let key = keys::of(name).filter(|key| key.no_say(&measured.protocol).is_none())?;
                    key.sentence(keys::value(&document, name)?)
                };
                names.iter().filter_map(sentence).collect::<Vec<_>>().join(" ")
            };
            let grid =
                ["spacing_mm", "grid", "interpolation", "mask_interpolation"].map(|it| format!("preprocess.{it}"));
            for (fact, text) in [
                (Fact::Resampling, sentences(&grid.each_ref().map(String::as_str))),
                (Fact::Discretisation, sentences(&["preprocess.bin_width", "feature.ibsi.n_bins"])),
            ] {
                if !text.is_empty() {
                    facts.insert(fact, place("Image preparation", &text));
                }
            }
            let by = measured.versions.join(" and ");
            facts.insert(Fact::Extraction, place("Software", &format!("osteon {by}, features by pyradiomics' names")));
            let n = self.store.features()?.len();
            facts.insert(Fact::FeatureCount, format!("{} a region", counted(n, "feature")));
        }
        Ok(facts)
    }

    /// What times to event answer, beside the response; `told` are the paragraphs of the methods.
    pub(in crate::study) fn add_facts_of_times(&self, told: &[(String, String)], facts: &mut Facts) {
        let told: BTreeMap<&str, &str> = told.iter().map(|(heading, text)| (heading.as_str(), text.as_str())).collect();
        let place = |heading: &str, text: &str| format!("{text} (section “Methods”, “{heading}”)");
        for outcome in self.timed_outcomes() {
            let name = &outcome.name;
            let of_time = [
                (&[Fact::Outcome][..], format!("Time to event {name}")),
                (&[Fact::Selection, Fact::Algorithm], format!("Models of {name}")),
                (&[Fact::Metrics, Fact::Testing], format!("Evaluation of the models of {name}")),
            ];
            for (of, heading) in of_time {
                let Some(text) = told.get(heading.as_str()).map(|text| place(&heading, text)) else { continue };
                for fact in of {
                    let known = facts.entry(*fact).or_default();
                    known.push_str(if known.is_empty() { "" } else { " " });
                    known.push_str(&text);
                }
            }
        }
    }

    /// Candidates for clinical predictors with units and levels.
    fn definitions(&self) -> Option<String> {
        let of = |variable: &&Variable| match variable.levels().as_slice() {
            [] => variable.heading(),
            levels => format!("{} ({})", variable.heading(), levels.join(", ").replace('_', " ")),
        };
        let all: Vec<String> = self.protocol.codebook.predictors().iter().map(of).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// How clinical predictors were chosen; of the fit where there is one.
    pub(in crate::study) fn choice_in_words(&self) -> Result<String, Error> {
        let protocol = self.fitted()?.map_or_else(|| self.protocol.clone(), |fitted| fitted.protocol);
        Ok(match protocol.learn.clinical.as_slice() {
            [] => "By univariable and multivariable P (Table 4)".to_owned(),
            named => format!("Named by the protocol: {}; Table 4 shows their odds ratios", named.join(", ")),
        })
    }

    /// Values that included patients lack, regions that were not measured, and what the models made of it.
    fn missing_in_words(&self) -> Result<String, Error> {
        let patients: Vec<Patient> = self.store.patients()?.into_iter().filter(Patient::included).collect();
        let lacking = self.variables().filter_map(|(at, variable)| {
            let n = patients.iter().filter(|patient| patient.lacks(at)).count();
            (n > 0).then(|| format!("{}: {n}", variable.label))
        });
        let lacking: Vec<String> = lacking.collect();
        let mut text = match lacking.as_slice() {
            [] => "No clinical value of an included patient is missing".to_owned(),
            some => format!("Patients without a value: {}", some.join("; ")),
        };
        let ids: Vec<_> = patients.iter().map(|patient| patient.id).collect();
        let failed = self.store.region_states()?;
        let failed = failed.iter().filter(|state| state.error.is_some() && ids.contains(&state.patient)).count();
        if failed > 0 {
            text.push_str(&format!("; {} could not be measured", counted(failed, "region")));
        }
        if self.fitted()?.is_some() {
            text.push_str("; what the models made of it: section “Methods”, “Clinical and combined models”");
        }
        Ok(text)
    }

    /// How patients were divided, and how many of each set have the event.
    pub(in crate::study) fn facts_of_sets(&self, sets: &[(String, usize, Option<Outcome>)]) -> Result<Facts, Error> {
        let mut facts = Facts::new();
        facts.extend(self.split_in_words()?.map(|text| (Fact::Split, format!("{text} (section “Methods”)"))));
        let events: Option<Vec<String>> =
            sets.iter().map(|(name, n, events)| events.map(|it| format!("{name}: {} of {n}", it.events))).collect();
        if let Some(events) = events.filter(|events| !events.is_empty()) {
            let text = format!("With the event: {}", events.join(", "));
            facts.insert(Fact::Events, format!("{text}; Tables 2 to 5 print n of every group, model and set"));
            if let Some(fitted) = self.fitted()? {
                let weights = serde_json::to_string(&fitted.protocol.forest.class_weight).unwrap_or_default();
                let text = format!("{text}; class weights of forests: {}", weights.trim_matches('"'));
                facts.insert(Fact::Imbalance, text);
            }
        }
        Ok(facts)
    }

    /// What of the models is given, and what is not.
    fn full_model_in_words(&self) -> String {
        match self.export_model(None) {
            Ok(file) => format!(
                "{MODEL_FILE} beside this report (osteon model export; SHA-256 {}): every coefficient with its covariance, \
                 features with means and SDs, the forests, settings of images, variables",
                file.sha256
            ),
            Err(_) => "In part: the coefficients of the logistic models and the features of the Rad-score are in section \
                       “Models”; the random forests are in the study file alone (table model), no model file could be made"
                .to_owned(),
        }
    }

    /// What the newest fit says of its validation and choice.
    pub(in crate::study) fn facts_of_models(&self) -> Result<Facts, Error> {
        let fitted = self.fitted()?.ok_or(Error::NoFit)?;
        let combined = fitted.models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let stored = recipe(combined)?;
        let found = stored.validation.as_ref();
        let cohorts: Vec<String> = self.recorded()?.into_iter().map(|(cohort, _)| cohort).collect();
        let external = match cohorts.as_slice() {
            [] => String::new(),
            some => format!("; external: {} (section “External validation”)", some.join(", ")),
        };
        let (corrected, nested) =
            found.map_or((false, false), |it| (it.optimism.iter().any(Option::is_some), !it.nested_auc.is_empty()));
        let seen = fitted.protocol.screen.rows == Rows::All && fitted.protocol.learn.clinical.is_empty();
        let mut internal = vec![match seen {
            true => "a test set whose patients took part in the choice of clinical predictors",
            false => "a test set that nothing was learnt from",
        }];
        internal.extend(corrected.then_some("bootstrap"));
        internal.extend(nested.then_some("nested cross-validation"));
        let drawn = self.store.split()?.is_some_and(|split| split.seed.is_some());
        let origin =
            if drawn { "" } else { "; the split was imported: where its test set comes from is for the authors" };
        let mut uncertainty = "95% intervals in Tables 3 and 5".to_owned();
        if corrected {
            uncertainty.push_str("; optimism of the entire modelling pipeline");
        }
        let region = stored.region().unwrap_or_default();
        let chosen = match fitted.protocol.learn.best_region.as_str() {
            _ if fitted.protocol.sources().len() == 1 => format!("{region}: the only source that could be learnt from"),
            BY_AUC => format!("{region}: the region with the largest out-of-fold AUC in training"),
            _ => format!("{region}: the region that the protocol names"),
        };
        let mut facts = Facts::from([
            (
                Fact::Testing,
                format!("{}{origin} (Tables 3 and 5){external}", in_front("Internal: ", drawn, &internal.join(", "))),
            ),
            (Fact::Uncertainty, uncertainty),
            (Fact::Choice, format!("{chosen} (Table 3)")),
            (Fact::Algorithm, algorithm(&fitted.protocol)),
            (Fact::FullModel, self.full_model_in_words()),
        ]);
        facts.extend(KNOWN_WITH_MODELS.map(|(fact, text)| (fact, text.to_owned())));
        if let Some(scaling) = facts.get_mut(&Fact::Scaling).filter(|_| fitted.protocol.harmonises()) {
            let by = fitted.protocol.batch_by().unwrap_or_default();
            scaling.insert_str(
                0,
                &format!("ComBat by {by}, learnt in training rows (sections “Methods”, “Batch effects”), then "),
            );
        }
        Ok(facts)
    }
}

/// What was learnt, as the Rad-score and the penalty were set.
fn algorithm(protocol: &crate::protocol::Protocol) -> String {
    let score = match protocol.learn.rad_score {
        RadScore::InSample | RadScore::OutOfFold => {
            "Random forest for each source on features chosen by mRMR and LASSO"
        }
        RadScore::Lasso => "LASSO for each source on features ranked by mRMR, its linear score as the Rad-score",
    };
    let logistic = match protocol.learn.penalty {
        Penalty::None => "logistic models",
        Penalty::Ridge => "logistic models with a ridge penalty",
    };
    format!("{score}; {logistic} (section “Methods”)")
}

/// Every setting, or those of a table or key, with the defaults of the preset `study`.
///
/// # Errors
/// When no key begins so.
pub fn settings_sheet(below: Option<&str>) -> Result<Sheet, Error> {
    let is = |key: &&keys::Key| {
        below
            .is_none_or(|below| key.name == below || key.name.strip_prefix(below).is_some_and(|it| it.starts_with('.')))
    };
    let document = Preset::Study.protocol().to_table();
    let row = |key: &keys::Key| {
        let default = keys::value(&document, key.name).map_or(String::new(), ToString::to_string);
        let cells = [key.name.to_owned(), key.meaning.to_owned(), key.unit.to_owned(), key.takes.in_words(), default];
        cells.into_iter().chain([key.in_force()]).map(Cell::Text).collect()
    };
    let rows: Vec<Vec<Cell>> = keys::all().filter(is).map(row).collect();
    if rows.is_empty() {
        let names: Vec<&str> = keys::all().map(|key| key.name).collect();
        let found = below.unwrap_or_default();
        let nearest = crate::protocol::nearest(found, &names);
        return Err(Error::Request(format!("no setting is called {found}; the nearest is {nearest}")));
    }
    Ok(Sheet {
        title: "Settings of the protocol".to_owned(),
        headings: ["Key", "Meaning", "Unit", "Takes", "Default", "Has a say"].map(str::to_owned).to_vec(),
        rows,
        notes: vec!["default: of the preset study; osteon protocol show prints the values in force".to_owned()],
        provenance: Vec::new(),
    })
}

/// The text after a head where it is known to be so; else with a capital.
fn in_front(head: &str, known: bool, text: &str) -> String {
    if known { format!("{head}{text}") } else { format!("A{}", text.strip_prefix('a').unwrap_or(text)) }
}
