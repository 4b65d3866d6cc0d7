//! The report's audit: the trail, the tables of the report held against themselves, published tables beside them.

use std::path::Path;

use crate::report::page::Block;
use crate::report::printed::Entry;
use crate::report::sheet::{Cell, Sheet};
use crate::study::report::reconcile;
use crate::study::{ClinicalTable, Error, ModelTable, Study, Verification};
use osteon_reconcile::Severity;
use osteon_stats::model::logistic::screen::Rows;

impl Study {
    /// Findings in the file and trail, in the report's own tables, and in the published ones of a file.
    pub(in crate::study) fn audit(&self, published: Option<&Path>) -> Result<Vec<Block>, Error> {
        let mut blocks = vec![trail(&self.verify_stored(None)?)];
        if self.needs_response().is_ok() {
            blocks.extend(self.own_tables()?);
        }
        if let Some(path) = published {
            blocks.extend(self.published_tables(path)?);
        }
        Ok(blocks)
    }

    /// The report's tables as they are printed, through the checks that published ones go through.
    fn own_tables(&self) -> Result<Vec<Block>, Error> {
        let cells = match reconcile::cells(&self.printed()?) {
            Ok(cells) => cells,
            Err(cause) => return Ok(vec![Block::Warning(format!("Not checked: {}.", cause.in_full()))]),
        };
        let mut findings = reconcile::findings(&cells);
        findings.retain(|finding| finding.severity != Severity::Note);
        if findings.is_empty() {
            let text = format!(
                "The {} numbers of Tables 1 to 5, as printed here, were held against each other (percentages, sums, tests, \
                 intervals, confusion matrices, AUCs): no finding.",
                cells.len()
            );
            return Ok(vec![Block::Text(text)]);
        }
        let text =
            format!("Tables 1 to 5, as printed here, do not agree with themselves in {} places.", findings.len());
        let sheet =
            Sheet { title: "Tables of this report against themselves".into(), ..reconcile::finding_sheet(&findings) };
        Ok(vec![Block::Warning(text), Block::Sheet(Sheet { provenance: self.provenance()?, ..sheet })])
    }

    fn published_tables(&self, path: &Path) -> Result<Vec<Block>, Error> {
        let cells = reconcile::published(path)?;
        let sheet = reconcile::finding_sheet(&reconcile::findings(&cells));
        let mut blocks = vec![Block::Sheet(Sheet { provenance: self.provenance()?, ..sheet })];
        if self.needs_response().is_err() {
            return Ok(blocks);
        }
        let clinical = |table| self.clinical_beside(table, &self.protocol, path);
        let models = |table| self.models_beside(table, path);
        let tables = [
            clinical(ClinicalTable::One),
            clinical(ClinicalTable::Two),
            models(ModelTable::Three),
            clinical(ClinicalTable::Four),
            models(ModelTable::Five),
        ];
        for table in tables {
            match table {
                Ok(sheet) => blocks.push(Block::Sheet(sheet)),
                // No sets or no models yet.
                Err(Error::Request(_) | Error::NoSplit | Error::NoFit) => (),
                Err(other) => return Err(other),
            }
        }
        Ok(blocks)
    }

    /// Tables 1 to 5 as lines of `table,set,row,column,printed`.
    fn printed(&self) -> Result<Vec<[String; 5]>, Error> {
        let mut lines = Vec::new();
        for table in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
            // Odds ratios of training patients are not those of the counts of all.
            let own = table == ClinicalTable::Four && self.protocol.screen.rows == Rows::Train;
            let line = |entry: Entry| {
                let set = if own { "training" } else { entry.set };
                [table.number().to_owned(), set.to_owned(), entry.row, entry.column, entry.cell.text()]
            };
            match self.clinical_table(table, &self.protocol) {
                Ok((_, entries)) => lines.extend(entries.into_iter().map(line)),
                Err(Error::Request(_)) => (),
                Err(other) => return Err(other),
            }
        }
        for (table, number) in [(ModelTable::Three, "3"), (ModelTable::Five, "5")] {
            match self.model_table(table) {
                Ok(mut sheet) => {
                    // Rows of fewer patients than the set are said so in a note, and are not those of the set's size.
                    let short = self.scored(table)?.0.into_iter().filter(|row| row.n_missing > 0);
                    let short: Vec<[String; 2]> = short.map(|row| [row.set, row.model]).collect();
                    sheet.rows.retain(|row| !short.contains(&[row[0].text(), row[1].text()]));
                    lines.extend(scores(number, &sheet));
                }
                Err(Error::NoFit | Error::NoSplit) => (),
                Err(other) => return Err(other),
            }
        }
        // Cells without a number that can be held against others, such as an infinite odds ratio.
        lines.retain(|line| !line[4].trim().is_empty() && reconcile::cells(std::slice::from_ref(line)).is_ok());
        Ok(lines)
    }
}

/// The columns that a published table of models has.
fn scores(number: &str, sheet: &Sheet) -> Vec<[String; 5]> {
    const COLUMNS: [(&str, &str); 6] = [
        ("AUC (95 % CI)", "AUC (95%CI)"),
        ("Accuracy", "Accuracy"),
        ("Sensitivity", "Sensitivity"),
        ("Specificity", "Specificity"),
        ("Precision", "Precision"),
        ("F1", "F1"),
    ];
    let column = |heading: &str| COLUMNS.iter().find(|(ours, _)| *ours == heading).map(|(_, printed)| *printed);
    let line = |row: &Vec<Cell>| {
        let cells = sheet.headings.iter().zip(row).filter_map(|(heading, cell)| Some((column(heading)?, cell)));
        let place = |column: &str, cell: &Cell| {
            [number.to_owned(), row[0].text(), row[1].text(), column.to_owned(), cell.text()]
        };
        cells.map(|(column, cell)| place(column, cell)).collect::<Vec<_>>()
    };
    sheet.rows.iter().flat_map(line).collect()
}

fn trail(found: &Verification) -> Block {
    let head =
        format!("{} changes in the trail, {} measured regions; head {}", found.changes, found.regions, found.head);
    match found.findings.as_slice() {
        [] => Block::Text(format!(
            "File, trail and stored results were checked: {head}; no finding. Images on disk are checked by osteon verify."
        )),
        wrong => {
            const SHOWN: usize = 5;
            let more = match wrong.len().saturating_sub(SHOWN) {
                0 => String::new(),
                n => format!("; and {n} more, which osteon verify lists"),
            };
            let first = wrong[..wrong.len().min(SHOWN)].join("; ");
            Block::Warning(format!("File, trail and stored results were checked: {head}. {first}{more}."))
        }
    }
}
