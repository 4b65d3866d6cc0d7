//! The inverse of a 3 x 3 matrix by way of LINPACK's singular value decomposition, rounding for rounding.
//!
//! ITK inverts its index-to-point matrix so (`vnl_matrix_inverse`), and nearest neighbours half-way between two voxels
//! hang on the last bit of it. `dsvdc` is described in Dongarra, Moler, Bunch and Stewart, LINPACK Users' Guide (1979),
//! chapter 11; the steps for matrices without full rank are left out, for a grid's matrix has it.

/// Rows of a matrix.
pub type Matrix = [[f64; 3]; 3];

/// What turns a matrix into a diagonal one: its columns `u` and `v`, the diagonal and what is left beside it.
struct Decomposition {
    x: Matrix,
    u: Matrix,
    v: Matrix,
    diagonal: [f64; 3],
    beside: [f64; 3],
}

/// The inverse of a matrix of full rank.
pub fn inverse(matrix: Matrix) -> Matrix {
    let zeros = [[0.0; 3]; 3];
    let mut svd = Decomposition { x: matrix, u: zeros, v: zeros, diagonal: [0.0; 3], beside: [0.0; 3] };
    svd.bidiagonalise();
    svd.make_u();
    svd.make_v();
    svd.iterate();
    let scaled = svd.v.map(|row| std::array::from_fn::<f64, 3, _>(|k| row[k] * (1.0 / svd.diagonal[k])));
    scaled.map(|row| std::array::from_fn(|j| row[0] * svd.u[j][0] + row[1] * svd.u[j][1] + row[2] * svd.u[j][2]))
}

impl Decomposition {
    /// Householder reflections from the left for columns 0 and 1, from the right for row 0.
    fn bidiagonalise(&mut self) {
        self.reflect_column(0);
        self.reflect_row();
        self.reflect_column(1);
        self.diagonal[2] = self.x[2][2];
        self.beside = [self.beside[0], self.x[1][2], 0.0];
    }

    fn reflect_column(&mut self, l: usize) {
        let column: Vec<f64> = (l..3).map(|i| self.x[i][l]).collect();
        let mut length = norm(&column);
        if length != 0.0 {
            if self.x[l][l] != 0.0 {
                length = length.copysign(self.x[l][l]);
            }
            (l..3).for_each(|i| self.x[i][l] *= 1.0 / length);
            self.x[l][l] += 1.0;
        }
        self.diagonal[l] = -length;
        for j in l + 1..3 {
            if length != 0.0 {
                add_multiple(&mut self.x, l, j, l..3, l);
            }
            self.beside[j] = self.x[l][j];
        }
        (l..3).for_each(|i| self.u[i][l] = self.x[i][l]);
    }

    fn reflect_row(&mut self) {
        let mut length = norm(&self.beside[1..]);
        if length != 0.0 {
            if self.beside[1] != 0.0 {
                length = length.copysign(self.beside[1]);
            }
            self.beside[1..].iter_mut().for_each(|value| *value *= 1.0 / length);
            self.beside[1] += 1.0;
        }
        self.beside[0] = -length;
        if length != 0.0 {
            let [_, first, second] = self.beside;
            let work: [f64; 2] = [1, 2].map(|i| 0.0 + first * self.x[i][1] + second * self.x[i][2]);
            for (j, own) in [(1, first), (2, second)] {
                let weight = -own / first;
                (1..3).for_each(|i| self.x[i][j] += weight * work[i - 1]);
            }
        }
        (1..3).for_each(|i| self.v[i][0] = self.beside[i]);
    }

    fn make_u(&mut self) {
        (0..3).for_each(|i| self.u[i][2] = 0.0);
        self.u[2][2] = 1.0;
        for l in [1, 0] {
            if self.diagonal[l] == 0.0 {
                (0..3).for_each(|i| self.u[i][l] = f64::from(u8::from(i == l)));
                continue;
            }
            for j in l + 1..3 {
                add_multiple(&mut self.u, l, j, l..3, l);
            }
            (l..3).for_each(|i| self.u[i][l] = -self.u[i][l]);
            self.u[l][l] += 1.0;
            (0..l).for_each(|i| self.u[i][l] = 0.0);
        }
    }

    fn make_v(&mut self) {
        for l in [2, 1, 0] {
            if l == 0 && self.beside[0] != 0.0 {
                for j in 1..3 {
                    add_multiple(&mut self.v, 0, j, 1..3, 1);
                }
            }
            (0..3).for_each(|i| self.v[i][l] = f64::from(u8::from(i == l)));
        }
    }

    /// Implicit QR steps until nothing is left beside the diagonal, then singular values above 0 in falling order.
    fn iterate(&mut self) {
        const MOST_STEPS: usize = 90;
        let mut last = 2;
        for _ in 0..MOST_STEPS {
            let first = self.first_coupled(last);
            if first < last {
                self.step(first, last);
                continue;
            }
            self.order(last);
            if last == 0 {
                return;
            }
            last -= 1;
        }
    }

    /// The first row of the block that ends at `last`; sets to 0 the negligible value before it.
    fn first_coupled(&mut self, last: usize) -> usize {
        for l in (1..=last).rev() {
            let size = self.diagonal[l - 1].abs() + self.diagonal[l].abs();
            if size + self.beside[l - 1].abs() == size {
                self.beside[l - 1] = 0.0;
                return l;
            }
        }
        0
    }

    fn step(&mut self, first: usize, last: usize) {
        let (s, e) = (&mut self.diagonal, &mut self.beside);
        let largest = [s[last], s[last - 1], e[last - 1], s[first], e[first]].map(f64::abs);
        let scale = largest.into_iter().fold(0.0, f64::max);
        let [sm, before, coupling, sl, el] =
            [s[last], s[last - 1], e[last - 1], s[first], e[first]].map(|value| value / scale);
        let b = ((before + sm) * (before - sm) + coupling * coupling) / 2.0;
        let c = (sm * coupling) * (sm * coupling);
        let shift = if b == 0.0 && c == 0.0 { 0.0 } else { c / (b + (b * b + c).sqrt().copysign(b)) };
        let (mut f, mut g) = ((sl + sm) * (sl - sm) + shift, sl * el);
        for k in first..last {
            let (length, cos, sin) = rotation(f, g);
            if k != first {
                e[k - 1] = length;
            }
            f = cos * s[k] + sin * e[k];
            e[k] = cos * e[k] - sin * s[k];
            g = sin * s[k + 1];
            s[k + 1] *= cos;
            rotate(&mut self.v, k, cos, sin);
            let (length, cos, sin) = rotation(f, g);
            s[k] = length;
            f = cos * e[k] + sin * s[k + 1];
            s[k + 1] = -sin * e[k] + cos * s[k + 1];
            g = sin * e[k + 1];
            e[k + 1] *= cos;
            rotate(&mut self.u, k, cos, sin);
        }
        e[last - 1] = f;
    }

    fn order(&mut self, found: usize) {
        if self.diagonal[found] < 0.0 {
            self.diagonal[found] = -self.diagonal[found];
            self.v.iter_mut().for_each(|row| row[found] = -row[found]);
        }
        for k in found..2 {
            if self.diagonal[k] >= self.diagonal[k + 1] {
                break;
            }
            self.diagonal.swap(k, k + 1);
            self.u.iter_mut().chain(&mut self.v).for_each(|row| row.swap(k, k + 1));
        }
    }
}

/// Takes from column `j` its part along the reflection in column `l`, whose leading entry is in row `lead`.
fn add_multiple(m: &mut Matrix, l: usize, j: usize, rows: std::ops::Range<usize>, lead: usize) {
    let dot = rows.clone().fold(0.0, |sum, i| sum + m[i][l] * m[i][j]);
    let weight = -dot / m[lead][l];
    rows.for_each(|i| m[i][j] += weight * m[i][l]);
}

/// Length and angle of the rotation that turns (a, b) into (length, 0).
fn rotation(a: f64, b: f64) -> (f64, f64, f64) {
    let scale = a.abs() + b.abs();
    if scale == 0.0 {
        return (0.0, 1.0, 0.0);
    }
    let length = scale * ((a / scale) * (a / scale) + (b / scale) * (b / scale)).sqrt();
    let length = length.copysign(if a.abs() > b.abs() { a } else { b });
    (length, a / length, b / length)
}

fn rotate(m: &mut Matrix, k: usize, cos: f64, sin: f64) {
    for row in m {
        (row[k], row[k + 1]) = (cos * row[k] + sin * row[k + 1], cos * row[k + 1] - sin * row[k]);
    }
}

/// Euclidean length, scaled against overflow as in BLAS `dnrm2`.
fn norm(values: &[f64]) -> f64 {
    let (mut scale, mut sum) = (0.0f64, 1.0);
    for size in values.iter().map(|value| value.abs()).filter(|&size| size != 0.0) {
        if scale < size {
            sum = 1.0 + sum * ((scale / size) * (scale / size));
            scale = size;
        } else {
            sum += (size / scale) * (size / scale);
        }
    }
    scale * sum.sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_matrix_times_its_inverse_is_the_unit(
            entries in proptest::array::uniform9(-1.0..1.0f64),
            spacing in proptest::array::uniform3(0.2..8.0f64),
        ) {
            // A dominant diagonal keeps the rank.
            let matrix: Matrix = std::array::from_fn(|i| {
                std::array::from_fn(|j| (entries[3 * i + j] + if i == j { 3.0 } else { 0.0 }) * spacing[j])
            });
            let inverse = inverse(matrix);
            for (i, row) in matrix.iter().enumerate() {
                for j in 0..3 {
                    let product: f64 = row.iter().zip(inverse).map(|(entry, column)| entry * column[j]).sum();
                    prop_assert!((product - f64::from(u8::from(i == j))).abs() < 1e-13);
                }
            }
        }
    }

    #[test]
    fn a_diagonal_matrix_has_exact_reciprocals() {
        let found = inverse([[0.5, 0.0, 0.0], [0.0, -0.25, 0.0], [0.0, 0.0, 3.0]]);
        assert_eq!(found, [[2.0, 0.0, 0.0], [0.0, -4.0, 0.0], [0.0, 0.0, 1.0 / 3.0]]);
    }
}
