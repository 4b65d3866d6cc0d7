//! A variable as the protocol writes it: keys of a table into a `Variable`, and back with defaults left out.

use toml::{Table, Value as Toml};

use crate::protocol::codebook::CodebookError;
use crate::protocol::codebook::formula::Formula;
use crate::protocol::codebook::range::Range;
use crate::protocol::codebook::variable::{Detection, Kind, Level, Moment, Number, Per, Role, Variable};

/// One table with its name, and the way to its values.
#[derive(Clone, Debug)]
pub(in crate::protocol::codebook) struct Fields {
    pub table: &'static str,
    pub name: String,
    pub fields: Table,
}

pub(in crate::protocol::codebook) const KEYS: [&str; 22] = [
    "name",
    "key",
    "label",
    "unit",
    "kind",
    "role",
    "moment",
    "possible",
    "usual",
    "detection",
    "levels",
    "ordered",
    "reference",
    "words",
    "missing",
    "formula",
    "per",
    "table_label",
    "table_1",
    "table_4",
    "printed",
    "identifier",
];

const DETECTIONS: [(&str, Detection); 4] = [
    ("refuse", Detection::Refuse),
    ("half", Detection::Half),
    ("limit", Detection::Limit),
    ("interval", Detection::Interval),
];
const PERS: [(&str, Per); 3] = [("unit", Per::Unit), ("iqr", Per::Iqr), ("doubling", Per::Doubling)];

impl Fields {
    pub fn wrong(&self, key: &'static str, found: impl ToString, expected: impl ToString) -> CodebookError {
        let (found, expected) = (found.to_string(), expected.to_string());
        CodebookError::Value { table: self.table, name: self.name.clone(), key, found, expected }
    }

    /// Refuses keys that are not listed.
    pub fn only(&self, keys: &[&str]) -> Result<(), CodebookError> {
        match self.fields.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let (name, key, valid) = (self.name.clone(), key.clone(), keys.join(", "));
                Err(CodebookError::UnknownKey { table: self.table, name, key, valid })
            }
        }
    }

    pub fn text(&self, key: &'static str) -> Result<Option<&str>, CodebookError> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Toml::String(text)) => Ok(Some(text)),
            Some(found) => Err(self.wrong(key, found, "a text in quotes")),
        }
    }

    pub fn flag(&self, key: &'static str) -> Result<bool, CodebookError> {
        match self.fields.get(key) {
            None => Ok(false),
            Some(Toml::Boolean(flag)) => Ok(*flag),
            Some(found) => Err(self.wrong(key, found, "true or false")),
        }
    }

    /// One of these words; the first for none.
    pub fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Result<T, CodebookError> {
        let Some(word) = self.text(key)? else { return Ok(choices[0].1) };
        let known = choices.iter().find(|(name, _)| *name == word);
        let names = || {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let (last, first) = names.split_last().expect("a choice has words");
            format!("{} or {last}", first.join(", "))
        };
        known.map(|(_, choice)| *choice).ok_or_else(|| self.wrong(key, format!("{word:?}"), names()))
    }

    pub fn texts(&self, key: &'static str) -> Result<Vec<String>, CodebookError> {
        let expected = "texts in quotes between [ and ]";
        match self.fields.get(key) {
            None => Ok(Vec::new()),
            Some(Toml::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| self.wrong(key, value, expected)))
                .collect(),
            Some(found) => Err(self.wrong(key, found, expected)),
        }
    }

    /// A place in a table, from 1.
    fn place(&self, key: &'static str) -> Result<Option<u32>, CodebookError> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(value) => {
                let place = value.as_integer().and_then(|whole| u32::try_from(whole).ok()).filter(|&place| place > 0);
                place.map(Some).ok_or_else(|| self.wrong(key, value, "a whole number from 1"))
            }
        }
    }

    pub fn table(&self, key: &'static str) -> Result<Table, CodebookError> {
        match self.fields.get(key) {
            None => Ok(Table::new()),
            Some(Toml::Table(table)) => Ok(table.clone()),
            Some(found) => Err(self.wrong(key, found, "a table of keys")),
        }
    }

    fn range(&self, key: &'static str) -> Result<Range, CodebookError> {
        let number = |value: &Toml| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        let parsed = |text: &str| {
            Range::parse(text).map_err(|cause| CodebookError::Range { name: self.name.clone(), key, cause })
        };
        match self.fields.get(key) {
            None => Ok(Range::default()),
            Some(Toml::String(text)) if text.trim().is_empty() => Ok(Range::default()),
            Some(Toml::String(text)) => parsed(text),
            Some(Toml::Array(ends)) => match ends.iter().map(number).collect::<Option<Vec<f64>>>().as_deref() {
                Some([low, high]) if low <= high => Ok(Range::closed(*low, *high)),
                _ => Err(self.wrong(key, self.fields[key].clone(), "two ascending numbers")),
            },
            Some(found) => Err(self.wrong(key, found, "such as \"> 0, <= 100\" or [10, 20]")),
        }
    }

    /// Words that mean something, by what they mean.
    fn words(&self) -> Result<Vec<(String, Vec<String>)>, CodebookError> {
        let expected = "texts in quotes for each level, such as { yes = [\"1\", \"y\"] }";
        let entry = |(name, value): (String, Toml)| {
            let words = value.as_array().and_then(|words| words.iter().map(Toml::as_str).collect::<Option<Vec<_>>>());
            let words = words.ok_or_else(|| self.wrong("words", value.clone(), expected))?;
            Ok((name, words.into_iter().map(str::to_owned).collect()))
        };
        self.table("words")?.into_iter().map(entry).collect()
    }
}

/// The variable that a table declares.
pub(in crate::protocol::codebook) fn variable(fields: &Fields) -> Result<Variable, CodebookError> {
    fields.only(&[&KEYS[..], &["drop"]].concat())?;
    let name = fields.name.clone();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty()
        || name.len() > 64
        || !name.chars().all(is_plain)
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(fields.wrong(
            "name",
            format!("{name:?}"),
            "small letters, digits and _, a letter first, at most 64",
        ));
    }
    if RESERVED.contains(&name.as_str()) {
        return Err(fields.wrong("name", &name, "another name: this one means something else in filters and tables"));
    }
    let formula = match fields.text("formula")? {
        None | Some("") => None,
        Some(text) => Some(Formula::parse(text).map_err(|cause| CodebookError::Formula { name: name.clone(), cause })?),
    };
    let kind = kind(fields)?;
    // Dates and texts say nothing that a model could learn from as it stands.
    let default = if matches!(kind, Kind::Date | Kind::Text) { Role::Note } else { Role::Predictor };
    let role = match fields.text("role")? {
        None => default,
        Some(_) => fields.choice("role", &Role::ALL.map(|role| (role.name(), role)))?,
    };
    if role == Role::Predictor && default != role {
        let expected =
            "a role other than predictor: models learn from numbers and levels; a formula makes a number of dates";
        return Err(fields.wrong("role", "predictor", expected));
    }
    Ok(Variable {
        table_label: fields.text("table_label")?.unwrap_or_default().to_owned(),
        table_1: fields.place("table_1")?,
        table_4: fields.place("table_4")?,
        printed: printed(fields, &kind)?,
        kind,
        role,
        key: fields.text("key")?.unwrap_or(&name).to_owned(),
        label: fields.text("label")?.unwrap_or(&name).to_owned(),
        unit: fields.text("unit")?.unwrap_or_default().to_owned(),
        moment: fields.choice("moment", &Moment::ALL.map(|moment| (moment.name(), moment)))?,
        identifier: fields.flag("identifier")?,
        missing: fields.texts("missing")?.iter().map(|code| reason(code)).collect(),
        per: fields.choice("per", &PERS)?,
        formula,
        name,
    })
}

/// Names with another meaning in filters, tables and files.
pub(in crate::protocol::codebook) const RESERVED: [&str; 9] =
    ["id", "response", "event", "set", "queries", "is", "not", "included", "exclusion_reason"];

fn kind(fields: &Fields) -> Result<Kind, CodebookError> {
    let has = |key: &str| fields.fields.contains_key(key);
    let default = if has("levels") { "levels" } else { "number" };
    let kind = fields.text("kind")?.unwrap_or(default);
    let alien = |keys: &[&'static str]| match keys.iter().find(|key| has(key)) {
        None => Ok(()),
        Some(key) => Err(fields.wrong(key, "given", format!("not to be there for kind = \"{kind}\""))),
    };
    match kind {
        "number" => {
            alien(&["levels", "ordered", "reference"])?;
            let range = |name: &str| {
                Range::parse(name).map_err(|cause| CodebookError::Range {
                    name: fields.name.clone(),
                    key: "words",
                    cause,
                })
            };
            let mut words = Vec::new();
            for (meaning, all) in fields.words()? {
                for word in all {
                    words.push((word, range(&meaning)?));
                }
            }
            let detection = fields.choice("detection", &DETECTIONS)?;
            Ok(Kind::Number(Number {
                possible: fields.range("possible")?,
                usual: fields.range("usual")?,
                detection,
                words,
            }))
        }
        "levels" => {
            alien(&["possible", "usual", "detection", "per", "unit"])?;
            levels(fields)
        }
        "date" | "text" => {
            alien(&["possible", "usual", "detection", "per", "unit", "levels", "ordered", "reference", "words"])?;
            Ok(if kind == "date" { Kind::Date } else { Kind::Text })
        }
        other => Err(fields.wrong("kind", format!("{other:?}"), "number, levels, date or text")),
    }
}

fn levels(fields: &Fields) -> Result<Kind, CodebookError> {
    let names = fields.texts("levels")?;
    if names.len() < 2 || names.len() > 1000 || names.iter().any(|name| name.trim().is_empty()) {
        return Err(fields.wrong("levels", format!("{names:?}"), "2 to 1000 names of levels"));
    }
    let mut words = fields.words()?;
    if let Some((unknown, _)) = words.iter().find(|(level, _)| !names.contains(level)) {
        return Err(fields.wrong("words", format!("about {unknown:?}"), format!("words for {}", names.join(", "))));
    }
    let mut also = |name: &String| {
        let at = words.iter().position(|(level, _)| level == name);
        at.map(|at| words.swap_remove(at).1).unwrap_or_default()
    };
    let levels: Vec<Level> = names.iter().map(|name| Level { also: also(name), name: name.clone() }).collect();
    let all =
        || levels.iter().flat_map(|level| std::iter::once(&level.name).chain(&level.also).map(move |it| (it, level)));
    for (at, (word, level)) in all().enumerate() {
        let other = all().take(at).find(|(it, other)| it.to_lowercase() == word.to_lowercase() && *other != level);
        if let Some((_, first)) = other {
            let (name, word) = (fields.name.clone(), word.clone());
            return Err(CodebookError::Ambiguous { name, word, first: first.name.clone(), second: level.name.clone() });
        }
    }
    let reference =
        match fields.text("reference")? {
            None | Some("") => None,
            Some(name) => Some(names.iter().position(|level| level == name).ok_or_else(|| {
                fields.wrong("reference", format!("{name:?}"), format!("one of {}", names.join(", ")))
            })?),
        };
    Ok(Kind::Levels { levels, ordered: fields.flag("ordered")?, reference })
}

/// `level: word`, every level once, in the order of tables.
fn printed(fields: &Fields, kind: &Kind) -> Result<Vec<(String, String)>, CodebookError> {
    let said = fields.texts("printed")?;
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let Kind::Levels { levels, .. } = kind else {
        return Err(fields.wrong("printed", "given", format!("not to be there for kind = \"{}\"", kind.name())));
    };
    let split = |text: &String| {
        let (level, word) = text.split_once(':').unwrap_or((text, text));
        (level.trim().to_owned(), word.trim().to_owned())
    };
    let printed: Vec<(String, String)> = said.iter().map(split).collect();
    let is_whole = printed.len() == levels.len()
        && levels.iter().all(|level| printed.iter().any(|(name, word)| *name == level.name && !word.is_empty()));
    match is_whole {
        true => Ok(printed),
        false => {
            let names: Vec<String> = levels.iter().map(|level| format!("{}: word", level.name)).collect();
            Err(fields.wrong("printed", format!("{said:?}"), format!("every level once: {}", names.join(", "))))
        }
    }
}

/// `-9` or `-9: not done`.
fn reason(code: &str) -> (String, String) {
    let (code, reason) = code.split_once(':').unwrap_or((code, ""));
    (code.trim().to_owned(), reason.trim().to_owned())
}

/// The table that declares a variable, defaults left out.
pub(in crate::protocol::codebook) fn of_variable(variable: &Variable) -> Table {
    let mut table = Table::new();
    let mut text = |key: &str, value: &str, default: &str| {
        if value != default {
            table.insert(key.to_owned(), Toml::String(value.to_owned()));
        }
    };
    text("name", &variable.name, "");
    text("key", &variable.key, &variable.name);
    text("label", &variable.label, &variable.name);
    text("unit", &variable.unit, "");
    text("kind", variable.kind.name(), "");
    text("role", variable.role.name(), if variable.is_compared() { "predictor" } else { "note" });
    text("table_label", &variable.table_label, "");
    text("moment", variable.moment.name(), "baseline");
    text("formula", variable.formula.as_ref().map_or("", Formula::text), "");
    text("per", PERS.iter().find(|(_, per)| *per == variable.per).expect("every choice has a word").0, "unit");
    let texts = |texts: Vec<String>| Toml::Array(texts.into_iter().map(Toml::String).collect());
    for (key, place) in [("table_1", variable.table_1), ("table_4", variable.table_4)] {
        table.extend(place.map(|place| (key.to_owned(), Toml::Integer(place.into()))));
    }
    if !variable.printed.is_empty() {
        let printed = variable.printed.iter().map(|(level, word)| format!("{level}: {word}"));
        table.insert("printed".to_owned(), texts(printed.collect()));
    }
    if variable.identifier {
        table.insert("identifier".to_owned(), Toml::Boolean(true));
    }
    if !variable.missing.is_empty() {
        let code = |(code, reason): &(String, String)| match reason.is_empty() {
            true => code.clone(),
            false => format!("{code}: {reason}"),
        };
        table.insert("missing".to_owned(), texts(variable.missing.iter().map(code).collect()));
    }
    let mut words = Table::new();
    match &variable.kind {
        Kind::Number(number) => {
            for (key, range) in [("possible", number.possible), ("usual", number.usual)] {
                if !range.is_everything() {
                    table.insert(key.to_owned(), Toml::String(range.to_string()));
                }
            }
            if number.detection != Detection::Refuse {
                let (name, _) =
                    DETECTIONS.iter().find(|(_, it)| *it == number.detection).expect("every choice has a word");
                table.insert("detection".to_owned(), Toml::String((*name).to_owned()));
            }
            for (word, range) in &number.words {
                let entry = words.entry(range.to_string()).or_insert_with(|| Toml::Array(Vec::new()));
                entry.as_array_mut().expect("made above").push(Toml::String(word.clone()));
            }
        }
        Kind::Levels { levels, ordered, reference } => {
            table.insert("levels".to_owned(), texts(levels.iter().map(|level| level.name.clone()).collect()));
            if *ordered {
                table.insert("ordered".to_owned(), Toml::Boolean(true));
            }
            if let Some(at) = reference {
                table.insert("reference".to_owned(), Toml::String(levels[*at].name.clone()));
            }
            let said = levels.iter().filter(|level| !level.also.is_empty());
            words.extend(said.map(|level| (level.name.clone(), texts(level.also.clone()))));
        }
        Kind::Date | Kind::Text => (),
    }
    if !words.is_empty() {
        table.insert("words".to_owned(), Toml::Table(words));
    }
    table
}
