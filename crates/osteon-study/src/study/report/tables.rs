//! The clinical tables of a study, alone or beside published ones.

use std::path::Path;

use crate::protocol::Protocol;
use crate::report::against::{self, Compared, Published};
use crate::report::clinical::{event_of, table_1, table_2, test_set_of};
use crate::report::differences::{Asked, missing_sheets};
use crate::report::journal::{self, Look};
use crate::report::performance::{self, Cut};
use crate::report::printed::Entry;
use crate::report::screening::{Screening, screening};
use crate::report::sheet::Sheet;
use crate::study::data::input;
use crate::study::{Error, ModelTable, Study};
use osteon_stats::model::logistic::screen::Rows;
use osteon_stats::table::Table;
use osteon_stats::table::missing::missing;

/// A table made of the clinical variables alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClinicalTable {
    One,
    Two,
    Four,
}

impl ClinicalTable {
    /// As it is numbered.
    pub fn number(self) -> &'static str {
        match self {
            ClinicalTable::One => "1",
            ClinicalTable::Two => "2",
            ClinicalTable::Four => "4",
        }
    }
}

/// The table of a cohort, and its cells in the words of the published one.
pub fn clinical_table(which: ClinicalTable, cohort: &Table, protocol: &Protocol) -> Result<(Sheet, Vec<Entry>), Error> {
    clinical_table_as(which, cohort, protocol, Asked::default())
}

fn clinical_table_as(
    which: ClinicalTable,
    cohort: &Table,
    protocol: &Protocol,
    asked: Asked,
) -> Result<(Sheet, Vec<Entry>), Error> {
    let book = &*protocol.codebook;
    let event = event_of(book, cohort)?;
    Ok(match which {
        ClinicalTable::One => table_1(book, cohort, &event, &protocol.compare, asked)?,
        ClinicalTable::Two => table_2(book, cohort, &event, &split_of(cohort)?, &protocol.compare, asked)?,
        ClinicalTable::Four => {
            let found = screening_of(cohort, &event, protocol)?;
            (found.sheet(), found.entries())
        }
    })
}

fn screening_of(cohort: &Table, event: &[Option<bool>], protocol: &Protocol) -> Result<Screening, Error> {
    let test = match protocol.screen.rows {
        Rows::All => Vec::new(),
        Rows::Train => split_of(cohort)?,
    };
    Ok(screening(cohort, event, &test, protocol)?)
}

fn split_of(cohort: &Table) -> Result<Vec<Option<bool>>, Error> {
    test_set_of(cohort).map_err(|_| Error::Request("the study has no training and test sets yet".to_owned()))
}

impl Study {
    /// What Table 4 is made from.
    pub(in crate::study) fn screening(&self) -> Result<Screening, Error> {
        self.needs_response()?;
        let cohort = self.cohort()?;
        screening_of(&cohort, &event_of(&self.protocol.codebook, &cohort)?, &self.protocol)
    }

    /// A clinical table of the included patients, with what it stands on.
    pub fn clinical_table(&self, which: ClinicalTable, protocol: &Protocol) -> Result<(Sheet, Vec<Entry>), Error> {
        self.clinical_table_as(which, protocol, Asked::default())
    }

    /// The same with the columns asked for; Table 4 has none of them.
    pub fn clinical_table_as(
        &self,
        which: ClinicalTable,
        protocol: &Protocol,
        asked: Asked,
    ) -> Result<(Sheet, Vec<Entry>), Error> {
        if which == ClinicalTable::Four && !asked.nothing() {
            return Err(Error::Request(
                "Table 4 is no comparison of groups: adjusted P values and differences are those of Tables 1 and 2"
                    .to_owned(),
            ));
        }
        self.needs_response()?;
        let (mut sheet, entries) = clinical_table_as(which, &self.cohort()?, protocol, asked)?;
        sheet.provenance = self.provenance()?;
        if protocol.hash() != self.protocol.hash() {
            sheet.provenance.push(format!("table made under another protocol: {}", protocol.hash()));
        }
        Ok((sheet, entries))
    }

    /// Values missing among the described variables of the included patients, each and together.
    pub fn missing_values(&self) -> Result<Vec<Sheet>, Error> {
        self.needs_response()?;
        let cohort = self.cohort()?;
        let book = &*self.protocol.codebook;
        let names: Vec<&str> = book.described().into_iter().map(|variable| variable.name.as_str()).collect();
        let label = |name: &str| book.named(name).map_or_else(|| name.to_owned(), |variable| variable.in_tables());
        let mut sheets = missing_sheets(&missing(&cohort, &names)?, label);
        for sheet in &mut sheets {
            sheet.provenance = self.provenance()?;
        }
        Ok(sheets)
    }

    /// A clinical table in the form of a journal.
    pub fn journal_clinical(&self, which: ClinicalTable, protocol: &Protocol, look: &Look) -> Result<Sheet, Error> {
        self.needs_response()?;
        let cohort = self.cohort()?;
        let book = &*protocol.codebook;
        let event = event_of(book, &cohort)?;
        let mut sheet = match which {
            ClinicalTable::One => journal::table_1(book, &cohort, &event, &protocol.compare, look)?,
            ClinicalTable::Two => {
                journal::table_2(book, &cohort, &event, &split_of(&cohort)?, &protocol.compare, look)?
            }
            ClinicalTable::Four => journal::table_4(&screening_of(&cohort, &event, protocol)?, look),
        };
        sheet.provenance = self.provenance()?;
        if protocol.hash() != self.protocol.hash() {
            sheet.provenance.push(format!("table made under another protocol: {}", protocol.hash()));
        }
        Ok(sheet)
    }

    /// Every cell of Tables 1 to 5 that the study can give beside those of a file of published ones.
    pub fn beside_published(&self, path: &Path) -> Result<Sheet, Error> {
        self.needs_response()?;
        let (published, cohort) = (read_published(path)?, self.cohort()?);
        let mut compared = Vec::new();
        let mut add = |table: &str, entries: &[Entry]| {
            compared.extend(against::against(table, entries, &published).into_iter().map(|mut cell| {
                cell.set = format!("Table {table} {}", cell.set);
                cell
            }));
        };
        for which in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
            let made = clinical_table(which, &cohort, &self.protocol);
            // Some tables need the two sets.
            let entries =
                if split_of(&cohort).is_err() { made.map_or_else(|_| Vec::new(), |it| it.1) } else { made?.1 };
            add(which.number(), &entries);
        }
        for table in [ModelTable::Three, ModelTable::Five] {
            let entries = match self.scored(table) {
                Err(Error::NoFit | Error::NoSplit) => Vec::new(),
                scored => performance::entries(&scored?.0, &Cut::At(0.5)),
            };
            add(table.number(), &entries);
        }
        let mut sheet = self.beside("The study", &compared, path)?;
        if let Some(doubt) = self.doubt()? {
            sheet.title = format!("{doubt}, Tables 3 and 5 only: {}", sheet.title);
        }
        Ok(sheet)
    }

    /// The cells of a clinical table beside those of a file of published ones.
    pub fn clinical_beside(&self, which: ClinicalTable, protocol: &Protocol, path: &Path) -> Result<Sheet, Error> {
        let (made, entries) = self.clinical_table(which, protocol)?;
        let compared = against::against(which.number(), &entries, &read_published(path)?);
        let sheet = self.beside(&format!("Table {}", which.number()), &compared, path)?;
        Ok(Sheet { provenance: made.provenance, ..sheet })
    }

    /// The cells of a table of models beside those of a file of published ones.
    pub fn models_beside(&self, table: ModelTable, path: &Path) -> Result<Sheet, Error> {
        let entries = performance::entries(&self.scored(table)?.0, &Cut::At(0.5));
        let compared = against::against(table.number(), &entries, &read_published(path)?);
        self.told(self.beside(&format!("Table {}", table.number()), &compared, path)?)
    }

    fn beside(&self, what: &str, compared: &[Compared], path: &Path) -> Result<Sheet, Error> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let sheet = against::sheet(format!("{what} beside {name}"), compared);
        Ok(Sheet { provenance: self.provenance()?, ..sheet })
    }
}

/// Reads the cells of published tables.
pub fn read_published(path: &Path) -> Result<Vec<Published>, Error> {
    let text = input::text(path)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let wanted = ["table", "set", "row", "column", "printed"];
    let no_table = || Error::Request(format!("{}: expected the columns {}", path.display(), wanted.join(",")));
    let headings = reader.headers().map_err(|_| no_table())?.clone();
    let places: Option<Vec<usize>> =
        wanted.iter().map(|name| headings.iter().position(|heading| heading == *name)).collect();
    let places = places.ok_or_else(no_table)?;
    let cell = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|_| no_table())?;
        let field = |at: usize| record.get(places[at]).unwrap_or_default().trim().to_owned();
        Ok(Published { table: field(0), set: field(1), row: field(2), column: field(3), printed: field(4) })
    };
    reader.records().map(cell).collect()
}
