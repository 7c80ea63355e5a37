//! Appending short stretches of bytes. The deltas of a large history have tens of millions of them,
//! most of some tens of bytes: a call of `memcpy` for each takes longer than the bytes.

use std::ops::Range;

/// Up to so many bytes are copied as so many, which takes a few instructions.
const BLOCK: usize = 48;

/// Room that should be behind what is appended to, so that it need not grow for a whole block.
pub(super) const ROOM: usize = BLOCK;

/// Appends a range of other bytes.
#[inline]
pub(super) fn append(to: &mut Vec<u8>, from: &[u8], range: Range<usize>) {
    let length = range.len();
    match from[range.start..].first_chunk::<BLOCK>() {
        Some(block) if length <= BLOCK => {
            let end = to.len() + length;
            to.extend_from_slice(block);
            to.truncate(end);
        }
        Some(_) | None => append_long(to, &from[range]),
    }
}

/// Not made part of its callers, so that what is short can be.
#[inline(never)]
fn append_long(to: &mut Vec<u8>, from: &[u8]) {
    to.extend_from_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_the_range_and_nothing_else() {
        let from: Vec<u8> = (0..=u8::MAX).collect();
        for start in [0, 1, 100, 200, 207, 208, 209, 250, 256] {
            for end in start..=from.len() {
                let mut to = b"before".to_vec();
                append(&mut to, &from, start..end);
                assert_eq!(
                    to,
                    [b"before", &from[start..end]].concat(),
                    "{start}..{end}"
                );
            }
        }
    }
}
