//! The report of a study: everything that is known, in one document to hand in.

use crate::report::checklist::{self, Fact, Facts};
use crate::report::figure::{Figure, TWO_COLUMNS_MM};
use crate::report::methods;
use crate::report::page::{Block, Page, Section};
use crate::report::sheet::{Cell, Sheet};
use crate::study::{Error, FigureName, FigureRequest, Study};

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

    fn results_sections(&self, _facts: &mut Facts) -> Result<Vec<Section>, Error> {
        Ok(Vec::new())
    }

    /// A figure as a block; nothing where the study has no results for it.
    fn found(&self, name: FigureName) -> Result<Option<Block>, Error> {
        let figure: Result<Figure, Error> =
            self.figure(&FigureRequest { name, width_mm: TWO_COLUMNS_MM, patient: None });
        match figure {
            Ok(figure) => Ok(Some(Block::Figure(Box::new(figure)))),
            Err(Error::NoResult { .. }) => Ok(None),
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
