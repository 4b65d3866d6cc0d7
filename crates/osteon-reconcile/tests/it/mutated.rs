//! Tables made of data, and the same with one number misprinted: 200 of them, or 2,000 with `OSTEON_SWEEP=1`.

use osteon_base::seed::Seed;
use osteon_reconcile::{Finding, Severity, read, reconcile};
use osteon_stats::stats::contingency::{self, Counts};
use osteon_stats::stats::distribution::{Z_975, normal_two_sided};
use osteon_stats::stats::fisher::fisher;
use osteon_stats::stats::two_groups::{t_pooled, t_welch};
use rand::Rng;
use rand::seq::IndexedRandom;

/// A printed cell: table, set, row, column, text.
pub type Cell = [String; 5];

/// A way to misprint: what cells it concerns, and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slip {
    Count,
    Percent,
    Swap,
    PValue,
    Statistic,
    Sd,
    Score,
    Limit,
    OddsP,
}

pub const SLIPS: [Slip; 9] = [
    Slip::Count,
    Slip::Percent,
    Slip::Swap,
    Slip::PValue,
    Slip::Statistic,
    Slip::Sd,
    Slip::Score,
    Slip::Limit,
    Slip::OddsP,
];

#[test]
fn misprints_are_found_and_consistent_tables_are_not_accused() {
    let n = if std::env::var_os("OSTEON_SWEEP").is_some() { 2000 } else { 200 };
    let (mut alarms, mut missed, mut total) = (Vec::new(), Vec::new(), 0);
    for at in 0..n {
        let seed = Seed(24).named("mutated").nth(at);
        let cells = table(seed, at);
        let said = said(&cells);
        if !said.is_empty() {
            alarms.push(format!("table {at}: {said:#?}"));
            continue;
        }
        let mut rng = seed.named("slip").rng();
        let slip = SLIPS[at % SLIPS.len()];
        let Some((mutated, row, told)) = misprint(&cells, slip, &mut rng) else { continue };
        total += 1;
        let said = self::said(&mutated);
        let variable = row.split(": ").next().unwrap();
        // Of the variable that was misprinted, or of the row.
        if !said.iter().any(|it| it.place.row.split(": ").next().unwrap() == variable) {
            missed.push(format!("table {at}: {slip:?} in {row}: {told}; said {said:?}"));
        }
    }
    println!("{} of {total} missed:\n{}", missed.len(), missed.join("\n"));
    assert!(alarms.is_empty(), "{} consistent tables accused:\n{}", alarms.len(), alarms.join("\n"));
    assert!(total * 10 > n * 9, "only {total} tables could be misprinted");
    assert!(missed.len() * 100 <= total, "{} of {total} misprints missed:\n{}", missed.len(), missed.join("\n"));
}

fn said(cells: &[Cell]) -> Vec<Finding> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["table", "set", "row", "column", "printed"]).unwrap();
    for cell in cells {
        writer.write_record(cell).unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    reconcile(&read(&text).unwrap()).into_iter().filter(|it| it.severity != Severity::Note).collect()
}

/// A cohort table, a table of scores and one of odds ratios, of invented patients.
pub fn table(seed: Seed, at: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut put = |table: &str, set: &str, row: &str, column: &str, text: String| {
        cells.push([table, set, row, column, &text].map(str::to_owned));
    };
    cohort(&mut put, seed.named("cohort"), at);
    scores(&mut put, seed.named("scores"), at);
    odds(&mut put, seed.named("odds"));
    cells
}

type Put<'a> = &'a mut dyn FnMut(&str, &str, &str, &str, String);

fn p_text(p: f64, digits: usize) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.digits$}") }
}

fn cohort(put: Put, seed: Seed, at: usize) {
    let mut rng = seed.rng();
    let n = rng.random_range(60..400usize);
    let group: Vec<usize> = (0..n).map(|_| usize::from(rng.random_bool(0.45))).collect();
    let sizes = [0, 1].map(|it| group.iter().filter(|&&of| of == it).count());
    let names = ["Responders", "Non-responders"];
    put("1", "all", "n", "Total", n.to_string());
    for (name, size) in names.iter().zip(sizes) {
        put("1", "all", "n", name, size.to_string());
    }
    let with_statistic = at.is_multiple_of(2);
    for variable in 0..6 {
        let levels = 2 + variable % 3;
        let lean = rng.random_range(0.0..0.35);
        let value: Vec<usize> = group
            .iter()
            .map(|&of| {
                let base = rng.random_range(0..levels);
                if of == 1 && rng.random_bool(lean) { 0 } else { base }
            })
            .collect();
        let count = |level: usize, of: Option<usize>| {
            group.iter().zip(&value).filter(|(g, v)| **v == level && of.is_none_or(|of| **g == of)).count()
        };
        let name = format!("Variable {variable}");
        for level in 0..levels {
            for (column, of, size) in [("Total", None, n), (names[0], Some(0), sizes[0]), (names[1], Some(1), sizes[1])]
            {
                let k = count(level, of);
                let text = format!("{k} ({:.1})", 100.0 * k as f64 / size as f64);
                put("1", "all", &format!("{name}: level {level}"), column, text);
            }
        }
        let rows: Vec<Vec<usize>> = (0..levels).map(|level| [0, 1].map(|of| count(level, Some(of))).to_vec()).collect();
        let counts = Counts::new(&rows);
        let test = match at % 3 {
            1 if levels == 2 => contingency::yates(&counts),
            2 if !with_statistic => None,
            _ => contingency::pearson(&counts),
        };
        let p = test.as_ref().map_or_else(|| fisher(&counts, 1 << 24).unwrap(), |it| it.p);
        if let (Some(test), true) = (&test, with_statistic) {
            put("1", "all", &name, "statistic", format!("{:.3}", test.statistic));
        }
        put("1", "all", &name, "P value", p_text(p, 3));
    }
    for (variable, spread) in [("Age", 12.0), ("Diameter", 25.0), ("Dose", 7.0)] {
        let values: Vec<f64> = group
            .iter()
            .map(|&of| {
                let sum: f64 = (0..6).map(|_| rng.random::<f64>()).sum();
                (60.0 + spread * (sum - 3.0) + 2.0 * of as f64).round()
            })
            .collect();
        let of = |wanted: Option<usize>| -> Vec<f64> {
            group.iter().zip(&values).filter(|(g, _)| wanted.is_none_or(|it| it == **g)).map(|(_, v)| *v).collect()
        };
        for (column, wanted) in [("Total", None), (names[0], Some(0)), (names[1], Some(1))] {
            let own = of(wanted);
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            let sd = (own.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (own.len() - 1) as f64).sqrt();
            put("1", "all", variable, column, format!("{mean:.2} ± {sd:.2}"));
        }
        let test = if at % 4 < 2 { t_pooled(&of(Some(0)), &of(Some(1))) } else { t_welch(&of(Some(0)), &of(Some(1))) };
        let test = test.unwrap();
        if with_statistic {
            put("1", "all", variable, "statistic", format!("{:.3}", test.statistic));
        }
        put("1", "all", variable, "P value", p_text(test.p, 3));
    }
}

/// Models on two sets, with group sizes, with the counts, or with nothing but the scores.
fn scores(put: Put, seed: Seed, at: usize) {
    let mut rng = seed.rng();
    for set in ["training", "test"] {
        let (p, n) = (rng.random_range(15..70i64), rng.random_range(15..70i64));
        if at.is_multiple_of(3) {
            put("2", set, "n", "Responders", n.to_string());
            put("2", set, "n", "Non-responders", p.to_string());
        }
        for model in 0..4 {
            let tp = (p as f64 * rng.random_range(0.55..0.95)).round().max(1.0) as i64;
            let tn = (n as f64 * rng.random_range(0.55..0.95)).round().max(1.0) as i64;
            let (fn_, fp) = (p - tp, n - tn);
            let name = format!("Model {model}");
            if at % 3 == 1 {
                for (column, count) in [("TP", tp), ("FN", fn_), ("TN", tn), ("FP", fp)] {
                    put("3", set, &name, column, count.to_string());
                }
            }
            for (column, above, below) in [
                ("Accuracy", tp + tn, p + n),
                ("Sensitivity", tp, p),
                ("Specificity", tn, n),
                ("PPV", tp, tp + fp),
                ("NPV", tn, tn + fn_),
                ("F1", 2 * tp, 2 * tp + fp + fn_),
            ] {
                let share = above as f64 / below as f64;
                let text = if at.is_multiple_of(2) { format!("{share:.3}") } else { format!("{:.1}", 100.0 * share) };
                put("3", set, &name, column, text);
            }
        }
    }
}

/// Wald's odds ratios of terms without counts.
fn odds(put: Put, seed: Seed) {
    let mut rng = seed.rng();
    for term in 0..8 {
        let (slope, error) = (rng.random_range(-1.2..1.2f64), rng.random_range(0.15..0.5f64));
        let limit = |side: f64| (slope + side * Z_975 * error).exp();
        let name = format!("Term {term}");
        let text = format!("{:.3} ({:.3}-{:.3})", slope.exp(), limit(-1.0), limit(1.0));
        put("4", "all", &name, "multivariate OR (95%CI)", text);
        put("4", "all", &name, "multivariate P value", p_text(normal_two_sided(slope / error), 3));
    }
}

/// The cells with one misprint, the row of it, and what it was.
pub fn misprint(cells: &[Cell], slip: Slip, rng: &mut impl Rng) -> Option<(Vec<Cell>, String, String)> {
    let of = |cell: &Cell| match slip {
        Slip::Count | Slip::Percent => cell[0] == "1" && cell[4].contains(" ("),
        Slip::Swap => cell[0] == "1" && cell[2].ends_with("level 0") && cell[3] != "Total",
        Slip::PValue => {
            cell[0] == "1" && cell[3] == "P value" && cell[2].starts_with("Variable") && !cell[4].contains('<')
        }
        Slip::Statistic => cell[0] == "1" && cell[3] == "statistic",
        Slip::Sd => cell[4].contains('±'),
        Slip::Score => cell[0] == "3" && !["TP", "FN", "TN", "FP"].contains(&cell[3].as_str()),
        Slip::Limit => cell[3].ends_with("OR (95%CI)"),
        Slip::OddsP => cell[0] == "4" && cell[3].ends_with("P value") && !cell[4].contains('<'),
    };
    let chosen: Vec<usize> = (0..cells.len()).filter(|&at| of(&cells[at])).collect();
    for _ in 0..40 {
        let &at = chosen.choose(rng)?;
        let mut mutated = cells.to_vec();
        let text = cells[at][4].clone();
        let new = match slip {
            Slip::Count => with_digit(&text, 0, text.find(' ')?, rng)?,
            Slip::Percent => with_digit(&text, text.find('(')? + 1, text.find(')')?, rng)?,
            Slip::Sd => with_digit(&text, text.find('±')? + 3, text.len() - 1, rng)?,
            Slip::Limit => {
                let (open, dash) = (text.find('(')?, text.find('-')?);
                let (from, to) = if rng.random_bool(0.5) { (open + 1, dash) } else { (dash + 1, text.len() - 1) };
                with_digit(&text, from, to - 1, rng)?
            }
            Slip::Swap => {
                let other = cells
                    .iter()
                    .position(|it| it[3] == cells[at][3] && it[2] == cells[at][2].replace("level 0", "level 1"))?;
                let count = |text: &str| text.split(' ').next().unwrap().to_owned();
                let (a, b) = (count(&text), count(&cells[other][4]));
                mutated[other][4] = cells[other][4].replacen(&b, &a, 1);
                text.replacen(&a, &b, 1)
            }
            // The last digit of a score is a rounding, and of a P another test's.
            Slip::PValue | Slip::OddsP => with_digit(&text, 0, text.len() - 1, rng)?,
            Slip::Statistic | Slip::Score => with_digit(&text, 0, text.len(), rng)?,
        };
        if new != text && is_apart(&text, &new, slip) {
            mutated[at][4] = new.clone();
            return Some((mutated, cells[at][2].clone(), format!("{} {text} -> {new}", cells[at][3])));
        }
    }
    None
}

/// Another digit in place of one between two bytes of a text.
fn with_digit(text: &str, from: usize, to: usize, rng: &mut impl Rng) -> Option<String> {
    let digits: Vec<usize> = (from..to).filter(|&at| text.as_bytes()[at].is_ascii_digit()).collect();
    let &at = digits.choose(rng)?;
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = b'0' + (bytes[at] - b'0' + rng.random_range(1..10)) % 10;
    String::from_utf8(bytes).ok()
}

/// Whether a misprint goes beyond what other methods of the same quantity differ by: a limit by more than an
/// asymmetry of profile intervals, a Wald P by more than a likelihood ratio's.
fn is_apart(old: &str, new: &str, slip: Slip) -> bool {
    let numbers = |text: &str| -> Vec<f64> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.').filter_map(|it| it.parse().ok()).collect()
    };
    let (old, new) = (numbers(old), numbers(new));
    match slip {
        Slip::Limit => {
            let [estimate, low, high] = new[..] else { return false };
            let half = 0.5 * (high / low).ln();
            low > 0.0 && (estimate.ln() - 0.5 * (low * high).ln()).abs() > 0.06 * half.abs()
        }
        Slip::OddsP => {
            let z = |p: f64| -osteon_stats::stats::distribution::normal_quantile(0.5 * p.max(1e-9));
            (z(old[0]) - z(new[0])).abs() > 0.06 + 0.06 * z(old[0]).max(z(new[0]))
        }
        _ => true,
    }
}
