//! The report of a study: everything that is known, in one document to hand in.

use crate::report::checklist::{self, Fact, Facts};
use crate::report::figure::{Figure, TWO_COLUMNS_MM};
use crate::report::methods;
use crate::report::page::{Block, Page, Section};
use crate::report::sheet::{Cell, Sheet};
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
const KNOWN_WITH_MODELS: [(Fact, &str); 9] = [
    (Fact::Scaling, "z-scores with the means and SDs of training patients"),
    (Fact::Algorithm, "Random forest for each region on features chosen by mRMR and LASSO; logistic models"),
    (Fact::Testing, "Internal: a test set that nothing was learnt from, bootstrap and nested cross-validation"),
    (Fact::Metrics, "AUC, accuracy, sensitivity, specificity, precision, F1, Brier score, calibration, net benefit"),
    (Fact::Uncertainty, "95 % intervals; optimism of the whole chain"),
    (Fact::Comparison, "Clinical, radiomics and combined models side by side (Table 5)"),
    (Fact::Explanation, "SHAP values and a nomogram"),
    (Fact::Performance, "Tables 3 and 5 with their figures"),
    (Fact::Calculator, "nomogram.html beside this report"),
];

impl Study {
    /// All sections; what has no results yet says so and names the command that makes them.
    pub fn report(&self) -> Result<Page, Error> {
        let mut facts = self.facts()?;
        let mut sections = vec![self.patients_section(&mut facts)?, self.methods_section()];
        sections.extend(self.results_sections(&mut facts)?);
        sections.push(Section {
            heading: "Checklists".to_owned(),
            blocks: vec![
                Block::Text(
                    "Filled in by the program where it knows the answer; the rest is left to the authors.".to_owned(),
                ),
                Block::Sheet(checklist::clear(&facts)),
                Block::Sheet(checklist::tripod(&facts)),
            ],
        });
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
        facts.insert(Fact::Baseline, "Tables 1 and 2".to_owned());
        facts.insert(Fact::Predictors, "Table 4 names the clinical variables and how they were screened".to_owned());
        blocks.extend(self.found(FigureName::Workflow)?);
        Ok(Section { heading: "Patients".to_owned(), blocks })
    }

    fn methods_section(&self) -> Section {
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
            provenance: vec![format!("protocol: {}", self.protocol.hash())],
        }));
        Section { heading: "Methods".to_owned(), blocks }
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
                Ok(sheet) => blocks.push(Block::Sheet(sheet)),
                Err(Error::NoFit | Error::NoSplit | Error::Blind) => (),
                Err(other) => return Err(other),
            }
        }
        if blocks.is_empty() {
            let text = "No models yet: osteon fit learns them.".to_owned();
            sections.push(Section { heading: "Models".to_owned(), blocks: vec![Block::Text(text)] });
            return Ok(sections);
        }
        blocks.extend(self.size_warning()?);
        for name in LEARNT {
            blocks.extend(self.found(name)?);
        }
        for (fact, text) in KNOWN_WITH_MODELS {
            facts.insert(fact, text.to_owned());
        }
        sections.push(Section { heading: "Models".to_owned(), blocks });
        Ok(sections)
    }

    /// Events for each coefficient of the combined model, and what to think of few.
    fn size_warning(&self) -> Result<Option<Block>, Error> {
        const FEW: f64 = 10.0;
        let fit = self.combined()?.logistic;
        let smaller = fit.n_events.min(fit.n - fit.n_events);
        let each = smaller as f64 / fit.terms.len().max(1) as f64;
        let size = format!(
            "{} training patients, {} with the event; {each:.1} patients of the smaller group for each coefficient of the \
             combined model",
            fit.n, fit.n_events
        );
        Ok(Some(if each < FEW {
            Block::Warning(format!("{size}, fewer than {FEW}: coefficients and probabilities will be too extreme."))
        } else {
            Block::Text(format!(
                "{size}. The features behind the Rad-score were chosen among thousands in the same patients: the corrected \
                 AUCs above, not the apparent ones, say what to expect of new patients."
            ))
        }))
    }

    /// A figure as a block; nothing where the study has no results for it.
    fn found(&self, name: FigureName) -> Result<Option<Block>, Error> {
        let figure: Result<Figure, Error> =
            self.figure(&FigureRequest { name, width_mm: TWO_COLUMNS_MM, patient: None, region: None });
        match figure {
            Ok(figure) => Ok(Some(Block::Figure(Box::new(figure)))),
            Err(Error::NoResult { .. } | Error::NoFit | Error::NoSplit | Error::NoFeatures | Error::Blind) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// What the protocol and the program alone say.
    fn facts(&self) -> Result<Facts, Error> {
        let told: std::collections::BTreeMap<String, String> = methods::methods(&self.protocol).into_iter().collect();
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
        let settings: std::collections::BTreeMap<String, String> =
            methods::settings(&self.protocol).into_iter().collect();
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
