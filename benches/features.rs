//! Seven regions of a phantom: one image, and all 25, on one thread (`cargo bench --bench features`).

use std::path::Path;

use divan::Bencher;
use osteon_base::job::Job;
use osteon_radiomics::describe::describe;
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_radiomics::roi::Roi;
use osteon_study::protocol::{Preset, Protocol};

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was built before");
    divan::main();
}

fn phantom() -> (Image, Mask) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/phantoms");
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("the fixture is there");
    let (image, mask) = (bytes("phantom_a_image.nii.gz"), bytes("phantom_a_mask.nii.gz"));
    let limits = Limits::default();
    let image = read::image(Source { bytes: &image, data: None }, &limits).expect("the fixture is an image");
    let mask = read::mask(Source { bytes: &mask, data: None }, Label::AnyNonZero, &limits).expect("and a mask");
    (image, mask)
}

fn measure(bencher: Bencher, protocol: &Protocol) {
    let (image, mask) = phantom();
    let rois = Roi::all(&protocol.roi);
    bencher.bench(|| describe(&image, &mask, &rois, &protocol.measured(), &Job::unwatched()));
}

#[divan::bench]
fn original(bencher: Bencher) {
    measure(bencher, &Preset::Study.protocol().set([r#"filter.images=["original"]"#]).expect("a valid key"));
}

#[divan::bench]
fn all_images(bencher: Bencher) {
    measure(bencher, &Preset::Study.protocol());
}

#[divan::bench]
fn all_images_each_region_cropped(bencher: Bencher) {
    measure(bencher, &Preset::Study.protocol().set(["filter.crop=roi"]).expect("a valid key"));
}
