//! Columns beyond the variables themselves: restricted cubic splines, and products of two variables.

use std::ops::Range;

use ndarray::Array2;

use crate::table::encode::{Encoded, Variable};
use crate::table::spline::{self, KnotError};

/// What a design is expanded by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expansion {
    /// Variable and number of knots.
    pub splines: Vec<(String, usize)>,
    /// Two variables each.
    pub interactions: Vec<[String; 2]>,
}

/// An expanded design; its products are variables of their own, called `a:b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expanded {
    pub encoded: Encoded,
    /// Variable, knots, and the columns of its cubic terms.
    pub splines: Vec<(String, Vec<f64>, Range<usize>)>,
}

/// Why a design cannot be expanded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExpandError {
    #[error("{name} is no term of the model: expected one of {terms}")]
    NoTerm { name: String, terms: String },
    #[error("{0} holds levels: a spline needs numbers")]
    Levels(String),
    #[error("a product of {0} with itself")]
    Itself(String),
    #[error("{name}: {source}")]
    Knots { name: String, source: KnotError },
}

/// Splines first, then products of all columns of either variable, named as R and rms name them: `age'`, `age:sexmale`.
pub fn expand(encoded: &Encoded, by: &Expansion) -> Result<Expanded, ExpandError> {
    let terms = || encoded.variables.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    let known = |name: &String| encoded.variables.iter().any(|it| it.name == *name);
    let named = by.splines.iter().map(|(name, _)| name).chain(by.interactions.iter().flatten());
    if let Some(name) = named.into_iter().find(|name| !known(name)) {
        return Err(ExpandError::NoTerm { name: name.clone(), terms: terms() });
    }
    let rows = encoded.design.x.nrows();
    let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
    let mut variables: Vec<Variable> = Vec::new();
    let mut splines = Vec::new();
    for variable in &encoded.variables {
        let first = columns.len();
        match by.splines.iter().find(|(name, _)| *name == variable.name) {
            Some((name, n_knots)) => {
                if variable.reference.is_some() || variable.columns.len() != 1 {
                    return Err(ExpandError::Levels(name.clone()));
                }
                let x = encoded.design.x.column(variable.columns.start).to_vec();
                let knots =
                    spline::knots(&x, *n_knots).map_err(|source| ExpandError::Knots { name: name.clone(), source })?;
                let bases: Vec<Vec<f64>> = x.iter().map(|&x| spline::basis(x, &knots)).collect();
                for at in 0..knots.len() - 1 {
                    columns.push((format!("{name}{}", "'".repeat(at)), bases.iter().map(|basis| basis[at]).collect()));
                }
                splines.push((name.clone(), knots, first + 1..columns.len()));
            }
            None => {
                for at in variable.columns.clone() {
                    columns.push((encoded.design.columns[at].clone(), encoded.design.x.column(at).to_vec()));
                }
            }
        }
        variables.push(Variable { columns: first..columns.len(), ..variable.clone() });
    }
    for [a, b] in &by.interactions {
        if a == b {
            return Err(ExpandError::Itself(a.clone()));
        }
        let columns_of =
            |name: &String| variables.iter().find(|it| it.name == *name).map_or(0..0, |it| it.columns.clone());
        let (of_a, of_b, first) = (columns_of(a), columns_of(b), columns.len());
        for j in of_b {
            for i in of_a.clone() {
                let product = columns[i].1.iter().zip(&columns[j].1).map(|(x, y)| x * y).collect();
                columns.push((format!("{}:{}", columns[i].0, columns[j].0), product));
            }
        }
        let name = format!("{a}:{b}");
        variables.push(Variable { name, columns: first..columns.len(), reference: None, levels: Vec::new() });
    }
    let x = Array2::from_shape_fn((rows, columns.len()), |(i, j)| columns[j].1[i]);
    let mut encoded = encoded.clone();
    encoded.design.columns = columns.into_iter().map(|(name, _)| name).collect();
    encoded.design.x = x;
    encoded.variables = variables;
    Ok(Expanded { encoded, splines })
}
