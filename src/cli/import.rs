//! `osteon import`: clinical variables and images.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_base::text::counted;
use osteon_study::report::sheet::{Cell, Sheet};
use osteon_study::study::{BadRows, ClinicalReport, Error, ImagesReport, Link, Refusal};

/// Import clinical variables or images
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Clinical variables from a CSV file or a workbook: one row a patient, columns by name; or REDCap's longitudinal
    /// export
    #[command(after_long_help = MAP)]
    Clinical {
        file: PathBuf,
        /// TOML file that says how the file's headers, words, units and signs become the study's
        #[arg(long, value_name = "FILE")]
        map: Option<PathBuf>,
        /// Why stored values are replaced; goes to the trail with each of them. Asked for at a terminal
        #[arg(long)]
        reason: Option<String>,
        /// Print what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Import the other rows when some hold a refused cell
        #[arg(long)]
        skip_bad_rows: bool,
    },
    /// List the imports that changed values: file, changes, who, when, why, and which were turned back
    List,
    /// Images and masks, from a manifest (patient,image,mask,repeat_mask,label,series,slot,timepoint,lesion,rater) or a folder with one folder a
    /// patient
    #[command(
        after_help = "An image is NIfTI, NRRD, MetaImage, or a DICOM series (a folder, a zip archive, one of its \
                            files); a mask may also be DICOM contours (RTSTRUCT) or segmentation (SEG). The column \
                            label holds a number, all, or the name of a structure. A folder is one a patient, or BIDS: \
                            sub-001/anat/sub-001_T2w.nii.gz with ..._desc-tumor_mask.nii.gz. Warnings tell how a \
                            series deviates from the protocol's acquisition."
    )]
    Images {
        source: PathBuf,
        /// Label of the masks, where they have several and the manifest names none: a number, all, or the name of a
        /// structure
        #[arg(long, value_name = "N|all|NAME", allow_negative_numbers = true)]
        label: Option<String>,
        /// Print what would be linked, and link nothing
        #[arg(long)]
        dry_run: bool,
        /// Link the other patients when some are refused
        #[arg(long)]
        skip_bad_rows: bool,
    },
}

/// How a map is written.
const MAP: &str = "A map is TOML; every part may be left out:

  sheet = \"Data\"                     the sheet of a workbook
  [columns]  alp = \"AP (U/l)\"         our name = the file's header; patient_id names the patients
  [levels.sex]  male = [\"m\", \"1\"]   our level = the file's words and codes
  [unit]  diameter_mm = \"cm\"         the unit of the file's numbers, whatever the header says
  [scale]  necrosis_pct = 100         the factor by which they are multiplied
  [missing]  age = [\"-9: not asked\"]  cells that mean a missing value, and why
  [decimal]  alp = \",\"               the decimal sign; the other one groups thousands
  [date]  birth = \"DD.MM.YYYY\"       how dates are written
  [patients]  \"sub-001\" = \"001\"     the file's id = the study's; one that stands for itself is new
  [redcap.events]  v1_arm_1 = \"baseline\"    event = baseline, during treatment, surgery, follow-up or not read
  [redcap.from]  alp = \"v1_arm_1\"    the event that a variable is taken from, whatever its moment
  [redcap.take]  weight = \"last\"     which of several values is taken: first or last

The name \"*\" stands for all variables in missing, decimal, date and redcap.take. A header's unit is compared with the \
variable's: length, mass, volume, time and prefixes are converted and that is said; mmol/L to mg/dL or kat to U need \
[scale]. In a REDCap export a variable is taken from the events of its own moment, which their names tell (baseline, pre, \
chemo, surgery, follow-up) where the map does not; one column may feed two variables of different moments.

What replaces stored values needs a reason, and is one entry: osteon import list names it, osteon undo --import N takes \
it back.";

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let bad_rows = |skip: bool| if skip { BadRows::Skip } else { BadRows::Refuse };
    match &args.what {
        What::List => {
            output::print_sheet(&opening::read(globals)?.imports_sheet()?, globals.format)?;
            Ok(Outcome::Done)
        }
        What::Clinical { file, map, dry_run: true, skip_bad_rows, .. } => {
            let report = opening::read(globals)?.preview_clinical(file, map.as_deref())?;
            clinical(&report, globals, file, bad_rows(*skip_bad_rows))
        }
        What::Clinical { file, map, skip_bad_rows, reason, .. } => {
            let (study, bad_rows, map) = (opening::write(globals)?, bad_rows(*skip_bad_rows), map.as_deref());
            let mut reason = reason.clone().unwrap_or_default();
            if reason.trim().is_empty() {
                let report = study.preview_clinical(file, map)?;
                let would_write = !report.stops && (report.refused.is_empty() || bad_rows == BadRows::Skip);
                if would_write && report.replaced() > 0 {
                    output::print_sheet(&changes(&report), globals.format)?;
                    reason = ask(report.replaced())?;
                }
            }
            let report = study.import_clinical_for(file, map, bad_rows, &reason)?;
            clinical(&report, globals, file, bad_rows)
        }
        What::Images { source, label, dry_run: true, skip_bad_rows } => {
            let pairs = opening::read(globals)?.pair_labelled_images(source, label.as_deref())?;
            show(pairs.report(), globals, source)?;
            linked(pairs.report(), globals, source, bad_rows(*skip_bad_rows))
        }
        What::Images { source, label, skip_bad_rows, .. } => {
            let (study, bad_rows) = (opening::write(globals)?, bad_rows(*skip_bad_rows));
            let pairs = study.pair_labelled_images(source, label.as_deref())?;
            show(pairs.report(), globals, source)?;
            linked(&study.link_images(pairs, bad_rows)?, globals, source, bad_rows)
        }
    }
}

/// Asks why values are replaced, where somebody can answer.
fn ask(replaced: usize) -> Result<String, Error> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::ImportReason(replaced));
    }
    output::warn(&format!("{replaced} stored values are replaced. Why? (goes to the trail; empty imports nothing)"));
    let mut line = String::new();
    let wrong = |source| Error::File { path: "standard input".into(), source };
    std::io::stdin().lock().read_line(&mut line).map_err(wrong)?;
    let reason = line.trim().to_owned();
    if reason.is_empty() { Err(Error::ImportReason(replaced)) } else { Ok(reason) }
}

fn clinical(report: &ClinicalReport, globals: &Globals, file: &Path, bad_rows: BadRows) -> Result<Outcome, Error> {
    report.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
    report.warnings.iter().for_each(|warning| output::warn(&format!("warning: {warning}")));
    if !report.changed.is_empty() {
        output::print_sheet(&changes(report), globals.format)?;
    }
    let would = if report.applied { "" } else { "would be " };
    let ClinicalReport { added, changed, unchanged, kept, .. } = report;
    let summary =
        format!("{} {would}added, {} {would}changed", counted(added.len(), "patient"), counted(changed.len(), "value"));
    output::say(globals, &format!("{summary}, {} unchanged", counted(*unchanged, "patient")));
    if *kept > 0 {
        output::say(globals, &format!("{} leave stored values as they are", counted(*kept, "empty cell")));
    }
    if !report.included_again.is_empty() {
        let codes = report.included_again.join(", ");
        output::say(globals, &format!("included again after an import was turned back: {codes}"));
    }
    if let Some(import) = report.import {
        output::say(globals, &format!("import {import}: osteon undo --import {import} --reason TEXT takes it back"));
    }
    let outcome = refusals(&report.refused, if report.stops { BadRows::Refuse } else { bad_rows }, globals, file);
    report.hints.iter().for_each(|hint| output::warn(&format!("hint: {hint}")));
    outcome
}

/// Shows what is going to be linked, and what found no pair: a tree for people, a table for programs.
fn show(report: &ImagesReport, globals: &Globals, source: &Path) -> Result<(), Error> {
    report.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
    report.warnings.iter().for_each(|warning| output::warn(&format!("warning: {warning}")));
    if matches!(globals.format, Format::Text) {
        return output::print(&tree(report, source));
    }
    report.left_out.iter().for_each(|it| output::say(globals, &format!("note: {it}")));
    if !report.links.is_empty() {
        output::print_sheet(&links(&report.links), globals.format)?;
    }
    Ok(())
}

/// One line a patient: image, mask, and what was left out and why; then what belongs to no patient.
fn tree(report: &ImagesReport, source: &Path) -> String {
    let mut lines = Vec::new();
    for link in &report.links {
        let Link { code, of, image, mask, repeat_mask, voxels } = link;
        let of = if of.is_empty() { String::new() } else { format!("{of}: ") };
        let repeat = if repeat_mask.is_empty() { String::new() } else { format!(", repeat mask {repeat_mask}") };
        let mask = if mask.is_empty() { "no mask of its own".to_owned() } else { format!("mask {mask}") };
        lines.push((code.as_str(), format!("{of}image {image}, {mask}{repeat}, {voxels} voxels")));
    }
    for it in report.left_out.iter().filter(|it| it.path.as_os_str().is_empty() && !it.code.is_empty()) {
        match lines.iter_mut().find(|(code, _)| *code == it.code) {
            Some((_, line)) => line.push_str(&format!("; {}, left out", it.why)),
            None => lines.push((&it.code, format!("{}, left out", it.why))),
        }
    }
    for it in report.left_out.iter().filter(|it| !it.path.as_os_str().is_empty() && !it.code.is_empty()) {
        let said = format!("left out {} ({})", it.path.display(), it.why);
        match lines.iter_mut().find(|(code, _)| *code == it.code) {
            Some((_, line)) => line.push_str(&format!("; {said}")),
            None => lines.push((&it.code, said)),
        }
    }
    // A folder's refusals name patient and kind of file; those of a manifest have a row.
    for it in report.refused.iter().filter(|it| it.line == 0) {
        let Some((code, kind)) = it.column.split_once(' ') else { continue };
        let said = format!("refused: {kind} {}", it.value);
        match lines.iter_mut().find(|(own, _)| *own == code) {
            Some((_, line)) => line.push_str(&format!("; {said}")),
            None => lines.push((code, said)),
        }
    }
    let mut lines: Vec<String> = lines.into_iter().map(|(code, line)| format!("{code}: {line}")).collect();
    lines.extend(report.left_out.iter().filter(|it| it.code.is_empty()).map(ToString::to_string));
    let last = lines.len().saturating_sub(1);
    let drawn = lines
        .iter()
        .enumerate()
        .map(|(at, line)| format!("{} {}\n", if at == last { "└─" } else { "├─" }, osteon_base::text::clean(line)));
    let source = source.to_string_lossy();
    format!("{}\n{}", osteon_base::text::clean(&source), drawn.collect::<String>())
}

fn linked(report: &ImagesReport, globals: &Globals, source: &Path, bad_rows: BadRows) -> Result<Outcome, Error> {
    let would = if report.applied { "" } else { "would be " };
    let ImagesReport { patients, linked, unchanged, .. } = report;
    let files = if report.applied {
        format!(": {} new, {unchanged} unchanged", counted(*linked, "file"))
    } else {
        String::new()
    };
    output::say(globals, &format!("{} {would}linked{files}", counted(*patients, "patient")));
    if report.links.is_empty() && report.refused.is_empty() {
        return Ok(Outcome::SomeFailed);
    }
    refusals(&report.refused, bad_rows, globals, source)
}

/// Prints every refused cell; refused cells that stop an import are an error, skipped ones a partial success.
fn refusals(refused: &[Refusal], bad_rows: BadRows, globals: &Globals, file: &Path) -> Result<Outcome, Error> {
    if refused.is_empty() {
        return Ok(Outcome::Done);
    }
    let line = |line: u64| if line == 0 { Cell::Empty } else { Cell::Count(usize::try_from(line).unwrap_or(0)) };
    let row = |it: &Refusal| {
        let text = |text: &str| Cell::Text(text.to_owned());
        vec![line(it.line), text(&it.column), text(&it.value), text(&it.expected)]
    };
    let sheet = Sheet {
        title: "Refused".to_owned(),
        headings: ["row", "column", "value", "expected"].map(str::to_owned).to_vec(),
        rows: refused.iter().map(row).collect(),
        ..Sheet::default()
    };
    output::print_sheet(&sheet, globals.format)?;
    if bad_rows == BadRows::Skip {
        return Ok(Outcome::SomeFailed);
    }
    Err(Error::Refused { file: file.display().to_string(), n: refused.len() })
}

fn links(links: &[Link]) -> Sheet {
    let texts = |it: &Link| [&it.code, &it.image, &it.mask, &it.repeat_mask, &it.voxels].map(String::clone);
    let row = |it: &Link| texts(it).map(Cell::Text).to_vec();
    let mut headings = ["patient", "image", "mask", "repeat mask", "voxels"].map(str::to_owned).to_vec();
    let mut rows: Vec<Vec<Cell>> = links.iter().map(row).collect();
    if links.iter().any(|it| !it.of.is_empty()) {
        headings.push("of".to_owned());
        rows.iter_mut().zip(links).for_each(|(row, it)| row.push(Cell::Text(it.of.clone())));
    }
    Sheet { title: "To link".to_owned(), headings, rows, ..Sheet::default() }
}

fn changes(report: &ClinicalReport) -> Sheet {
    let shown = report.changed.iter().filter(|change| !change.hidden);
    Sheet {
        title: if report.applied { "Changed" } else { "Would change" }.to_owned(),
        headings: ["patient", "field", "old", "new"].map(str::to_owned).to_vec(),
        rows: shown
            .map(|it| [&it.code, &it.field, &it.old, &it.new].map(|text| Cell::Text(text.to_owned())).to_vec())
            .collect(),
        ..Sheet::default()
    }
}
