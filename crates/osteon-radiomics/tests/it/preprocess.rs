//! z-score and resampling against the arrays of pyradiomics and SimpleITK.

use ndarray::Array3;
use osteon_radiomics::grid::{Element, Geometry, Grid, Image, Mask, Volume};
use osteon_radiomics::preprocess::{self, Extent, Params, Prepared, PreprocessError};

use crate::forge::{self, Nifti};
use crate::forge::{reference_image, reference_mask};
use osteon_testing::{Comparison, fixture, shared};

fn params(normalise: bool, spacing_mm: &[f64]) -> Params {
    Params { normalise, spacing_mm: spacing_mm.to_vec(), ..osteon_radiomics::describe::Params::mr_rings().preprocess }
}

fn brain1() -> Option<(Image, Mask)> {
    shared("reference/radiomics")?;
    let image = reference_image("images/pyradiomics/brain1_image.nrrd");
    Some((image, reference_mask("images/pyradiomics/brain1_label.nrrd")))
}

fn compare(comparison: &mut Comparison, name: &str, ours: &Volume, theirs: &Volume, absolute: f64) {
    let apart = ours.geometry().corner_distance_mm(theirs.geometry());
    comparison.same(format!("{name}: geometry"), apart.is_some_and(|mm| mm < 1e-4), true);
    let worst = ours.as_slice().iter().zip(theirs.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    comparison.close(format!("{name}: largest difference"), worst, 0.0, 0.0, absolute);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_z_score_of_brain1_is_simpleitks() {
    let Some((image, _)) = brain1() else { return };
    let ours = preprocess::normalise(&image).unwrap();
    let theirs = reference_image("intermediate_brain1/01_zscore_native_f64.nii.gz");
    let mut comparison = Comparison::default();
    compare(&mut comparison, "z-score", &ours.volume, &theirs.volume, 1e-12);
    comparison.finish(2);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_resampled_image_and_mask_of_brain1_are_pyradiomics() {
    let Some((image, mask)) = brain1() else { return };
    let ours = preprocess::prepare(&image, &mask, Extent::PYRADIOMICS, &params(true, &[1.0, 1.0, 3.0])).unwrap();
    let theirs = reference_image("intermediate_brain1/03_resampled_zscore.nii.gz");
    let mut comparison = Comparison::default();
    compare(&mut comparison, "resampled", &ours.image.volume, &theirs.volume, 1e-9);
    let mask = reference_mask("intermediate_brain1/02_mask_resampled.nii.gz");
    comparison.same("resampled mask", ours.mask.as_slice() == mask.as_slice(), true);
    comparison.same("place in the lattice", ours.at, [17, 60, 121]);
    comparison.finish(4);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_wider_crop_holds_the_same_voxels() {
    let Some((image, mask)) = brain1() else { return };
    let params = params(true, &[1.0, 1.0, 3.0]);
    let crop = |extent| preprocess::prepare(&image, &mask, extent, &params).unwrap();
    let (narrow, wide, whole) =
        (crop(Extent::PYRADIOMICS), crop(Extent::Around { voxels: [9; 3], counted_from: 5 }), crop(Extent::Whole));
    for wider in [wide, whole] {
        let low = std::array::from_fn(|k| (narrow.at[k] - wider.at[k]) as usize);
        let bounds = osteon_radiomics::grid::Bounds { low, shape: narrow.mask.geometry().shape };
        assert_eq!(wider.mask.cut(bounds).as_slice(), narrow.mask.as_slice());
        let (a, b) = (wider.image.cut(bounds).volume, &narrow.image.volume);
        let worst = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-12, "{worst}");
    }
}

/// Size and voxels after resampling to 1 x 1 x 3 mm, from `values/sts_dev.diag.json`.
#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_resampled_masks_of_other_patients_hold_the_voxels_pyradiomics_counted() {
    let Some(path) = shared("reference/radiomics/values/sts_dev.diag.json") else { return };
    let diagnostics: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut comparison = Comparison::default();
    for (name, patient) in diagnostics.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("bw0.1")) {
        let case = name.split('|').next().unwrap();
        let image = reference_image(&format!("images/sts_mr_t1/{case}/MR_T1_image.nii.gz"));
        let mask = reference_mask(&format!("images/sts_mr_t1/{case}/MR_T1_mask.nii.gz"));
        let params = params(true, &[1.0, 1.0, 3.0]);
        let ours = preprocess::prepare(&image, &mask, Extent::PYRADIOMICS, &params).unwrap();
        let theirs = |key: &str| patient[format!("diagnostics_{key}")].as_str().unwrap().to_owned();
        let [z, y, x] = ours.mask.geometry().shape;
        comparison.same(format!("{case}: size"), format!("({x}, {y}, {z})"), theirs("Image-interpolated_Size"));
        comparison.same(format!("{case}: voxels"), ours.mask.count().to_string(), theirs("Mask-interpolated_VoxelNum"));
        let values = ours.image.volume.as_slice();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let number = |key| theirs(key).parse().unwrap();
        comparison.close(format!("{case}: minimum"), least, number("Image-interpolated_Minimum"), 0.0, 1e-9);
        comparison.close(format!("{case}: mean"), mean, number("Image-interpolated_Mean"), 0.0, 1e-9);
    }
    comparison.finish(24);
}

/// Voxels of phantom b that pyradiomics 3.1.1.dev0 with SimpleITK 2.5.7 counted: many of its places are half-way
/// between two voxels of an oblique grid.
#[test]
fn ties_of_an_oblique_mask_fall_as_in_itk() {
    let file = |kind: &str| std::fs::read(fixture(&format!("phantoms/phantom_b_{kind}.nrrd"))).unwrap();
    let (image, mask) = (forge::image(&file("image")), forge::mask(&file("mask")));
    let count =
        |extent| preprocess::prepare(&image, &mask, extent, &params(true, &[1.0, 1.0, 3.0])).unwrap().mask.count();
    assert_eq!(count(Extent::PYRADIOMICS), 1689);
    assert_eq!(count(Extent::Around { voxels: [9; 3], counted_from: 12 }), 1696);
}

fn forged(values: &[f64], spacing_z: f32) -> (Image, Mask) {
    let mut file = Nifti::new([6, 5, 4], Element::I16, values, false);
    file.f32(88, spacing_z);
    let labels: Vec<f64> = (0..120).map(|at| f64::from(u8::from(at / 30 == 2 && at % 6 > 2))).collect();
    let mut mask = Nifti::new([6, 5, 4], Element::U8, &labels, false);
    mask.f32(88, spacing_z);
    (forge::image(&file.bytes), forge::mask(&mask.bytes))
}

fn waves() -> Vec<f64> {
    (0..120).map(|at| f64::from((at * at * 31) % 211 - 100)).collect()
}

fn prepared(params: &Params) -> Result<Prepared, PreprocessError> {
    let (image, mask) = forged(&waves(), 3.0);
    preprocess::prepare(&image, &mask, Extent::PYRADIOMICS, params)
}

#[test]
fn an_integer_image_without_z_score_keeps_integers_and_one_with_it_does_not() {
    let plain = prepared(&params(false, &[0.4, 0.4, 2.0])).unwrap();
    assert!(plain.image.volume.as_slice().iter().all(|value| value.fract() == 0.0));
    let scored = prepared(&params(true, &[0.4, 0.4, 2.0])).unwrap();
    assert!(scored.image.volume.as_slice().iter().any(|value| value.fract() != 0.0));
}

#[test]
fn a_region_of_one_slice_keeps_the_spacing_across_it_and_so_does_a_spacing_of_0() {
    let spacing = |asked: &[f64]| prepared(&params(false, asked)).unwrap().mask.geometry().spacing_mm;
    assert_eq!(spacing(&[0.4, 0.4, 2.0]), [3.0, 0.4, 0.4]);
    assert_eq!(spacing(&[0.4, 0.0, 2.0]), [3.0, 0.75, 0.4]);
}

#[test]
fn an_image_that_keeps_its_grid_is_only_cropped() {
    let (image, mask) = forged(&waves(), 3.0);
    for spacing in [&[][..], &[0.5, 0.75, 3.0]] {
        let crop = preprocess::prepare(
            &image,
            &mask,
            Extent::Around { voxels: [1; 3], counted_from: 5 },
            &params(false, spacing),
        )
        .unwrap();
        let bounds = mask.bounds().unwrap().grown([1; 3], [4, 5, 6]);
        assert_eq!(crop.image, image.cut(bounds));
        assert_eq!(crop.at, [1, 0, 2]);
    }
}

#[test]
fn what_cannot_be_prepared_is_told() {
    let (flat, mask) = forged(&[7.0; 120], 3.0);
    let extent = Extent::PYRADIOMICS;
    let told = preprocess::prepare(&flat, &mask, extent, &params(true, &[])).unwrap_err();
    assert_eq!(told, PreprocessError::Flat { value: 7.0 });
    let empty = mask.map(|_| false);
    assert_eq!(preprocess::prepare(&flat, &empty, extent, &params(false, &[])), Err(PreprocessError::EmptyMask));
    let fine = preprocess::prepare(&flat, &mask, extent, &params(false, &[1e-4, 1e-4, 3.0]));
    assert!(matches!(fine, Err(PreprocessError::TooLarge { .. })));
}

/// Shape x, y, z, axes x, y, z, and of the resampled image: voxels that are 0, and the sum of all.
type BorderCase = ([usize; 3], [[f64; 3]; 3], usize, f64);

/// SimpleITK 2.5.7 by way of pyradiomics 3.0.1's `resampleImage` (padding 5) of `100 + x + 10 y y - z x` with a mask of
/// ones, origin (-31.7, 12.9, 4.3), from 0.5 x 0.5 x 1.5 mm to 1 x 1 x 1 mm: new voxels lie exactly on the border.
const BORDER: [BorderCase; 4] = {
    let upright = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let turned = [[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]];
    let oblique = [[0.8, 0.6, 0.0], [-0.48, 0.6400000000000001, 0.6], [0.36, -0.48, 0.8]];
    [
        ([9, 8, 7], upright, 60, 43532.32869734589),
        ([5, 7, 9], turned, 51, 25472.48763755933),
        ([9, 8, 7], oblique, 15, 55875.98730016516),
        ([11, 9, 7], oblique, 102, 59961.83803661436),
    ]
};

#[test]
fn voxels_on_the_border_of_an_oblique_image_are_inside_or_not_as_in_itk() {
    let mut comparison = Comparison::default();
    for ([nx, ny, nz], [x, y, z], zeros, sum) in BORDER {
        let geometry = Geometry {
            shape: [nz, ny, nx],
            origin_mm: [-31.7, 12.9, 4.3],
            spacing_mm: [1.5, 0.5, 0.5],
            axes: [z, y, x],
        };
        let value = |(z, y, x): (usize, usize, usize)| 100.0 + x as f64 + 10.0 * (y * y) as f64 - (z * x) as f64;
        let volume = Grid::new(geometry.clone(), Array3::from_shape_fn((nz, ny, nx), value)).unwrap();
        let mask = volume.map(|_| true);
        let image = Image { volume, element: Element::F64 };
        let ours = preprocess::prepare(&image, &mask, Extent::PYRADIOMICS, &params(false, &[1.0; 3])).unwrap();
        let cells = ours.image.volume.as_slice();
        let case = format!("{nx} x {ny} x {nz} along {x:?}");
        comparison.same(format!("{case}: zeros"), cells.iter().filter(|&&cell| cell == 0.0).count(), zeros);
        comparison.same(format!("{case}: outside of the mask"), ours.mask.count(), cells.len() - zeros);
        comparison.close(format!("{case}: sum"), cells.iter().sum(), sum, 1e-10, 0.0);
    }
    comparison.finish(12);
}
