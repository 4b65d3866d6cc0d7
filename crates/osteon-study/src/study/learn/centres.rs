//! Leave-one-centre-out validation: each centre is judged by models that were learnt without it, and the centres are pooled
//! by random effects.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::pipeline::harmonise;
use crate::pipeline::learn::{Scores, relearn};
use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS, kind};
use crate::protocol::learn::Learner;
use crate::report::centres::{Held, by_centre, pooled};
use crate::report::page::{Block, Section};
use crate::report::performance::{Corrected, Scored};
use crate::report::sheet::Sheet;
use crate::store::{Beginning, NewModel, NewRun, Origin, PatientId, Prediction, sha256};
use crate::study::{Error, Study};
use osteon_base::job::Job;
use osteon_base::text::counted;

/// The kind of a run that holds out each centre once.
pub(in crate::study) const KIND: &str = "centres";
/// The models that are judged, in the order of tables.
const MODELS: [&str; 3] = [COMBINED, RADIOMICS, CLINICAL];

/// What was held out.
#[derive(Clone, Debug, PartialEq)]
pub struct CentresReport {
    pub centres: Vec<String>,
    /// Patients who got a probability.
    pub n: usize,
    pub notes: Vec<String>,
}

/// What such a run keeps beside its predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    by: String,
    centres: Vec<String>,
    /// Patients that each centre's models were learnt from.
    learnt_from: Vec<usize>,
    notes: Vec<String>,
}

impl Study {
    /// Holds out each level of a variable once: selection, forests and logistic models are learnt from all patients of the
    /// others, training and test, and predict its patients. Nothing is chosen by it. Stored as a run of its own.
    ///
    /// # Errors
    /// When the variable has no levels, or the patients fewer than two of them.
    pub fn fit_centres(&self, by: &str, job: &Job) -> Result<CentresReport, Error> {
        self.needs_response()?;
        self.protocol.check()?;
        let began = Beginning { protocol_hash: self.protocol.hash(), ..self.store.beginning()? };
        let patients = self.learning_patients()?;
        let ids = &patients.ids;
        let groups = self.levels_of(by, ids)?;
        let table = self.cohort()?;
        let place: BTreeMap<&str, usize> =
            table.rows().iter().enumerate().map(|(row, code)| (code.as_str(), row)).collect();
        let rows: Vec<usize> = patients.cohort.codes.iter().map(|code| place[code.as_str()]).collect();
        let centre = |row: usize| groups.iter().position(|(_, own)| own.contains(&ids[row]));
        let known: Vec<Option<usize>> = (0..ids.len()).map(centre).collect();
        let lost = known.iter().filter(|it| it.is_none()).count();
        let mut notes: Vec<String> =
            (lost > 0).then(|| format!("{} without {by} left out", counted(lost, "patient"))).into_iter().collect();
        // Models of other learners are not judged here.
        let mut protocol = self.protocol.clone();
        protocol.learn.learners = vec![Learner::Forest];
        let seed = self.protocol.learn.seed.named("centres");
        let stage = job.stage("centres", groups.len());
        let mut found: BTreeMap<&str, Vec<Prediction>> = BTreeMap::new();
        let mut learnt_from = Vec::new();
        for (at, (name, _)) in groups.iter().enumerate() {
            let part = |is_held: bool| -> Vec<usize> {
                (0..ids.len()).filter(|&row| known[row].is_some_and(|own| (own == at) == is_held)).collect()
            };
            let (held, rest) = (part(true), part(false));
            learnt_from.push(rest.len());
            let mut of_regions = Vec::new();
            let cohort = self.cohort_of(&table, &rows, ids, &rest, &mut of_regions)?;
            match relearn(&cohort, &rest, &protocol, seed.named(name), &job.silent()) {
                Ok(mut recipe) => {
                    let said = harmonise::adopt(&mut recipe, &cohort, &held);
                    notes.extend(said.into_iter().map(|note| format!("{name} held out: {note}")));
                    let scores = recipe.scores(&cohort, &held);
                    for model in MODELS {
                        let of = held.iter().zip(of_model(&scores, model));
                        let prediction = of.filter_map(|(&row, p)| {
                            let (patient, probability) = (ids[row], (*p)?);
                            Some(Prediction { patient, origin: Origin::OutOfFold, probability, linear: None })
                        });
                        found.entry(model).or_default().extend(prediction);
                    }
                }
                Err(crate::pipeline::learn::LearnError::Cancelled(cancelled)) => return Err(cancelled.into()),
                Err(why) => notes.push(format!("{name} held out: nothing could be learnt from the others ({why})")),
            }
            stage.step()?;
        }
        let centres: Vec<String> = groups.into_iter().map(|(name, _)| name).collect();
        let n = found.get(COMBINED).map_or(0, Vec::len);
        let stored = Stored { by: by.to_owned(), centres: centres.clone(), learnt_from, notes: notes.clone() };
        let recipe = serde_json::to_string(&stored).expect("plain data");
        let inputs = self.centres_inputs(by)?;
        self.store.write("leave-one-centre-out", |write| {
            let run = write.put_run(&NewRun { kind: KIND, inputs: &inputs, seed: self.protocol.learn.seed }, &began)?;
            for model in MODELS {
                let predictions = found.remove(model).unwrap_or_default();
                let (name, kind, features) = (model.to_owned(), kind(model), Vec::new());
                write.put_model(
                    run,
                    patients.split.id,
                    &NewModel { name, kind, recipe: recipe.clone(), features, predictions },
                )?;
            }
            write.end_run(run)?;
            Ok::<_, Error>(())
        })?;
        Ok(CentresReport { centres, n, notes })
    }

    /// The levels of a variable that some patients have, at least two.
    fn levels_of(&self, by: &str, ids: &[PatientId]) -> Result<Vec<(String, BTreeSet<PatientId>)>, Error> {
        let mut groups = self.groups(by)?;
        groups.retain(|(_, members)| ids.iter().any(|id| members.contains(id)));
        if groups.len() < 2 {
            let found = groups.first().map_or("none", |(name, _)| name.as_str());
            return Err(Error::Request(format!(
                "{by} has {found} alone among the patients of the sets: leave-one-centre-out takes two and more"
            )));
        }
        Ok(groups)
    }

    /// Hash of what such a run reads: what a fit reads, and who is of which centre.
    fn centres_inputs(&self, by: &str) -> Result<String, Error> {
        let groups: Vec<(String, Vec<i64>)> = self
            .groups(by)?
            .into_iter()
            .map(|(name, members)| (name, members.into_iter().map(|id| id.0).collect()))
            .collect();
        let protocol = self.protocol.learning_part();
        Ok(format!("c1:{}", sha256(serde_json::json!([by, groups, self.fit_inputs()?, protocol]).to_string())))
    }

    /// The newest run with its stored words, rows of each model and centre, and whether it still stands.
    fn held_out(&self) -> Result<Option<(Stored, Vec<Held>, String)>, Error> {
        let Some(run) = self.store.runs()?.into_iter().find(|run| run.kind == KIND && run.finished_at.is_some()) else {
            return Ok(None);
        };
        let models = self.store.models_of(run.id)?;
        let Some(first) = models.first() else { return Ok(None) };
        let wrong = |source| Error::Recipe { model: first.name.clone(), source };
        let stored: Stored = serde_json::from_str(&first.recipe).map_err(wrong)?;
        let events = self.events()?;
        let groups = self.groups(&stored.by)?;
        let mut held = Vec::new();
        for model in &models {
            let scores: BTreeMap<PatientId, f64> =
                model.predictions.iter().map(|one| (one.patient, one.probability)).collect();
            for (at, centre) in stored.centres.iter().enumerate() {
                let members = groups.iter().find(|(name, _)| name == centre).map(|(_, own)| own.clone());
                let members: Vec<PatientId> =
                    members.unwrap_or_default().into_iter().filter(|id| events.contains_key(id)).collect();
                let event: Vec<bool> = members.iter().map(|id| events[id]).collect();
                let score: Vec<Option<f64>> = members.iter().map(|id| scores.get(id).copied()).collect();
                let scored = Scored::new(&model.name, centre, &event, &score, Corrected::default());
                held.push(Held { learnt_from: stored.learnt_from[at], n_all: members.len(), scored });
            }
        }
        let is_current = matches!(self.centres_inputs(&stored.by), Ok(now) if now == run.inputs);
        let doubt = match is_current {
            true => String::new(),
            false => {
                format!("Out of date, the data or the protocol changed since (osteon fit --leave-out {}): ", stored.by)
            }
        };
        Ok(Some((stored, held, doubt)))
    }

    /// Each centre under models of the others, and the centres pooled.
    ///
    /// # Errors
    /// When no centre was held out yet.
    pub fn centres_sheets(&self) -> Result<Vec<Sheet>, Error> {
        self.needs_response()?;
        let (stored, held, doubt) = self.held_out()?.ok_or(Error::NoResult {
            what: "models that hold out a centre",
            command: "osteon fit --leave-out VARIABLE",
        })?;
        let mut sheets = vec![by_centre(&stored.by, &held), pooled(&stored.by, &MODELS, &held)];
        sheets[0].notes.extend(stored.notes);
        for sheet in &mut sheets {
            sheet.title = format!("{doubt}{}", sheet.title);
            sheet.provenance = self.provenance()?;
        }
        Ok(sheets)
    }

    /// The report's section; nothing where no centre was held out, or for a blind reader.
    pub(in crate::study) fn centres_section(&self) -> Result<Option<Section>, Error> {
        let sheets = match self.centres_sheets() {
            Ok(sheets) => sheets,
            Err(Error::NoResult { .. } | Error::Blind) => return Ok(None),
            Err(other) => return Err(other),
        };
        let told = "Each centre was held out once: selection, forests, best region, clinical predictors and logistic models \
                    were learnt anew from the patients of the others, training and test sets together, and judged in its own \
                    (internal-external cross-validation). Nothing was chosen by it, and the models reported elsewhere are not \
                    these. Pooled by random effects: REML, intervals of Hartung and Knapp, and the interval in which the \
                    value of another centre is expected (Riley et al. 2011)."
            .to_owned();
        let blocks = std::iter::once(Block::Text(told)).chain(sheets.into_iter().map(Block::Sheet)).collect();
        Ok(Some(Section { heading: "Leave-one-centre-out validation".to_owned(), blocks }))
    }
}

fn of_model<'a>(scores: &'a Scores, name: &str) -> &'a [Option<f64>] {
    match name {
        CLINICAL => &scores.clinical,
        RADIOMICS => &scores.radiomics,
        _ => &scores.combined,
    }
}
