//! One clinical variable: what it means, what it may hold, and when it is known.

use serde::{Deserialize, Serialize};

use crate::protocol::codebook::formula::Formula;
use crate::protocol::codebook::range::Range;

/// One clinical quantity of the study.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Permanent: trail, recipes and formulas know the variable by it. The first name, unless said otherwise.
    pub key: String,
    /// Its column in files and in every table; may change.
    pub name: String,
    /// As printed, without the unit.
    pub label: String,
    /// Empty for none.
    pub unit: String,
    pub kind: Kind,
    pub role: Role,
    pub moment: Moment,
    /// Whether the value may tell who the patient is: left out of de-identified exports.
    pub identifier: bool,
    /// Cells that mean a missing value, and why it is missing; empty where no reason is known.
    pub missing: Vec<(String, String)>,
    /// What computes the values; they are never typed.
    pub formula: Option<Formula>,
    /// The odds ratio is printed for an increase of so much.
    pub per: Per,
    /// What tables print where that is not the heading; empty for the heading.
    pub table_label: String,
    /// Its places among the rows of Tables 1 and 2, and of Table 4; those without one follow in the codebook's order.
    pub table_1: Option<u32>,
    pub table_4: Option<u32>,
    /// Levels in the order of tables, each with the word that they print; empty for the variable's own.
    pub printed: Vec<(String, String)>,
}

/// What a variable may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Number(Number),
    Levels {
        levels: Vec<Level>,
        ordered: bool,
        /// Position of the level that others are compared with; `None` leaves it to the protocol.
        reference: Option<usize>,
    },
    Date,
    Text,
}

/// Rules of a number.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Number {
    /// Anything outside is refused.
    pub possible: Range,
    /// Anything outside raises a query.
    pub usual: Range,
    /// What becomes of `< 5` and `> 500`.
    pub detection: Detection,
    /// Words that mean an interval or a number, such as a grade.
    pub words: Vec<(String, Range)>,
}

/// One level, and the other words and codes that mean it.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub name: String,
    pub also: Vec<String>,
}

/// What becomes of a value beyond the limit of detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detection {
    /// Refused.
    #[default]
    Refuse,
    /// Half of the lower limit; a value above an upper limit is that limit.
    Half,
    /// The limit itself.
    Limit,
    /// Kept as an interval: an outcome whose cut it straddles is unknown, and models see no number.
    Interval,
}

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    Predictor,
    Outcome,
    /// Where the patient was treated or scanned.
    Centre,
    /// What scanner differences are taken out by.
    Batch,
    Note,
}

/// When a value is known, in the order of a treatment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Moment {
    #[default]
    #[serde(rename = "baseline")]
    Baseline,
    #[serde(rename = "during treatment")]
    Treatment,
    #[serde(rename = "surgery")]
    Surgery,
    #[serde(rename = "follow-up")]
    FollowUp,
}

/// The increase that an odds ratio is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    #[default]
    Unit,
    /// From the lower to the upper quartile of the patients of the model.
    Iqr,
    /// From their median to twice as much; the model stays linear in the variable.
    Doubling,
}

impl Moment {
    pub const ALL: [Moment; 4] = [Moment::Baseline, Moment::Treatment, Moment::Surgery, Moment::FollowUp];

    pub fn name(self) -> &'static str {
        match self {
            Moment::Baseline => "baseline",
            Moment::Treatment => "during treatment",
            Moment::Surgery => "surgery",
            Moment::FollowUp => "follow-up",
        }
    }

    pub fn named(name: &str) -> Option<Moment> {
        Moment::ALL.into_iter().find(|moment| moment.name() == name)
    }
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Predictor, Role::Outcome, Role::Centre, Role::Batch, Role::Note];

    pub fn name(self) -> &'static str {
        match self {
            Role::Predictor => "predictor",
            Role::Outcome => "outcome",
            Role::Centre => "centre",
            Role::Batch => "batch",
            Role::Note => "note",
        }
    }
}

impl Kind {
    /// As the protocol writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Number(_) => "number",
            Kind::Levels { .. } => "levels",
            Kind::Date => "date",
            Kind::Text => "text",
        }
    }
}

impl Variable {
    /// As printed above its values: the label with its unit.
    pub fn heading(&self) -> String {
        if self.unit.is_empty() { self.label.clone() } else { format!("{}, {}", self.label, self.unit) }
    }

    /// As tables print it.
    pub fn in_tables(&self) -> String {
        if self.table_label.is_empty() { self.heading() } else { self.table_label.clone() }
    }

    /// The levels in the order of tables, each with the word that they print; none for what has no levels.
    pub fn printed_levels(&self) -> Vec<(&str, &str)> {
        match &self.kind {
            Kind::Levels { .. } if !self.printed.is_empty() => {
                self.printed.iter().map(|(level, word)| (level.as_str(), word.as_str())).collect()
            }
            Kind::Levels { levels, .. } => {
                levels.iter().map(|level| (level.name.as_str(), level.name.as_str())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The printed word of a level; the level itself where there is none.
    pub fn level_in_tables<'a>(&'a self, level: &'a str) -> &'a str {
        self.printed_levels().into_iter().find(|(name, _)| *name == level).map_or(level, |(_, word)| word)
    }

    /// Names of the levels; none for what has no levels.
    pub fn levels(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Levels { levels, .. } => levels.iter().map(|level| level.name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it is a number or has levels: what tables compare and models learn from.
    pub fn is_compared(&self) -> bool {
        matches!(self.kind, Kind::Number(_) | Kind::Levels { .. })
    }

    /// Whether values are computed, not typed.
    pub fn is_computed(&self) -> bool {
        self.formula.is_some()
    }

    /// What a cell may hold, in words.
    pub fn expected(&self) -> String {
        match &self.kind {
            Kind::Number(number) => {
                let mut text = number.possible.words();
                if number.detection != Detection::Refuse {
                    text.push_str(", or < or > and a limit of detection");
                }
                text
            }
            Kind::Levels { levels, .. } => {
                let name = |level: &Level| match level.also.is_empty() {
                    true => level.name.clone(),
                    false => format!("{} ({})", level.name, level.also.join(", ")),
                };
                levels.iter().map(name).collect::<Vec<_>>().join(" or ")
            }
            Kind::Date => "a date as YYYY-MM-DD".to_owned(),
            Kind::Text => "a text".to_owned(),
        }
    }
}
