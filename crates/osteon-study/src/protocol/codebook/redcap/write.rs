//! A codebook as a data dictionary that REDCap imports.

use crate::protocol::codebook::Codebook;
use crate::protocol::codebook::redcap::COLUMNS;
use crate::protocol::codebook::variable::{Kind, Moment, Variable};

/// The dictionary as CSV, `id` its first field, and what it cannot say, one sentence each.
pub fn write(book: &Codebook, id: &str) -> (String, Vec<String>) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut lost = Vec::new();
    let mut enter = |cells: &[String; 18]| writer.write_record(cells).expect("written to memory");
    enter(&COLUMNS.map(str::to_owned));
    enter(&row(id, "baseline", "text", "Patient id"));
    for variable in &book.variables {
        enter(&fields(variable, &mut lost));
    }
    let bytes = writer.into_inner().expect("written to memory");
    (String::from_utf8(bytes).expect("all cells are text"), lost)
}

fn row(name: &str, form: &str, kind: &str, label: &str) -> [String; 18] {
    let mut cells: [String; 18] = Default::default();
    for (at, cell) in [(0, name), (1, form), (3, kind), (4, label)] {
        cell.clone_into(&mut cells[at]);
    }
    cells
}

fn fields(variable: &Variable, lost: &mut Vec<String>) -> [String; 18] {
    let form = match variable.moment {
        Moment::Baseline => "baseline",
        Moment::Treatment => "chemotherapy",
        Moment::Surgery => "surgery",
        Moment::FollowUp => "followup",
    };
    let label = if variable.unit.is_empty() {
        variable.label.clone()
    } else {
        format!("{} ({})", variable.label, variable.unit)
    };
    let mut lose = |what: &str| lost.push(format!("{}: {what} has no place in a data dictionary", variable.name));
    if variable.key != variable.name {
        lose("its key");
    }
    if !variable.missing.is_empty() {
        lose("its codes for missing values");
    }
    let mut cells = row(&variable.name, form, "text", &label);
    match &variable.kind {
        Kind::Number(number) => {
            "number".clone_into(&mut cells[7]);
            let range = number.possible;
            if range.above || range.below {
                lose("a bound that is itself outside");
            }
            if !number.usual.is_everything() {
                lose("its usual range");
            }
            for (at, end) in [(8, range.low), (9, range.high)] {
                if end.is_finite() {
                    cells[at] = end.to_string();
                }
            }
            if let Some(formula) = &variable.formula {
                "calc".clone_into(&mut cells[3]);
                cells[5] = bracketed(formula.text(), &formula.names().into_iter().collect::<Vec<_>>());
                cells[7].clear();
            }
        }
        Kind::Levels { levels, .. } => {
            "radio".clone_into(&mut cells[3]);
            let code = |at: usize, also: &[String]| {
                let code = also.iter().find(|word| word.chars().all(|c| c.is_ascii_alphanumeric()));
                code.cloned().unwrap_or_else(|| (at + 1).to_string())
            };
            // Codes tell levels apart only when all are numbers of the codebook, or none is.
            let numbers = |also: &[String]| also.iter().find(|word| word.parse::<u32>().is_ok()).cloned();
            let known: Option<Vec<String>> = levels.iter().map(|level| numbers(&level.also)).collect();
            let codes = known.unwrap_or_else(|| (0..levels.len()).map(|at| code(at, &[])).collect());
            let choices = codes.iter().zip(levels).map(|(code, level)| format!("{code}, {}", level.name));
            cells[5] = choices.collect::<Vec<_>>().join(" | ");
        }
        Kind::Date => "date_ymd".clone_into(&mut cells[7]),
        Kind::Text => "notes".clone_into(&mut cells[3]),
    }
    if variable.identifier {
        "y".clone_into(&mut cells[10]);
    }
    cells
}

/// REDCap writes fields between brackets, and `log` by the number e as we do not.
fn bracketed(formula: &str, names: &[&str]) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut text, mut word) = (String::new(), String::new());
    for c in formula.chars().chain([' ']) {
        if is_word(c) {
            word.push(c);
            continue;
        }
        text.push_str(&if names.contains(&word.as_str()) { format!("[{word}]") } else { word.clone() });
        word.clear();
        text.push(c);
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::codebook::redcap::read;

    #[test]
    fn a_codebook_comes_back_from_its_dictionary() {
        let (text, lost) = write(Codebook::osteosarcoma(), "record_id");
        let back = read(&text).unwrap();
        assert_eq!(back.id, "record_id");
        assert!(lost.is_empty(), "{lost:?}");
        for (back, variable) in back.codebook.variables.iter().zip(&Codebook::osteosarcoma().variables) {
            let of = |it: &Variable| (it.name.clone(), it.heading(), it.kind.name(), it.identifier, it.formula.clone());
            assert_eq!(of(back), of(variable));
            assert_eq!(back.moment, variable.moment, "{}", variable.name);
        }
        let (_, lost) = write(Codebook::study(), "id");
        assert!(lost.iter().any(|line| line == "alp: its usual range has no place in a data dictionary"), "{lost:?}");
    }

    #[test]
    fn fields_of_a_formula_stand_between_brackets() {
        assert_eq!(bracketed("alp / alp_uln + ln(a)", &["alp", "alp_uln", "a"]), "[alp] / [alp_uln] + ln([a])");
    }
}
