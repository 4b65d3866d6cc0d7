//! The features of a source, one row a patient: of the rater who is learnt from, of the lesion that stands for the patient,
//! and as changes between two timepoints.

use std::collections::BTreeMap;

use crate::protocol::learn::{Delta, Lesions};
use crate::protocol::source::{FUSED, Source};
use crate::store::{ALL_LESIONS, PatientId, Role, natural};
use crate::study::{Error, Study};

/// Names of features, and each patient's values; `None` where the source was not measured.
pub(in crate::study) type SourceRows = (Vec<String>, Vec<Option<Row>>);
type Row = Vec<Option<f64>>;

impl Study {
    /// Whose masks are learnt from.
    pub(in crate::study) fn rater(&self) -> Role {
        Role::named(&self.protocol.learn.rater)
    }

    /// Whose masks they are compared with: the repeat masks, else those of the first other rater by name.
    pub(in crate::study) fn second_rater(&self) -> Result<Option<Role>, Error> {
        let mut others = self.store.raters()?;
        others.retain(|rater| *rater != self.rater());
        if others.contains(&Role::RepeatMask) {
            return Ok(Some(Role::RepeatMask));
        }
        others.sort();
        Ok(others.into_iter().next())
    }

    /// Whose masks are compared, in words.
    pub(in crate::study) fn masks_in_words(&self, second: &Role) -> String {
        match (self.rater(), second) {
            (Role::Mask, Role::RepeatMask) => "the mask and the repeat mask".to_owned(),
            (Role::Mask, second) => format!("the first mask and that of {}", second.name()),
            (first, second) => format!("the masks of {} and {}", first.name(), second.name()),
        }
    }

    /// The source of a name, the one of all sources together too.
    pub(in crate::study) fn source(&self, name: &str) -> Result<Vec<Source>, Error> {
        if name == FUSED {
            return Ok(self.protocol.sources());
        }
        let all = self.protocol.all_sources();
        let valid = || all.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = all.iter().find(|source| source.name == name).cloned();
        Ok(vec![found.ok_or_else(|| Error::Field { found: name.to_owned(), valid: valid() })?])
    }

    /// The features of the source of a name.
    pub(in crate::study) fn rows_named(
        &self,
        name: &str,
        rater: &Role,
        ids: &[PatientId],
    ) -> Result<SourceRows, Error> {
        let sources = self.source(name)?;
        let is_fused = name == FUSED;
        let (mut names, mut rows) = (Vec::new(), vec![Some(Row::new()); ids.len()]);
        for source in &sources {
            let (own, values) = self.rows_of(source, rater, ids)?;
            let named = |feature: String| if is_fused { format!("{}.{feature}", source.name) } else { feature };
            names.extend(own.into_iter().map(named));
            for (row, values) in rows.iter_mut().zip(values) {
                *row = row.take().zip(values).map(|(row, values)| [row, values].concat());
            }
        }
        Ok((names, rows))
    }

    /// The features of a source as one rater drew it.
    pub(in crate::study) fn rows_of(
        &self,
        source: &Source,
        rater: &Role,
        ids: &[PatientId],
    ) -> Result<SourceRows, Error> {
        let (names, now) = self.measured(&source.slot, &source.region, rater, ids)?;
        let Some(earlier) = &source.earlier else { return Ok((names, now)) };
        let (_, before) = self.measured(earlier, &source.region, rater, ids)?;
        let kinds: &[Change] = match self.protocol.learn.delta {
            Delta::Difference => &[Change::Difference],
            Delta::Ratio => &[Change::Ratio],
            Delta::Both | Delta::None => &[Change::Difference, Change::Ratio],
        };
        let change = |(now, before): (&Option<Row>, &Option<Row>)| {
            let (now, before) = (now.as_ref()?, before.as_ref()?);
            Some(kinds.iter().flat_map(|kind| now.iter().zip(before).map(|(now, was)| kind.of(*was, *now))).collect())
        };
        let rows = now.iter().zip(&before).map(change).collect();
        let named = |kind: &Change| names.iter().map(|name| format!("{}_{name}", kind.name())).collect::<Vec<_>>();
        Ok((kinds.iter().flat_map(named).collect(), rows))
    }

    /// The features of one slot and region, of the lesion that stands for each patient.
    pub(in crate::study) fn measured(
        &self,
        slot: &str,
        region: &str,
        rater: &Role,
        ids: &[PatientId],
    ) -> Result<SourceRows, Error> {
        let matrix = self.store.matrix(slot, region, rater)?;
        let width = matrix.features.len();
        let mut found: BTreeMap<PatientId, Vec<(&str, usize)>> = BTreeMap::new();
        for (at, (patient, lesion)) in matrix.patients.iter().zip(&matrix.lesions).enumerate() {
            found.entry(*patient).or_default().push((lesion, at));
        }
        let several = found.values().any(|lesions| lesions.len() > 1) || self.protocol.slots().len() > 1;
        let chosen = if several { self.lesions()? } else { BTreeMap::new() };
        let row = |id: &PatientId| {
            let lesions = found.get(id)?;
            let at = match chosen.get(id) {
                None => lesions.first()?.1,
                Some(chosen) => lesions.iter().find(|(lesion, _)| lesion == chosen)?.1,
            };
            Some(matrix.values[at * width..(at + 1) * width].to_vec())
        };
        Ok((matrix.features.clone(), ids.iter().map(row).collect()))
    }

    /// The lesion that stands for each patient who has several, in every slot and for every rater: chosen in the first
    /// slot in which the rater who is learnt from drew any, so that a change and an agreement compare one lesion.
    pub(in crate::study) fn lesions(&self) -> Result<BTreeMap<PatientId, String>, Error> {
        let rater = self.rater();
        let mut found: BTreeMap<PatientId, Vec<(String, f64)>> = BTreeMap::new();
        for slot in self.protocol.slots() {
            let mut here: BTreeMap<PatientId, Vec<(String, f64)>> = BTreeMap::new();
            for (patient, lesion, volume_mm3) in self.store.lesion_volumes(&slot.slot, &rater)? {
                here.entry(patient).or_default().push((lesion, volume_mm3));
            }
            for (patient, lesions) in here {
                found.entry(patient).or_insert(lesions);
            }
        }
        let wants_all = self.protocol.learn.lesions == Lesions::All;
        let chosen = |(patient, mut lesions): (PatientId, Vec<(String, f64)>)| {
            lesions.sort_by_cached_key(|(lesion, _)| natural(lesion));
            let is_all = |(lesion, _): &&(String, f64)| lesion == ALL_LESIONS;
            let best = match lesions.iter().find(is_all).filter(|_| wants_all) {
                Some(all) => Some(all),
                None => {
                    lesions.iter().filter(|it| !is_all(it)).reduce(|best, it| if it.1 > best.1 { it } else { best })
                }
            };
            best.filter(|_| lesions.len() > 1).map(|(lesion, _)| (patient, lesion.clone()))
        };
        Ok(found.into_iter().filter_map(chosen).collect())
    }
}

#[derive(Clone, Copy)]
pub(in crate::study) enum Change {
    Difference,
    Ratio,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Change::Difference => "difference",
            Change::Ratio => "ratio",
        }
    }

    fn of(self, was: Option<f64>, now: Option<f64>) -> Option<f64> {
        let (was, now) = (was?, now?);
        let change = match self {
            Change::Difference => now - was,
            Change::Ratio => now / was,
        };
        Some(change).filter(|value| value.is_finite())
    }
}
