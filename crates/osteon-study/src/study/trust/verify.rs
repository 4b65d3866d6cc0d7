//! Whether a study is what it says it is: file, trail, images on disk, results and their inputs.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{Change, ChangeFilter, ImageFile, PatientId, StoreError};
use crate::study::data::input;
use crate::study::learn::timed::KIND;
use crate::study::{Error, Standing, Study, View};
use osteon_base::job::Job;

/// What was checked, and what was found wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Hash of the newest change.
    pub head: String,
    pub changes: usize,
    pub images: usize,
    pub regions: usize,
    pub findings: Vec<String>,
    /// What is no fault, but worth knowing.
    pub notes: Vec<String>,
}

impl Study {
    /// Checks everything; one step of the job an image file. `expected_head`, a head noted earlier, must be a link of
    /// the trail: a trail whose end was cut off has lost it.
    pub fn verify(&self, expected_head: Option<&str>, job: &Job) -> Result<Verification, Error> {
        let mut found = self.verify_stored(expected_head)?;
        self.verify_files(&mut found, job)?;
        Ok(found)
    }

    /// The same without the images on disk.
    pub(in crate::study) fn verify_stored(&self, expected_head: Option<&str>) -> Result<Verification, Error> {
        let expected_head = expected_head.map(str::to_lowercase);
        let is_hash = |head: &String| head.len() == 64 && head.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some(head) = expected_head.as_ref().filter(|head| !is_hash(head)) {
            return Err(Error::Request(format!(
                "{head:?} is no hash: expected the 64 digits that a report or verify printed"
            )));
        }
        // What others write meanwhile would look like data that are not what the trail says.
        let _snapshot = self.store.snapshot()?;
        let mut found = Verification { findings: self.store.check_whole()?, ..Verification::default() };
        let changes = self.store.changes(&ChangeFilter::default())?;
        found.head = self.trail_head()?;
        found.changes = self.changes_seen()?.len();
        if let Some(expected) = expected_head {
            match changes.iter().find(|change| change.hash == expected) {
                None => found.findings.push(format!("the trail has no change with the hash {expected}: it was cut")),
                Some(_) if self.view == View::Blind => found.notes.push("the expected head is of the trail".to_owned()),
                Some(change) => found.notes.extend(after(change, &changes)),
            }
        }
        for pair in changes.windows(2).filter(|pair| pair[0].at < pair[1].at) {
            found.notes.push(format!("the clock went back before change {}", pair[0].seq));
        }
        let redacted: BTreeSet<&str> =
            changes.iter().filter(|it| it.table == "redaction").map(|it| it.field.as_str()).collect();
        if !redacted.is_empty() {
            found
                .notes
                .push(format!("{} lost texts by redaction", osteon_base::text::counted(redacted.len(), "change")));
        }
        for change in changes.iter().filter(|it| it.table == "run" && it.field == "resumed") {
            let parts = change.new.as_deref().unwrap_or_default();
            found.notes.push(format!(
                "fit {}: went on from {parts} of an interrupted one, as the trail tells of them",
                change.row
            ));
        }
        let altered = self.store.altered_values()?;
        let values_are_altered = !altered.is_empty();
        found.findings.extend(
            altered.into_iter().map(|place| format!("{place}: the feature values are not those that were stored")),
        );
        if !self.store.altered_parts()?.is_empty() {
            found.findings.push(
                "kept parts of an interrupted fit are not those that were kept; a fit makes them again".to_owned(),
            );
        }
        self.verify_inputs(&mut found)?;
        found.findings.extend(self.fits_that_differ(&changes)?);
        found.notes.extend(self.region_notes()?);
        self.verify_fit(&mut found, &changes, values_are_altered)?;
        Ok(found)
    }

    /// Fits of the same data, protocol, seed and program have the same bytes: two that differ are not both computed.
    fn fits_that_differ(&self, changes: &[Change]) -> Result<Vec<String>, Error> {
        let mut seen: BTreeMap<[String; 4], (i64, String)> = BTreeMap::new();
        let mut findings = Vec::new();
        for run in self.store.runs()?.into_iter().rev().filter(|run| run.kind == "fit" && run.finished_at.is_some()) {
            let id = run.id.0.to_string();
            if !changes.iter().any(|it| it.table == "run" && it.row == id) {
                continue;
            }
            let learnt = self.store.learnt(run.id)?;
            let same = [run.inputs, run.protocol_hash, run.seed.0.to_string(), run.program_version];
            match seen.get(&same) {
                Some((first, other)) if *other != learnt => findings.push(format!(
                    "fit {id}: fit {first} has the same data, protocol, seed and program, and other models"
                )),
                Some(_) => (),
                None => drop(seen.insert(same, (run.id.0, learnt))),
            }
        }
        Ok(findings)
    }

    fn verify_files(&self, found: &mut Verification, job: &Job) -> Result<(), Error> {
        let files = self.store.images()?;
        let stage = job.stage("images", files.len());
        for file in &files {
            let path = self.path_of(file);
            match input::image_bytes(&path, None, osteon_radiomics::read::Uneven::Resample) {
                Ok(bytes) if bytes.sha256 == file.sha256 => {
                    let is_grid = bytes.geometry().is_none_or(|geometry| *geometry == file.geometry);
                    if !is_grid || bytes.len != file.bytes {
                        let what = "the stored grid or size is not that of the file: link it again";
                        found.findings.push(format!("{}: {what}", path.display()));
                    }
                }
                Ok(_) => found.findings.push(format!("{}: not the file that was imported", path.display())),
                Err(cause) => found.findings.push(cause.in_full()),
            }
            stage.step()?;
        }
        found.images = files.len();
        Ok(())
    }

    /// Whether the newest fit was learnt from the data that are stored now. Where they differ, either something was done
    /// since, or something was altered unseen.
    fn verify_fit(&self, found: &mut Verification, changes: &[Change], altered: bool) -> Result<(), Error> {
        let runs = self.store.runs()?;
        let Some(fit) = runs.iter().find(|run| run.kind == "fit" && run.finished_at.is_some()) else { return Ok(()) };
        if self.view == View::Blind {
            return Ok(());
        }
        // Told already: what the trail has a hash of is another.
        if matches!(self.store.models_of(fit.id), Err(StoreError::AlteredModels(_))) {
            return Ok(());
        }
        match self.standing_of_fit()? {
            // A fit's hash is over digests: it stands only where the values are those of their digests.
            Some(Standing::Current) if altered => (),
            None | Some(Standing::Current) => return Ok(()),
            Some(Standing::NotComparable) => {
                let note = format!("fit {}: of an earlier version, not comparable with the present data", fit.id.0);
                found.notes.push(note);
                return Ok(());
            }
            Some(Standing::Changed(_)) => (),
        }
        let since = changes.iter().take_while(|change| change.hash != fit.trail_head);
        let is_data = |table: &str| ["patient", "image", "study", "protocol", "split", "shard"].contains(&table);
        let was_changed = since.filter(|change| is_data(&change.table)).count() > 0;
        let was_measured = runs.iter().any(|run| !["fit", KIND].contains(&run.kind.as_str()) && run.id.0 > fit.id.0);
        if was_changed || was_measured {
            found.notes.push("the data changed since the newest fit: fit again".to_owned());
        } else {
            found.findings.push(format!("fit {}: learnt from other data than those stored now", fit.id.0));
        }
        Ok(())
    }

    /// Results of other files than those that are linked now.
    fn verify_inputs(&self, found: &mut Verification) -> Result<(), Error> {
        let mut files: BTreeMap<PatientId, Vec<ImageFile>> = BTreeMap::new();
        for file in self.store.images()? {
            files.entry(file.patient).or_default().push(file);
        }
        let codes: BTreeMap<PatientId, String> =
            self.store.patients()?.into_iter().map(|patient| (patient.id, patient.code)).collect();
        let states = self.store.region_states()?;
        found.regions = states.len();
        for state in states {
            let own = files.get(&state.patient).map_or(&[][..], Vec::as_slice);
            if self.protocol.inputs(own, &state.place) != Some(state.inputs) {
                let code = codes.get(&state.patient).map_or("", String::as_str);
                let place = format!("{code} {} {}", state.place.region_name(), state.place.rater.name());
                found.findings.push(format!("{place}: measured from other files than those linked now"));
            }
        }
        Ok(())
    }
}

/// What the trail holds behind a head that was noted: who knows that nothing was done since looks here.
fn after(expected: &Change, changes: &[Change]) -> Vec<String> {
    let later: Vec<&Change> = changes.iter().take_while(|change| change.seq > expected.seq).collect();
    let mut notes = vec![format!("the expected head is change {}; {} after it", expected.seq, later.len())];
    let mut groups: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for change in &later {
        let day = change.at.get(..10).unwrap_or_default();
        *groups.entry((day, &change.actor, &change.table)).or_default() += 1;
    }
    notes.extend(groups.into_iter().map(|((day, actor, table), n)| {
        format!("after the expected head: {} of {table} by {actor} on {day}", osteon_base::text::counted(n, "change"))
    }));
    notes
}
