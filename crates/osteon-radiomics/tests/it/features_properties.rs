//! What must hold for any image: shared counting changes nothing, nor do threads, nor a turn of the patient.

use ndarray::{Array3, Axis};
use osteon_base::job::Job;
use osteon_radiomics::describe::{self, RegionFeatures, catalogue, describe, measure};
use osteon_radiomics::feature::layout::Layout;
use osteon_radiomics::feature::levels::{Bins, Edges, Precision};
use osteon_radiomics::feature::{Family, Params};
use osteon_radiomics::grid::{Bounds, Element, Geometry, Grid, Image, Mask};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_radiomics::roi::Roi;
use proptest::prelude::*;

use osteon_testing::fixture;

/// The seven regions of a study, as first and last shell.
const REGIONS: [(u8, u8); 7] = [(0, 0), (1, 1), (1, 2), (1, 3), (0, 1), (0, 2), (0, 3)];

fn everything() -> osteon_radiomics::feature::Wanted {
    let families = Family::ALL.map(|family| family.name().to_owned()).to_vec();
    Params { families, exclude: Vec::new(), ibsi: osteon_radiomics::feature::ibsi::Params::default() }.wanted()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn regions_counted_together_are_as_if_counted_alone(
        shells in proptest::collection::vec(prop_oneof![4 => 0..4u8, 1 => Just(u8::MAX)], 5 * 6 * 7),
        noise in proptest::collection::vec(-1.0..1.0f64, 5 * 6 * 7),
        bin_width in prop_oneof![Just(0.1), Just(0.5), Just(2.0), Just(0.0001)],
        edges in prop_oneof![
            Just(Edges::Multiples),
            Just(Edges::Counted(Precision::Single)),
            Just(Edges::Counted(Precision::Double)),
        ],
    ) {
        let geometry = Geometry::upright([5, 6, 7], [3.0, 1.0, 1.0]);
        let shells = Grid::new(geometry, Array3::from_shape_vec((5, 6, 7), shells).unwrap()).unwrap();
        let (wanted, bins) = (everything(), Bins { width: bin_width, edges });
        let all = Bounds { low: [0; 3], shape: [5, 6, 7] };
        let together = Layout::new(&shells, &REGIONS);
        let shared = measure(&wanted, &together, &together.gather(&noise, all), bins, 3.0).unwrap();
        for (region, shared) in REGIONS.iter().zip(shared) {
            let single = shells.map(|shell| if (region.0..=region.1).contains(shell) { 0 } else { u8::MAX });
            let layout = Layout::new(&single, &[(0, 0)]);
            let alone = measure(&wanted, &layout, &layout.gather(&noise, all), bins, 3.0).unwrap().remove(0);
            for ((shared, alone), (family, name)) in shared.iter().zip(&alone).zip(wanted.of_image()) {
                let same = match (shared, alone) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(1.0),
                    (a, b) => a == b,
                };
                prop_assert!(same, "{region:?} {} {name}: {shared:?} {alone:?}", family.name());
            }
        }
    }
}

fn phantom() -> (Image, Mask) {
    let bytes = |name: &str| std::fs::read(fixture(&format!("phantoms/phantom_a_{name}.nii.gz"))).unwrap();
    let (image, mask) = (bytes("image"), bytes("mask"));
    let source = |bytes| Source { bytes, data: None };
    let limits = Limits::default();
    (read::image(source(&image), &limits).unwrap(), read::mask(source(&mask), Label::AnyNonZero, &limits).unwrap())
}

fn seven_regions(threads: usize) -> Vec<RegionFeatures> {
    let (image, mask) = phantom();
    let params = describe::Params::mr_rings();
    let rois = Roi::all(&params.roi);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| describe(&image, &mask, &rois, &params, &Job::unwatched()).unwrap())
}

#[test]
fn one_two_and_eight_threads_give_the_same_bits() {
    let bits = |regions: Vec<RegionFeatures>| -> Vec<Option<u64>> {
        regions.into_iter().flat_map(|region| region.outcome.unwrap()).map(|value| value.map(f64::to_bits)).collect()
    };
    let one = bits(seven_regions(1));
    assert_eq!(one.len(), 7 * 2264);
    assert_eq!(one, bits(seven_regions(2)));
    assert_eq!(one, bits(seven_regions(8)));
}

/// The cells turned by 90 degrees about x, with the spacing that goes with them.
fn turned<T: Clone>(grid: &Grid<T>) -> Grid<T> {
    let mut cells = grid.cells().clone().permuted_axes([1, 0, 2]);
    cells.invert_axis(Axis(0));
    let [dz, dy, dx] = grid.geometry().spacing_mm;
    let (z, y, x) = cells.dim();
    Grid::new(Geometry::upright([z, y, x], [dy, dz, dx]), cells).unwrap()
}

#[test]
fn a_turn_by_90_degrees_changes_no_feature_but_planar_diameters() {
    let (image, mask) = phantom();
    let params = describe::Params::pyradiomics();
    let of = |image: &Image, mask: &Mask| {
        describe(image, mask, &[Roi::Intra], &params, &Job::unwatched()).unwrap().remove(0).outcome.unwrap()
    };
    let straight = of(&image, &mask);
    let rotated = of(&Image { volume: turned(&image.volume), element: Element::F64 }, &turned(&mask));
    for ((name, a), b) in catalogue(&params).iter().zip(straight).zip(rotated) {
        // The triangles of an ambiguous cube depend on how it is turned.
        let mesh = ["MeshVolume", "SurfaceArea", "Sphericity", "SurfaceVolumeRatio"];
        let tolerance = if mesh.iter().any(|it| name.ends_with(it)) { 3e-3 } else { 1e-10 };
        if !name.contains("Maximum2DDiameter") {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a - b).abs() <= tolerance * a.abs().max(1e-3), "{name}: {a} {b}");
        }
    }
}
