//! A data dictionary of REDCap as variables: kinds, codes, ranges, units, moments and formulas.

use std::collections::BTreeSet;

use crate::protocol::codebook::formula::Formula;
use crate::protocol::codebook::range::Range;
use crate::protocol::codebook::redcap::COLUMNS;
use crate::protocol::codebook::variable::{Detection, Kind, Level, Moment, Number, Per, Role, Variable};
use crate::protocol::codebook::{Codebook, CodebookError};

/// What a dictionary declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Dictionary {
    pub codebook: Codebook,
    /// The field that names the patient: the first of a dictionary.
    pub id: String,
    /// What was guessed, changed or left out, one sentence each.
    pub notes: Vec<String>,
}

/// Why a file is no data dictionary.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RedcapError {
    #[error("no column {0:?}; a data dictionary has it in its first row")]
    Column(&'static str),
    #[error("row {row}: {cause}")]
    Csv { row: usize, cause: String },
    #[error("row {row}, {field}: {problem}")]
    Field { row: usize, field: String, problem: String },
    #[error("the data dictionary has no fields")]
    Empty,
    #[error(transparent)]
    Codebook(#[from] CodebookError),
}

/// One row of a dictionary.
struct Field<'a> {
    row: usize,
    cells: [&'a str; 18],
}

/// Reads a data dictionary. Fields of forms whose name tells a later moment are notes, not predictors.
pub fn read(text: &str) -> Result<Dictionary, RedcapError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|cause| RedcapError::Csv { row: 1, cause: cause.to_string() })?.clone();
    let place = |name: &'static str| headers.iter().position(|header| header.trim() == name);
    let places: Vec<Option<usize>> = COLUMNS.iter().map(|name| place(name)).collect();
    for needed in [0, 3, 4, 5] {
        places[needed].ok_or(RedcapError::Column(COLUMNS[needed]))?;
    }
    let (mut variables, mut notes, mut id) = (Vec::new(), Vec::new(), None);
    for (at, record) in reader.records().enumerate() {
        let row = at + 2;
        let record = record.map_err(|cause| RedcapError::Csv { row, cause: cause.to_string() })?;
        let cell = |at: usize| places[at].and_then(|place| record.get(place)).unwrap_or_default().trim();
        let field = Field { row, cells: std::array::from_fn(cell) };
        if field.cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        // REDCap's first field is the record's id.
        match id {
            None => id = Some(field.name().to_owned()),
            Some(_) => variables.extend(field.variables(&mut notes)?),
        }
    }
    let id = id.ok_or(RedcapError::Empty)?;
    resolve(&mut variables, &mut notes);
    let book = Codebook { variables, ..Codebook::empty() };
    // Through its own document, so that what is read is what can be written.
    let codebook = Codebook::parse(&book.to_toml())?;
    Ok(Dictionary { codebook, id, notes })
}

impl Field<'_> {
    fn name(&self) -> &str {
        self.cells[0]
    }

    fn wrong(&self, problem: impl Into<String>) -> RedcapError {
        RedcapError::Field { row: self.row, field: self.name().to_owned(), problem: problem.into() }
    }

    fn variables(&self, notes: &mut Vec<String>) -> Result<Vec<Variable>, RedcapError> {
        let [name, _, _, kind, ..] = self.cells;
        let validation = self.cells[7];
        let mut note = |text: String| notes.push(format!("{name}: {text}"));
        let one = |variable: Variable| Ok(vec![variable]);
        match kind {
            "text" if validation.is_empty() => one(self.variable(Kind::Text, "")),
            "text" if validation.starts_with("date") => {
                if validation.starts_with("datetime") {
                    note("the time of day is not kept".to_owned());
                }
                one(self.variable(Kind::Date, ""))
            }
            "text" if validation.starts_with("number") || validation.starts_with("integer") => one(self.number()?),
            "slider" => one(self.number()?),
            "text" | "notes" => one(self.variable(Kind::Text, "")),
            "radio" | "dropdown" => match self.choices()? {
                levels if levels.len() < 2 => {
                    note(format!("read as text: its choices are {:?}, and levels are two or more", self.cells[5]));
                    one(self.variable(Kind::Text, ""))
                }
                levels => one(self.variable(Kind::Levels { levels, ordered: false, reference: None }, "")),
            },
            "yesno" | "truefalse" => one(self.variable(yes_no(), "")),
            "checkbox" => {
                let choice = |level: Level| {
                    let (code, label) = (level.also.first().cloned().unwrap_or_default(), level.name);
                    let mut variable = self.variable(yes_no(), "");
                    variable.name = plain(&format!("{name}___{code}"));
                    variable.key = variable.name.clone();
                    variable.label = format!("{}: {label}", variable.label);
                    variable
                };
                note("a checkbox is one variable (no, yes) a choice".to_owned());
                Ok(self.choices()?.into_iter().map(choice).collect())
            }
            "calc" => {
                let text = self.cells[5].replace(['[', ']'], "");
                let formula = Formula::parse(&text);
                if let Err(cause) = &formula {
                    note(format!("its calculation is not translated ({cause}); values are read as they are exported"));
                }
                let mut variable = self.number()?;
                variable.formula = formula.ok();
                one(variable)
            }
            "descriptive" => {
                note("a description holds no value, left out".to_owned());
                Ok(Vec::new())
            }
            "file" | "sql" => {
                note(format!("a field of type {kind} is not read"));
                Ok(Vec::new())
            }
            other => Err(self.wrong(format!("field type {other:?} is not one of REDCap's"))),
        }
    }

    fn variable(&self, kind: Kind, unit: &str) -> Variable {
        let name = plain(self.name());
        let moment = moment(self.cells[1]);
        let is_predictor = moment == Moment::Baseline && matches!(kind, Kind::Number(_) | Kind::Levels { .. });
        let mut label = self.cells[4];
        if let Some(bracket) = label.rfind('(').filter(|_| !unit.is_empty()) {
            label = label[..bracket].trim_end();
        }
        Variable {
            table_label: String::new(),
            table_1: None,
            table_4: None,
            printed: Vec::new(),
            key: name.clone(),
            label: if label.is_empty() { name.clone() } else { one_line(label) },
            unit: unit.to_owned(),
            kind,
            role: if is_predictor { Role::Predictor } else { Role::Note },
            moment,
            identifier: self.cells[10].eq_ignore_ascii_case("y"),
            missing: Vec::new(),
            formula: None,
            per: Per::Unit,
            name,
        }
    }

    fn number(&self) -> Result<Variable, RedcapError> {
        let end = |at: usize| match self.cells[at] {
            "" => Ok(None),
            text => text
                .replace(',', ".")
                .parse()
                .map(Some)
                .map_err(|_| self.wrong(format!("{} is {text:?}, expected a number", COLUMNS[at]))),
        };
        let (low, high): (Option<f64>, Option<f64>) = (end(8)?, end(9)?);
        let possible = Range::closed(low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        if possible.low > possible.high {
            return Err(
                self.wrong(format!("its least value {} is above its greatest {}", self.cells[8], self.cells[9]))
            );
        }
        let number = Number { possible, detection: Detection::Refuse, ..Number::default() };
        Ok(self.variable(Kind::Number(number), unit(self.cells[4])))
    }

    /// `1, femur | 2, tibia`: the label is the level, the code one of its words.
    fn choices(&self) -> Result<Vec<Level>, RedcapError> {
        let choice = |text: &str| {
            let (code, label) = text
                .split_once(',')
                .ok_or_else(|| self.wrong(format!("choice {:?} has no comma between code and label", text.trim())))?;
            let (code, label) = (code.trim().to_owned(), one_line(label));
            let also = if code == label { Vec::new() } else { vec![code] };
            Ok(Level { name: label, also })
        };
        let levels: Vec<Level> = self.cells[5].split('|').map(choice).collect::<Result<_, RedcapError>>()?;
        let mut names = BTreeSet::new();
        match levels.iter().find(|level| !names.insert(level.name.to_lowercase())) {
            None => Ok(levels),
            Some(level) => Err(self.wrong(format!("two choices are called {:?}", level.name))),
        }
    }
}

fn yes_no() -> Kind {
    let level = |name: &str, code: &str| Level { name: name.to_owned(), also: vec![code.to_owned()] };
    let levels = vec![level("no", "0"), level("yes", "1")];
    Kind::Levels { levels, ordered: false, reference: None }
}

/// What stands between the last brackets of a label, when it looks like a unit.
fn unit(label: &str) -> &str {
    let inner = label.strip_suffix(')').and_then(|label| label.rsplit_once('('));
    inner.map(|(_, unit)| unit.trim()).filter(|unit| unit.chars().count() <= 20).unwrap_or_default()
}

/// The moment that a form's name tells.
fn moment(form: &str) -> Moment {
    let form = form.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| form.contains(word));
    match () {
        () if says(&["follow", "outcome", "survival", "relapse"]) => Moment::FollowUp,
        () if says(&["surg", "operat", "resect", "histolog"]) => Moment::Surgery,
        () if says(&["chemo", "treat", "therapy", "cycle"]) => Moment::Treatment,
        () => Moment::Baseline,
    }
}

/// Letters that a name of ours may have.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(plain).collect()
}

/// Labels in REDCap may hold HTML and line breaks.
fn one_line(text: &str) -> String {
    let (mut plain, mut is_tag) = (String::new(), false);
    for c in text.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            _ if is_tag => (),
            c => plain.push(if c.is_whitespace() { ' ' } else { c }),
        }
    }
    // A sign that opens no tag is part of the label.
    let text = if is_tag { text } else { &plain };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A calculation over fields that are no numbers here is not computed.
fn resolve(variables: &mut [Variable], notes: &mut Vec<String>) {
    let numbers: BTreeSet<String> =
        variables.iter().filter(|it| matches!(it.kind, Kind::Number(_))).map(|it| it.name.clone()).collect();
    for variable in variables {
        let Some(formula) = &variable.formula else { continue };
        let alien = formula.names().into_iter().find(|name| !numbers.contains(*name)).map(str::to_owned);
        if let Some(name) = alien {
            notes.push(format!(
                "{}: its calculation reads {name}, which is no number here; values are read as they are exported",
                variable.name
            ));
            variable.formula = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,\"Choices, Calculations, OR Slider Labels\",Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?\n";

    fn dictionary(rows: &str) -> Result<Dictionary, RedcapError> {
        read(&format!("{HEAD}record_id,base,,text,Patient,,,,,,\n{rows}"))
    }

    #[test]
    fn every_type_of_field_becomes_a_variable_or_is_named() {
        let found = dictionary(
            "crp,base,,text,CRP (mg/L),,,number,0,500,\n\
             born,base,,text,Born,,,date_dmy,,,y\n\
             stage,base,,radio,Stage,\"1, IIA | 2, IIB, proximal\",,,,,\n\
             fracture,base,,yesno,Fracture,,,,,,\n\
             mets,base,,checkbox,Metastases,\"1, lung | 2, bone\",,,,,\n\
             ratio,base,,calc,Ratio,[crp] / 2,,,,,\n\
             odd,base,,calc,Odd,\"if([crp]>3,1,0)\",,,,,\n\
             intro,base,,descriptive,Read this,,,,,,\n\
             margin,surgery,,dropdown,Margin,\"1, R0 | 2, R1\",,,,,\n\
             remark,base,,notes,Remark,,,,,,\n",
        )
        .unwrap();
        let kinds: Vec<(&str, &str, &str)> =
            found.codebook.variables.iter().map(|it| (it.name.as_str(), it.kind.name(), it.role.name())).collect();
        assert_eq!(
            kinds,
            [
                ("crp", "number", "predictor"),
                ("born", "date", "note"),
                ("stage", "levels", "predictor"),
                ("fracture", "levels", "predictor"),
                ("mets___1", "levels", "predictor"),
                ("mets___2", "levels", "predictor"),
                ("ratio", "number", "predictor"),
                ("odd", "number", "predictor"),
                ("margin", "levels", "note"),
                ("remark", "text", "note"),
            ]
        );
        let named = |name: &str| found.codebook.named(name).unwrap();
        assert_eq!(named("crp").heading(), "CRP, mg/L");
        assert_eq!(named("crp").expected(), "a number from 0 to 500");
        assert_eq!(named("stage").read("2").unwrap(), named("stage").read("IIB, proximal").unwrap());
        assert_eq!(named("ratio").formula.as_ref().unwrap().text(), "crp / 2");
        assert!(named("odd").formula.is_none() && named("born").identifier);
        assert_eq!(named("margin").moment, Moment::Surgery);
        assert_eq!(found.id, "record_id");
        assert!(
            ["mets: a checkbox", "odd: its calculation", "intro: a description"]
                .iter()
                .all(|part| found.notes.iter().any(|note| note.starts_with(part))),
            "{:?}",
            found.notes
        );
    }

    #[test]
    fn a_field_that_is_wrong_is_named_with_its_row() {
        let check = |rows: &str, part: &str| {
            let message = dictionary(rows).expect_err(rows).to_string();
            assert!(message.contains(part), "{rows}: {message}");
        };
        check("a,base,,radio,A,one | two,,,,,", "row 3, a: choice \"one\" has no comma");
        check("a,base,,radio,A,\"1, x | 2, X\",,,,,", "two choices are called \"X\"");
        check("a,base,,text,A,,,number,5,3,", "above its greatest");
        check("a,base,,table,A,,,,,,", "field type \"table\"");
        assert_eq!(read("a,b\n1,2"), Err(RedcapError::Column(COLUMNS[0])));
    }

    #[test]
    #[cfg_attr(not(reference), ignore = "needs the reference collection")]
    fn the_dictionary_of_a_prospective_study_is_read_whole() {
        let Some(path) = osteon_testing::shared("cases/research/osteosarcoma_nac_redcap.csv") else { return };
        let found = read(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(found.codebook.variables.len(), 33);
        let preset = Codebook::osteosarcoma();
        for (found, known) in found.codebook.variables.iter().zip(&preset.variables) {
            assert_eq!(found.name, known.name);
            assert!(found.kind.name() == known.kind.name() || found.name == "centre", "{}", found.name);
            assert_eq!(found.unit, known.unit, "{}", found.name);
            assert_eq!(found.formula.as_ref().map(Formula::text), known.formula.as_ref().map(Formula::text));
        }
    }
}
