//! The study at a glance: small sheets that the first screen shows side by side.

use std::collections::BTreeMap;

use crate::protocol::codebook::variable::Variable;
use crate::report::sheet::{Cell, Sheet};
use crate::store::{ChangeFilter, Patient, QueryState, Side};
use crate::study::pages::patient_pages::words;
use crate::study::{Error, Study};

impl Study {
    /// Study, inclusion, missing values, images and extraction, jobs, newest changes.
    pub fn overview(&self) -> Result<Vec<Sheet>, Error> {
        let patients = self.store.patients()?;
        let provenance = self.provenance()?;
        let block = |title: &str, rows: Vec<Vec<Cell>>| Sheet {
            title: title.to_owned(),
            rows,
            provenance: provenance.clone(),
            ..Sheet::default()
        };
        let next = self.next_steps()?;
        // Each step, and below it the command that does it.
        let next = next.into_iter().flat_map(|it| [it.what, format!("  :{}", it.command)]);
        let next = next.map(|text| vec![words(text)]).collect();
        Ok(vec![
            block("What comes next", next),
            block("Study", self.glance()?),
            block("Inclusion", self.inclusion(&patients)?),
            block("Missing values (included patients)", self.missing(&patients)),
            block("Images and features", self.extraction(&patients)?),
            block("Jobs", self.newest_jobs()?),
            block("Last changes", self.newest_changes()?),
        ])
    }

    fn glance(&self) -> Result<Vec<Vec<Cell>>, Error> {
        let row = self.store.study()?;
        let locked = row.locked.map_or_else(|| "no".to_owned(), |(at, by)| format!("{} by {by}", self.minute(&at)));
        let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
        Ok([
            ("title", row.title),
            ("locked", locked),
            ("protocol", short(&row.protocol_hash)),
            ("trail head", short(&self.trail_head()?)),
            ("changes", self.store.count_changes()?.to_string()),
            ("open queries", self.open_queries()?.to_string()),
            ("made", self.minute(&row.created_at)),
        ]
        .map(|(name, value)| vec![words(name), words(value)])
        .to_vec())
    }

    fn open_queries(&self) -> Result<usize, Error> {
        let queries = self.store.queries()?.into_iter();
        Ok(queries.filter(|query| query.state == QueryState::Open && self.may_see(&query.field)).count())
    }

    /// From all patients to the two sets; each reason of exclusion is a line.
    fn inclusion(&self, patients: &[Patient]) -> Result<Vec<Vec<Cell>>, Error> {
        let mut rows = vec![vec![words("screened"), Cell::Count(patients.len())]];
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in patients.iter().filter_map(|patient| patient.exclusion.as_deref()) {
            *reasons.entry(reason).or_default() += 1;
        }
        rows.extend(reasons.into_iter().map(|(why, n)| vec![words(format!("  excluded: {why}")), Cell::Count(n)]));
        let included: Vec<&Patient> = patients.iter().filter(|patient| patient.included()).collect();
        rows.push(vec![words("included"), Cell::Count(included.len())]);
        if let Some(split) = self.store.split()? {
            for side in [Side::Train, Side::Test] {
                let n = split.members.iter().filter(|(_, it)| *it == side).count();
                rows.push(vec![words(format!("  {}", side.name())), Cell::Count(n)]);
            }
        } else {
            rows.push(vec![words("  no split yet"), Cell::Empty]);
        }
        Ok(rows)
    }

    fn extraction(&self, patients: &[Patient]) -> Result<Vec<Vec<Cell>>, Error> {
        let mut rows = Vec::new();
        let mut roles: BTreeMap<String, usize> = BTreeMap::new();
        for file in self.store.images()? {
            *roles.entry(file.title()).or_default() += 1;
        }
        let of = patients.len();
        rows.extend(
            roles.into_iter().map(|(role, n)| vec![words(format!("{role} linked")), Cell::CountPercent { n, of }]),
        );
        let states = self.store.region_states()?;
        let failed = states.iter().filter(|state| state.error.is_some()).count();
        rows.push(vec![words("regions measured"), Cell::Count(states.len() - failed)]);
        rows.push(vec![words("regions failed"), Cell::Count(failed)]);
        Ok(rows)
    }

    fn newest_jobs(&self) -> Result<Vec<Vec<Cell>>, Error> {
        let jobs = self.store.jobs()?;
        let row = |job: &crate::store::JobRow| {
            let progress = if job.total == 0 { String::new() } else { format!(", {} of {}", job.done, job.total) };
            vec![words(format!("{} {}", job.id.0, job.kind)), words(format!("{}{progress}", job.state.name()))]
        };
        let mut rows: Vec<_> = jobs.iter().rev().take(4).map(row).collect();
        if rows.is_empty() {
            rows.push(vec![words("none yet"), Cell::Empty]);
        }
        Ok(rows)
    }

    fn newest_changes(&self) -> Result<Vec<Vec<Cell>>, Error> {
        let changes = self.changes(&ChangeFilter { limit: 5, ..ChangeFilter::default() })?;
        let row = |it: crate::store::Change| {
            let day = it.at.get(5..16).unwrap_or_default().replace('T', " ");
            let table = if ["patient", "image"].contains(&it.table.as_str()) { String::new() } else { it.table + " " };
            vec![words(format!("{day} {table}{} {}", it.row, it.field)), words(it.actor)]
        };
        Ok(changes.into_iter().map(row).collect())
    }

    /// Each variable with holes among the included patients.
    fn missing(&self, patients: &[Patient]) -> Vec<Vec<Cell>> {
        let included: Vec<&Patient> = patients.iter().filter(|patient| patient.included()).collect();
        let row = |(at, variable): (usize, &Variable)| {
            let n = included.iter().filter(|patient| patient.lacks(at)).count();
            (n > 0).then(|| vec![words(&variable.name), Cell::CountPercent { n, of: included.len() }])
        };
        let rows: Vec<_> = self.variables().filter_map(row).collect();
        if rows.is_empty() { vec![vec![words("none"), Cell::Empty]] } else { rows }
    }
}
