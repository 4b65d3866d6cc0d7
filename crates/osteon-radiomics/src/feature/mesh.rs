//! The surface of a region: marching cubes whose vertices lie half way between two voxels (Lorensen and Cline 1987).
//!
//! Cut half way, a cube of voxels gives the same triangles wherever it lies, so cubes are counted by the pattern of
//! their corners and each pattern is measured once.

use crate::feature::layout::Layout;

/// What the surface measures.
pub struct Mesh {
    pub area_mm2: f64,
    pub volume_mm3: f64,
}

/// Corners of a cube (z, y, x), in the order of the bits of a pattern.
const CORNERS: [[usize; 3]; 8] =
    [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0]];

/// Middles of a cube's edges (z, y, x), in half voxels.
const EDGES: [[u8; 3]; 12] = [
    [0, 0, 1],
    [0, 1, 2],
    [0, 2, 1],
    [0, 1, 0],
    [2, 0, 1],
    [2, 1, 2],
    [2, 2, 1],
    [2, 1, 0],
    [1, 0, 0],
    [1, 0, 2],
    [1, 2, 2],
    [1, 2, 0],
];

/// How often a pattern occurs, and the sum of its places (z, y, x).
#[derive(Clone, Copy, Default)]
struct Occurrence {
    n: i64,
    places: [i64; 3],
}

/// Area and volume of a region's surface.
pub fn mesh(layout: &Layout, region: usize, spacing_mm: [f64; 3]) -> Mesh {
    let mut mesh = Mesh { area_mm2: 0.0, volume_mm3: 0.0 };
    // The surface may be open where patterns are ambiguous, and its volume then hangs on the origin: the region's box.
    let corner = low_corner(layout, region);
    for (pattern, occurrence) in occurrences(layout, region).iter().enumerate() {
        if occurrence.n == 0 {
            continue;
        }
        // Cubes and their complements share one surface, seen from the two sides.
        let (row, sign) = if pattern < 128 { (pattern, 1.0) } else { (255 - pattern, -1.0) };
        let measure = Pattern::of(TRIANGLES[row], spacing_mm);
        mesh.area_mm2 += occurrence.n as f64 * measure.area;
        let place = |k: usize| (occurrence.places[k] - occurrence.n * corner[k]) as f64 * spacing_mm[k];
        let moved: f64 = (0..3).map(|k| place(k) * measure.normal[k]).sum();
        mesh.volume_mm3 += sign * (moved + occurrence.n as f64 * measure.moment) / 3.0;
    }
    mesh
}

/// What the triangles of one pattern measure at place 0.
struct Pattern {
    area: f64,
    /// Sum of the triangles' normals, each as long as its area.
    normal: [f64; 3],
    /// Sum over triangles of a corner's scalar product with the normal: three times the volume below them.
    moment: f64,
}

impl Pattern {
    fn of(edges: &str, spacing_mm: [f64; 3]) -> Pattern {
        let vertex = |edge: u8| {
            let edge = (edge as char).to_digit(16).expect("the table is hexadecimal") as usize;
            std::array::from_fn(|k| f64::from(EDGES[edge][k]) / 2.0 * spacing_mm[k])
        };
        let mut pattern = Pattern { area: 0.0, normal: [0.0; 3], moment: 0.0 };
        for triangle in edges.as_bytes().chunks_exact(3) {
            let [a, b, c]: [[f64; 3]; 3] = std::array::from_fn(|at| vertex(triangle[at]));
            let normal = cross(minus(a, c), minus(b, c)).map(|part| part / 2.0);
            pattern.area += dot(normal, normal).sqrt();
            pattern.moment += dot(normal, c);
            pattern.normal = std::array::from_fn(|k| pattern.normal[k] + normal[k]);
        }
        pattern
    }
}

/// The cell before the first of the region along z, y, x.
fn low_corner(layout: &Layout, region: usize) -> [i64; 3] {
    let places = layout.cells[layout.voxels_of(region)].iter().map(|&cell| layout.place(cell));
    places.fold([i64::MAX; 3], |low, place| std::array::from_fn(|k| low[k].min(place[k] as i64 - 1)))
}

/// Every cube that touches the region's surface, by pattern.
fn occurrences(layout: &Layout, region: usize) -> Vec<Occurrence> {
    let mut found = vec![Occurrence::default(); 256];
    let shells = &layout.regions[region];
    let inside: Vec<u8> = layout.shell_of.iter().map(|&shell| u8::from(shells.contains(&usize::from(shell)))).collect();
    let [dz, dy, _] = layout.strides;
    let shape = [layout.n_cells / dz, dz / dy, dy];
    for z in 0..shape[0] - 1 {
        for y in 0..shape[1] - 1 {
            let row = |(k, j): (usize, usize)| &inside[(z + k) * dz + (y + j) * dy..][..shape[2]];
            let rows = [(0, 0), (0, 1), (1, 0), (1, 1)].map(row);
            for x in 0..shape[2] - 1 {
                let mut pattern = 0;
                for (bit, [k, j, i]) in CORNERS.into_iter().enumerate() {
                    pattern |= usize::from(rows[2 * k + j][x + i]) << bit;
                }
                if pattern != 0 && pattern != 255 {
                    let occurrence = &mut found[pattern];
                    occurrence.n += 1;
                    occurrence.places = std::array::from_fn(|k| occurrence.places[k] + [z, y, x][k] as i64);
                }
            }
        }
    }
    found
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| a[k] - b[k])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|k| a[k] * b[k]).sum()
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Triangles of each pattern in which corner 7 is outside: three hexadecimal edges a triangle. The choice at ambiguous
/// faces is that of the widespread table of Cory Bloyd and Paul Bourke, which pyradiomics uses too.
const TRIANGLES: [&str; 128] = [
    "",
    "083",
    "190",
    "183198",
    "12a",
    "08312a",
    "92a029",
    "2832a8a98",
    "b23",
    "b2008b",
    "190b23",
    "b2119b98b",
    "3a1ba3",
    "a1008a8ba",
    "9033b9ba9",
    "98aba8",
    "478",
    "043473",
    "190478",
    "194147173",
    "12a478",
    "34730412a",
    "92a902478",
    "2a9297273479",
    "478b23",
    "b47b24204",
    "190478b23",
    "47b94bb29192",
    "3a1ba3478",
    "ba114b10447b",
    "4789033b9ba9",
    "47b4b99ba",
    "954",
    "954083",
    "054015",
    "854835315",
    "12a954",
    "08312a954",
    "2a5542240",
    "2a5325354834",
    "954b23",
    "b2008b954",
    "054015b23",
    "215258b28548",
    "3a1ba3954",
    "549a1008a8ba",
    "54050ba5bb03",
    "548a58ba8",
    "789579",
    "309539357",
    "780017715",
    "157173",
    "78957912a",
    "12a309395357",
    "0288258572a5",
    "2a5253357",
    "579789b23",
    "579972209b27",
    "b23018178157",
    "21b17b157",
    "7895793a1ba3",
    "5705097b0a10ba0",
    "ba003ba50078570",
    "ba557b",
    "65a",
    "08365a",
    "19065a",
    "18319865a",
    "165126",
    "165126083",
    "965906026",
    "598582526832",
    "b2365a",
    "b2008b65a",
    "190b2365a",
    "b2119b98b65a",
    "63b653513",
    "08b0b50515b6",
    "63b036065059",
    "65969bb98",
    "47865a",
    "04347365a",
    "19047865a",
    "19414717365a",
    "478165126",
    "043473165126",
    "478965906026",
    "739479329596269",
    "b2347865a",
    "b47b2420465a",
    "190b2347865a",
    "47b94bb2919265a",
    "47863b653513",
    "51b5b610b47b04b",
    "47863b036065059",
    "65969b4797b9",
    "a4964a",
    "a4964a083",
    "01aa60640",
    "18316886461a",
    "149124264",
    "149124264083",
    "024426",
    "832824426",
    "b23a4964a",
    "b2008ba4964a",
    "b2301aa60640",
    "64161a148b2118b",
    "964369139b63",
    "18b081b61149641",
    "63b036640",
    "86468b",
    "67a78a89a",
    "67a0a709a073",
    "67a1a7178018",
    "67a1a7173",
    "126168189678",
    "269129679309739",
    "078706602",
    "273267",
    "b2367a78a89a",
    "207b2709767a9a7",
    "67a1a7178018b23",
    "b2117ba61167",
    "896678169b63136",
    "09167b",
    "07870603bb60",
    "67b",
];

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::grid::{Geometry, Grid};

    #[test]
    fn one_voxel_is_an_octahedron() {
        let spacing_mm = [3.0, 2.0, 1.0];
        let shells = Grid::new(Geometry::upright([1, 1, 1], spacing_mm), Array3::from_elem((1, 1, 1), 0)).unwrap();
        let mesh = mesh(&Layout::new(&shells, &[(0, 0)]), 0, spacing_mm);
        assert!((mesh.volume_mm3 - 4.0 / 3.0 * 1.5 * 1.0 * 0.5).abs() < 1e-15);
        let face = cross([1.5, -1.0, 0.0], [1.5, 0.0, -0.5]);
        assert!((mesh.area_mm2 - 8.0 * dot(face, face).sqrt() / 2.0).abs() < 1e-14);
    }
}
