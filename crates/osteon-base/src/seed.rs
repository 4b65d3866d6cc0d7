//! Named randomness: tree 17 of the forest of fold 3 is the same tree whatever else runs.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A number from which other seeds and one generator are made; it is never used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of a named part of the work.
    pub fn named(self, name: &str) -> Seed {
        Seed(name.bytes().fold(mix(self.0), |state, byte| mix(state ^ u64::from(byte))))
    }

    /// The seed of item `index` of a list.
    pub fn nth(self, index: usize) -> Seed {
        Seed(mix(mix(self.0) ^ mix(index as u64 ^ 0x6f73_7465_6f6e)))
    }

    /// A fresh generator; it must not outlive the item it was made for.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): one changed bit changes half of all bits.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn names_and_positions_give_different_streams_and_the_same_one_each_time() {
        let seed = Seed(7);
        let draw = |seed: Seed| seed.rng().random::<u64>();
        assert_eq!(draw(seed.named("forest").nth(17)), draw(seed.named("forest").nth(17)));
        assert_ne!(draw(seed.named("forest").nth(17)), draw(seed.named("forest").nth(18)));
        assert_ne!(draw(seed.named("forest")), draw(seed.named("folds")));
        assert_ne!(draw(seed.nth(0)), draw(seed));
    }
}
