//! Conformity with the IBSI's consensus: every value of the digital phantom, and of the CT phantom where it is.

use osteon_base::job::Job;
use osteon_radiomics::feature::ibsi::Part;
use osteon_study::report::conformity::{Judged, summary};
use osteon_study::study::{conformity, filter_conformity};

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
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
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

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn response_maps_and_filtered_intensities_meet_the_consensus_of_the_second_phase() {
    let Some(folder) = shared("reference/radiomics") else { return };
    // Filters of large kernels and transforms of odd lengths take their time.
    let is_quick = |name: &str| osteon_testing::sweep() || !["4_a_2", "5.A", "8.A", "9.A"].contains(&name);
    let found = filter_conformity(&folder, is_quick, &Job::unwatched()).unwrap();
    let (n_maps, n_configurations) = if osteon_testing::sweep() { (26, 9) } else { (25, 6) };
    let beyond: Vec<String> = found.maps.iter().filter(|map| map.beyond > 0).map(|map| format!("{map:?}")).collect();
    assert_eq!(beyond, Vec::<String>::new());
    assert_eq!(found.maps.len(), n_maps, "{:?}", found.maps.iter().map(|map| map.name).collect::<Vec<_>>());
    let missed: Vec<String> =
        found.values.iter().filter(|it| it.is_within() != Some(true)).map(|it| format!("{it:?}")).collect();
    assert_eq!((missed, found.values.len()), (Vec::new(), n_configurations * 18));
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn volumes_of_cubes_meet_the_consensus_of_the_second_phase() {
    let Some(phantom) = shared("reference/radiomics/images/ibsi2_ct").filter(|_| osteon_testing::sweep()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let ct = folder.path().join("ibsi_2_ct");
    std::fs::create_dir(&ct).unwrap();
    for file in ["phantom.nii.gz", "mask.nii.gz"] {
        std::fs::copy(phantom.join(file), ct.join(file)).unwrap();
    }
    let table = osteon_testing::fixture("ibsi2/reference_values_B.csv");
    std::fs::copy(table, folder.path().join("reference_values_B.csv")).unwrap();
    let found = filter_conformity(folder.path(), |_| true, &Job::unwatched()).unwrap();
    let known: Vec<_> = found.values.iter().filter(|it| it.consensus.is_some()).collect();
    let missed: Vec<String> =
        known.iter().filter(|it| it.is_within() != Some(true)).map(|it| format!("{it:?}")).collect();
    assert_eq!((missed, known.len()), (Vec::new(), 161));
}
