//! Table 4: univariate and multivariate logistic regression, and why each variable is in or out.

use crate::report::printed::{Entry, TABLE_4, printed};
use crate::report::regression::Regression;
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::model::logistic::screen::{self, Rows, Statistic};
use osteon_stats::model::logistic::{self, FitError, INTERCEPT};
use osteon_stats::stats::text::{decimals, p_text};
use osteon_stats::table::Table;
use osteon_stats::table::encode::{EncodeError, Encoded, encode};

/// A variable's univariate model and its fate.
#[derive(Clone, Debug, PartialEq)]
pub struct Screened {
    pub name: &'static str,
    pub encoded: Encoded,
    /// `Err` says why there is no model.
    pub model: Result<Regression, FitError>,
    /// The p value that decides.
    pub p: Option<f64>,
    pub enters: bool,
}

/// Table 4 with everything behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Screening {
    pub variables: Vec<Screened>,
    /// The model of the variables that enter; `None` when none does.
    pub multivariate: Option<(Encoded, Result<Regression, FitError>)>,
    pub rows: Rows,
    pub n_rows: usize,
    pub alpha: f64,
}

/// What stands behind a printed odds ratio.
const BEHIND: [&str; 6] = ["coefficient", "SE", "z", "Wald chi2", "profile CI", "LR p"];

/// Fits the models. `test` marks the test set; it is needed only when the training rows alone decide.
pub fn screening(
    cohort: &Table,
    event: &[Option<bool>],
    test: &[Option<bool>],
    params: &screen::Params,
    logistic: &logistic::Params,
) -> Result<Screening, EncodeError> {
    let used: Vec<Option<bool>> = match params.rows {
        Rows::All => event.to_vec(),
        Rows::Train => event.iter().zip(test).map(|(event, test)| event.filter(|_| *test == Some(false))).collect(),
    };
    let references: Vec<(&str, &str)> =
        params.references.iter().map(|(name, level)| (name.as_str(), level.as_str())).collect();
    let model = |names: &[&str]| -> Result<(Encoded, Result<Regression, FitError>), EncodeError> {
        let encoded = encode(cohort, names, &references, &used)?;
        let event: Vec<bool> = encoded.kept.iter().filter_map(|&row| used[row]).collect();
        let fitted = Regression::new(&encoded, &event, logistic);
        Ok((encoded, fitted))
    };
    let one = |name: &&'static str| -> Result<Screened, EncodeError> {
        let (encoded, model) = model(&[name])?;
        let p = model.as_ref().ok().and_then(|regression| match params.statistic {
            Statistic::Wald => logistic::wald(&regression.fit, encoded.variables[0].columns.clone()),
            Statistic::LikelihoodRatio => regression.variables[0].1,
        });
        let p = p.map(|test| test.p);
        Ok(Screened { name, encoded, model, p, enters: p.is_some_and(|p| p < params.alpha) })
    };
    let variables = TABLE_4.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let entering: Vec<&str> =
        variables.iter().filter(|variable| variable.enters).map(|variable| variable.name).collect();
    let multivariate = if entering.is_empty() { None } else { Some(model(&entering)?) };
    let n_rows = used.iter().flatten().count();
    Ok(Screening { variables, multivariate, rows: params.rows, n_rows, alpha: params.alpha })
}

impl Screening {
    /// The printed table first, then what stands behind its numbers.
    pub fn sheet(&self) -> Sheet {
        let mut headings = vec!["Variable".to_owned()];
        headings
            .extend(["Univariate OR (95% CI)", "p", "Multivariate OR (95% CI)", "p, multivariate"].map(str::to_owned));
        headings.extend(BEHIND.map(str::to_owned));
        headings.extend(BEHIND.map(|name| format!("{name}, multivariate")));
        let mut rows = Vec::new();
        for variable in &self.variables {
            let form = printed(variable.name);
            let levels = &variable.encoded.variables[0].levels;
            if levels.len() > 1 {
                rows.push(self.joint_row(variable, headings.len()));
            }
            for (at, column) in variable.encoded.design.columns.iter().enumerate() {
                let label = match levels.get(at) {
                    Some(level) if levels.len() > 1 => {
                        Cell::Level { of: form.label.to_owned(), level: form.level(level).to_owned() }
                    }
                    _ => Cell::Text(form.label.to_owned()),
                };
                let (alone, together) = (self.term(variable, column), self.multivariate_term(column));
                let mut row = vec![label];
                row.extend(alone.as_ref().map_or([Cell::Empty, Cell::Empty], |term| term.printed()));
                row.extend(together.as_ref().map_or([Cell::Empty, Cell::Empty], |term| term.printed()));
                for term in [&alone, &together] {
                    row.extend(term.as_ref().map_or_else(|| vec![Cell::Empty; BEHIND.len()], |term| term.behind()));
                }
                rows.push(row);
            }
        }
        let title = "Table 4. Logistic regression of non-pGR on the clinical variables".to_owned();
        Sheet { title, headings, rows, notes: self.notes(), provenance: Vec::new() }
    }

    /// A variable of several levels: the tests of all of them together, univariate and multivariate.
    fn joint_row(&self, variable: &Screened, width: usize) -> Vec<Cell> {
        let mut row = vec![Cell::Text(printed(variable.name).label.to_owned())];
        row.resize(width, Cell::Empty);
        let together = self.multivariate.as_ref().map(|(encoded, model)| (encoded, model));
        for (at, model) in [Some((&variable.encoded, &variable.model)), together].into_iter().enumerate() {
            let Some((encoded, Ok(model))) = model else { continue };
            let Some(place) = encoded.variables.iter().position(|other| other.name == variable.name) else { continue };
            let wald = logistic::wald(&model.fit, encoded.variables[place].columns.clone());
            let behind = 5 + at * BEHIND.len();
            row[2 + 2 * at] = Cell::p(wald.map(|test| test.p));
            row[behind + 3] = Cell::number(wald.map(|test| test.statistic), 3);
            row[behind + 5] = Cell::p(model.variables[place].1.map(|test| test.p));
        }
        row
    }

    fn term<'a>(&self, variable: &'a Screened, column: &str) -> Option<Line<'a>> {
        Line::find(variable.model.as_ref().ok()?, column)
    }

    fn multivariate_term(&self, column: &str) -> Option<Line<'_>> {
        Line::find(self.multivariate.as_ref()?.1.as_ref().ok()?, column)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec!["the event is non-pGR: an odds ratio above 1 means a poor response".to_owned()];
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
        if self.variables.iter().any(|variable| variable.encoded.variables[0].levels.len() > 1) {
            notes.push(
                "Wald chi2, p and LR p of a variable of several levels are those of all its levels together".to_owned(),
            );
        }
        for variable in &self.variables {
            let label = printed(variable.name).label;
            let reference = variable.encoded.variables[0].reference.as_deref();
            let reference = reference.map(|level| format!(" (against {})", printed(variable.name).level(level)));
            let verdict = match (&variable.model, variable.p) {
                (Err(why), _) => format!("out: {why}"),
                (Ok(_), None) => "out: no p value".to_owned(),
                (Ok(_), Some(p)) if variable.enters => format!("in: p {} is below {}", p_text(p), self.alpha),
                (Ok(_), Some(p)) => format!("out: p {} is not below {}", p_text(p), self.alpha),
            };
            notes.push(format!("{label}{}: {verdict}", reference.unwrap_or_default()));
            let warnings = variable.model.iter().flat_map(|model| &model.warnings);
            notes.extend(warnings.map(|warning| format!("{label}: {warning}")));
        }
        match &self.multivariate {
            None => notes.push("no variable enters the multivariate model".to_owned()),
            Some((_, Err(why))) => notes.push(format!("multivariate model: {why}")),
            Some((_, Ok(model))) => notes.extend(
                model.notes(|name| printed(name).label).into_iter().map(|note| format!("multivariate: {note}")),
            ),
        }
        notes
    }

    /// The cells in the words of the published table.
    pub fn entries(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        for variable in &self.variables {
            let form = printed(variable.name);
            let levels = &variable.encoded.variables[0].levels;
            for (at, column) in variable.encoded.design.columns.iter().enumerate() {
                let row = match levels.get(at) {
                    Some(level) if levels.len() > 1 => format!("{}: {}", form.label, form.level(level)),
                    _ => form.label.to_owned(),
                };
                let lines =
                    [("univariate", self.term(variable, column)), ("multivariate", self.multivariate_term(column))];
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
}

impl<'a> Line<'a> {
    fn find(model: &'a Regression, column: &str) -> Option<Line<'a>> {
        let at = model.fit.terms.iter().position(|term| term.name == column && column != INTERCEPT)?;
        Some(Line { term: &model.fit.terms[at], profile: model.profiles[at] })
    }

    fn printed(&self) -> [Cell; 2] {
        let odds = match (self.term.odds_ratio(), self.term.odds_ratio_wald()) {
            (Some(estimate), Some([low, high])) => Cell::Interval { estimate, low, high, digits: 3 },
            (estimate, _) => Cell::number(estimate, 3),
        };
        [odds, Cell::p(self.term.p())]
    }

    fn behind(&self) -> Vec<Cell> {
        let limits =
            |profile: logistic::Profile| Cell::Range { low: profile.low.exp(), high: profile.high.exp(), digits: 3 };
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
