//! All of the evaluation of scores: operating points, calibration, tests between models, net benefit.

use crate::protocol::learn::Learner;
use crate::report::performance::{Cut, HL_NOTE, HL_P, Scored, learnt_in, no_hosmer_lemeshow, threshold};
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::counted;
use osteon_stats::evaluate::calibration::{Calibration, EXTREME, calibration};
use osteon_stats::evaluate::decision;
use osteon_stats::evaluate::judged::Judged;
use osteon_stats::evaluate::reclassification::{Gain, idi, nri};
use osteon_stats::evaluate::roc::{self, confusion};
use osteon_stats::stats::describe::{Quantiles, mean, quantile, sd};
use osteon_stats::stats::proportion::{clopper_pearson, wilson};
use osteon_stats::stats::text::fixed;

/// Every share at a cut, with Wilson's and the exact interval; F1 is no share and has none.
pub fn operating_points(title: &str, rows: &[Scored], cut: &Cut) -> Sheet {
    let headings = ["Set", "Model", "Measure", "Threshold", "Of", "Value", "Wilson", "Exact"];
    let (mut cells, mut without) = (Vec::new(), Vec::new());
    for scored in rows {
        let Some(threshold) = threshold(scored, rows, cut) else {
            let (model, set) = (&scored.model, &scored.set);
            without.push(match cut {
                Cut::Reaching(wanted, _)
                    if learnt_in(scored, rows, cut).is_some_and(|learnt| one_class(learnt).is_none()) =>
                {
                    format!("{model}, {set}: no cut-off reaches {} where it is learnt", Cut::wanted(*wanted))
                }
                _ => match learnt_in(scored, rows, cut) {
                    None => format!("{model}, {set}: the set where cut-offs are learnt has no row with {model}"),
                    Some(learnt) if one_class(learnt).is_some() => format!(
                        "{model}, {set}: {} has one outcome, so that no cut-off can be learnt there",
                        learnt.set
                    ),
                    Some(_) => format!("{model}, {set}: no cut-off has a Youden index above 0 where it is learnt"),
                },
            });
            continue;
        };
        let called = confusion(&scored.score, &scored.event, threshold);
        let head = |measure: &str| {
            let texts = [&scored.set, &scored.model, measure].map(|text| Cell::Text(text.to_owned()));
            texts.into_iter().chain([Cell::Number { value: threshold, digits: 4 }]).collect::<Vec<_>>()
        };
        let range =
            |limits: Option<[f64; 2]>| limits.map_or(Cell::Empty, |[low, high]| Cell::Range { low, high, digits: 3 });
        for (name, n, of) in called.shares() {
            let mut row = head(name);
            let value = (of > 0).then(|| n as f64 / of as f64);
            row.extend([Cell::Text(format!("{n}/{of}")), Cell::number(value, 3)]);
            row.extend([range(wilson(n, of)), range(clopper_pearson(n, of))]);
            cells.push(row);
        }
        let mut row = head("F1");
        row.extend([Cell::Empty, Cell::number(called.f1(), 3), Cell::Empty, Cell::Empty]);
        cells.push(row);
    }
    let learns = rows.iter().any(|scored| threshold(scored, rows, cut).is_some());
    let note = match cut {
        _ if !learns => "no cut-off was learnt, and no point is shown".to_owned(),
        Cut::At(threshold) => format!("classification threshold {threshold}"),
        Cut::Youden(set) => format!("cut at each score's largest Youden index in {set}, and used there and elsewhere"),
        Cut::YoudenOfEach => "cut at each score's largest Youden index in the same set, which flatters it: no set is \
                              called training; --cutoff-set names the set where cut-offs are learnt"
            .to_owned(),
        Cut::Reaching(wanted, Some(set)) => format!(
            "cut where {} is reached in {set}, fixed there and used elsewhere; of several such cut-offs the best",
            Cut::wanted(*wanted)
        ),
        Cut::Reaching(wanted, None) => format!(
            "cut where {} is reached in the same set, which flatters it: no set is called training; --cutoff-set names \
             the set where cut-offs are learnt",
            Cut::wanted(*wanted)
        ),
    };
    let mut notes = vec![note, "95 % intervals: Wilson's score, Clopper and Pearson's exact".to_owned()];
    notes.append(&mut without);
    sheet(title, &headings, cells, notes)
}

fn sheet(title: &str, headings: &[&str], rows: Vec<Vec<Cell>>, notes: Vec<String>) -> Sheet {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    Sheet { title: title.to_owned(), headings, rows, notes, provenance: Vec::new() }
}

/// Value of a calibration and its digits.
type Number = (&'static str, fn(&Calibration) -> Option<f64>);

/// What `rms::val.prob` prints, with the indices of loess beside it.
const NUMBERS: [Number; 19] = [
    ("Brier", |c| Some(c.brier)),
    ("Brier scaled", |c| c.brier_scaled),
    ("Intercept", |c| c.recalibration.map(|r| r.intercept)),
    ("Slope", |c| c.recalibration.map(|r| r.slope)),
    ("In the large", |c| c.in_the_large.map(|(a, _)| a)),
    ("O/E", |c| c.oe_ratio),
    ("Log loss", |c| Some(c.log_loss)),
    ("R2", |c| c.indices.map(|i| i.r2)),
    ("D", |c| c.indices.map(|i| i.d)),
    ("U", |c| c.indices.and_then(|i| i.u).map(|u| u.u)),
    ("Q", |c| c.indices.and_then(|i| i.u).map(|u| u.q)),
    ("Emax", |c| Some(c.lowess.max)),
    ("E90", |c| Some(c.lowess.q90)),
    ("Eavg", |c| Some(c.lowess.mean)),
    ("ICI", |c| c.loess.map(|e| e.mean)),
    ("E50 (loess)", |c| c.loess.map(|e| e.median)),
    ("E90 (loess)", |c| c.loess.map(|e| e.q90)),
    ("Emax (loess)", |c| c.loess.map(|e| e.max)),
    ("ECI", |c| c.eci),
];

/// Calibration of the scores that are probabilities.
pub fn calibrations(rows: &[Scored]) -> Sheet {
    let mut headings = vec!["Set", "Model"];
    headings.extend(NUMBERS.map(|(name, _)| name));
    headings.extend(["U p", "Spiegelhalter z", "Spiegelhalter p", "H-L chi2", "H-L groups", HL_P, "H-L p, new rows"]);
    let row = |scored: &Scored| {
        let found = calibration(&scored.event, &scored.score);
        let mut row = vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone())];
        row.extend(NUMBERS.map(|(_, of)| Cell::number(found.as_ref().and_then(of), 3)));
        let u = found.as_ref().and_then(|c| c.indices).and_then(|i| i.u);
        let spiegelhalter = found.as_ref().and_then(|c| c.spiegelhalter);
        row.extend([Cell::p(u.map(|u| u.p)), Cell::number(spiegelhalter.map(|(z, _)| z), 3)]);
        row.push(Cell::p(spiegelhalter.map(|(_, p)| p)));
        let test = scored.hosmer_lemeshow();
        row.extend([
            Cell::number(test.map(|test| test.statistic), 3),
            test.map_or(Cell::Empty, |t| Cell::Count(t.groups)),
        ]);
        row.extend([Cell::p(test.and_then(|test| test.p)), Cell::p(test.map(|test| test.p_of_new_rows()))]);
        row
    };
    let mut notes = vec![
        "Emax, E90 and Eavg from lowess as val.prob; ICI, ECI and (loess) from loess of degree 2, span 0.75".to_owned(),
        HL_NOTE.to_owned(),
    ];
    notes.extend(rows.iter().filter_map(no_probability));
    notes.extend(rows.iter().filter(|scored| scored.is_probability()).flat_map(uncalibrated));
    notes.extend(rows.iter().filter_map(no_hosmer_lemeshow));
    let rows = rows.iter().filter(|scored| scored.is_probability()).map(row).collect();
    sheet("Calibration", &headings, rows, notes)
}

/// Scores outside 0 and 1, and what is not made of them.
pub fn no_probability(scored: &Scored) -> Option<String> {
    let outside: Vec<f64> = scored.score.iter().copied().filter(|p| !(0.0..=1.0).contains(p)).collect();
    let first = fixed(*outside.first()?, 3);
    let (model, set, n, of) = (&scored.model, &scored.set, outside.len(), scored.score.len());
    Some(format!(
        "{model}, {set}: {n} of {of} values are outside 0 to 1, the first {first}: no probabilities, so no calibration, \
         Brier score, NRI, IDI and net benefit"
    ))
}

/// What of a calibration could not be made, and why.
fn uncalibrated(scored: &Scored) -> Vec<String> {
    let (model, set) = (&scored.model, &scored.set);
    let Some(found) = calibration(&scored.event, &scored.score) else {
        return vec![format!("{model}, {set}: no row has a score")];
    };
    let mut said = Vec::new();
    if found.n_certain > 0 {
        said.push(format!(
            "{model}, {set}: {} of {} probabilities are exactly 0 or 1 and have no logit: left out of intercept, slope, \
             in the large, R2, D, U and Q, as val.prob does; all else is made of all rows",
            found.n_certain, found.n
        ));
    }
    if found.n_extreme > 0 {
        let (n, far) = (counted(found.n_extreme, "row"), EXTREME);
        said.push(format!(
            "{model}, {set}: the probability of what happened is below {far:e} in {n}, but not 0: these alone decide log \
             loss, slope, R2, D, U, Q and Hosmer-Lemeshow; is the score a probability?"
        ));
    }
    if found.spiegelhalter.is_none() {
        said.push(format!(
            "{model}, {set}: no Spiegelhalter test: all probabilities are 0, 0.5 or 1, and its variance is 0"
        ));
    }
    if found.log_loss.is_infinite() {
        said.push(format!("{model}, {set}: the log loss is infinite: a probability of 0 or 1 was wrong"));
    }
    let empty: Vec<&str> = NUMBERS.iter().filter(|(_, of)| of(&found).is_none()).map(|(name, _)| *name).collect();
    if !empty.is_empty() {
        let why = match (found.events, found.loess) {
            (0, _) => "no row has the event",
            (events, _) if events == found.n => "all rows have the event",
            (_, None) => "too few different probabilities",
            _ => "the probabilities separate the events, or do not vary",
        };
        said.push(format!("{model}, {set}: without {}: {why}", empty.join(", ")));
    }
    said
}

/// Sets in which the scores of a model have one outcome only.
pub fn one_class(scored: &Scored) -> Option<String> {
    let (model, set, n) = (&scored.model, &scored.set, scored.event.len());
    let events = scored.event.iter().filter(|&&event| event).count();
    let which = if events == 0 { "without" } else { "with" };
    (events == 0 || events == n).then(|| {
        format!("{model}, {set}: all {n} rows are {which} the event: no AUC, no cut-off, no test between models")
    })
}

/// Areas below one half.
pub fn below_half(scored: &Scored) -> Option<String> {
    let auc = roc::auc(&scored.score, &scored.event)?.auc;
    let (model, set) = (&scored.model, &scored.set);
    (auc < 0.5).then(|| format!("{model}, {set}: the AUC is below one half: low values go with the event there"))
}

/// DeLong's test, NRI and IDI between all pairs of models within a set.
pub fn pairs(rows: &[Scored]) -> Sheet {
    let headings = [
        "Set",
        "First",
        "Second",
        "AUC difference",
        "Z",
        "P",
        "NRI at 0.5",
        "P (NRI)",
        "NRI continuous",
        "P (NRI continuous)",
        "IDI",
        "P (IDI)",
    ];
    let mut cells = Vec::new();
    let mut notes = vec!["DeLong's paired test; NRI and IDI are what the first adds to the second".to_owned()];
    for (at, first) in rows.iter().enumerate() {
        for second in rows[at + 1..].iter().filter(|second| second.set == first.set) {
            let both: Vec<[usize; 2]> = shared_rows(first, second);
            let [a, b] = [first, second].map(|it| it.kept.len() - both.len());
            if a + b > 0 {
                notes.push(format!(
                    "{} and {}, {}: on the {} rows with both; {a} and {b} rows have one score alone",
                    first.model,
                    second.model,
                    first.set,
                    both.len()
                ));
            }
            cells.push(pair(first, second, &both));
        }
    }
    if rows.iter().any(|scored| !scored.is_probability()) {
        notes.push("NRI and IDI need two probabilities: empty otherwise".to_owned());
    }
    if cells.iter().any(|row: &Vec<Cell>| row[4] == Cell::Empty) {
        notes.push("no Z and P: the AUCs do not differ on any row, or one outcome has fewer than two rows".to_owned());
    }
    sheet("Between models", &headings, cells, notes)
}

/// Positions in both of the rows that have both scores.
fn shared_rows(first: &Scored, second: &Scored) -> Vec<[usize; 2]> {
    let place: std::collections::HashMap<usize, usize> =
        second.kept.iter().enumerate().map(|(at, &row)| (row, at)).collect();
    let shared = |(at, row): (usize, &usize)| Some([at, *place.get(row)?]);
    first.kept.iter().enumerate().filter_map(shared).collect()
}

fn pair(first: &Scored, second: &Scored, rows: &[[usize; 2]]) -> Vec<Cell> {
    let event: &Vec<bool> = &rows.iter().map(|[at, _]| first.event[*at]).collect();
    let new: &Vec<f64> = &rows.iter().map(|[at, _]| first.score[*at]).collect();
    let old: &Vec<f64> = &rows.iter().map(|[_, at]| second.score[*at]).collect();
    let delong = roc::auc(new, event).zip(roc::auc(old, event)).and_then(|(a, b)| roc::paired(&a, &b));
    let gains: [Option<Gain>; 3] = match first.is_probability() && second.is_probability() {
        true => [nri(event, old, new, &[0.5]), nri(event, old, new, &[]), idi(event, old, new)],
        false => [None; 3],
    };
    let mut row =
        vec![Cell::Text(first.set.clone()), Cell::Text(first.model.clone()), Cell::Text(second.model.clone())];
    row.extend([Cell::number(delong.map(|d| d.difference), 3), Cell::number(delong.and_then(|d| d.z), 3)]);
    row.push(Cell::p(delong.and_then(|d| d.p)));
    row.extend(gains.iter().flat_map(|gain| [Cell::number(gain.map(|g| g.value), 3), Cell::p(gain.map(|g| g.p))]));
    row
}

/// Test AUCs over random splits, one list a model, beside that of the split in force.
pub fn random_splits(models: &[(String, Vec<f64>, Option<f64>)]) -> Sheet {
    let headings = [
        "Model",
        "Splits",
        "Mean",
        "SD",
        "Median",
        "2.5-97.5 %",
        "Smallest",
        "Largest",
        "Split in force",
        "Proportion below it",
    ];
    let row = |(model, aucs, own): &(String, Vec<f64>, Option<f64>)| {
        let mut sorted = aucs.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |p: f64| quantile(&sorted, p, Quantiles::Type7);
        let range = at(0.025).zip(at(0.975));
        let below = own.map(|own| sorted.partition_point(|&auc| auc < own) as f64 / sorted.len() as f64);
        let number = |value: Option<f64>| Cell::number(value, 3);
        vec![
            Cell::Text(model.clone()),
            Cell::Count(aucs.len()),
            number(mean(aucs)),
            number(sd(aucs)),
            number(at(0.5)),
            range.map_or(Cell::Empty, |(low, high)| Cell::Range { low, high, digits: 3 }),
            number(at(0.0)),
            number(at(1.0)),
            number(*own),
            number(below),
        ]
    };
    let notes = vec![
        "AUC in the test set; on each random split of all patients the entire modelling pipeline was refitted"
            .to_owned(),
        "patients are shared between splits: the spread shows what the draw decides, it is no interval of the AUC"
            .to_owned(),
    ];
    sheet("Random splits", &headings, models.iter().map(row).collect(), notes)
}

/// A model, how often each name was chosen in its resamples, and how many resamples there were.
pub type Chosen = (String, Vec<(String, usize)>, usize);

/// How often each name was chosen over bootstrap samples: model, names with counts, samples.
pub fn selection(models: &[Chosen]) -> Sheet {
    let of = |(model, chosen, samples): &(String, Vec<(String, usize)>, usize)| {
        let row = |(name, n): &(String, usize)| {
            vec![Cell::Text(model.clone()), Cell::Text(name.clone()), Cell::CountPercent { n: *n, of: *samples }]
        };
        chosen.iter().map(row).collect::<Vec<_>>()
    };
    let notes = vec![
        "in how many bootstrap samples of the training patients the entire pipeline chose it; of the radiomics model, the \
         region that gave the Rad-score"
            .to_owned(),
    ];
    sheet("Selection frequencies", &["Model", "Chosen", "Samples, n (%)"], models.iter().flat_map(of).collect(), notes)
}

/// Models side by side by nested cross-validation; `seconds` are those of one fit, by the model's name.
pub fn comparison(models: &[Judged], seconds: &[(String, f64)]) -> Sheet {
    let row = |it: &Judged| {
        let auc = it.auc.map_or(Cell::Empty, |auc| Cell::Interval {
            estimate: auc.auc,
            low: auc.ci[0],
            high: auc.ci[1],
            digits: 3,
        });
        vec![
            Cell::Text(it.name.clone()),
            auc,
            Cell::number(it.auc.map(|auc| auc.monte_carlo), 4),
            Cell::number(it.brier, 3),
            Cell::number(it.intercept, 3),
            Cell::number(it.slope, 3),
            Cell::number(it.stability, 3),
            Cell::number(seconds.iter().find(|(name, _)| *name == it.name).map(|(_, seconds)| *seconds), 3),
            Cell::Count(it.n_missing),
        ]
    };
    let headings = [
        "Model",
        "AUC (95% CI)",
        "Monte Carlo error",
        "Brier",
        "Calibration intercept",
        "Calibration slope",
        "Stability",
        "Seconds",
        "Without a probability",
    ];
    let repeats = models.iter().filter_map(|it| it.auc).map(|auc| auc.repeats).max().unwrap_or(0);
    let notes = vec![
        format!(
            "held-out probabilities of the training patients in {repeats} repeats of nested cross-validation, the same folds \
             for all; no test patient has a part in it"
        ),
        "interval: DeLong's, widened for folds that share training patients (Nadeau and Bengio 2003, Bouckaert and Frank \
         2004); Monte Carlo error: of the mean AUC over repeats"
            .to_owned(),
        "stability: how alike the features or variables are that were chosen in all folds of all repeats (Nogueira et al. \
         2018): 1 is always the same, 0 by chance; seconds: one fit to the training patients, of the radiomics model with \
         its selection, from which the other learners begin"
            .to_owned(),
        "LASSO score: the linear score of the region that gives the Rad-score, between 0 and 1; ridge logistic: on the \
         features that entered its LASSO, the penalty by corrected AIC; volume alone: logistic regression on the logarithm \
         of the tumor's volume; no model: the share of events in training"
            .to_owned(),
    ];
    let mut notes = notes;
    for learner in Learner::BESIDE.iter().filter(|learner| models.iter().any(|it| it.name == learner.name())) {
        let from = match learner {
            Learner::ElasticNet => "the features that entered LASSO",
            Learner::Forest | Learner::Svm => "the features that LASSO chose",
        };
        let (name, label) = (learner.name(), learner.label());
        notes.push(format!("{name}: {label} on {from} in the region that gives the Rad-score"));
    }
    sheet("Comparison of learners", &headings, models.iter().map(row).collect(), notes)
}

/// Net benefit of every probability at some thresholds, of treating everybody and of treating nobody.
pub fn net_benefits(rows: &[Scored]) -> Sheet {
    let thresholds: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
    let row = |set: &str, model: &str, of: &dyn Fn(usize) -> f64| {
        let mut row = vec![Cell::Text(set.to_owned()), Cell::Text(model.to_owned())];
        row.extend((0..thresholds.len()).map(|at| Cell::Number { value: of(at), digits: 3 }));
        row
    };
    let mut cells = Vec::new();
    for (at, scored) in rows.iter().enumerate() {
        let curve = decision::curve(&scored.event, &scored.score, &thresholds);
        if scored.is_probability() {
            cells.push(row(&scored.set, &scored.model, &|at| curve[at].model));
        }
        if rows.get(at + 1).is_none_or(|next| next.set != scored.set) {
            cells.push(row(&scored.set, "treat all", &|at| curve[at].all));
            cells.push(row(&scored.set, "treat none", &|_| 0.0));
        }
    }
    let headings: Vec<String> = thresholds.iter().map(|t| format!("at {t}")).collect();
    let headings: Vec<&str> = ["Set", "Model"].into_iter().chain(headings.iter().map(String::as_str)).collect();
    let mut notes = vec!["probabilities of at least the threshold are treated".to_owned()];
    notes.extend(rows.iter().filter_map(no_probability));
    sheet("Net benefit", &headings, cells, notes)
}
