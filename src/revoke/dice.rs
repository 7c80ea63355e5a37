//! Chance for tests: small, and the same on every machine.

/// `SplitMix64`.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number from zero up to, not including, `below`.
    pub(super) fn roll(&mut self, below: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % below.unsigned_abs()).unwrap()
    }
}
