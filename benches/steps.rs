//! What each step of a patient's features costs, in nanoseconds for one voxel of one image, on one thread:
//! `cargo bench --bench steps`. `OSTEON_IMAGE` and `OSTEON_MASK` name other files than the fixture.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use osteon_base::seed::Seed;
use osteon_radiomics::describe::{Regions, prepare};
use osteon_radiomics::feature::layout::Layout;
use osteon_radiomics::feature::levels::{Bins, Edges, Levels};
use osteon_radiomics::feature::links::Links;
use osteon_radiomics::feature::{firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape};
use osteon_radiomics::filter::{self, Input};
use osteon_radiomics::grid::{Bounds, Image, Volume};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_radiomics::roi::Roi;
use osteon_study::protocol::{Preset, Protocol};

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was built before");
    let protocol = Preset::Study.protocol();
    let (image, mask) =
        (bytes("OSTEON_IMAGE", "phantom_a_image.nii.gz"), bytes("OSTEON_MASK", "phantom_a_mask.nii.gz"));
    let limits = Limits::default();
    let read_image = || read::image(Source { bytes: &image, data: None }, &limits).expect("an image");
    let read_mask = || read::mask(Source { bytes: &mask, data: None }, Label::AnyNonZero, &limits).expect("a mask");
    let (image, mask) = (read_image(), read_mask());
    let rois = Roi::all(&protocol.roi);
    let regions = prepare(&image, &mask, &rois, &protocol.measured()).expect("a tumour");
    let of: Vec<(u8, u8)> = rois.iter().map(|&roi| regions.shells.of(roi).expect("made for it")).collect();
    let layout = Layout::new(regions.shells.grid(), &of);
    println!(
        "{} voxels in {} regions, a crop of {} voxels",
        layout.len(),
        rois.len(),
        regions.prepared.mask.geometry().len()
    );
    println!("\n| once a patient | ns a voxel of the regions |\n| --- | --- |");
    let once =
        |name: &str, work: &mut dyn FnMut()| println!("| {name} | {:.1} |", nanoseconds(work) / layout.len() as f64);
    once("inflate and decode", &mut || drop(black_box((read_image(), read_mask()))));
    once("z-score, resample, margins", &mut || drop(black_box(prepare(&image, &mask, &rois, &protocol.measured()))));
    once("lists of neighbours", &mut || drop(black_box(Layout::new(regions.shells.grid(), &of))));
    once("shape", &mut || drop(black_box(outlines(&protocol, &layout, &regions))));
    filters(&protocol, &regions);
    families(&protocol, &regions, &layout);
}

fn bytes(variable: &str, fixture: &str) -> Vec<u8> {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/phantoms").join(fixture);
    let path = std::env::var_os(variable).map_or(fixture, PathBuf::from);
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The least of several runs.
fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e9
    };
    (0..9).map(time).fold(f64::INFINITY, f64::min)
}

fn outlines(protocol: &Protocol, layout: &Layout, regions: &Regions) -> Vec<Vec<Option<f64>>> {
    let spacing_mm = regions.prepared.mask.geometry().spacing_mm;
    let wanted = protocol.feature.wanted();
    (0..layout.regions.len()).map(|region| shape::describe(&wanted, layout, region, spacing_mm)).collect()
}

/// Every filter on the same crop, for comparison; the program cuts it closer where a filter sees less.
fn filters(protocol: &Protocol, regions: &Regions) {
    println!("\n| filter | ns a voxel of the crop and image |\n| --- | --- |");
    let image = &regions.prepared.image;
    let input = Input { image, at: regions.prepared.at, params: &protocol.filter, seed: Seed(1) };
    for chosen in filter::chosen(&protocol.filter).expect("the preset names filters") {
        let time = nanoseconds(&mut || drop(black_box(chosen.apply(&input))));
        println!(
            "| {} | {:.1} |",
            chosen.filter.key,
            time / image.volume.as_slice().len() as f64 / chosen.names.len() as f64
        );
    }
}

/// Each family, on average over all images.
fn families(protocol: &Protocol, regions: &Regions, layout: &Layout) {
    let image: &Image = &regions.prepared.image;
    let input = Input { image, at: regions.prepared.at, params: &protocol.filter, seed: Seed(1) };
    let chosen = filter::chosen(&protocol.filter).expect("the preset names filters");
    let volumes: Vec<Volume> =
        chosen.iter().flat_map(|chosen| chosen.apply(&input)).map(|made| made.expect("an image")).collect();
    println!("\n| family | ns a voxel of the regions and image, all seven together |\n| --- | --- |");
    let wanted = protocol.feature.wanted();
    let bins = Bins { width: protocol.preprocess.bin_width, edges: Edges::Multiples };
    let all = Bounds { low: [0; 3], shape: image.volume.geometry().shape };
    let values: Vec<Vec<f64>> = volumes.iter().map(|volume| layout.gather(volume.as_slice(), all)).collect();
    let levels: Vec<Levels> =
        values.iter().map(|values| Levels::new(layout, values, bins).expect("few levels")).collect();
    let links: Vec<Links> = levels.iter().map(|levels| Links::new(layout, levels)).collect();
    let each = |name: &str, work: &dyn Fn(usize)| {
        let total = nanoseconds(&mut || (0..volumes.len()).for_each(work));
        println!("| {name} | {:.1} |", total / (layout.len() * volumes.len()) as f64);
    };
    each("values out of the image", &|at| drop(black_box(layout.gather(volumes[at].as_slice(), all))));
    each("grey levels", &|at| drop(black_box(Levels::new(layout, &values[at], bins))));
    each("links", &|at| drop(black_box(Links::new(layout, &levels[at]))));
    each("first order", &|at| drop(black_box(firstorder::describe(&wanted, layout, &values[at], &levels[at], 3.0))));
    each("co-occurrence", &|at| drop(black_box(glcm::describe(&wanted, layout, &levels[at]))));
    each("runs", &|at| drop(black_box(glrlm::describe(&wanted, layout, &levels[at]))));
    each("zones", &|at| drop(black_box(glszm::describe(&wanted, layout, &levels[at], &links[at]))));
    each("dependence", &|at| drop(black_box(gldm::describe(&wanted, layout, &levels[at], &links[at]))));
    each("neighbourhood difference", &|at| drop(black_box(ngtdm::describe(&wanted, layout, &levels[at]))));
}
