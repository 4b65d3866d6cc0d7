//! A volume with the number type of its file: some programs round to that type between their steps.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::grid::Volume;
use osteon_base::seed::Seed;

/// Intensities, and the number type they were stored in.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub volume: Volume,
    pub element: Element,
}

/// The number type of a voxel in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

/// Steps to a millimetre to which a geometry is rounded before it names noise: formats keep a position in single
/// precision, in double precision or as text, and 0.2 um apart it is the same.
const STEPS_PER_MM: f64 = 4096.0;

impl Image {
    /// The seed of this image's noise: the first 64 bits of the SHA-256 of its shape, its geometry (rounded to 1/4096 mm,
    /// axes to 1/4096) and its voxels as numbers. The file, its format and compression, the number type, the patient,
    /// the mask and the study do not enter: the same image has the same noise wherever it is measured.
    pub fn noise_seed(&self) -> Seed {
        let geometry = self.volume.geometry();
        let mut hash = Sha256::new();
        geometry.shape.iter().for_each(|&n| hash.update((n as u64).to_le_bytes()));
        let places = geometry.origin_mm.iter().chain(&geometry.spacing_mm).chain(geometry.axes.iter().flatten());
        places.for_each(|place| hash.update(((place * STEPS_PER_MM).round() as i64).to_le_bytes()));
        let mut bytes = Vec::new();
        for voxels in self.volume.as_slice().chunks(4096) {
            bytes.clear();
            // Adding 0 makes one number of 0 and -0.
            voxels.iter().for_each(|voxel| bytes.extend((voxel + 0.0).to_le_bytes()));
            hash.update(&bytes);
        }
        let digest = hash.finalize();
        Seed(u64::from_be_bytes(std::array::from_fn(|at| digest[at])))
    }
}

impl Element {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Element::U8 | Element::I8 => 1,
            Element::U16 | Element::I16 => 2,
            Element::U32 | Element::I32 | Element::F32 => 4,
            Element::U64 | Element::I64 | Element::F64 => 8,
        }
    }

    pub fn is_integer(self) -> bool {
        !matches!(self, Element::F32 | Element::F64)
    }

    /// The value as this type holds it: integers clamped to their range and truncated toward zero, as ITK's
    /// resampling casts its results.
    pub fn cast(self, value: f64) -> f64 {
        match self {
            Element::U8 => f64::from(value as u8),
            Element::I8 => f64::from(value as i8),
            Element::U16 => f64::from(value as u16),
            Element::I16 => f64::from(value as i16),
            Element::U32 => f64::from(value as u32),
            Element::I32 => f64::from(value as i32),
            Element::U64 => value as u64 as f64,
            Element::I64 => value as i64 as f64,
            Element::F32 => f64::from(value as f32),
            Element::F64 => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Geometry, Grid};

    #[test]
    fn noise_is_named_by_voxels_and_geometry_and_by_nothing_else() {
        let image = |geometry: &Geometry, voxels: [f64; 4], element| {
            let cells = ndarray::Array3::from_shape_vec((1, 2, 2), voxels.to_vec()).unwrap();
            Image { volume: Grid::new(geometry.clone(), cells).unwrap(), element }
        };
        let upright = Geometry::upright([1, 2, 2], [3.0, 0.5, 0.5]);
        let seed = image(&upright, [0.0, 1.0, 2.0, 3.0], Element::I16).noise_seed();
        assert_eq!(image(&upright, [-0.0, 1.0, 2.0, 3.0], Element::F64).noise_seed(), seed);
        let same = Geometry { origin_mm: [-0.0, 1e-9, 0.0], ..upright.clone() };
        assert_eq!(image(&same, [0.0, 1.0, 2.0, 3.0], Element::F64).noise_seed(), seed);
        let moved = Geometry { origin_mm: [0.0, 0.0, 1.0], ..upright.clone() };
        let wider = Geometry { spacing_mm: [3.0, 0.5, 0.6], ..upright.clone() };
        let turned = Geometry { axes: [[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], ..upright.clone() };
        for other in [moved, wider, turned] {
            assert_ne!(image(&other, [0.0, 1.0, 2.0, 3.0], Element::I16).noise_seed(), seed);
        }
        assert_ne!(image(&upright, [0.0, 1.0, 3.0, 2.0], Element::I16).noise_seed(), seed);
    }

    #[test]
    fn a_cast_truncates_toward_zero_and_stays_in_range() {
        assert_eq!(Element::I16.cast(-2.9), -2.0);
        assert_eq!(Element::U8.cast(-2.9), 0.0);
        assert_eq!(Element::U8.cast(300.0), 255.0);
        assert_eq!(Element::F32.cast(0.1), f64::from(0.1f32));
        assert_eq!(Element::F64.cast(0.1), 0.1);
    }
}
