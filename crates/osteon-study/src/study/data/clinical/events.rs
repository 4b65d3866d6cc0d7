//! Longitudinal exports of REDCap: several rows a patient, one an event and repeat, become one.
//!
//! A variable is taken from the events of its own moment, so that one column may feed two variables. One that is filled
//! at earlier events only is taken from there; what is measured later is not read.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::codebook::Codebook;
use crate::protocol::codebook::variable::Moment;
use crate::study::Refusal;
use crate::study::data::clinical::header::{Column, Header, key};
use crate::study::data::clinical::map::{Map, NOT_READ, Take};
use crate::study::data::clinical::rows::Line;
use crate::study::data::clinical::{Clinical, Entry, Record};

/// The columns by which an export tells its rows apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    event: Option<usize>,
    instrument: Option<usize>,
    instance: Option<usize>,
    /// Data access group.
    pub group: Option<usize>,
}

/// A patient's row and its event.
struct Visit<'a> {
    line: &'a Line<'a>,
    event: &'a str,
    /// `None` where the file has no events.
    moment: Option<Moment>,
}

/// What of a column was not taken, by event.
type Left = BTreeMap<String, usize>;

impl Frame {
    /// The columns by their names in raw and in labelled exports; `None` where a file has neither events nor repeats.
    pub fn find(headers: &[String], code: usize) -> Option<Frame> {
        let place =
            |names: [&str; 2]| (0..headers.len()).find(|&at| at != code && names.contains(&key(&headers[at]).as_str()));
        let frame = Frame {
            event: place(["redcap_event_name", "event_name"]),
            instrument: place(["redcap_repeat_instrument", "repeat_instrument"]),
            instance: place(["redcap_repeat_instance", "repeat_instance"]),
            group: place(["redcap_data_access_group", "data_access_group"]),
        };
        (frame.event.is_some() || frame.instrument.is_some() || frame.group.is_some()).then_some(frame)
    }

    pub fn places(&self) -> Vec<usize> {
        [self.event, self.instrument, self.instance].into_iter().flatten().collect()
    }

    fn text<'a>(line: &'a Line, at: Option<usize>) -> &'a str {
        at.map_or("", |at| line.cells.text(at))
    }
}

/// The moment that an event's name tells; `None` where it tells none.
fn moment(event: &str) -> Option<Moment> {
    let event = event.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| event.contains(word));
    let treatment = ["chemo", "treat", "therap", "nac"];
    let is_pre = event.starts_with("pre") && says(&treatment);
    match () {
        () if says(&["follow", "outcome", "surviv", "relapse", "recurr"]) => Some(Moment::FollowUp),
        // After chemotherapy, before or at surgery: nobody but the study knows.
        () if says(&["post"]) && says(&treatment) => None,
        () if says(&["surg", "operat", "preop", "pre-op", "pre_op", "resect", "histol"]) => Some(Moment::Surgery),
        () if is_pre || says(&["base", "screen", "diagnos", "enrol", "biops", "initial", "inclusion"]) => {
            Some(Moment::Baseline)
        }
        () if event.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches("_arm_") == "pre" => {
            Some(Moment::Baseline)
        }
        () if says(&["cycle", "during", "interim"]) || says(&treatment) => Some(Moment::Treatment),
        () => None,
    }
}

/// One record a patient.
pub fn merge<'a>(
    lines: &'a [Line<'a>],
    header: &Header,
    frame: &Frame,
    book: &Codebook,
    map: &Map,
    told: &mut Clinical,
) -> Vec<Record<'a>> {
    let moments = moments(lines, header, frame, map, told);
    let (mut order, mut patients): (Vec<&str>, BTreeMap<&str, Vec<Visit>>) = (Vec::new(), BTreeMap::new());
    let (mut skipped, mut seen) = (0, BTreeMap::new());
    for line in lines {
        let event = Frame::text(line, frame.event);
        let own = (line.code.as_str(), event, Frame::text(line, frame.instrument), Frame::text(line, frame.instance));
        if let Some(first) = seen.insert(own, line.line) {
            told.refused.push(Refusal {
                line: line.line,
                column: header.texts[header.code].clone(),
                value: line.code.clone(),
                expected: format!("each patient, event and repeat once; it is on line {first} too"),
            });
            continue;
        }
        if !patients.contains_key(line.code.as_str()) {
            order.push(&line.code);
        }
        let visits = patients.entry(&line.code).or_default();
        match (frame.event, moments.get(event)) {
            (None, _) => visits.push(Visit { line, event, moment: None }),
            (_, Some(&moment)) => visits.push(Visit { line, event, moment: Some(moment) }),
            // Patients of events that are not read are patients all the same.
            _ => skipped += 1,
        }
    }
    tell_events(lines.len(), order.len(), &moments, skipped, told);
    let takers: Vec<Taker> =
        header.columns.iter().map(|column| Taker::of(column, frame, &patients, book, map, told)).collect();
    let mut lefts: Vec<Left> = vec![Left::new(); takers.len()];
    let first_line: BTreeMap<&str, u64> = lines.iter().rev().map(|line| (line.code.as_str(), line.line)).collect();
    let mut records = Vec::new();
    for code in order {
        let visits = &patients[code];
        let mut entries = Vec::with_capacity(takers.len());
        for (taker, left) in takers.iter().zip(&mut lefts) {
            entries.push(taker.take(visits, first_line[code], left, header, told));
        }
        records.push(Record { line: first_line[code], code: code.to_owned(), entries });
    }
    for (taker, left) in takers.iter().zip(lefts).filter(|(_, left)| !left.is_empty()) {
        let events: Vec<String> = left.into_iter().map(|(event, n)| format!("{n} at {event}")).collect();
        told.notes.push(format!("{}: values not read: {}", taker.name, events.join(", ")));
    }
    records
}

/// The moment of each event that is read; an event without one is refused.
fn moments<'a>(
    lines: &'a [Line],
    header: &Header,
    frame: &Frame,
    map: &Map,
    told: &mut Clinical,
) -> BTreeMap<&'a str, Moment> {
    let mut moments = BTreeMap::new();
    let Some(at) = frame.event else { return moments };
    let events: BTreeSet<&str> = lines.iter().map(|line| line.cells.text(at)).collect();
    for event in events {
        match map.redcap.events.get(event).map(String::as_str) {
            Some(NOT_READ) => (),
            Some(name) => drop(moments.insert(event, Moment::named(name).expect("a map was checked"))),
            None => match moment(event) {
                Some(moment) => drop(moments.insert(event, moment)),
                None => {
                    told.whole.push(Refusal {
                        line: lines.iter().find(|line| line.cells.text(at) == event).map_or(0, |line| line.line),
                        column: header.texts[at].clone(),
                        value: event.to_owned(),
                        expected: "an event whose moment is known".to_owned(),
                    });
                    told.hint(format!(
                        "the map gives each event its moment: [redcap.events] \"{event}\" = \"{}\", or \"{NOT_READ}\"",
                        Moment::ALL.map(Moment::name).join("\", \"")
                    ));
                }
            },
        }
    }
    moments
}

fn tell_events(rows: usize, patients: usize, moments: &BTreeMap<&str, Moment>, skipped: usize, told: &mut Clinical) {
    if rows != patients {
        told.notes.push(format!("{rows} rows are {}", osteon_base::text::counted(patients, "patient")));
    }
    if !moments.is_empty() {
        let said: Vec<String> = moments.iter().map(|(event, moment)| format!("{event} is {}", moment.name())).collect();
        told.notes.push(format!("events: {}", said.join(", ")));
    }
    if skipped > 0 {
        told.notes.push(format!("{} of other events not read", osteon_base::text::counted(skipped, "row")));
    }
}

/// From which events a column's variable is taken.
struct Taker<'a> {
    name: &'a str,
    at: usize,
    own: Moment,
    /// `None` takes all events.
    events: Option<BTreeSet<String>>,
    take: Option<Take>,
}

impl<'a> Taker<'a> {
    fn of(
        column: &Column,
        frame: &Frame,
        patients: &BTreeMap<&str, Vec<Visit>>,
        book: &'a Codebook,
        map: &Map,
        told: &mut Clinical,
    ) -> Taker<'a> {
        let variable = &book.variables[column.place];
        let (name, own, at) = (variable.name.as_str(), variable.moment, column.at);
        let mut taker = Taker { name, at, own, events: None, take: map.take(name) };
        if frame.event.is_none() || frame.group == Some(at) {
            return taker;
        }
        if let Some(event) = map.redcap.from.get(name) {
            taker.events = Some(BTreeSet::from([event.clone()]));
            return taker;
        }
        let mut filled: BTreeMap<&str, (Moment, usize)> = BTreeMap::new();
        for visit in patients.values().flatten().filter(|visit| !visit.line.cells.text(at).is_empty()) {
            filled.entry(visit.event).or_insert((visit.moment.unwrap_or_default(), 0)).1 += 1;
        }
        let of = |is: &dyn Fn(Moment) -> bool| -> BTreeSet<String> {
            filled.iter().filter(|(_, (moment, _))| is(*moment)).map(|(event, _)| (*event).to_owned()).collect()
        };
        let (now, before) = (of(&|moment| moment == own), of(&|moment| moment < own));
        if now.is_empty() && !before.is_empty() {
            let from: Vec<&str> = before.iter().map(String::as_str).collect();
            told.warnings.push(format!(
                "{name} is known at {} and filled at {} only: taken from there",
                own.name(),
                from.join(", ")
            ));
            taker.events = Some(before);
            return taker;
        }
        if now.is_empty() && !filled.is_empty() {
            let later: Vec<&str> = filled.keys().copied().collect();
            told.warnings.push(format!(
                "{name} is known at {} and filled at {} only, which is later: not read; [redcap.from] {name} = \"{}\" in the \
                 map takes it from there",
                own.name(),
                later.join(", "),
                later[0]
            ));
        }
        taker.events = Some(now);
        taker
    }

    /// The cell of a patient; several that differ are refused unless the map says which one is meant.
    fn take<'b>(
        &self,
        visits: &[Visit<'b>],
        line: u64,
        left: &mut Left,
        header: &Header,
        told: &mut Clinical,
    ) -> Entry<'b> {
        let is_own = |visit: &&Visit| self.events.as_ref().is_none_or(|events| events.contains(visit.event));
        let filled = || visits.iter().filter(|visit| !visit.line.cells.text(self.at).is_empty());
        let own: Vec<&Visit> = filled().filter(is_own).collect();
        for other in filled().filter(|visit| !is_own(visit)) {
            *left.entry(other.event.to_owned()).or_default() += 1;
        }
        let cell = |visit: &Visit<'b>| Entry { line: visit.line.line, cell: visit.line.cells.text(self.at) };
        let (Some(first), Some(last)) = (own.first(), own.last()) else { return Entry { line, cell: "" } };
        let differs = own.iter().find(|visit| cell(visit).cell != cell(first).cell);
        match (differs, self.take) {
            (None, _) => cell(first),
            (Some(other), None) => {
                let moment = if first.moment.is_some() { format!(" at {}", self.own.name()) } else { String::new() };
                told.refused.push(Refusal {
                    line: other.line.line,
                    column: header.texts[self.at].clone(),
                    value: cell(other).cell.to_owned(),
                    expected: format!(
                        "one value of {}{moment}; line {} has {}",
                        self.name,
                        first.line.line,
                        cell(first).cell
                    ),
                });
                told.hint(format!(
                    "the map says which of several values is taken: [redcap.take] {0} = \"first\" or \"last\"; or from which \
                     event: [redcap.from] {0} = \"{1}\"",
                    self.name, first.event
                ));
                cell(first)
            }
            (Some(_), Some(take)) => {
                let taken = if take == Take::First { first } else { last };
                for other in own.iter().filter(|visit| visit.line.line != taken.line.line) {
                    let event = if other.event.is_empty() { "a repeat" } else { other.event };
                    *left.entry(event.to_owned()).or_default() += 1;
                }
                cell(taken)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_tells_its_moment_or_is_asked_about() {
        let check = |event: &str, expected: Option<Moment>| assert_eq!(moment(event), expected, "{event}");
        check("baseline_arm_1", Some(Moment::Baseline));
        check("pre_arm_1", Some(Moment::Baseline));
        check("pretreatment_arm_1", Some(Moment::Baseline));
        check("Pre-therapy", Some(Moment::Baseline));
        check("presurgery_arm_1", Some(Moment::Surgery));
        check("surgery_arm_2", Some(Moment::Surgery));
        check("chemo_cycle_1_arm_1", Some(Moment::Treatment));
        check("follow_up_12m_arm_1", Some(Moment::FollowUp));
        check("post_chemo_arm_1", None);
        check("visit_3_arm_1", None);
        check("", None);
    }
}
