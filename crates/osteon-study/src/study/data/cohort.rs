//! The cohort as a table: what every clinical table is made from.

use std::collections::BTreeMap;

use crate::store::{Patient, PatientId, Side};
use crate::study::{Error, Study, View};
use osteon_stats::table::{Column, Table, Values};

impl Study {
    /// The included patients, one row each in the natural order of their codes: every clinical variable under its
    /// own name, `response` (the side of the outcome in force), `event` (1 for the event), and `set` (train, test) when there is a split.
    /// A blind reader's cohort has nothing that an outcome depends on, neither response nor event.
    pub fn cohort(&self) -> Result<Table, Error> {
        let mut patients = self.store.patients()?;
        patients.retain(Patient::included);
        let mut columns: Vec<Column> = self
            .variables()
            .map(|(at, it)| it.column(patients.iter().map(|patient| patient.entries[at].as_ref())))
            .collect();
        if self.view == View::Full {
            columns.extend(response(&patients, self.protocol.codebook.sides()));
        }
        if let Some(split) = self.shown_split()? {
            let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
            let code = |patient: &Patient| sides.get(&patient.id).map(|side| usize::from(*side == Side::Test));
            columns.push(levels("set", &["train", "test"], patients.iter().map(code).collect()));
        }
        let rows = patients.into_iter().map(|patient| patient.code).collect();
        Ok(Table::new(rows, columns).expect("each column has one value a patient"))
    }
}

fn response(patients: &[Patient], sides: [&str; 2]) -> [Column; 2] {
    let codes: Vec<Option<usize>> = patients.iter().map(|patient| patient.event.map(usize::from)).collect();
    let event = codes.iter().map(|code| code.map(|code| code as f64)).collect();
    [levels("response", &sides, codes), Column { name: "event".to_owned(), values: Values::Numbers(event) }]
}

fn levels(name: &str, names: &[&str], codes: Vec<Option<usize>>) -> Column {
    let levels = names.iter().map(|&name| name.to_owned()).collect();
    Column { name: name.to_owned(), values: Values::Levels { levels, codes } }
}
