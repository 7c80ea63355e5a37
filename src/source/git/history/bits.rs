//! A bit for each of some numbers: small enough to be near when nearly all that is asked is whether
//! one is set.

/// Bits, none of them set at first.
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// So many.
    pub(super) fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Whether one is set.
    pub(super) fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    /// Sets one; tells whether it was not.
    pub(super) fn set(&mut self, at: usize) -> bool {
        let is_new = !self.has(at);
        self.0[at / 64] |= 1 << (at % 64);
        is_new
    }

    /// Sets all.
    pub(super) fn set_all(&mut self) {
        self.0.fill(u64::MAX);
    }
}
