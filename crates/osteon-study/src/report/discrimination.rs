//! ROC analysis of scores as JSON and as a sheet.

use serde_json::{Map, Value, json};

use crate::report::sheet::{Cell, Sheet};
use crate::report::uncertainty::few_resamples;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::bootstrap::{self, AreaDifference, AucOfRows};
use osteon_stats::evaluate::precision_recall;
use osteon_stats::evaluate::roc::{self, Auc, Confusion, Paired, Point};
use osteon_stats::evaluate::roc_band::{self, Limits};
use osteon_stats::stats::proportion::{clopper_pearson, wilson};

/// Scores on the same rows, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Discrimination {
    pub n: usize,
    pub events: usize,
    pub scores: Vec<Score>,
    /// Names and test of each pair.
    pub comparisons: Vec<(String, String, Option<Paired>)>,
    /// The same differences by bootstrap; `None` where it was left out or gives none.
    pub by_bootstrap: Vec<Option<AreaDifference>>,
    pub direction: Direction,
    /// 0 where the bootstrap was left out.
    pub replicates: usize,
    pub seed: Seed,
}

/// Which values mean the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    High,
    Low,
}

impl Direction {
    /// As in JSON and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Direction::High => "high",
            Direction::Low => "low",
        }
    }
}

/// How scores are analysed.
#[derive(Clone, Debug, PartialEq)]
pub struct HowScored {
    pub direction: Direction,
    /// Resamples of the bootstrap; `None`: as many as usual, on up to `BOOTSTRAP_ROWS` rows.
    pub replicates: Option<usize>,
    pub seed: Seed,
}

/// One score.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub name: String,
    pub auc: Auc,
    /// The cut-off of the largest Youden index, on the score's own scale, and the calls there; `None` where no cut-off
    /// has one above 0.
    pub youden: Option<(Point, Confusion)>,
    pub at_half: Confusion,
    /// All values are between 0 and 1: the people's table then has the cut at 0.5 too.
    pub is_probability: bool,
    /// Percentile and BCa interval of the area.
    pub bootstrap: [Option<[f64; 2]>; 2],
    pub average_precision: Option<f64>,
    /// Pointwise limits of the sensitivity at tenths of the specificity; empty without a bootstrap.
    pub band: Vec<Limits>,
}

/// Above this size the jackknife of BCa, quadratic in the rows, is left out.
const BCA_ROWS: usize = 2000;
/// Above this size the bootstrap is made only when it is asked for: 2,000 resamples of more rows take seconds.
pub const BOOTSTRAP_ROWS: usize = 20_000;

/// `None` unless there are rows with and without the event.
pub fn discrimination(
    scores: &[(String, Vec<f64>)],
    event: &[bool],
    how: &HowScored,
    job: &Job,
) -> Result<Option<Discrimination>, Cancelled> {
    let usual = if event.len() <= BOOTSTRAP_ROWS { bootstrap::Params::default().replicates } else { 0 };
    let params = bootstrap::Params { replicates: how.replicates.unwrap_or(usual) };
    let sign = if how.direction == Direction::High { 1.0 } else { -1.0 };
    let tenths: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
    let (mut done, mut turned) = (Vec::new(), Vec::new());
    for (name, given) in scores {
        // Turned round where low values mean the event; thresholds are turned back.
        let values: Vec<f64> = given.iter().map(|value| sign * value).collect();
        let Some(auc) = roc::auc(&values, event) else { return Ok(None) };
        let youden = roc::youden(&roc::curve(&values, event)).map(|point| {
            let called = roc::confusion(&values, event, point.threshold);
            (Point { threshold: sign * point.threshold, ..point }, called)
        });
        // All scores of a seed see the same resamples.
        let rows = AucOfRows::new(&values, event);
        let replicates = bootstrap::distribution(event, &params, how.seed.named("roc"), job, |drawn| rows.of(drawn))?;
        let bca = if event.len() <= BCA_ROWS && !replicates.is_empty() {
            bootstrap::bca(auc.auc, &replicates, &leave_one_out(&rows, event.len()))
        } else {
            None
        };
        // Resamples that all have the same area give an interval without width, which is none.
        let percentile = bootstrap::percentile(&replicates).filter(|[low, high]| low < high);
        done.push(Score {
            name: name.clone(),
            youden,
            at_half: roc::confusion(&values, event, sign * 0.5),
            is_probability: given.iter().all(|value| (0.0..=1.0).contains(value)),
            bootstrap: [percentile, bca.filter(|[low, high]| low < high)],
            average_precision: precision_recall::average_precision(&values, event),
            band: match params.replicates {
                0 => Vec::new(),
                _ => roc_band::band(&values, event, &tenths, &params, how.seed.named("roc"), job)?,
            },
            auc,
        });
        turned.push(values);
    }
    let pairs = (0..done.len()).flat_map(|a| (a + 1..done.len()).map(move |b| (a, b)));
    let compared =
        |(a, b): (usize, usize)| (done[a].name.clone(), done[b].name.clone(), roc::paired(&done[a].auc, &done[b].auc));
    let comparisons = pairs.clone().map(compared).collect();
    let mut by_bootstrap = Vec::new();
    for (a, b) in pairs {
        let areas: [AucOfRows; 2] = [a, b].map(|at| AucOfRows::new(&turned[at], event));
        by_bootstrap.push(match params.replicates {
            0 => None,
            _ => bootstrap::area_difference(&areas[0], &areas[1], &params, how.seed.named("roc"), job)?,
        });
    }
    Ok(Some(Discrimination {
        n: event.len(),
        events: event.iter().filter(|&&event| event).count(),
        scores: done,
        comparisons,
        by_bootstrap,
        direction: how.direction,
        replicates: params.replicates,
        seed: how.seed,
    }))
}

/// The area without each row in turn; rows without which there is no area are left out.
fn leave_one_out(areas: &AucOfRows, n: usize) -> Vec<f64> {
    let without = |row: usize| areas.of(&(0..n).filter(|&other| other != row).collect::<Vec<_>>());
    (0..n).filter_map(without).collect()
}

impl Discrimination {
    /// `n`, `events`, `direction`, `scores` and `comparisons`; what is undefined is null, `youden` where no cut-off has an
    /// index above 0. `ci_method` is `delong` or, where that has no width, `newcombe`.
    pub fn json(&self) -> Value {
        let score = |score: &Score| {
            let youden = score.youden.map(|(point, called)| measures(point.threshold, &called));
            let (ci, method) = score.auc.interval();
            json!({
                "name": score.name,
                "auc": score.auc.auc,
                "average_precision": score.average_precision,
                "band": score.band.iter().map(|it| json!({
                    "specificity": it.specificity, "sensitivity": it.sensitivity, "low": it.low, "high": it.high,
                })).collect::<Vec<_>>(),
                "se": score.auc.se(),
                "ci": ci,
                "ci_method": method.key(),
                "youden": youden,
                "at_0.5": measures(0.5, &score.at_half),
                "bootstrap": {
                    "replicates": self.replicates, "seed": self.seed.0,
                    "percentile": score.bootstrap[0], "bca": score.bootstrap[1],
                },
            })
        };
        let comparison = |((a, b, test), drawn): (&(String, String, Option<Paired>), &Option<AreaDifference>)| {
            json!({
                "bootstrap": drawn.map(|it| json!({ "se": it.se, "ci": it.ci, "z": it.z, "p": it.p })),
                "a": a,
                "b": b,
                "difference": test.map(|test| test.difference),
                "se": test.map(|test| test.se),
                "z": test.and_then(|test| test.z),
                "p": test.and_then(|test| test.p),
            })
        };
        json!({
            "n": self.n,
            "events": self.events,
            "direction": self.direction.key(),
            "scores": self.scores.iter().map(score).collect::<Vec<_>>(),
            "comparisons": self.comparisons.iter().zip(&self.by_bootstrap).map(comparison).collect::<Vec<_>>(),
        })
    }

    /// One row a score and cut-off.
    pub fn sheet(&self, title: String) -> Sheet {
        let headings = [
            "Score",
            "AUC (95% CI)",
            "SE",
            "Bootstrap CI",
            "Cut-off",
            "Accuracy",
            "Sensitivity",
            "Specificity",
            "Precision",
            "F1",
        ];
        let mut rows = Vec::new();
        for score in &self.scores {
            let ([low, high], _) = score.auc.interval();
            let area = Cell::Interval { estimate: score.auc.auc, low, high, digits: 3 };
            let interval = score.bootstrap[0].map_or(Cell::Empty, |[low, high]| Cell::Range { low, high, digits: 3 });
            let head = [Cell::Text(score.name.clone()), area, Cell::number(score.auc.se(), 4), interval];
            let at = score.youden.map_or(vec![Cell::Empty; 6], |(point, called)| cut(point.threshold, &called));
            rows.push(head.into_iter().chain(at).collect());
            if score.is_probability {
                let head = [Cell::Text(format!("{} at 0.5", score.name)), Cell::Empty, Cell::Empty, Cell::Empty];
                rows.push(head.into_iter().chain(cut(0.5, &score.at_half)).collect());
            }
        }
        let mut notes = vec![format!(
            "{} rows, {} events; DeLong's intervals; cut-off by Youden's index: {} mean the event",
            self.n,
            self.events,
            match self.direction {
                Direction::High => "scores of at least the cut-off",
                Direction::Low => "scores of at most the cut-off",
            }
        )];
        notes.push(match self.replicates {
            0 if self.n > BOOTSTRAP_ROWS => {
                format!("no bootstrap on more than {BOOTSTRAP_ROWS} rows unless --replicates asks for it")
            }
            0 => "no bootstrap".to_owned(),
            n => format!("stratified bootstrap, {n} replicates, seed {}, percentiles", self.seed.0),
        });
        notes.extend(few_resamples(self.replicates));
        for score in &self.scores {
            notes.extend(score.average_precision.map(|area| {
                format!("{}: average precision {}", score.name, osteon_stats::stats::text::fixed(area, 3))
            }));
            notes.extend(self.cautions(score));
        }
        for ((a, b, test), drawn) in self.comparisons.iter().zip(&self.by_bootstrap) {
            let text = match test.and_then(|test| Some((test.z?, test.p?))) {
                Some((z, p)) => {
                    format!("z {}, p {}", osteon_stats::stats::text::fixed(z, 3), osteon_stats::stats::text::p_text(p))
                }
                None => "the difference has no variance".to_owned(),
            };
            notes.push(format!("{a} against {b}, DeLong: {text}"));
            notes.extend(drawn.map(|it| {
                let fixed = osteon_stats::stats::text::fixed;
                format!(
                    "{a} against {b}, bootstrap: difference {} (95% CI {} to {}), z {}, p {}",
                    fixed(it.difference, 3),
                    fixed(it.ci[0], 3),
                    fixed(it.ci[1], 3),
                    fixed(it.z, 3),
                    osteon_stats::stats::text::p_text(it.p)
                )
            }));
        }
        Sheet { title, headings: headings.map(str::to_owned).to_vec(), rows, notes, provenance: Vec::new() }
    }
}

impl Discrimination {
    /// What a reader of one score's row must know.
    fn cautions(&self, score: &Score) -> Vec<String> {
        let (name, mut said) = (&score.name, Vec::new());
        if score.auc.auc < 0.5 {
            let (turned, values) = match self.direction {
                Direction::High => ("low", "low"),
                Direction::Low => ("high", "high"),
            };
            said.push(format!(
                "{name}: the AUC is below one half: {values} values go with the event; --direction {turned} turns it"
            ));
        }
        if score.auc.interval().1 == roc::Interval::Newcombe {
            said.push(format!(
                "{name}: {}; the interval is Newcombe's (method 5, 2006)",
                match score.auc.se() {
                    None => "DeLong's variance does not exist with a single row in a group",
                    Some(_) => "DeLong's interval has no width here",
                }
            ));
        }
        if score.youden.is_none() {
            said.push(format!("{name}: no cut-off has a Youden index above 0"));
        }
        if self.replicates > 0 && score.bootstrap[0].is_none() {
            said.push(format!("{name}: no bootstrap interval, all resamples have the same AUC"));
        }
        said
    }
}

fn cut(threshold: f64, confusion: &Confusion) -> Vec<Cell> {
    let mut cells = vec![Cell::Number { value: threshold, digits: 3 }];
    let measures =
        [confusion.accuracy(), confusion.sensitivity(), confusion.specificity(), confusion.precision(), confusion.f1()];
    cells.extend(measures.map(|value| Cell::number(value, 3)));
    cells
}

/// Everything of one cut-off, with Wilson and Clopper-Pearson intervals of the proportions.
fn measures(threshold: f64, confusion: &Confusion) -> Map<String, Value> {
    let counts = [("tp", confusion.tp), ("fn", confusion.fn_), ("tn", confusion.tn), ("fp", confusion.fp)]
        .map(|(k, v)| (k, v.into()));
    let values = [
        ("accuracy", confusion.accuracy()),
        ("sensitivity", confusion.sensitivity()),
        ("specificity", confusion.specificity()),
        ("precision", confusion.precision()),
        ("npv", confusion.npv()),
        ("f1", confusion.f1()),
        ("balanced_accuracy", confusion.balanced_accuracy()),
        ("mcc", confusion.mcc()),
        ("kappa", confusion.kappa()),
    ];
    let interval = |(name, x, n): roc::Share| {
        (name.to_owned(), json!({ "wilson": wilson(x, n), "clopper_pearson": clopper_pearson(x, n) }))
    };
    let intervals: Map<String, Value> = confusion.shares().into_iter().map(interval).collect();
    let mut all: Map<String, Value> = Map::new();
    all.insert("threshold".into(), threshold.into());
    all.extend(counts.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    all.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    all.insert("ci".into(), intervals.into());
    all
}
