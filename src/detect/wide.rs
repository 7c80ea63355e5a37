//! Which order the bytes of wide characters have.
//!
//! `g` `0` `h` `0` is the same seen from either side: in the midst of a text of ASCII characters
//! as UTF-16, every other byte is a zero, and both orders fit. What decides is where the zeros
//! stop; and where that is out of sight, whether the characters start at even places of the blob.

use std::ops::Range;

use crate::vocabulary::Encoding;

use super::{LOOKBEHIND, Window};

/// Where a token stands whose characters' own bytes stand in `extent`, and in which encoding.
///
/// `None` if neither order fits: the zero of the first character, or of the last one, is none.
pub(super) fn resolve(
    window: Window<'_>,
    extent: Range<usize>,
) -> Option<(Range<usize>, Encoding)> {
    let Range { start, end } = extent;
    let behind = is_zero(window.bytes, Some(end));
    let before = is_zero(window.bytes, start.checked_sub(1));
    let order = match (before, behind) {
        (true, true) => guess(window, start, end - 1),
        (false, true) => Order::LowFirst,
        (true, false) => Order::HighFirst,
        (false, false) => return None,
    };
    Some(match order {
        Order::LowFirst => (start..end + 1, Encoding::Utf16Le),
        Order::HighFirst => (start - 1..end, Encoding::Utf16Be),
    })
}

/// Which byte of a character comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    LowFirst,
    HighFirst,
}

/// What the text around tells, or else the place. `first` and `last` are the token's own.
fn guess(window: Window<'_>, first: usize, last: usize) -> Order {
    match (left_edge(window, first), right_edge(window, last)) {
        (Some(left), Some(right)) if left == right => left,
        (Some(only), None) | (None, Some(only)) => only,
        (Some(_), Some(_)) | (None, None) => {
            let place = window.offset + first as u64;
            if place.is_multiple_of(2) {
                Order::LowFirst
            } else {
                Order::HighFirst
            }
        }
    }
}

/// How many characters on either side are looked at.
const SIGHT: usize = LOOKBEHIND / 2 - 1;

/// What the left end of the run of ASCII characters around `at` tells: it starts with a character,
/// and not with a zero, if the lower byte comes first.
fn left_edge(window: Window<'_>, mut at: usize) -> Option<Order> {
    let bytes = window.bytes;
    for _ in 0..SIGHT {
        if !is_zero(bytes, at.checked_sub(1)) {
            return Some(Order::LowFirst);
        }
        match at.checked_sub(2) {
            Some(before) if is_text(bytes[before]) => at = before,
            Some(_) | None => return Some(Order::HighFirst),
        }
    }
    None
}

/// The same for the right end, where it is a zero that the lower byte first leaves.
fn right_edge(window: Window<'_>, mut at: usize) -> Option<Order> {
    let bytes = window.bytes;
    for _ in 0..SIGHT {
        if !is_zero(bytes, Some(at + 1)) {
            return Some(Order::HighFirst);
        }
        at += 2;
        if !bytes.get(at).is_some_and(|&byte| is_text(byte)) {
            return Some(Order::LowFirst);
        }
    }
    None
}

fn is_zero(bytes: &[u8], at: Option<usize>) -> bool {
    at.and_then(|at| bytes.get(at)) == Some(&0)
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}
