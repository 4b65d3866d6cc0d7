//! The report of a study: everything that is known, in one document to hand in.

use std::path::Path;

use crate::protocol::keys;
use crate::report::checklist::{self, Fact, Facts};
use crate::report::citations;
use crate::report::figure::TWO_COLUMNS_MM;
use crate::report::journal::Look;
use crate::report::methods;
use crate::report::page::{Block, Page, Section};
use crate::report::performance::parted;
use crate::report::sheet::{Cell, Sheet};
use crate::study::learn::prediction::{RESEARCH_ONLY, in_a_sentence};
use crate::study::{ClinicalTable, Error, FigureName, FigureRequest, ModelTable, Study};

/// In which form the tables of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a journal takes them.
    Journal(Look),
    /// With every statistic in one table.
    Full,
}

impl Default for Form {
    fn default() -> Self {
        Form::Journal(Look::default())
    }
}

/// The works that the sections cite.
fn references(sections: &[Section]) -> Option<Block> {
    let texts = sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
        Block::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let works = citations::cited(&texts.collect::<String>());
    let list: Vec<String> = works.iter().map(citations::Work::reference).collect();
    let text = format!("References (references.bib beside this report). {}", list.join(" "));
    (!list.is_empty()).then_some(Block::Text(text))
}

/// A table as the supplement numbers it.
fn supplementary(sheet: Sheet) -> Sheet {
    Sheet { title: sheet.title.replacen("Table ", "Table S", 1), ..sheet }
}

/// The model file that a report has beside it.
pub(in crate::study) const MODEL_FILE: &str = "model.json";
/// Where the comparisons of models stand among the sheets of an evaluation.
const PAIRS: usize = 4;

/// Figures of the models, in the order of the report.
const LEARNT: [FigureName; 7] = [
    FigureName::Lasso,
    FigureName::Selection,
    FigureName::Nomogram,
    FigureName::Roc,
    FigureName::Dca,
    FigureName::Calibration,
    FigureName::Shap,
];

impl Study {
    /// All sections; what has no results yet says so and names the command that makes them. `published` is a file of
    /// published tables to be audited.
    pub fn report(&self, published: Option<&Path>) -> Result<Page, Error> {
        self.report_in(&Form::default(), published)
    }

    /// The same with its tables in a form; what a journal's tables leave out is in the supplement.
    pub fn report_in(&self, form: &Form, published: Option<&Path>) -> Result<Page, Error> {
        let mut supplement = Vec::new();
        let told = self.methods_in_words()?;
        let mut facts = self.facts(&told)?;
        let mut sections: Vec<Section> = self.review_section()?.into_iter().collect();
        sections.push(self.patients_section(form, &mut facts, &mut supplement)?);
        sections.push(self.methods_section(told.clone())?);
        sections.extend(self.results_sections(form, &mut facts, &mut supplement)?);
        self.add_facts_of_times(&told, &mut facts);
        sections.extend(self.time_section()?.map(|section| in_form(section, form)));
        sections.push(Section { heading: "Audit".to_owned(), blocks: self.audit(published)? });
        let mut statements = self.statements()?;
        statements.blocks.extend(references(&sections));
        sections.push(statements);
        let checklists = [
            checklist::clear(&facts),
            checklist::tripod(&facts),
            checklist::metrics(&facts),
            checklist::probast(&facts),
        ];
        let told = "Filled in by the program where it knows the answer; the rest is left to the authors.".to_owned();
        let mut blocks = vec![Block::Text(told)];
        for sheet in checklists {
            blocks.push(Block::Sheet(Sheet { provenance: self.provenance()?, ..sheet }));
        }
        sections.push(Section { heading: "Checklists".to_owned(), blocks });
        if !supplement.is_empty() {
            let told = "Tables 1 to 5 with every statistic behind them.".to_owned();
            let blocks = [Block::Text(told)].into_iter().chain(supplement.into_iter().map(Block::Sheet)).collect();
            sections.push(Section { heading: "Supplementary tables".to_owned(), blocks });
        }
        sections.push(self.codebook_section()?);
        let doubt = self.doubt()?.filter(|_| self.needs_response().is_ok());
        let first = doubt.into_iter().chain([in_a_sentence(RESEARCH_ONLY)]).collect();
        Ok(Page { title: self.store.study()?.title, first, sections, provenance: self.provenance()? })
    }

    fn patients_section(&self, form: &Form, facts: &mut Facts, supplement: &mut Vec<Sheet>) -> Result<Section, Error> {
        let flow = self.flow()?;
        let included: usize = flow.assessed - flow.excluded.iter().map(|(_, n)| n).sum::<usize>();
        let mut text = format!("{} patients were assessed and {included} included.", flow.assessed);
        for (name, n, events) in &flow.sets {
            let events = events.map_or(String::new(), |it| format!(", {} with the event ({})", it.events, flow.event));
            text.push_str(&format!(" {name}: {n} patients{events}."));
        }
        facts.insert(Fact::Flow, "Section “Patients”, with its figure".to_owned());
        let mut blocks = vec![Block::Text(text)];
        blocks.extend(self.found(FigureName::Flow)?);
        for table in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
            match self.needs_response().and_then(|()| self.clinical_table(table, &self.protocol)) {
                Ok((sheet, _)) => {
                    if table == ClinicalTable::Four {
                        facts.insert(Fact::PredictorChoice, self.choice_in_words()?);
                    } else {
                        let number = table.number();
                        let tables = facts.entry(Fact::Baseline).or_insert_with(|| "Section “Patients”".to_owned());
                        tables.push_str(&format!(", Table {number}"));
                    }
                    blocks.push(Block::Sheet(match form {
                        Form::Full => sheet,
                        Form::Journal(look) => {
                            supplement.push(supplementary(sheet));
                            self.journal_clinical(table, &self.protocol, look)?
                        }
                    }));
                }
                // No response to show, or no sets yet.
                Err(Error::Blind | Error::Request(_)) => (),
                Err(other) => return Err(other),
            }
        }
        blocks.extend(self.found(FigureName::Forest)?);
        facts.extend(self.facts_of_sets(&flow.sets)?);
        blocks.extend(self.found(FigureName::Workflow)?);
        Ok(Section { heading: "Patients".to_owned(), blocks })
    }

    fn methods_section(&self, told: Vec<(String, String)>) -> Result<Section, Error> {
        let mut blocks: Vec<Block> =
            told.into_iter().map(|(heading, text)| Block::Text(format!("{heading}. {text}"))).collect();
        let (protocol, whose) = match (self.fitted()?, self.measured_with()?) {
            (Some(fitted), _) => (fitted.protocol, "of the fit"),
            (None, Some(measured)) => (measured.protocol, "under which features were measured"),
            (None, None) => (self.protocol.clone(), "in force"),
        };
        let row = |(key, value): (String, String)| {
            let no_say = keys::no_say(&protocol, &key).map_or(Cell::Empty, |why| Cell::Text(why.to_owned()));
            vec![Cell::Text(key), Cell::Text(value), no_say]
        };
        blocks.push(Block::Sheet(Sheet {
            title: "Every setting of the protocol".to_owned(),
            headings: ["Key", "Value", "Has no say because"].map(str::to_owned).to_vec(),
            rows: methods::settings(&protocol).into_iter().map(row).collect(),
            notes: vec![format!("the protocol {whose}: {}", protocol.hash())],
            provenance: self.provenance()?,
        }));
        Ok(Section { heading: "Methods".to_owned(), blocks })
    }

    fn results_sections(
        &self,
        form: &Form,
        facts: &mut Facts,
        supplement: &mut Vec<Sheet>,
    ) -> Result<Vec<Section>, Error> {
        let mut sections = Vec::new();
        let agreement = self.found(FigureName::Icc)?;
        if agreement.is_some() {
            facts.insert(Fact::Agreement, "Section “Agreement of segmentations”".to_owned());
            if self
                .fitted()?
                .is_some_and(|it| it.protocol.select.reproducible == osteon_stats::select::Reproducible::Icc)
            {
                let gate = "Features below the ICC asked for were left out of learning (section “Methods”)";
                facts.insert(Fact::Reproducible, gate.to_owned());
            }
            let mut blocks = vec![Block::Sheet(self.agreement_sheet(false)?)];
            blocks.extend(agreement);
            sections.push(Section { heading: "Agreement of segmentations".to_owned(), blocks });
        }
        sections.extend(self.batch_section()?);
        let mut blocks = Vec::new();
        for table in [ModelTable::Three, ModelTable::Five] {
            match self.model_table(table) {
                Ok(sheet) => match form {
                    Form::Full => blocks.extend(parted(sheet).map(Block::Sheet)),
                    Form::Journal(look) => {
                        supplement.extend(parted(supplementary(sheet)));
                        blocks.push(Block::Sheet(self.journal_models(table, look)?));
                    }
                },
                Err(Error::NoFit | Error::NoSplit | Error::Blind) => (),
                Err(other) => return Err(other),
            }
        }
        if !blocks.is_empty() {
            if let Some(doubt) = self.doubt()? {
                blocks.insert(0, Block::Warning(format!("{doubt}.")));
            }
            if let Some(pairs) = self.evaluation(ModelTable::Five, 0.5)?.into_iter().nth(PAIRS) {
                if !pairs.rows.is_empty() {
                    let text = "DeLong's paired test of two AUCs, NRI and IDI (section “Models”, “Between models”)";
                    facts.insert(Fact::Comparison, text.to_owned());
                }
                blocks.push(Block::Sheet(pairs));
            }
        }
        let (centres, others) = (self.centres_section()?, self.external_section()?);
        for (fact, section) in [(Fact::Heterogeneity, &centres), (Fact::External, &others)] {
            facts.extend(section.as_ref().map(|it| (fact, format!("Section “{}”", it.heading))));
        }
        let external: Vec<Section> = centres.into_iter().chain(others).collect();
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
        blocks.extend(self.learners_sheet()?.map(Block::Sheet));
        blocks.extend(self.unharmonised_sheet()?.map(Block::Sheet));
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
        facts.extend(self.facts_of_models()?);
        sections.push(Section { heading: "Models".to_owned(), blocks });
        sections.extend(external);
        Ok(sections)
    }

    /// A figure as a block; nothing where the study has no results for it.
    pub(in crate::study) fn found(&self, name: FigureName) -> Result<Option<Block>, Error> {
        match self.figure(&FigureRequest::new(name, TWO_COLUMNS_MM)) {
            Ok(mut figure) => {
                // Nothing is cut unseen: a document takes what there is, and says so.
                if let Err(tight) = figure.fits() {
                    figure.caption.push_str(&format!(" At this width {tight}; osteon figure draws it wider."));
                }
                Ok(Some(Block::Figure(Box::new(figure))))
            }
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
}

/// A section whose tables are as they are, or in the look of a journal.
fn in_form(mut section: Section, form: &Form) -> Section {
    let Form::Journal(look) = form else { return section };
    for block in &mut section.blocks {
        let Block::Sheet(sheet) = block else { continue };
        for heading in sheet.headings.iter_mut().filter(|heading| *heading == "P") {
            *heading = look.p_heading().to_owned();
        }
        sheet.rows.iter_mut().flatten().for_each(|cell| *cell = look.cell(cell));
        if let Some(rest) = sheet.title.strip_prefix("Hazard ratios, ") {
            sheet.title = format!("Table 4. Hazard ratios, {rest}");
        }
    }
    section
}
