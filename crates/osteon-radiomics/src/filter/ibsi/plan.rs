//! What the IBSI's second phase asks for: response maps of its phantoms (part 1) and configurations of a CT (part 2).
//!
//! Parameters are those of its reference manual and of the phase's tables (Whybra et al. 2024, Radiology 310:e231319).

use std::f64::consts::PI;

use crate::filter::ibsi::{Angle, Border, Filter, Kind, Laws, Rotation, Space};

/// A map of the first part: its name, its phantom, its filter in words, and the filter.
#[derive(Clone, Debug)]
pub struct Map {
    pub name: &'static str,
    pub phantom: &'static str,
    pub filter: Filter,
}

/// The maps of the reference manual that this program makes.
pub fn maps() -> Vec<Map> {
    use Border::{Mirror, Nearest, Periodic, Zero};
    use Rotation::{All, One};
    use Space::{Slices, Volume};
    let map = |name, phantom, kind, border, space| Map { name, phantom, filter: Filter { kind, border, space } };
    let mean = || Kind::Mean { support: 15 };
    let log = |sigma_mm| Kind::LaplacianOfGaussian { sigma_mm };
    let laws = |kernels: &[Laws], rotation, energy| Kind::Laws { kernels: kernels.to_vec(), rotation, energy };
    let (elts, ewr, ls) = ([Laws::E5, Laws::L5, Laws::S5], [Laws::E3, Laws::W5, Laws::R5], [Laws::L5, Laws::S5]);
    let narrow = |angle| Kind::Gabor { sigma_mm: 10.0, wavelength_mm: 4.0, gamma: 0.5, angle };
    let wide = |angle| Kind::Gabor { sigma_mm: 20.0, wavelength_mm: 8.0, gamma: 2.5, angle };
    let wavelet = |wavelet, bands, level, rotation| Kind::Separable { wavelet, bands, level, rotation };
    let simoncelli = |level, riesz| Kind::Simoncelli { level, riesz };
    vec![
        map("1_a_1", "checkerboard", mean(), Zero, Volume),
        map("1_a_2", "checkerboard", mean(), Nearest, Volume),
        map("1_a_3", "checkerboard", mean(), Periodic, Volume),
        map("1_a_4", "checkerboard", mean(), Mirror, Volume),
        map("1_b_1", "impulse", mean(), Zero, Slices),
        map("2_a", "impulse", log(3.0), Zero, Volume),
        map("2_b", "checkerboard", log(5.0), Mirror, Volume),
        map("2_c", "checkerboard", log(5.0), Mirror, Slices),
        map("3_a_1", "impulse", laws(&elts, One, None), Zero, Volume),
        map("3_a_2", "impulse", laws(&elts, All, None), Zero, Volume),
        map("3_a_3", "impulse", laws(&elts, All, Some(7)), Zero, Volume),
        map("3_b_1", "checkerboard", laws(&ewr, One, None), Mirror, Volume),
        map("3_b_2", "checkerboard", laws(&ewr, All, None), Mirror, Volume),
        map("3_b_3", "checkerboard", laws(&ewr, All, Some(7)), Mirror, Volume),
        map("3_c_1", "checkerboard", laws(&ls, One, None), Mirror, Slices),
        map("3_c_2", "checkerboard", laws(&ls, All, None), Mirror, Slices),
        map("3_c_3", "checkerboard", laws(&ls, All, Some(7)), Mirror, Slices),
        map("4_a_1", "impulse", narrow(Angle::One(PI / 3.0)), Zero, Slices),
        map("4_a_2", "impulse", narrow(Angle::TurnInPlanes(PI / 4.0)), Zero, Volume),
        map("4_b_1", "sphere", wide(Angle::One(5.0 * PI / 4.0)), Mirror, Slices),
        map("4_b_2", "sphere", wide(Angle::TurnInPlanes(PI / 8.0)), Mirror, Volume),
        map("5_a_1", "impulse", wavelet("db2", "LHL", 1, One), Zero, Volume),
        map("5_a_2", "impulse", wavelet("db2", "LHL", 1, All), Zero, Volume),
        map("6_a_1", "sphere", wavelet("coif1", "HHL", 1, One), Periodic, Volume),
        map("6_a_2", "sphere", wavelet("coif1", "HHL", 1, All), Periodic, Volume),
        map("7_a_1", "checkerboard", wavelet("haar", "LLL", 2, All), Mirror, Volume),
        map("7_a_2", "checkerboard", wavelet("haar", "HHH", 2, All), Mirror, Volume),
        map("8_a_1", "checkerboard", simoncelli(1, [0; 3]), Periodic, Volume),
        map("8_a_2", "checkerboard", simoncelli(2, [0; 3]), Periodic, Volume),
        map("8_a_3", "checkerboard", simoncelli(3, [0; 3]), Periodic, Volume),
        map("9_a", "impulse", Kind::RieszLaplacianOfGaussian { sigma_mm: 3.0, riesz: [1, 0, 0] }, Zero, Volume),
        map("9_b_1", "sphere", Kind::RieszLaplacianOfGaussian { sigma_mm: 3.0, riesz: [0, 2, 0] }, Zero, Volume),
        map("10_a", "impulse", simoncelli(1, [1, 0, 0]), Periodic, Volume),
        map("10_b_1", "pattern_1", simoncelli(1, [0, 2, 0]), Periodic, Volume),
    ]
}

/// One configuration of the second part.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub name: String,
    /// Slices of the image as it is (A), or the image resampled to cubes of 1 mm (B).
    pub space: Space,
    /// The first has none.
    pub filter: Option<Filter>,
}

/// The configurations of the second part, each in slices (A) and in the volume (B).
pub fn configurations() -> Vec<Configuration> {
    [Space::Slices, Space::Volume].into_iter().flat_map(of_space).collect()
}

fn of_space(space: Space) -> Vec<Configuration> {
    let is_flat = space == Space::Slices;
    let own = |kind, border| Some(Filter { kind, border, space });
    let mirrored = |kind| own(kind, Border::Mirror);
    let db3 = |flat, bands, level| {
        let bands = if is_flat { flat } else { bands };
        Kind::Separable { wavelet: "db3", bands, level, rotation: Rotation::All }
    };
    let kernels = if is_flat { vec![Laws::L5, Laws::E5] } else { vec![Laws::L5, Laws::E5, Laws::E5] };
    let laws = Kind::Laws { kernels, rotation: Rotation::All, energy: Some(7) };
    let angle = if is_flat { Angle::Turn(PI / 8.0) } else { Angle::TurnInPlanes(PI / 8.0) };
    let gabor = Kind::Gabor { sigma_mm: 5.0, wavelength_mm: 2.0, gamma: 1.5, angle };
    let simoncelli = |level| own(Kind::Simoncelli { level, riesz: [0; 3] }, Border::Periodic);
    let filters = vec![
        None,
        mirrored(Kind::Mean { support: 5 }),
        mirrored(Kind::LaplacianOfGaussian { sigma_mm: 1.5 }),
        mirrored(laws),
        mirrored(gabor),
        mirrored(db3("LH", "LLH", 1)),
        mirrored(db3("HH", "HHH", 2)),
        simoncelli(1),
        simoncelli(2),
    ];
    let letter = if is_flat { "A" } else { "B" };
    let named = |(at, filter)| Configuration { name: format!("{}.{letter}", at + 1), space, filter };
    filters.into_iter().enumerate().map(named).collect()
}
