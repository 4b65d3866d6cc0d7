//! The report of a study: everything that is known, in one document to hand in.

use std::collections::BTreeMap;
use std::path::Path;

use crate::report::checklist::{self, Fact, Facts};
use crate::report::figure::TWO_COLUMNS_MM;
use crate::report::methods;
use crate::report::page::{Block, Page, Section};
use crate::report::performance::parted;
use crate::report::sheet::{Cell, Sheet};
use crate::store::Patient;
use crate::study::{ClinicalTable, Error, FigureName, FigureRequest, ModelTable, Study};

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
const KNOWN_WITH_MODELS: [(Fact, &str); 10] = [
    (Fact::Scaling, "z-scores with the means and SDs of training patients"),
    (Fact::Algorithm, "Random forest for each region on features chosen by mRMR and LASSO; logistic models"),
    (Fact::Testing, "Internal: a test set that nothing was learnt from, bootstrap and nested cross-validation"),
    (Fact::Metrics, "AUC, accuracy, sensitivity, specificity, precision, F1, Brier score, calibration, net benefit"),
    (Fact::Uncertainty, "95 % intervals; optimism of the whole chain"),
    (Fact::Comparison, "Clinical, radiomics and combined models side by side (Table 5)"),
    (Fact::Explanation, "SHAP values and a nomogram"),
    (Fact::Performance, "Tables 3 and 5 with their figures"),
    (Fact::Calculator, "nomogram.html beside this report"),
    (
        Fact::Specification,
        "Section “Models”: every coefficient, the features with means and SDs; probability of non-pGR, 0.5 as threshold",
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
        let told = "Filled in by the program where it knows the answer; the rest is left to the authors.".to_owned();
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
                Ok((sheet, _)) => blocks.push(Block::Sheet(sheet)),
                // No response to show, or no sets yet.
                Err(Error::Blind | Error::Request(_)) => (),
                Err(other) => return Err(other),
            }
        }
        blocks.extend(self.found(FigureName::Forest)?);
        facts.insert(Fact::Baseline, "Tables 1 and 2".to_owned());
        facts.insert(Fact::Predictors, "Table 4 names the clinical variables and how they were screened".to_owned());
        facts.insert(Fact::Missing, self.missing_in_words()?);
        facts.extend(self.sets_in_words(&flow.sets)?);
        blocks.extend(self.found(FigureName::Workflow)?);
        Ok(Section { heading: "Patients".to_owned(), blocks })
    }

    fn methods_section(&self) -> Result<Section, Error> {
        let mut blocks: Vec<Block> = methods::methods(&self.protocol)
            .into_iter()
            .map(|(heading, text)| Block::Text(format!("{heading}. {text}")))
            .collect();
        let row = |(key, value): (String, String)| vec![Cell::Text(key), Cell::Text(value)];
        blocks.push(Block::Sheet(Sheet {
            title: "Every setting of the protocol".to_owned(),
            headings: vec!["Key".to_owned(), "Value".to_owned()],
            rows: methods::settings(&self.protocol).into_iter().map(row).collect(),
            notes: Vec::new(),
            provenance: self.provenance()?,
        }));
        Ok(Section { heading: "Methods".to_owned(), blocks })
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
                Some(seed) => format!("drawn at random with seed {}, stratified by {}", seed.0, split.strata),
                None => "given by the authors".to_owned(),
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
        if blocks.is_empty() {
            let text = "No models yet: osteon fit learns them.".to_owned();
            sections.push(Section { heading: "Models".to_owned(), blocks: vec![Block::Text(text)] });
            return Ok(sections);
        }
        blocks.extend(self.cautions()?);
        facts.insert(Fact::SampleSize, self.size_in_words()?);
        blocks.push(Block::Sheet(self.regions_sheet()?));
        blocks.push(Block::Sheet(self.rad_score_sheet()?));
        blocks.push(Block::Sheet(self.coefficients_sheet()?));
        for name in LEARNT {
            blocks.extend(self.found(name)?);
        }
        for (fact, text) in KNOWN_WITH_MODELS {
            facts.insert(fact, text.to_owned());
        }
        sections.push(Section { heading: "Models".to_owned(), blocks });
        Ok(sections)
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
        let told: BTreeMap<String, String> = methods::methods(&self.protocol).into_iter().collect();
        let part = |heading: &str| told.get(heading).cloned();
        let mut facts = Facts::from([
            (Fact::Guidelines, "CLEAR and TRIPOD+AI, below".to_owned()),
            (Fact::Outcome, "Necrosis below 90 % (non-pGR) is the event".to_owned()),
            (
                Fact::Extraction,
                format!("osteon {}, features of the IBSI as pyradiomics names them", env!("CARGO_PKG_VERSION")),
            ),
            (Fact::Settings, format!("Section “Methods”; protocol {}", self.protocol.hash())),
            (Fact::Code, format!("osteon {}", env!("CARGO_PKG_VERSION"))),
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
        let settings: BTreeMap<String, String> = methods::settings(&self.protocol).into_iter().collect();
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
