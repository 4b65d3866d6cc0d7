//! The report's section on models validated on patients that they were not learnt from, in the order of TRIPOD+AI.

use std::collections::BTreeMap;

use crate::pipeline::recipe::COMBINED;
use crate::report::evaluation;
use crate::report::external::{case_mix, net_benefit};
use crate::report::page::{Block, Section};
use crate::report::performance::{self, Cut, Scored};
use crate::report::sheet::Sheet;
use crate::store::Patient;
use crate::study::models::validate::Recorded;
use crate::study::{Error, ModelTable, Study};
use osteon_base::text::counted;
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::evaluate::roc;

impl Study {
    /// `None` where nothing was validated, or a blind reader asks.
    pub(in crate::study) fn external_section(&self) -> Result<Option<Section>, Error> {
        if self.needs_response().is_err() {
            return Ok(None);
        }
        let recorded = self.recorded()?;
        if recorded.is_empty() {
            return Ok(None);
        }
        let mut blocks = vec![Block::Text(format!(
            "{} recorded in the trail; a model file is frozen, and what was looked at stays on record.",
            counted(self.store.validations()?.len(), "validation")
        ))];
        let rows = self.external_rows(ModelTable::Five, &self.events()?)?;
        for (cohort, one) in &recorded {
            blocks.extend(self.cohort_blocks(cohort, one, &rows)?);
        }
        Ok(Some(Section { heading: "External validation".to_owned(), blocks }))
    }

    /// What the dashboard shows of recorded validations: discrimination, calibration, and of each cohort its case mix and net
    /// benefit.
    ///
    /// # Errors
    /// When nothing was validated.
    pub fn external_page(&self) -> Result<Vec<Sheet>, Error> {
        self.needs_response()?;
        let rows = self.external_rows(ModelTable::Five, &self.events()?)?;
        if rows.is_empty() {
            return Err(Error::NoResult { what: "validation of a model file", command: "osteon validate MODEL" });
        }
        let performance = performance::table("External validation", &rows, &Cut::At(0.5));
        let mut sheets = vec![performance, evaluation::calibrations(&rows)];
        for (cohort, one) in &self.recorded()? {
            let (patients, event) = self.still_known(one)?;
            let own: Vec<Scored> = rows.iter().filter(|row| row.set == *cohort).cloned().collect();
            sheets.push(case_mix(&self.case_mix(cohort, &patients, &event, one)?));
            sheets.push(net_benefit(cohort, &own, self.protocol.learn.seed));
        }
        for sheet in &mut sheets {
            sheet.provenance = self.provenance()?;
        }
        Ok(sheets)
    }

    /// The patients of a validation who are included and whose outcome is known by now.
    fn still_known(&self, one: &Recorded) -> Result<(Vec<Patient>, Vec<bool>), Error> {
        let by_code: BTreeMap<String, Patient> =
            self.store.patients()?.into_iter().map(|patient| (patient.code.clone(), patient)).collect();
        let known = one.patients.iter().filter_map(|code| by_code.get(code));
        let known =
            known.filter(|patient| patient.included()).filter_map(|patient| Some((patient.clone(), patient.event?)));
        Ok(known.unzip())
    }

    fn cohort_blocks(&self, cohort: &str, one: &Recorded, rows: &[Scored]) -> Result<Vec<Block>, Error> {
        let (patients, event) = self.still_known(one)?;
        let n_events = event.iter().filter(|&&event| event).count();
        let left = if one.left_out.is_empty() { String::new() } else { format!(" {}.", one.left_out.join("; ")) };
        let mut blocks = vec![Block::Text(format!(
            "{cohort}. Participants (TRIPOD+AI 20a): {}, {n_events} with the event ({}), chosen by: {}.{left} Model (22): file \
             with the SHA-256 {}, fitted {} on {}; it was not changed for this validation. Predictors and outcome (8, 9): \
             as the model file declares them, units and levels held against the study's codebook.",
            counted(patients.len(), "patient"),
            one.event,
            one.rule,
            one.model,
            one.fitted_at,
            counted(one.training.n, "patient"),
        ))];
        let own: Vec<Scored> = rows.iter().filter(|row| row.set == cohort).cloned().collect();
        blocks.extend(own.iter().filter(|row| row.model.starts_with(COMBINED)).filter_map(in_words).map(Block::Text));
        let mix = self.case_mix(cohort, &patients, &event, one)?;
        for sheet in [case_mix(&mix), net_benefit(cohort, &own, self.protocol.learn.seed)] {
            blocks.push(Block::Sheet(Sheet { provenance: self.provenance()?, ..sheet }));
        }
        Ok(blocks)
    }
}

/// Discrimination, calibration and what updating would take, of one model in one cohort.
fn in_words(row: &Scored) -> Option<String> {
    let auc = roc::auc(&row.score, &row.event)?;
    let [low, high] = auc.interval().0;
    let mut text = format!(
        "Performance (23a) of the {} model in {}: AUC {:.3} (95 % CI {low:.3}–{high:.3})",
        row.model, row.set, auc.auc
    );
    if let Some(found) = calibration(&row.event, &row.score) {
        text.push_str(&format!(", Brier score {:.3}", found.brier));
        if let Some((intercept, se)) = found.in_the_large {
            text.push_str(&format!(", calibration in the large {intercept:.2} (SE {se:.2})"));
        }
        if let Some(fit) = found.recalibration {
            text.push_str(&format!(", calibration slope {:.2} (SE {:.2})", fit.slope, fit.slope_se));
        }
    }
    text.push_str(
        ". Curves stand among the figures of the models, rows in Tables 3 and 5. Updating (24): osteon validate --update makes \
         a recalibrated file that names this one as its parent.",
    );
    Some(text)
}
