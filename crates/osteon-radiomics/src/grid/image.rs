//! A volume with the number type of its file: some programs round to that type between their steps.

use serde::{Deserialize, Serialize};

use crate::grid::Volume;

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

    #[test]
    fn a_cast_truncates_toward_zero_and_stays_in_range() {
        assert_eq!(Element::I16.cast(-2.9), -2.0);
        assert_eq!(Element::U8.cast(-2.9), 0.0);
        assert_eq!(Element::U8.cast(300.0), 255.0);
        assert_eq!(Element::F32.cast(0.1), f64::from(0.1f32));
        assert_eq!(Element::F64.cast(0.1), 0.1);
    }
}
