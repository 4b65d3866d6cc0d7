//! Survival and incidence curves of groups as JSON, sheets and a figure.

use serde_json::{Value, json};

use crate::report::figure::{Figure, Paper, kaplan_meier as figure};
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::text::{fixed, p_text};
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::incidence::{Gray, Incidence, cumulative_incidence, gray};
use osteon_stats::survival::kaplan_meier::{Curve, Interval, Quantile, kaplan_meier, numbers_at_risk};
use osteon_stats::survival::log_rank::{LogRank, Weight, log_rank};

/// What curves are drawn of.
pub struct CurvesOf<'a> {
    pub follow_up: &'a FollowUp,
    /// Whether a row ended with a competing event; `None` without such events.
    pub competing: Option<&'a [bool]>,
    /// The number of each row's group.
    pub group: &'a [usize],
    pub names: Vec<String>,
    pub strata: Option<&'a [usize]>,
    pub at: &'a [f64],
    pub interval: Interval,
}

/// Curves of groups and their comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    pub groups: Vec<Group>,
    /// Times at which survival is stated.
    pub at: Vec<f64>,
    /// Times of the table of numbers at risk, and their numbers for each group.
    pub ticks: Vec<f64>,
    pub at_risk: Vec<Vec<usize>>,
    pub tests: Vec<(&'static str, LogRank)>,
    pub gray: Option<Gray>,
    pub interval: Interval,
    pub stratified: bool,
    pub median_follow_up: Option<f64>,
}

/// One group's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    pub curve: Curve,
    pub median: Quantile,
    pub last: f64,
    /// With competing events: the incidence of the event.
    pub incidence: Option<Incidence>,
    pub competing: usize,
}

const LEVEL: f64 = 0.95;

impl Curves {
    pub fn new(of: CurvesOf) -> Curves {
        let last = of.follow_up.times().iter().copied().fold(0.0, f64::max);
        let ticks = ticks(last);
        let at: Vec<f64> = if of.at.is_empty() { ticks[1..].to_vec() } else { of.at.to_vec() };
        let (mut groups, mut at_risk) = (Vec::new(), Vec::new());
        for (number, name) in of.names.iter().enumerate() {
            let rows: Vec<usize> = (0..of.group.len()).filter(|&row| of.group[row] == number).collect();
            let part = of.follow_up.select(&rows).expect("a group has a row");
            let curve = kaplan_meier(&part);
            let competing: Option<Vec<bool>> = of.competing.map(|all| rows.iter().map(|&row| all[row]).collect());
            at_risk.push(numbers_at_risk(&part, &ticks));
            groups.push(Group {
                name: name.clone(),
                median: curve.median(of.interval, LEVEL),
                last: part.times().iter().copied().fold(0.0, f64::max),
                incidence: competing.as_ref().map(|competing| cumulative_incidence(&part, competing)),
                competing: competing.map_or(0, |all| all.iter().filter(|&&it| it).count()),
                curve,
            });
        }
        let k = of.names.len();
        let weights = [
            ("Log-rank", Weight::LogRank),
            ("Gehan-Breslow", Weight::Gehan),
            ("Tarone-Ware", Weight::TaroneWare),
            ("Peto-Peto", Weight::FlemingHarrington { rho: 1.0, gamma: 0.0 }),
            ("Fleming-Harrington (0, 1)", Weight::FlemingHarrington { rho: 0.0, gamma: 1.0 }),
        ];
        let compare = |(name, weight)| (name, log_rank(of.follow_up, of.group, k, of.strata, weight));
        let tests = if k > 1 && of.competing.is_none() { weights.map(compare).to_vec() } else { Vec::new() };
        let ended: Vec<bool> = (0..of.follow_up.len())
            .map(|row| of.follow_up.events()[row] || of.competing.is_some_and(|all| all[row]))
            .collect();
        let reversed = of.follow_up.with_events(ended.iter().map(|ended| !ended).collect());
        Curves {
            gray: of.competing.and_then(|competing| gray(of.follow_up, competing, of.group, k, of.strata)),
            median_follow_up: kaplan_meier(&reversed).median(of.interval, LEVEL).time,
            stratified: of.strata.is_some(),
            interval: of.interval,
            groups,
            at,
            ticks,
            at_risk,
            tests,
        }
    }

    fn competes(&self) -> bool {
        self.groups.iter().any(|group| group.incidence.is_some())
    }

    /// `groups` with every step of the curves, `at` for stated times, `tests`, `at_risk`. What is undefined is null.
    pub fn json(&self) -> Value {
        let group = |(group, at_risk): (&Group, &Vec<usize>)| {
            let step = |point: &osteon_stats::survival::kaplan_meier::Point| {
                json!({
                    "time": point.time, "at_risk": point.at_risk, "events": point.events, "censored": point.censored,
                    "survival": point.survival, "se_ln": Some(point.se_ln).filter(|se| se.is_finite()),
                    "ci": point.limits(self.interval, LEVEL), "cumulative_hazard": point.hazard,
                })
            };
            let stated = |&time: &f64| {
                let landmark = group.curve.at(time, self.interval, LEVEL);
                json!({
                    "time": time, "at_risk": landmark.at_risk, "survival": landmark.survival, "ci": landmark.limits,
                    "beyond_follow_up": time > group.last,
                })
            };
            let incidence = group.incidence.as_ref().map(|incidence| {
                let at = |&time: &f64| {
                    let (value, variance) = incidence.at(time);
                    json!({ "time": time, "incidence": value, "se": variance.sqrt(), "ci": incidence.limits(time) })
                };
                let step = |point: &osteon_stats::survival::incidence::IncidencePoint| {
                    json!({
                        "time": point.time, "at_risk": point.at_risk, "events": point.events,
                        "incidence": point.incidence, "variance": point.variance,
                    })
                };
                json!({
                    "at": self.at.iter().map(at).collect::<Vec<_>>(),
                    "curve": incidence.points.iter().map(step).collect::<Vec<_>>(),
                })
            });
            json!({
                "name": group.name,
                "n": group.curve.n,
                "events": group.curve.events,
                "competing": self.competes().then_some(group.competing),
                "median": { "time": group.median.time, "ci": [group.median.lower, group.median.upper] },
                "at": self.at.iter().map(stated).collect::<Vec<_>>(),
                "at_risk": self.ticks.iter().zip(at_risk).map(|(time, n)| json!({ "time": time, "n": n })).collect::<Vec<_>>(),
                "curve": group.curve.points.iter().map(step).collect::<Vec<_>>(),
                "incidence": incidence,
            })
        };
        let test = |(name, test): &(&str, LogRank)| {
            json!({
                "name": name, "statistic": test.chi2, "df": test.df, "p": test.p,
                "observed": test.groups.iter().map(|group| group.observed).collect::<Vec<_>>(),
                "expected": test.groups.iter().map(|group| group.expected).collect::<Vec<_>>(),
            })
        };
        json!({
            "interval": interval_name(self.interval),
            "median_follow_up": self.median_follow_up,
            "groups": self.groups.iter().zip(&self.at_risk).map(group).collect::<Vec<_>>(),
            "tests": self.tests.iter().map(test).collect::<Vec<_>>(),
            "gray": self.gray.map(|test| json!({ "statistic": test.chi2, "df": test.df, "p": test.p })),
            "stratified": self.stratified,
        })
    }

    /// Survival (or incidence) of each group, the numbers at risk, and the tests.
    pub fn sheets(&self, title: String) -> Vec<Sheet> {
        let mut sheets = vec![self.summary(title), self.risk_table()];
        if !self.tests.is_empty() {
            let row = |(name, test): &(&str, LogRank)| {
                vec![
                    Cell::Text((*name).to_owned()),
                    Cell::number(test.p.map(|_| test.chi2), 3),
                    Cell::Count(test.df),
                    Cell::p(test.p),
                ]
            };
            let mut notes = Vec::new();
            if self.stratified {
                notes.push("stratified tests".to_owned());
            }
            if let Some(idle) = self.tests[0].1.groups.iter().position(|group| group.expected <= 0.0) {
                notes.push(format!("{} was at risk at no event and takes no part", self.groups[idle].name));
            }
            sheets.push(Sheet {
                title: "Comparison of the groups".to_owned(),
                headings: ["Test", "chi2", "df", "p"].map(str::to_owned).to_vec(),
                rows: self.tests.iter().map(row).collect(),
                notes,
                provenance: Vec::new(),
            });
        }
        sheets
    }

    fn summary(&self, title: String) -> Sheet {
        let competes = self.competes();
        let mut headings = vec!["Group".to_owned(), "n".to_owned(), "Events".to_owned()];
        let what = if competes { "Incidence" } else { "Survival" };
        headings.push(if competes { "Competing events".to_owned() } else { "Median (95% CI)".to_owned() });
        headings.extend(self.at.iter().map(|time| format!("{what} at {time}")));
        let mut notes = vec![format!("95% CI on the {} scale", interval_name(self.interval))];
        if competes {
            notes =
                vec!["cumulative incidence (Aalen-Johansen), Gray's variance; 95% CI on the log-log scale".to_owned()];
        }
        if let Some(test) = self.gray {
            notes.push(format!("Gray's test: chi2 {}, df {}, p {}", fixed(test.chi2, 3), test.df, p_text(test.p)));
        }
        if let Some(median) = self.median_follow_up {
            notes.push(format!("median follow-up {} (reverse Kaplan-Meier)", fixed(median, 2)));
        }
        for group in self.groups.iter().filter(|group| group.median.time.is_none() && !competes) {
            notes.push(format!("{}: the median was not reached", group.name));
        }
        for group in &self.groups {
            let beyond: Vec<String> = self.at.iter().filter(|&&at| at > group.last).map(f64::to_string).collect();
            if !beyond.is_empty() {
                notes.push(format!("{}: nobody was followed to {}", group.name, beyond.join(", ")));
            }
        }
        let row = |group: &Group| {
            let mut cells =
                vec![Cell::Text(group.name.clone()), Cell::Count(group.curve.n), Cell::Count(group.curve.events)];
            cells.push(if competes { Cell::Count(group.competing) } else { median(&group.median) });
            for &time in &self.at {
                cells.push(match &group.incidence {
                    _ if time > group.last => Cell::Empty,
                    Some(incidence) => interval(incidence.at(time).0, incidence.limits(time)),
                    None => {
                        let landmark = group.curve.at(time, self.interval, LEVEL);
                        interval(landmark.survival, landmark.limits)
                    }
                });
            }
            cells
        };
        Sheet { title, headings, rows: self.groups.iter().map(row).collect(), notes, provenance: Vec::new() }
    }

    fn risk_table(&self) -> Sheet {
        let headings = std::iter::once("Group".to_owned()).chain(self.ticks.iter().map(f64::to_string)).collect();
        let row = |(group, counts): (&Group, &Vec<usize>)| {
            std::iter::once(Cell::Text(group.name.clone())).chain(counts.iter().map(|&n| Cell::Count(n))).collect()
        };
        Sheet {
            title: "Numbers at risk".to_owned(),
            headings,
            rows: self.groups.iter().zip(&self.at_risk).map(row).collect(),
            notes: Vec::new(),
            provenance: Vec::new(),
        }
    }

    /// Curves with limits, censorings as strokes, and the numbers at risk below.
    pub fn figure(&self, time: &str, paper: &Paper) -> Figure {
        let of = |(group, at_risk): (&Group, &Vec<usize>)| {
            let points = match &group.incidence {
                Some(incidence) => {
                    let one = |point: &osteon_stats::survival::incidence::IncidencePoint| {
                        let limits = incidence.limits(point.time).unwrap_or([f64::NAN; 2]);
                        [point.time, point.incidence, limits[0], limits[1]]
                    };
                    incidence.points.iter().map(one).collect()
                }
                None => group
                    .curve
                    .points
                    .iter()
                    .map(|point| {
                        let limits = point.limits(self.interval, LEVEL).unwrap_or([f64::NAN; 2]);
                        [point.time, point.survival, limits[0], limits[1]]
                    })
                    .collect(),
            };
            let height = |time: f64| match &group.incidence {
                Some(incidence) => incidence.at(time).0,
                None => group.curve.survival(time),
            };
            let censored = group.curve.points.iter().filter(|point| point.censored > 0 && group.competing == 0);
            figure::Group {
                name: group.name.clone(),
                n: group.curve.n,
                points,
                censored: censored.map(|point| [point.time, height(point.time)]).collect(),
                last: group.last,
                at_risk: at_risk.clone(),
            }
        };
        let groups: Vec<figure::Group> = self.groups.iter().zip(&self.at_risk).map(of).collect();
        let kind = if self.competes() { figure::Kind::Incidence } else { figure::Kind::Survival };
        let p = match (self.tests.first(), self.gray) {
            (Some((_, test)), _) => test.p.map(|p| format!("Log-rank P {}", with_sign(p))),
            (None, Some(test)) => Some(format!("Gray P {}", with_sign(test.p))),
            _ => None,
        };
        figure::figure(kind, &groups, &self.ticks, time, p.as_deref(), paper)
    }
}

/// `= 0.034`, `< 0.001`.
fn with_sign(p: f64) -> String {
    let text = p_text(p);
    text.strip_prefix('<').map_or_else(|| format!("= {text}"), |rest| format!("< {rest}"))
}

fn median(quantile: &Quantile) -> Cell {
    let Some(estimate) = quantile.time else { return Cell::Text("not reached".to_owned()) };
    let (low, high) = (quantile.lower.unwrap_or(0.0), quantile.upper.unwrap_or(f64::INFINITY));
    Cell::Interval { estimate, low, high, digits: 1 }
}

fn interval(estimate: f64, limits: Option<[f64; 2]>) -> Cell {
    match limits {
        Some([low, high]) => Cell::Interval { estimate, low, high, digits: 3 },
        None => Cell::Number { value: estimate, digits: 3 },
    }
}

fn interval_name(interval: Interval) -> &'static str {
    match interval {
        Interval::Plain => "plain",
        Interval::Log => "log",
        Interval::LogLog => "log-log",
        Interval::Logit => "logit",
        Interval::Arcsine => "arcsine",
    }
}

/// At most three times at which predictions are judged: those of the axis to which at least a tenth of the rows were
/// followed, spread evenly; the median time of the events where there is none.
pub fn horizons(follow_up: &FollowUp) -> Vec<f64> {
    let last = follow_up.times().iter().copied().fold(0.0, f64::max);
    let least = follow_up.len() as f64 / 10.0;
    let first = follow_up.event_times().first().copied().unwrap_or(0.0);
    let axis = ticks(last);
    let at_risk = numbers_at_risk(follow_up, &axis);
    let is_known = |(&time, &n): (&f64, &usize)| (time > first && n as f64 >= least).then_some(time);
    let known: Vec<f64> = axis.iter().zip(&at_risk).filter_map(is_known).collect();
    match known.len() {
        0 => {
            let events = follow_up.event_times();
            events.get(events.len() / 2).copied().into_iter().collect()
        }
        n if n <= 3 => known,
        n => [n / 3, 2 * n / 3, n].map(|at| known[at - 1]).to_vec(),
    }
}

/// Rising times from 0 over the follow-up, four to seven: steps of 1, 2, 3, 5 or 6 times a power of ten.
fn ticks(last: f64) -> Vec<f64> {
    if last <= 0.0 {
        return vec![0.0, 1.0];
    }
    let magnitude = 10_f64.powf((last / 6.0).log10().floor());
    let wide = [1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 12.0].map(|step| step * magnitude);
    let step = wide.into_iter().find(|step| last / step <= 6.0).unwrap_or(magnitude * 12.0);
    let n = (last / step + 1e-9).floor() as usize;
    // Multiples of the step as decimal numbers write them.
    (0..=n.max(1)).map(|at| format!("{:.9}", at as f64 * step).parse().expect("a number")).collect()
}
