//! The trail as a sheet for screens, and what of it passes a filter.

use crate::report::sheet::Sheet;
use crate::store::{Change, ChangeFilter};
use crate::study::models::validate::shown;
use crate::study::pages::patient_pages::{levels, words};
use crate::study::{Error, Study, Times};
use osteon_stats::table::Table;
use osteon_stats::table::filter::Filter;

/// A screen holds about this many changes; `osteon log` prints all.
const MOST_CHANGES: usize = 5000;

const COLUMNS: [&str; 10] = ["when", "who", "row", "field", "old", "new", "why", "table", "host", "hash"];

/// Other words for columns that a filter may ask.
const ALSO: [(&str, usize); 2] = [("patient", 2), ("actor", 1)];

/// What a filter of the trail may ask.
pub fn trail_columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().chain(ALSO.iter().map(|(name, _)| *name))
}

/// Reads a filter of the trail, such as `patient = SYN004 and who ~ kim`.
pub fn trail_filter(text: &str) -> Result<Filter, Error> {
    Filter::parse(text, &table(&[])).map_err(|source| Error::Filter { text: text.to_owned(), source })
}

impl Study {
    /// The newest changes, or the newest of the whole trail that pass a filter.
    pub fn changes_sheet(&self, filter: Option<&str>) -> Result<Sheet, Error> {
        let passing = filter.map(trail_filter).transpose()?;
        let mut rows = Vec::new();
        let mut before = 0;
        while rows.len() < MOST_CHANGES {
            let block = self.changes(&ChangeFilter { before, limit: MOST_CHANGES, ..ChangeFilter::default() })?;
            let Some(last) = block.last() else { break };
            before = last.seq;
            let texts: Vec<[String; 10]> = block.into_iter().map(|change| self.texts(change)).collect();
            let passes = passing.as_ref().map(|filter| filter.rows(&table(&texts)));
            let kept = passes.unwrap_or_else(|| (0..texts.len()).collect());
            rows.extend(kept.into_iter().map(|row| texts[row].clone().map(words).to_vec()));
        }
        let mut sheet = self.sheet("Trail".to_owned(), &COLUMNS, rows)?;
        let none = if sheet.rows.is_empty() { ": no change passes" } else { "" };
        sheet.notes.extend(filter.map(|text| format!("filter: {text}{none}")));
        if sheet.rows.len() >= MOST_CHANGES {
            sheet.notes.push("older changes: osteon log shows all".to_owned());
        }
        if self.times == Times::Local {
            sheet.notes.push("times are of this machine's zone; osteon log has UTC".to_owned());
        }
        Ok(sheet)
    }

    fn texts(&self, it: Change) -> [String; 10] {
        let (new, old) = (shown(&it), it.old.unwrap_or_default());
        [self.minute(&it.at), it.actor, it.row, it.field, old, new, it.reason, it.table, it.host, it.hash]
    }
}

fn table(rows: &[[String; 10]]) -> Table {
    let text = |row: &[String; 10], at: usize| Some(row[at].clone()).filter(|text| !text.is_empty());
    let column = |(name, at): (&str, usize)| levels(name, rows.iter().map(|row| text(row, at)));
    let ids = (0..rows.len()).map(|n| n.to_string()).collect();
    let columns = COLUMNS.into_iter().zip(0..).chain(ALSO).map(column);
    Table::new(ids, columns.collect()).expect("a text for each row and column")
}
