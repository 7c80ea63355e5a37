//! The memory that files are read into.
//!
//! # What was learned here
//!
//! The kernel copies from its page cache with `rep movsb`. Where the target lies 1 to 31 bytes
//! behind the source, counted within a page, some processors copy at a quarter of the speed: each
//! load seems to them to depend on a store just made. A plain `Vec` of this size lies 16 bytes
//! behind a page's start, the worst place there is; and carrying a tail over to the front of a
//! window puts what is read behind it at any offset at all. So reads always go to the start of a
//! page, and what is carried over lies before it. On a tree of small files that is a quarter of
//! the whole time.

/// Bytes read at once. Half of a core's second cache: what the kernel copied in is still there
/// when it is searched and its lines are counted.
pub const WINDOW: usize = 256 * 1024;

const PAGE: usize = 4096;

/// A window to read into, and room before it for what is carried over from the last one.
#[derive(Debug)]
pub struct Buffer {
    memory: Vec<u8>,
    /// Where the window starts: at the start of a page.
    window: usize,
    /// Bytes carried over, right before the window.
    held: usize,
    /// Bytes before those, which are done with and may still be looked at.
    past: usize,
}

impl Buffer {
    /// A window with room for `headroom` bytes before it.
    pub fn new(headroom: usize) -> Self {
        let memory = vec![0; headroom + PAGE + WINDOW];
        let address = memory.as_ptr().addr();
        Self {
            window: (address + headroom).next_multiple_of(PAGE) - address,
            memory,
            held: 0,
            past: 0,
        }
    }

    /// Where to read to.
    pub fn window(&mut self) -> &mut [u8] {
        &mut self.memory[self.window..self.window + WINDOW]
    }

    /// Bytes carried over.
    pub fn held(&self) -> usize {
        self.held
    }

    /// What was carried over and, behind it, the first `filled` bytes of the window.
    pub fn bytes(&self, filled: usize) -> &[u8] {
        &self.memory[self.window - self.held..self.window + filled]
    }

    /// [`Buffer::bytes`], and before them what [`Buffer::carry`] kept of the past; tells how much
    /// that is.
    pub fn bytes_with_past(&self, filled: usize) -> (&[u8], usize) {
        let start = self.window - self.held - self.past;
        (&self.memory[start..self.window + filled], self.past)
    }

    /// Carries the last `tail` of [`Buffer::bytes`] over, to stand before what is read next, and
    /// keeps up to `past` bytes before it in sight.
    pub fn carry(&mut self, filled: usize, tail: usize, past: usize) {
        let end = self.window + filled;
        self.past = past.min(self.past + self.held + filled - tail);
        let kept = tail + self.past;
        self.memory.copy_within(end - kept..end, self.window - kept);
        self.held = tail;
    }

    /// Where to put what precedes the first window, `past` bytes of it, to have it in sight.
    pub fn past(&mut self, past: usize) -> &mut [u8] {
        self.past = past;
        let end = self.window - self.held;
        &mut self.memory[end - past..end]
    }

    /// Forgets what was carried over.
    pub fn clear(&mut self) {
        self.held = 0;
        self.past = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_over_stands_before_what_is_read() {
        let mut buffer = Buffer::new(12);
        assert_eq!(buffer.window().as_ptr().addr() % PAGE, 0);
        buffer.window()[..6].copy_from_slice(b"abcdef");
        assert_eq!(buffer.bytes(6), b"abcdef");
        buffer.carry(6, 4, 1);
        buffer.window()[..2].copy_from_slice(b"gh");
        assert_eq!(buffer.bytes(2), b"cdefgh");
        assert_eq!(buffer.bytes_with_past(2), (&b"bcdefgh"[..], 1));
        // A tail may hold more than was read last.
        buffer.carry(2, 5, 9);
        buffer.window()[..1].copy_from_slice(b"i");
        assert_eq!(buffer.bytes(1), b"defghi");
        // There is no more of the past than was there.
        assert_eq!(buffer.bytes_with_past(1), (&b"bcdefghi"[..], 2));
        buffer.clear();
        assert_eq!(buffer.bytes_with_past(1), (&b"i"[..], 0));
        buffer.past(2).copy_from_slice(b"gh");
        assert_eq!(buffer.bytes_with_past(1), (&b"ghi"[..], 2));
    }
}
