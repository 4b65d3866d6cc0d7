//! Time of each filter on a crop as large as a study's: 90 x 90 x 36 voxels of 1 x 1 x 3 mm.

use ndarray::Array3;
use osteon_base::seed::Seed;
use osteon_radiomics::filter::{self, Crop, Input, LogKernel, Params};
use osteon_radiomics::grid::{Element, Geometry, Grid, Image};

fn main() {
    divan::main();
}

const KEYS: [&str; 15] = {
    let mut keys = [""; 15];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = filter::FILTERS[at].key;
        at += 1;
    }
    keys
};

#[divan::bench(args = KEYS, sample_count = 10)]
fn filter(bencher: divan::Bencher, key: &str) {
    let shape = [36, 90, 90];
    let cells = Array3::from_shape_fn(shape, |(z, y, x)| (0.3 * x as f64).sin() + (0.2 * (y * z) as f64).cos());
    let volume = Grid::new(Geometry::upright(shape, [3.0, 1.0, 1.0]), cells).expect("the same shape");
    let image = Image { volume, element: Element::F64 };
    let params = Params {
        images: vec![key.to_owned()],
        log_sigma_mm: vec![0.5, 1.0, 1.5, 2.0],
        log_kernel: LogKernel::Recursive,
        crop: Crop::Shared,
    };
    let chosen = filter::chosen(&params).expect("a key of the table");
    bencher.bench_local(|| chosen[0].apply(&Input { image: &image, at: [0; 3], params: &params, seed: Seed(1) }));
}
