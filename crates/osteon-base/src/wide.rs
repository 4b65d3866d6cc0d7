//! The processor's wide registers: inner loops are compiled twice, and the better one is taken where it can run.

/// Defines a function that works with AVX2 where the processor has it. The result is the same to the last bit, for
/// nothing is fused. What it calls gains only if it is `#[inline(always)]`.
#[macro_export]
macro_rules! wide {
    ($(#[$about:meta])* $seen:vis fn $name:ident $(<$kind:ident: $bound:path>)? ($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$about])*
        $seen fn $name $(<$kind: $bound>)? ($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn plain $(<$kind: $bound>)? ($($arg: $type),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,popcnt")]
            fn with_avx2 $(<$kind: $bound>)? ($($arg: $type),*) $(-> $out)? {
                plain($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            if $crate::wide::has_avx2() {
                // SAFETY: the processor has what the function is compiled for.
                return unsafe { with_avx2($($arg),*) };
            }
            plain($($arg),*)
        }
    };
}

pub use wide;

/// Whether the processor has all that `wide` compiles for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("popcnt")
}
