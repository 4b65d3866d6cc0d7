//! Writes NIfTI-1 images: those of the synthetic study, and feature maps.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use osteon_radiomics::grid::{Geometry, Grid, Volume};

/// A compressed NIfTI-1 file of 16-bit voxels on an upright grid; the same cells give the same bytes.
pub fn compressed(grid: &Grid<i16>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = write(grid, Kind::Whole, |cell: i16| cell.to_le_bytes(), &mut encoder);
    written.and_then(|()| encoder.finish()).expect("a Vec takes every write")
}

/// A compressed NIfTI-1 file of double precision, on any grid; `None` where an axis is longer than the format can say.
pub fn compressed_volume(volume: &Volume) -> Option<Vec<u8>> {
    if volume.geometry().shape.iter().any(|&n| i16::try_from(n).is_err()) {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = write(volume, Kind::Double, |cell: f64| cell.to_le_bytes(), &mut encoder);
    Some(written.and_then(|()| encoder.finish()).expect("a Vec takes every write"))
}

/// A number type of the format.
#[derive(Clone, Copy)]
enum Kind {
    /// 16-bit signed.
    Whole,
    Double,
}

fn write<T: Copy, const N: usize>(
    grid: &Grid<T>,
    kind: Kind,
    bytes: impl Fn(T) -> [u8; N],
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(&header(grid.geometry(), kind))?;
    grid.as_slice().iter().try_for_each(|cell| out.write_all(&bytes(*cell)))
}

/// The header of nifti1.h and four bytes that say that no extension follows.
fn header(geometry: &Geometry, kind: Kind) -> [u8; 352] {
    let mut header = [0; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    let [z, y, x] = geometry.shape.map(|n| i16::try_from(n).expect("the caller looked at the lengths"));
    let [dz, dy, dx] = geometry.spacing_mm.map(|mm| mm as f32);
    put(0, &348_i32.to_le_bytes());
    for (at, n) in [3, x, y, z, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * at, &n.to_le_bytes());
    }
    let (datatype, bits) = match kind {
        Kind::Whole => (4_i16, 16_i16),
        Kind::Double => (64, 64),
    };
    put(70, &datatype.to_le_bytes());
    put(72, &bits.to_le_bytes()); // of a voxel
    for (at, mm) in [1.0, dx, dy, dz].into_iter().enumerate() {
        put(76 + 4 * at, &mm.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes()); // where the voxels begin
    put(112, &1_f32.to_le_bytes()); // slope
    put(123, &[2]); // mm
    put(254, &1_i16.to_le_bytes()); // the sform below holds scanner coordinates
    // NIfTI's x and y point right and forward, ours left and back.
    for row in 0..3 {
        let turned = |value: f64| if row < 2 { 0.0 - value } else { value };
        let along = |k: usize| turned(geometry.axes[k][row] * geometry.spacing_mm[k]) as f32;
        let origin = geometry.origin_mm[row] as f32;
        let values = [along(2), along(1), along(0), if row < 2 { -origin } else { origin }];
        for (at, value) in values.iter().enumerate() {
            put(280 + 16 * row + 4 * at, &value.to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;
    use osteon_radiomics::read::{self, Limits, Source};

    #[test]
    fn what_is_written_is_read_back_on_the_same_grid() {
        let mut geometry = Geometry::upright([2, 3, 4], [4.0, 1.5, 1.25]);
        geometry.origin_mm = [-10.0, 20.0, 30.0];
        let cells = Array3::from_shape_fn((2, 3, 4), |(z, y, x)| (100 * z + 10 * y + x) as i16 - 50);
        let bytes = compressed(&Grid::new(geometry.clone(), cells.clone()).unwrap());
        let image = read::image(Source { bytes: &bytes, data: None }, &Limits::default()).unwrap();
        assert_eq!(*image.volume.geometry(), geometry);
        assert_eq!(*image.volume.cells(), cells.map(|&cell| f64::from(cell)));
    }

    #[test]
    fn a_map_on_an_oblique_grid_is_read_back_in_place() {
        let (sin, cos) = 0.3f64.sin_cos();
        let axes = [[0.0, 0.0, 1.0], [-sin, cos, 0.0], [cos, sin, 0.0]];
        let geometry =
            Geometry { shape: [2, 3, 4], origin_mm: [-10.0, 20.0, 30.0], spacing_mm: [4.0, 1.5, 1.25], axes };
        let cells = Array3::from_shape_fn((2, 3, 4), |(z, y, x)| 0.1 * z as f64 - 7.3 * y as f64 + x as f64);
        let bytes = compressed_volume(&Grid::new(geometry.clone(), cells.clone()).unwrap()).unwrap();
        let image = read::image(Source { bytes: &bytes, data: None }, &Limits::default()).unwrap();
        assert!(image.volume.geometry().corner_distance_mm(&geometry).unwrap() < 1e-5);
        assert_eq!(*image.volume.cells(), cells);
    }
}
