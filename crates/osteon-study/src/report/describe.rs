//! `describe`: every variable of a table by event, with all tests.

use serde_json::{Map, Value, json};

use crate::report::cohort::{Compared, Effect, Kind};
use crate::report::differences::{self, Asked};
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::adjust::Adjustment;
use osteon_stats::stats::compare::{Categorical, Continuous, DecidedOn, Decision, TestName};
use osteon_stats::stats::describe::Summary;
use osteon_stats::stats::difference::{self, Variances};
use osteon_stats::stats::text::decimals;
use osteon_stats::stats::two_groups::Test;

/// The groups, in order: rows without the event, rows with it.
pub const GROUPS: [&str; 2] = ["no event", "event"];

/// `n`, then one object a variable: `name`, `kind`, `groups`, `tests`, `chosen`.
///
/// A group has `name`, `n` (with a value), `missing`, and `mean`, `sd`, `median`, `q1`, `q3` or `counts` by level. A
/// test has `statistic`, `df`, `p`; `df` of `levene` is the denominator's. `ks_lilliefors` and `shapiro` are of all
/// values. Mann-Whitney's `p_exact` is that without ties, `p_exact_ties` that of the tied ranks; `hodges_lehmann` is the
/// shift of the first group against the second, with its interval and the confidence that it has. `chosen` is the test
/// to print, `chosen_p` its p value, `chosen_p_from` its distribution (`exact` over all tables or orders,
/// `asymptotic`, or `t`), `why` the sentence of the note; `chosen_by` holds each p value that the choice rests on, of whose values it is, and what it was compared
/// with. What is undefined is null.
///
/// `p_adjusted` has Holm's and Benjamini and Hochberg's values over the chosen tests of all variables. `mean_difference`
/// is first minus second with Student's and Welch's interval; `risk_differences` are those of each level with Newcombe's.
pub fn json(n: usize, variables: &[Compared]) -> Value {
    let of = |how| Asked { adjust: Some(how), differences: false }.adjusted(variables);
    let (holm, bh) = (of(Adjustment::Holm), of(Adjustment::Bh));
    let one = |(at, it): (usize, &Compared)| {
        let mut object = variable(it);
        object["p_adjusted"] = json!({ "holm": holm[at], "bh": bh[at] });
        object
    };
    json!({ "n": n, "variables": variables.iter().enumerate().map(one).collect::<Vec<_>>() })
}

fn variable(variable: &Compared) -> Value {
    let (kind, tests) = match &variable.kind {
        Kind::Continuous(comparison) => ("continuous", continuous(comparison)),
        Kind::Categorical { comparison, levels, .. } => {
            let mut tests = categorical(comparison);
            let of = |(level, it): (&String, Option<difference::Difference>)| {
                (
                    level.clone(),
                    it.map_or(Value::Null, |it| json!({ "estimate": it.estimate, "ci": [it.low, it.high] })),
                )
            };
            let risks: Map<String, Value> = levels.iter().zip(differences::shares(variable)).map(of).collect();
            tests["risk_differences"] = risks.into();
            ("categorical", tests)
        }
    };
    let (n, chosen) = (variable.n(), variable.chosen());
    let group = |group: usize| {
        let mut object = Map::new();
        object.insert("name".into(), GROUPS[group].into());
        object.insert("n".into(), n[group].into());
        object.insert("missing".into(), variable.missing[group].into());
        match &variable.kind {
            Kind::Continuous(comparison) => summary(&mut object, &comparison.groups[group]),
            Kind::Categorical { levels, counts, .. } => {
                let counts: Map<String, Value> =
                    levels.iter().zip(counts).map(|(level, count)| (level.clone(), count[group].into())).collect();
                object.insert("counts".into(), counts.into());
            }
        }
        object
    };
    json!({
        "name": variable.name,
        "kind": kind,
        "groups": [group(0), group(1)],
        "tests": tests,
        "chosen": chosen.map(|chosen| chosen.test.key()),
        "chosen_p": chosen.map(|chosen| chosen.p),
        "chosen_p_from": chosen.map(|chosen| match chosen.test {
            TestName::TPooled | TestName::TWelch => "t",
            _ => chosen.from.key(),
        }),
        "why": variable.note(&variable.name),
        "chosen_by": chosen.map_or(&[][..], |chosen| &chosen.by).iter().map(decision).collect::<Vec<_>>(),
    })
}

fn decision(decision: &Decision) -> Value {
    let of = match decision.of {
        DecidedOn::All => "all",
        DecidedOn::First => GROUPS[0],
        DecidedOn::Second => GROUPS[1],
    };
    json!({ "test": decision.test, "of": of, "p": decision.p, "alpha": decision.alpha })
}

fn summary(object: &mut Map<String, Value>, summary: &Summary) {
    let values = [
        ("mean", summary.mean),
        ("sd", summary.sd),
        ("median", summary.median),
        ("q1", summary.q1),
        ("q3", summary.q3),
    ];
    values.into_iter().for_each(|(name, value)| {
        object.insert(name.into(), value.into());
    });
}

fn test(test: Option<Test>) -> Value {
    test.map_or(Value::Null, |test| json!({ "statistic": test.statistic, "df": test.df, "p": test.p }))
}

fn continuous(comparison: &Continuous) -> Value {
    let ks = comparison.ks[0];
    json!({
        "t_pooled": test(comparison.t_pooled),
        "t_welch": test(comparison.t_welch),
        "levene": test(comparison.levene),
        "mann_whitney": comparison.mann_whitney.map(|test| json!({
            "u": test.u, "z": test.z, "p": test.p, "p_exact": test.p_exact, "p_exact_ties": test.p_exact_ties,
            "rank_biserial": test.rank_biserial,
        })),
        "hodges_lehmann": comparison.shift.map(|shift| json!({
            "estimate": shift.estimate, "ci": [shift.low, shift.high], "level": shift.level,
            "method": if shift.is_exact { "exact" } else { "asymptotic" },
        })),
        "ks_lilliefors": ks.map(|ks| json!({ "statistic": ks.d, "p": ks.p_lilliefors })),
        "ks_plain": ks.map(|ks| json!({ "statistic": ks.d, "p": ks.p_plain })),
        "shapiro": comparison.shapiro[0].map(|shapiro| json!({ "statistic": shapiro.w, "p": shapiro.p })),
        "smd": comparison.standardised_difference,
        "mean_difference": json!({
            "pooled": mean_difference(comparison, Variances::Pooled),
            "welch": mean_difference(comparison, Variances::Separate),
        }),
    })
}

fn mean_difference(comparison: &Continuous, variances: Variances) -> Value {
    let found = difference::of_summaries(&comparison.groups[0], &comparison.groups[1], variances);
    found.map_or(Value::Null, |it| json!({ "estimate": it.estimate, "ci": [it.low, it.high] }))
}

fn categorical(comparison: &Categorical) -> Value {
    json!({
        "pearson_chi2": test(comparison.pearson),
        "yates_chi2": test(comparison.yates),
        "likelihood_ratio": test(comparison.likelihood_ratio),
        "linear_by_linear": test(comparison.linear_by_linear),
        "fisher": comparison.fisher.map(|p| json!({ "p": p })),
        "cramers_v": comparison.cramers_v,
        "smd": comparison.standardised_difference,
    })
}

/// The same for people: one row a continuous variable or a level, the chosen test, and why it was chosen.
pub fn sheet(title: String, n: [usize; 2], variables: &[Compared], asked: Asked) -> Sheet {
    let mut headings = vec!["Variable".to_owned()];
    headings.extend((0..2).map(|group| format!("{} (n = {})", GROUPS[group], n[group])));
    headings.extend(["Test", "Statistic", "df", "p", "Effect"].map(str::to_owned));
    headings.extend(asked.headings().into_iter().map(str::to_owned));
    let mut notes = vec!["mean ± SD, median [quartiles] where ranks are compared; n (%)".to_owned()];
    notes.push(crate::report::cohort::EFFECT.to_owned());
    notes.extend(asked.notes());
    let mut rows = Vec::new();
    for (variable, adjusted) in variables.iter().zip(asked.adjusted(variables)) {
        let mut own = variable_rows(variable, &variable.name, |level| level.to_owned());
        let further = asked.cells(variable, adjusted).into_iter();
        let empty = std::iter::repeat_with(|| vec![Cell::Empty; asked.headings().len()]);
        own.iter_mut().zip(further.chain(empty)).for_each(|(row, cells)| row.extend(cells));
        rows.extend(own);
        notes.push(variable.note(&variable.name));
    }
    Sheet { title, headings, rows, notes, provenance: Vec::new() }
}

/// The rows of one variable: its name with the test, and one a level.
fn variable_rows(variable: &Compared, label: &str, level_label: impl Fn(&str) -> String) -> Vec<Vec<Cell>> {
    let mut first = vec![Cell::Text(label.to_owned())];
    match &variable.kind {
        Kind::Continuous(comparison) => {
            let rank = crate::report::cohort::is_rank_test(variable.chosen());
            let digits = decimals(comparison.all.sd, 2);
            first.extend(comparison.groups.iter().map(|summary| summary_cell(summary, rank, digits)));
        }
        Kind::Categorical { .. } => first.extend([Cell::Empty, Cell::Empty]),
    }
    first.extend(test_cells(variable));
    let mut rows = vec![first];
    let n = variable.n();
    if let Kind::Categorical { levels, counts, .. } = &variable.kind {
        for (level, count) in levels.iter().zip(counts) {
            let level = Cell::Level { of: label.to_owned(), level: level_label(level) };
            let cells = (0..2).map(|group| Cell::CountPercent { n: count[group], of: n[group] });
            let mut row: Vec<Cell> = std::iter::once(level).chain(cells).collect();
            row.resize(rows[0].len(), Cell::Empty);
            rows.push(row);
        }
    }
    if variable.missing != [0, 0] {
        let level = Cell::Level { of: label.to_owned(), level: "missing".to_owned() };
        let mut row: Vec<Cell> = std::iter::once(level).chain(variable.missing.map(Cell::Count)).collect();
        row.resize(rows[0].len(), Cell::Empty);
        rows.push(row);
    }
    rows
}

/// Mean ± SD, or median with quartiles; empty for an empty sample, the mean alone for a single value.
pub fn summary_cell(summary: &Summary, rank: bool, digits: usize) -> Cell {
    match (summary.median, summary.q1, summary.q3, summary.mean, summary.sd) {
        (Some(median), Some(q1), Some(q3), ..) if rank => Cell::MedianIqr { median, q1, q3, digits },
        (.., Some(mean), Some(sd)) => Cell::MeanSd { mean, sd, digits },
        (.., mean, None) => Cell::number(mean, digits),
        _ => Cell::Empty,
    }
}

/// Test, statistic, degrees of freedom, p value, effect size.
pub fn test_cells(variable: &Compared) -> Vec<Cell> {
    let effect = match variable.effect() {
        Effect::Difference(value) | Effect::Association(value) => Cell::number(value, 3),
        Effect::Shift(shift) => shift.map_or(Cell::Empty, |it| Cell::Interval {
            estimate: it.estimate,
            low: it.low,
            high: it.high,
            digits: match &variable.kind {
                Kind::Continuous(comparison) => decimals(comparison.all.sd, 2),
                Kind::Categorical { .. } => 3,
            },
        }),
    };
    let Some(chosen) = variable.chosen() else {
        return vec![Cell::Text("none".to_owned()), Cell::Empty, Cell::Empty, Cell::Empty, effect];
    };
    let whole = chosen.df.is_none_or(|df| df.fract() == 0.0);
    vec![
        Cell::Text(chosen.test.label().to_owned()),
        Cell::number(chosen.statistic, 3),
        Cell::number(chosen.df, if whole { 0 } else { 2 }),
        Cell::P(chosen.p),
        effect,
    ]
}
