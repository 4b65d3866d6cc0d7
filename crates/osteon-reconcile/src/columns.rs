//! What a column of P values compares, and by which tests: the choice of groups that explains most of its rows.
//!
//! A header seldom says it. Every subset and pooling of the groups is tried with every usual test of a table of
//! counts; the choice that gives most printed numbers exactly is taken, and the rest is judged under it. Where no
//! choice gives most of them, nothing is asserted.

use crate::cohort::{Arm, Level, Missing, Variable};
use crate::finding::{Finding, Kind, Place, Severity};
use crate::independence::{self, Effort, Test, Tested};
use crate::means::Means;
use crate::printed::{Interval, Printed};
use crate::role::Compared;
use crate::tested::grade;
use osteon_stats::stats::distribution::{chi2_sf, normal_quantile};

/// A column of P values with what it is taken to compare.
pub struct Column<'a> {
    pub arm: &'a Arm,
    pub name: String,
    /// Groups of the arm, pooled where several stand together.
    pub groups: Vec<Vec<usize>>,
    /// It is not the natural reading of the header.
    pub is_other: bool,
    pub lines: Vec<Line<'a>>,
    /// Rows of means that a t test or an analysis of variance of the same groups explains.
    pub support: usize,
}

/// A variable's counts with the tests of them.
pub struct Line<'a> {
    pub variable: &'a Variable,
    pub table: Vec<Vec<u64>>,
    pub p: Option<Printed>,
    pub statistic: Option<Printed>,
    pub all: Vec<Tested>,
    /// Those that give every number printed.
    pub fitting: Vec<Tested>,
}

/// More groups than this are compared as they stand.
const MOST_GROUPS: usize = 7;
/// By so much another choice must explain more than the natural one.
const BETTER: f64 = 0.5;
/// What the explained rows of a column must weigh before the others are judged.
const WEIGHT: f64 = 2.0;
/// What the explained rows must weigh before a single one that is far from every test is judged; how far that is, as a
/// normal quantile.
const ONE: f64 = 1.0;
const FAR: f64 = 1.5;
/// Rows of a table whose Fisher's test may draw tables.
const MOST_DRAWN: usize = 12;

/// Every column of P values, or of statistics alone, over counts.
pub fn columns(arms: &[Arm]) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    for arm in arms {
        let mut named = arm.p_columns.clone();
        if named.is_empty() && arm.variables.iter().any(|it| it.statistic.is_some()) {
            named.push(("P value".to_owned(), Compared::default()));
        }
        for (at, (name, compared)) in named.iter().enumerate() {
            columns.extend(column(arm, name, compared, at == 0));
        }
    }
    columns
}

/// Tells columns how many rows of means speak for the groups that they are taken to compare.
pub fn support(columns: &mut [Column], means: &[Means]) {
    for column in columns {
        let own = means.iter().filter(|it| it.is_of(column));
        column.support = own.map(Means::speaking).max().unwrap_or(0);
    }
}

fn column<'a>(arm: &'a Arm, name: &str, compared: &Compared, is_first: bool) -> Option<Column<'a>> {
    let choices = choices(arm, compared);
    let mut best: Option<(f64, usize, Vec<Line>)> = None;
    for (at, groups) in choices.iter().enumerate() {
        let lines = lines(arm, name, groups, is_first);
        let weight: f64 = lines.iter().filter(|it| !it.fitting.is_empty()).map(Line::weight).sum();
        let complete = lines.iter().all(|it| !it.fitting.is_empty());
        if best.as_ref().is_none_or(|(most, ..)| weight > most + BETTER) && (at == 0 || !lines.is_empty()) {
            best = Some((weight, at, lines));
        }
        if at == 0 && complete {
            break;
        }
    }
    let (_, at, mut lines) = best?;
    let mut drawn = 0;
    for line in lines.iter_mut().filter(|it| it.fitting.is_empty()) {
        drawn += 1;
        if drawn <= MOST_DRAWN {
            line.all = independence::tests(&line.table, Effort::Full);
            line.all.extend(independence::ordered(&line.table));
            line.fitting = line.all.iter().copied().filter(|it| fits(line, it)).collect();
        }
    }
    let groups = choices[at].clone();
    (!lines.is_empty()).then(|| Column { arm, name: name.to_owned(), groups, is_other: at > 0, lines, support: 0 })
}

/// The natural choice first; then, unless the header names it, every subset and pooling that papers use.
pub fn choices(arm: &Arm, compared: &Compared) -> Vec<Vec<Vec<usize>>> {
    let all = arm.compared();
    let named: Option<Vec<usize>> =
        compared.groups.iter().map(|name| arm.groups.iter().position(|it| it.column == *name)).collect();
    let mut natural = named.filter(|it| it.len() > 1).unwrap_or_else(|| all.clone());
    if !compared.is_named && all.len() > 1 {
        natural.retain(|&it| !arm.groups[it].is_total);
    }
    if natural.len() < 2 {
        natural.clone_from(&all);
    }
    // A cohort as large as the others together was left out for the total, and is none.
    let sum: u64 = natural.iter().map(|&it| arm.groups[it].n).sum();
    if let Some(&cohort) = all.iter().find(|&it| !natural.contains(it) && arm.groups[*it].n == sum)
        && !compared.is_named
    {
        natural.push(cohort);
        natural.sort_unstable();
    }
    let single = |groups: &[usize]| groups.iter().map(|&it| vec![it]).collect::<Vec<_>>();
    let mut choices = vec![single(&natural)];
    if compared.is_named || all.len() < 3 || all.len() > MOST_GROUPS {
        return choices;
    }
    choices.push(single(&all));
    for chosen in 3..1u32 << all.len() {
        let of = |wanted: bool| -> Vec<usize> {
            let kept = |at: &usize| (chosen >> at & 1 == 1) == wanted;
            (0..all.len()).filter(kept).map(|at| all[at]).collect()
        };
        let (inside, outside) = (of(true), of(false));
        if inside.len() > 1 {
            choices.push(single(&inside));
        }
        if !outside.is_empty() && inside.contains(&all[0]) {
            choices.push(vec![inside, outside]);
        }
    }
    choices.push(vec![vec![all[0]], all[1..].to_vec()]);
    choices.dedup();
    choices
}

fn lines<'a>(arm: &'a Arm, column: &str, groups: &[Vec<usize>], is_first: bool) -> Vec<Line<'a>> {
    let line = |variable: &'a Variable| {
        let (p, statistic) = (variable.p_in(column), variable.statistic.filter(|_| is_first));
        p.or(statistic)?;
        let tested = |missing: Missing| {
            let table = arm.pooled(variable, groups, missing)?;
            let mut all = independence::tests(&table, Effort::Cheap);
            all.extend(independence::ordered(&table));
            let mut line = Line { variable, table, p, statistic, all, fitting: Vec::new() };
            line.fitting = line.all.iter().copied().filter(|it| fits(&line, it)).collect();
            (!line.all.is_empty()).then_some(line)
        };
        // Tests leave out whose value is not known, or take them for a level.
        let known = tested(Missing::Left);
        if known.as_ref().is_some_and(|it| !it.fitting.is_empty()) || !variable.levels.iter().any(Level::is_missing) {
            return known;
        }
        tested(Missing::Counted).filter(|it| !it.fitting.is_empty()).or(known)
    };
    arm.variables.iter().filter_map(line).collect()
}

fn fits(line: &Line, tested: &Tested) -> bool {
    let is = |printed: Printed, computed: f64| printed.is(computed) || printed.is(-computed);
    let statistic = line.statistic.is_none_or(|printed| match tested.statistic {
        Some(computed) => is(printed, computed),
        // Fisher's test has none: beside its P stands a chi-square.
        None => line.all.iter().any(|it| it.statistic.is_some_and(|computed| is(printed, computed))),
    });
    statistic && line.p.is_none_or(|p| tested.is_p(p))
}

/// Whether a printed P and a test's are apart by more than tests of the same counts differ.
fn is_far(printed: Printed, tested: &Tested) -> bool {
    let quantile = |p: f64| if p >= 1.0 { 0.0 } else { -normal_quantile((0.5 * p).max(1e-300)) };
    let (own, range) = (printed.interval(), tested.range());
    let gap =
        (quantile(own.high) - quantile(range.low.max(0.0))).max(quantile(range.high) - quantile(own.low.max(0.0)));
    gap > FAR
}

impl Line<'_> {
    /// How unlikely it is that some test gives the printed numbers by chance, as a logarithm.
    fn weight(&self) -> f64 {
        let width = |p: Printed| {
            let interval = p.interval();
            if p.is_exact() { interval.high.min(1.0) - interval.low.max(0.0) } else { 0.5 }
        };
        let p = self.p.map_or(0.0, |p| -(6.0 * width(p)).min(1.0).log10());
        p + if self.statistic.is_some() { 2.0 } else { 0.0 }
    }
}

impl Column<'_> {
    fn explained(&self) -> usize {
        self.lines.iter().filter(|it| !it.fitting.is_empty()).count()
    }

    /// Whether so much is explained that the rest can be judged.
    pub fn is_judged(&self) -> bool {
        let weight: f64 = self.lines.iter().filter(|it| !it.fitting.is_empty()).map(Line::weight).sum();
        let explained = self.explained();
        explained > 0 && explained + self.support > 1 && 2 * explained >= self.lines.len() && weight >= WEIGHT
    }

    /// Table, set and heading.
    pub fn key(&self) -> [String; 3] {
        [self.arm.table.clone(), self.arm.set.clone(), self.name.clone()]
    }

    /// Whether the header, or a person, names the groups.
    pub fn is_named(&self) -> bool {
        self.arm.p_columns.iter().any(|(name, compared)| *name == self.name && compared.is_named)
    }

    /// Whether a row is the only one of two groups that no test explains, and far from every test.
    fn is_alone(&self, line: &Line) -> bool {
        let explained: Vec<&Line> = self.lines.iter().filter(|it| !it.fitting.is_empty()).collect();
        let weight: f64 = explained.iter().map(|it| it.weight()).sum();
        let is_only = explained.len() + 1 == self.lines.len() && self.arm.compared().len() == 2;
        is_only && weight >= ONE && line.p.is_some_and(|p| p.is_exact() && line.all.iter().all(|it| is_far(p, it)))
    }

    /// The P values of which nothing can be said.
    pub fn unjudged(&self) -> Vec<Place> {
        let is_left = |it: &&Line| {
            let is_told = self.is_judged() || it.half().is_some() || self.is_alone(it);
            it.fitting.is_empty() && (it.variable.is_doubtful || !is_told)
        };
        let left = self.lines.iter().filter(is_left);
        left.flat_map(|line| {
            [self.name.as_str(), "statistic"].map(|column| self.arm.place(&line.variable.name, column))
        })
        .collect()
    }

    /// The test that most explained rows can have.
    fn usual(&self) -> Option<Test> {
        let votes = |test: Test| self.lines.iter().filter(|it| it.fitting.iter().any(|it| it.test == test)).count();
        let tests = [Test::Pearson, Test::Yates, Test::Fisher, Test::LikelihoodRatio, Test::KruskalWallis, Test::Trend];
        tests.into_iter().rev().max_by_key(|&test| votes(test)).filter(|&test| votes(test) > 0)
    }

    /// The groups in words: "Training : Internal + External".
    pub fn words(&self) -> String {
        let name = |&group: &usize| self.arm.groups[group].column.as_str();
        let pools: Vec<String> =
            self.groups.iter().map(|pool| pool.iter().map(name).collect::<Vec<_>>().join(" + ")).collect();
        pools.join(" : ")
    }

    /// What was taken for it, in one sentence.
    pub fn taken(&self) -> String {
        let (explained, all) = (self.explained(), self.lines.len());
        let by = self.usual().map_or(String::new(), |test| format!(", most by {}", test.name()));
        let place = format!("table {} {} {}", self.arm.table, self.arm.set, self.name);
        format!("{place}: of {}, {explained} of {all} rows of counts explained{by}", self.words())
    }

    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut left = Vec::new();
        for line in self.lines.iter().filter(|it| it.fitting.is_empty() && !it.variable.is_doubtful) {
            if self.is_judged() || line.half().is_some() || self.is_alone(line) {
                findings.extend(self.judged(line));
            } else {
                left.push(line.variable.name.as_str());
            }
        }
        if self.is_other && self.is_judged() {
            let why = format!("{} of {} rows follow from these groups.", self.explained(), self.lines.len());
            findings.push(self.note(&self.lines[0], format!("P of {}", self.words()), why));
        }
        if let (Some(first), false) = (self.lines.iter().find(|it| it.fitting.is_empty()), left.is_empty()) {
            let why = format!(
                "No choice of groups and tests gives most P values of this column: {} of {} rows are explained, not {}.",
                self.explained(),
                self.lines.len(),
                left.join("; ")
            );
            findings.push(self.note(first, "cannot be judged".to_owned(), why));
        }
        findings
    }

    fn note(&self, line: &Line, implied: String, why: String) -> Finding {
        Finding {
            kind: Kind::Method,
            severity: Severity::Note,
            place: self.arm.place(&line.variable.name, &self.name),
            printed: line.p.map(|p| p.to_string()).unwrap_or_default(),
            implied,
            alternatives: Vec::new(),
            why,
        }
    }

    fn judged(&self, line: &Line) -> Vec<Finding> {
        let usual = self.usual();
        let off = |it: &&Tested| line.p.is_some_and(|p| p.units_off(it.p).abs() < 1.0 + 1e-9);
        // A test that gives one of the two numbers; one that is off by a last digit; the column's own; Pearson's.
        let nearest = line
            .half()
            .or_else(|| line.all.iter().find(off))
            .or_else(|| line.all.iter().find(|it| Some(it.test) == usual))
            .unwrap_or(&line.all[0]);
        let every: Vec<String> = line.all.iter().map(told).collect();
        if let Some(note) = self.drawn(line, &every) {
            return vec![note];
        }
        let mut wrong = Vec::new();
        if let (Some(printed), Some(computed)) = (line.statistic, nearest.statistic)
            && !printed.is(computed)
        {
            wrong.push((Kind::Statistic, "statistic", printed, computed));
        }
        if let Some(printed) = line.p.filter(|&p| !nearest.is_p(p)) {
            wrong.push((Kind::PValue, self.name.as_str(), printed, nearest.p));
        }
        let freedom = independence::freedom(&line.table);
        let own = line
            .statistic
            .zip(line.p)
            .is_some_and(|(statistic, p)| p.meets(statistic.interval().map(|it| chi2_sf(it.max(0.0), freedom))));
        let among = if own { "; the two printed numbers do agree with each other" } else { "" };
        let of = if self.groups.len() > 2 || self.is_other { format!(" of {}", self.words()) } else { String::new() };
        wrong
            .into_iter()
            .map(|(kind, column, printed, computed)| Finding {
                kind,
                severity: grade(printed, computed),
                place: self.arm.place(&line.variable.name, column),
                printed: printed.to_string(),
                implied: printed.like(computed),
                alternatives: every.clone(),
                why: format!(
                    "No usual test gives it from the counts{of}; {} gives {}{among}.",
                    nearest.test.name(),
                    printed.like(computed)
                ),
            })
            .collect()
    }
}

/// Tables that programs draw for Fisher's test where they are told no number: R's `simulate.p.value`. Others draw more.
const FEWEST_DRAWN: f64 = 2000.0;

impl Column<'_> {
    /// A note in place of a finding where Fisher's test of a larger table was due, and the P is one that drawn tables
    /// give: within three standard errors of the exact one.
    fn drawn(&self, line: &Line, every: &[String]) -> Option<Finding> {
        let p = line.p.filter(|p| p.is_exact() && line.statistic.is_none())?;
        let is_large = line.table.len() > 2 || self.groups.len() > 2;
        let fisher = line.all.iter().find(|it| it.test == Test::Fisher)?;
        let error = 3.0 * (fisher.p * (1.0 - fisher.p) / FEWEST_DRAWN).sqrt();
        let around = fisher.range();
        let near = p.meets(Interval { low: around.low - error, high: around.high + error });
        (is_large && near && independence::is_sparse(&line.table)).then(|| Finding {
            kind: Kind::PValue,
            severity: Severity::Note,
            place: self.arm.place(&line.variable.name, &self.name),
            printed: p.to_string(),
            implied: p.like(fisher.p),
            alternatives: every.to_vec(),
            why: format!(
                "Fisher's exact p is {}; by drawn tables (Monte Carlo, {FEWEST_DRAWN} or more) the printed one may come out.",
                p.like(fisher.p)
            ),
        })
    }
}

impl Line<'_> {
    /// The test that gives one of two printed numbers.
    fn half(&self) -> Option<&Tested> {
        let (statistic, p) = self.statistic.zip(self.p)?;
        self.all
            .iter()
            .find(|it| it.statistic.is_some_and(|computed| statistic.is(computed)) && statistic.value() != 0.0)
            .or_else(|| {
                let informative = p.is_exact() && p.unit() < 0.005;
                self.all.iter().find(|it| informative && it.statistic.is_some() && it.is_p(p))
            })
    }
}

fn told(it: &Tested) -> String {
    match it.statistic {
        Some(statistic) => format!("{}: {statistic:.3}, p {:.3}", it.test.word(), it.p),
        None if it.error > 0.0 => {
            format!("{}: p {:.3}, by drawn tables to within {:.3}", it.test.word(), it.p, it.error)
        }
        None => format!("{}: p {:.3}", it.test.word(), it.p),
    }
}
