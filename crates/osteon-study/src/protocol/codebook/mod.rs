//! What a study declares: its variables, outcomes and images.
//!
//! A codebook is written in the protocol as `[[variable]]`, `[outcome]` and `[[image]]` tables over a preset; tables of
//! one name merge, `drop = true` removes one.

mod computed;
mod declaration;
pub mod formula;
mod merge;
pub mod outcome;
pub mod propose;
pub mod range;
pub mod redcap;
pub mod sheet;
pub mod slot;
pub mod time;
pub mod unit;
pub mod value;
pub mod variable;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use toml::{Table, Value as Toml};

use crate::protocol::codebook::outcome::Outcome;
use crate::protocol::codebook::range::RangeError;
use crate::protocol::codebook::slot::Slot;
use crate::protocol::codebook::variable::{Kind, Moment, Role, Variable};
use osteon_stats::table::filter::FilterError;

pub use value::Value;

/// The variables, outcomes and image slots of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Codebook {
    /// In the order of Table 1.
    pub variables: Vec<Variable>,
    /// One of them is in force.
    pub outcomes: Vec<Outcome>,
    pub slots: Vec<Slot>,
    /// Predictors are known by then.
    pub prediction_moment: Moment,
}

impl Default for Codebook {
    fn default() -> Codebook {
        Codebook::empty()
    }
}

/// Why tables are no codebook.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CodebookError {
    #[error("{0}")]
    Syntax(String),
    #[error("{table}.{name}: unknown key {key}; valid keys are {valid}")]
    UnknownKey { table: &'static str, name: String, key: String, valid: String },
    #[error("{table} {at} has no {key}; each needs one")]
    NoName { table: &'static str, at: usize, key: &'static str },
    #[error("{table}.{name}.{key} is {found}, expected {expected}")]
    Value { table: &'static str, name: String, key: &'static str, found: String, expected: String },
    #[error("variable.{name}.{key}: {cause}")]
    Range { name: String, key: &'static str, cause: RangeError },
    #[error("{table}.{name} is declared twice")]
    Twice { table: &'static str, name: String },
    #[error("{table}.{name} has drop = true, but there is none to drop; known are {known}")]
    NothingToDrop { table: &'static str, name: String, known: String },
    #[error("variables {first} and {second} have the key {key}; a key belongs to one variable for good")]
    SameKey { key: String, first: String, second: String },
    #[error("variable {name}: the word {word:?} means {first} and {second}")]
    Ambiguous { name: String, word: String, first: String, second: String },
    #[error("variable.{name}.formula: {cause}")]
    Formula { name: String, cause: formula::FormulaError },
    #[error("variable.{name}.formula depends on itself ({path})")]
    Cycle { name: String, path: String },
    #[error("variable.{name}.formula depends on more than {limit} formulas in a row")]
    Depth { name: String, limit: usize },
    #[error(
        "variable {name} is a predictor measured at {moment}, after the prediction moment {prediction}; give it another role or set prediction_moment"
    )]
    TooLate { name: String, moment: &'static str, prediction: &'static str },
    #[error("outcome.{name}.event: {cause}")]
    Event { name: String, cause: FilterError },
    #[error("outcome {name} depends on {variable}, which is a predictor; give {variable} the role outcome")]
    Leak { name: String, variable: String },
    #[error("outcomes {0} are in force together; exactly one may have in_force = true")]
    InForce(String),
    #[error("outcome {name} has kind {kind:?}; expected \"binary\" or \"time\"")]
    OutcomeKind { name: String, kind: String },
    #[error(
        "image.{slot} measures {unit}; its intensities are quantities and must not be normalized (image.{slot}.preprocess.normalise = false)"
    )]
    Normalised { slot: String, unit: String },
}

/// The codebooks that others are written over.
pub const PRESETS: [(&str, &str); 2] =
    [("study", include_str!("study.toml")), ("osteosarcoma", include_str!("osteosarcoma.toml"))];

static STUDY: LazyLock<Codebook> = LazyLock::new(|| preset("study"));
static OSTEOSARCOMA: LazyLock<Codebook> = LazyLock::new(|| preset("osteosarcoma"));

fn preset(name: &str) -> Codebook {
    let (_, text) = PRESETS.into_iter().find(|(known, _)| *known == name).expect("the preset is listed");
    Codebook::parse(text).expect("a preset is a codebook")
}

impl Codebook {
    /// The published study's: the nine variables of its Table 1 and the necrosis that decides the response.
    pub fn study() -> &'static Codebook {
        &STUDY
    }

    /// A prospective study of osteosarcoma under neoadjuvant chemotherapy.
    pub fn osteosarcoma() -> &'static Codebook {
        &OSTEOSARCOMA
    }

    /// A codebook without variables, to be declared.
    pub fn empty() -> Codebook {
        let slots = vec![Slot::only()];
        Codebook { variables: Vec::new(), outcomes: Vec::new(), slots, prediction_moment: Moment::Baseline }
    }

    /// A codebook written as TOML, over nothing.
    pub fn parse(text: &str) -> Result<Codebook, CodebookError> {
        let document: Table = text.parse().map_err(|cause: toml::de::Error| {
            CodebookError::Syntax(format!("the codebook is not TOML: {}", cause.message()))
        })?;
        Codebook::empty().with(document)
    }

    /// This codebook under the `variable`, `outcome`, `image` and `prediction_moment` of a document.
    pub fn with(&self, document: Table) -> Result<Codebook, CodebookError> {
        merge::over(self, document)?.check()
    }

    /// All tables, keys at their default left out; reads back to the same codebook over an empty one.
    pub fn to_tables(&self) -> Table {
        let mut document = Table::new();
        if self.prediction_moment != Moment::Baseline {
            document.insert("prediction_moment".to_owned(), Toml::String(self.prediction_moment.name().to_owned()));
        }
        let mut enter = |name: &str, tables: Vec<Table>| {
            if !tables.is_empty() {
                document.insert(name.to_owned(), Toml::Array(tables.into_iter().map(Toml::Table).collect()));
            }
        };
        enter("variable", self.variables.iter().map(declaration::of_variable).collect());
        enter("outcome", self.outcomes.iter().map(Outcome::to_table).collect());
        let is_only = self.slots == [Slot::only()];
        enter("image", self.slots.iter().filter(|_| !is_only).map(Slot::to_table).collect());
        document
    }

    /// The variables of these names with those that their formulas and the outcome in force read, that outcome, and no
    /// slots: what a reader needs who has not the study.
    pub fn part(&self, names: &BTreeSet<&str>) -> Codebook {
        let outcomes: Vec<Outcome> = self.outcome().cloned().into_iter().collect();
        let mut wanted: BTreeSet<&str> = names.clone();
        wanted.extend(outcomes.iter().flat_map(|outcome| outcome.reads(self)));
        wanted.extend(self.outcome().and_then(|it| it.by.as_ref()).map(|by| by.origin.as_str()));
        let reads = self.reads();
        loop {
            let before = wanted.len();
            let further: Vec<&str> = wanted.iter().filter_map(|name| reads.get(name)).flatten().copied().collect();
            wanted.extend(further);
            if wanted.len() == before {
                break;
            }
        }
        let variables = self.variables.iter().filter(|it| wanted.contains(it.name.as_str())).cloned().collect();
        let slots = vec![Slot::only()];
        Codebook { variables, outcomes, slots, prediction_moment: self.prediction_moment }
    }

    /// The codebook as a TOML document.
    pub fn to_toml(&self) -> String {
        toml::to_string(&self.to_tables()).expect("a codebook is plain data")
    }

    /// The variable of a name.
    pub fn named(&self, name: &str) -> Option<&Variable> {
        self.place(name).map(|at| &self.variables[at])
    }

    /// Where the variable of a name stands.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.variables.iter().position(|variable| variable.name == name)
    }

    /// The variable of a permanent key.
    pub fn keyed(&self, key: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.key == key)
    }

    /// The outcome in force, if any is declared.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.in_force)
    }

    /// The variables that models may learn from, in the order of Table 4.
    pub fn predictors(&self) -> Vec<&Variable> {
        let mut found: Vec<&Variable> = self.variables.iter().filter(|it| it.role == Role::Predictor).collect();
        found.sort_by_key(|variable| variable.table_4.unwrap_or(u32::MAX));
        found
    }

    /// The variables of Tables 1 and 2, in their order: what is no outcome, note or scanner batch.
    pub fn described(&self) -> Vec<&Variable> {
        let is_shown = |it: &&Variable| matches!(it.role, Role::Predictor | Role::Centre) && it.is_compared();
        let mut found: Vec<&Variable> = self.variables.iter().filter(is_shown).collect();
        found.sort_by_key(|variable| variable.table_1.unwrap_or(u32::MAX));
        found
    }

    /// What the sides of the outcome in force are called: without and with the event.
    pub fn sides(&self) -> [&str; 2] {
        self.outcome().map_or(["no event", "event"], |it| [it.other_label.as_str(), it.event_label.as_str()])
    }

    /// What the side of the outcome in force is called.
    pub fn side(&self, event: bool) -> &str {
        self.sides()[usize::from(event)]
    }

    /// Numbers with a usual range, for the rules that raise queries.
    pub fn usual(&self) -> BTreeMap<String, [f64; 2]> {
        let usual = |variable: &Variable| match &variable.kind {
            Kind::Number(number) if !number.usual.is_everything() => {
                Some((variable.name.clone(), [number.usual.low, number.usual.high]))
            }
            _ => None,
        };
        self.variables.iter().filter_map(usual).collect()
    }

    /// Reference levels that variables declare.
    pub fn references(&self) -> BTreeMap<String, String> {
        let reference = |variable: &Variable| match &variable.kind {
            Kind::Levels { levels, reference: Some(at), .. } => Some((variable.name.clone(), levels[*at].name.clone())),
            _ => None,
        };
        self.variables.iter().filter_map(reference).collect()
    }

    /// Names of the variables that tell an outcome, through formulas in either direction too: a blind reader sees none.
    pub fn hidden(&self) -> BTreeSet<&str> {
        let reads = self.reads();
        let mut hidden: BTreeSet<&str> = self
            .outcomes
            .iter()
            .flat_map(|outcome| outcome.reads(self))
            .chain(self.variables.iter().filter(|it| it.role == Role::Outcome).map(|it| it.name.as_str()))
            .collect();
        loop {
            let before = hidden.len();
            for (name, read) in &reads {
                if hidden.contains(name) {
                    hidden.extend(read);
                } else if read.iter().any(|name| hidden.contains(name)) {
                    hidden.insert(name);
                }
            }
            if hidden.len() == before {
                return hidden;
            }
        }
    }

    /// Each computed variable with the variables that its formula reads.
    fn reads(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let read = |variable: &'_ Variable| {
            let formula = variable.formula.as_ref()?;
            Some(formula.names().into_iter().filter_map(|name| self.named(name)).map(|it| it.name.as_str()).collect())
        };
        self.variables.iter().filter_map(|it| Some((it.name.as_str(), read(it)?))).collect()
    }

    /// Refuses what no study could use.
    fn check(self) -> Result<Codebook, CodebookError> {
        let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
        for variable in &self.variables {
            if let Some(first) = keys.insert(&variable.key, &variable.name) {
                let (key, second) = (variable.key.clone(), variable.name.clone());
                return Err(CodebookError::SameKey { key, first: first.to_owned(), second });
            }
            if variable.role == Role::Predictor && variable.moment > self.prediction_moment {
                let (moment, prediction) = (variable.moment.name(), self.prediction_moment.name());
                return Err(CodebookError::TooLate { name: variable.name.clone(), moment, prediction });
            }
        }
        self.order()?;
        let in_force: Vec<&str> = self.outcomes.iter().filter(|it| it.in_force).map(|it| it.name.as_str()).collect();
        if in_force.len() > 1 {
            return Err(CodebookError::InForce(in_force.join(", ")));
        }
        for outcome in &self.outcomes {
            outcome.check(&self)?;
        }
        self.slots.iter().try_for_each(Slot::check)?;
        for slot in self.slots.iter().filter(|slot| !slot.masks_of.is_empty()) {
            let of = self.slots.iter().find(|it| it.slot == slot.masks_of);
            if of.is_none_or(|of| of.slot == slot.slot || !of.masks_of.is_empty()) {
                let own = |it: &&Slot| it.slot != slot.slot && it.masks_of.is_empty();
                let names: Vec<&str> = self.slots.iter().filter(own).map(|it| it.slot.as_str()).collect();
                return Err(CodebookError::Value {
                    table: "image",
                    name: slot.slot.clone(),
                    key: "masks_of",
                    found: format!("{:?}", slot.masks_of),
                    expected: format!("a slot with masks of its own: {}", names.join(", ")),
                });
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(document: &str) -> Result<Codebook, CodebookError> {
        Codebook::study().with(document.parse().unwrap())
    }

    fn refusal(document: &str) -> String {
        study(document).expect_err(document).to_string()
    }

    #[test]
    fn the_presets_read_back_from_their_own_tables() {
        for book in [Codebook::study(), Codebook::osteosarcoma()] {
            assert_eq!(&Codebook::parse(&book.to_toml()).unwrap(), book);
            assert_eq!(&book.with(Table::new()).unwrap(), book);
        }
        assert_eq!(Codebook::study().variables.len(), 10);
        assert_eq!(Codebook::osteosarcoma().variables.len(), 33);
    }

    #[test]
    fn tables_of_one_name_merge_and_drop_removes_one() {
        let changed = study(
            "[[variable]]\nname = \"alp\"\nunit = \"IU/L\"\n[[variable]]\nname = \"ldh\"\ndrop = true\n\
             [[variable]]\nname = \"crp\"\nkind = \"number\"\nunit = \"mg/L\"\npossible = \">= 0\"\n",
        )
        .unwrap();
        let alp = changed.named("alp").unwrap();
        assert_eq!((alp.unit.as_str(), alp.label.as_str()), ("IU/L", "ALP"), "what is not named stays");
        assert_eq!(changed.named("ldh"), None);
        assert_eq!(changed.variables.last().unwrap().heading(), "crp, mg/L");
        assert_eq!(changed.variables.len(), 10);
    }

    #[test]
    fn assignments_reach_a_variable_by_its_name() {
        let changed = study("[variable.alp]\nunit = \"IU/L\"\n[variable.sex.words]\nmale = [\"man\"]").unwrap();
        assert_eq!(changed.named("alp").unwrap().unit, "IU/L");
        let Kind::Levels { levels, .. } = &changed.named("sex").unwrap().kind else { panic!("levels") };
        assert_eq!(
            (levels[0].also.as_slice(), levels[1].also.as_slice()),
            (&["f".into(), "2".into()][..], &["man".into()][..])
        );
    }

    #[test]
    fn a_renamed_variable_keeps_its_key() {
        let changed = study("[variable.alp]\nname = \"alkaline\"").unwrap();
        assert_eq!(changed.named("alkaline").unwrap().key, "alp");
        assert_eq!(Codebook::parse(&changed.to_toml()).unwrap(), changed);
    }

    #[test]
    fn what_is_no_codebook_is_refused_with_the_key() {
        let check = |document: &str, part: &str| {
            let message = refusal(document);
            assert!(message.contains(part), "{document}: {message}");
        };
        check("[variable.alp]\nunits = \"x\"", "unknown key units; valid keys are name, key");
        check("[[variable]]\nunit = \"x\"", "variable 1 has no name");
        check("[variable.hight]\ndrop = true", "none to drop; known are sex, age");
        check("[variable.alp]\nkind = \"real\"", "expected number, levels, date or text");
        check("[variable.alp]\npossible = \"> x\"", "variable.alp.possible");
        check("[variable.x]\nkind = \"levels\"", "levels");
        check(
            "[variable.x]\nkind = \"levels\"\nlevels = [\"a\", \"b\"]\nwords = { a = [\"1\"], b = [\"1\"] }",
            "means a and b",
        );
        check("[variable.x]\nkind = \"levels\"\nlevels = [\"a\", \"b\"]\nwords = { c = [\"1\"] }", "words");
        check("[variable.x]\nkind = \"number\"\nkey = \"alp\"", "alp and x have the key alp");
        check("[variable.x]\nkind = \"number\"\nmoment = \"surgery\"", "after the prediction moment baseline");
        check(
            "[[variable]]\nname = \"x\"\nkind = \"text\"\n[[variable]]\nname = \"x\"\nkind = \"text\"",
            "declared twice",
        );
        check("[variable.x]\nkind = \"number\"\nformula = \"x + 1\"", "depends on itself (x, x)");
        check("[variable.x]\nkind = \"number\"\nformula = \"alp / \"", "variable.x.formula");
        check("[variable.x]\nkind = \"number\"\nformula = \"alp / crp\"", "no variable crp");
        check("[variable.\"a b\"]\nkind = \"number\"", "letters, digits and _");
        check("[variable.id]\nkind = \"number\"", "another name");
        check("prediction_moment = \"birth\"", "baseline");
    }

    #[test]
    fn what_tells_the_outcome_is_hidden_through_formulas_too() {
        let book = study(
            "[variable.viable]\nkind = \"number\"\nrole = \"note\"\nformula = \"100 - necrosis_pct\"\n\
             [variable.twice]\nkind = \"number\"\nrole = \"note\"\nformula = \"2 * viable\"\n",
        )
        .unwrap();
        assert_eq!(book.hidden().into_iter().collect::<Vec<_>>(), ["necrosis_pct", "twice", "viable"]);
        let leak = refusal(
            "[variable.viable]\nkind = \"number\"\nrole = \"outcome\"\n[outcome]\nname = \"response\"\nevent = \"alp > 3\"",
        );
        assert!(leak.contains("alp, which is a predictor"), "{leak}");
    }
}
