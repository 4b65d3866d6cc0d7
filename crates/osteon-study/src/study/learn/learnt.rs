//! Figures of what was learnt, from the newest fit.

use crate::pipeline::learn::RAD_SCORE;
use crate::pipeline::recipe::{CLINICAL, Learnt, RADIOMICS};
use crate::pipeline::region::RegionModel;
use crate::pipeline::validate::LEAST_SAMPLES;
use crate::protocol::codebook::Codebook;
use crate::report::calculator::{self, Calculator};
use crate::report::figure::lasso::{self, Lasso};
use crate::report::figure::{Figure, Paper, TWO_COLUMNS_MM, icc, learnt, nomogram, scored, selection};
use crate::report::sheet::Cell;
use crate::store::{Model, Patient, PatientId, Role};
use crate::study::learn::fit::agreement;
use crate::study::learn::performance::recipe;
use crate::study::learn::prediction::{RESEARCH_ONLY, USE, in_a_sentence};
use crate::study::report::figure::title_of;
use crate::study::report::told::training_in_words;
use crate::study::{Error, FigureName, FigureRequest, ModelTable, Study};
use osteon_stats::model::nomogram::Effect;

impl Study {
    /// ROC, decision or calibration curves of the models of Table 5.
    pub(in crate::study) fn curves(&self, request: &FigureRequest, paper: &Paper) -> Result<Figure, Error> {
        let (rows, out_of_fold, _) = self.scored(ModelTable::Five)?;
        let seed = self.protocol.learn.seed;
        let mut figure = match request.name {
            FigureName::Dca => scored::decision(&rows, request.thresholds, seed, paper),
            FigureName::Calibration => scored::calibration(&rows, seed, paper),
            _ => scored::roc(&rows, seed, paper),
        };
        if out_of_fold && rows.iter().any(|row| row.set == "training") {
            figure.caption.push_str(&format!(" {}", training_in_words(true)));
        }
        Ok(figure)
    }

    /// The LASSO of a region; of the one that gives the Rad-score when none is named.
    pub(in crate::study) fn lasso_figure(&self, region: Option<&str>, paper: &Paper) -> Result<Figure, Error> {
        self.needs_response()?;
        let models = self.store.models()?;
        let radiomics = models.iter().find(|model| model.name == RADIOMICS).ok_or(Error::NoFit)?;
        let best = recipe(radiomics)?.region().unwrap_or_default().to_owned();
        let region = region.unwrap_or(&best);
        let named = self.protocol.all_sources().iter().find(|source| source.name == region).map(title_of);
        let RegionModel { shortlist, lasso: fitted, .. } = region_recipe(&models, region)?;
        let drawn: Lasso =
            learnt::lasso(named.as_deref().unwrap_or(region), &shortlist, &fitted, self.protocol.select.lasso.family);
        Ok(lasso::figure(&drawn, paper))
    }

    /// Selection frequencies of a region (of the one that gives the Rad-score when none is named), of regions and clinical
    /// variables.
    pub(in crate::study) fn selection_figure(&self, region: Option<&str>, paper: &Paper) -> Result<Figure, Error> {
        self.needs_response()?;
        let models = self.store.models()?;
        let radiomics = models.iter().find(|model| model.name == RADIOMICS).ok_or(Error::NoFit)?;
        let best = recipe(radiomics)?.region().unwrap_or_default().to_owned();
        let region = region.unwrap_or(&best);
        // Names the regions where this is none of them.
        region_recipe(&models, region)?;
        let named = self.protocol.all_sources().iter().find(|source| source.name == region).map(title_of);
        let features = format!("Features: {}", named.unwrap_or_else(|| region.to_owned()));
        let lists = [
            (region, features.as_str()),
            (RADIOMICS, "Region that gives the Rad-score"),
            (CLINICAL, "Clinical predictors"),
        ];
        let mut found = Vec::new();
        for (name, title) in lists {
            let Some(model) = models.iter().find(|model| model.name == name) else { continue };
            let Some(validation) = recipe(model)?.validation.filter(|it| !it.chosen.is_empty()) else { continue };
            let (counts, samples) = (validation.chosen, validation.chosen_of);
            found.push(selection::Chosen { name: title.to_owned(), counts, samples });
        }
        if found.is_empty() {
            return Err(Error::Request(format!(
                "no selection frequencies: they take learn.n_bootstraps of at least {LEAST_SAMPLES}, and a fit after it"
            )));
        }
        Ok(selection::figure(&found, paper))
    }

    pub(in crate::study) fn nomogram_figure(&self, paper: &Paper) -> Result<Figure, Error> {
        self.needs_response()?;
        let combined = self.combined()?;
        let from = combined.nomogram.ok_or(Error::NoFit)?;
        let labels = self.labels(&from.effects);
        let mut figure = nomogram::figure(&learnt::nomogram(&from, &labels, self.protocol.codebook.side(true)), paper);
        figure.caption = format!("{} {}", figure.caption.trim_end(), in_a_sentence(RESEARCH_ONLY));
        figure.numbers.notes.push(RESEARCH_ONLY.to_owned());
        // The numbers as CSV have no notes, and the drawing has no caption.
        let width = figure.numbers.headings.len();
        let mut row = USE.map(|text| Cell::Text(text.to_owned())).to_vec();
        row.resize(width, Cell::Empty);
        figure.numbers.rows.push(row);
        if let Some(panel) = figure.plot.panels.first_mut() {
            panel.title = format!("{} ({})", panel.title, USE[0]).trim_start().to_owned();
        }
        figure.plot.provenance.push(format!("use: {RESEARCH_ONLY}"));
        Ok(figure)
    }

    /// The nomogram as a page that calculates.
    pub fn calculator(&self) -> Result<String, Error> {
        self.needs_response()?;
        let combined = self.combined()?;
        let from = combined.nomogram.as_ref().ok_or(Error::NoFit)?;
        let paper = Paper { width_mm: TWO_COLUMNS_MM, provenance: self.provenance_of("fit")? };
        let fit = &combined.logistic;
        let doubt = self.doubt()?.map(|doubt| format!("{doubt}."));
        let warnings = vec![
            format!(
                "Research use only. The model was learnt from {} patients, {} of them with the event, and needs \
                 confirmation in others before anybody relies on it.",
                fit.n, fit.n_events
            ),
            "The interval covers the coefficients alone: the Rad-score is taken as known.".to_owned(),
        ];
        Ok(calculator::html(&Calculator {
            title: format!("Probability of {}: {}", self.protocol.codebook.side(true), self.store.study()?.title),
            event: self.protocol.codebook.side(true).to_owned(),
            nomogram: from,
            labels: self.labels(&from.effects),
            covariance: fit.covariance.clone(),
            quantile: fit.quantile(),
            svg: self.nomogram_figure(&paper)?.svg(),
            warnings: doubt.into_iter().chain(warnings).collect(),
            provenance: paper.provenance,
        }))
    }

    fn labels(&self, effects: &[Effect]) -> Vec<String> {
        effects.iter().map(|effect| variable_label(&self.protocol.codebook, effect.name())).collect()
    }

    /// Agreement of each feature between the mask and the repeat mask, by region.
    pub(in crate::study) fn icc_figure(&self, region: Option<&str>, paper: &Paper) -> Result<Figure, Error> {
        let included = self.store.patients()?.into_iter().filter(Patient::included);
        let ids: Vec<PatientId> = included.map(|patient| patient.id).collect();
        let mut regions = Vec::new();
        let second_rater = self.second_rater()?.unwrap_or(Role::RepeatMask);
        let mut sources = self.protocol.all_sources();
        if let Some(name) = region {
            let valid = sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
            sources.retain(|source| source.name == name);
            if sources.is_empty() {
                return Err(Error::NoRegion { found: name.to_owned(), valid });
            }
        }
        for source in sources {
            let (names, first) = self.rows_of(&source, &self.rater(), &ids)?;
            let (_, second) = self.rows_of(&source, &second_rater, &ids)?;
            let both: Vec<usize> = (0..ids.len()).filter(|&i| first[i].is_some() && second[i].is_some()).collect();
            if both.len() > 1 {
                let icc = (0..names.len()).map(|j| agreement(&first, &second, &both, j)).collect();
                regions.push(icc::Region { name: title_of(&source), icc });
            }
        }
        if regions.is_empty() {
            return Err(Error::NoResult { what: "features of repeat masks", command: "osteon extract" });
        }
        Ok(icc::figure(&regions, &self.masks_in_words(&second_rater), self.protocol.select.icc_min, paper))
    }
}

/// What the model of a region learnt.
pub(in crate::study) fn region_recipe(models: &[Model], region: &str) -> Result<RegionModel, Error> {
    let regions = || models.iter().filter(|model| model.kind == "forest" && model.name != RADIOMICS);
    let model = regions().find(|model| model.name == region).ok_or_else(|| Error::NoRegion {
        found: region.to_owned(),
        valid: regions().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    match recipe(model)?.learnt {
        Learnt::Region(learnt) => Ok(*learnt),
        Learnt::NoRegion { error, .. } => Err(Error::Request(format!("{region} has no model: {error}"))),
        Learnt::Clinical { .. } | Learnt::Radiomics { .. } | Learnt::Combined { .. } | Learnt::Learner(_) => {
            Err(Error::NoFit)
        }
    }
}

/// The heading of a term's variable.
pub(in crate::study) fn variable_label(book: &Codebook, term: &str) -> String {
    let name = term.split('=').next().unwrap_or(term);
    match name {
        RAD_SCORE => "Rad-score".to_owned(),
        name => book.named(name).map_or_else(|| name.to_owned(), |variable| variable.heading()),
    }
}
