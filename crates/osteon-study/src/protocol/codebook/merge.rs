//! Tables over tables: variables, outcomes and image slots merge by name, `drop = true` removes one.

use toml::{Table, Value as Toml};

use crate::protocol::codebook::declaration::{self, Fields};
use crate::protocol::codebook::outcome::{self, Outcome};
use crate::protocol::codebook::slot::{self, Slot};
use crate::protocol::codebook::variable::Moment;
use crate::protocol::codebook::{Codebook, CodebookError};

/// Tables in their order, each with its name.
type Named = Vec<(String, Table)>;

/// The codebook that a document makes of another one.
pub(in crate::protocol::codebook) fn over(base: &Codebook, mut document: Table) -> Result<Codebook, CodebookError> {
    let below = base.to_tables();
    let mut merged = |table: &'static str, key: &'static str| {
        let under = named(table, key, below.get(table).cloned())?;
        let mut over = named(table, key, document.remove(table))?;
        if table == "outcome" {
            over.iter_mut().try_for_each(|(name, fields)| outcome::expand(name, fields))?;
            put_in_force(&mut over);
        }
        let is_other = table == "outcome" && over.iter().any(|(_, fields)| is_in_force(fields));
        let mut merged = merge(table, under, over.clone())?;
        if is_other {
            let keeps = |name: &String| over.iter().any(|(it, fields)| it == name && is_in_force(fields));
            merged.iter_mut().filter(|(name, _)| !keeps(name)).for_each(|(_, fields)| drop(fields.remove("in_force")));
        }
        rename(table, key, merged)
    };
    let variables = merged("variable", "name")?.iter().map(declaration::variable).collect::<Result<_, _>>()?;
    let mut outcomes: Vec<Outcome> =
        merged("outcome", "name")?.iter().map(outcome::of_table).collect::<Result<_, _>>()?;
    if !outcomes.iter().any(|outcome| outcome.in_force)
        && let Some(first) = outcomes.iter_mut().find(|outcome| outcome.time.is_none())
    {
        first.in_force = true;
    }
    let mut slots: Vec<Slot> = merged("image", "slot")?.iter().map(slot::of_table).collect::<Result<_, _>>()?;
    if slots.is_empty() {
        slots.push(Slot::only());
    }
    let prediction_moment = match document.remove("prediction_moment") {
        None => base.prediction_moment,
        Some(Toml::String(name)) => Moment::named(&name).ok_or_else(|| no_moment(&name))?,
        Some(other) => return Err(no_moment(&other.to_string())),
    };
    match document.into_iter().next() {
        None => Ok(Codebook { variables, outcomes, slots, prediction_moment }),
        Some((key, _)) => Err(CodebookError::Syntax(format!(
            "unknown key {key}; a codebook has variable, outcome, image and prediction_moment"
        ))),
    }
}

fn no_moment(found: &str) -> CodebookError {
    let names = Moment::ALL.map(Moment::name).join(", ");
    CodebookError::Syntax(format!("prediction_moment is {found}, expected one of {names}"))
}

fn is_in_force(fields: &Table) -> bool {
    fields.get("in_force") == Some(&Toml::Boolean(true))
}

/// What a document declares is meant to be used: its first two-sided outcome is in force unless it names another one.
fn put_in_force(over: &mut Named) {
    let is_time = |fields: &Table| fields.get("kind") == Some(&Toml::String("time".to_owned()));
    let says = |(_, fields): &(String, Table)| {
        fields.contains_key("in_force") || fields.contains_key("drop") || is_time(fields)
    };
    if !over.iter().any(|(_, fields)| is_in_force(fields))
        && let Some((_, fields)) = over.iter_mut().find(|it| !says(it))
    {
        fields.insert("in_force".to_owned(), Toml::Boolean(true));
    }
}

/// An array of tables that say their names, one table that says its name, or tables keyed by name.
fn named(table: &'static str, key: &'static str, value: Option<Toml>) -> Result<Named, CodebookError> {
    let nameless = |at: usize| CodebookError::NoName { table, at: at + 1, key };
    let own = |at: usize, value: Toml| match value {
        Toml::Table(mut fields) => match fields.remove(key) {
            Some(Toml::String(name)) => Ok((name, fields)),
            // A preset of outcomes brings its name.
            None if fields.contains_key("preset") => Ok((String::new(), fields)),
            _ => Err(nameless(at)),
        },
        _ => Err(nameless(at)),
    };
    let is_scalar = |value: &Toml| !matches!(value, Toml::Table(_));
    let found: Named = match value {
        None => Vec::new(),
        Some(Toml::Array(tables)) => {
            tables.into_iter().enumerate().map(|(at, value)| own(at, value)).collect::<Result<_, _>>()?
        }
        Some(Toml::Table(fields)) if fields.values().any(is_scalar) => vec![own(0, Toml::Table(fields))?],
        Some(Toml::Table(tables)) => {
            let fields = |(name, value)| match value {
                Toml::Table(fields) => (name, fields),
                _ => unreachable!("scalars were met above"),
            };
            tables.into_iter().map(fields).collect()
        }
        Some(other) => return Err(CodebookError::Syntax(format!("{table} is {other}, expected tables"))),
    };
    twice(table, found)
}

fn merge(table: &'static str, under: Named, over: Named) -> Result<Named, CodebookError> {
    let mut merged = under;
    for (name, mut fields) in over {
        let place = merged.iter().position(|(known, _)| *known == name);
        match (fields.remove("drop"), place) {
            (None | Some(Toml::Boolean(false)), None) => merged.push((name, fields)),
            (None | Some(Toml::Boolean(false)), Some(at)) => lay(&mut merged[at].1, fields),
            (Some(Toml::Boolean(true)), Some(at)) => drop(merged.remove(at)),
            (Some(Toml::Boolean(true)), None) => {
                let known: Vec<&str> = merged.iter().map(|(name, _)| name.as_str()).collect();
                return Err(CodebookError::NothingToDrop { table, name, known: known.join(", ") });
            }
            (Some(found), _) => {
                let (found, expected) = (found.to_string(), "true or false".to_owned());
                return Err(CodebookError::Value { table, name, key: "drop", found, expected });
            }
        }
    }
    Ok(merged)
}

/// Keys over keys; tables of keys merge, everything else is replaced.
fn lay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Toml::Table(under)), Toml::Table(over)) => lay(under, over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// `[variable.alp] name = "alkaline"` renames; the key stays what it was.
fn rename(table: &'static str, key: &'static str, merged: Named) -> Result<Vec<Fields>, CodebookError> {
    let renamed = |(name, mut fields): (String, Table)| match fields.remove(key) {
        Some(Toml::String(new)) => {
            if table == "variable" && !fields.contains_key("key") {
                fields.insert("key".to_owned(), Toml::String(name));
            }
            (new, fields)
        }
        _ => (name, fields),
    };
    let named = twice(table, merged.into_iter().map(renamed).collect())?;
    Ok(named.into_iter().map(|(name, fields)| Fields { table, name, fields }).collect())
}

fn twice(table: &'static str, named: Named) -> Result<Named, CodebookError> {
    match (1..named.len()).find(|&at| named[..at].iter().any(|(name, _)| *name == named[at].0)) {
        None => Ok(named),
        Some(at) => Err(CodebookError::Twice { table, name: named[at].0.clone() }),
    }
}
