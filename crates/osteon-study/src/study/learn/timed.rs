//! `fit --outcome`: the patients of a time to event through the whole chain, stored as a run of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::cohort::Cohort;
use crate::pipeline::recipe::{CLINICAL, COMBINED};
use crate::pipeline::timed::Timed;
use crate::pipeline::timed::learn::{self, FOREST, Recipe, Score, Scores};
use crate::pipeline::timed::recipe::{self, Stored, Unscored};
use crate::pipeline::timed::validate::{Validation, validate};
use crate::protocol::Protocol;
use crate::protocol::codebook::outcome::Outcome;
use crate::protocol::codebook::time::{NoTime, Passed, Time};
use crate::protocol::learn::{Fusion, Learner, Penalty, RadScore};
use crate::report::curves::horizons;
use crate::store::{Beginning, NewModel, NewRun, Origin, Patient, PatientId, Prediction, Run, Side, Split, sha256};
use crate::study::learn::fit::clinical;
use crate::study::{Error, Study, View};
use osteon_base::job::Job;
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::table::Table;

/// What runs of this kind are called in the study file.
pub(in crate::study) const KIND: &str = "prognosis";

/// What a fit of a time to event did.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedReport {
    pub outcome: String,
    pub n_train: usize,
    pub n_test: usize,
    pub n_left_out: usize,
    pub best_region: String,
    pub predictors: Vec<String>,
    /// Each region with the number of its features, or why it has no model.
    pub regions: Vec<(String, Result<usize, String>)>,
    pub notes: Vec<String>,
}

/// The patients that the fit of a time sees.
pub(in crate::study) struct TimedPatients {
    pub timed: Timed,
    pub ids: Vec<PatientId>,
    pub train: Vec<usize>,
    split: Split,
    n_left_out: usize,
    notes: Vec<String>,
}

/// The newest fit of a time to event, with what each patient's time is now.
pub(in crate::study) struct Prognosis {
    pub run: Run,
    pub outcome: Outcome,
    /// Name, recipe, and each patient's predictions.
    pub models: Vec<(String, Stored, Vec<Prediction>)>,
    pub passed: BTreeMap<PatientId, Passed>,
    pub sides: BTreeMap<PatientId, Side>,
    /// Why it is not of the present data; `None` where it is.
    pub doubt: Option<String>,
}

/// Patients with their times, and what was said of others.
type Passing = (Vec<(Patient, Passed)>, Vec<String>);

impl Study {
    /// The outcome of kind time of a name; the only one where none is named.
    ///
    /// # Errors
    /// For a blind reader, without such an outcome, and where several could be meant.
    pub(in crate::study) fn timed_outcome(&self, name: Option<&str>) -> Result<&Outcome, Error> {
        if self.view == View::Blind {
            return Err(Error::Blind);
        }
        let timed = self.timed_outcomes();
        let names = || timed.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        let declare =
            "[outcome.os] kind = \"time\", event, origin, event_date and last_seen in the protocol declare one";
        match (name, timed.as_slice()) {
            (_, []) => Err(Error::Request(format!("the study has no outcome of kind time; {declare}"))),
            (None, [only]) => Ok(only),
            (None, _) => Err(Error::Request(format!("--outcome: expected one of {}", names()))),
            (Some(name), _) => timed.iter().find(|it| it.name == name).copied().ok_or_else(|| {
                Error::Request(format!("--outcome {name}: no outcome of kind time; expected one of {}", names()))
            }),
        }
    }

    /// All outcomes of kind time, as they were declared.
    pub fn timed_outcomes(&self) -> Vec<&Outcome> {
        self.protocol.codebook.outcomes.iter().filter(|it| it.time.is_some()).collect()
    }

    /// The variables that may predict a time: candidates that are not measured after it begins; and those that are.
    pub(in crate::study) fn timed_candidates(&self, outcome: &Outcome) -> (Vec<String>, Vec<String>) {
        let book = &self.protocol.codebook;
        let begins = of(outcome).begins(book);
        let all = self.protocol.candidates().into_iter().map(str::to_owned);
        all.partition(|name| book.named(name).is_none_or(|variable| variable.moment <= begins))
    }

    /// The included patients with their time, and how many have none, by reason.
    pub(in crate::study) fn passed(&self, outcome: &Outcome) -> Result<Passing, Error> {
        self.passed_of(outcome, |_| true)
    }

    /// The same of those who pass a rule.
    pub(in crate::study) fn passed_of(
        &self,
        outcome: &Outcome,
        is_wanted: impl Fn(&Patient) -> bool,
    ) -> Result<Passing, Error> {
        let (book, time) = (&self.protocol.codebook, of(outcome));
        let mut lost: BTreeMap<NoTime, usize> = BTreeMap::new();
        let mut known = Vec::new();
        for patient in self.store.patients()?.into_iter().filter(|it| it.included() && is_wanted(it)) {
            match time.passed(outcome, book, &patient.entries) {
                Ok(passed) => known.push((patient, passed)),
                Err(why) => *lost.entry(why).or_default() += 1,
            }
        }
        Ok((known, lost.iter().map(|(why, n)| format!("{n} patients have no time: {why}")).collect()))
    }

    /// Learns the models of a time to event from the training set, validates them, predicts everybody, and stores it as
    /// one run.
    pub fn fit_time(&self, outcome: Option<&str>, job: &Job) -> Result<TimedReport, Error> {
        self.protocol.check()?;
        let outcome = self.timed_outcome(outcome)?;
        let began = Beginning { protocol_hash: self.protocol.hash(), ..self.store.beginning()? };
        let patients = self.timed_patients(outcome)?;
        let TimedPatients { timed, ids, train, split, n_left_out, notes } = &patients;
        let (seed, named) = (self.protocol.learn.seed, self.protocol.learn.seed.named(&outcome.name));
        let inputs = self.timed_inputs(outcome)?;
        let horizons = horizons(&timed.times_of(train));
        let failed = |cause| match cause {
            learn::LearnError::Cancelled(cancelled) => Error::Cancelled(cancelled),
            other => Error::LearnTime(outcome.name.clone(), other),
        };
        let learnt = learn::learn(timed, train, &horizons, &self.protocol, named, job).map_err(failed)?;
        let validation = validate(timed, &learnt, &self.protocol, named.named("validation"), job).map_err(failed)?;
        let models = self.timed_models(outcome, &patients, &learnt, validation);
        self.store.write("fit", |write| {
            let run = write.put_run(&NewRun { kind: KIND, inputs: &inputs, seed }, &began)?;
            for model in &models {
                write.put_model(run, split.id, model)?;
            }
            write.end_run(run)
        })?;
        let region = |learnt: &learn::LearntRegion| {
            let found = learnt.model.as_ref().map(|model| model.features.len()).map_err(ToString::to_string);
            (learnt.region.clone(), found)
        };
        let of_regions =
            learnt.regions.iter().flat_map(|it| it.notes.iter().map(|note| format!("{}: {note}", it.region)));
        let fits = [(CLINICAL, &learnt.clinical), (COMBINED, &learnt.combined)];
        let said = fits.iter().flat_map(|(name, fit)| {
            let missing = fit.left_out().map(|who| format!("{name} model: {who}"));
            missing.into_iter().chain(fit.notes.iter().map(move |note| format!("{name} model: {note}")))
        });
        Ok(TimedReport {
            outcome: outcome.name.clone(),
            n_train: train.len(),
            n_test: ids.len() - train.len(),
            n_left_out: *n_left_out,
            best_region: learnt.regions[learnt.best].region.clone(),
            predictors: learnt.predictors.clone(),
            regions: learnt.regions.iter().map(region).collect(),
            notes: notes.iter().cloned().chain(of_regions).chain(said).collect(),
        })
    }

    pub(in crate::study) fn timed_patients(&self, outcome: &Outcome) -> Result<TimedPatients, Error> {
        let (early, late) = self.timed_candidates(outcome);
        if let Some(name) = self.protocol.learn.clinical.iter().find(|name| late.contains(name)) {
            return Err(Error::Request(format!(
                "learn.clinical names {name}, which is measured after the time of {} begins: leave it out, or set \
                 outcome.{}.landmark to a date of that moment",
                outcome.name, outcome.name
            )));
        }
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.iter().copied().collect();
        let (known, mut notes) = self.passed(outcome)?;
        let n_known = known.len();
        let known: Vec<(Patient, Passed)> = known.into_iter().filter(|(it, _)| sides.contains_key(&it.id)).collect();
        if known.len() < n_known {
            notes.push(format!("{} patients with a time are in neither set", n_known - known.len()));
        }
        if !late.is_empty() {
            notes.push(format!("measured after time begins, so no predictors: {}", late.join(", ")));
        }
        let others = known.iter().filter(|(_, passed)| passed.cause > 1).count();
        if others > 0 {
            notes.push(format!(
                "{others} patients end with a competing event and are censored there: cause-specific hazards"
            ));
        }
        notes.extend(unused(&self.protocol));
        let table = self.cohort()?;
        let place: BTreeMap<&str, usize> =
            table.rows().iter().enumerate().map(|(row, code)| (code.as_str(), row)).collect();
        let rows: Vec<usize> = known.iter().map(|(patient, _)| place[patient.code.as_str()]).collect();
        let ids: Vec<PatientId> = known.iter().map(|(patient, _)| patient.id).collect();
        let train: Vec<usize> = (0..ids.len()).filter(|&at| sides[&ids[at]] == Side::Train).collect();
        if train.is_empty() {
            return Err(Error::Request(format!("no training patient has a time of {}", outcome.name)));
        }
        let regions = self.region_features(&ids, &train, &mut notes)?;
        if self.protocol.harmonises() {
            notes.push("learn.harmonise is for the response: of a time to event features are as measured".to_owned());
        }
        if regions.iter().all(|features| features.rows.iter().all(Option::is_none)) {
            return Err(Error::NoFeatures);
        }
        let all = clinical(&table, &rows, &train, &self.protocol);
        let kept = all.columns().iter().filter(|column| early.contains(&column.name)).cloned().collect();
        let event: Vec<bool> = known.iter().map(|(_, passed)| passed.cause == 1).collect();
        let times = known.iter().map(|(_, passed)| passed.time).collect();
        let cohort = Cohort {
            codes: all.rows().to_vec(),
            event: event.clone(),
            clinical: Table::new(all.rows().to_vec(), kept)?,
            regions,
            strata: Vec::new(),
        };
        let n_left_out = table.rows().len() - ids.len();
        let auxiliary = self.protocol.learn.auxiliary.iter().filter(|name| early.contains(name)).count();
        if auxiliary < self.protocol.learn.auxiliary.len() {
            notes.push("auxiliary variables that are measured after time begins do not help to impute".to_owned());
        }
        let timed = Timed { cohort, follow_up: FollowUp::right_censored(times, event)? };
        Ok(TimedPatients { timed, ids, train, split, n_left_out, notes })
    }

    fn timed_models(
        &self,
        outcome: &Outcome,
        patients: &TimedPatients,
        learnt: &Recipe,
        validation: Vec<Validation>,
    ) -> Vec<NewModel> {
        let TimedPatients { timed, ids, train, .. } = patients;
        let all: Vec<usize> = (0..ids.len()).collect();
        let (fitted, held): (Scores, Scores) = (learnt.scores(timed, &all), learnt.out_of_fold(timed));
        let reported = self.protocol.learn.rad_score;
        let one = |at: usize, validation: Validation| {
            let name = fitted[at].0.clone();
            let prediction = |patient: PatientId, origin: Origin, score: &Score| Prediction {
                patient,
                origin,
                probability: 1.0 - score.survival.last().copied().unwrap_or(1.0).clamp(0.0, 1.0),
                linear: Some(score.risk),
            };
            let whole = fitted[at].1.iter().enumerate();
            let whole = whole.filter_map(|(row, score)| Some(prediction(ids[row], Origin::Fitted, score.as_ref()?)));
            let parts = train.iter().zip(&held[at].1);
            let parts =
                parts.filter_map(|(&row, score)| Some(prediction(ids[row], Origin::OutOfFold, score.as_ref()?)));
            let has_folds = name != CLINICAL && name != FOREST && reported != RadScore::InSample;
            let of_training: Vec<f64> = match has_folds {
                true => held[at].1.iter().flatten().map(|score| score.risk).collect(),
                false => train.iter().filter_map(|&row| fitted[at].1[row].as_ref()).map(|score| score.risk).collect(),
            };
            let (model, kind, notes) = recipe::learnt(learnt, at, median(of_training));
            let features = match learnt.regions.get(at).map(|region| &region.model) {
                Some(Ok(model)) => model.features.iter().cloned().zip(model.weights.iter().copied()).collect(),
                _ => Vec::new(),
            };
            let stored = Stored {
                outcome: outcome.name.clone(),
                unit: of(outcome).unit.name().to_owned(),
                horizons: learnt.horizons.clone(),
                learnt: model,
                notes,
                left_out: patients.notes.clone(),
                unscored: unscored(
                    patients,
                    learnt,
                    &name,
                    if has_folds { Some(&held[at].1) } else { None },
                    &fitted[at].1,
                ),
                validation,
            };
            let predictions = if has_folds { whole.chain(parts).collect() } else { whole.collect() };
            NewModel { name, kind, recipe: stored.to_json(), features, predictions }
        };
        validation.into_iter().enumerate().map(|(at, validation)| one(at, validation)).collect()
    }

    /// Hash of what a fit of a time would read now: its declaration, ids, times, sets, candidate variables and the digests
    /// of the regions.
    fn timed_inputs(&self, outcome: &Outcome) -> Result<String, Error> {
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
        let (early, _) = self.timed_candidates(outcome);
        let named = &self.protocol.learn.clinical;
        let variables = if named.is_empty() { &early } else { named };
        let regions: Vec<String> = self.protocol.sources().into_iter().map(|source| source.name).collect();
        let mut digests: BTreeMap<PatientId, BTreeSet<String>> = BTreeMap::new();
        for state in self.store.region_states()? {
            let digest = format!("{} {}", state.place, state.values_sha256.unwrap_or_default());
            digests.entry(state.patient).or_default().insert(digest);
        }
        let mut patients: Vec<serde_json::Value> = Vec::new();
        for (patient, passed) in self.passed(outcome)?.0 {
            let Some(side) = sides.get(&patient.id) else { continue };
            let place = |name: &String| patient.book.place(name).map(|at| patient.text(at));
            let values: Vec<Option<String>> = variables.iter().map(place).collect();
            let (time, own) = (passed.time.to_bits(), digests.get(&patient.id));
            patients.push(serde_json::json!([patient.code, side.name(), time, passed.cause, values, own]));
        }
        patients.sort_by_key(ToString::to_string);
        Ok(format!("t1:{}", sha256(serde_json::json!([outcome.name, variables, regions, patients]).to_string())))
    }

    /// The newest finished fit of a time to event.
    ///
    /// # Errors
    /// [`Error::NoFit`] where there is none, and what [`Study::timed_outcome`] refuses.
    pub(in crate::study) fn prognosis(&self, outcome: Option<&str>) -> Result<Prognosis, Error> {
        let outcome = self.timed_outcome(outcome)?.clone();
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        for run in self.store.runs()?.into_iter().filter(|run| run.kind == KIND && run.finished_at.is_some()) {
            let models = self.store.models_of(run.id)?;
            let read = |text: &str, name: &str| {
                let stored = Stored::parse(text);
                stored.map_err(|_| Error::Request(format!("run {}: the model {name} cannot be read", run.id.0)))
            };
            let Some(first) = models.first() else { continue };
            if first.split != split.id || read(&first.recipe, &first.name)?.outcome != outcome.name {
                continue;
            }
            let parsed = models.into_iter().map(|model| {
                let stored = read(&model.recipe, &model.name)?;
                Ok((model.name, stored, model.predictions))
            });
            let passed = self.passed(&outcome)?.0.into_iter().map(|(patient, passed)| (patient.id, passed));
            let stale = run.inputs != self.timed_inputs(&outcome)?;
            return Ok(Prognosis {
                models: parsed.collect::<Result<_, Error>>()?,
                run,
                passed: passed.collect(),
                sides: split.members.into_iter().collect(),
                doubt: stale.then(|| {
                    format!("Out of date, the data changed since the fit (osteon fit --outcome {})", outcome.name)
                }),
                outcome,
            });
        }
        Err(Error::NoResult { what: "models of this outcome", command: "osteon fit --outcome" })
    }
}

/// The time that an outcome of kind time declares.
pub(in crate::study) fn of(outcome: &Outcome) -> &Time {
    outcome.time.as_ref().expect("an outcome of kind time")
}

/// Patients without a prediction of a model, by set and reason; training patients by their out-of-fold scores where those
/// are told.
fn unscored(
    patients: &TimedPatients,
    learnt: &Recipe,
    name: &str,
    held: Option<&Vec<Option<Score>>>,
    fitted: &[Option<Score>],
) -> Vec<Unscored> {
    let TimedPatients { timed, ids, train, .. } = patients;
    let none_in_training =
        |(at, row): (usize, &usize)| held.map_or(fitted[*row].is_none(), |held| held[at].is_none()).then_some(*row);
    let training: Vec<usize> = train.iter().enumerate().filter_map(none_in_training).collect();
    let test: Vec<usize> = (0..ids.len()).filter(|row| !train.contains(row) && fitted[*row].is_none()).collect();
    let mut found = Vec::new();
    for (set, rows) in [("training", training), ("test", test)] {
        let mut by: BTreeMap<String, usize> = BTreeMap::new();
        rows.iter().for_each(|&row| *by.entry(learnt.why_unscored(timed, name, row)).or_default() += 1);
        found.extend(by.into_iter().map(|(reason, n)| Unscored { set: set.to_owned(), reason, n }));
    }
    found
}

/// Settings of the protocol that the models of a time do not have.
fn unused(protocol: &Protocol) -> Vec<String> {
    let learn = &protocol.learn;
    let beside: Vec<&str> = learn.beside_the_forest().into_iter().map(Learner::name).collect();
    let said = [
        (learn.penalty == Penalty::Ridge, "learn.penalty: Cox models have no ridge penalty".to_owned()),
        (learn.fusion == Fusion::Late, "learn.fusion = \"late\": one source gives the Rad-score of a time".to_owned()),
        (!beside.is_empty(), format!("learn.learners: a time has a survival forest, no {}", beside.join(", "))),
        (
            protocol.select.correlation != Default::default(),
            "select.correlation: correlated features are not left out before mRMR".to_owned(),
        ),
    ];
    said.into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, what)| format!("setting without effect on a time: {what}"))
        .collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| 0.5 * (values[(n - 1) / 2] + values[n / 2]))
}
