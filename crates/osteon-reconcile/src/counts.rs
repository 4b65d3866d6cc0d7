//! Counts against their percentages, their sums over levels and groups, and the other table that splits the cohort.
//!
//! A count is called a typo when another count is spoken for by more of the checks it takes part in; everything later
//! is then asked of the corrected count.

use crate::cohort::{Arm, Count, Variable, splits};
use crate::finding::{Finding, Kind, Severity};
use crate::group_sizes;
use crate::permuted;
use crate::printed::Printed;

/// Where a count stands: arm, variable, level, group.
type Cell = [usize; 4];

/// Counts that add up to another count, or to a group's size.
struct Equation {
    parts: Vec<Cell>,
    whole: Whole,
    /// The end of a sentence on what this equation says.
    says: &'static str,
}

enum Whole {
    Cell(Cell),
    Size(u64),
}

/// Corrects the counts of `arms` and says what was wrong with them.
pub fn check(arms: &mut [Arm]) -> Vec<Finding> {
    let permuted = permuted::find(arms);
    let mut sized = Vec::new();
    for (at, arm) in arms.iter_mut().enumerate() {
        let own = arm.clone();
        let misses = |_: &Arm, [v, l, g]: [usize; 3]| {
            let cell = [0, v, l, g];
            let all = std::slice::from_ref(&own);
            let count = own.variables[v].levels[l].counts[g];
            let is_permuted = permuted.iter().any(|it| it.holds([at, v, l, g]));
            let percent = count.and_then(|it| Some((it.printed as i64, it.percent?)));
            let printed = count.and_then(|it| it.of.or(it.percent_of));
            let of = printed.or(if own.total() == Some(g) { Some(own.groups[g].n) } else { denominator(all, cell) });
            let near = |(n, percent): (i64, Printed)| {
                of.is_none_or(|of| percent.units_off(100.0 * n as f64 / of.max(1) as f64).abs() < 1.0 + 1e-9)
            };
            !is_permuted && percent.is_some_and(|it| !near(it))
        };
        sized.extend(group_sizes::check(arm, &misses));
    }
    let equations = equations(arms);
    let is_permuted = |cell: Cell| permuted.iter().any(|it| it.holds(cell));
    while let Some((cell, n)) = best_correction(arms, &equations, &is_permuted) {
        at_mut(arms, cell).n = n;
    }
    let mut findings: Vec<Finding> = permuted.iter().map(|it| it.finding(arms)).collect();
    findings.extend(sized);
    for it in &permuted {
        it.apply(arms);
    }
    for cell in cells(arms).into_iter().filter(|&cell| !is_permuted(cell)) {
        findings.extend(count_finding(arms, &equations, cell));
    }
    one_for_cut_tables(arms, &mut findings);
    let doubtful = |it: &Equation| it.parts.iter().any(|&part| is_permuted(part));
    findings.extend(equations.iter().filter(|it| !doubtful(it)).filter_map(|equation| sum_finding(arms, equation)));
    findings
}

fn equations(arms: &[Arm]) -> Vec<Equation> {
    let mut equations = Vec::new();
    for (a, arm) in arms.iter().enumerate() {
        for (v, variable) in arm.variables.iter().enumerate() {
            let printed = |level: usize, group: usize| variable.levels[level].counts.get(group).copied().flatten();
            let levels = 0..variable.levels.len();
            for (g, group) in arm.groups.iter().enumerate() {
                let parts: Vec<Cell> =
                    levels.clone().filter(|&l| printed(l, g).is_some()).map(|l| [a, v, l, g]).collect();
                if parts.len() == variable.levels.len() && parts.len() > 1 {
                    let own: Vec<Option<u64>> = parts.iter().map(|&[_, _, l, g]| printed(l, g)?.of).collect();
                    let of = own[0].filter(|_| own.iter().all(|it| *it == own[0]));
                    equations.push(Equation {
                        parts,
                        whole: Whole::Size(of.unwrap_or(group.n)),
                        says: "the levels add up to the group",
                    });
                }
            }
            let Some(total) = arm.total().filter(|_| arm.adds_up()) else { continue };
            for l in levels.filter(|&l| printed(l, total).is_some()) {
                let parts: Vec<Cell> =
                    arm.compared().into_iter().filter(|&g| printed(l, g).is_some()).map(|g| [a, v, l, g]).collect();
                if parts.len() == arm.compared().len() && parts.len() > 1 {
                    let whole = Whole::Cell([a, v, l, total]);
                    equations.push(Equation { parts, whole, says: "the groups add up to the total" });
                }
            }
        }
    }
    for (whole, parts) in splits(arms) {
        for cell in cells(arms).into_iter().filter(|cell| cell[0] == whole) {
            let found: Vec<Cell> = parts.iter().filter_map(|&part| same_in(arms, cell, part)).collect();
            if found.len() == parts.len() {
                let says = "the sets of the other table add up to it";
                equations.push(Equation { parts: found, whole: Whole::Cell(cell), says });
            }
        }
    }
    equations
}

/// The same variable, level and group in another arm.
fn same_in(arms: &[Arm], cell: Cell, other: usize) -> Option<Cell> {
    let variable = &arms[cell[0]].variables[cell[1]];
    let v = arms[other].variables.iter().position(|it| it.name.eq_ignore_ascii_case(&variable.name))?;
    let level = &variable.levels[cell[2]].name;
    let l = arms[other].variables[v].levels.iter().position(|it| it.name.eq_ignore_ascii_case(level))?;
    let g = arms[other].groups.iter().position(|it| it.column == arms[cell[0]].groups[cell[3]].column)?;
    arms[other].variables[v].levels[l].counts[g].map(|_| [other, v, l, g])
}

fn cells(arms: &[Arm]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (a, arm) in arms.iter().enumerate() {
        for (v, variable) in arm.variables.iter().enumerate() {
            for (l, level) in variable.levels.iter().enumerate() {
                cells.extend((0..level.counts.len()).filter(|&g| level.counts[g].is_some()).map(|g| [a, v, l, g]));
            }
        }
    }
    cells
}

fn at(arms: &[Arm], [a, v, l, g]: Cell) -> Count {
    arms[a].variables[v].levels[l].counts[g].expect("only printed cells are listed")
}

fn at_mut(arms: &mut [Arm], [a, v, l, g]: Cell) -> &mut Count {
    arms[a].variables[v].levels[l].counts[g].as_mut().expect("only printed cells are listed")
}

/// The correction that most more checks speak for than for the count as it stands.
fn best_correction(arms: &[Arm], equations: &[Equation], is_permuted: &dyn Fn(Cell) -> bool) -> Option<(Cell, u64)> {
    let mut best: Option<(usize, Cell, u64)> = None;
    for cell in cells(arms).into_iter().filter(|&cell| !is_permuted(cell)) {
        let count = at(arms, cell);
        if count.n != count.printed {
            continue;
        }
        let own: Vec<&Equation> = equations.iter().filter(|equation| equation.has(cell)).collect();
        let size = count.of.unwrap_or(arms[cell[0]].groups[cell[3]].n);
        let percent = count.percent.filter(|_| denominator(arms, cell) == Some(size));
        let mut candidates: Vec<u64> = own.iter().filter_map(|equation| equation.needs(arms, cell)).collect();
        candidates.extend(percent.iter().flat_map(|percent| fitting(*percent, size)).take(3));
        let votes = |n: u64| {
            let spoken = own.iter().filter(|equation| equation.needs(arms, cell) == Some(n)).count();
            spoken + usize::from(percent.is_some_and(|percent| percent.is_ratio(100 * n as i64, size as i64)))
        };
        for n in candidates.into_iter().filter(|&n| n <= size) {
            // Two checks at least must agree on the new count, and outvote the old one.
            let (for_new, for_old) = (votes(n), votes(count.printed));
            let gain = for_new.saturating_sub(for_old);
            if for_new >= 2 && gain > best.map_or(0, |(gain, ..)| gain) {
                best = Some((gain, cell, n));
            }
        }
    }
    best.map(|(_, cell, n)| (cell, n))
}

impl Equation {
    fn has(&self, cell: Cell) -> bool {
        self.parts.contains(&cell) || matches!(self.whole, Whole::Cell(whole) if whole == cell)
    }

    fn sum(&self, arms: &[Arm]) -> u64 {
        self.parts.iter().map(|&part| at(arms, part).n).sum()
    }

    fn total(&self, arms: &[Arm]) -> u64 {
        match self.whole {
            Whole::Cell(cell) => at(arms, cell).n,
            Whole::Size(n) => n,
        }
    }

    /// The count that `cell` needs for this to hold; `None` when no count does.
    fn needs(&self, arms: &[Arm], cell: Cell) -> Option<u64> {
        if !self.parts.contains(&cell) {
            return Some(self.sum(arms));
        }
        self.total(arms).checked_sub(self.sum(arms) - at(arms, cell).n)
    }
}

/// Counts out of `n` that a percentage fits.
fn fitting(percent: Printed, n: u64) -> Vec<u64> {
    (0..=n).filter(|&k| percent.is_ratio(100 * k as i64, n as i64)).collect()
}

/// The denominator of a level's percentage in a group.
type Of = fn(&Arm, &Variable, usize, usize) -> Option<u64>;

/// What a variable's percentages are of: the group, or where that explains more of them, the group's known values or
/// the level's total (printed, or the sum of the groups); before all, what the cell prints itself. `None` when one of these is meant and cannot be had.
fn denominator(arms: &[Arm], cell: Cell) -> Option<u64> {
    if let Some(of) = at(arms, cell).of.or(at(arms, cell).percent_of) {
        return Some(of);
    }
    let arm = &arms[cell[0]];
    let variable = &arm.variables[cell[1]];
    let schemes: [Of; 4] = [
        |arm, _, _, g| Some(arm.groups[g].n),
        |_, variable, _, g| variable.levels.iter().map(|level| level.counts[g].map(|count| count.printed)).sum(),
        |arm, variable, l, _| variable.levels[l].counts[arm.total()?].map(|count| count.printed),
        |arm, variable, l, _| {
            let counts = arm.compared().into_iter().map(|g| variable.levels[l].counts[g].map(|count| count.printed));
            counts.sum()
        },
    ];
    let misses = |scheme: &Of| {
        let mut misses = 0;
        for (l, level) in variable.levels.iter().enumerate() {
            for (g, count) in level.counts.iter().enumerate() {
                let Some(Count { printed, percent: Some(percent), of: None, percent_of: None, .. }) = *count else {
                    continue;
                };
                let of = scheme(arm, variable, l, g).unwrap_or(0);
                misses += usize::from(arm.total() != Some(g) && !percent.is_ratio(100 * printed as i64, of as i64));
            }
        }
        misses
    };
    let of_group = misses(&schemes[0]);
    let chosen = schemes.iter().skip(1).find(|scheme| misses(scheme) == 0 && of_group > 1);
    // One wrong percentage breaks no habit: the level's total, where the group's size explains nearly none.
    let nearly = || schemes.iter().skip(1).find(|scheme| misses(scheme) == 1 && of_group > 3);
    let chosen = chosen.or_else(nearly);
    chosen.unwrap_or(&schemes[0])(arm, variable, cell[2], cell[3])
}

fn count_finding(arms: &[Arm], equations: &[Equation], cell: Cell) -> Option<Finding> {
    let (arm, count) = (&arms[cell[0]], at(arms, cell));
    let (variable, group) = (&arm.variables[cell[1]], &arm.groups[cell[3]]);
    let of = if arm.total() == Some(cell[3]) { Some(group.n) } else { denominator(arms, cell) };
    let of = count.of.or(count.percent_of).or(of);
    let place = arm.place(&variable.levels[cell[2]].row, &group.column);
    let printed = match count.percent {
        Some(percent) => format!("{}({percent})", count.printed),
        None => count.printed.to_string(),
    };
    let finding = |kind, severity, implied: String, alternatives, why| {
        Some(Finding { kind, severity, place: place.clone(), printed: printed.clone(), implied, alternatives, why })
    };
    if count.n != count.printed {
        let own = equations.iter().filter(|equation| equation.has(cell) && equation.needs(arms, cell) == Some(count.n));
        let mut says: Vec<&str> = own.map(|equation| equation.says).collect();
        let size = count.of.unwrap_or(group.n);
        let fits = count.percent.is_some_and(|percent| percent.is_ratio(100 * count.n as i64, size as i64));
        if fits {
            says.insert(0, "the percentage is that of this count");
        }
        let percent = count
            .percent
            .map_or(String::new(), |percent| format!("({})", percent.like(100.0 * count.n as f64 / size as f64)));
        let why = format!("Only with {}: {}.", count.n, says.join("; "));
        return finding(Kind::Count, Severity::Typo, format!("{}{percent}", count.n), Vec::new(), why);
    }
    let (percent, of) = (count.percent?, of?);
    if percent.is_ratio(100 * count.n as i64, of as i64) {
        return None;
    }
    let exact = 100.0 * count.n as f64 / of.max(1) as f64;
    let implied = format!("{}({})", count.n, percent.like(exact));
    if percent.is_truncated_ratio(100 * count.n as i64, of as i64) {
        let why = format!("{}/{of} is {exact:.3} %: cut off, not rounded.", count.n);
        return finding(Kind::Percent, Severity::Rounding, implied, vec![], why);
    }
    let severity = match percent.units_off(exact).abs() {
        off if off < 1.0 + 1e-9 => Severity::Rounding,
        _ if Printed::of(exact, percent.decimals()).is_slip_of(percent) => Severity::Typo,
        _ => Severity::Inconsistent,
    };
    let alternatives = fitting(percent, of).iter().map(|n| format!("{n}({percent})")).collect();
    finding(Kind::Percent, severity, implied, alternatives, format!("{}/{of} is {exact:.3} %.", count.n))
}

fn sum_finding(arms: &[Arm], equation: &Equation) -> Option<Finding> {
    let (sum, total) = (equation.sum(arms), equation.total(arms));
    if sum == total {
        return None;
    }
    let [a, v, l, g] = match equation.whole {
        Whole::Cell(cell) => cell,
        Whole::Size(_) => equation.parts[0],
    };
    let (arm, variable) = (&arms[a], &arms[a].variables[v]);
    let (row, severity) = match equation.whole {
        Whole::Cell(_) => (variable.levels[l].row.as_str(), Severity::Inconsistent),
        Whole::Size(_) if sum < total => (variable.name.as_str(), Severity::Note),
        // Each a right share of the group: a patient may have several of them.
        // Without percentages nobody knows either.
        Whole::Size(n) if shares_of(arms, equation, n) => (variable.name.as_str(), Severity::Note),
        Whole::Size(_) => (variable.name.as_str(), Severity::Inconsistent),
    };
    let parts: Vec<String> = equation.parts.iter().map(|&part| at(arms, part).n.to_string()).collect();
    let why = match severity {
        Severity::Note if sum > total => {
            format!("The levels add up to {sum} of {total}: a patient may have several, or a count is wrong.")
        }
        Severity::Note => format!("The levels add up to {sum} of {total}: values are missing, or a count is wrong."),
        _ => format!("{} is {sum}, not {total}: not so that {}.", parts.join(" + "), equation.says),
    };
    Some(Finding {
        kind: Kind::Sum,
        severity,
        place: arm.place(row, &arm.groups[g].column),
        printed: total.to_string(),
        implied: sum.to_string(),
        alternatives: Vec::new(),
        why,
    })
}

/// Whether every part prints its right share of the group, or none.
fn shares_of(arms: &[Arm], equation: &Equation, n: u64) -> bool {
    equation.parts.iter().all(|&part| {
        let count = at(arms, part);
        count.n == count.printed && count.percent.is_none_or(|it| it.is_ratio(100 * count.n as i64, n as i64))
    })
}

/// Cut percentages that make a habit, where rounding and cutting differ.
const HABIT: usize = 3;

/// One finding for a table whose percentages are cut off instead of rounded, in place of one for each.
fn one_for_cut_tables(arms: &[Arm], findings: &mut Vec<Finding>) {
    let is_cut = |it: &Finding| it.kind == Kind::Percent && it.why.ends_with("cut off, not rounded.");
    let mut tables: Vec<String> = findings.iter().filter(|it| is_cut(it)).map(|it| it.place.table.clone()).collect();
    tables.sort();
    tables.dedup();
    for table in tables {
        let own = |it: &Finding| is_cut(it) && it.place.table == table;
        let n = findings.iter().filter(|it| own(it)).count();
        // Percentages that were rounded up speak against the habit.
        let rounded = cells(arms).into_iter().filter(|&cell| arms[cell[0]].table == table).filter(|&cell| {
            let (count, size) = (at(arms, cell), arms[cell[0]].groups[cell[3]].n);
            let size = count.of.or(count.percent_of).unwrap_or(size);
            count.percent.is_some_and(|it| {
                let (above, below) = (100 * count.n as i64, size as i64);
                it.is_ratio(above, below) && !it.is_truncated_ratio(above, below)
            })
        });
        let is_said = arms.iter().any(|arm| arm.table == table && arm.is_rounded);
        if is_said || n < HABIT || 4 * rounded.count() > n {
            continue;
        }
        let first = findings.iter().position(own).expect("at least three");
        let mut one = findings[first].clone();
        one.why = format!("{n} percentages of the table are cut off, not rounded; here {}", one.why);
        let mut kept = false;
        findings.retain(|it| !own(it) || !std::mem::replace(&mut kept, true));
        findings[first] = one;
    }
}
