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

/// One quantity of a region: its name, its value on the scale on which regions are compared, and in words.
type Quantity = (&'static str, fn(&RegionCheck) -> Option<f64>, fn(f64) -> String);

/// Volumes differ by factors, so their logarithms are compared.
const QUANTITIES: [Quantity; 6] = [
    ("volume", |it| (it.volume_mm3 > 0.0).then(|| it.volume_mm3.ln()), |ln| format!("{:.1} mm³", ln.exp())),
    ("pieces", |it| Some(it.pieces as f64), whole),
    ("holes", |it| Some(it.holes as f64), whole),
    ("slices without the region between its own", |it| Some(it.empty_slices as f64), whole),
    ("share cut off by the image", |it| it.cut_share, percent),
    ("share in air", |it| it.air_share, percent),
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
        for (_, place, check) in self.store.region_checks()?.into_iter().filter(|(owner, ..)| *owner == patient) {
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

/// A sentence for each value beyond 3.5 robust z scores of one region by one rater.
fn far(place: &Place, members: &[(&str, &RegionCheck)]) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, value, told) in QUANTITIES {
        let known: Vec<(&str, f64)> = members.iter().filter_map(|(code, check)| Some((*code, value(check)?))).collect();
        let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
        if known.len() < LEAST_PATIENTS {
            continue;
        }
        let (middle, scores) = robust_z(&values);
        for ((code, value), score) in known.iter().zip(scores).filter(|(_, score)| score.abs() > BEYOND) {
            notes.push(format!(
                "{code} {place}: {name} {}, robust z {score:.1} (median {} of {} patients)",
                told(*value),
                told(middle),
                known.len()
            ));
        }
    }
    notes
}

/// The median, and each value's distance from it in medians of such distances, on the scale of a normal distribution's
/// standard deviation. Where most values are the same, the mean distance takes the median's place; where all are, every
/// score is 0 (Iglewicz and Hoaglin 1993; the fallback is that of SPSS).
fn robust_z(values: &[f64]) -> (f64, Vec<f64>) {
    let middle = median(values);
    let apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    let scale = match (1.4826 * median(&apart), 1.253314 * mean) {
        (mad, _) if mad > 0.0 => mad,
        (_, mean) => mean,
    };
    let score = |value: &f64| if scale > 0.0 { (value - middle) / scale } else { 0.0 };
    (middle, values.iter().map(score).collect())
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
        let (middle, scores) = robust_z(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        assert_eq!(middle, 3.0);
        assert!((scores[4] - 97.0 / 1.482602).abs() < 1e-3 && (scores[0] + 2.0 / 1.482602).abs() < 1e-3);
        let mut same = [1.0; 10];
        assert!(robust_z(&same).1.iter().all(|score| *score == 0.0));
        same[3] = 2.0;
        assert!((robust_z(&same).1[3] - 1.0 / 0.1253314).abs() < 1e-9);
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
