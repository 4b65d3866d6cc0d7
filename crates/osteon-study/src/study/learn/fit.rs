//! `fit`: the study's patients through the whole chain, and the models with their predictions into the study.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use crate::pipeline::cohort::{Cohort, Features};
use crate::pipeline::harmonise;
use crate::pipeline::learn::{self, LearntRegion, Recipe, Scores};
use crate::pipeline::learner;
use crate::pipeline::recipe::{self, CLINICAL, COMBINED, RADIOMICS, Stored, Training};
use crate::pipeline::unharmonised;
use crate::pipeline::validate::{LEAST_REPEATS, Validation, validate};
use crate::pipeline::{clinical as of_variables, missing, region};
use crate::protocol::Protocol;
use crate::protocol::learn::{Fusion, RadScore};
use crate::protocol::source::FUSED;
use crate::store::{Beginning, NewModel, NewRun, Origin, PatientId, Prediction, Side, Split, sha256};
use crate::study::{Error, Study};
use osteon_base::job::{Job, Parts};
use osteon_base::seed::Seed;
use osteon_stats::model::logistic::screen::{Rows, choose};
use osteon_stats::select::{Reproducible, icc};
use osteon_stats::table::{Column, Table, Values};

/// What a fit did.
#[derive(Clone, Debug, PartialEq)]
pub struct FitReport {
    pub n_train: usize,
    pub n_test: usize,
    /// Included patients whose response is unknown, and members of no set.
    pub n_left_out: usize,
    pub best_region: String,
    pub clinical_predictors: Vec<String>,
    /// Each region with the number of its features, or why it has no model.
    pub regions: Vec<(String, Result<usize, String>)>,
    pub notes: Vec<String>,
}

/// The patients that a fit sees.
pub(in crate::study) struct Patients {
    pub cohort: Cohort,
    pub ids: Vec<PatientId>,
    /// Positions of the training patients.
    pub train: Vec<usize>,
    pub split: Split,
    n_left_out: usize,
    notes: Vec<String>,
}

impl Study {
    /// Learns from the training set, validates, predicts everybody, and stores it as one run. Finished parts are kept
    /// in the file: a fit that was cancelled or killed goes on from them, to the same bytes.
    pub fn fit(&self, job: &Job) -> Result<FitReport, Error> {
        self.needs_response()?;
        self.protocol.check()?;
        let began = Beginning { protocol_hash: self.protocol.hash(), ..self.store.beginning()? };
        let patients = self.learning_patients()?;
        let Patients { cohort, ids, train, split, n_left_out, notes } = &patients;
        let seed = self.protocol.learn.seed;
        let inputs = self.fit_inputs()?;
        let work = sha256(format!("fit {inputs} {} {}", self.protocol.hash(), env!("CARGO_PKG_VERSION")));
        let found = self.store.parts(&work)?;
        self.store.write::<_, Error>("fit", |write| Ok(write.keep_only(&work, found.len())?))?;
        // A study in memory has no file to open again, and nothing to go on from.
        let writer = self.reopen().ok().map(Mutex::new);
        let keep = |name: &str, value: &str| {
            if let Some(writer) = &writer {
                let study = writer.lock().expect("no holder of the writer panics");
                // A part that cannot be written is lost, as it was before there were parts; the end will say why.
                let _ = study.store.write::<_, Error>("fit", |write| Ok(write.keep_part(&work, name, value)?));
            }
        };
        let find = |name: &str| found.get(name).cloned();
        let job = &job.with_parts(Parts { find: &find, keep: &keep });
        let protocol = &self.with_predictors()?;
        let recipe = learn::learn(cohort, train, protocol, seed, job)?;
        let mut validation = validate(cohort, &recipe, protocol, seed.named("validation"), job)?;
        if let Some(own) = validation.iter_mut().find(|it| it.model == COMBINED).filter(|_| protocol.harmonises()) {
            own.unharmonised = unharmonised::beside(cohort, &recipe, protocol, seed, job)?;
        }
        let all: Vec<usize> = (0..ids.len()).collect();
        let models =
            models(cohort, ids, &recipe, &recipe.scores(cohort, &all), &validation, self.protocol.learn.rad_score);
        let seconds = match protocol.learn.n_repeats >= LEAST_REPEATS {
            true => seconds(cohort, &recipe, protocol, seed, job),
            false => Vec::new(),
        };
        self.store.write("fit", |write| {
            let run = write.put_run(&NewRun { kind: "fit", inputs: &inputs, seed }, &began)?;
            for model in &models {
                write.put_model(run, split.id, model)?;
            }
            write.forget_parts()?;
            if !found.is_empty() {
                write.tell_resumed(run, found.len())?;
            }
            if !seconds.is_empty() {
                write.tell_seconds(run, &seconds)?;
            }
            write.end_run(run)
        })?;
        // A file that another program keeps busy stays large; the fit is stored all the same.
        let _ = self.store.return_free_pages();
        let region = |learnt: &LearntRegion| {
            let outcome = learnt.model.as_ref().map(|model| model.features.len()).map_err(ToString::to_string);
            (learnt.region.clone(), outcome)
        };
        let fits = [("clinical", &recipe.clinical), ("combined", &recipe.combined)];
        let missing = fits.iter().filter(|(_, fit)| fit.n_missing > 0);
        let missing = missing.map(|(name, fit)| {
            format!("{name} model: {} training patients left out, a value is missing", fit.n_missing)
        });
        let said =
            fits.iter().flat_map(|(name, fit)| fit.notes.iter().map(move |note| format!("{name} model: {note}")));
        let of_region = |region: &LearntRegion| {
            let name = region.region.clone();
            region.notes.iter().map(move |note| format!("{name}: {note}")).collect::<Vec<_>>()
        };
        let of_regions = recipe.regions.iter().flat_map(of_region);
        let trouble = |learnt: &learner::LearntLearner| {
            let trouble = learnt.model.as_ref().err()?;
            Some(format!("{}: no model ({trouble})", learnt.learner.name()))
        };
        let of_learners = recipe.learners.iter().filter_map(trouble);
        let unseen = harmonise::unseen(cohort, &recipe);
        Ok(FitReport {
            n_train: train.len(),
            n_test: ids.len() - train.len(),
            n_left_out: *n_left_out,
            best_region: recipe.regions[recipe.best].region.clone(),
            clinical_predictors: recipe.clinical_predictors.clone(),
            regions: recipe.regions.iter().map(region).collect(),
            notes: notes
                .iter()
                .cloned()
                .chain(of_regions)
                .chain(of_learners)
                .chain(unseen)
                .chain(missing)
                .chain(said)
                .collect(),
        })
    }

    /// The protocol; with the clinical predictors that all patients chose, those of the test set among them, where
    /// `screen.rows` says so. They are then the same in every resample, which the cautions tell.
    fn with_predictors(&self) -> Result<Protocol, Error> {
        let mut protocol = self.protocol.clone();
        if protocol.screen.rows == Rows::All && protocol.learn.screens() {
            let table = self.cohort()?;
            let events = table.numbers("event").expect("a cohort has the event");
            let rows: Vec<usize> = (0..events.len()).filter(|&row| events[row].is_some()).collect();
            let (rule, event) = (self.protocol.choice(), |row: usize| events[row] == Some(1.0));
            let choice = choose(&table, &self.protocol.candidates(), &rows, event, &rule, &self.protocol.logistic)?;
            protocol.learn.clinical = choice.chosen;
        }
        Ok(protocol)
    }

    pub(in crate::study) fn learning_patients(&self) -> Result<Patients, Error> {
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.iter().copied().collect();
        let table = self.cohort()?;
        let known: BTreeMap<String, PatientId> =
            self.store.patients()?.into_iter().map(|patient| (patient.code, patient.id)).collect();
        let events = table.numbers("event").expect("a cohort has the event");
        let usable = |&row: &usize| events[row].is_some() && sides.contains_key(&known[&table.rows()[row]]);
        let rows: Vec<usize> = (0..table.rows().len()).filter(usable).collect();
        let ids: Vec<PatientId> = rows.iter().map(|&row| known[&table.rows()[row]]).collect();
        let train: Vec<usize> = (0..ids.len()).filter(|&at| sides[&ids[at]] == Side::Train).collect();
        let mut notes = Vec::new();
        let cohort = self.cohort_of(&table, &rows, &ids, &train, &mut notes)?;
        let n_left_out = table.rows().len() - rows.len();
        Ok(Patients { cohort, ids, train, split, n_left_out, notes })
    }

    /// Some rows of the patients' table as learning from those at the positions `train` sees them.
    pub(in crate::study) fn cohort_of(
        &self,
        table: &Table,
        rows: &[usize],
        ids: &[PatientId],
        train: &[usize],
        notes: &mut Vec<String>,
    ) -> Result<Cohort, Error> {
        let regions = self.region_features(ids, train, notes)?;
        if regions.iter().all(|features| features.rows.iter().all(Option::is_none)) {
            return Err(Error::NoFeatures);
        }
        let events = table.numbers("event").expect("a cohort has the event");
        Ok(Cohort {
            codes: rows.iter().map(|&row| table.rows()[row].clone()).collect(),
            event: rows.iter().map(|&row| events[row] == Some(1.0)).collect(),
            clinical: clinical(table, rows, train, &self.protocol),
            strata: harmonise::strata(&regions, ids.len()),
            regions,
        })
    }

    pub(in crate::study) fn region_features(
        &self,
        ids: &[PatientId],
        train: &[usize],
        notes: &mut Vec<String>,
    ) -> Result<Vec<Features>, Error> {
        let mut regions = Vec::new();
        let (rater, second) = (self.rater(), self.second_rater()?);
        for source in self.protocol.sources() {
            let (names, rows) = self.rows_of(&source, &rater, ids)?;
            let mut eligible = vec![true; names.len()];
            if self.protocol.select.reproducible == Reproducible::Icc {
                let again = match &second {
                    Some(second) => self.rows_of(&source, second, ids)?.1,
                    None => vec![None; ids.len()],
                };
                let pairs: Vec<usize> =
                    train.iter().copied().filter(|&row| rows[row].is_some() && again[row].is_some()).collect();
                if pairs.len() < 2 {
                    notes.push(format!("{}: no repeat masks in training, every feature may be chosen", source.name));
                } else {
                    let reaches = |j| agreement(&rows, &again, &pairs, j) >= Some(self.protocol.select.icc_min);
                    eligible = (0..names.len()).map(reaches).collect();
                }
            }
            let batch = self.batches_in_force(std::slice::from_ref(&source), ids)?;
            regions.push(Features { region: source.name, names, rows, eligible, batch });
        }
        if self.protocol.learn.fusion == Fusion::Early {
            let fused = fused(&regions, ids.len());
            let batch = self.batches_in_force(&self.protocol.sources(), ids)?;
            regions.push(Features { batch, ..fused });
        }
        Ok(regions)
    }
}

/// The features of all sources as those of one, a patient's where none of them is missing.
fn fused(sources: &[Features], n_patients: usize) -> Features {
    let of_all = |row: usize| {
        let parts: Option<Vec<&Vec<Option<f64>>>> = sources.iter().map(|source| source.rows[row].as_ref()).collect();
        Some(parts?.into_iter().flatten().copied().collect())
    };
    let names = |source: &Features| {
        source.names.iter().map(|name| format!("{}.{name}", source.region)).collect::<Vec<String>>()
    };
    Features {
        region: FUSED.to_owned(),
        names: sources.iter().flat_map(names).collect(),
        rows: (0..n_patients).map(of_all).collect(),
        eligible: sources.iter().flat_map(|source| source.eligible.iter().copied()).collect(),
        batch: None,
    }
}

/// ICC(2,1) of feature `j` between two measurements of the rows that have both.
pub(in crate::study) fn agreement(
    first: &[Option<Vec<Option<f64>>>],
    second: &[Option<Vec<Option<f64>>>],
    rows: &[usize],
    j: usize,
) -> Option<f64> {
    let value = |of: &[Option<Vec<Option<f64>>>], row: usize| of[row].as_ref().and_then(|values| values[j]);
    let pairs: Option<Vec<[f64; 2]>> =
        rows.iter().map(|&row| Some([value(first, row)?, value(second, row)?])).collect();
    let pairs = pairs?;
    icc::agreement(ndarray::Array2::from_shape_fn((pairs.len(), 2), |(i, k)| pairs[i][k]).view())
}

/// The candidates for clinical predictors. The reference level comes first: that of the protocol where a training
/// patient has it, else the first that one has, as in Table 4.
pub(in crate::study) fn clinical(table: &Table, rows: &[usize], train: &[usize], protocol: &Protocol) -> Table {
    let candidates = protocol.candidates();
    let known = |column: &&Column| candidates.contains(&column.name.as_str());
    let column = |column: &Column| {
        let values = match &column.values {
            Values::Numbers(values) => Values::Numbers(rows.iter().map(|&row| values[row]).collect()),
            Values::Levels { levels, codes } => {
                let own: Vec<Option<usize>> = rows.iter().map(|&row| codes[row]).collect();
                let has = |code: &usize| train.iter().any(|&row| own[row] == Some(*code));
                let wanted = protocol.screen.references.get(&column.name);
                let wanted = wanted.and_then(|wanted| levels.iter().position(|level| level == wanted)).filter(has);
                let first = wanted.or_else(|| (0..levels.len()).find(has)).unwrap_or(0);
                // The levels before the reference move up by one.
                let place = |code: usize| match code {
                    code if code == first => 0,
                    code if code < first => code + 1,
                    code => code,
                };
                let mut ordered = levels.clone();
                ordered[..=first].rotate_right(1);
                Values::Levels { levels: ordered, codes: own.into_iter().map(|code| code.map(place)).collect() }
            }
        };
        Column { name: column.name.clone(), values }
    };
    let columns = table.columns().iter().filter(known).map(column).collect();
    let codes = rows.iter().map(|&row| table.rows()[row].clone()).collect();
    Table::new(codes, columns).expect("a part of a table is a table")
}

fn models(
    cohort: &Cohort,
    ids: &[PatientId],
    recipe: &Recipe,
    scores: &Scores,
    validation: &[Validation],
    reported: RadScore,
) -> Vec<NewModel> {
    let all = recipe.training_scores(cohort, RadScore::OutOfFold);
    let out_of_fold = all.named(recipe);
    // The Rad-score where it is no probability.
    let is_linear = reported == RadScore::Lasso;
    let model = |(at, (name, p)): (usize, (String, &[Option<f64>]))| {
        let region = recipe.regions.get(at);
        let learnt = region.and_then(|region| region.model.as_ref().ok());
        let beside = recipe.learners.iter().find(|learnt| learnt.learner.name() == name);
        let linear = |row: usize| {
            if name == RADIOMICS && is_linear {
                return scores.rad_score[row];
            }
            if let (None, Some(learnt)) = (region, beside) {
                let features = cohort.regions.iter().find(|features| features.region == learnt.region)?;
                return learnt.model.as_ref().ok()?.scores(features, &[row])[0].map(|(_, linear)| linear);
            }
            let features = cohort.regions.iter().find(|features| features.region == name)?;
            learnt?.scores(features, &[row])[0].map(|(_, linear)| linear)
        };
        let fitted = p.iter().enumerate().filter_map(|(row, p)| {
            Some(Prediction { patient: ids[row], origin: Origin::Fitted, probability: (*p)?, linear: linear(row) })
        });
        let held = recipe.train.iter().enumerate().zip(out_of_fold[at].1).filter_map(|((i, &row), p)| {
            let linear = if name == RADIOMICS && is_linear { all.rad_score[i] } else { None };
            Some(Prediction { patient: ids[row], origin: Origin::OutOfFold, probability: (*p)?, linear })
        });
        let own_folds = name != CLINICAL && reported != RadScore::InSample;
        let training = if own_folds { Training::OutOfFold } else { Training::Fitted };
        let (of_model, notes) = recipe::learnt(recipe, at, &name);
        let stored = Stored { learnt: of_model, notes, validation: Some(validation[at].clone()), training };
        let kind = recipe::kind(&name);
        let features = learnt.map(|model| model.features.iter().cloned().zip(model.weights.iter().copied()).collect());
        let predictions = if name == CLINICAL { fitted.collect() } else { fitted.chain(held).collect() };
        NewModel { name, kind, recipe: stored.to_json(), features: features.unwrap_or_default(), predictions }
    };
    scores.named(recipe).into_iter().enumerate().map(model).collect()
}

/// Seconds that each model needs once, on the training patients and all processors: what a watch says, so the trail keeps
/// it and not the models. A learner beside the forest begins from the selection that is in the forest's time.
fn seconds(cohort: &Cohort, recipe: &Recipe, protocol: &Protocol, seed: Seed, job: &Job) -> Vec<(String, f64)> {
    let timed = |work: &dyn Fn()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    let best = &recipe.regions[recipe.best];
    let (params, train) = (&protocol.learn, &recipe.train);
    let mut found = vec![(
        CLINICAL.to_owned(),
        timed(&|| {
            let chosen = of_variables::predictors(cohort, train, protocol);
            let _ = chosen.map(|names| missing::fit(cohort, None, &names, train, params, seed));
        }),
    )];
    let features = cohort.regions.iter().find(|features| features.region == best.region);
    if let (Some(features), Ok(model)) = (features, &best.model) {
        let again = || drop(region::learn(cohort, features, train, protocol, seed.nth(0), &job.silent()));
        found.push((RADIOMICS.to_owned(), timed(&again)));
        for learnt in &recipe.learners {
            let again = || drop(learner::learn(cohort, features, model, train, learnt.learner, protocol, seed.nth(0)));
            found.push((learnt.learner.name().to_owned(), timed(&again)));
        }
    }
    found
}
