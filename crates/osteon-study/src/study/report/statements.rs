//! Statements that a paper ends with, from what the study knows: availability of data and code, limitations; the
//! codebook as an appendix; and the whole study on one page.

use crate::protocol::codebook::variable::{Kind, Role};
use crate::report::page::{Block, Page, Section};
use crate::report::sheet::{Cell, Sheet};
use crate::study::pages::patient_pages::words;
use crate::study::{Error, ModelTable, Study};
use osteon_base::text::counted;
use osteon_stats::evaluate::roc;

impl Study {
    /// Availability of data and code, and limitations.
    pub(in crate::study) fn statements(&self) -> Result<Section, Error> {
        let mut blocks = vec![
            Block::Text(
                "Data availability. Clinical values, feature values and sets can be exported without ids, dates and free \
                 text (osteon export --deidentify). Whether, where and on which terms they are shared is for the authors to \
                 state."
                    .to_owned(),
            ),
            Block::Text(format!(
                "Code availability. All analyses were run with osteon {} (MIT or Apache-2.0) under the protocol {}, with \
                 the seed {}; the same data, protocol and seed give the same results.",
                env!("CARGO_PKG_VERSION"),
                self.store.study()?.protocol_hash,
                self.protocol.learn.seed.0
            )),
        ];
        blocks.push(Block::Text(format!("Limitations. {}", self.limitations()?.join(" "))));
        Ok(Section { heading: "Statements".to_owned(), blocks })
    }

    /// One sentence each.
    fn limitations(&self) -> Result<Vec<String>, Error> {
        let flow = self.flow()?;
        let n = flow.assessed - flow.excluded.iter().map(|(_, n)| n).sum::<usize>();
        let mut told = vec![match flow.outcome {
            Some(outcome) => {
                format!("The study has {} with {}.", counted(n, "patient"), counted(outcome.events, "event"))
            }
            None => format!("The study has {}.", counted(n, "patient")),
        }];
        told.extend(self.centers()?);
        if let (Some((_, test, outcome)), true) = (flow.sets.get(1), self.needs_response().is_ok()) {
            let events = outcome.map_or(String::new(), |it| format!(" with {}", counted(it.events, "event")));
            let origin = match self.store.split()?.and_then(|split| split.seed) {
                Some(_) => "drawn from the same patients as the training set",
                None => "assigned before the data came here",
            };
            told.push(format!("The test set has {}{events}, {origin}.", counted(*test, "patient")));
        }
        if self.needs_response().is_ok() && self.newest_fit()?.is_some() {
            told.push(format!("Sample size: {}.", self.size_in_words()?));
            told.extend(self.optimism_in_words()?);
            if self.external_section()?.is_none() {
                told.push("The models were not evaluated in patients of other hospitals.".to_owned());
            }
        }
        Ok(told)
    }

    /// Where the patients come from, as far as the codebook has a center.
    fn centers(&self) -> Result<Option<String>, Error> {
        let Some(center) = self.protocol.codebook.variables.iter().find(|it| it.role == Role::Centre) else {
            return Ok(Some(
                "No variable tells the center: the data are treated as those of a single center.".to_owned(),
            ));
        };
        let mut seen = std::collections::BTreeSet::new();
        for patient in self.store.patients()?.into_iter().filter(|patient| patient.included()) {
            seen.extend(patient.entry(&center.name).map(|value| center.text(value).to_owned()));
        }
        Ok((seen.len() < 2).then(|| "All patients come from a single center.".to_owned()))
    }

    /// Every variable of the codebook.
    pub(in crate::study) fn codebook_section(&self) -> Result<Section, Error> {
        let row = |it: &crate::protocol::codebook::variable::Variable| {
            let values = match &it.kind {
                Kind::Number(number) => number.possible.to_string(),
                Kind::Levels { levels, .. } => {
                    levels.iter().map(|level| level.name.as_str()).collect::<Vec<_>>().join(", ")
                }
                Kind::Date | Kind::Text => String::new(),
            };
            let texts = [&it.name, &it.label, &it.unit].map(words);
            let further = [it.kind.name(), &values, it.role.name(), it.moment.name()].map(words);
            texts.into_iter().chain(further).collect::<Vec<Cell>>()
        };
        let sheet = Sheet {
            title: "Codebook".to_owned(),
            headings: ["Name", "Label", "Unit", "Kind", "Possible values", "Role", "Known at"]
                .map(str::to_owned)
                .to_vec(),
            rows: self.variables().map(|(_, variable)| row(variable)).collect(),
            notes: Vec::new(),
            provenance: self.provenance()?,
        };
        Ok(Section { heading: "Appendix: codebook".to_owned(), blocks: vec![Block::Sheet(sheet)] })
    }

    /// The study on one page: who, what, the result, and what it is worth.
    pub fn summary(&self) -> Result<Page, Error> {
        let flow = self.flow()?;
        let n = flow.assessed - flow.excluded.iter().map(|(_, n)| n).sum::<usize>();
        let events = |it: Option<crate::report::figure::flow::Outcome>| {
            it.map_or(String::new(), |it| format!(" ({}: {}; {}: {})", flow.event, it.events, flow.other, it.others))
        };
        let mut who = format!("{} assessed, {n} included{}.", counted(flow.assessed, "patient"), events(flow.outcome));
        for (name, n, outcome) in &flow.sets {
            who.push_str(&format!(" {name}: {n}{}.", events(*outcome)));
        }
        let side = match self.needs_response() {
            Ok(()) => {
                let event = self.protocol.codebook.outcome().map_or("none", |outcome| outcome.event.as_str());
                format!("{} ({event})", self.protocol.codebook.side(true))
            }
            Err(_) => "an outcome that is hidden from a blind reader".to_owned(),
        };
        let names: Vec<&str> = self.protocol.codebook.predictors().iter().map(|it| it.label.as_str()).collect();
        let what = format!(
            "Prediction of {side} from clinical variables ({}) and radiomic features of {}.",
            names.join(", "),
            counted(self.protocol.all_sources().len(), "region")
        );
        let mut result = Vec::new();
        match self.needs_response().and_then(|()| self.scored(ModelTable::Five)) {
            Ok((rows, ..)) => {
                for row in &rows {
                    if let Some(auc) = roc::auc(&row.score, &row.event) {
                        let ([low, high], _) = auc.interval();
                        result.push(format!(
                            "{} model, {}: AUC {:.3} (95% CI {low:.3}–{high:.3})",
                            row.model, row.set, auc.auc
                        ));
                    }
                }
            }
            Err(Error::Blind | Error::NoFit | Error::NoSplit) => {}
            Err(other) => return Err(other),
        }
        let result = if result.is_empty() {
            "No models yet: osteon fit makes them.".to_owned()
        } else {
            format!("{}.", result.join("; "))
        };
        let worth = self.limitations()?.into_iter().skip(1).collect::<Vec<_>>().join(" ");
        let section =
            |heading: &str, text: String| Section { heading: heading.to_owned(), blocks: vec![Block::Text(text)] };
        let doubt = self.doubt()?.filter(|_| self.needs_response().is_ok());
        Ok(Page {
            title: self.store.study()?.title,
            first: doubt.into_iter().collect(),
            sections: vec![
                section("Who", who),
                section("What", what),
                section("Result", result),
                section("What it is worth", worth),
            ],
            provenance: self.provenance()?,
        })
    }
}
