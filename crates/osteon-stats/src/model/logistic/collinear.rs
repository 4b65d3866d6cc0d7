//! Columns that repeat others: aliasing, and variance inflation.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use crate::model::logistic::Warning;
use crate::stats::describe::{mean, sd};
use crate::table::Design;

/// A column of which earlier ones leave less than this share (of its SD) is one of them: far above rounding, far
/// below any real difference.
const ALIASED: f64 = 1e-10;

/// Positions of the columns that are no combination of earlier ones, and a warning for each other one.
///
/// Columns are standardised, constant ones zero.
pub fn independent(z: &DMatrix<f64>, names: &[String]) -> (Vec<usize>, Vec<Warning>) {
    let (mut kept, mut basis, mut warnings): (Vec<usize>, Vec<DVector<f64>>, Vec<Warning>) = Default::default();
    // What each kept column is made of: Z = Q R, one column of R each.
    let mut r: Vec<Vec<f64>> = Vec::new();
    for j in 0..z.ncols() {
        let mut rest = z.column(j).into_owned();
        let norm = rest.norm();
        let mut made_of = vec![0.0; basis.len()];
        // Twice is enough (Giraud, Langou and Rozložník 2005).
        for _ in 0..2 {
            for (direction, part) in basis.iter().zip(&mut made_of) {
                let along = direction.dot(&rest);
                rest.axpy(-along, direction, 1.0);
                *part += along;
            }
        }
        if norm > 0.0 && rest.norm() > ALIASED * norm {
            made_of.push(rest.norm());
            r.push(made_of);
            basis.push(rest.normalize());
            kept.push(j);
        } else {
            let shares = shares(&r, made_of);
            let of = kept.iter().zip(shares).filter(|(_, share)| norm > 0.0 && share.abs() > 1e-7);
            let of = of.map(|(&at, _)| names[at].clone()).collect();
            warnings.push(Warning::Aliased { term: names[j].clone(), of });
        }
    }
    (kept, warnings)
}

/// How often each kept column is in a combination of the basis: R s = c, from the last one back.
fn shares(r: &[Vec<f64>], mut c: Vec<f64>) -> Vec<f64> {
    for at in (0..r.len()).rev() {
        c[at] /= r[at][at];
        for above in 0..at {
            c[above] -= r[at][above] * c[at];
        }
    }
    c
}

/// The generalised variance inflation factor of each group of columns (Fox and Monette 1992), the ordinary one for a
/// single column; `None` when columns are collinear or there is one group only.
pub fn variance_inflation(design: &Design, groups: &[Range<usize>]) -> Vec<Option<f64>> {
    let k = design.columns.len();
    if groups.len() < 2 || k == 0 {
        return vec![None; groups.len()];
    }
    let (n, standard) = (design.x.nrows(), |j: usize| -> Option<Vec<f64>> {
        let column = design.x.column(j).to_vec();
        let (mean, sd) = (mean(&column)?, sd(&column)?);
        (sd > 0.0).then(|| column.iter().map(|value| (value - mean) / sd).collect())
    });
    let Some(columns) = (0..k).map(standard).collect::<Option<Vec<_>>>() else { return vec![None; groups.len()] };
    let z = DMatrix::from_fn(n, k, |i, j| columns[j][i]);
    let correlation = z.transpose() * &z / (n as f64 - 1.0);
    let ln_det = |positions: &[usize]| -> Option<f64> {
        let part = correlation.select_rows(positions).select_columns(positions);
        let factor = part.cholesky()?;
        let diagonal: f64 = factor.l_dirty().diagonal().iter().map(|value| value.ln()).sum();
        Some(2.0 * diagonal).filter(|ln_det| ln_det.is_finite())
    };
    let all: Vec<usize> = (0..k).collect();
    let one = |group: &Range<usize>| {
        let (own, others): (Vec<usize>, Vec<usize>) = all.iter().partition(|&at| group.contains(at));
        Some((ln_det(&own)? + ln_det(&others)? - ln_det(&all)?).exp())
    };
    groups.iter().map(one).collect()
}
