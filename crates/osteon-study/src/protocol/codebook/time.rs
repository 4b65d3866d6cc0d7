//! When an outcome happened: where time begins, how it ends, what competes.

use toml::{Table, Value as Toml};

use crate::protocol::codebook::declaration::Fields;
use crate::protocol::codebook::formula::days;
use crate::protocol::codebook::outcome::{Outcome, Reason, State};
use crate::protocol::codebook::value::Value;
use crate::protocol::codebook::variable::{Kind, Moment};
use crate::protocol::codebook::{Codebook, CodebookError};

/// What an outcome of kind "time" declares beside its event.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    pub clock: Clock,
    pub unit: Unit,
    /// Events after which the other cannot happen any more: names and conditions.
    pub competing: Vec<(String, String)>,
    /// Follow-up ends here for everybody (administrative censoring), in the unit.
    pub censor_after: Option<f64>,
    /// The date at which time begins instead of the origin: patients whose time was over by then are left out.
    pub landmark: Option<String>,
}

/// How time is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Clock {
    /// Names of dates: where time begins, of the event, when last seen (or of the competing event).
    Dates { origin: String, event: String, last_seen: String },
    /// A number in the unit, from the origin to the event or the end of follow-up.
    Duration(String),
}

/// What time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Days,
    /// Of 30.4375 days.
    Months,
    /// Of 365.25 days.
    Years,
}

/// How long a patient was followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passed {
    pub time: f64,
    /// 0 censored, 1 the event, 2 and more the competing ones in their order.
    pub cause: usize,
}

/// Why a patient has no time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoTime {
    Unknown(Reason),
    /// The time ended before it began.
    Backwards,
    /// The event, or the end of follow-up, came before the landmark or on its day.
    BeforeLandmark,
    /// The event and a competing one.
    Both(String),
}

const UNITS: [(&str, Unit); 3] = [("days", Unit::Days), ("months", Unit::Months), ("years", Unit::Years)];
const OWN_KEYS: [&str; 5] = ["duration", "unit", "competing", "censor_after", "landmark"];

/// What the table of an outcome of kind "time" says of it.
pub(in crate::protocol::codebook) fn of_table(fields: &Fields) -> Result<Time, CodebookError> {
    if fields.fields.contains_key("by_days") {
        return Err(fields.wrong("by_days", "given", "none beside kind = \"time\"; censor_after ends the follow-up"));
    }
    if fields.flag("in_force")? {
        let expected =
            "false: models learn from two-sided outcomes; osteon km and osteon survival read a time by its name";
        return Err(fields.wrong("in_force", true, expected));
    }
    let needed = |key: &'static str| match fields.text(key)? {
        Some(name) => Ok(name.to_owned()),
        None => Err(fields.wrong(key, "absent", "the name of a date, or a duration instead of the three dates")),
    };
    let clock = match fields.text("duration")? {
        Some(name) => {
            for key in ["origin", "event_date", "last_seen", "landmark"] {
                if fields.fields.contains_key(key) {
                    return Err(fields.wrong(
                        key,
                        "given",
                        "none beside a duration, which has begun and ended already",
                    ));
                }
            }
            Clock::Duration(name.to_owned())
        }
        None => {
            Clock::Dates { origin: needed("origin")?, event: needed("event_date")?, last_seen: needed("last_seen")? }
        }
    };
    let unit = match fields.text("unit")? {
        None => Unit::Days,
        Some(name) => match UNITS.iter().find(|(known, _)| *known == name) {
            Some((_, unit)) => *unit,
            None => return Err(fields.wrong("unit", format!("{name:?}"), "days, months or years")),
        },
    };
    let competing = fields.table("competing")?.into_iter().map(|(name, condition)| match condition {
        Toml::String(condition) => Ok((name, condition)),
        other => Err(fields.wrong("competing", other, "a name and a condition each: { death = \"status = dead\" }")),
    });
    let censor_after = match fields.fields.get("censor_after") {
        None => None,
        Some(value) => {
            let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            let number = number.filter(|number| number.is_finite() && *number > 0.0);
            Some(number.ok_or_else(|| fields.wrong("censor_after", value.clone(), "a time above 0"))?)
        }
    };
    Ok(Time {
        clock,
        unit,
        competing: competing.collect::<Result<_, _>>()?,
        censor_after,
        landmark: fields.text("landmark")?.map(str::to_owned),
    })
}

/// Refuses what only an outcome of kind "time" may say.
pub(in crate::protocol::codebook) fn refuse_keys(fields: &Fields) -> Result<(), CodebookError> {
    match OWN_KEYS.into_iter().find(|key| fields.fields.contains_key(*key)) {
        None => Ok(()),
        Some(key) => Err(fields.wrong(key, "given", "none beside a two-sided outcome; kind = \"time\" has it")),
    }
}

impl Unit {
    pub fn name(self) -> &'static str {
        UNITS.iter().find(|(_, unit)| *unit == self).expect("all units are listed").0
    }

    fn days(self) -> f64 {
        match self {
            Unit::Days => 1.0,
            Unit::Months => 365.25 / 12.0,
            Unit::Years => 365.25,
        }
    }
}

impl Time {
    /// The keys that declare it, defaults left out.
    pub(in crate::protocol::codebook) fn to_table(&self) -> Table {
        let mut table = Table::new();
        let mut text = |key: &str, value: &str| drop(table.insert(key.to_owned(), Toml::String(value.to_owned())));
        text("kind", "time");
        match &self.clock {
            Clock::Duration(name) => text("duration", name),
            Clock::Dates { origin, event, last_seen } => {
                text("origin", origin);
                text("event_date", event);
                text("last_seen", last_seen);
            }
        }
        if self.unit != Unit::Days {
            text("unit", self.unit.name());
        }
        if let Some(landmark) = &self.landmark {
            text("landmark", landmark);
        }
        if !self.competing.is_empty() {
            let named = self.competing.iter().map(|(name, condition)| (name.clone(), Toml::String(condition.clone())));
            table.insert("competing".to_owned(), Toml::Table(named.collect()));
        }
        if let Some(end) = self.censor_after {
            table.insert("censor_after".to_owned(), Toml::Float(end));
        }
        table
    }

    /// Names of the variables that tell how time ended; where it begins tells nothing.
    pub(in crate::protocol::codebook) fn reads(&self) -> Vec<&str> {
        match &self.clock {
            Clock::Duration(name) => vec![name],
            Clock::Dates { event, last_seen, .. } => vec![event, last_seen],
        }
    }

    pub(in crate::protocol::codebook) fn check(
        &self,
        book: &Codebook,
        wrong: &dyn Fn(&'static str, &str, &str) -> CodebookError,
    ) -> Result<(), CodebookError> {
        let is_date = |name: &str| book.named(name).is_some_and(|variable| variable.kind == Kind::Date);
        match &self.clock {
            Clock::Duration(name) => {
                if !book.named(name).is_some_and(|variable| matches!(variable.kind, Kind::Number(_))) {
                    return Err(wrong("duration", name, "the name of a number"));
                }
            }
            Clock::Dates { origin, event, last_seen } => {
                for (key, name) in [("origin", origin), ("event_date", event), ("last_seen", last_seen)] {
                    if !is_date(name) {
                        return Err(wrong(key, name, "the name of a date"));
                    }
                }
            }
        }
        match &self.landmark {
            Some(name) if !is_date(name) => Err(wrong("landmark", name, "the name of a date")),
            _ => Ok(()),
        }
    }

    /// The moment at which time begins: what is measured later is no predictor of it. A duration begins at baseline.
    pub fn begins(&self, book: &Codebook) -> Moment {
        let moment = |name: &String| book.named(name).map_or(Moment::Baseline, |variable| variable.moment);
        match (&self.landmark, &self.clock) {
            (Some(landmark), _) => moment(landmark),
            (None, Clock::Dates { origin, .. }) => moment(origin),
            (None, Clock::Duration(_)) => Moment::Baseline,
        }
    }

    /// How long a patient was followed under the outcome that this time belongs to; `values` in the order of variables.
    pub fn passed(&self, outcome: &Outcome, book: &Codebook, values: &[Option<Value>]) -> Result<Passed, NoTime> {
        let holds = |outcome: &Outcome| {
            let question = outcome.ask(book).expect("a codebook was checked");
            match question.state(values) {
                State::Event => Ok(true),
                State::Other => Ok(false),
                State::Unknown(reason) => Err(NoTime::Unknown(reason)),
            }
        };
        let mut cause = usize::from(holds(outcome)?);
        for (at, (name, condition)) in self.competing.iter().enumerate() {
            if holds(&outcome.asked(condition))? {
                if cause > 0 {
                    return Err(NoTime::Both(name.clone()));
                }
                cause = at + 2;
            }
        }
        let value = |name: &str| book.place(name).and_then(|at| values[at].as_ref());
        let missing = |name: &str| NoTime::Unknown(Reason::Missing(name.to_owned()));
        let date = |name: &str| value(name).and_then(Value::date).ok_or_else(|| missing(name));
        let mut time = match &self.clock {
            Clock::Duration(name) => value(name).and_then(Value::number).ok_or_else(|| missing(name))?,
            Clock::Dates { origin, event, last_seen } => {
                let begin = date(self.landmark.as_ref().unwrap_or(origin))?;
                let end = date(if cause == 1 { event } else { last_seen })?;
                let passed = days(begin, end);
                // Who was followed from the origin but not beyond the landmark says nothing about the time after it.
                if self.landmark.is_some() && passed <= 0.0 && days(date(origin)?, end) >= 0.0 {
                    return Err(NoTime::BeforeLandmark);
                }
                passed / self.unit.days()
            }
        };
        if time < 0.0 {
            return Err(NoTime::Backwards);
        }
        if let Some(end) = self.censor_after.filter(|end| time > *end) {
            (time, cause) = (end, 0);
        }
        Ok(Passed { time, cause })
    }
}

impl std::fmt::Display for NoTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoTime::Unknown(Reason::Missing(name)) => write!(f, "{name} is missing"),
            NoTime::Unknown(Reason::Straddles(name)) => write!(f, "{name} lies on both sides of the cut"),
            NoTime::Unknown(Reason::Censored) => write!(f, "not followed for so long"),
            NoTime::Backwards => write!(f, "the time ends before it begins"),
            NoTime::BeforeLandmark => write!(f, "the time was over by the landmark"),
            NoTime::Both(name) => write!(f, "the event and {name} together"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATES: &str = "[variable.start]\nkind = \"date\"\nrole = \"note\"\n\
                         [variable.surgery]\nkind = \"date\"\nrole = \"note\"\nmoment = \"surgery\"\n\
                         [variable.relapse]\nkind = \"date\"\nrole = \"note\"\nmoment = \"follow-up\"\n\
                         [variable.seen]\nkind = \"date\"\nrole = \"note\"\nmoment = \"follow-up\"\n\
                         [variable.status]\nlevels = [\"alive\", \"dead\"]\nrole = \"note\"\nmoment = \"follow-up\"\n\
                         [outcome.efs]\nkind = \"time\"\nevent = \"relapse is not missing\"\norigin = \"start\"\n\
                         event_date = \"relapse\"\nlast_seen = \"seen\"\n";

    fn book(more: &str) -> Result<Codebook, CodebookError> {
        Codebook::study().with(format!("{DATES}{more}").parse().unwrap())
    }

    fn passed(more: &str, cells: &[(&str, &str)]) -> Result<Passed, NoTime> {
        let book = book(more).unwrap();
        assert_eq!(Codebook::parse(&book.to_toml()).unwrap(), book);
        assert_eq!(book.outcome().unwrap().name, "response", "a time is never in force");
        let mut values = vec![None; book.variables.len()];
        for (name, cell) in cells {
            values[book.place(name).unwrap()] = book.named(name).unwrap().read(cell).unwrap();
        }
        let outcome = book.outcomes.iter().find(|it| it.time.is_some()).unwrap();
        outcome.time.as_ref().unwrap().passed(outcome, &book, &values)
    }

    #[test]
    fn time_runs_from_its_origin_to_the_event_or_the_last_visit() {
        let start = ("start", "2020-01-01");
        let of = |cells: &[(&str, &str)]| passed("", cells);
        assert_eq!(
            of(&[start, ("relapse", "2020-12-31"), ("seen", "2022-01-01")]),
            Ok(Passed { time: 365.0, cause: 1 })
        );
        assert_eq!(of(&[start, ("seen", "2020-01-31")]), Ok(Passed { time: 30.0, cause: 0 }));
        assert_eq!(of(&[start, ("seen", "2019-12-31")]), Err(NoTime::Backwards));
        assert_eq!(of(&[start]), Err(NoTime::Unknown(Reason::Missing("seen".to_owned()))));
        assert_eq!(of(&[("seen", "2020-01-31")]), Err(NoTime::Unknown(Reason::Missing("start".to_owned()))));
    }

    #[test]
    fn follow_up_ends_for_everybody_and_begins_at_a_landmark() {
        let start = ("start", "2020-01-01");
        let short = "unit = \"years\"\ncensor_after = 1";
        assert_eq!(passed(short, &[start, ("relapse", "2022-01-01")]), Ok(Passed { time: 1.0, cause: 0 }));
        let landmark = "landmark = \"surgery\"";
        let surgery = ("surgery", "2020-03-01");
        let of = |cells: &[(&str, &str)]| passed(landmark, cells);
        assert_eq!(of(&[start, surgery, ("seen", "2020-03-31")]), Ok(Passed { time: 30.0, cause: 0 }));
        assert_eq!(of(&[start, surgery, ("relapse", "2020-02-01")]), Err(NoTime::BeforeLandmark));
        assert_eq!(
            book(landmark).unwrap().outcomes[1].time.as_ref().unwrap().begins(&book(landmark).unwrap()),
            Moment::Surgery
        );
    }

    #[test]
    fn events_that_compete_are_told_apart() {
        let death = "competing = { death = \"status = dead\" }";
        let start = ("start", "2020-01-01");
        let of = |cells: &[(&str, &str)]| passed(death, cells);
        assert_eq!(of(&[start, ("seen", "2020-01-11"), ("status", "dead")]), Ok(Passed { time: 10.0, cause: 2 }));
        assert_eq!(of(&[start, ("seen", "2020-01-11"), ("status", "alive")]), Ok(Passed { time: 10.0, cause: 0 }));
        let both = of(&[start, ("relapse", "2020-01-05"), ("seen", "2020-01-11"), ("status", "dead")]);
        assert_eq!(both, Err(NoTime::Both("death".to_owned())));
    }

    #[test]
    fn a_time_that_cannot_be_told_is_refused() {
        let refused = |document: &str, part: &str| {
            let message = Codebook::study().with(document.parse().unwrap()).expect_err(document).to_string();
            assert!(message.contains(part), "{document}: {message}");
        };
        refused(
            "[outcome]\nname = \"os\"\nkind = \"time\"\nevent = \"necrosis_pct < 90\"",
            "outcome.os.origin is absent",
        );
        refused(&format!("{DATES}in_force = true"), "models learn from two-sided outcomes");
        refused(&format!("{DATES}unit = \"weeks\""), "days, months or years");
        refused(&format!("{DATES}landmark = \"alp\""), "the name of a date");
        refused(&format!("{DATES}competing = {{ death = \"weight > 3\" }}"), "no column weight");
        refused("[outcome]\nname = \"a\"\nevent = \"necrosis_pct < 90\"\nlandmark = \"x\"", "kind = \"time\" has it");
    }
}
