//! Batch effects of the study's features: how many differ between scanners or centres, before and after harmonization.

use crate::pipeline::batch_effect::{ALPHA, Effect, State, effects};
use crate::report::figure::{Figure, Paper, batch};
use crate::report::page::{Block, Section};
use crate::report::sheet::{Cell, Sheet};
use crate::study::{Error, FigureName, Study};

impl Study {
    /// What tells batches apart, and their effect in each source.
    fn batch_effects(&self, region: Option<&str>) -> Result<(String, Vec<Effect>), Error> {
        self.needs_response()?;
        let Some(by) = self.protocol.batch_by().map(str::to_owned) else {
            return Err(Error::Request(
                "nothing tells batches apart: learn.batch = \"scanner\" in the protocol takes model and field strength of \
                 DICOM images, a variable's name its levels"
                    .to_owned(),
            ));
        };
        let mut patients = self.learning_patients()?;
        let sources = self.protocol.sources();
        for features in &mut patients.cohort.regions {
            let own: Vec<_> = sources.iter().filter(|source| source.name == features.region).cloned().collect();
            let own = if own.is_empty() { sources.clone() } else { own };
            features.batch = Some(self.batches(&by, &own, &patients.ids)?);
        }
        let cohort = &patients.cohort;
        let wanted = |features: &&crate::pipeline::cohort::Features| region.is_none_or(|name| features.region == name);
        let regions: Vec<_> = cohort.regions.iter().filter(wanted).collect();
        if let (Some(name), true) = (region, regions.is_empty()) {
            let valid = cohort.regions.iter().map(|it| it.region.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::NoRegion { found: name.to_owned(), valid });
        }
        let of =
            |features: &crate::pipeline::cohort::Features| effects(cohort, features, &patients.train, &self.protocol);
        Ok((by, regions.into_iter().flat_map(of).collect()))
    }

    /// Shares of features that differ between batches, one row a source, set and state.
    ///
    /// # Errors
    /// When nothing tells batches apart, or there are no features.
    pub fn batch_sheet(&self) -> Result<Sheet, Error> {
        let (by, found) = self.batch_effects(None)?;
        if found.is_empty() {
            return Err(Error::Request(format!("fewer than three training patients have features and a known {by}")));
        }
        let mut rows = Vec::new();
        let mut notes = vec![
            format!(
                "differ: P < {ALPHA} by Kruskal and Wallis' test between batches; q: the same after adjustment by Benjamini \
                 and Hochberg; PC 1 and 2: percentage of each of the first two principal components of z-scores that lies \
                 between batches (eta squared)"
            ),
            "harmonized: by what the training patients taught, in the test set too".to_owned(),
        ];
        for effect in &found {
            rows.push(row(effect, "as measured", &effect.measured));
            match &effect.harmonised {
                Some(Ok(state)) => rows.push(row(effect, "harmonized", state)),
                Some(Err(why)) => notes.push(format!("{}: not harmonized: {why}", effect.source)),
                None => (),
            }
        }
        if !self.protocol.harmonises() {
            notes[1] = "features are taken as measured: learn.harmonise = \"combat\" harmonizes them".to_owned();
        }
        let headings =
            ["Source", "Set", "Batches", "Features", "Differ, n (%)", "q < 0.05, n (%)", "PC 1, %", "PC 2, %"];
        let mut headings: Vec<String> = headings.map(str::to_owned).to_vec();
        headings.insert(3, "State".to_owned());
        Ok(Sheet {
            title: format!("Batch effects by {by}"),
            headings,
            rows,
            notes,
            provenance: self.provenance_of("extract")?,
        })
    }

    /// The report's section; nothing where no batch is told, or for a blind reader.
    pub(in crate::study) fn batch_section(&self) -> Result<Option<Section>, Error> {
        if self.protocol.batch_by().is_none() {
            return Ok(None);
        }
        let sheet = match self.batch_sheet() {
            Ok(sheet) => sheet,
            Err(Error::Request(_) | Error::NoSplit | Error::NoFeatures | Error::Blind) => return Ok(None),
            Err(other) => return Err(other),
        };
        let blocks = std::iter::once(Block::Sheet(sheet)).chain(self.found(FigureName::Batch)?).collect();
        Ok(Some(Section { heading: "Batch effects".to_owned(), blocks }))
    }

    /// Principal components of one region, of the first when none is named.
    pub(in crate::study) fn batch_figure(&self, region: Option<&str>, paper: &Paper) -> Result<Figure, Error> {
        let first = self.protocol.sources().into_iter().next().map(|source| source.name);
        let (by, found) = self.batch_effects(region.or(first.as_deref()))?;
        let effect = found
            .first()
            .ok_or(Error::NoResult { what: "features of patients with a batch", command: "osteon extract" })?;
        let states = [
            ("As measured", Some(&effect.measured)),
            ("Harmonized", effect.harmonised.as_ref().and_then(|it| it.as_ref().ok())),
        ];
        let panel = |(name, state): (&str, Option<&State>)| {
            let state = state?;
            let found = state.components.as_ref()?;
            // All of the set have a batch that harmonization knows.
            let points = effect
                .batches
                .iter()
                .cloned()
                .zip(found.scores.iter().map(|row| [row[0], row.get(1).copied().unwrap_or(0.0)]));
            let two = |values: &[f64]| [values.first().copied().unwrap_or(0.0), values.get(1).copied().unwrap_or(0.0)];
            let (shares, between) = (two(&found.shares), two(&state.between));
            Some(batch::State { name: name.to_owned(), points: points.collect(), shares, between })
        };
        let states: Vec<batch::State> = states.into_iter().filter_map(panel).collect();
        if states.is_empty() {
            return Err(Error::Request(format!("the features of {} do not vary", effect.source)));
        }
        Ok(batch::figure(&states, &effect.source, &effect.set, &by, paper))
    }
}

fn row(effect: &Effect, state: &str, found: &State) -> Vec<Cell> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    effect.batches.iter().for_each(|batch| *counts.entry(batch).or_default() += 1);
    let batches: Vec<String> = counts.into_iter().map(|(name, n)| format!("{name} ({n})")).collect();
    let share = |n: usize| Cell::CountPercent { n, of: found.n_features };
    let percent = |k: usize| Cell::number(found.between.get(k).map(|share| 100.0 * share), 1);
    vec![
        Cell::Text(effect.source.clone()),
        Cell::Text(effect.set.clone()),
        Cell::Text(batches.join(", ")),
        Cell::Text(state.to_owned()),
        Cell::Count(found.n_features),
        share(found.n_differ),
        share(found.n_after_adjustment),
        percent(0),
        percent(1),
    ]
}
