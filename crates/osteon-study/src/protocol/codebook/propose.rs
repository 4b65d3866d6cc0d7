//! A codebook proposed from a clinical file, to be edited before it is used: kinds, units, levels and ranges.

use std::collections::BTreeSet;

use crate::protocol::codebook::range::Range;
use crate::protocol::codebook::value::{EMPTY, decimal};
use crate::protocol::codebook::variable::{Detection, Kind, Level, Moment, Number, Per, Role, Variable};
use crate::protocol::codebook::{Codebook, CodebookError};

/// What a file seems to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub codebook: Codebook,
    /// The header of the column that names the patients.
    pub id: String,
    /// What was guessed and should be looked at, one sentence a column.
    pub notes: Vec<String>,
}

/// Headers that name the patient.
const IDS: [&str; 8] = ["id", "patient", "patient_id", "patientid", "record_id", "code", "subject", "participant_id"];
/// Endings of names that are units.
const ENDINGS: [(&str, &str); 6] =
    [("_mm", "mm"), ("_cm", "cm"), ("_pct", "%"), ("_percent", "%"), ("_years", "years"), ("_ml", "mL")];
/// More different words than this are a text.
const MOST_LEVELS: usize = 20;

/// Proposes a variable for each column but the patient's; `columns` are headers with the cells below them.
pub fn propose(columns: &[(&str, Vec<&str>)]) -> Result<Proposal, CodebookError> {
    let is_id = |header: &str| IDS.contains(&header.trim().to_lowercase().as_str());
    let at = columns.iter().position(|(header, _)| is_id(header)).unwrap_or(0);
    let id = columns.get(at).map_or_else(String::new, |(header, _)| (*header).to_owned());
    let (mut variables, mut notes): (Vec<Variable>, Vec<String>) = (Vec::new(), Vec::new());
    for (header, cells) in columns.iter().enumerate().filter(|(place, _)| *place != at).map(|(_, column)| column) {
        let (label, unit) = unit(header);
        let mut name = plain(label);
        let taken: BTreeSet<&str> = variables.iter().map(|it| it.name.as_str()).collect();
        if taken.contains(name.as_str()) {
            name =
                (2..).map(|n| format!("{name}_{n}")).find(|name| !taken.contains(name.as_str())).expect("some is free");
        }
        let (kind, said) = kind(cells);
        notes.extend(said.into_iter().map(|said| format!("{header}: {said}")));
        let role = role(&name, &kind);
        let is_number = matches!(kind, Kind::Number(_));
        variables.push(Variable {
            key: name.clone(),
            label: label.to_owned(),
            unit: if is_number { unit.to_owned() } else { String::new() },
            kind,
            role,
            moment: if role == Role::Outcome { Moment::Surgery } else { Moment::Baseline },
            identifier: false,
            missing: Vec::new(),
            formula: None,
            per: Per::Unit,
            table_label: String::new(),
            table_1: None,
            table_4: None,
            printed: Vec::new(),
            name,
        });
    }
    let book = Codebook { variables, ..Codebook::empty() };
    // Through its own document, so that what is proposed is what can be read.
    Ok(Proposal { codebook: Codebook::parse(&book.to_toml())?, id, notes })
}

/// Label and unit of a header: `ALP (U/L)`, `ALP [U/L]`, `ALP, U/L`, `diameter_mm`.
fn unit(header: &str) -> (&str, &str) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        let inner = header.trim().strip_suffix(close).and_then(|rest| rest.split_once(open));
        if let Some((label, unit)) = inner.filter(|(label, _)| !label.trim().is_empty()) {
            return (label.trim(), unit.trim());
        }
    }
    // As tables of this program head their columns.
    if let Some((label, unit)) = header.trim().rsplit_once(", ")
        && !label.trim().is_empty()
        && (1..=12).contains(&unit.len())
        && !unit.contains(' ')
    {
        return (label.trim(), unit);
    }
    let unit = ENDINGS.iter().find(|(ending, _)| header.to_lowercase().ends_with(ending)).map_or("", |(_, unit)| unit);
    (header.trim(), unit)
}

fn plain(label: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = label.chars().map(plain).collect();
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    let name = parts.join("_");
    let is_wrong = name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit());
    // A name of ours has 64 letters at most, and some mean something else.
    let name: String = if is_wrong { format!("v_{name}") } else { name }.chars().take(60).collect();
    if crate::protocol::codebook::declaration::RESERVED.contains(&name.as_str()) { format!("{name}_") } else { name }
}

fn role(name: &str, kind: &Kind) -> Role {
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match kind {
        Kind::Date | Kind::Text => Role::Note,
        _ if says(&["necro", "huvos"]) => Role::Outcome,
        Kind::Levels { .. } if says(&["centre", "center", "hospital", "institution"]) => Role::Centre,
        _ => Role::Predictor,
    }
}

/// What the cells seem to be, and what should be looked at.
fn kind(cells: &[&str]) -> (Kind, Vec<String>) {
    let known: Vec<&str> =
        cells.iter().map(|cell| cell.trim()).filter(|cell| !EMPTY.contains(&cell.to_lowercase().as_str())).collect();
    let distinct: BTreeSet<&str> = known.iter().copied().collect();
    let n_levels = known.iter().map(|cell| cell.to_lowercase()).collect::<BTreeSet<_>>().len();
    if known.is_empty() {
        return (Kind::Text, vec!["no value, proposed as text".to_owned()]);
    }
    if known.iter().all(|cell| cell.len() == 10 && cell.parse::<jiff::civil::Date>().is_ok()) {
        return (Kind::Date, Vec::new());
    }
    let limits = known.iter().filter(|cell| cell.starts_with(['<', '>'])).count();
    let numbers: Vec<f64> = known.iter().filter_map(|cell| decimal(&cell.to_lowercase())).collect();
    if numbers.len() + limits == known.len() && !numbers.is_empty() {
        let is_code = numbers.iter().all(|value| value.fract() == 0.0) && limits == 0;
        if is_code && (2..=4).contains(&distinct.len()) && known.len() > 2 * distinct.len() {
            let names: Vec<&str> = distinct.iter().copied().collect();
            return (levels(&distinct), vec![format!("codes {} proposed as levels; name them", names.join(", "))]);
        }
        return number(&numbers, limits);
    }
    if (2..=MOST_LEVELS).contains(&n_levels) && 2 * n_levels <= known.len() {
        return (levels(&distinct), Vec::new());
    }
    let is_date = |cell: &&str| cell.split(['/', '.']).filter(|part| part.parse::<u32>().is_ok()).count() == 3;
    if known.iter().all(is_date) {
        let said = format!("{:?} looks like a date; write dates as YYYY-MM-DD", known[0]);
        return (Kind::Text, vec![said]);
    }
    let odd =
        known.iter().find(|cell| decimal(&cell.to_lowercase()).is_none()).filter(|_| 2 * numbers.len() > known.len());
    let said = match odd {
        Some(cell) => {
            format!("{} of {} values are numbers, but {cell:?} is none; proposed as text", numbers.len(), known.len())
        }
        None => format!("{} different words in {} values, proposed as text", distinct.len(), known.len()),
    };
    (Kind::Text, vec![said])
}

fn number(numbers: &[f64], limits: usize) -> (Kind, Vec<String>) {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let possible = if low >= 0.0 { Range::closed(0.0, f64::INFINITY) } else { Range::default() };
    let detection = if limits > 0 { Detection::Interval } else { Detection::Refuse };
    let mut said = vec![format!("values from {low} to {high} proposed as the usual range")];
    if limits > 0 {
        said.push(format!(
            "beyond a limit of detection and kept as intervals: {}",
            osteon_base::text::counted(limits, "value")
        ));
    }
    (Kind::Number(Number { possible, usual: Range::closed(low, high), detection, words: Vec::new() }), said)
}

fn levels(distinct: &BTreeSet<&str>) -> Kind {
    let mut levels: Vec<Level> = Vec::new();
    for name in distinct {
        // The same word in other letters is the same level.
        if !levels.iter().any(|level| level.name.to_lowercase() == name.to_lowercase()) {
            levels.push(Level { name: (*name).to_owned(), also: Vec::new() });
        }
    }
    if levels.len() < 2 {
        return Kind::Text;
    }
    Kind::Levels { levels, ordered: false, reference: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_units_levels_and_ranges_are_read_off_a_file() {
        let columns = [
            ("Hospital", vec!["A", "B", "A", "B", "A", "B"]),
            ("Patient", vec!["P1", "P2", "P3", "P4", "P5", "P6"]),
            ("CRP (mg/L)", vec!["<5", "12,5", "", "88", "7", "1"]),
            ("LDH, U/L", vec!["100", "200", "300", "150", "90", "80.5"]),
            ("Sex", vec!["male", "Male", "female", "n/a", "female", "male"]),
            ("stage", vec!["1", "2", "1", "2", "1", "1"]),
            ("Date of MRI", vec!["2020-01-02", "2020-05-06", "", "", "", ""]),
            ("born", vec!["1.2.2003", "3.4.2001", "", "", "", ""]),
            ("necrosis_pct", vec!["90", "12", "33.5", "100", "", "45"]),
            ("remark", vec!["a", "b", "c", "d", "e", "f"]),
            ("event", vec!["1.5", "2.5", "3.5", "4.5", "5.5", "6.5"]),
        ];
        let found = propose(&columns).unwrap();
        assert_eq!(found.id, "Patient");
        let said: Vec<(&str, String, &str, &str)> = found
            .codebook
            .variables
            .iter()
            .map(|it| (it.name.as_str(), it.heading(), it.kind.name(), it.role.name()))
            .collect();
        let row = |name, heading: &str, kind, role| (name, heading.to_owned(), kind, role);
        assert_eq!(
            said,
            [
                row("hospital", "Hospital", "levels", "centre"),
                row("crp", "CRP, mg/L", "number", "predictor"),
                row("ldh", "LDH, U/L", "number", "predictor"),
                row("sex", "Sex", "levels", "predictor"),
                row("stage", "stage", "levels", "predictor"),
                row("date_of_mri", "Date of MRI", "date", "note"),
                row("born", "born", "text", "note"),
                row("necrosis_pct", "necrosis_pct, %", "number", "outcome"),
                row("remark", "remark", "text", "note"),
                row("event_", "event", "number", "predictor"),
            ]
        );
        assert_eq!(found.codebook.named("sex").unwrap().expected(), "Male or female");
        let crp = found.codebook.named("crp").unwrap();
        assert!(crp.read("<5").unwrap().is_some() && crp.read("-1").is_err());
        for part in [
            "CRP (mg/L): beyond a limit of detection and kept as intervals: 1 value",
            "stage: codes 1, 2",
            "born: \"1.2.2003\" looks like a date",
        ] {
            assert!(found.notes.iter().any(|note| note.starts_with(part)), "{part}: {:?}", found.notes);
        }
    }

    #[test]
    fn headers_that_make_the_same_name_are_told_apart() {
        let columns = [("id", vec!["1"]), ("ALP", vec!["1"]), ("alp", vec!["2"]), ("2nd", vec!["3"])];
        let names: Vec<String> =
            propose(&columns).unwrap().codebook.variables.iter().map(|it| it.name.clone()).collect();
        assert_eq!(names, ["alp", "alp_2", "v_2nd"]);
    }
}
