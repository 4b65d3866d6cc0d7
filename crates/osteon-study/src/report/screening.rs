//! Table 4: univariate and multivariate logistic regression, and why each variable is in or out.

use crate::protocol::Protocol;
use crate::protocol::codebook::variable::Variable;
use crate::protocol::learn::Missing;
use crate::report::increase::Increase;
use crate::report::printed::Entry;
use crate::report::regression::Regression;
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::model::logistic::screen::{Chosen, Deciding, Model, Rows, Statistic, choose};
use osteon_stats::model::logistic::{self, FitError, INTERCEPT};
use osteon_stats::stats::text::{decimals, p_text};
use osteon_stats::table::Table;
use osteon_stats::table::encode::{EncodeError, Encoded};

/// A variable's univariate model and its fate.
#[derive(Clone, Debug, PartialEq)]
pub struct Screened {
    pub variable: Variable,
    pub encoded: Encoded,
    /// `Err` says why there is no model.
    pub model: Result<Regression, FitError>,
    /// The p value that decides.
    pub deciding: Option<Deciding>,
    pub enters: bool,
    /// What the odds ratio of a number is for.
    pub increase: Increase,
}

/// Table 4 with everything behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Screening {
    pub variables: Vec<Screened>,
    /// The model of the variables that enter; `None` when none does.
    pub multivariate: Option<(Encoded, Result<Regression, FitError>)>,
    /// What the clinical and the combined model take.
    pub predictors: Predictors,
    pub rows: Rows,
    pub n_rows: usize,
    /// Of those, the ones with all predictors of the models.
    pub n_complete: usize,
    pub missing: Missing,
    pub enter: f64,
    pub keep: f64,
    pub statistic: Statistic,
    /// What the event is called.
    pub event: String,
}

/// The clinical predictors of the models.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictors {
    /// Named by the protocol: this table has no say.
    Named(Vec<String>),
    Chosen(Vec<String>, Chosen),
}

/// How many patients either model of a row stands on.
const N: [&str; 2] = ["n", "n, multivariate"];
/// Where these stand among the columns.
const N_AT: usize = 5;

/// What stands behind a printed odds ratio.
const BEHIND: [&str; 6] = ["coefficient", "SE", "z", "Wald chi2", "profile CI", "LR p"];

/// Fits the models and chooses as a fit does. `test` marks the test set; it is needed only when the training rows alone
/// decide.
pub fn screening(
    cohort: &Table,
    event: &[Option<bool>],
    test: &[Option<bool>],
    protocol: &Protocol,
) -> Result<Screening, EncodeError> {
    let used = |&row: &usize| match protocol.screen.rows {
        Rows::All => event[row].is_some(),
        Rows::Train => event[row].is_some() && test[row] == Some(false),
    };
    let rows: Vec<usize> = (0..event.len()).filter(used).collect();
    let (rule, is_event) = (protocol.choice(), |row: usize| event[row] == Some(true));
    let candidates = protocol.codebook.predictors();
    let choice = choose(cohort, &protocol.candidates(), &rows, is_event, &rule, &protocol.logistic)?;
    let regression = |model: Model| {
        let regression = Regression::new(&model.encoded, &model.event, &protocol.logistic);
        (model.encoded, regression)
    };
    let entered = choice.entered;
    let variable = |(at, (variable, model)): (usize, (&&Variable, Model))| {
        let deciding = model.deciding[0];
        let (encoded, model) = regression(model);
        let is_number = encoded.variables[0].reference.is_none() && encoded.design.columns.len() == 1;
        let values = if is_number { encoded.design.x.column(0).to_vec() } else { Vec::new() };
        let increase = Increase::of(variable, &values, protocol.compare.quantiles);
        Screened { variable: (*variable).clone(), encoded, model, deciding, enters: entered.contains(&at), increase }
    };
    let predictors = match protocol.learn.clinical.is_empty() {
        true => Predictors::Chosen(choice.chosen, choice.by),
        false => Predictors::Named(protocol.learn.clinical.clone()),
    };
    let (Predictors::Named(names) | Predictors::Chosen(names, _)) = &predictors;
    let columns = names.iter().map(|name| cohort.column(name)).collect::<Result<Vec<_>, _>>()?;
    let complete = |row: &&usize| columns.iter().all(|column| !column.values.is_hole(**row));
    let n_complete = rows.iter().filter(complete).count();
    Ok(Screening {
        n_complete,
        missing: protocol.learn.missing,
        variables: candidates.iter().zip(choice.alone).enumerate().map(variable).collect(),
        multivariate: choice.together.map(regression),
        predictors,
        rows: protocol.screen.rows,
        n_rows: rows.len(),
        enter: rule.enter,
        keep: rule.keep,
        statistic: rule.statistic,
        event: protocol.codebook.side(true).to_owned(),
    })
}

impl Screened {
    /// Its name, with the increase of an odds ratio that is not for one unit.
    fn named(&self) -> String {
        let name = self.variable.in_tables();
        if self.increase.by == 1.0 { name } else { format!("{name}, {}", self.increase.words) }
    }
}

impl Screening {
    /// The printed table first, then what stands behind its numbers.
    pub fn sheet(&self) -> Sheet {
        let mut headings = vec!["Variable".to_owned()];
        headings
            .extend(["Univariate OR (95% CI)", "p", "Multivariate OR (95% CI)", "p, multivariate"].map(str::to_owned));
        headings.extend(N.map(str::to_owned));
        headings.extend(BEHIND.map(str::to_owned));
        headings.extend(BEHIND.map(|name| format!("{name}, multivariate")));
        let mut rows = Vec::new();
        for variable in &self.variables {
            let (form, name) = (&variable.variable, variable.named());
            let levels = &variable.encoded.variables[0].levels;
            if levels.len() > 1 {
                rows.push(self.joint_row(variable, headings.len()));
            }
            for (at, column) in variable.encoded.design.columns.iter().enumerate() {
                let label = match levels.get(at) {
                    Some(level) if levels.len() > 1 => {
                        Cell::Level { of: name.clone(), level: form.level_in_tables(level).to_owned() }
                    }
                    _ => Cell::Text(name.clone()),
                };
                let (alone, together) = (self.term(variable, column), self.multivariate_term(variable, column));
                let mut row = vec![label];
                row.extend(alone.as_ref().map_or([Cell::Empty, Cell::Empty], |term| term.printed()));
                row.extend(together.as_ref().map_or([Cell::Empty, Cell::Empty], |term| term.printed()));
                row.extend(self.n(variable));
                for term in [&alone, &together] {
                    row.extend(term.as_ref().map_or_else(|| vec![Cell::Empty; BEHIND.len()], |term| term.behind()));
                }
                rows.push(row);
            }
        }
        let title = format!("Table 4. Logistic regression of {} on the clinical variables", self.event);
        Sheet { title, headings, rows, notes: self.notes(), provenance: Vec::new() }
    }

    /// A variable of several levels: the tests of all of them together, univariate and multivariate.
    fn joint_row(&self, variable: &Screened, width: usize) -> Vec<Cell> {
        let mut row = vec![Cell::Text(variable.variable.in_tables())];
        row.resize(width, Cell::Empty);
        self.n(variable).into_iter().enumerate().for_each(|(at, n)| row[N_AT + at] = n);
        let together = self.multivariate.as_ref().map(|(encoded, model)| (encoded, model));
        for (at, model) in [Some((&variable.encoded, &variable.model)), together].into_iter().enumerate() {
            let Some((encoded, Ok(model))) = model else { continue };
            let Some(place) = encoded.variables.iter().position(|other| other.name == variable.variable.name) else {
                continue;
            };
            let wald = logistic::wald(&model.fit, encoded.variables[place].columns.clone());
            let behind = N_AT + N.len() + at * BEHIND.len();
            row[2 + 2 * at] = Cell::p(wald.map(|test| test.p));
            row[behind + 3] = Cell::number(wald.map(|test| test.statistic), 3);
            row[behind + 5] = Cell::p(model.variables[place].1.map(|test| test.p));
        }
        row
    }

    /// Patients of the univariate model, and of the multivariate one where the variable is in it.
    fn n(&self, variable: &Screened) -> [Cell; 2] {
        let together = self
            .multivariate
            .as_ref()
            .filter(|(encoded, _)| encoded.variables.iter().any(|other| other.name == variable.variable.name));
        let n = |encoded: &Encoded| Cell::Count(encoded.kept.len());
        [n(&variable.encoded), together.map_or(Cell::Empty, |(encoded, _)| n(encoded))]
    }

    fn term<'a>(&self, variable: &'a Screened, column: &str) -> Option<Line<'a>> {
        Line::find(variable.model.as_ref().ok()?, column, &variable.increase)
    }

    fn multivariate_term<'a>(&'a self, variable: &'a Screened, column: &str) -> Option<Line<'a>> {
        Line::find(self.multivariate.as_ref()?.1.as_ref().ok()?, column, &variable.increase)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes =
            vec![format!("the event is {}: an odds ratio above 1 means that it is more likely", self.event)];
        notes.push(match self.rows {
            Rows::All => format!(
                "all {} patients decide which variables enter, those of the test set among them: estimates on the test \
                 set are then too good",
                self.n_rows
            ),
            Rows::Train => {
                format!("the {} patients of the training set alone decide which variables enter", self.n_rows)
            }
        });
        notes.push(self.rows_of_the_models());
        if self.variables.iter().any(|variable| variable.increase.by != 1.0) {
            notes.push(
                "coefficient and SE are for one unit, the odds ratio for the increase that the row names".to_owned(),
            );
        }
        if self.variables.iter().any(|variable| variable.encoded.variables[0].levels.len() > 1) {
            notes.push(
                "Wald chi2, p and LR p of a variable of several levels are those of all its levels together".to_owned(),
            );
        }
        for variable in &self.variables {
            let label = variable.variable.in_tables();
            let reference = variable.encoded.variables[0].reference.as_deref();
            let reference = reference.map(|level| format!(" (against {})", variable.variable.level_in_tables(level)));
            let verdict = match (&variable.model, variable.deciding) {
                (Err(why), _) => format!("out: {why}"),
                (Ok(_), None) => "out: no p value".to_owned(),
                (Ok(_), Some(Deciding { p, statistic })) => {
                    let (word, is) = if variable.enters { ("in", "is") } else { ("out", "is not") };
                    let which = match (self.statistic, statistic) {
                        (Statistic::Wald, Statistic::LikelihoodRatio) => {
                            " (of the likelihood ratio: Wald's does not exist)"
                        }
                        _ => "",
                    };
                    format!("{word}: p {}{which} {is} below {}", p_text(p), self.enter)
                }
            };
            notes.push(format!("{label}{}: {verdict}", reference.unwrap_or_default()));
            let warnings = variable.model.iter().flat_map(|model| &model.warnings);
            notes.extend(warnings.map(|warning| format!("{label}: {warning}")));
        }
        match &self.multivariate {
            None => notes.push("no variable enters the multivariate model".to_owned()),
            Some((_, Err(why))) => notes.push(format!("multivariate model: {why}")),
            Some((_, Ok(model))) => notes
                .extend(model.notes(|name| self.label(name)).into_iter().map(|note| format!("multivariate: {note}"))),
        }
        notes.push(self.chosen());
        notes
    }

    /// On which patients the clinical model of Table 5 stands, beside those of this table.
    fn rows_of_the_models(&self) -> String {
        let own = "n: patients with a value of each variable of the model";
        match (self.rows, self.missing) {
            (Rows::All, _) => format!("{own}; the models of Table 5 are fitted in training patients alone"),
            (Rows::Train, Missing::CompleteCase) => {
                let together = self.multivariate.as_ref().map(|(encoded, _)| encoded.kept.len());
                let same =
                    if together == Some(self.n_complete) { ", as many as the multivariate model here" } else { "" };
                format!(
                    "{own}; the clinical model of Table 5 is fitted in the {} training patients with all its \
                     predictors{same}",
                    self.n_complete
                )
            }
            (Rows::Train, _) => format!(
                "{own}; the clinical model of Table 5 is fitted in all {} training patients, missing values filled in: \
                 other rows than here where values are missing ({} patients are without one of its predictors)",
                self.n_rows,
                self.n_rows - self.n_complete
            ),
        }
    }

    fn label(&self, name: &str) -> String {
        let known = self.variables.iter().find(|variable| variable.variable.name == name);
        known.map_or_else(|| name.to_owned(), |known| known.variable.in_tables())
    }

    /// What the models of the fit take of all this.
    fn chosen(&self) -> String {
        let labels = |names: &[String]| names.iter().map(|name| self.label(name)).collect::<Vec<_>>().join(", ");
        let (names, why) = match &self.predictors {
            Predictors::Named(names) => (names, "named by the protocol (learn.clinical), not by this table".to_owned()),
            Predictors::Chosen(names, Chosen::Kept) => (names, format!("multivariate p below {}", self.keep)),
            Predictors::Chosen(names, Chosen::SmallestTogether) => {
                (names, format!("the smallest multivariate p: none is below {}", self.keep))
            }
            Predictors::Chosen(names, Chosen::SmallestAlone) => (
                names,
                format!("the smallest univariate p: none is below {}, or they have no model together", self.enter),
            ),
            Predictors::Chosen(_, Chosen::Nothing) => {
                return "clinical predictors of the models: none, no variable has a p value".to_owned();
            }
        };
        format!("clinical predictors of the models: {} ({why})", labels(names))
    }

    /// The cells in the words of the published table.
    pub fn entries(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        for variable in &self.variables {
            let (form, name) = (&variable.variable, variable.variable.in_tables());
            let levels = &variable.encoded.variables[0].levels;
            for (at, column) in variable.encoded.design.columns.iter().enumerate() {
                let row = match levels.get(at) {
                    Some(level) if levels.len() > 1 => format!("{name}: {}", form.level_in_tables(level)),
                    _ => name.clone(),
                };
                let lines = [
                    ("univariate", self.term(variable, column)),
                    ("multivariate", self.multivariate_term(variable, column)),
                ];
                for (kind, line) in lines.into_iter().filter_map(|(kind, line)| Some((kind, line?))) {
                    let [odds, p] = line.printed();
                    for (what, cell) in [("OR (95%CI)", odds), ("P value", p)] {
                        found.push(Entry { set: "all", row: row.clone(), column: format!("{kind} {what}"), cell });
                    }
                }
            }
        }
        found
    }
}

/// One term of a fitted model.
struct Line<'a> {
    term: &'a logistic::Term,
    profile: Option<logistic::Profile>,
    increase: &'a Increase,
}

impl<'a> Line<'a> {
    fn find(model: &'a Regression, column: &str, increase: &'a Increase) -> Option<Line<'a>> {
        let at = model.fit.terms.iter().position(|term| term.name == column && column != INTERCEPT)?;
        Some(Line { term: &model.fit.terms[at], profile: model.profiles[at], increase })
    }

    fn printed(&self) -> [Cell; 2] {
        let odds = match (self.term.odds_ratio(), self.term.odds_ratio_wald()) {
            (Some(estimate), Some(ends)) => {
                let [estimate, low, high] = [estimate, ends[0], ends[1]].map(|odds| self.increase.scaled(odds));
                Cell::Interval { estimate, low, high, digits: 3 }
            }
            (estimate, _) => Cell::number(estimate.map(|odds| self.increase.scaled(odds)), 3),
        };
        [odds, Cell::p(self.term.p())]
    }

    fn behind(&self) -> Vec<Cell> {
        let limits = |profile: logistic::Profile| {
            let [low, high] = [profile.low, profile.high].map(|end| self.increase.scaled(end.exp()));
            Cell::Range { low, high, digits: 3 }
        };
        let digits = decimals(self.term.se, 4);
        vec![
            Cell::number(self.term.estimate, digits),
            Cell::number(self.term.se, digits),
            Cell::number(self.term.z(), 3),
            Cell::number(self.term.z().map(|z| z * z), 3),
            self.profile.map_or(Cell::Empty, limits),
            Cell::p(self.profile.map(|profile| profile.test.p)),
        ]
    }
}
