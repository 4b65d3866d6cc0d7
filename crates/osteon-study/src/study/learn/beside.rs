//! Models with and without harmonization, side by side.

use crate::pipeline::recipe::COMBINED;
use crate::pipeline::unharmonised::{Beside, Judged};
use crate::report::sheet::{Cell, Sheet};
use crate::study::learn::performance::recipe;
use crate::study::{Error, Study};

impl Study {
    /// The comparison, and what harmonization changed where there was any.
    ///
    /// # Errors
    /// Where the newest fit has neither.
    pub fn comparisons(&self) -> Result<Vec<Sheet>, Error> {
        let beside = self.unharmonised_sheet()?;
        match self.comparison() {
            Ok(sheet) => Ok(std::iter::once(sheet).chain(beside).collect()),
            Err(why) => beside.map(|sheet| vec![sheet]).ok_or(why),
        }
    }

    /// Models with and without harmonization; nothing where features are taken as measured.
    pub(in crate::study) fn unharmonised_sheet(&self) -> Result<Option<Sheet>, Error> {
        self.needs_response()?;
        let models = self.store.models()?;
        let combined = models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let found = recipe(combined)?.validation.map(|it| it.unharmonised).unwrap_or_default();
        if found.is_empty() {
            return Ok(None);
        }
        let mut sheet = sheet(&found);
        sheet.provenance = self.provenance()?;
        sheet.provenance.push(format!("run: {}", combined.run.0));
        Ok(Some(self.told(sheet)?))
    }
}

fn sheet(found: &[Beside]) -> Sheet {
    let text = |text: &str| Cell::Text(text.to_owned());
    let auc = |it: &Judged| {
        it.auc.map_or(Cell::Empty, |[estimate, low, high]| Cell::Interval { estimate, low, high, digits: 3 })
    };
    let row = |it: &Beside| {
        vec![
            text(&it.set),
            text(&it.model),
            Cell::Count(it.n),
            Cell::Count(it.n_events),
            auc(&it.harmonised),
            auc(&it.as_measured),
            Cell::p(it.p),
            Cell::number(it.harmonised.brier, 3),
            Cell::number(it.as_measured.brier, 3),
            Cell::number(it.harmonised.slope, 3),
            Cell::number(it.as_measured.slope, 3),
        ]
    };
    let headings = [
        "Set",
        "Model",
        "Patients",
        "Events",
        "AUC harmonized (95% CI)",
        "AUC as measured (95% CI)",
        "P",
        "Brier harmonized",
        "Brier as measured",
        "Calibration slope harmonized",
        "Calibration slope as measured",
    ];
    Sheet {
        title: "With and without harmonization".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: found.iter().map(row).collect(),
        notes: vec![
            "as measured: the entire modelling pipeline refitted to the same patients in the same folds and from the same \
             seed without ComBat, whose author did not design it for training and test; patients who have a probability \
             under both; training probabilities as reported"
                .to_owned(),
            "P: DeLong's test between the two AUCs".to_owned(),
        ],
        provenance: Vec::new(),
    }
}
