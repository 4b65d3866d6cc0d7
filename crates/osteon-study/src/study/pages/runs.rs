//! Two runs side by side, and what changed between them.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::sheet::{Cell, Sheet};
use crate::store::{Model, Run, RunId, Side};
use crate::study::pages::patient_pages::words;
use crate::study::{Error, Study};
use osteon_stats::evaluate::roc;

/// A fact of a run, as it is shown.
type Fact = (&'static str, fn(&Study, &Run) -> String);

const FACTS: [Fact; 10] = [
    ("run", |_, run| run.id.0.to_string()),
    ("kind", |_, run| run.kind.clone()),
    ("began", |study, run| study.minute(&run.started_at)),
    ("ended", |study, run| run.finished_at.as_deref().map_or_else(|| "not finished".to_owned(), |at| study.minute(at))),
    ("who", |_, run| format!("{}@{}", run.actor, run.host)),
    ("osteon", |_, run| run.program_version.clone()),
    ("seed", |_, run| run.seed.0.to_string()),
    ("protocol", |_, run| run.protocol_hash.clone()),
    ("inputs", |_, run| run.inputs.clone()),
    ("trail head", |_, run| run.trail_head.clone()),
];

impl Study {
    /// Facts of two runs, the keys of the protocol that differ between them, and what they learnt.
    pub fn runs_beside(&self, first: RunId, second: RunId) -> Result<Sheet, Error> {
        let known = |id: RunId| self.store.run(id)?.ok_or_else(|| Error::Request(format!("no run {}", id.0)));
        let runs = [known(first)?, known(second)?];
        let mut rows: Vec<Vec<Cell>> =
            FACTS.iter().map(|(name, of)| beside(name, runs.each_ref().map(|run| words(of(self, run))))).collect();
        rows.extend(self.changed_keys(&runs)?);
        let mut notes = vec!["keys of the protocol are listed where they differ".to_owned()];
        if runs.iter().all(|run| run.kind == "fit") {
            self.needs_response()?;
            rows.extend(self.learnt_beside(&runs)?);
            notes.push("AUC: in the sets of the split in force, where the run learnt from that split".to_owned());
        }
        let title = format!("Runs {} and {} side by side", first.0, second.0);
        let sheet = self.sheet(title, &["what", "compared", "first", "second"], rows)?;
        Ok(Sheet { notes, ..sheet })
    }

    fn changed_keys(&self, runs: &[Run; 2]) -> Result<Vec<Vec<Cell>>, Error> {
        let of = |run: &Run| Ok::<_, Error>(parameters(&self.store.protocol_document(&run.protocol_hash)?));
        let documents = [of(&runs[0])?, of(&runs[1])?];
        let keys: BTreeSet<&String> = documents.iter().flat_map(BTreeMap::keys).collect();
        let value = |document: &BTreeMap<String, String>, key: &str| document.get(key).map_or(Cell::Empty, words);
        let row = |key: &String| beside(key, documents.each_ref().map(|document| value(document, key)));
        Ok(keys.into_iter().filter(|&key| documents[0].get(key) != documents[1].get(key)).map(row).collect())
    }

    /// Each model's AUC in both sets, and how many of a region's chosen features the runs share.
    fn learnt_beside(&self, runs: &[Run; 2]) -> Result<Vec<Vec<Cell>>, Error> {
        let models = [self.store.models_of(runs[0].id)?, self.store.models_of(runs[1].id)?];
        let mut rows = Vec::new();
        for (side, set) in [(Side::Train, "training"), (Side::Test, "test")] {
            let aucs = [self.aucs(&models[0], side)?, self.aucs(&models[1], side)?];
            for name in names(&models) {
                let auc = |of: &BTreeMap<String, f64>| Cell::number(of.get(&name).copied(), 3);
                rows.push(beside(&format!("AUC {name}, {set}"), aucs.each_ref().map(auc)));
            }
        }
        let chosen = |run: &Run| {
            let mut regions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (region, feature, _) in self.store.selected_features(run.id)? {
                regions.entry(region).or_default().insert(feature);
            }
            Ok::<_, Error>(regions)
        };
        let chosen = [chosen(&runs[0])?, chosen(&runs[1])?];
        for region in chosen.iter().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>() {
            let none = BTreeSet::new();
            let own = chosen.each_ref().map(|of| of.get(region).unwrap_or(&none));
            let [a, b] = own.map(|features| Cell::Count(features.len()));
            let common = own[0].intersection(own[1]).count();
            rows.push(vec![words(format!("features of {region}")), words(format!("{common} in common")), a, b]);
        }
        Ok(rows)
    }

    /// AUC of each model that learnt from the split in force.
    fn aucs(&self, models: &[Model], side: Side) -> Result<BTreeMap<String, f64>, Error> {
        let Some(split) = self.store.split()? else { return Ok(BTreeMap::new()) };
        let events = self.events()?;
        let sides = split.members.iter().copied().collect();
        let mut found = BTreeMap::new();
        for model in models.iter().filter(|model| model.split == split.id) {
            let scored = crate::study::learn::performance::scored(model, side.name(), side, &events, &sides)?;
            if let Some(auc) = roc::auc(&scored.score, &scored.event) {
                found.insert(model.name.clone(), auc.auc);
            }
        }
        Ok(found)
    }
}

/// Models of either run, in the order of the first.
fn names(models: &[Vec<Model>; 2]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for model in models.iter().flatten() {
        if !names.contains(&model.name) {
            names.push(model.name.clone());
        }
    }
    names
}

fn beside(name: &str, [a, b]: [Cell; 2]) -> Vec<Cell> {
    let sign = if a == b { "same" } else { "differs" };
    vec![words(name), words(sign), a, b]
}

/// Every key of a protocol's document, dotted, with its value in TOML's notation.
pub(in crate::study) fn parameters(document: &str) -> BTreeMap<String, String> {
    fn flatten(table: &toml::Table, before: &str, into: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => flatten(inner, &format!("{before}{key}."), into),
                value => drop(into.insert(format!("{before}{key}"), value.to_string())),
            }
        }
    }
    let mut all = BTreeMap::new();
    flatten(&document.parse().expect("a stored protocol is TOML"), "", &mut all);
    all
}
