//! Tables 3 and 5 from stored predictions, and the evaluation of any scores in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::pipeline::recipe::{CLINICAL, COMBINED, Stored, Training, is_of_five};
use crate::pipeline::validate::{LEAST_REPEATS, Validation};
use crate::protocol::codebook::Value as Known;
use crate::protocol::codebook::outcome::Cut as Cutoff;
use crate::protocol::learn::Learner;
use crate::report::evaluation;
use crate::report::figure::{Figure, Paper, scored as drawn};
use crate::report::journal::{self, Look};
use crate::report::performance::{self, Corrected, Cut, Scored};
use crate::report::sheet::Sheet;
use crate::report::uncertainty::{self, How};
use crate::store::{ChangeFilter, Model, Origin, PatientId, RunId, Side};
use crate::study::report::analyse::{are_predictors, read_table};
use crate::study::report::figure::region_in_tables;
use crate::study::report::told::training_in_words;
use crate::study::{Error, Study};
use osteon_base::job::Job;
use osteon_base::text::counted;
use osteon_stats::evaluate::roc::Wanted;
use osteon_stats::stats::describe::{Quantiles, quantile};
use osteon_stats::table::event::Event;
use osteon_stats::table::filter::Relation;
use osteon_stats::table::read::Options;
use osteon_stats::table::{Table, TableError, Values};

/// Which of the two tables of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelTable {
    /// The regions.
    Three,
    /// Clinical, radiomics, combined.
    Five,
}

impl ModelTable {
    /// As it is numbered.
    pub fn number(self) -> &'static str {
        match self {
            ModelTable::Three => "3",
            ModelTable::Five => "5",
        }
    }
}

/// Scores in a file and what they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateRequest {
    pub event: Event,
    pub scores: Vec<String>,
    /// A column whose values are evaluated apart.
    pub by: Option<String>,
    pub threshold: f64,
    /// Where Youden's cut-offs are learnt; `None`: in the set that is called training, if one is.
    pub cutoff_set: Option<String>,
    /// How the cells of the file are read.
    pub cells: Options,
    /// Thresholds, operating points and resamples of what has intervals.
    pub how: How,
}

impl Study {
    /// Table 3 or 5 of the newest fit: training and test, with the corrected AUCs beside the training ones.
    pub fn model_table(&self, table: ModelTable) -> Result<Sheet, Error> {
        let (rows, out_of_fold, run) = self.scored(table)?;
        let title = match table {
            ModelTable::Three => "Table 3. Radiomics models of the regions",
            ModelTable::Five => "Table 5. Clinical, radiomics and combined models",
        };
        let mut sheet = performance::table(title, &rows, &Cut::At(0.5));
        sheet.notes.push(match (run, out_of_fold, table) {
            (None, ..) => "no model was learnt in this study: validations of others".to_owned(),
            (_, true, ModelTable::Three) => "training probabilities are out of fold".to_owned(),
            (_, out_of_fold, _) => training_in_words(out_of_fold).trim_end_matches('.').to_owned(),
        });
        sheet.notes.extend(self.fewer_patients(table)?);
        sheet.notes.extend(self.relearnt()?);
        sheet.provenance = self.provenance()?;
        sheet.provenance.extend(run.map(|run| format!("run: {}", run.0)));
        self.told(sheet)
    }

    /// A table of models in the form of a journal.
    pub fn journal_models(&self, table: ModelTable, look: &Look) -> Result<Sheet, Error> {
        let (rows, out_of_fold, run) = self.scored(table)?;
        let title = match table {
            ModelTable::Three => "Table 3. Performance of the radiomics models by region",
            ModelTable::Five => "Table 5. Performance of the clinical, radiomics and combined models",
        };
        let sources = self.protocol.all_sources();
        let named = |name: &str| match sources.iter().find(|source| source.name == name) {
            Some(source) => region_in_tables(source),
            None => match Learner::of(name) {
                Some(learner) => capitalized(learner.label()),
                None => capitalized(name),
            },
        };
        let mut sheet = journal::models(title, &rows, named, 0.5, look);
        if run.is_some() {
            sheet.notes.insert(1, training_in_words(out_of_fold).to_owned());
        }
        sheet.notes.extend(self.fewer_patients(table)?.into_iter().map(|note| capitalized(&note) + "."));
        sheet.provenance = self.provenance()?;
        sheet.provenance.extend(run.map(|run| format!("run: {}", run.0)));
        self.told(sheet)
    }

    /// Tables 3 and 5 of the newest fit under the other convention: patients exactly at the outcome's cut-off are on its
    /// other side. The models and their probabilities are those of the fit.
    ///
    /// # Errors
    /// When the outcome has no cut-off that a value could equal.
    pub fn cutoff_sensitivity(&self) -> Result<Vec<Sheet>, Error> {
        let Some((cutoff, at)) = self.at_cutoff()? else {
            let event = self.protocol.codebook.outcome().map_or("none", |outcome| outcome.event.as_str());
            return Err(Error::Request(format!(
                "the outcome ({event}) is no comparison of one number with a cut-off: there is no other convention to try"
            )));
        };
        let book = &self.protocol.codebook;
        let exactly = exactly(&cutoff);
        let is_event = at_is_event(&cutoff);
        let (now, then) = (book.side(!is_event), book.side(is_event));
        let mut sheets = Vec::new();
        for table in [ModelTable::Three, ModelTable::Five] {
            let (mut rows, _, run) = self.scored_with(table, &at)?;
            rows.iter_mut().for_each(|row| row.corrected = Corrected::default());
            let title = format!("Table {} with {exactly} as {now}", table.number());
            let mut sheet = performance::table(&title, &rows, &Cut::At(0.5));
            sheet.notes.insert(
                0,
                format!(
                    "{} with {exactly} count as {now} here, as {then} in Table {}{}; models and probabilities are those of \
                     the fit, learnt under the study's own convention",
                    counted(at.len(), "included patient"),
                    table.number(),
                    if cutoff.variable.key == "necrosis_pct" { " (EURAMOS-1: good is above 90 %)" } else { "" },
                ),
            );
            sheet.provenance = self.provenance()?;
            sheet.provenance.extend(run.map(|run| format!("run: {}", run.0)));
            sheets.push(self.told(sheet)?);
        }
        Ok(sheets)
    }

    /// The outcome's cut-off and the included patients who are exactly at it; `None` where the outcome has none.
    pub(in crate::study) fn at_cutoff(&self) -> Result<Option<(Cutoff<'_>, BTreeSet<PatientId>)>, Error> {
        self.needs_response()?;
        let book = &*self.protocol.codebook;
        let Some(cutoff) = book.outcome().and_then(|outcome| outcome.cut(book)) else { return Ok(None) };
        if matches!(cutoff.relation, Relation::Equal | Relation::Unequal) {
            return Ok(None);
        }
        let at = |patient: &crate::store::Patient| {
            patient.included() && patient.entry(&cutoff.variable.name) == Some(&Known::Number(cutoff.value))
        };
        let found = self.store.patients()?.iter().filter(|patient| at(patient)).map(|patient| patient.id).collect();
        Ok(Some((cutoff, found)))
    }

    /// All of the evaluation of the models of the newest fit.
    pub fn evaluation(&self, table: ModelTable, threshold: f64) -> Result<Vec<Sheet>, Error> {
        self.evaluation_as(table, threshold, &How::default())
    }

    /// The same with other thresholds, operating points and resamples; the seed is the protocol's.
    pub fn evaluation_as(&self, table: ModelTable, threshold: f64, how: &How) -> Result<Vec<Sheet>, Error> {
        let (rows, _, run) = self.scored(table)?;
        let how = How { seed: self.protocol.learn.seed.named("evaluate"), ..how.clone() };
        let mut sheets = sheets(&rows, threshold, &Cut::Youden(rows[0].set.clone()), &how)?;
        sheets.extend(self.selection_frequencies(table)?);
        sheets.extend(self.random_splits(&rows)?);
        for sheet in &mut sheets {
            sheet.provenance = self.provenance()?;
            sheet.provenance.extend(run.map(|run| format!("run: {}", run.0)));
        }
        sheets.into_iter().map(|sheet| self.told(sheet)).collect()
    }

    /// Every model and its simpler rivals side by side, by nested cross-validation in the training set: no test patient
    /// has a part in it.
    ///
    /// # Errors
    /// Where the newest fit has no comparison.
    pub fn comparison(&self) -> Result<Sheet, Error> {
        self.needs_response()?;
        let models = self.store.models()?;
        let combined = models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let found = recipe(combined)?.validation.map(|it| it.compared).unwrap_or_default();
        if found.is_empty() {
            return Err(Error::Request(format!(
                "the newest fit compared no learners: that takes learn.n_repeats of at least {LEAST_REPEATS} (preset \
                 recommended), and a fit after it"
            )));
        }
        let mut sheet = evaluation::comparison(&found, &self.seconds_of(combined.run)?);
        sheet.provenance = self.provenance()?;
        sheet.provenance.push(format!("run: {}", combined.run.0));
        self.told(sheet)
    }

    /// Seconds that each model of a fit needed once, by its name, as the trail has them.
    fn seconds_of(&self, run: RunId) -> Result<Vec<(String, f64)>, Error> {
        let of_run = ChangeFilter { row: run.0.to_string(), ..ChangeFilter::default() };
        let told = self.store.changes(&of_run)?;
        let told = told.into_iter().find(|change| change.table == "run" && change.field == "seconds");
        Ok(told.and_then(|change| serde_json::from_str(&change.new?).ok()).unwrap_or_default())
    }

    /// In how many bootstrap samples each feature, region and clinical variable was chosen; nothing where too few were
    /// drawn.
    fn selection_frequencies(&self, table: ModelTable) -> Result<Option<Sheet>, Error> {
        let mut found = Vec::new();
        for model in self.store.models()? {
            let of_five = is_of_five(&model.name);
            if of_five == (table == ModelTable::Five)
                && let Some(validation) = recipe(&model)?.validation
            {
                found.push((model.name, validation.chosen, validation.chosen_of));
            }
        }
        Ok(found.iter().any(|(_, chosen, _)| !chosen.is_empty()).then(|| evaluation::selection(&found)))
    }

    /// Test AUCs over random splits beside those of the split in force; nothing where no splits were drawn.
    fn random_splits(&self, rows: &[Scored]) -> Result<Option<Sheet>, Error> {
        let mut models = Vec::new();
        for model in self.store.models()? {
            let own = rows.iter().find(|row| row.model == model.name && row.set == "test");
            let Some(validation) = recipe(&model)?.validation else { continue };
            if let Some(own) = own.filter(|_| !validation.split_auc.is_empty()) {
                let auc = osteon_stats::evaluate::roc::auc(&own.score, &own.event).map(|auc| auc.auc);
                models.push((model.name, validation.split_auc, auc));
            }
        }
        Ok((!models.is_empty()).then(|| evaluation::random_splits(&models)))
    }

    /// The scores behind Table 3 or 5, whether those of the training set are out of fold, and the run.
    pub(in crate::study) fn scored(&self, table: ModelTable) -> Result<(Vec<Scored>, bool, Option<RunId>), Error> {
        self.scored_with(table, &BTreeSet::new())
    }

    /// The same with some patients on the other side of the outcome.
    fn scored_with(
        &self,
        table: ModelTable,
        other_side: &BTreeSet<PatientId>,
    ) -> Result<(Vec<Scored>, bool, Option<RunId>), Error> {
        self.needs_response()?;
        let mut events = self.events()?;
        events.iter_mut().for_each(|(id, event)| *event ^= other_side.contains(id));
        let external = self.external_rows(table, &events)?;
        let (mut rows, out_of_fold, run) = match self.own_rows(table, &events) {
            // Models of others may be validated where nothing was learnt.
            Err(Error::NoFit | Error::NoSplit) if !external.is_empty() => (Vec::new(), true, None),
            own => own.map(|(rows, out_of_fold, run)| (rows, out_of_fold, Some(run)))?,
        };
        rows.extend(external);
        Ok((rows, out_of_fold, run))
    }

    /// The rows of the sets that the newest fit knows.
    pub(in crate::study) fn own_rows(
        &self,
        table: ModelTable,
        events: &BTreeMap<PatientId, bool>,
    ) -> Result<(Vec<Scored>, bool, RunId), Error> {
        let models = self.store.models()?;
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let first = models.first().filter(|model| model.split == split.id).ok_or(Error::NoFit)?;
        let others = |model: &&Model| is_of_five(&model.name);
        let wanted: Vec<&Model> = models.iter().filter(|model| others(model) == (table == ModelTable::Five)).collect();
        let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
        let mut rows = Vec::new();
        for (side, set) in [(Side::Train, "training"), (Side::Test, "test")] {
            for model in &wanted {
                rows.push(scored(model, set, side, events, &sides)?);
            }
        }
        let recipe = recipe(wanted.last().copied().unwrap_or(first))?;
        Ok((rows, recipe.training == Training::OutOfFold, first.run))
    }

    /// Why a model was learnt or judged on fewer patients than its set has, in the words of the fit.
    fn fewer_patients(&self, table: ModelTable) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        for model in self.store.models()? {
            let stored = recipe(&model)?;
            if table == ModelTable::Three && !is_of_five(&model.name) {
                notes.extend(stored.notes.iter().map(|note| format!("{}: {note}", model.name)));
            }
            let missing = stored.logistic().map_or(0, |fit| fit.n_missing);
            if table == ModelTable::Five && missing > 0 {
                let what = if model.name == CLINICAL { "a clinical predictor" } else { "a predictor or the Rad-score" };
                notes.push(format!("{}: {missing} training patients left out, without {what}", model.name));
            }
        }
        Ok(notes)
    }

    /// How often the whole chain was learnt again for the corrected values.
    pub(in crate::study) fn relearnt(&self) -> Result<Option<String>, Error> {
        let models = self.store.models()?;
        let Some(model) = models.iter().find(|model| model.name == CLINICAL) else { return Ok(None) };
        let Some(found) = recipe(model)?.validation else { return Ok(None) };
        let samples = found.optimism.iter().flatten().map(|one| one.used).max().unwrap_or(0);
        let again = [
            (samples, "on", "bootstrap sample"),
            (found.nested_auc.len(), "in", "nested cross-validation"),
            (found.permuted_auc.len(), "for", "permuted response"),
            (found.split_auc.len(), "on", "random split"),
        ];
        let again: Vec<String> = again
            .into_iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, how, what)| format!("{how} {}", counted(n, what)))
            .collect();
        Ok(Some(match again.is_empty() {
            true => "the modelling pipeline was not refitted for validation".to_owned(),
            false => format!(
                "the entire modelling pipeline, selection and choice of the region included, was refitted {}",
                again.join(", ")
            ),
        }))
    }

    pub(in crate::study) fn events(&self) -> Result<BTreeMap<PatientId, bool>, Error> {
        let patients = self.store.patients()?.into_iter().filter(|patient| patient.included());
        let event = |patient: crate::store::Patient| Some((patient.id, patient.event?));
        Ok(patients.filter_map(event).collect())
    }
}

/// What a stored model learnt.
pub(in crate::study) fn recipe(model: &Model) -> Result<Stored, Error> {
    Stored::parse(&model.name, &model.recipe).map_err(|source| Error::Recipe { model: model.name.clone(), source })
}

pub(in crate::study) fn scored(
    model: &Model,
    set: &str,
    side: Side,
    events: &BTreeMap<PatientId, bool>,
    sides: &BTreeMap<PatientId, Side>,
) -> Result<Scored, Error> {
    let recipe = recipe(model)?;
    let held = recipe.training == Training::OutOfFold;
    let origin = if side == Side::Train && held { Origin::OutOfFold } else { Origin::Fitted };
    let by_patient: BTreeMap<PatientId, f64> =
        model.predictions.iter().filter(|one| one.origin == origin).map(|one| (one.patient, one.probability)).collect();
    let members: Vec<PatientId> = events.keys().copied().filter(|id| sides.get(id) == Some(&side)).collect();
    let event: Vec<bool> = members.iter().map(|id| events[id]).collect();
    let score: Vec<Option<f64>> = members.iter().map(|id| by_patient.get(id).copied()).collect();
    let corrected = match recipe.validation {
        Some(validation) if side == Side::Train => Corrected {
            in_sample: validation.optimism.first().copied().flatten().map(|auc| auc.apparent),
            optimism: corrected_metric(&validation, 0),
            others: std::array::from_fn(|k| corrected_metric(&validation, k + 1)),
            nested: mean(&validation.nested_auc),
            permutation_p: validation.permutation_p,
            splits: None,
            nested_ci: validation.nested.map(|it| it.ci),
            left_out: validation.left_out.map(|it| [it.auc, it.ci[0], it.ci[1]]),
            point_632_plus: validation.point_632_plus,
        },
        Some(validation) => Corrected { splits: spread(&validation.split_auc), ..Corrected::default() },
        None => Corrected::default(),
    };
    Ok(Scored::new(&model.name, set, &event, &score, corrected))
}

/// With a capital letter.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The corrected value of a metric of `pipeline::validate::METRICS`.
fn corrected_metric(validation: &Validation, at: usize) -> Option<f64> {
    validation.optimism.get(at).copied().flatten().map(|metric| metric.corrected)
}

/// Median, 2.5 % and 97.5 % quantile.
fn spread(values: &[f64]) -> Option<[f64; 3]> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |p: f64| quantile(&sorted, p, Quantiles::Type7);
    Some([at(0.5)?, at(0.025)?, at(0.975)?])
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// All of the evaluation for scores in a file of cells with a heading.
pub fn evaluate(path: &Path, request: &EvaluateRequest) -> Result<Vec<Sheet>, Error> {
    let (rows, names, notes) = scored_of_file(path, request)?;
    let cut = match &request.cutoff_set {
        Some(set) if names.contains(set) => Cut::Youden(set.clone()),
        Some(set) => {
            let by = request.by.as_deref().unwrap_or_default();
            let names = names.join(", ");
            return Err(Error::Request(format!("--cutoff-set {set}: column {by} has no such set, it has {names}")));
        }
        None => learning_set(&names),
    };
    let told = unreached(&rows, request.threshold)?;
    let mut sheets = sheets(&rows, request.threshold, &cut, &request.how)?;
    sheets[0].notes.extend(told);
    sheets[0].notes.extend(notes);
    Ok(sheets)
}

/// Scores that a threshold does not divide, where it is no probability; a probability's threshold is one.
fn unreached(rows: &[Scored], threshold: f64) -> Result<Vec<String>, Error> {
    let outside = !(0.0..=1.0).contains(&threshold);
    if outside && rows.iter().flat_map(|scored| &scored.score).all(|p| (0.0..=1.0).contains(p)) {
        let expected = "a number from 0 to 1, since all scores are probabilities".to_owned();
        return Err(Error::Cell { place: "--threshold".to_owned(), found: threshold.to_string(), expected });
    }
    let told = |scored: &Scored| {
        let low = scored.score.iter().copied().fold(f64::INFINITY, f64::min);
        let high = scored.score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let which = if threshold > high { "none" } else { "all" };
        let undivided = outside && (threshold > high || threshold <= low) && !scored.score.is_empty();
        undivided.then(|| {
            format!("{}, {}: {which} of the scores ({low} to {high}) reach the threshold", scored.model, scored.set)
        })
    };
    Ok(rows.iter().filter_map(told).collect())
}

/// ROC, decision and calibration curves of scores in a file, each with the name of its file.
pub fn evaluate_figures(
    path: &Path,
    request: &EvaluateRequest,
    width_mm: f64,
) -> Result<Vec<(&'static str, Figure)>, Error> {
    let (rows, ..) = scored_of_file(path, request)?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let provenance = vec![format!("file: {file}"), format!("event: {}", request.event)];
    let paper = Paper { width_mm, provenance };
    let seed = request.how.seed;
    Ok(vec![
        ("roc", drawn::roc(&rows, seed, &paper)),
        ("dca", drawn::decision(&rows, None, seed, &paper)),
        ("calibration", drawn::calibration(&rows, seed, &paper)),
    ])
}

/// The scores of a file, the names of the sets, and what was said of the rows.
type ScoresOfFile = (Vec<Scored>, Vec<String>, Vec<String>);

fn scored_of_file(path: &Path, request: &EvaluateRequest) -> Result<ScoresOfFile, Error> {
    let by = request.by.as_ref();
    let used = std::iter::once(&request.event.column).chain(&request.scores).chain(by).cloned().collect();
    let options = Options {
        categorical: request.cells.categorical.iter().chain(by).cloned().collect(),
        numeric: request.scores.clone(),
        used: Some(used),
        ..request.cells.clone()
    };
    are_predictors(&request.scores, &[&request.event.column], "score")?;
    are_predictors(request.by.as_slice(), &[&request.event.column], "set")?;
    if let Some(by) = by.filter(|by| request.scores.contains(by)) {
        return Err(Error::Request(format!(
            "{by} is a score and cannot tell the sets too: name another column in --by"
        )));
    }
    let read = read_table(path, &options)?;
    let known = request.event.of(&read.table)?;
    let (set_of, names) = sets_of(&read.table, by, known.len())?;
    let mut notes = read.notes.clone();
    let left = |what: &str, n: usize| {
        (n > 0).then(|| format!("{} without {what} left out", osteon_base::text::counted(n, "row")))
    };
    notes.extend(left(&request.event.column, known.iter().filter(|event| event.is_none()).count()));
    let unset = |row: &usize| known[*row].is_some() && set_of[*row].is_none();
    notes.extend(by.and_then(|by| left(by, (0..known.len()).filter(unset).count())));
    let mut rows: Vec<Scored> = Vec::new();
    for (at, set) in names.iter().enumerate() {
        let members: Vec<usize> =
            (0..known.len()).filter(|&row| known[row].is_some() && set_of[row] == Some(at)).collect();
        let event: Vec<bool> = members.iter().filter_map(|&row| known[row]).collect();
        for name in &request.scores {
            let values = read.table.numbers(name)?;
            let score: Vec<Option<f64>> = members.iter().map(|&row| values[row]).collect();
            rows.push(Scored::new(name, set, &event, &score, Corrected::default()));
        }
    }
    if rows.iter().all(|scored| scored.event.iter().all(|&event| event) || !scored.event.contains(&true)) {
        return Err(Error::OneClass { event: request.event.to_string() });
    }
    Ok((rows, names, notes))
}

/// The set of each row, as a position among the names, which stand in the order of the file.
fn sets_of(table: &Table, by: Option<&String>, rows: usize) -> Result<(Vec<Option<usize>>, Vec<String>), Error> {
    let Some(by) = by else { return Ok((vec![Some(0); rows], vec!["all".to_owned()])) };
    let Values::Levels { levels, codes } = &table.column(by)?.values else {
        return Err(TableError::NotLevels(by.clone()).into());
    };
    let (mut place, mut names) = (vec![None; levels.len()], Vec::new());
    for code in codes.iter().flatten() {
        if place[*code].is_none() {
            place[*code] = Some(names.len());
            names.push(levels[*code].clone());
        }
    }
    Ok((codes.iter().map(|code| code.and_then(|code| place[code])).collect(), names))
}

/// Where cut-offs are learnt when nobody says: in the only set, or in the one that is called training.
fn learning_set(names: &[String]) -> Cut {
    const TRAINING: [&str; 6] = ["train", "training", "development", "derivation", "learning", "discovery"];
    let is = |name: &&String| TRAINING.iter().any(|word| name.eq_ignore_ascii_case(word));
    match names {
        [only] => Cut::Youden(only.clone()),
        names => names.iter().find(is).map_or(Cut::YoudenOfEach, |name| Cut::Youden(name.clone())),
    }
}

/// Performance at a threshold, operating points there, at Youden points and where one is wanted, calibration, tests
/// between models, net benefit; then what tells how sure all this is.
pub(in crate::study) fn sheets(rows: &[Scored], threshold: f64, youden: &Cut, how: &How) -> Result<Vec<Sheet>, Error> {
    let cut = Cut::At(threshold);
    let mut performance = performance::table("Performance", rows, &cut);
    performance.notes.extend(rows.iter().filter_map(evaluation::one_class));
    performance.notes.extend(rows.iter().filter_map(evaluation::below_half));
    performance.notes.extend(rows.iter().filter_map(evaluation::no_probability));
    performance.notes.extend(uncertainty::few_resamples(how.replicates));
    let mut sheets = vec![
        performance,
        evaluation::operating_points(&format!("Operating points at {threshold}"), rows, &cut),
        evaluation::operating_points("Operating points at Youden's index", rows, youden),
        evaluation::calibrations(rows),
        evaluation::pairs(rows),
        evaluation::net_benefits(rows),
    ];
    if let Some(wanted) = how.wanted {
        let set = match youden {
            Cut::Youden(set) => Some(set.clone()),
            _ => None,
        };
        let title = match wanted {
            Wanted::Sensitivity(least) => format!("Operating points at sensitivity {least}"),
            Wanted::Specificity(least) => format!("Operating points at specificity {least}"),
        };
        sheets.push(evaluation::operating_points(&title, rows, &Cut::Reaching(wanted, set)));
    }
    sheets.extend(uncertainty::sheets(rows, how, &Job::unwatched())?);
    Ok(sheets)
}

/// `exactly 90 % necrosis`.
pub(in crate::study) fn exactly(cutoff: &Cutoff) -> String {
    let Cutoff { variable, value, .. } = cutoff;
    format!("exactly {value} {} {}", variable.unit, lowered(&variable.label)).replace("  ", " ")
}

/// `exactly 90 %`.
pub(in crate::study) fn exactly_number(cutoff: &Cutoff) -> String {
    format!("exactly {} {}", cutoff.value, cutoff.variable.unit).trim_end().to_owned()
}

/// Whether a patient exactly at the cut-off has the event.
pub(in crate::study) fn at_is_event(cutoff: &Cutoff) -> bool {
    matches!(cutoff.relation, Relation::AtMost | Relation::AtLeast)
}

/// A label inside a sentence: small, unless it is an abbreviation.
fn lowered(label: &str) -> String {
    let is_short = label.chars().take(2).all(|c| c.is_uppercase());
    if is_short { label.to_owned() } else { label.to_lowercase() }
}
