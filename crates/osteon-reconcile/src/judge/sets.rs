//! The rows of one set together: counts, sizes that they speak for, and the share of events that they imply.

use crate::finding::{Finding, Kind, Severity};
use crate::judge::region::{Region, Width};
use crate::judge::sizes::{Inferred, LARGEST, SPEAKS, infer};
use crate::judge::{counted, intervals, limits, on, row_sizes, swapped};
use crate::metrics::{
    ACCURACY, BALANCED, Matrix, NPV, Printeds, SENSITIVITY, SPECIFICITY, YOUDEN, matrices, matrices_by,
};
use crate::models::Model;
use crate::printed::{Interval, Rounding};
use crate::read::words;

/// What the rows of a set say, and for each row whether its declared sizes are still to be asked.
pub fn check(rows: &[&Model]) -> (Vec<Finding>, Vec<bool>) {
    let mut findings: Vec<Finding> = Vec::new();
    let mut open = vec![true; rows.len()];
    let sizes: Vec<Option<(i64, i64)>> = rows.iter().map(|row| row.matrix().map(|it| counted::size(&it))).collect();
    let exchanged = swapped::rows(rows);
    findings.extend(exchanged.iter().map(|(_, finding)| finding.clone()));
    for (at, row) in rows.iter().enumerate() {
        if exchanged.as_ref().is_some_and(|(both, _)| both.contains(&at)) {
            open[at] = false;
        } else if let Some(matrix) = row.matrix() {
            findings.extend(counted::check(row, &matrix, usual(&sizes, at)));
            open[at] = false;
        }
    }
    let mut others: Vec<&Model> = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.matrix().is_none()) {
        if row.declared.is_none() {
            others.push(row);
            open[at] = false;
        } else if let Some(finding) = last_digit_of_declared(row) {
            findings.push(finding);
            open[at] = false;
        }
    }
    let (found, inferred) = undeclared(&others);
    findings.extend(found);
    findings.extend(limits::check(rows, inferred));
    let is_told =
        |row: &Model| findings.iter().any(|it| it.place.row == row.place.row && it.severity != Severity::Note);
    others.retain(|row| !is_told(row));
    findings.extend(row_sizes::check(&others));
    (findings, open)
}

/// The sizes that most other rows with counts have.
fn usual(sizes: &[Option<(i64, i64)>], at: usize) -> Option<(i64, i64)> {
    let others: Vec<(i64, i64)> =
        sizes.iter().enumerate().filter(|(it, _)| *it != at).filter_map(|(_, size)| *size).collect();
    let votes = |size: &(i64, i64)| others.iter().filter(|it| *it == size).count();
    let most = others.iter().max_by_key(|size| votes(size))?;
    (2 * votes(most) > others.len()).then_some(*most)
}

/// Scores that the declared sizes give but for last digits that were cut off, or are off by one.
fn last_digit_of_declared(row: &Model) -> Option<Finding> {
    let [a, b] = row.declared.as_ref()?.n;
    if row.scores.len() < 2 || [(a, b), (b, a)].iter().any(|&(p, n)| !matrices(&row.scores, p, n).is_empty()) {
        return None;
    }
    [(b, a), (a, b)].iter().find_map(|&(p, n)| last_digit(row, p, n))
}

/// The columns that are off by their last digit only, under the matrix with the fewest of them.
fn last_digit(row: &Model, positives: i64, negatives: i64) -> Option<Finding> {
    let off = |matrix: &Matrix| -> Vec<usize> {
        let wrong = |&at: &usize| !matrix.prints(row.scores[at].0, row.scores[at].1, Rounding::Nearest);
        (0..row.scores.len()).filter(wrong).collect()
    };
    let found = matrices_by(&row.scores, positives, negatives, Rounding::Any);
    let (matrix, off) = found.into_iter().map(|it| (it, off(&it))).min_by_key(|(_, off)| off.len())?;
    let cut = off.iter().all(|&at| matrix.prints(row.scores[at].0, row.scores[at].1, Rounding::Cut));
    let implied: Vec<String> = off
        .iter()
        .map(|&at| {
            let (score, printed) = row.scores[at];
            crate::cells::shown_like(&row.texts[at], printed, matrix.score(score).unwrap_or(0.0))
        })
        .collect();
    let how = if cut { "cut off, not rounded" } else { "off by one" };
    let why = format!("{matrix} of {positives}/{negatives} patients give it with the last digit {how}.");
    Some(on(row, &off, Kind::Metric, Severity::Rounding, implied.join(" "), why))
}

/// Rows of a set whose group sizes no table prints, and the sizes that they speak for.
fn undeclared(rows: &[&Model]) -> (Vec<Finding>, Option<(i64, i64)>) {
    let total = rows.first().and_then(|row| row.total);
    let sized = infer(rows, total).or_else(|| total.and_then(|_| infer(rows, None)));
    let sized = sized.or_else(|| of_intervals(rows));
    let mut findings: Vec<Finding> = sized.iter().filter_map(|it| size_note(rows, it)).collect();
    findings.extend(sized.and_then(|it| other_size(rows, &it)));
    findings.extend(sized.and_then(|it| cut_digits(rows, &it)));
    let mut other_patients = Vec::new();
    let (mut alone, mut judged) = (Vec::new(), 0);
    // Findings, and whether accuracy, sensitivity and specificity of their rows are sound.
    let (mut told, mut summed) = (Vec::new(), 0);
    for row in rows.iter().filter(|row| row.scores.len() > 1) {
        judged += 1;
        match sized.and_then(|sized| of_size(row, &sized)) {
            Some(Verdict::Fits) => (),
            Some(Verdict::Wrong(finding)) => {
                let is_sound = follows_in_shares(row, &sized.expect("its verdict is under it"));
                summed += usize::from(is_sound);
                told.push((*finding, is_sound));
            }
            Some(Verdict::Elsewhere) => match without_size(row) {
                Some(finding) => alone.push(finding),
                None => other_patients.push(row),
            },
            None => alone.extend(without_size(row)),
        }
    }
    findings.extend(unless_folds(told, summed, judged));
    findings.extend(unless_averages(rows, alone, judged));
    if let (Some(sized), Some(first)) = (sized, other_patients.first()) {
        let named: Vec<&str> = other_patients.iter().map(|row| row.place.row.as_str()).collect();
        let why = format!(
            "No confusion matrix of the {}/{} patients that the other rows speak for: other patients, or a wrong number, \
             in {}.",
            sized.positives,
            sized.negatives,
            named.join("; ")
        );
        findings.push(on(first, &[], Kind::Sample, Severity::Note, String::new(), why));
    } else {
        findings.extend(events(rows));
    }
    (findings, sized.map(|it| (it.positives, it.negatives)))
}

/// The sizes of which the intervals of the scores are, with how many rows have a matrix of them: most must.
fn of_intervals(rows: &[&Model]) -> Option<Inferred> {
    let (positives, negatives) = intervals::sizes(rows)?;
    let told = rows.iter().filter(|row| row.score(SENSITIVITY).is_some() && row.score(SPECIFICITY).is_some());
    let (fitting, judged) = told.fold((0, 0), |(fitting, judged), row| {
        let fits = !matrices_by(&row.scores, positives, negatives, Rounding::Any).is_empty();
        (fitting + usize::from(fits), judged + 1)
    });
    let rounding = Rounding::Nearest;
    (3 * fitting >= 2 * judged).then_some(Inferred {
        positives,
        negatives,
        score: SPEAKS,
        rounding,
        rows: (fitting, judged),
    })
}

fn size_note(rows: &[&Model], sized: &Inferred) -> Option<Finding> {
    let Inferred { positives: p, negatives: n, score, rounding, rows: (fitting, judged) } = *sized;
    let first = rows.first()?;
    let cut = if rounding == Rounding::Cut { ", with digits cut off instead of rounded" } else { "" };
    Some(Finding {
        kind: Kind::Sample,
        severity: Severity::Note,
        place: first.at(first.columns.first().or(first.auc.as_ref().map(|it| &it.0))?),
        printed: String::new(),
        implied: format!("n = {} ({p} with the event, {n} without)", p + n),
        alternatives: Vec::new(),
        why: format!(
            "The printed shares of this set speak for these sizes{cut}: a score of {score:.1}, and {fitting} of {judged} \
             rows have a confusion matrix."
        ),
    })
}

/// A set whose heading prints a number of patients of which no row has a confusion matrix, while all have one of the
/// sizes that they speak for.
fn other_size(rows: &[&Model], sized: &Inferred) -> Option<Finding> {
    let first = rows.first()?;
    // A number in a sentence may be of other patients.
    let printed =
        first.total.filter(|_| !first.is_total_said).or_else(|| words::size(&first.place.set).map(|n| n as i64))?;
    let (p, n) = (sized.positives, sized.negatives);
    let (fitting, judged) = sized.rows;
    let told: Vec<&&Model> =
        rows.iter().filter(|row| row.score(SENSITIVITY).is_some() && row.score(SPECIFICITY).is_some()).collect();
    let has_matrix =
        |row: &Model| (1..printed).any(|p| !matrices_by(&row.scores, p, printed - p, Rounding::Any).is_empty());
    if p + n == printed || judged < 2 || fitting < judged || printed > LARGEST || told.iter().any(|row| has_matrix(row))
    {
        return None;
    }
    Some(Finding {
        kind: Kind::GroupSize,
        severity: Severity::Inconsistent,
        place: first.at(first.columns.first()?),
        printed: format!("n = {printed}"),
        implied: format!("n = {} ({p} with the event, {n} without)", p + n),
        alternatives: Vec::new(),
        why: format!(
            "The heading of the set says {printed} patients, of which none of its {judged} rows has a confusion matrix; \
             all have one of {p}/{n}."
        ),
    })
}

/// Whether accuracy, sensitivity and specificity have a matrix of these sizes, and only the other scores do not.
fn follows_in_shares(row: &Model, sized: &Inferred) -> bool {
    let of_all = |score: &usize| [ACCURACY, SENSITIVITY, SPECIFICITY, BALANCED, YOUDEN].contains(score);
    let shares: Printeds = row.scores.iter().copied().filter(|(score, _)| of_all(score)).collect();
    !matrices_by(&shares, sized.positives, sized.negatives, Rounding::Any).is_empty()
}

/// Findings on rows of a set, or one note where nearly all rows have a matrix but for their predictive values and F1:
/// means over folds of equal sizes are those of the sums in accuracy, sensitivity and specificity, and not in these.
/// What these three contradict stays a finding.
fn unless_folds(told: Vec<(Finding, bool)>, summed: usize, judged: usize) -> Vec<Finding> {
    if summed < FOLDED || 4 * summed < 3 * judged || told.is_empty() {
        return told.into_iter().map(|(finding, _)| finding).collect();
    }
    let (of_folds, wrong): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, is_sound)| *is_sound);
    let mut findings: Vec<Finding> = wrong.into_iter().map(|(finding, _)| finding).collect();
    let Some((mut note, _)) = of_folds.into_iter().next() else { return findings };
    note.severity = Severity::Note;
    note.implied = "cannot be judged".to_owned();
    note.alternatives = Vec::new();
    note.why = format!(
        "In {summed} of {judged} rows accuracy, sensitivity and specificity have a confusion matrix, and the other scores \
         do not follow from it: means over folds of equal sizes, as it seems."
    );
    findings.push(note);
    findings
}

/// Rows whose predictive values do not follow before all are taken for means over folds.
const FOLDED: usize = 2;

/// Rows that no share of events gives, or one note where these are nearly all rows of a set: means over folds, which
/// obey no relation, and not as many wrong numbers.
fn unless_averages(rows: &[&Model], mut findings: Vec<Finding>, judged: usize) -> Vec<Finding> {
    let are = |severity: Severity| findings.iter().filter(|it| it.severity == severity).count();
    let (hard, soft) = (are(Severity::Inconsistent), are(Severity::Rounding));
    let off = hard + soft;
    if hard > 0 && off >= MANY && 4 * off >= 3 * judged {
        let (wrong, mut others): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|it| it.severity != Severity::Note);
        let mut note = wrong[0].clone();
        note.severity = Severity::Note;
        note.implied = "cannot be judged".to_owned();
        note.why = format!(
            "No share of events gives the scores of {off} of {judged} rows of the set: means over folds or resamples, as \
             it seems."
        );
        others.push(note);
        return others;
    }
    // A last digit that is off in several rows is a habit of cutting, or a mean over folds; each row may be either.
    let is_cut = |finding: &Finding| rows.iter().any(|row| row.place.row == finding.place.row && cut_explains(row));
    let all_cut = findings.iter().filter(|it| it.severity == Severity::Rounding).all(is_cut);
    if hard == 0 && soft > 1 && !all_cut {
        for finding in findings.iter_mut().filter(|it| it.severity == Severity::Rounding) {
            finding.severity = Severity::Note;
            finding.implied = "cannot be judged".to_owned();
            finding.why =
                "For no share of events can all of these be true: off by a last digit, or means over folds.".to_owned();
        }
    }
    findings
}

/// Whether some share of events gives all scores with their digits cut off.
fn cut_explains(row: &Model) -> bool {
    let cut: Printeds = row.scores.iter().map(|&(score, printed)| (score, printed.cut())).collect();
    Region::new(&cut, Width::Rounded).is_possible()
}

/// Rows of a set that cannot be of one matrix each before they are taken for means.
const MANY: usize = 3;

/// One finding for a set whose scores follow from its patients only with their digits cut off.
fn cut_digits(rows: &[&Model], sized: &Inferred) -> Option<Finding> {
    let (p, n) = (sized.positives, sized.negatives);
    let is_cut = |row: &&&Model| {
        row.scores.len() > 1
            && !matrices_by(&row.scores, p, n, Rounding::Cut).is_empty()
            && matrices(&row.scores, p, n).is_empty()
    };
    let cut: Vec<&&Model> = rows.iter().filter(|_| sized.rounding == Rounding::Cut).filter(is_cut).collect();
    let first = cut.first()?;
    let matrix = *matrices_by(&first.scores, p, n, Rounding::Cut).first()?;
    let off: Vec<usize> = (0..first.scores.len())
        .filter(|&at| !matrix.prints(first.scores[at].0, first.scores[at].1, Rounding::Nearest))
        .collect();
    let implied: Vec<String> = off
        .iter()
        .map(|&at| {
            let (score, printed) = first.scores[at];
            crate::cells::shown_like(&first.texts[at], printed, matrix.score(score).unwrap_or(0.0))
        })
        .collect();
    let names: Vec<&str> = cut.iter().map(|row| row.place.row.as_str()).collect();
    let why = format!(
        "Of {p}/{n} patients the scores of {} of {} rows follow only with their digits cut off, not rounded: {}.",
        cut.len(),
        rows.len(),
        names.join("; ")
    );
    Some(on(first, &off, Kind::Metric, Severity::Rounding, implied.join(" "), why))
}

enum Verdict {
    Fits,
    Wrong(Box<Finding>),
    /// Not of these patients, or wrong: nothing says which.
    Elsewhere,
}

/// A row under inferred sizes; `None` when it lacks what would hold it against them.
fn of_size(row: &Model, sized: &Inferred) -> Option<Verdict> {
    let (p, n) = (sized.positives, sized.negatives);
    let (sensitivity, specificity) = (row.score(SENSITIVITY)?, row.score(SPECIFICITY)?);
    if !matrices_by(&row.scores, p, n, sized.rounding).is_empty() || !matrices(&row.scores, p, n).is_empty() {
        return Some(Verdict::Fits);
    }
    let shares = sensitivity.is_share_of(p, sized.rounding) && specificity.is_share_of(n, sized.rounding);
    let culprits = culprits(row, p, n);
    if let Some(finding) = last_digit(row, p, n) {
        // A last digit is no reason to think of other patients, unless the row alone is sound.
        let sound = Region::new(&row.scores, Width::Rounded).is_possible();
        return Some(if shares || !sound { Verdict::Wrong(Box::new(finding)) } else { Verdict::Elsewhere });
    }
    if let Some(finding) = swapped::scores(row, p, n) {
        return Some(Verdict::Wrong(Box::new(finding)));
    }
    let possible = Region::new(&row.scores, Width::Loose).is_possible();
    if let ([(at, implied)], true) = (&culprits[..], row.scores.len() > 3) {
        let why = format!(
            "At the {p}/{n} patients that the set's rows speak for, all other scores of the row follow with it."
        );
        // An accuracy beyond sensitivity and specificity is more than a slip.
        let severity = if is_outside(row) { Severity::Inconsistent } else { Severity::Typo };
        return Some(Verdict::Wrong(Box::new(on(row, &[*at], Kind::Metric, severity, implied.clone(), why))));
    }
    if !shares && possible {
        return Some(Verdict::Elsewhere);
    }
    if row.scores.len() < 3 {
        return Some(Verdict::Elsewhere);
    }
    let names: Vec<&str> = culprits.iter().map(|(at, _)| row.columns[*at].as_str()).collect();
    let one = match names[..] {
        [] => "more than one of them is wrong".to_owned(),
        [one] => format!("another {one} would do it"),
        _ => format!("another value of one of {} would do it", names.join(", ")),
    };
    let why =
        format!("No confusion matrix of the {p}/{n} patients that the set's rows speak for gives these scores; {one}.");
    let mut finding = on(row, &[], Kind::Metric, Severity::Inconsistent, String::new(), why);
    finding.alternatives = culprits.iter().map(|(at, implied)| format!("{} {implied}", row.columns[*at])).collect();
    Some(Verdict::Wrong(Box::new(finding)))
}

/// Scores without which the rest have a matrix, each with the value that it then has (the first, if several).
fn culprits(row: &Model, positives: i64, negatives: i64) -> Vec<(usize, String)> {
    let without = |at: usize| {
        let rest: Printeds = row.scores.iter().enumerate().filter(|(it, _)| *it != at).map(|(_, it)| *it).collect();
        let matrix = *matrices(&rest, positives, negatives).first()?;
        let (score, printed) = row.scores[at];
        Some((at, crate::cells::shown_like(&row.texts[at], printed, matrix.score(score)?)))
    };
    (0..row.scores.len()).filter_map(without).collect()
}

/// Whether the accuracy lies beyond sensitivity and specificity, however they were rounded.
pub fn is_outside(row: &Model) -> bool {
    let three: Printeds =
        row.scores.iter().copied().filter(|(score, _)| [ACCURACY, SENSITIVITY, SPECIFICITY].contains(score)).collect();
    three.len() == 3 && !Region::new(&three, Width::Loose).is_possible()
}

/// A row for which no share of events gives all scores.
fn without_size(row: &Model) -> Option<Finding> {
    if Region::new(&row.scores, Width::Rounded).is_possible() {
        return None;
    }
    let two_classes = row.score(SPECIFICITY).is_some() || row.score(NPV).is_some();
    if two_classes && Region::new(&row.scores, Width::Loose).is_possible() {
        let why =
            "For no share of events can all of these be true, but with a last digit cut off or off by one they can.";
        return Some(on(row, &[], Kind::Metric, Severity::Rounding, String::new(), why.to_owned()));
    }
    let subset = |kept: &dyn Fn(usize) -> bool| -> Printeds {
        row.scores.iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, it)| *it).collect()
    };
    let outside = is_outside(row);
    let culprits: Vec<&str> = (0..row.scores.len())
        .filter(|&at| Region::new(&subset(&|it| it != at), Width::Loose).is_possible())
        .map(|at| row.columns[at].as_str())
        .collect();
    let what = if outside {
        "The accuracy lies outside the range between sensitivity and specificity"
    } else {
        "For no share of events can all of these be true"
    };
    let one = match culprits[..] {
        [] => "more than one of them is wrong".to_owned(),
        [one] => format!("{one} may be the wrong one"),
        _ => format!("any one of {} may be the wrong one", culprits.join(", ")),
    };
    // Precision, recall and F1 without a specificity may be averages over classes, which obey no such relation.
    if !two_classes {
        let why = format!("{what} of two classes; averages over classes or folds they may be.");
        return Some(on(row, &[], Kind::Metric, Severity::Note, "cannot be judged".to_owned(), why));
    }
    let why = format!("{what}, however they were rounded; {one}.");
    Some(on(row, &[], Kind::Metric, Severity::Inconsistent, String::new(), why))
}

/// Rows that imply shares of events which exclude each other.
fn events(rows: &[&Model]) -> Option<Finding> {
    let mut known: Vec<(&Model, Interval)> = Vec::new();
    for row in rows.iter().filter(|row| row.scores.len() > 2) {
        let range = [Width::Rounded, Width::Loose].iter().find_map(|&width| Region::new(&row.scores, width).events());
        known.extend(range.map(|range| (*row, range)));
    }
    if let Some(finding) = alone(&known) {
        return Some(finding);
    }
    let low = known.iter().map(|(_, it)| it.low).fold(0.0, f64::max);
    let high = known.iter().map(|(_, it)| it.high).fold(1.0, f64::min);
    let (first, _) = known.first().filter(|_| low > high + 2e-3 * high.min(1.0 - low).max(0.0) + 1e-4)?;
    // Those that exclude each other: the ones at either end.
    let apart = |range: &Interval| known.iter().any(|(_, it)| it.low > range.high || it.high < range.low);
    let told: Vec<String> = known
        .iter()
        .filter(|(_, range)| apart(range))
        .map(|(row, it)| format!("{} {:.3} to {:.3}", row.place.row, it.low, it.high))
        .collect();
    let why = format!("The rows of the set are not of the same patients; shares of events: {}.", told.join("; "));
    Some(on(first, &[0], Kind::Sample, Severity::Note, String::new(), why))
}

/// How narrow the share of events of the other rows must be, how far that of one row lies from it, and how far apart its
/// sensitivity and specificity must be: a few other patients, or means over folds, move it by less.
const NARROW: f64 = 0.08;
const AWAY: f64 = 0.1;
const TELLING: f64 = 0.15;

/// The only row whose share of events is far from the one that all others, at least two, have: one of its scores is wrong.
fn alone(known: &[(&Model, Interval)]) -> Option<Finding> {
    let is_alone = |at: &usize| {
        let others = || known.iter().enumerate().filter(|(it, _)| it != at).map(|(_, (_, range))| *range);
        let (low, high) = others().fold((0.0_f64, 1.0_f64), |(low, high), it| (low.max(it.low), high.min(it.high)));
        let (row, own) = known[*at];
        let apart = row.score(SENSITIVITY).zip(row.score(SPECIFICITY)).map(|(a, b)| (a.value() - b.value()).abs());
        let is_narrow = others().all(|it| it.high - it.low < NARROW);
        let away = (own.low - high).max(low - own.high);
        known.len() > 2 && low <= high && is_narrow && away > AWAY && apart.is_some_and(|it| it > TELLING)
    };
    let mut found = (0..known.len()).filter(is_alone);
    let at = found.next().filter(|_| found.next().is_none())?;
    let (row, own) = known[at];
    let others = known.iter().enumerate().filter(|(it, _)| *it != at);
    let told: Vec<String> =
        others.map(|(_, (row, it))| format!("{} {:.3} to {:.3}", row.place.row, it.low, it.high)).collect();
    let why = format!(
        "Its scores imply a share of events of {:.3} to {:.3}, those of the other rows of the set agree on another: {}.",
        own.low,
        own.high,
        told.join("; ")
    );
    Some(on(row, &[], Kind::Metric, Severity::Inconsistent, String::new(), why))
}
