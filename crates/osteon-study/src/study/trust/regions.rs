//! What is known of each region: told of one patient, compared between patients.

use std::collections::BTreeMap;

use crate::store::{PatientId, Place, Role};
use crate::study::{Error, Study};
use osteon_radiomics::diagnose::RegionCheck;

/// With fewer patients nothing is compared.
const LEAST_PATIENTS: usize = 10;
/// Iglewicz and Hoaglin (1993): modified z scores beyond this are outliers.
const BEYOND: f64 = 3.5;
/// Patients that a note names.
const NAMED: usize = 8;

/// Where more than half of the patients share one value, others are listed that no more than this part of them have, or
/// one patient alone.
const RARE: f64 = 0.05;

/// One quantity of a region.
struct Quantity {
    name: &'static str,
    /// On the scale on which regions are compared.
    value: fn(&RegionCheck) -> Option<f64>,
    /// Smaller distances from the median are never listed.
    least: f64,
    told: fn(f64) -> String,
}

/// Volumes differ by factors, so their logarithms are compared. Two pieces or holes more, and less than one part in
/// twenty, are no news however alike the others are: rings of healthy masks have them.
const QUANTITIES: [Quantity; 6] = [
    Quantity {
        name: "volume",
        value: |it| (it.volume_mm3 > 0.0).then(|| it.volume_mm3.ln()),
        least: 0.0,
        told: |ln| format!("{:.1} mm³", ln.exp()),
    },
    Quantity { name: "pieces", value: |it| Some(it.pieces as f64), least: 3.0, told: whole },
    Quantity { name: "holes", value: |it| Some(it.holes as f64), least: 3.0, told: whole },
    Quantity {
        name: "slices without the region between its own",
        value: |it| Some(it.empty_slices as f64),
        least: 3.0,
        told: whole,
    },
    Quantity { name: "proportion cut off by the image", value: |it| it.cut_share, least: 0.05, told: percent },
    Quantity { name: "proportion in air", value: |it| it.air_share, least: 0.05, told: percent },
];

fn whole(value: f64) -> String {
    value.to_string()
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

impl Study {
    /// What each region of a patient is, and how its masks were read: of what, which, and the sentence.
    pub(in crate::study) fn region_lines(&self, patient: PatientId) -> Result<Vec<(String, String, String)>, Error> {
        let (mut lines, mut read) = (Vec::new(), Vec::new());
        for (place, check) in self.store.region_checks_of(patient)? {
            let rater = place.rater.name().to_owned();
            lines.push((rater.clone(), place.region_name(), check.to_string()));
            let line = |told| (rater.clone(), "as read".to_owned(), told);
            let told = check.reading.sentences().into_iter().map(line);
            let new: Vec<_> = told.filter(|line| !read.contains(line)).collect();
            read.extend(new);
        }
        lines.extend(read);
        Ok(lines)
    }

    /// What was decided while masks were read, and regions that are far from those of other patients.
    pub(in crate::study) fn region_notes(&self) -> Result<Vec<String>, Error> {
        let codes: BTreeMap<PatientId, String> =
            self.store.patients()?.into_iter().map(|patient| (patient.id, patient.code)).collect();
        let checks = self.store.region_checks()?;
        let mut said: Vec<(String, Vec<String>)> = Vec::new();
        // Lesions of one slot and region are compared with each other, each under its patient.
        let mut groups: BTreeMap<(&Role, &str, &str), Members> = BTreeMap::new();
        for (patient, place, check) in &checks {
            let code = codes.get(patient).map_or("", String::as_str);
            groups.entry((&place.rater, &place.slot, &place.region)).or_default().push((code, check));
            for sentence in check.reading.sentences() {
                let sentence = format!("{}: {sentence}", place.rater.name());
                match said.iter_mut().find(|(known, _)| *known == sentence) {
                    Some((_, patients)) if patients.iter().any(|known| known == code) => (),
                    Some((_, patients)) => patients.push(code.to_owned()),
                    None => said.push((sentence, vec![code.to_owned()])),
                }
            }
        }
        let mut notes: Vec<String> =
            said.into_iter().map(|(sentence, patients)| format!("{sentence} ({})", named(&patients))).collect();
        for ((rater, slot, region), members) in groups {
            let place = Place { slot: slot.to_owned(), ..Place::of(region, rater.clone()) };
            notes.extend(far(&place, &members));
        }
        Ok(notes)
    }
}

/// Patients with one region each.
type Members<'a> = Vec<(&'a str, &'a RegionCheck)>;

fn named(patients: &[String]) -> String {
    let shown = patients.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match patients.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A sentence for each value of one region by one rater that is far from the others': beyond 3.5 robust z scores, or,
/// where more than half of the patients share one value and no score exists, a value that at most one patient in twenty,
/// or one alone, is as far from it or farther.
fn far(place: &Place, members: &[(&str, &RegionCheck)]) -> Vec<String> {
    let mut notes = Vec::new();
    for Quantity { name, value, least, told } in QUANTITIES {
        let known: Vec<(&str, f64)> = members.iter().filter_map(|(code, check)| Some((*code, value(check)?))).collect();
        let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
        if known.len() < LEAST_PATIENTS {
            continue;
        }
        let (middle, scale) = median_and_scale(&values);
        let as_far = |value: f64| values.iter().filter(|it| (*it - middle).abs() >= (value - middle).abs()).count();
        for (code, value) in known.iter().filter(|(_, value)| (value - middle).abs() >= least) {
            let shown = format!("{code} {place}: {name} {}", told(*value));
            let (n, all) = (values.iter().filter(|it| **it == middle).count(), known.len());
            match scale.map(|scale| (value - middle) / scale) {
                Some(score) if score.abs() > BEYOND => {
                    notes.push(format!("{shown}, robust z {score:.1} (median {} of {all} patients)", told(middle)));
                }
                None if *value != middle && as_far(*value) as f64 <= (RARE * all as f64).max(1.0) => {
                    notes.push(format!("{shown}, where {n} of {all} patients have {}", told(middle)));
                }
                _ => (),
            }
        }
    }
    notes
}

/// The median, and the median distance from it on the scale of a normal distribution's standard deviation; `None` where
/// more than half of the values are the same (Iglewicz and Hoaglin 1993).
fn median_and_scale(values: &[f64]) -> (f64, Option<f64>) {
    let middle = median(values);
    let apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    (middle, Some(1.4826 * median(&apart)).filter(|scale| *scale > 0.0))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n % 2 == 1 { sorted[n / 2] } else { (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robust_z_is_in_scaled_medians_of_distances() {
        // statsmodels 0.14: mad([1, 2, 3, 4, 100]) is 1.482602.
        let (middle, scale) = median_and_scale(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        assert_eq!(middle, 3.0);
        assert!((scale.unwrap() - 1.482602).abs() < 1e-4);
        assert_eq!(median_and_scale(&[1.0, 1.0, 1.0, 2.0]).1, None);
    }

    fn told(pieces: &[usize]) -> Vec<String> {
        let codes: Vec<String> = (0..pieces.len()).map(|at| format!("P{at}")).collect();
        let check = |&pieces: &usize| RegionCheck { volume_mm3: 1.0, pieces, ..RegionCheck::default() };
        let checks: Vec<RegionCheck> = pieces.iter().map(check).collect();
        let members: Vec<(&str, &RegionCheck)> = codes.iter().map(String::as_str).zip(&checks).collect();
        far(&Place::of("intra", Role::Mask), &members)
    }

    #[test]
    fn a_count_that_most_patients_share_has_no_z_and_only_rare_and_larger_steps_are_listed() {
        // Two pieces more are no news.
        assert!(told(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 3]).is_empty());
        assert_eq!(told(&[1, 1, 1, 1, 1, 1, 1, 1, 2, 4]), ["P9 intra (mask): pieces 4, where 8 of 10 patients have 1"]);
        // Two of ten are not rare; one of twenty is.
        assert!(told(&[1, 1, 1, 1, 1, 1, 1, 1, 4, 4]).is_empty());
        assert_eq!(told(&[[1; 18].as_slice(), &[2, 9]].concat()).len(), 1);
    }

    #[test]
    fn regions_are_compared_from_ten_patients_on() {
        let check = |at: usize| RegionCheck {
            volume_mm3: if at == 3 { 10.0 } else { 1000.0 + 10.0 * at as f64 },
            pieces: 1,
            ..RegionCheck::default()
        };
        let codes: Vec<String> = (0..10).map(|at| format!("P{at}")).collect();
        let checks: Vec<RegionCheck> = (0..10).map(check).collect();
        let members: Vec<(&str, &RegionCheck)> = codes.iter().map(String::as_str).zip(&checks).collect();
        let told = far(&Place::of("intra", Role::Mask), &members);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("P3 intra (mask): volume 10.0 mm³, robust z -"), "{told:?}");
        assert!(far(&Place::of("intra", Role::Mask), &members[..9]).is_empty());
    }
}
