//! A study as plain files: CSV that reads back bit for bit, and the protocol.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::protocol::codebook::Value;
use crate::protocol::codebook::variable::{Kind, Variable};
use crate::report::sheet::{Cell, Sheet};
use crate::store::{ChangeFilter, ImageFile, LESION, Patient, PatientId, Role, SLOT};
use crate::study::{Error, Study, View};

/// How an export is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportOptions {
    /// Ids become salted hashes; free text, the trail, paths and the title are left out.
    pub deidentify: bool,
    /// Text that a spreadsheet would run as a formula gets an apostrophe before it.
    pub spreadsheet_safe: bool,
    /// Variables by which others may know a patient; empty for the centre, age and sex. Only counted.
    pub quasi: Vec<String>,
    /// Numbers that are written as bands of a width: `30 to <40`. Only of a de-identified export.
    pub bands: Vec<(String, f64)>,
}

/// What an export without identities does, a line each.
const DEIDENTIFIED: [&str; 5] = [
    "ids: replaced by hashes with a salt that was thrown away; rows are in the order of the hashes",
    "exclusion reasons, queries, the trail, the title; paths, hashes and sizes of images: left out",
    "readers and lesions with names: replaced by codes; the masks of a study's one reader, and numbers, stay",
    "dates: moved by up to half a year, all of one patient alike; texts and identifying variables: left out",
    "kept as they are: other clinical values, inclusion, sets, feature values, labels, the protocol without its rules of \
     queries",
];

/// A folder that is removed with the value, unless it got another name.
struct Draft(PathBuf);

impl Draft {
    fn beside(folder: &Path) -> std::io::Result<Draft> {
        use std::os::unix::fs::DirBuilderExt;
        let mut name = folder.components().as_path().as_os_str().to_owned();
        name.push(format!(".{}.{:08x}.draft", std::process::id(), rand::random::<u32>()));
        std::fs::DirBuilder::new().mode(0o700).create(&name)?;
        Ok(Draft(name.into()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How cells are written in one export.
pub(in crate::study) struct Pen {
    pub options: ExportOptions,
    salt: [u8; 32],
}

impl Study {
    /// Writes everything to an empty or new folder; gives what was written and what was left out, a line each.
    pub fn export(&self, folder: &Path, options: ExportOptions) -> Result<Vec<String>, Error> {
        self.check_bands(&options)?;
        let wrong = |source| Error::File { path: folder.to_owned(), source };
        match std::fs::read_dir(folder) {
            Ok(mut found) => {
                if found.next().is_some() {
                    return Err(Error::NotEmpty(folder.to_owned()));
                }
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => (),
            Err(cause) => return Err(wrong(cause)),
        }
        // Under another name until it is whole, so that half an export is never taken for one.
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(wrong)?;
        let draft = Draft::beside(folder).map_err(wrong)?;
        let told = self.export_to(&draft.0, options)?;
        let _ = std::fs::remove_dir(folder);
        std::fs::rename(&draft.0, folder).map_err(wrong)?;
        Ok(told)
    }

    fn export_to(&self, folder: &Path, options: ExportOptions) -> Result<Vec<String>, Error> {
        let deidentify = options.deidentify;
        let pen = Pen::new(options);
        let mut told = Vec::new();
        let mut file = |name: &str, write: &dyn Fn(&mut csv::Writer<File>) -> Result<(), Error>| {
            let path = folder.join(name);
            let file = File::create(&path).map_err(|source| Error::File { path: path.clone(), source })?;
            let mut writer = csv::Writer::from_writer(file);
            write(&mut writer)?;
            writer.flush().map_err(|source| Error::File { path, source })?;
            told.push(format!("{name}: written"));
            Ok::<_, Error>(())
        };
        file("patients.csv", &|out| self.export_patients(out, &pen))?;
        file("features.csv", &|out| self.export_features(out, &pen))?;
        file("images.csv", &|out| self.export_images(out, &pen))?;
        if deidentify {
            told.extend(self.told_of_identities(&pen)?);
        } else {
            file("queries.csv", &|out| self.export_queries(out, &pen))?;
            file("trail.csv", &|out| self.export_trail(out, &pen))?;
        }
        let path = folder.join("protocol.toml");
        std::fs::write(&path, self.exported_protocol(deidentify, &pen).to_toml())
            .map_err(|source| Error::File { path, source })?;
        told.push("protocol.toml: written".to_owned());
        Ok(told)
    }

    /// The protocol; without identities a named reader is a code, and rules that raise queries, which may name anybody,
    /// are left out.
    fn exported_protocol(&self, deidentify: bool, pen: &Pen) -> crate::protocol::Protocol {
        let mut protocol = self.protocol.clone();
        if deidentify {
            protocol.query.inconsistent.clear();
            // Words of the source file that mean a level or a range may name a place or a person.
            for variable in &mut Arc::make_mut(&mut protocol.codebook).variables {
                match &mut variable.kind {
                    Kind::Levels { levels, .. } => levels.iter_mut().for_each(|level| level.also.clear()),
                    Kind::Number(number) => number.words.clear(),
                    Kind::Date | Kind::Text => (),
                }
            }
            protocol.learn.rater = pen.rater(&self.rater());
        }
        protocol
    }

    /// The study as one workbook: patients, codebook, images, and unless de-identified queries; gives what was written and
    /// what was left out.
    pub fn export_workbook(&self, path: &Path, options: ExportOptions) -> Result<Vec<String>, Error> {
        self.check_bands(&options)?;
        let deidentify = options.deidentify;
        let pen = Pen::new(options);
        let numbers: Vec<&str> = self
            .variables()
            .filter(|(_, variable)| matches!(variable.kind, Kind::Number(_)))
            .map(|(_, variable)| variable.name.as_str())
            .chain(["bytes"])
            .collect();
        type Fill<'a> = dyn Fn(&mut csv::Writer<Vec<u8>>) -> Result<(), Error> + 'a;
        let page = |title: &str, fill: &Fill| -> Result<Sheet, Error> {
            let mut writer = csv::Writer::from_writer(Vec::new());
            fill(&mut writer)?;
            let bytes = writer.into_inner().expect("written to memory");
            Ok(as_sheet(title, &bytes, &numbers))
        };
        let mut sheets = vec![page("Patients", &|out| self.export_patients(out, &pen))?];
        sheets.push(crate::study::data::codebook::editable_sheet(&self.protocol.codebook));
        sheets.push(page("Images", &|out| self.export_images(out, &pen))?);
        if !deidentify {
            sheets.push(page("Queries", &|out| self.export_queries(out, &pen))?);
        }
        let bytes = crate::report::sheet::workbook(&sheets).map_err(Error::Request)?;
        crate::store::write_whole(path, &bytes).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let mut told: Vec<String> = sheets.iter().map(|it| format!("{}: {} rows", it.title, it.rows.len())).collect();
        if deidentify {
            told.extend(self.told_of_identities(&pen)?);
        }
        told.push("features, trail and protocol: not part of a workbook; osteon export FOLDER writes them".to_owned());
        Ok(told)
    }

    /// What a de-identified export did, and what it leaves to whoever wants to know who is who.
    fn told_of_identities(&self, pen: &Pen) -> Result<Vec<String>, Error> {
        let bands = pen.options.bands.iter().map(|(name, width)| format!("{name}: in bands of {width}"));
        let ages = self.variables().filter(|(_, it)| is_age(it)).map(|(_, it)| format!("{}: whole years", it.name));
        let mut old = Vec::new();
        for (at, variable) in self.variables().filter(|(_, it)| is_age(it) || it.name == "age") {
            let is_old = |patient: &&Patient| patient.known(at).and_then(Value::number).is_some_and(|age| age > 89.0);
            let n = self.store.patients()?.iter().filter(is_old).count();
            if n > 0 && !pen.options.bands.iter().any(|(name, _)| *name == variable.name) {
                let who = osteon_base::text::counted(n, "patient");
                old.push(format!(
                    "{}: {who} above 89 years, an age that rules of privacy count as an identity: --band",
                    variable.name
                ));
            }
        }
        let bands = bands.chain(ages).chain(old);
        Ok(DEIDENTIFIED.map(str::to_owned).into_iter().chain(bands).chain(self.singled_out(pen)?).collect())
    }

    /// Errors where a band is of no number of the codebook, or has no width, or identities are kept.
    fn check_bands(&self, options: &ExportOptions) -> Result<(), Error> {
        let is_asked = !options.bands.is_empty() || !options.quasi.is_empty();
        if is_asked && !options.deidentify {
            return Err(Error::Request("--band and --quasi are for --deidentify".to_owned()));
        }
        self.quasi_identifiers(&Pen::new(options.clone()))?;
        for (name, width) in &options.bands {
            let variable = self.variables().find(|(_, it)| it.name == *name).map(|(_, it)| it);
            if !variable.is_some_and(|it| matches!(it.kind, Kind::Number(_))) {
                return Err(Error::Request(format!("--band {name}={width}: {name} is no number of the codebook")));
            }
            if !(1e-3..=1e6).contains(width) {
                return Err(Error::Request(format!(
                    "--band {name}={width}: expected a width from 0.001 to 1000000, such as 10"
                )));
            }
        }
        Ok(())
    }

    /// All feature values, one row a patient, region and rater.
    pub fn write_features(&self, out: impl Write) -> Result<(), Error> {
        let mut writer = csv::Writer::from_writer(out);
        self.export_features(&mut writer, &Pen::new(ExportOptions::default()))?;
        writer.flush().map_err(|source| Error::File { path: "features".into(), source })
    }

    fn export_patients<W: Write>(&self, out: &mut csv::Writer<W>, pen: &Pen) -> Result<(), Error> {
        let full = self.view == View::Full;
        let mut headings = vec!["patient_id"];
        let variables: Vec<(usize, &Variable)> =
            self.variables().filter(|(_, it)| !(pen.options.deidentify && pen.singles_out(it))).collect();
        headings.extend(variables.iter().map(|(_, variable)| variable.name.as_str()));
        headings.extend(full.then_some("response"));
        headings.extend(["included", "exclusion_reason", "set"]);
        out.write_record(&headings)?;
        let sets: BTreeMap<PatientId, &str> = self
            .shown_split()?
            .into_iter()
            .flat_map(|split| split.members)
            .map(|(id, side)| (id, side.name()))
            .collect();
        let mut rows = Vec::new();
        for patient in self.store.patients()? {
            let mut row = vec![pen.code(&patient.code)];
            let value =
                |(at, variable): &(usize, &Variable)| pen.value(variable, patient.entries[*at].as_ref(), &patient.code);
            row.extend(variables.iter().map(value));
            row.extend(full.then(|| pen.text(patient.side())));
            row.push(if patient.included() { "yes" } else { "no" }.to_owned());
            row.push(pen.free(patient.exclusion.as_deref().unwrap_or_default()));
            row.push(sets.get(&patient.id).copied().unwrap_or_default().to_owned());
            rows.push(row);
        }
        pen.rows(out, rows)
    }

    fn export_features<W: Write>(&self, out: &mut csv::Writer<W>, pen: &Pen) -> Result<(), Error> {
        let codes = self.codes()?;
        let places = self.store.region_states()?.into_iter().map(|state| state.place);
        let mut places: Vec<(Role, String, String)> = places.map(|it| (it.rater, it.slot, it.region)).collect();
        places.sort();
        places.dedup();
        // Slots and lesions are columns where there are several.
        let lesions = self.store.region_states()?.iter().any(|state| state.place.lesion != LESION);
        let slots = places.iter().any(|(_, slot, _)| slot != SLOT);
        let further = [(slots, "slot"), (lesions, "lesion")].into_iter().filter_map(|(is, name)| is.then_some(name));
        let names: Vec<String> = self.store.features()?.into_iter().map(|(_, name)| name).collect();
        out.write_record(
            ["patient_id", "roi", "rater"].into_iter().chain(further).chain(names.iter().map(String::as_str)),
        )?;
        for (rater, slot, roi) in places {
            let mut rows = Vec::new();
            let matrix = self.store.matrix(&slot, &roi, &rater)?;
            let whose = matrix.patients.iter().zip(&matrix.lesions);
            for ((patient, lesion), values) in whose.zip(matrix.values.chunks(names.len().max(1))) {
                let mut row = vec![pen.code(&codes[patient]), roi.clone(), pen.rater(&rater)];
                row.extend(slots.then(|| slot.clone()));
                row.extend(lesions.then(|| pen.lesion(lesion)));
                row.extend(values.iter().map(|value| value.map(|value| value.to_string()).unwrap_or_default()));
                rows.push(row);
            }
            pen.rows(out, rows)?;
        }
        Ok(())
    }

    fn export_images<W: Write>(&self, out: &mut csv::Writer<W>, pen: &Pen) -> Result<(), Error> {
        let codes = self.codes()?;
        let files = self.store.images()?;
        let is_plain = |file: &ImageFile| file.slot == SLOT && (file.lesion.is_empty() || file.lesion == LESION);
        let further = !files.iter().all(is_plain);
        let headings = ["patient_id", "role", "path", "sha256", "bytes", "label"].into_iter();
        out.write_record(headings.chain(if further { vec!["slot", "lesion"] } else { Vec::new() }))?;
        let row = |file: ImageFile| {
            let traits = [file.path.to_string_lossy().into_owned(), file.sha256, file.bytes.to_string()];
            let label = file.label.map(|label| label.to_string()).unwrap_or_default();
            let names = [pen.code(&codes[&file.patient]), pen.rater(&file.role)];
            let further = if further { vec![file.slot, pen.lesion(&file.lesion)] } else { Vec::new() };
            names.into_iter().chain(traits.map(|text| pen.free(&text))).chain([label]).chain(further).collect()
        };
        pen.rows(out, files.into_iter().map(row).collect())
    }

    fn export_queries<W: Write>(&self, out: &mut csv::Writer<W>, pen: &Pen) -> Result<(), Error> {
        let codes = self.codes()?;
        out.write_record(["id", "patient_id", "field", "text", "state", "answer"])?;
        for query in self.store.queries()?.into_iter().filter(|query| self.may_see(&query.field)) {
            let (text, answer) = (pen.text(&query.text), pen.text(query.answer.as_deref().unwrap_or_default()));
            let code = pen.code(&codes[&query.patient]);
            out.write_record([&query.id.0.to_string(), &code, &query.field, &text, query.state.name(), &answer])?;
        }
        Ok(())
    }

    fn export_trail<W: Write>(&self, out: &mut csv::Writer<W>, pen: &Pen) -> Result<(), Error> {
        out.write_record([
            "seq", "at", "actor", "host", "table", "row", "field", "old", "new", "reason", "previous", "hash", "salt",
            "sealed",
        ])?;
        for change in self.changes(&ChangeFilter::default())?.into_iter().rev() {
            let [old, new] = [change.old, change.new].map(|value| pen.text(&value.unwrap_or_default()));
            let (row, reason) = (pen.text(&change.row), pen.text(&change.reason));
            out.write_record([
                &change.seq.to_string(),
                &change.at,
                &pen.text(&change.actor),
                &change.host,
                &change.table,
                &row,
                &change.field,
                &old,
                &new,
                &reason,
                &change.previous,
                &change.hash,
                &change.salt,
                &change.sealed,
            ])?;
        }
        Ok(())
    }

    fn codes(&self) -> Result<BTreeMap<PatientId, String>, Error> {
        Ok(self.store.patients()?.into_iter().map(|Patient { id, code, .. }| (id, code)).collect())
    }
}

/// CSV as a sheet; columns of numbers hold numbers, all others texts as they are: an id keeps its zeros.
fn as_sheet(title: &str, bytes: &[u8], numbers: &[&str]) -> Sheet {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let mut rows = reader.records().map(|row| row.expect("it was written here"));
    let headings: Vec<String> = rows.next().map(|row| row.iter().map(str::to_owned).collect()).unwrap_or_default();
    let cell = |(heading, text): (&String, &str)| match text.parse::<f64>() {
        _ if text.is_empty() => Cell::Empty,
        Ok(value) if value.is_finite() && numbers.contains(&heading.as_str()) => Cell::Number { value, digits: 17 },
        _ => Cell::Text(text.to_owned()),
    };
    let rows = rows.map(|row| headings.iter().zip(row.iter()).map(cell).collect()).collect();
    Sheet { title: title.to_owned(), headings, rows, ..Sheet::default() }
}

/// Whether a number is years between two dates.
pub(in crate::study) fn is_age(variable: &Variable) -> bool {
    variable.formula.as_ref().is_some_and(|formula| formula.text().contains("years("))
}

impl Pen {
    fn new(options: ExportOptions) -> Pen {
        Pen { options, salt: rand::random() }
    }

    /// Who drew a mask: a person's name becomes a code.
    fn rater(&self, role: &Role) -> String {
        match role {
            Role::Rater(name) if self.options.deidentify => self.coded("reader", name),
            role => role.name().to_owned(),
        }
    }

    /// Which lesion: a number stays, a name becomes a code.
    fn lesion(&self, lesion: &str) -> String {
        let is_plain = lesion.len() <= 3 && lesion.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain || !self.options.deidentify { lesion.to_owned() } else { self.coded("lesion", lesion) }
    }

    fn coded(&self, what: &str, name: &str) -> String {
        format!("{what} {}", &self.code(&format!("{what} {name}"))[..8])
    }

    /// The same with one number in bands.
    pub fn with_band(&self, name: &str, width: f64) -> Pen {
        let mut options = self.options.clone();
        options.bands.push((name.to_owned(), width));
        Pen { options, salt: self.salt }
    }

    /// A clinical value.
    pub fn value(&self, variable: &Variable, value: Option<&Value>, code: &str) -> String {
        let band = self.options.bands.iter().find(|(name, _)| *name == variable.name).map(|(_, width)| width);
        match (value, band) {
            (Some(Value::Date(date)), _) if self.options.deidentify => self.shifted(*date, code),
            // A reason that is not of the codebook is a text that somebody wrote.
            (Some(Value::Missing(reason)), _)
                if self.options.deidentify && !variable.missing.iter().any(|(_, it)| **it == **reason) =>
            {
                "missing".to_owned()
            }
            (Some(Value::Missing(reason)), _) => self.text(&format!("missing: {reason}")),
            (Some(Value::Number(number)), Some(width)) if self.options.deidentify => {
                let from = (number / width).floor() * width;
                format!("{from} to <{}", from + width)
            }
            // An age to the day tells the day of birth.
            (Some(Value::Number(number)), None) if self.options.deidentify && is_age(variable) => {
                number.floor().to_string()
            }
            (Some(value), _) => self.text(&variable.text(value)),
            (None, _) => String::new(),
        }
    }

    /// A patient's name, or what stands for it.
    fn code(&self, code: &str) -> String {
        if !self.options.deidentify {
            return self.text(code);
        }
        let hash = crate::store::sha256([&self.salt[..], code.as_bytes()].concat());
        format!("P{}", &hash[..12])
    }

    /// Whether the values of a variable may tell who a patient is: texts that people write, and what the codebook says.
    pub fn singles_out(&self, variable: &Variable) -> bool {
        variable.identifier || matches!(variable.kind, Kind::Text)
    }

    /// A date moved by up to half a year, all dates of a patient alike: the time between them stays.
    fn shifted(&self, date: jiff::civil::Date, code: &str) -> String {
        let hash = crate::store::sha256([&self.salt[..], b"dates ", code.as_bytes()].concat());
        let number = i64::from_str_radix(&hash[..8], 16).unwrap_or(0);
        let days = number % 365 - 182;
        let moved = date.checked_add(jiff::Span::new().days(days));
        moved.map(|date| date.to_string()).unwrap_or_default()
    }

    /// Writes the rows, in the order of their ids where these were replaced: the order of the true ids tells who is who.
    fn rows<W: Write>(&self, out: &mut csv::Writer<W>, mut rows: Vec<Vec<String>>) -> Result<(), Error> {
        if self.options.deidentify {
            rows.sort_by(|a, b| a[0].cmp(&b[0]));
        }
        Ok(rows.iter().try_for_each(|row| out.write_record(row))?)
    }

    /// Text that a person wrote.
    fn free(&self, text: &str) -> String {
        if self.options.deidentify { String::new() } else { self.text(text) }
    }

    fn text(&self, text: &str) -> String {
        let text = osteon_base::text::clean(text);
        let number = || text.parse::<f64>().is_ok_and(f64::is_finite);
        let formula = text.starts_with(['=', '+', '-', '@']) && !number();
        if self.options.spreadsheet_safe && formula { format!("'{text}") } else { text.into_owned() }
    }
}
