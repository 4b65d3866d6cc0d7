//! Means and SDs of groups against the total, and of one table's sets against the other table; GRIM and GRIMMER.

use crate::cohort::{Arm, splits};
use crate::finding::{Finding, Kind, Severity};
use crate::moments::{self, Group, Moments};
use crate::printed::{Interval, Printed};
use crate::read::words;

/// Where moments stand: arm, variable, group.
type Cell = [usize; 3];

/// Groups that together are another.
struct Equation {
    parts: Vec<Cell>,
    whole: Cell,
}

/// What does not pool, and what whole numbers cannot give.
pub fn check(arms: &[Arm]) -> Vec<Finding> {
    let (mut pooled, mut whole) = (Vec::new(), Vec::new());
    let equations = equations(arms);
    let mut done: Vec<String> = Vec::new();
    let (mut holding, mut failing) = (0, 0);
    for arm in arms {
        for variable in &arm.variables {
            if done.contains(&variable.name.to_lowercase()) {
                continue;
            }
            done.push(variable.name.to_lowercase());
            let own: Vec<&Equation> =
                equations.iter().filter(|it| name(arms, it.whole).eq_ignore_ascii_case(&variable.name)).collect();
            let found = [unpooled(arms, &own, Part::Mean), unpooled(arms, &own, Part::Sd)].concat();
            holding += usize::from(!own.is_empty() && found.is_empty());
            failing += usize::from(!found.is_empty());
            pooled.extend(found);
            whole.extend(whole_numbers(arms, &variable.name));
        }
    }
    if failing > holding {
        // Values may be missing, so that the groups weigh other than their sizes say.
        let many = if failing > 1 { "Most variables do" } else { "It does" };
        for finding in pooled.iter_mut().filter(|it| !is_beyond(arms, &equations, it)) {
            finding.severity = Severity::Note;
            finding.why.push_str(&format!(" {many} not pool: values may be missing, and it cannot be judged."));
        }
    }
    pooled.into_iter().chain(whole).collect()
}

/// Whether a mean of all lies beyond the means of all its groups, which missing values do not explain.
fn is_beyond(arms: &[Arm], equations: &[Equation], finding: &Finding) -> bool {
    let own = equations.iter().filter(|it| {
        let [a, _, g] = it.whole;
        arms[a].place(name(arms, it.whole), &arms[a].groups[g].column) == finding.place
    });
    let means = |equation: &Equation| {
        let whole = at(arms, equation.whole).mean.loose();
        let parts: Vec<Interval> = equation.parts.iter().map(|&it| at(arms, it).mean.loose()).collect();
        parts.iter().all(|it| whole.high < it.low) || parts.iter().all(|it| whole.low > it.high)
    };
    finding.kind == Kind::Mean && own.into_iter().any(means)
}

fn name(arms: &[Arm], [a, v, _]: Cell) -> &str {
    &arms[a].variables[v].name
}

fn at(arms: &[Arm], [a, v, g]: Cell) -> Moments {
    arms[a].variables[v].moments[g].expect("only printed moments are listed")
}

fn equations(arms: &[Arm]) -> Vec<Equation> {
    let mut equations = Vec::new();
    let known = |a: usize, v: usize, g: usize| arms[a].variables[v].moments[g].map(|_| [a, v, g]);
    for (a, arm) in arms.iter().enumerate() {
        for v in 0..arm.variables.len() {
            let Some(whole) = arm.total().filter(|_| arm.adds_up()).and_then(|g| known(a, v, g)) else { continue };
            let parts: Option<Vec<Cell>> = arm.compared().into_iter().map(|g| known(a, v, g)).collect();
            equations.extend(parts.map(|parts| Equation { parts, whole }));
        }
    }
    for (whole, parts) in splits(arms) {
        for (v, variable) in arms[whole].variables.iter().enumerate() {
            let same = |a: usize| arms[a].variables.iter().position(|it| it.name.eq_ignore_ascii_case(&variable.name));
            for g in (0..arms[whole].groups.len()).filter(|&g| known(whole, v, g).is_some()) {
                let column = &arms[whole].groups[g].column;
                let total = arms[whole].total() == Some(g);
                let found: Option<Vec<Cell>> = parts
                    .iter()
                    .flat_map(|&a| {
                        let groups = 0..arms[a].groups.len();
                        let wanted =
                            groups.filter(move |&it| if total { true } else { arms[a].groups[it].column == *column });
                        wanted.filter(move |&it| !arms[a].groups[it].is_total).map(move |it| (a, it))
                    })
                    .map(|(a, it)| same(a).and_then(|v| known(a, v, it)))
                    .collect();
                let size = |cells: &[Cell]| cells.iter().map(|&cell| at(arms, cell).n).sum::<u64>();
                let found = found.filter(|found| size(found) == arms[whole].groups[g].n);
                equations.extend(found.map(|parts| Equation { parts, whole: [whole, v, g] }));
            }
        }
    }
    equations
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Mean,
    Sd,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Part::Mean => "mean",
            Part::Sd => "SD",
        }
    }

    fn of(self, moments: &Moments) -> Printed {
        match self {
            Part::Mean => moments.mean,
            Part::Sd => moments.sd,
        }
    }

    fn interval(self, group: &Group) -> Interval {
        match self {
            Part::Mean => group.mean,
            Part::Sd => group.sd,
        }
    }
}

impl Equation {
    fn holds(&self, arms: &[Arm], part: Part) -> bool {
        part.of(&at(arms, self.whole)).meets(self.pooled(arms, part))
    }

    fn pooled(&self, arms: &[Arm], part: Part) -> Interval {
        part.interval(&moments::pool(&self.groups(arms, None)))
    }

    fn groups(&self, arms: &[Arm], without: Option<Cell>) -> Vec<Group> {
        self.parts.iter().filter(|&&cell| Some(cell) != without).map(|&cell| at(arms, cell).group()).collect()
    }

    /// What one value must be for this to hold, all others as printed; `None` when nothing makes it hold.
    fn needs(&self, arms: &[Arm], cell: Cell, part: Part) -> Option<Interval> {
        if cell == self.whole {
            return Some(self.pooled(arms, part));
        }
        let (whole, others) = (at(arms, self.whole).group(), self.groups(arms, Some(cell)));
        match part {
            Part::Mean => Some(moments::missing_mean(&whole, &others)),
            Part::Sd => moments::missing_sd(&whole, &others, &at(arms, cell).group()),
        }
    }

    fn has(&self, cell: Cell) -> bool {
        self.whole == cell || self.parts.contains(&cell)
    }
}

/// The single values that would make every equation hold, each with what it must be.
fn culprits(arms: &[Arm], equations: &[&Equation], part: Part) -> Vec<(Cell, Interval)> {
    let mut cells: Vec<Cell> = equations.iter().flat_map(|it| it.parts.iter().copied().chain([it.whole])).collect();
    cells.sort_unstable();
    cells.dedup();
    let explains = |cell: Cell| {
        let everywhere = equations.iter().filter(|it| !it.holds(arms, part)).all(|it| it.has(cell));
        let mut needed = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };
        for equation in equations.iter().filter(|it| it.has(cell)) {
            needed = needed.common(equation.needs(arms, cell, part)?)?;
        }
        everywhere.then_some((cell, needed))
    };
    cells.into_iter().filter_map(explains).collect()
}

fn unpooled(arms: &[Arm], equations: &[&Equation], part: Part) -> Vec<Finding> {
    let failing: Vec<&&Equation> = equations.iter().filter(|it| !it.holds(arms, part)).collect();
    let is_of_errors = |it: &&Equation| it.parts.iter().chain([&it.whole]).any(|&cell| at(arms, cell).is_error);
    if part == Part::Sd && equations.iter().any(is_of_errors) {
        return Vec::new();
    }
    if failing.is_empty() || part == Part::Sd && equations.iter().any(|it| !it.holds(arms, Part::Mean)) {
        return Vec::new();
    }
    let culprits = culprits(arms, equations, part);
    let kind = if part == Part::Mean { Kind::Mean } else { Kind::Sd };
    let describe = |cell: Cell| {
        let arm = &arms[cell[0]];
        format!("table {} {} {}", arm.table, arm.set, arm.groups[cell[2]].column)
    };
    let place = |cell: Cell| arms[cell[0]].place(name(arms, cell), &arms[cell[0]].groups[cell[2]].column);
    let printed = |cell: Cell| at(arms, cell).to_string();
    if let ([(cell, needed)], true) = (&culprits[..], failing.len() > 1) {
        let (value, n) = (part.of(&at(arms, *cell)), failing.len());
        let why = format!(
            "{n} poolings fail, and all hold when the {} {value} is between {:.3} and {:.3}.",
            part.word(),
            needed.low,
            needed.high
        );
        return vec![Finding {
            kind,
            severity: Severity::Typo,
            place: place(*cell),
            printed: printed(*cell),
            implied: value.like(needed.middle()),
            alternatives: Vec::new(),
            why,
        }];
    }
    let alternatives: Vec<String> = culprits
        .iter()
        .map(|&(cell, needed)| {
            let value = part.of(&at(arms, cell));
            format!("{} {} {value} -> {}", describe(cell), part.word(), value.like(needed.middle()))
        })
        .collect();
    failing
        .iter()
        .map(|equation| {
            let (pooled, value) = (equation.pooled(arms, part), part.of(&at(arms, equation.whole)));
            let parts: Vec<String> = equation.parts.iter().map(|&cell| describe(cell)).collect();
            Finding {
                kind,
                severity: Severity::Inconsistent,
                place: place(equation.whole),
                printed: printed(equation.whole),
                implied: value.like(pooled.middle()),
                alternatives: alternatives.clone(),
                why: format!(
                    "The {} of {} pool to between {:.3} and {:.3}, not {value}.",
                    if part == Part::Mean { "means" } else { "means and SDs" },
                    parts.join(" and "),
                    pooled.low,
                    pooled.high
                ),
            }
        })
        .collect()
}

/// Whole numbers are only spoken of when chance would not make so many means fit them.
const CHANCE: f64 = 1e-3;

/// GRIM and GRIMMER of a variable whose other means all say that it holds whole numbers.
fn whole_numbers(arms: &[Arm], variable: &str) -> Vec<Finding> {
    let mut cells = Vec::new();
    for (a, arm) in arms.iter().enumerate() {
        for (v, it) in arm.variables.iter().enumerate().filter(|(_, it)| it.name.eq_ignore_ascii_case(variable)) {
            cells.extend((0..it.moments.len()).filter(|&g| it.moments[g].is_some()).map(|g| [a, v, g]));
        }
    }
    // The chance that a mean of values of any kind, printed so, passes GRIM.
    let chance = |cell: Cell| {
        let moments = at(arms, cell);
        (moments.n as f64 * moments.mean.unit()).min(1.0)
    };
    let (passing, failing): (Vec<Cell>, Vec<Cell>) = cells.iter().partition(|&&cell| at(arms, cell).passes_grim());
    let spoken = passing.iter().map(|&cell| chance(cell)).product::<f64>() < CHANCE && failing.len() <= cells.len() / 4;
    // What is counted is whole by its name; a few values may be missing.
    let named = words::is_number_of(variable);
    let fewer = |cell: Cell| {
        let moments = at(arms, cell);
        let least = (9 * moments.n).div_ceil(10);
        !(least..=moments.n).any(|n| Moments { n, ..moments }.passes_grim())
    };
    let failing: Vec<Cell> = failing.into_iter().filter(|&cell| spoken || fewer(cell)).collect();
    if !spoken && (!named || 2 * failing.len() > cells.len()) {
        return Vec::new();
    }
    let passing = if spoken { passing } else { Vec::new() };
    let finding = |cell: Cell, kind, why: String| {
        let arm = &arms[cell[0]];
        Finding {
            kind,
            severity: Severity::Inconsistent,
            place: arm.place(name(arms, cell), &arm.groups[cell[2]].column),
            printed: at(arms, cell).to_string(),
            implied: String::new(),
            alternatives: Vec::new(),
            why,
        }
    };
    let grim = failing.into_iter().map(|cell| {
        let moments = at(arms, cell);
        let why = format!(
            "No {} whole numbers have the mean {}, and {}.",
            moments.n,
            moments.mean,
            if named { "it is a number of things" } else { "the other means are those of whole numbers" }
        );
        finding(cell, Kind::Grim, why)
    });
    let grimmer = passing.iter().filter(|&&cell| !at(arms, cell).passes_grimmer()).map(|&cell| {
        let moments = at(arms, cell);
        let why = format!("No {} whole numbers with the mean {} have the SD {}.", moments.n, moments.mean, moments.sd);
        finding(cell, Kind::Grimmer, why)
    });
    grim.chain(grimmer).collect()
}
