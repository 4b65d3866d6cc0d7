//! A model file from what a fit learnt and the training patients that it learnt from.

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::DMatrix;
use serde_json::{Map, Value};

use crate::model::apply::{Raw, distance};
use crate::model::batch::{BATCH, code};
use crate::model::file::{
    BatchPart, Change, CombatPart, Example, FORMAT, FeaturePart, HARMONISED_VERSION, LINEAR_VERSION, LevelShare,
    LogisticPart, ModelFile, NumberSummary, Origin, Outcome, Performance, Program, RadScore, Reference, Slot,
    Source as SourcePart, SourceCombat, Term, Threshold, TrainingPart, VERSION, VariableSummary,
};
use crate::model::read::{Model, ModelError, logistic};
use crate::model::terms::{effects, parts};
use crate::pipeline::clinical::{self, Logistic};
use crate::pipeline::cohort::{Cohort, Features};
use crate::pipeline::harmonise::Harmonised;
use crate::pipeline::learn::RAD_SCORE;
use crate::pipeline::recipe::{COMBINED, Learnt};
use crate::pipeline::region::RegionModel;
use crate::protocol::Protocol;
use crate::protocol::codebook::Codebook;
use crate::protocol::learn::{RadScore as Kind, SCANNER};
use crate::protocol::source::{FUSED, Source};
use osteon_stats::model::nomogram::nomogram;
use osteon_stats::stats::describe::{Quantiles, mean, quantile, sd};
use osteon_stats::table::Values;

/// What every document says of its use.
pub const RESEARCH_ONLY: &str = "research use only: not a medical device, not for the care of patients";

/// What a model file is made from.
pub struct Learning<'a> {
    pub cohort: &'a Cohort,
    /// Positions of the training patients.
    pub train: &'a [usize],
    pub learnt: &'a [Learnt],
    /// The protocol of the fit.
    pub protocol: &'a Protocol,
    /// The Rad-score of each patient of the cohort as the combined model learnt from it; `None` outside training.
    pub rad_scores: &'a [Option<f64>],
    /// The same of each source, by its name.
    pub source_scores: &'a BTreeMap<String, Vec<Option<f64>>>,
    pub origin: Origin,
    pub performance: Vec<Performance>,
}

/// The models that a file needs.
struct Found<'a> {
    best: &'a RegionModel,
    fusion: Option<&'a Logistic>,
    clinical: &'a Logistic,
    combined: &'a Logistic,
}

/// Makes the file, with its hash.
///
/// # Errors
/// When the fit lacks the clinical, the combined or the Rad-score's model, or what was made does not read back.
pub fn build(source: Learning) -> Result<ModelFile, ModelError> {
    let found = find(source.learnt)?;
    let Learning { cohort, train, protocol, .. } = source;
    let book = part_of(protocol, &found);
    let terms = clinical::terms(cohort, &predictors(source.learnt));
    let head = (RAD_SCORE.to_owned(), source.rad_scores.to_vec());
    let combined =
        logistic_part(found.combined, &std::iter::once(head).chain(terms.clone()).collect::<Vec<_>>(), train);
    let clinical = logistic_part(found.clinical, &terms, train);
    let scores: Vec<clinical::Term> =
        source.source_scores.iter().map(|(name, values)| (name.clone(), values.clone())).collect();
    let fusion = found.fusion.map(|fusion| logistic_part(fusion, &scores, train));
    let models = source.learnt.iter().filter_map(|it| match it {
        Learnt::Region(model) => Some(source_part(cohort, train, protocol, model, &source.origin.inputs)),
        _ => None,
    });
    let sources = models.collect::<Result<Vec<_>, _>>()?;
    let known: Vec<f64> = train.iter().filter_map(|&row| source.rad_scores[row]).collect();
    let file = ModelFile {
        format: FORMAT.to_owned(),
        version: match (&found.best.harmonised, found.best.link) {
            (Some(_), _) => HARMONISED_VERSION,
            (None, Some(_)) => LINEAR_VERSION,
            (None, None) => VERSION,
        },
        program: Program { name: "osteon".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        research_use_only: RESEARCH_ONLY.to_owned(),
        origin: source.origin,
        parent: None,
        outcome: outcome(&protocol.codebook),
        slots: slots(protocol, &sources),
        sources,
        rad_score: RadScore {
            source: found.best.region.clone(),
            fusion,
            training: match protocol.learn.rad_score {
                Kind::OutOfFold | Kind::Lasso => "out_of_fold",
                Kind::InSample => "in_sample",
            }
            .to_owned(),
            summary: summary(&known),
        },
        combat: found.best.harmonised.as_ref().map(|it| CombatPart {
            by: it.by.clone(),
            prior: it.prior,
            covariates: it.covariates.clone(),
        }),
        nomogram: None,
        clinical,
        combined,
        thresholds: vec![Threshold { name: "classification".to_owned(), model: COMBINED.to_owned(), probability: 0.5 }],
        codebook: json_tables(book.to_tables()),
        learning: learning(protocol),
        training: TrainingPart {
            n: train.len(),
            n_events: train.iter().filter(|&&row| cohort.event[row]).count(),
            variables: cohort.clinical.columns().iter().map(|it| variable(&protocol.codebook, it, train)).collect(),
        },
        performance: source.performance,
        examples: Vec::new(),
        sha256: String::new(),
    };
    finished(file)
}

/// The file with its nomogram, examples and hash, after the logistic models changed.
///
/// # Errors
/// When the document does not read back, or an example has no probability.
pub fn finished(mut file: ModelFile) -> Result<ModelFile, ModelError> {
    let book = crate::model::read::codebook(&file.codebook).map_err(ModelError::Shape)?;
    let fit = logistic(&file.combined);
    // Without percentiles a scale has no ends.
    let has_ends = fit.ranges.iter().all(|(low, high)| low.is_finite() && high.is_finite());
    file.nomogram = if has_ends { nomogram(fit.intercept, &effects(&book, &fit), range(&file)) } else { None };
    file.examples = examples(&Model::of(file.clone())?)?;
    Ok(file.sealed())
}

/// Linear predictors that the scale of the nomogram covers: from all terms at their lower percentile's contribution to
/// all at their upper's, which no patient needs to have.
fn range(file: &ModelFile) -> (f64, f64) {
    let ends = file.combined.terms.iter().map(|term| {
        let [a, b] = [term.p2_5, term.p97_5].map(|end| term.coefficient * end.unwrap_or(term.mean));
        (a.min(b), a.max(b))
    });
    ends.fold((file.combined.intercept, file.combined.intercept), |(low, high), (a, b)| (low + a, high + b))
}

fn find(learnt: &[Learnt]) -> Result<Found<'_>, ModelError> {
    let lacking = |what: &str| ModelError::Shape(format!("the fit has no {what} model"));
    let clinical = learnt.iter().find_map(|it| match it {
        Learnt::Clinical { logistic, .. } => Some(logistic),
        _ => None,
    });
    let combined = learnt.iter().find_map(|it| match it {
        Learnt::Combined { logistic, region, .. } => Some((logistic, region)),
        _ => None,
    });
    let (combined, name) = combined.ok_or_else(|| lacking("combined"))?;
    let best = learnt.iter().find_map(|it| match it {
        Learnt::Region(model) if model.region == *name => Some(&**model),
        _ => None,
    });
    let best = best.ok_or_else(|| lacking(name))?;
    let fusion = learnt.iter().find_map(|it| match it {
        Learnt::Radiomics { fusion, .. } => fusion.as_deref(),
        _ => None,
    });
    Ok(Found { best, fusion, clinical: clinical.ok_or_else(|| lacking("clinical"))?, combined })
}

fn predictors(learnt: &[Learnt]) -> Vec<String> {
    let of = |it: &Learnt| match it {
        Learnt::Combined { predictors, .. } => Some(predictors.clone()),
        _ => None,
    };
    learnt.iter().find_map(of).unwrap_or_default()
}

fn part_of(protocol: &Protocol, found: &Found) -> Codebook {
    let terms = found.combined.terms.iter().chain(&found.clinical.terms);
    let names: BTreeSet<&str> = terms.map(|term| parts(term).0).collect();
    protocol.codebook.part(&names)
}

fn outcome(book: &Codebook) -> Outcome {
    let [other, event] = book.sides().map(str::to_owned);
    let of = |get: &dyn Fn(&crate::protocol::codebook::outcome::Outcome) -> String| {
        book.outcome().map(get).unwrap_or_default()
    };
    Outcome {
        name: of(&|it| it.name.clone()),
        event: of(&|it| it.event.clone()),
        event_label: event,
        other_label: other,
    }
}

/// The slots that the sources are measured in, each with the settings that are in force there.
fn slots(protocol: &Protocol, sources: &[SourcePart]) -> Vec<Slot> {
    let features = || sources.iter().flat_map(|source| &source.features);
    let is_used = |name: &str| features().any(|it| it.slot == name || it.earlier.as_deref() == Some(name));
    protocol.slots().iter().filter(|slot| is_used(&slot.slot)).map(|declared| slot(protocol, declared)).collect()
}

fn slot(protocol: &Protocol, declared: &crate::protocol::codebook::slot::Slot) -> Slot {
    let own = protocol.in_slot(&declared.slot);
    let acquisition = match tables(&own, &["acquisition"]).remove("acquisition") {
        Some(Value::Object(table)) => table,
        _ => Map::new(),
    };
    Slot {
        slot: declared.slot.clone(),
        label: declared.label.clone(),
        sequence: declared.sequence.clone(),
        timepoint: declared.timepoint.clone(),
        modality: declared.modality.clone(),
        unit: declared.unit.clone(),
        acquisition,
        settings: tables(&own, &["preprocess", "roi", "filter", "feature", "mask"]),
        extraction_sha256: protocol.slot_hash(&declared.slot),
    }
}

/// How the models were learnt; keys that came after the first files are left out at their defaults, as those have them.
fn learning(protocol: &Protocol) -> Map<String, Value> {
    let mut all = protocol.to_table();
    all.retain(|name, _| ["learn", "select", "forest"].contains(&name));
    if let Some(toml::Value::Table(select)) = all.get_mut("select")
        && protocol.select.correlation == Default::default()
    {
        select.remove("correlation");
    }
    if let Some(toml::Value::Table(learn)) = all.get_mut("learn") {
        for (key, usual) in Protocol::later_keys() {
            if learn.get(key) == Some(&usual) {
                learn.remove(key);
            }
        }
    }
    json_tables(all)
}

/// Some tables of a protocol as JSON.
fn tables(protocol: &Protocol, names: &[&str]) -> Map<String, Value> {
    let mut all = json_tables(protocol.to_table());
    all.retain(|name, _| names.contains(&name.as_str()));
    all
}

fn json_tables(table: toml::Table) -> Map<String, Value> {
    match serde_json::to_value(table) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn source_part(
    cohort: &Cohort,
    train: &[usize],
    protocol: &Protocol,
    model: &RegionModel,
    salt: &str,
) -> Result<SourcePart, ModelError> {
    let lacking = || ModelError::Shape(format!("the features of {} are not in the study", model.region));
    let features = cohort.regions.iter().find(|features| features.region == model.region).ok_or_else(lacking)?;
    let columns = columns(features, &model.features).ok_or_else(lacking)?;
    let maps = model.maps(&model.features);
    let rows: Vec<Vec<f64>> = train.iter().filter_map(|&row| features.values(row, &columns, None)).collect();
    let taken: Vec<Vec<f64>> = train.iter().filter_map(|&row| features.values(row, &columns, maps.as_ref())).collect();
    let part = |(k, name): (usize, &String)| {
        let mut sorted: Vec<f64> = rows.iter().map(|row| row[k]).collect();
        sorted.sort_by(f64::total_cmp);
        let [p2_5, p97_5] = ends(&sorted);
        let [mean, sd, weight] = [model.scaling.means[k], model.scaling.sds[k], model.weights[k]];
        let place = place(protocol, &model.region, name).ok_or_else(lacking)?;
        let maps = maps.iter().flat_map(|maps| maps.maps.iter().map(move |of_batch| of_batch[k])).collect();
        Ok(FeaturePart { name: name.clone(), mean, sd, weight, p2_5, p97_5, maps, ..place })
    };
    let z: Vec<Vec<f64>> =
        taken.iter().map(|row| row.iter().enumerate().map(|(k, &value)| model.scaling.z(k, value)).collect()).collect();
    let covariance = covariance(&z, columns.len());
    let mut distances: Vec<f64> = z.iter().map(|row| distance(&covariance, row).0).collect();
    distances.sort_by(f64::total_cmp);
    Ok(SourcePart {
        name: model.region.clone(),
        n: model.n_rows,
        n_events: model.n_events,
        n_candidates: model.n_varying,
        features: model.features.iter().enumerate().map(part).collect::<Result<_, _>>()?,
        lasso_intercept: model.linear_intercept(),
        covariance,
        distance_p97_5: ends(&distances)[1],
        setting: model.setting,
        forest: model.forest.clone(),
        link: model.link,
        combat: model.harmonised.as_ref().map(|it| combat(protocol, &model.region, it, salt)).transpose()?,
    })
}

/// The batches of a source, and what another one is estimated by.
fn combat(protocol: &Protocol, region: &str, harmonised: &Harmonised, salt: &str) -> Result<SourceCombat, ModelError> {
    let learnt = &harmonised.combat;
    let batch = |(name, [n, events]): (&String, &[usize; 2])| BatchPart {
        name: (harmonised.by == SCANNER).then(|| name.clone()),
        code: code(salt, name),
        n: *n,
        n_events: Some(*events),
    };
    let mut reference: Vec<Reference> = Vec::new();
    for (at, name) in harmonised.features.iter().enumerate() {
        let lacking = || ModelError::Shape(format!("{region} has no feature {name}"));
        let part = place(protocol, region, name).ok_or_else(lacking)?;
        let is_here = |it: &Reference| {
            it.slot == part.slot && it.region == part.region && it.earlier == part.earlier && it.change == part.change
        };
        let at_group = reference.iter().position(is_here).unwrap_or(reference.len());
        if at_group == reference.len() {
            reference.push(Reference {
                slot: part.slot.clone(),
                region: part.region.clone(),
                earlier: part.earlier.clone(),
                change: part.change,
                features: Vec::new(),
                means: Vec::new(),
                variances: Vec::new(),
            });
        }
        let own = &mut reference[at_group];
        own.features.push(part.feature);
        own.means.push(learnt.means[at] + learnt.covariates[at]);
        own.variances.push(learnt.variances[at]);
    }
    let sources = if region == FUSED { protocol.sources() } else { protocol.all_sources() };
    let own = sources.iter().filter(|source| region == FUSED || source.name == region);
    let mut slots: Vec<String> = Vec::new();
    for slot in own.flat_map(|it| it.earlier.iter().chain([&it.slot])) {
        if !slots.contains(slot) {
            slots.push(slot.clone());
        }
    }
    Ok(SourceCombat { slots, batches: learnt.batches.iter().zip(&harmonised.counts).map(batch).collect(), reference })
}

/// Where a feature of a source is measured, from the names that sources give their features.
fn place(protocol: &Protocol, source: &str, name: &str) -> Option<FeaturePart> {
    let all = protocol.all_sources();
    let (source, name) = match source {
        FUSED => {
            // The longest: one source's name may begin as another's.
            let of =
                |it: &Source| name.strip_prefix(&it.name).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned);
            let found = all.iter().filter_map(|it| Some((it, of(it)?)));
            found.max_by_key(|(it, _)| it.name.len())?
        }
        source => (all.iter().find(|it| it.name == source)?, name.to_owned()),
    };
    let change = match source.earlier {
        None => None,
        Some(_) if name.starts_with("difference_") => Some(Change::Difference),
        Some(_) => Some(Change::Ratio),
    };
    let feature = match change {
        None => name.clone(),
        Some(Change::Difference) => name.strip_prefix("difference_")?.to_owned(),
        Some(Change::Ratio) => name.strip_prefix("ratio_")?.to_owned(),
    };
    Some(FeaturePart {
        name,
        slot: source.slot.clone(),
        region: source.region.clone(),
        feature,
        earlier: source.earlier.clone(),
        change,
        mean: 0.0,
        sd: 1.0,
        weight: 0.0,
        p2_5: None,
        p97_5: None,
        maps: Vec::new(),
    })
}

/// Where the named features stand among those of the cohort.
pub fn columns(features: &Features, names: &[String]) -> Option<Vec<usize>> {
    features.places(names)
}

fn covariance(z: &[Vec<f64>], width: usize) -> Vec<Vec<f64>> {
    let n = z.len();
    if n < 2 {
        return vec![vec![0.0; width]; width];
    }
    let x = DMatrix::from_fn(n, width, |i, k| z[i][k]);
    let means = x.row_mean();
    let centred = DMatrix::from_fn(n, width, |i, k| x[(i, k)] - means[k]);
    let product = centred.transpose() * &centred / (n - 1) as f64;
    (0..width).map(|i| (0..width).map(|k| (product[(i, k)] + product[(k, i)]) / 2.0).collect()).collect()
}

fn logistic_part(fit: &Logistic, columns: &[clinical::Term], train: &[usize]) -> LogisticPart {
    let term = |(at, name): (usize, &String)| {
        let column = columns.iter().find(|(own, _)| own == name);
        let mut values: Vec<f64> =
            column.map(|(_, values)| train.iter().filter_map(|&row| values[row]).collect()).unwrap_or_default();
        values.sort_by(f64::total_cmp);
        let [p2_5, p97_5] = ends(&values);
        let (variable, level) = parts(name);
        Term {
            name: name.clone(),
            variable: variable.to_owned(),
            level: level.map(str::to_owned),
            coefficient: fit.coefficients[at],
            fill: fit.fill.get(at).copied().flatten(),
            mean: mean(&values).unwrap_or(0.0),
            p2_5,
            p97_5,
        }
    };
    LogisticPart {
        intercept: fit.intercept,
        terms: fit.terms.iter().enumerate().map(term).collect(),
        covariance: fit.covariance.clone(),
        n: fit.n,
        n_events: fit.n_events,
        n_missing: fit.n_missing,
        firth: fit.notes.iter().any(|note| note.contains("Firth")),
    }
}

/// 2.5th and 97.5th percentile of sorted values (type 7); none below two values, where they would be a patient's own.
fn ends(sorted: &[f64]) -> [Option<f64>; 2] {
    let at = |p| quantile(sorted, p, Quantiles::Type7).filter(|_| sorted.len() > 1);
    [at(0.025), at(0.975)]
}

/// What a number is like among patients.
pub fn summary(values: &[f64]) -> NumberSummary {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |p| quantile(&sorted, p, Quantiles::Type7).filter(|_| sorted.len() > 1);
    let several = sorted.len() > 1;
    NumberSummary {
        n: sorted.len(),
        mean: mean(&sorted).filter(|_| several),
        sd: sd(&sorted),
        p2_5: at(0.025),
        q1: at(0.25),
        median: at(0.5),
        q3: at(0.75),
        p97_5: at(0.975),
    }
}

/// What some rows have of a column.
pub fn variable(book: &Codebook, column: &osteon_stats::table::Column, rows: &[usize]) -> VariableSummary {
    let name = column.name.clone();
    match &column.values {
        Values::Numbers(values) => {
            let known: Vec<f64> = rows.iter().filter_map(|&row| values[row]).collect();
            let unit = book.named(&name).map(|it| it.unit.clone()).unwrap_or_default();
            VariableSummary::Number { name, unit, summary: summary(&known) }
        }
        Values::Levels { levels, codes } => {
            let known: Vec<usize> = rows.iter().filter_map(|&row| codes[row]).collect();
            let share = |at: usize| known.iter().filter(|&&code| code == at).count() as f64 / known.len().max(1) as f64;
            let levels = levels.iter().enumerate();
            let levels = levels.map(|(at, level)| LevelShare { level: level.clone(), share: share(at) }).collect();
            VariableSummary::Levels { name, n: known.len(), levels }
        }
    }
}

/// Made-up patients at the mean, the lower and the upper percentile of every input, with what the model says of them.
fn examples(model: &Model) -> Result<Vec<Example>, ModelError> {
    ["mean", "2.5th percentile", "97.5th percentile"].iter().map(|name| example(model, name)).collect()
}

fn example(model: &Model, name: &str) -> Result<Example, ModelError> {
    let of = |mean: f64, low: Option<f64>, high: Option<f64>| match name {
        "mean" => mean,
        "2.5th percentile" => low.unwrap_or(mean),
        _ => high.unwrap_or(mean),
    };
    let mut raw = Raw::new();
    for feature in model.file.rad_sources().into_iter().flat_map(|source| &source.features) {
        let value = of(feature.mean, feature.p2_5, feature.p97_5);
        let names = feature.inputs();
        match (feature.change, names.as_slice()) {
            (None, [now]) => drop(raw.insert(now.clone(), value)),
            // The earlier value of a made-up change is 1.
            (Some(Change::Difference), [now, was]) => raw.extend([(was.clone(), 1.0), (now.clone(), 1.0 + value)]),
            (Some(Change::Ratio), [now, was]) => raw.extend([(was.clone(), 1.0), (now.clone(), value)]),
            _ => (),
        }
    }
    let mut inputs: BTreeMap<String, Value> =
        raw.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect();
    let mut known = BTreeMap::new();
    let sources = model.file.rad_sources();
    let several = sources.len() > 1;
    for (source, combat) in sources.iter().filter_map(|it| Some((it, it.combat.as_ref()?))) {
        let name = if several { format!("{BATCH}.{}", source.name) } else { BATCH.to_owned() };
        let code = combat.batches.first().map(|batch| batch.code.clone()).unwrap_or_default();
        inputs.insert(name.clone(), Value::from(code.clone()));
        known.insert(name, code);
    }
    for term in model.file.combined.terms.iter().chain(&model.file.clinical.terms) {
        if term.name == RAD_SCORE {
            continue;
        }
        let variable = model.codebook.named(&term.variable);
        let is_first = name != "97.5th percentile";
        match &term.level {
            None => {
                // Between two possible values, and ranges are intervals: possible too.
                let value = of(term.mean, term.p2_5, term.p97_5);
                inputs.insert(term.variable.clone(), Value::from(value));
                known.insert(term.variable.clone(), value.to_string());
            }
            Some(level) => {
                let has_term = |it: &str| model.combined.terms.contains(&format!("{}={it}", term.variable));
                let levels = variable.map(|it| it.levels()).unwrap_or_default();
                let reference = levels.into_iter().find(|level| !has_term(level)).filter(|_| is_first);
                let level = reference.unwrap_or(level).to_owned();
                inputs.insert(term.variable.clone(), Value::from(level.clone()));
                known.insert(term.variable.clone(), level);
            }
        }
    }
    let applied = model.apply(Some(&raw), &known)?;
    Ok(Example {
        name: name.to_owned(),
        inputs,
        rad_score: applied.rad_score,
        linear_predictor: applied.linear_predictor,
        probability: applied.probability,
    })
}
