//! A file of labels or segments to a region on its image's grid.

use crate::grid::{Geometry, Mask, Volume};
use crate::read::dicom;
use crate::read::label::{self, Inside, Tally, listed};
use crate::read::place::{self, Params};
use crate::read::{Header, Label, Limits, Present, ReadError, Reading, Region, Segment, Source, fill, header, voxels};

/// What is picked of a file: a label by number, or a segment by name (`all` is every label).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick<'a> {
    pub label: Label,
    pub name: Option<&'a str>,
    /// Which of several layers holds the label, from 0 on; a file of one layer has no other.
    pub channel: Option<usize>,
}

/// The region of a file, on the grid of its image.
pub fn region(
    source: Source,
    pick: Pick,
    image: &Geometry,
    params: &Params,
    limits: &Limits,
) -> Result<Region, ReadError> {
    let header = header(source.bytes, limits)?;
    let mut tallies = vec![Tally::default(); header.layers.count];
    let mut trailing = false;
    header.decode(source, |layer, value| tallies[layer].note(value), &mut trailing)?;
    tallies.iter_mut().for_each(Tally::flush);
    let (layer, inside, mut reading) = choose(&header, &tallies, pick)?;
    let mut cells = vec![false; header.geometry.len()];
    let mut at = vec![0; header.layers.count];
    let keep = |own: usize, value: f64| {
        if layer.is_none_or(|layer| own == layer) && inside.holds(value) {
            cells[at[own]] = true;
        }
        at[own] += 1;
    };
    header.decode(source, keep, &mut trailing)?;
    reading.notes.extend(header.notes.iter().cloned());
    reading.notes.extend(trailing.then(|| TRAILING.to_owned()));
    place::place(fill(header.geometry, cells), reading, image, params)
}

/// Said of a file that goes on after its voxels.
pub const TRAILING: &str = "the mask's file goes on after its voxels: the rest was not read";

/// The region of voxels that were read already.
pub fn region_of(values: &Volume, label: Label, image: &Geometry, params: &Params) -> Result<Region, ReadError> {
    let mut tally = Tally::default();
    values.as_slice().iter().for_each(|&value| tally.note(value));
    tally.flush();
    let (inside, reading) = label::choose(&tally, label)?;
    let mask: Mask = values.map(|&value| inside.holds(value));
    place::place(mask, reading, image, params)
}

/// Which layer, or all of them, and what is inside.
fn choose(header: &Header, tallies: &[Tally], pick: Pick) -> Result<(Option<usize>, Inside, Reading), ReadError> {
    if let Some(channel) = pick.channel.filter(|_| tallies.len() > 1) {
        let tally = tallies.get(channel).ok_or(ReadError::NoChannel { channel, n: tallies.len() })?;
        let (inside, reading) = label::choose(tally, pick.label)?;
        return Ok((Some(channel), inside, reading));
    }
    let all = pick.name == Some("all") && !header.segments.iter().any(|segment| segment.name == "all");
    let label = if all { Label::AnyNonZero } else { pick.label };
    // A file that names no segment has labels only, and a number is one.
    let number = pick.name.filter(|_| header.segments.is_empty()).and_then(|name| name.parse().ok());
    let label = number.map_or(label, Label::Value);
    let own = match (pick.name.filter(|_| !all && number.is_none()), label) {
        (Some(name), _) => named(header, tallies, name)?,
        (None, Label::Value(value)) if tallies.len() > 1 => numbered(header, tallies, value)?,
        (None, Label::Only) if tallies.len() > 1 || named_any(header, tallies) => only(header, tallies)?,
        (None, Label::AnyNonZero) if tallies.len() > 1 => return every_layer(header, tallies),
        _ => {
            let (inside, mut reading) = label::choose(&tallies[0], label)?;
            name_labels(header, &mut reading);
            return Ok((Some(0), inside, reading));
        }
    };
    let Segment { name, layer, value, .. } = own;
    let mut picked = Reading { picked: name.clone(), present: kept(header, tallies), ..Reading::default() };
    picked.notes.extend(pick.name.filter(|_| !all && number.is_none()).and_then(|wanted| dicom::renamed(wanted, name)));
    match label::choose(&tallies[*layer], Label::Value(*value)) {
        Ok((inside, reading)) => Ok((Some(*layer), inside, Reading { fractional: reading.fractional, ..picked })),
        Err(_) => Err(ReadError::EmptySegment { name: name.clone(), present: listed(&present(header, tallies)) }),
    }
}

/// The union of all layers, each of which holds labels.
fn every_layer(header: &Header, tallies: &[Tally]) -> Result<(Option<usize>, Inside, Reading), ReadError> {
    for tally in tallies {
        match label::choose(tally, Label::AnyNonZero) {
            Ok((Inside::NonZero, _)) | Err(ReadError::Empty) => (),
            Ok(_) => return Err(ReadError::Layers { n: tallies.len(), present: listed(&present(header, tallies)) }),
            Err(other) => return Err(other),
        }
    }
    if tallies.iter().all(|tally| tally.present().is_empty()) {
        return Err(ReadError::Empty);
    }
    let reading = Reading { picked: "all".to_owned(), present: kept(header, tallies), ..Reading::default() };
    Ok((None, Inside::NonZero, reading))
}

/// The one segment of a name, or of an id where no name says which.
fn named<'a>(header: &'a Header, tallies: &[Tally], name: &str) -> Result<&'a Segment, ReadError> {
    let mut found: Vec<&Segment> = header.segments.iter().filter(|segment| segment.name == name).collect();
    if found.is_empty() {
        found = header.segments.iter().filter(|segment| dicom::is_alike(&segment.name, name)).collect();
    }
    if found.len() != 1 {
        let by_id = header.segments.iter().filter(|segment| segment.id == name);
        found = Some(by_id.collect()).filter(|by_id: &Vec<_>| by_id.len() == 1).unwrap_or(found);
    }
    let listed = || listed(&present(header, tallies));
    match found[..] {
        [only] => Ok(only),
        [] if header.segments.is_empty() => {
            let labels = label::listed(&tallies[0].present());
            Err(ReadError::NoSegments { wanted: name.to_owned(), labels })
        }
        [] => Err(ReadError::NoSegment { wanted: name.to_owned(), present: listed() }),
        _ => {
            let one = |segment: &&Segment| {
                Present { name: segment.id.clone(), voxels: Some(voxels_of(segment, tallies)) }.to_string()
            };
            let ids = found.iter().map(one).collect::<Vec<_>>().join(", ");
            Err(ReadError::SegmentTwice { wanted: name.to_owned(), n: found.len(), ids })
        }
    }
}

/// Whether a named segment has voxels.
fn named_any(header: &Header, tallies: &[Tally]) -> bool {
    header.segments.iter().any(|segment| voxels_of(segment, tallies) > 0)
}

/// The only segment with voxels among those of a label, where several layers may hold it.
fn numbered<'a>(header: &'a Header, tallies: &[Tally], label: i64) -> Result<&'a Segment, ReadError> {
    let drawn = |segment: &&Segment| segment.value == label && voxels_of(segment, tallies) > 0;
    let found: Vec<&Segment> = header.segments.iter().filter(drawn).collect();
    let present = || listed(&present(header, tallies));
    match found[..] {
        [only] => Ok(only),
        [] if header.segments.is_empty() => Err(ReadError::Layers { n: tallies.len(), present: "no name".to_owned() }),
        // Labels that come twice pick none: the number of the segment in the file does.
        [] => {
            let at = usize::try_from(label).ok().and_then(|n| n.checked_sub(1));
            let own = at.and_then(|at| header.segments.get(at)).filter(|segment| voxels_of(segment, tallies) > 0);
            own.ok_or_else(|| ReadError::NoLabel { label, present: present() })
        }
        _ => {
            let own: Vec<Present> = found.iter().map(|segment| counted(segment, tallies)).collect();
            Err(ReadError::SeveralSegments { n: own.len(), present: listed(&own) })
        }
    }
}

/// The only segment with voxels.
fn only<'a>(header: &'a Header, tallies: &[Tally]) -> Result<&'a Segment, ReadError> {
    let drawn = |segment: &&Segment| voxels_of(segment, tallies) > 0;
    let found: Vec<&Segment> = header.segments.iter().filter(drawn).collect();
    let unnamed = unnamed(header, tallies);
    match found[..] {
        [only] if unnamed.is_empty() => Ok(only),
        [_] => {
            let all = [present(header, tallies), unnamed].concat();
            Err(ReadError::SeveralSegments { n: all.len(), present: listed(&all) })
        }
        [] if header.segments.is_empty() => Err(ReadError::Layers { n: tallies.len(), present: "no name".to_owned() }),
        [] => Err(ReadError::Empty),
        _ => Err(ReadError::SeveralSegments { n: found.len(), present: listed(&present(header, tallies)) }),
    }
}

/// The first segments, for the record.
fn kept(header: &Header, tallies: &[Tally]) -> Vec<Present> {
    let mut all = present(header, tallies);
    all.truncate(label::KEPT);
    all
}

/// Labels that no segment has.
fn unnamed(header: &Header, tallies: &[Tally]) -> Vec<Present> {
    let is_named = |layer: usize, label: &Present| {
        let own = |segment: &&Segment| segment.layer == layer && segment.value.to_string() == label.name;
        header.segments.iter().any(|segment| own(&segment))
    };
    let of_layer = |(layer, tally): (usize, &Tally)| {
        let labels = tally.present().into_iter().filter(move |label| !is_named(layer, label));
        labels.map(|label| Present { name: format!("label {}", label.name), ..label }).collect::<Vec<_>>()
    };
    tallies.iter().enumerate().filter(|(_, tally)| tally.is_whole()).flat_map(of_layer).collect()
}

fn voxels_of(segment: &Segment, tallies: &[Tally]) -> usize {
    tallies[segment.layer].near(segment.value)
}

/// The segments with their voxels; of a file without segments its layers' labels are told elsewhere.
fn present(header: &Header, tallies: &[Tally]) -> Vec<Present> {
    header.segments.iter().map(|segment| counted(segment, tallies)).collect()
}

fn counted(segment: &Segment, tallies: &[Tally]) -> Present {
    Present { name: segment.name.clone(), voxels: Some(voxels_of(segment, tallies)) }
}

/// Labels get the names of their segments beside their numbers.
fn name_labels(header: &Header, reading: &mut Reading) {
    for present in &mut reading.present {
        if let Some(segment) = header.segments.iter().find(|segment| segment.value.to_string() == present.name) {
            present.name = format!("{} {}", present.name, segment.name);
        }
    }
}

/// The bytes of the voxels, layer by layer.
impl Header {
    /// Calls `note(layer, value)` for every stored number, in the file's order; `trailing` is set when the file goes on.
    pub(in crate::read) fn decode(
        &self,
        source: Source,
        mut note: impl FnMut(usize, f64),
        trailing: &mut bool,
    ) -> Result<(), ReadError> {
        let total = self.geometry.len();
        let layers = self.layers;
        let mut at = 0usize;
        let each = |value: f64| {
            let layer = if layers.interleaved { at % layers.count } else { at / total };
            at += 1;
            note(layer, value);
        };
        let expected = total * layers.count;
        // Some exporters fill up blocks; ITK reads what the header promises in every format.
        *trailing |= self.layout.decode(voxels(self, source)?.0, expected, each)?;
        Ok(())
    }
}
