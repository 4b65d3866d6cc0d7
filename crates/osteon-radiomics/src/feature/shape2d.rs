//! Shape of a region that is one slice thick (10 features): pyradiomics' `shape2D`, marching squares half way between
//! pixels.

use nalgebra::Matrix2;

/// Names in pyradiomics' order; the first nine are not deprecated.
pub const NAMES: [&str; 10] = [
    "Elongation",
    "MajorAxisLength",
    "MaximumDiameter",
    "MeshSurface",
    "MinorAxisLength",
    "Perimeter",
    "PerimeterSurfaceRatio",
    "PixelSurface",
    "Sphericity",
    "SphericalDisproportion",
];

/// Ends of the lines of each pattern of four corners, as edges; 0 above, 1 right, 2 below, 3 left.
const LINES: [&[(usize, usize)]; 16] = [
    &[],
    &[(3, 0)],
    &[(0, 1)],
    &[(3, 1)],
    &[(1, 2)],
    &[(1, 2), (3, 0)],
    &[(0, 2)],
    &[(3, 2)],
    &[(2, 3)],
    &[(2, 0)],
    &[(0, 1), (2, 3)],
    &[(2, 1)],
    &[(1, 3)],
    &[(1, 0)],
    &[(0, 3)],
    &[],
];

/// Middles of the edges, row and column.
const MIDDLES: [[f64; 2]; 4] = [[0.0, 0.5], [0.5, 1.0], [1.0, 0.5], [0.5, 0.0]];
const CORNERS: [[usize; 2]; 4] = [[0, 0], [0, 1], [1, 1], [1, 0]];

/// One value a name of a region of pixels, rows by columns; spacing of rows and columns.
pub fn describe(inside: &ndarray::Array2<bool>, spacing_mm: [f64; 2]) -> [Option<f64>; NAMES.len()] {
    let (rows, columns) = inside.dim();
    let has = |row: usize, column: usize| {
        (1..=rows).contains(&row) && (1..=columns).contains(&column) && inside[[row - 1, column - 1]]
    };
    let (mut perimeter, mut doubled, mut points) = (0.0, 0.0, Vec::new());
    for row in 0..=rows {
        for column in 0..=columns {
            let corner = |(bit, [y, x]): (usize, [usize; 2])| usize::from(has(row + y, column + x)) << bit;
            let pattern: usize = CORNERS.into_iter().enumerate().map(corner).sum();
            let point = |edge: usize| [row, column].map(|at| at as f64).into_iter().zip(MIDDLES[edge]).zip(spacing_mm);
            let point = |edge: usize| -> [f64; 2] {
                let mut place = point(edge).map(|((at, middle), mm)| (at + middle) * mm);
                std::array::from_fn(|_| place.next().expect("two coordinates"))
            };
            for &(from, to) in LINES[pattern] {
                let (a, b) = (point(from), point(to));
                doubled += a[0] * b[1] - b[0] * a[1];
                perimeter += apart(&a, &b).sqrt();
                points.extend([a, b]);
            }
        }
    }
    let surface: f64 = doubled / 2.0;
    let pixels: Vec<[f64; 2]> = inside
        .indexed_iter()
        .filter(|(_, inside)| **inside)
        .map(|((row, column), _)| [row as f64 * spacing_mm[0], column as f64 * spacing_mm[1]])
        .collect();
    let [minor, major] = spread(&pixels);
    let diameter = points.iter().enumerate().flat_map(|(at, a)| points[..at].iter().map(move |b| apart(a, b)));
    let sphericity = 2.0 * (std::f64::consts::PI * surface).sqrt() / perimeter;
    let axis = |square: f64| if square < 0.0 { f64::NAN } else { 4.0 * square.sqrt() };
    [
        (minor / major).sqrt(),
        axis(major),
        diameter.fold(0.0, f64::max).sqrt(),
        surface,
        axis(minor),
        perimeter,
        perimeter / surface,
        pixels.len() as f64 * spacing_mm[0] * spacing_mm[1],
        sphericity,
        1.0 / sphericity,
    ]
    .map(|value| Some(value).filter(|value| value.is_finite()))
}

fn apart(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// Eigenvalues of the covariance of the pixels' centres, divided by n, ascending; what rounding made negative is 0.
fn spread(pixels: &[[f64; 2]]) -> [f64; 2] {
    let n = pixels.len() as f64;
    let mean: [f64; 2] = std::array::from_fn(|k| pixels.iter().map(|pixel| pixel[k]).sum::<f64>() / n);
    let covariance = Matrix2::from_fn(|a, b| {
        pixels.iter().map(|pixel| (pixel[a] - mean[a]) * (pixel[b] - mean[b])).sum::<f64>() / n
    });
    let values = covariance.symmetric_eigenvalues();
    let (low, high) = (values.min(), values.max());
    [low, high].map(|value| if value < 0.0 && value > -1e-10 { 0.0 } else { value })
}
