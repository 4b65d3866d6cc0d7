//! Writes small NIfTI-1 images: what the synthetic study needs, no more.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use osteon_radiomics::grid::{Geometry, Grid};

/// A compressed NIfTI-1 file of 16-bit voxels on an upright grid; the same cells give the same bytes.
pub fn compressed(grid: &Grid<i16>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write(grid, &mut encoder).and_then(|()| encoder.finish()).expect("a Vec takes every write")
}

fn write(grid: &Grid<i16>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&header(grid.geometry()))?;
    grid.as_slice().iter().try_for_each(|cell| out.write_all(&cell.to_le_bytes()))
}

/// The header of nifti1.h and four bytes that say that no extension follows.
fn header(geometry: &Geometry) -> [u8; 352] {
    let mut header = [0; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    let [z, y, x] = geometry.shape.map(|n| i16::try_from(n).expect("a synthetic image is small"));
    let [dz, dy, dx] = geometry.spacing_mm.map(|mm| mm as f32);
    put(0, &348_i32.to_le_bytes());
    for (at, n) in [3, x, y, z, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * at, &n.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes()); // datatype: 16-bit signed
    put(72, &16_i16.to_le_bytes()); // bits a voxel
    for (at, mm) in [1.0, dx, dy, dz].into_iter().enumerate() {
        put(76 + 4 * at, &mm.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes()); // where the voxels begin
    put(112, &1_f32.to_le_bytes()); // slope
    put(123, &[2]); // mm
    put(254, &1_i16.to_le_bytes()); // the sform below holds scanner coordinates
    // NIfTI's x and y point right and forward, ours left and back.
    let [ox, oy, oz] = geometry.origin_mm.map(|mm| mm as f32);
    for (row, values) in [[-dx, 0.0, 0.0, -ox], [0.0, -dy, 0.0, -oy], [0.0, 0.0, dz, oz]].iter().enumerate() {
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
}
