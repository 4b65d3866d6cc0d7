//! What is predicted: a condition over variables, with a name for either side.

use std::collections::BTreeSet;

use toml::{Table, Value as Toml};

use crate::protocol::codebook::declaration::Fields;
use crate::protocol::codebook::formula::days;
use crate::protocol::codebook::range::Range;
use crate::protocol::codebook::time::{self, Time};
use crate::protocol::codebook::value::Value;
use crate::protocol::codebook::variable::{Kind, Role, Variable};
use crate::protocol::codebook::{Codebook, CodebookError};
use osteon_stats::table::filter::{Filter, Relation, Test};
use osteon_stats::table::{Column, Table as Frame};

/// One outcome of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub name: String,
    /// The condition under which the event has happened, written like a filter of patients.
    pub event: String,
    pub event_label: String,
    pub other_label: String,
    /// The one that models predict.
    pub in_force: bool,
    /// The event counts by a time only.
    pub by: Option<By>,
    /// When the event happened matters too (kind = "time"): never in force, because models learn from two sides.
    pub time: Option<Time>,
}

/// An event by a time: later ones are none, and a patient who was not followed for so long is unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct By {
    pub days: f64,
    /// Names of the variables that are dates: where the time begins, of the event, when last seen.
    pub origin: String,
    pub date: String,
    pub last_seen: String,
}

/// What is known of a patient's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Event,
    Other,
    Unknown(Reason),
}

/// Why an outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The variable has no value.
    Missing(String),
    /// The variable's interval lies on both sides of the cut.
    Straddles(String),
    /// Not followed until the time.
    Censored,
}

/// An outcome ready to be asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    book: &'a Codebook,
    outcome: &'a Outcome,
    filter: Filter,
}

const KEYS: [&str; 15] = [
    "event",
    "event_label",
    "other_label",
    "in_force",
    "kind",
    "by_days",
    "origin",
    "event_date",
    "last_seen",
    "duration",
    "unit",
    "competing",
    "censor_after",
    "landmark",
    "drop",
];

/// Outcomes that others are written over.
const PRESETS: [(&str, &str); 2] = [
    ("ge90", "event = \"necrosis_pct < 90\"\nevent_label = \"non-pGR\"\nother_label = \"pGR\""),
    ("euramos", "event = \"necrosis_pct <= 90\"\nevent_label = \"poor\"\nother_label = \"good\""),
];

/// Puts the keys of a preset under those of a table that names one.
pub(in crate::protocol::codebook) fn expand(name: &mut String, fields: &mut Table) -> Result<(), CodebookError> {
    let preset = match fields.remove("preset") {
        None => return Ok(()),
        Some(Toml::String(preset)) => preset,
        Some(other) => other.to_string(),
    };
    let Some((_, text)) = PRESETS.into_iter().find(|(known, _)| *known == preset) else {
        let valid = PRESETS.map(|(known, _)| known).join(" or ");
        return Err(CodebookError::Syntax(format!("outcome.preset is {preset}, expected {valid}")));
    };
    if name.is_empty() {
        *name = preset;
    }
    let below: Table = text.parse().expect("a preset is TOML");
    for (key, value) in below {
        fields.entry(key).or_insert(value);
    }
    Ok(())
}

/// The outcome that a table declares.
pub(in crate::protocol::codebook) fn of_table(fields: &Fields) -> Result<Outcome, CodebookError> {
    let name = fields.name.clone();
    let kind = fields.text("kind")?.unwrap_or("binary");
    if !["binary", "time"].contains(&kind) {
        return Err(CodebookError::OutcomeKind { name, kind: kind.to_owned() });
    }
    fields.only(&KEYS)?;
    let time = (kind == "time").then(|| time::of_table(fields)).transpose()?;
    if time.is_none() {
        time::refuse_keys(fields)?;
    }
    let text = |key: &'static str, default: &str| fields.text(key).map(|text| text.unwrap_or(default).to_owned());
    let event = text("event", "")?;
    if event.is_empty() {
        return Err(fields.wrong("event", "absent", "a condition such as \"necrosis_pct < 90\""));
    }
    let by = match fields.fields.get("by_days") {
        None => None,
        Some(days) => {
            let number = days.as_float().or_else(|| days.as_integer().map(|whole| whole as f64));
            let days = number.filter(|days| days.is_finite() && *days > 0.0);
            let days = days.ok_or_else(|| fields.wrong("by_days", fields.fields["by_days"].clone(), "days above 0"))?;
            let date = |key: &'static str| match fields.text(key)? {
                Some(name) => Ok(name.to_owned()),
                None => Err(fields.wrong(key, "absent", "the name of a date, because by_days is given")),
            };
            Some(By { days, origin: date("origin")?, date: date("event_date")?, last_seen: date("last_seen")? })
        }
    };
    let (event_label, other_label) = (text("event_label", "event")?, text("other_label", "no event")?);
    if event_label == other_label {
        return Err(fields.wrong("event_label", format!("{event_label:?}"), "another name than other_label"));
    }
    Ok(Outcome { name, event, event_label, other_label, in_force: fields.flag("in_force")?, by, time })
}

impl Outcome {
    /// The table that declares it, defaults left out.
    pub(in crate::protocol::codebook) fn to_table(&self) -> Table {
        let mut table = Table::new();
        let mut text = |key: &str, value: &str, default: &str| {
            if value != default {
                table.insert(key.to_owned(), Toml::String(value.to_owned()));
            }
        };
        text("name", &self.name, "");
        text("event", &self.event, "");
        text("event_label", &self.event_label, "event");
        text("other_label", &self.other_label, "no event");
        if let Some(by) = &self.by {
            text("origin", &by.origin, "");
            text("event_date", &by.date, "");
            text("last_seen", &by.last_seen, "");
            table.insert("by_days".to_owned(), Toml::Float(by.days));
        }
        if let Some(time) = &self.time {
            table.extend(time.to_table());
        }
        if self.in_force {
            table.insert("in_force".to_owned(), Toml::Boolean(true));
        }
        table
    }

    /// The outcome with its condition read.
    pub fn ask<'a>(&'a self, book: &'a Codebook) -> Result<Question<'a>, CodebookError> {
        let columns: Vec<Column> = book.variables.iter().map(|variable| variable.column([])).collect();
        let frame = Frame::new(Vec::new(), columns).expect("no rows in each column");
        let wrong = |cause| CodebookError::Event { name: self.name.clone(), cause };
        let filter = Filter::parse(&self.event, &frame).map_err(wrong)?;
        Ok(Question { book, outcome: self, filter })
    }

    /// The number that decides, where the condition is one comparison with a number.
    pub fn cut<'a>(&self, book: &'a Codebook) -> Option<Cut<'a>> {
        match self.ask(book).ok()?.filter {
            Filter::Test { column: Some(at), test: Test::Number(relation, value) } if self.by.is_none() => {
                Some(Cut { variable: &book.variables[at], relation, value })
            }
            _ => None,
        }
    }

    /// Both sides in words, such as `Necrosis below 90 %`: without and with the event.
    pub fn sides_in_words(&self, book: &Codebook) -> [String; 2] {
        let within =
            self.by.as_ref().map(|by| format!(" within {} days of {}", by.days, by.origin)).unwrap_or_default();
        let Some(Cut { variable, relation, value }) = self.cut(book) else {
            return [format!("not ({}){within}", self.event), format!("{}{within}", self.event)];
        };
        let words = |relation: Relation| {
            let relation = match relation {
                Relation::Less => "below",
                Relation::AtMost => "of at most",
                Relation::More => "above",
                Relation::AtLeast => "of at least",
                Relation::Equal | Relation::Contains => "of",
                Relation::Unequal | Relation::Lacks => "other than",
            };
            format!("{} {relation} {value} {}", variable.label, variable.unit).trim_end().to_owned()
        };
        [words(opposite(relation)), words(relation)]
    }

    /// The outcome with another condition.
    pub(in crate::protocol::codebook) fn asked(&self, condition: &str) -> Outcome {
        Outcome { event: condition.to_owned(), by: None, time: None, ..self.clone() }
    }

    /// Names of the variables that it depends on; empty where the condition does not hold together.
    pub fn reads<'a>(&self, book: &'a Codebook) -> BTreeSet<&'a str> {
        let mut places = BTreeSet::new();
        if let Ok(question) = self.ask(book) {
            columns(&question.filter, &mut places);
        }
        let mut names: BTreeSet<&str> = places.into_iter().map(|at: usize| book.variables[at].name.as_str()).collect();
        if let Some(time) = &self.time {
            names.extend(time.reads().into_iter().filter_map(|name| book.named(name)).map(|it| it.name.as_str()));
            for (_, condition) in &time.competing {
                names.extend(self.asked(condition).reads(book));
            }
        }
        if let Some(by) = &self.by {
            let dates = [&by.date, &by.last_seen].into_iter().filter_map(|name| book.named(name));
            names.extend(dates.map(|variable| variable.name.as_str()));
        }
        names
    }

    /// Refuses a condition that cannot be asked, or that a predictor decides.
    pub(in crate::protocol::codebook) fn check(&self, book: &Codebook) -> Result<(), CodebookError> {
        self.ask(book)?;
        let wrong = |key, found: &str, expected: &str| CodebookError::Value {
            table: "outcome",
            name: self.name.clone(),
            key,
            found: found.to_owned(),
            expected: expected.to_owned(),
        };
        if let Some(by) = &self.by {
            for (key, name) in [("origin", &by.origin), ("event_date", &by.date), ("last_seen", &by.last_seen)] {
                if !book.named(name).is_some_and(|variable| variable.kind == Kind::Date) {
                    return Err(wrong(key, name, "the name of a date"));
                }
            }
        }
        if let Some(time) = &self.time {
            time.check(book, &wrong)?;
            for (_, condition) in &time.competing {
                self.asked(condition).ask(book)?;
            }
        }
        let predictor = |name: &&str| book.named(name).is_some_and(|variable| variable.role == Role::Predictor);
        match self.reads(book).into_iter().find(predictor) {
            None => Ok(()),
            Some(variable) => Err(CodebookError::Leak { name: self.name.clone(), variable: variable.to_owned() }),
        }
    }
}

impl Question<'_> {
    /// The outcome of a patient; `values` in the order of the variables.
    pub fn state(&self, values: &[Option<Value>]) -> State {
        let condition = self.truth(&self.filter, values);
        let Some(by) = &self.outcome.by else { return condition.into_state() };
        let date = |name: &str| self.book.place(name).and_then(|at| values[at].as_ref()).and_then(Value::date);
        let missing = |name: &str| State::Unknown(Reason::Missing(name.to_owned()));
        let Some(origin) = date(&by.origin) else { return missing(&by.origin) };
        let within = |to| days(origin, to) <= by.days;
        match (condition, date(&by.date), date(&by.last_seen)) {
            (Truth::Unknown(reason), ..) => State::Unknown(reason),
            (Truth::Yes, None, _) => missing(&by.date),
            (Truth::Yes, Some(at), _) if within(at) => State::Event,
            (Truth::Yes, Some(_), _) => State::Other,
            (Truth::No, _, None) => missing(&by.last_seen),
            (Truth::No, _, Some(seen)) if days(origin, seen) >= by.days => State::Other,
            (Truth::No, ..) => State::Unknown(Reason::Censored),
        }
    }

    fn truth(&self, filter: &Filter, values: &[Option<Value>]) -> Truth {
        match filter {
            Filter::All(parts) => parts.iter().fold(Truth::Yes, |so_far, part| so_far.and(|| self.truth(part, values))),
            Filter::Any(parts) => {
                let none = parts.iter().fold(Truth::Yes, |so_far, part| so_far.and(|| self.truth(part, values).not()));
                none.not()
            }
            Filter::Not(inner) => self.truth(inner, values).not(),
            Filter::Test { column: None, .. } => Truth::No,
            Filter::Test { column: Some(at), test } => self.test(*at, test, values[*at].as_ref()),
        }
    }

    fn test(&self, at: usize, test: &Test, value: Option<&Value>) -> Truth {
        let variable = &self.book.variables[at];
        let value = value.filter(|value| !matches!(value, Value::Missing(_)));
        match (test, value) {
            (Test::Missing, value) => Truth::of(value.is_none()),
            (_, None) => Truth::Unknown(Reason::Missing(variable.name.clone())),
            (Test::Number(relation, than), Some(Value::Interval(range))) => {
                let side = side(*relation, *than, range);
                side.map_or(Truth::Unknown(Reason::Straddles(variable.name.clone())), Truth::of)
            }
            (test, Some(value)) => {
                let column = variable.column([Some(value)]);
                let frame = Frame::new(vec![String::new()], vec![column]).expect("one value");
                Truth::of(Filter::Test { column: Some(0), test: test.clone() }.passes(&frame, 0))
            }
        }
    }
}

/// Yes, no or unknown, after Kleene.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Unknown(Reason),
}

impl Truth {
    fn of(holds: bool) -> Truth {
        if holds { Truth::Yes } else { Truth::No }
    }

    fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            unknown => unknown,
        }
    }

    /// What is false stays false, whatever is unknown beside it.
    fn and(self, other: impl FnOnce() -> Truth) -> Truth {
        match self {
            Truth::No => Truth::No,
            Truth::Yes => other(),
            unknown => {
                if other() == Truth::No {
                    Truth::No
                } else {
                    unknown
                }
            }
        }
    }

    fn into_state(self) -> State {
        match self {
            Truth::Yes => State::Event,
            Truth::No => State::Other,
            Truth::Unknown(reason) => State::Unknown(reason),
        }
    }
}

/// One comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut<'a> {
    pub variable: &'a Variable,
    pub relation: Relation,
    pub value: f64,
}

impl Cut<'_> {
    /// Whether a number meets the condition.
    pub fn holds(&self, number: f64) -> bool {
        match self.relation {
            Relation::Less => number < self.value,
            Relation::AtMost => number <= self.value,
            Relation::More => number > self.value,
            Relation::AtLeast => number >= self.value,
            Relation::Equal | Relation::Contains => number == self.value,
            Relation::Unequal | Relation::Lacks => number != self.value,
        }
    }
}

fn opposite(relation: Relation) -> Relation {
    match relation {
        Relation::Less => Relation::AtLeast,
        Relation::AtLeast => Relation::Less,
        Relation::AtMost => Relation::More,
        Relation::More => Relation::AtMost,
        Relation::Equal => Relation::Unequal,
        Relation::Unequal => Relation::Equal,
        Relation::Contains => Relation::Lacks,
        Relation::Lacks => Relation::Contains,
    }
}

/// Whether all numbers of a range hold the relation, or none; `None` where some do.
fn side(relation: Relation, than: f64, range: &Range) -> Option<bool> {
    let all = |low: f64, high: f64, above: bool, below: bool| Range { low, high, above, below }.covers(range);
    let (less, at_most) = (all(f64::NEG_INFINITY, than, false, true), all(f64::NEG_INFINITY, than, false, false));
    let (more, at_least) = (all(than, f64::INFINITY, true, false), all(than, f64::INFINITY, false, false));
    let either = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
    match relation {
        Relation::Less => either(less, at_least),
        Relation::AtMost => either(at_most, more),
        Relation::More => either(more, at_most),
        Relation::AtLeast => either(at_least, less),
        Relation::Equal => either(range.only() == Some(than), !range.contains(than)),
        Relation::Unequal => either(!range.contains(than), range.only() == Some(than)),
        Relation::Contains | Relation::Lacks => None,
    }
}

fn columns(filter: &Filter, places: &mut BTreeSet<usize>) {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| columns(part, places)),
        Filter::Not(inner) => columns(inner, places),
        Filter::Test { column, .. } => places.extend(column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of a study with an outcome, of a patient with these cells.
    fn state(document: &str, cells: &[(&str, &str)]) -> State {
        let book = Codebook::study().with(document.parse().unwrap()).unwrap();
        let mut values = vec![None; book.variables.len()];
        for (name, cell) in cells {
            values[book.place(name).unwrap()] = book.named(name).unwrap().read(cell).unwrap();
        }
        book.outcome().unwrap().ask(&book).unwrap().state(&values)
    }

    #[test]
    fn an_interval_that_straddles_the_cut_is_unknown() {
        let interval = "[variable.necrosis_pct]\ndetection = \"interval\"\n";
        let check = |preset: &str, cell: &str, expected: Option<bool>| {
            let document = format!("{interval}[outcome]\npreset = \"{preset}\"");
            let straddles = || State::Unknown(Reason::Straddles("necrosis_pct".to_owned()));
            let expected = expected.map_or_else(straddles, |event| if event { State::Event } else { State::Other });
            assert_eq!(state(&document, &[("necrosis_pct", cell)]), expected, "{preset} {cell}");
        };
        check("ge90", "89.9", Some(true));
        check("ge90", "90", Some(false));
        check("euramos", "90", Some(true));
        check("euramos", "90.1", Some(false));
        check("ge90", "> 90", Some(false));
        check("euramos", "> 90", Some(false));
        check("ge90", ">= 90", Some(false));
        check("euramos", ">= 90", None);
        check("ge90", "50 to 89", Some(true));
        check("ge90", "> 80", None);
        check("ge90", "80 to 95", None);
    }

    #[test]
    fn what_is_false_anyway_needs_no_other_value() {
        let document = "[variable.viable]\nkind = \"number\"\nrole = \"outcome\"\n[outcome]\nname = \"both\"\n\
                        event = \"necrosis_pct < 90 and viable > 10\"";
        assert_eq!(state(document, &[("necrosis_pct", "95")]), State::Other);
        assert_eq!(state(document, &[("viable", "5")]), State::Other);
        let missing = State::Unknown(Reason::Missing("viable".to_owned()));
        assert_eq!(state(document, &[("necrosis_pct", "50")]), missing);
        let either = document.replace(" and ", " or ");
        assert_eq!(state(&either, &[("necrosis_pct", "50")]), State::Event);
        assert_eq!(state(&either, &[("necrosis_pct", "95")]), missing);
    }

    #[test]
    fn an_event_by_a_time_is_unknown_in_patients_censored_before() {
        let dates = ["start", "relapse", "seen"]
            .map(|name| format!("[variable.{name}]\nkind = \"date\"\nrole = \"note\"\nmoment = \"follow-up\"\n"))
            .concat();
        let document = format!(
            "{dates}[outcome]\nname = \"relapse\"\nevent = \"relapse is not missing\"\nby_days = 730\n\
             origin = \"start\"\nevent_date = \"relapse\"\nlast_seen = \"seen\"",
        );
        let check =
            |cells: &[(&str, &str)], expected: State| assert_eq!(state(&document, cells), expected, "{cells:?}");
        let start = ("start", "2020-01-01");
        check(&[start, ("relapse", "2021-12-31"), ("seen", "2022-05-01")], State::Event);
        check(&[start, ("relapse", "2022-01-01"), ("seen", "2022-05-01")], State::Other);
        check(&[start, ("seen", "2021-12-31")], State::Other);
        check(&[start, ("seen", "2021-12-30")], State::Unknown(Reason::Censored));
        check(&[start], State::Unknown(Reason::Missing("seen".to_owned())));
        check(&[("seen", "2021-12-30")], State::Unknown(Reason::Missing("start".to_owned())));
    }

    #[test]
    fn the_outcome_that_a_document_declares_is_in_force() {
        let names = |document: &str| {
            let book = Codebook::study().with(document.parse().unwrap()).unwrap();
            let again = Codebook::parse(&book.to_toml()).unwrap();
            assert_eq!(again, book);
            (book.outcomes.iter().map(|it| it.name.clone()).collect::<Vec<_>>(), book.outcome().unwrap().name.clone())
        };
        assert_eq!(names(""), (vec!["response".to_owned()], "response".to_owned()));
        assert_eq!(names("[outcome]\npreset = \"euramos\"").1, "euramos");
        let two = "[[outcome]]\npreset = \"euramos\"\n[[outcome]]\nname = \"response\"\nin_force = true";
        assert_eq!(names(two), (vec!["response".to_owned(), "euramos".to_owned()], "response".to_owned()));
        assert_eq!(names("[outcome.response]\nevent_label = \"poor\"").1, "response");
    }

    #[test]
    fn outcomes_that_do_not_exist_yet_are_refused_by_name() {
        let check = |document: &str, part: &str| {
            let message = Codebook::study().with(document.parse().unwrap()).expect_err(document).to_string();
            assert!(message.contains(part), "{document}: {message}");
        };
        check("[outcome]\nname = \"grade\"\nkind = \"classes\"\nevent = \"x\"", "classes");
        check("[outcome]\nname = \"a\"", "event");
        check("[outcome]\nname = \"a\"\nevent = \"weight > 3\"", "no column weight");
        check("[outcome]\npreset = \"huvos\"", "ge90 or euramos");
        check("[outcome]\nname = \"a\"\nevent = \"necrosis_pct < 90\"\nby_days = 3", "origin");
        check("[outcome]\nname = \"a\"\nevent = \"necrosis_pct < 90\"\nother_label = \"event\"", "another name");
    }
}
