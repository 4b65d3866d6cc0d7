//! What is taken out of a study for good: a value, a reason, all that a patient gave.

use std::path::PathBuf;

use crate::store::{Change, ChangeFilter, Link, Part, Patient, REDACTED, Write};
use crate::study::data::edit::required;
use crate::study::data::rules;
use crate::study::{Error, Study};

/// What becomes of the data of a patient who withdraws consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// What was collected stays; the patient is excluded.
    Keep,
    /// Values, texts, linked files and features go.
    Erase,
}

/// What was taken out, and what is left to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    pub values: usize,
    pub queries: usize,
    pub files: usize,
    pub verdicts: usize,
    pub results: usize,
    /// Links of the trail that lost a text.
    pub links: usize,
    /// Whether the counts may be told.
    pub is_told: bool,
    /// Study files beside this one that still hold what was taken out.
    pub copies: Vec<PathBuf>,
    /// Whether another program reads the file just now, so that what was taken out is still in its pages.
    pub is_pending: bool,
    /// What stays, one sentence each.
    pub stays: Vec<String>,
}

/// The word for all reasons that were given for a patient.
const REASONS: &str = "reasons";

impl Study {
    /// Takes a patient's value of a variable out of the file, its trail and its queries; or, for the field `reasons`, all
    /// that was written as a reason.
    pub fn redact(&self, code: &str, field: &str, reason: &str) -> Result<Redaction, Error> {
        let reason = required(reason)?;
        let variable = if field == REASONS { None } else { Some(self.variable_to_write(field)?) };
        // What was there to be taken out would be told.
        if variable.is_some_and(|variable| !self.may_see(&variable.name)) {
            return Err(Error::Blind);
        }
        if let Some(formula) = variable.and_then(|variable| variable.formula.as_ref()) {
            let text = formula.text();
            return Err(Error::Request(format!("{field} is computed ({text}); redact what its formula reads")));
        }
        let done = self.store.write(&reason, |write| {
            let mut done = Redaction::default();
            let patient = write.patient(code)?;
            let first = write.last_change()? + 1;
            match variable {
                Some(variable) => {
                    let fields = [variable.name.as_str(), variable.key.as_str()];
                    done.values = write.erase_values(patient.id, Some(&variable.key))?;
                    done.queries = write.erase_queries(patient.id, &fields)?;
                    rules::apply(write, &self.protocol, code)?;
                    let links = of_field(write, code, &variable.key, fields)?;
                    let known: Vec<String> = links.iter().flat_map(|(it, _)| [it.old.clone(), it.new.clone()]).flatten().collect();
                    write.unsalt_imports(&links)?;
                    done.links = write.redact_links(&links)?;
                    let n = quoting(write, code, &known)?;
                    if n > 0 {
                        done.stays.push(format!(
                            "{n} other texts of {code} hold the same text (queries on other fields, reasons): osteon log {code}"
                        ));
                    }
                    done.stays.push(format!(
                        "reasons that were given for {code} may quote the value: osteon redact {code} {REASONS} takes them out"
                    ));
                }
                None => {
                    write.erase_exclusion(patient.id, REDACTED)?;
                    write.erase_notes(patient.id)?;
                    done.links = write.redact_links(&reasons(write, code, first)?)?;
                    done.stays.push("the same reason in changes of other patients, as after an import".to_owned());
                }
            }
            Ok::<_, Error>(done)
        })?;
        self.cleaned(done)
    }

    /// Takes out the reason of a change, and of all changes that were made for the same one.
    pub fn redact_reason(&self, seq: i64, reason: &str) -> Result<Redaction, Error> {
        let reason = required(reason)?;
        let unknown = || Error::Request(format!("no change {seq}; osteon log --format csv lists them"));
        let seq = self.changes_seen()?.into_iter().find(|(_, it)| it.seq == seq).ok_or_else(unknown)?.0;
        let done = self.store.write(&reason, |write| {
            let wanted = write.changes_between(seq, seq)?.into_iter().next().ok_or_else(unknown)?.reason;
            let all = write.changes(&ChangeFilter::default())?;
            let same: Vec<(Change, Part)> =
                all.into_iter().filter(|it| it.reason == wanted).map(|it| (it, Part::Reason)).collect();
            let links = write.redact_links(&same)?;
            Ok::<_, Error>(Redaction { links, ..Redaction::default() })
        })?;
        self.cleaned(done)
    }

    /// Excludes a patient who withdrew consent, and erases what is known of them where that is asked for.
    pub fn withdraw(&self, code: &str, how: Withdrawal, reason: &str) -> Result<Redaction, Error> {
        let reason = required(reason)?;
        let exclusion = format!("consent withdrawn: {reason}");
        let done = self.store.write(&exclusion, |write| {
            let mut done = Redaction::default();
            let patient = write.patient(code)?;
            let first = write.last_change()? + 1;
            exclude(write, &patient, &exclusion, how)?;
            if how == Withdrawal::Erase {
                write.withdraw(code, "erase")?;
                done.values = write.erase_values(patient.id, None)?;
                done.queries = write.erase_queries(patient.id, &[])?;
                (done.files, done.results) = write.erase_images(patient.id)?;
                done.verdicts = write.erase_verdicts(patient.id)?;
                write.forget_parts()?;
                rules::apply(write, &self.protocol, code)?;
                let links = all_of(write, code, first)?;
                write.unsalt_imports(&links)?;
                done.links = write.redact_links(&links)?;
                done.stays.extend([
                    format!("the id {code}, the set of the split, and who changed something when"),
                    "models and predictions of fits that learned from the patient: a new fit leaves the patient out"
                        .to_owned(),
                    "image files on disk, which are not the study's".to_owned(),
                ]);
            } else {
                write.withdraw(code, "keep")?;
            }
            rules::apply(write, &self.protocol, code)?;
            Ok::<_, Error>(done)
        })?;
        if how == Withdrawal::Erase { self.cleaned(done) } else { Ok(done) }
    }

    /// Empties what the file freed, and names what else holds it.
    fn cleaned(&self, mut done: Redaction) -> Result<Redaction, Error> {
        done.is_told = !self.is_blind();
        if !done.is_told {
            // How much there was to take out tells what a blind reader may not see.
            done = Redaction::default();
        }
        done.is_pending = !self.store.purge()?;
        done.copies = self.store.copies_beside();
        done.stays.push(
            "the hash of each change as it was; in changes of before schema 6, which have no salt, a value of few possibilities \
             can be found by trying them on it"
                .to_owned(),
        );
        Ok(done)
    }
}

fn exclude(write: &Write, patient: &Patient, reason: &str, how: Withdrawal) -> Result<(), Error> {
    if patient.included() {
        write.exclude_patient(patient, Some(reason))?;
    } else {
        // In two steps, so that no link holds both the earlier reason, which goes, and the new one.
        if how == Withdrawal::Erase {
            write.erase_exclusion(patient.id, REDACTED)?;
        }
        write.erase_exclusion(patient.id, reason)?;
    }
    Ok(())
}

fn of_patient(write: &Write, code: &str) -> Result<Vec<Change>, Error> {
    Ok(write.changes(&ChangeFilter { row: code.to_owned(), ..ChangeFilter::default() })?)
}

/// The links that tell a variable's values, as the trail and queries name it.
fn of_field(write: &Write, code: &str, key: &str, names: [&str; 2]) -> Result<Vec<(Change, Part)>, Error> {
    let at = format!("{key} at ");
    let is_own = |it: &Change| match it.table.as_str() {
        "patient" => it.field == key || it.field.starts_with(&at),
        "query" => {
            let link = Link::of(&it.field);
            names.contains(&link.name) && link.what != Some("state")
        }
        _ => false,
    };
    let own = of_patient(write, code)?.into_iter().filter(is_own);
    Ok(own.map(|it| (it, Part::Values)).collect())
}

/// How many other texts of a patient hold one of these, of three characters and more.
fn quoting(write: &Write, code: &str, known: &[String]) -> Result<usize, Error> {
    let is_own = |word: &String| word.len() >= 3 && word != REDACTED && !word.starts_with("missing: ");
    let known: Vec<&String> = known.iter().filter(|word| is_own(word)).collect();
    let holds =
        |text: &Option<String>| text.as_ref().is_some_and(|text| known.iter().any(|it| text.contains(it.as_str())));
    let quotes =
        |it: &Change| it.table == "query" && (holds(&it.old) || holds(&it.new)) || holds(&Some(it.reason.clone()));
    Ok(of_patient(write, code)?.iter().filter(|it| it.table != "redaction" && quotes(it)).count())
}

/// Whether it tells a verdict with a reader's note; without one the mask's hash comes last.
fn has_note(it: &Change) -> bool {
    let is_hash = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    it.table == "verdict" && it.new.as_ref().is_some_and(|text| !text.rsplit(' ').next().is_some_and(is_hash))
}

/// The links whose reason somebody wrote before, and what tells why the patient was excluded.
fn reasons(write: &Write, code: &str, first: i64) -> Result<Vec<(Change, Part)>, Error> {
    let tells = |it: &Change| it.field == "exclusion_reason" && it.table == "patient" || has_note(it);
    let part = |it: &Change| match (tells(it), it.seq < first) {
        (true, true) => Some(Part::Both),
        (true, false) => Some(Part::Values),
        (false, true) => Some(Part::Reason),
        (false, false) => None,
    };
    let own = of_patient(write, code)?.into_iter().filter(|it| it.table != "redaction");
    Ok(own.filter_map(|it| part(&it).map(|part| (it, part))).collect())
}

/// Every link about a patient that tells more than that something was changed.
fn all_of(write: &Write, code: &str, first: i64) -> Result<Vec<(Change, Part)>, Error> {
    let part = |it: &Change| {
        let tells = match it.table.as_str() {
            "patient" if it.field == "exclusion_reason" => it.seq < first || it.new.as_deref() == Some(REDACTED),
            "patient" => !matches!(it.field.as_str(), "code" | "included"),
            "query" => Link::of(&it.field).what != Some("state"),
            "image" | "verdict" => true,
            _ => false,
        };
        match (tells, it.seq < first) {
            (true, true) => Some(Part::Both),
            (true, false) => Some(Part::Values),
            (false, true) => Some(Part::Reason),
            (false, false) => None,
        }
    };
    let is_own = |it: &Change| matches!(it.table.as_str(), "patient" | "query" | "image" | "verdict");
    let own = of_patient(write, code)?.into_iter().filter(is_own);
    Ok(own.filter_map(|it| part(&it).map(|part| (it, part))).collect())
}
