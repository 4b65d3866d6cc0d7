//! How sure the evaluation of scores is: calibration with intervals and curves, net benefit and its differences, bands
//! of ROC curves, differences of AUCs by bootstrap, precision and recall.

use crate::report::performance::Scored;
use crate::report::sheet::{Cell, Sheet};
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::bootstrap::{self, AucOfRows, Params};
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::evaluate::decision::{self, Uncertain};
use osteon_stats::evaluate::flexible::{self, Point};
use osteon_stats::evaluate::roc::Wanted;
use osteon_stats::evaluate::{precision_recall, roc, roc_band, smooth};
use osteon_stats::stats::text::fixed;

/// What is asked of the evaluation beyond one threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct How {
    /// Threshold probabilities of the net benefit.
    pub thresholds: Vec<f64>,
    /// An operating point that is fixed where cut-offs are learnt.
    pub wanted: Option<Wanted>,
    /// Resamples of intervals by bootstrap.
    pub replicates: usize,
    pub seed: Seed,
}

impl Default for How {
    fn default() -> Self {
        let thresholds = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
        How { thresholds, wanted: None, replicates: Params::default().replicates, seed: Seed(1) }
    }
}

/// Above this size resamples of whole curves are left out.
const BOOTSTRAP_ROWS: usize = 20_000;

/// All sheets of this room, those without rows left out.
pub fn sheets(rows: &[Scored], how: &How, job: &Job) -> Result<Vec<Sheet>, Cancelled> {
    let both = |scored: &&Scored| scored.event.contains(&true) && scored.event.contains(&false);
    let judged: Vec<&Scored> = rows.iter().filter(both).collect();
    let probabilities: Vec<&Scored> = judged.iter().copied().filter(|scored| scored.is_probability()).collect();
    let sheets = vec![
        calibration_intervals(&probabilities),
        calibration_curves(&probabilities),
        net_benefits(&probabilities, how, job)?,
        net_benefit_differences(&probabilities, how, job)?,
        areas(&judged, how, job)?,
        bands(&judged, how, job)?,
        precision_recall(&judged, how, job)?,
    ];
    Ok(sheets.into_iter().filter(|sheet| !sheet.rows.is_empty()).collect())
}

fn sheet(title: &str, first: &[&str], then: Vec<String>, rows: Vec<Vec<Cell>>, notes: Vec<String>) -> Sheet {
    let headings = first.iter().map(|heading| (*heading).to_owned()).chain(then).collect();
    Sheet { title: title.to_owned(), headings, rows, notes, provenance: Vec::new() }
}

fn head(scored: &Scored) -> Vec<Cell> {
    vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone())]
}

fn interval(estimate: f64, [low, high]: [f64; 2]) -> Cell {
    Cell::Interval { estimate, low, high, digits: 3 }
}

/// Intercept, slope, calibration in the large and observed over expected events.
fn calibration_intervals(rows: &[&Scored]) -> Sheet {
    let row = |scored: &&Scored| {
        let found = calibration(&scored.event, &scored.score)?;
        let mut row = head(scored);
        let fit = found.recalibration;
        row.push(fit.map_or(Cell::Empty, |fit| interval(fit.intercept, fit.intercept_ci())));
        row.push(fit.map_or(Cell::Empty, |fit| interval(fit.slope, fit.slope_ci())));
        let large = found.in_the_large.zip(found.in_the_large_ci());
        row.push(large.map_or(Cell::Empty, |((a, _), ci)| interval(a, ci)));
        let ratio = found.oe_ratio.zip(found.oe_ci());
        row.push(ratio.map_or(Cell::Empty, |(ratio, ci)| interval(ratio, ci)));
        row.push(Cell::number(found.loess.map(|errors| errors.mean), 3));
        row.push(Cell::number(found.eci, 3));
        Some(row)
    };
    let then = ["Intercept (95% CI)", "Slope (95% CI)", "In the large (95% CI)", "O/E (95% CI)", "ICI", "ECI"];
    let note = "Wald 95% CI; O/E on the logarithmic scale. A slope below 1: probabilities too extreme, as of a model \
                that overfits; in the large above 0: too low on average";
    sheet(
        "Calibration with intervals",
        &["Set", "Model"],
        then.map(str::to_owned).to_vec(),
        rows.iter().filter_map(row).collect(),
        vec![note.to_owned()],
    )
}

/// Where calibration curves are told in numbers: tenths.
fn tenths() -> Vec<f64> {
    (1..10).map(|tenth| f64::from(tenth) / 10.0).collect()
}

/// Both flexible curves at tenths of the probability, between the smallest and the largest.
fn calibration_curves(rows: &[&Scored]) -> Sheet {
    let mut cells = Vec::new();
    let mut notes = vec![
        "observed share of events at a predicted probability, 95% band: loess of degree 2 and span 0.75 with normal \
         limits; logistic regression on a restricted cubic spline of the logit (3 knots below 30 rows, 4 below 100, else \
         5) with Wald's"
            .to_owned(),
    ];
    for scored in rows {
        let low = scored.score.iter().copied().fold(f64::INFINITY, f64::min);
        let high = scored.score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let at: Vec<f64> = tenths().into_iter().filter(|at| (low..=high).contains(at)).collect();
        let loess = flexible::loess(&scored.event, &scored.score, &at);
        let spline = flexible::spline(&scored.event, &scored.score, &at).map(|spline| spline.points);
        for (name, points) in [("loess", loess), ("spline", spline)] {
            let Some(points) = points else {
                let why = match name {
                    "loess" if scored.score.len() > smooth::LOESS_ERRORS => {
                        format!("no standard errors on more than {} rows", smooth::LOESS_ERRORS)
                    }
                    "loess" => "too few different probabilities".to_owned(),
                    _ => "too few different probabilities, or they separate the events".to_owned(),
                };
                notes.push(format!("{}, {}: no {name} curve: {why}", scored.model, scored.set));
                continue;
            };
            let mut row = head(scored);
            row.push(Cell::Text(name.to_owned()));
            let cell =
                |point: &Point| interval(point.observed, [point.low.clamp(0.0, 1.0), point.high.clamp(0.0, 1.0)]);
            let of = |at: f64| points.iter().find(|point| point.predicted == at).map_or(Cell::Empty, cell);
            row.extend(tenths().into_iter().map(of));
            cells.push(row);
        }
    }
    let then = tenths().iter().map(|at| format!("at {at}")).collect();
    sheet("Calibration curves", &["Set", "Model", "Curve"], then, cells, notes)
}

fn limits(of: &[Uncertain]) -> Vec<Cell> {
    of.iter().map(|it| interval(it.value, it.ci)).collect()
}

fn at(thresholds: &[f64]) -> Vec<String> {
    thresholds.iter().map(|threshold| format!("at {threshold}")).collect()
}

/// What must be known of limits from few resamples.
pub fn few_resamples(replicates: usize) -> Option<String> {
    /// One in forty is the 2.5 % quantile.
    const ENOUGH: usize = 40;
    (1..ENOUGH).contains(&replicates).then(|| {
        format!(
            "{replicates} resamples are too few for percentile limits: a 2.5 % quantile takes {ENOUGH}, to publish 2000"
        )
    })
}

fn resampled(how: &How) -> String {
    if how.replicates == 0 {
        return "Wald 95% CI: no resamples were drawn".to_owned();
    }
    format!(
        "95% percentile limits of {} resamples of all rows, seed {}; of more than {} rows Wald's",
        how.replicates,
        how.seed.0,
        decision::BOOTSTRAP_ROWS
    )
}

fn params(how: &How) -> Params {
    Params { replicates: how.replicates }
}

/// Net benefit with limits.
fn net_benefits(rows: &[&Scored], how: &How, job: &Job) -> Result<Sheet, Cancelled> {
    let seed = how.seed.named("net benefit");
    let mut cells = Vec::new();
    for scored in rows {
        let found = decision::benefits(&scored.event, &scored.score, &how.thresholds, &params(how), seed, job)?;
        cells.push([head(scored), limits(&found)].concat());
    }
    let notes = vec![resampled(how)];
    Ok(sheet("Net benefit with intervals", &["Set", "Model"], at(&how.thresholds), cells, notes))
}

/// Two scores, the events of the rows that have both, and both on these rows.
type Pair<'a> = (&'a Scored, &'a Scored, Vec<bool>, [Vec<f64>; 2]);

/// Pairs of scores in one set, on the rows that have both.
fn pairs<'a>(rows: &[&'a Scored]) -> Vec<Pair<'a>> {
    let mut found = Vec::new();
    for (place, first) in rows.iter().enumerate() {
        for second in rows[place + 1..].iter().filter(|second| second.set == first.set) {
            let of = |row: &usize| Some((first.kept.binary_search(row).ok()?, second.kept.binary_search(row).ok()?));
            let shared: Vec<(usize, usize)> = first.kept.iter().filter_map(of).collect();
            let event: Vec<bool> = shared.iter().map(|(a, _)| first.event[*a]).collect();
            if event.contains(&true) && event.contains(&false) {
                let scores = [
                    shared.iter().map(|(a, _)| first.score[*a]).collect(),
                    shared.iter().map(|(_, b)| second.score[*b]).collect(),
                ];
                found.push((*first, *second, event, scores));
            }
        }
    }
    found
}

fn net_benefit_differences(rows: &[&Scored], how: &How, job: &Job) -> Result<Sheet, Cancelled> {
    let seed = how.seed.named("net benefit");
    let mut cells = Vec::new();
    for (first, second, event, [a, b]) in pairs(rows) {
        let found = decision::differences(&event, [&a, &b], &how.thresholds, &params(how), seed, job)?;
        let names = [&first.set, &first.model, &second.model].map(|text| Cell::Text(text.clone()));
        cells.push([names.to_vec(), limits(&found)].concat());
    }
    let notes = vec![format!("first less second on the same rows; {}", resampled(how))];
    let first = ["Set", "First", "Second"];
    Ok(sheet("Differences of net benefit", &first, at(&how.thresholds), cells, notes))
}

/// Differences of AUCs, by bootstrap and by DeLong.
fn areas(rows: &[&Scored], how: &How, job: &Job) -> Result<Sheet, Cancelled> {
    let seed = how.seed.named("roc");
    let mut cells = Vec::new();
    for (first, second, event, [a, b]) in pairs(rows).into_iter().filter(|pair| pair.2.len() <= BOOTSTRAP_ROWS) {
        let areas = (AucOfRows::new(&a, &event), AucOfRows::new(&b, &event));
        let found = bootstrap::area_difference(&areas.0, &areas.1, &params(how), seed, job)?;
        let delong = roc::auc(&a, &event).zip(roc::auc(&b, &event)).and_then(|(a, b)| roc::paired(&a, &b));
        let mut row = [&first.set, &first.model, &second.model].map(|text| Cell::Text(text.clone())).to_vec();
        row.push(found.map_or(Cell::number(delong.map(|it| it.difference), 3), |it| interval(it.difference, it.ci)));
        row.extend([Cell::number(found.map(|it| it.z), 3), Cell::p(found.map(|it| it.p))]);
        row.extend([Cell::number(delong.and_then(|it| it.z), 3), Cell::p(delong.and_then(|it| it.p))]);
        cells.push(row);
    }
    let then = ["AUC difference (95% CI)", "Z (bootstrap)", "P (bootstrap)", "Z (DeLong)", "P (DeLong)"];
    let note = match how.replicates {
        0 => "first less second on the same rows; no resamples were drawn: no interval, DeLong's test alone".to_owned(),
        n => format!(
            "first less second on the same rows; percentile limits of {n} resamples within outcomes, seed {}; Z over the \
             standard deviation of the resamples",
            how.seed.0
        ),
    };
    Ok(sheet("Differences of AUC", &["Set", "First", "Second"], then.map(str::to_owned).to_vec(), cells, vec![note]))
}

/// Sensitivity at tenths of the specificity.
fn bands(rows: &[&Scored], how: &How, job: &Job) -> Result<Sheet, Cancelled> {
    let mut cells = Vec::new();
    let drawn = |scored: &&&Scored| how.replicates > 0 && scored.event.len() <= BOOTSTRAP_ROWS;
    for scored in rows.iter().filter(drawn) {
        let band = roc_band::band(&scored.score, &scored.event, &tenths(), &params(how), how.seed.named("roc"), job)?;
        let of = |at: f64| band.iter().find(|limits| limits.specificity == at);
        let cell = |at: f64| of(at).map_or(Cell::Empty, |it| interval(it.sensitivity, [it.low, it.high]));
        cells.push([head(scored), tenths().into_iter().map(cell).collect()].concat());
    }
    let then = tenths().iter().map(|at| format!("at specificity {at}")).collect();
    let note = format!(
        "sensitivity with pointwise 95% limits: percentiles of {} resamples within outcomes, seed {}",
        how.replicates, how.seed.0
    );
    Ok(sheet("Sensitivity along the ROC curve", &["Set", "Model"], then, cells, vec![note]))
}

/// Average precision beside what chance gives.
fn precision_recall(rows: &[&Scored], how: &How, job: &Job) -> Result<Sheet, Cancelled> {
    let mut cells = Vec::new();
    for scored in rows {
        let Some(area) = precision_recall::average_precision(&scored.score, &scored.event) else { continue };
        let of = |rows: &[usize]| {
            let event: Vec<bool> = rows.iter().map(|&row| scored.event[row]).collect();
            let score: Vec<f64> = rows.iter().map(|&row| scored.score[row]).collect();
            precision_recall::average_precision(&score, &event)
        };
        let few = Params { replicates: if scored.event.len() > BOOTSTRAP_ROWS { 0 } else { how.replicates } };
        let drawn = bootstrap::distribution(&scored.event, &few, how.seed.named("roc"), job, of)?;
        let ci = bootstrap::percentile(&drawn);
        let events = scored.event.iter().filter(|&&event| event).count();
        let mut row = head(scored);
        row.push(ci.map_or(Cell::number(Some(area), 3), |ci| interval(area, ci)));
        row.push(Cell::Number { value: events as f64 / scored.event.len() as f64, digits: 3 });
        let best = precision_recall::curve(&scored.score, &scored.event);
        for recall in [0.5, 0.8, 0.95] {
            let reached = best.iter().filter(|point| point.recall >= recall).map(|point| point.precision);
            row.push(Cell::number(reached.reduce(f64::max), 3));
        }
        cells.push(row);
    }
    let then = ["Average precision (95% CI)", "Share of events"].map(str::to_owned).into_iter();
    let then = then.chain([0.5, 0.8, 0.95].map(|at| format!("Precision at recall {}", fixed(at, 2)))).collect();
    let limits = match how.replicates {
        0 => "no limits, since no resamples were drawn".to_owned(),
        n => {
            format!("limits are percentiles of {n} resamples within outcomes, none of more than {BOOTSTRAP_ROWS} rows")
        }
    };
    let notes = vec![format!(
        "average precision as scikit-learn, without interpolation; a score without any relation to the event has the share \
         of events; {limits}"
    )];
    Ok(sheet("Precision and recall", &["Set", "Model"], then, cells, notes))
}
