//! Conformity with the IBSI's consensus: every value of the digital phantom, and of the CT phantom where it is.

use osteon_base::job::Job;
use osteon_radiomics::feature::ibsi::Part;
use osteon_study::report::conformity::{Judged, summary};
use osteon_study::study::conformity;

use crate::support::shared;

fn beyond(judged: &[Judged]) -> Vec<String> {
    let missed = judged.iter().filter(|it| it.is_within() == Some(false));
    missed.map(|it| format!("{} {} {}: {:?}", it.configuration, it.feature, it.aggregation, it.value)).collect()
}

#[test]
fn every_value_of_the_digital_phantom_meets_the_consensus() {
    let judged = conformity(None, None, &Job::unwatched()).unwrap();
    assert_eq!(beyond(&judged), Vec::<String>::new());
    assert_eq!(judged.iter().filter(|it| it.is_within() == Some(true)).count(), 482);
    assert_eq!(judged.len(), 482, "values without a consensus");
    let rows = summary(&judged).rows;
    assert_eq!(rows.len(), Part::ALL.len());
}

#[test]
fn every_value_of_the_ct_phantom_meets_the_consensus() {
    let Some(folder) = shared("reference/radiomics/images/ibsi1") else { return };
    let judged = conformity(Some(&folder), None, &Job::unwatched()).unwrap();
    assert_eq!(beyond(&judged), Vec::<String>::new());
    let known = |name: &str| judged.iter().filter(|it| it.configuration == name && it.consensus.is_some()).count();
    assert_eq!(["config_A", "config_B", "config_C", "config_D", "config_E"].map(known), [346, 346, 210, 210, 210]);
    // The manual's diagnostics: voxels after interpolation and after re-segmentation show in these two.
    let value = |name: &str, feature: &str| {
        judged.iter().find(|it| it.configuration == name && it.feature == feature).unwrap().value.unwrap()
    };
    assert_eq!(value("config_C", "morph_vol_approx"), 45985.0 * 8.0);
    assert_eq!(value("config_D", "morph_vol_approx"), 45985.0 * 8.0);
}
