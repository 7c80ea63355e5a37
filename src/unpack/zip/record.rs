//! The records of a zip archive, read from bytes as PKWARE's APPNOTE 6.3.10 lays them out.
//!
//! Nothing here reads or decides; every number is the archive's own word.

use super::super::checked::Claim;

/// Starts a local header: what stands before an entry's data.
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Starts an entry of the central directory.
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
/// Starts the record that ends an archive.
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
/// Starts its 64-bit form.
pub(super) const END64: [u8; 4] = *b"PK\x06\x06";
/// Starts the record that tells where the 64-bit form stands.
pub(super) const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
/// May start a data descriptor, and starts an archive that was to be split.
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Bytes of a local header before the name.
pub(super) const LOCAL_LENGTH: usize = 30;
/// Bytes of an entry of the central directory before the name.
pub(super) const CENTRAL_LENGTH: usize = 46;
/// Bytes of the end record before the comment.
pub(super) const END_LENGTH: usize = 22;
/// Bytes of the 64-bit end record, as all write it.
pub(super) const END64_LENGTH: usize = 56;
/// Bytes of its locator.
pub(super) const LOCATOR64_LENGTH: usize = 20;

/// The number that stands for "see the 64-bit field".
const SEE_64: u32 = u32::MAX;

/// What both a local header and the central directory say about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The version of the specification that its reader must know.
    pub(super) version: u16,
    /// General purpose bits.
    pub(super) flags: u16,
    /// How it is compressed.
    pub(super) method: u16,
    /// The CRC-32 of its contents.
    pub(super) crc: u32,
    /// Bytes of its data, compressed.
    pub(super) compressed: u64,
    /// Bytes of its contents.
    pub(super) size: u64,
}

/// Where the data of an entry says its sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// In the header.
    Known,
    /// In a descriptor behind the data.
    Behind,
}

impl Entry {
    /// Encrypted by any scheme.
    pub(super) fn is_encrypted(&self) -> bool {
        const ENCRYPTED: u16 = 1;
        const STRONGLY: u16 = 1 << 6;
        const WINZIP_AES: u16 = 99;
        self.flags & (ENCRYPTED | STRONGLY) != 0 || self.method == WINZIP_AES
    }

    /// Whether a descriptor stands behind its data.
    pub(super) fn has_descriptor(&self) -> bool {
        const DESCRIPTOR_FOLLOWS: u16 = 1 << 3;
        self.flags & DESCRIPTOR_FOLLOWS != 0
    }

    /// What it says that it comes to, if it says so.
    pub(super) fn claim(&self) -> Option<Claim> {
        let says_nothing = self.has_descriptor() && self.crc == 0;
        (!says_nothing).then_some(Claim {
            crc: self.crc,
            size: self.size,
        })
    }

    /// Where its sizes stand. Some writers announce a descriptor and say the sizes all the same.
    pub(super) fn sizes(&self) -> Sizes {
        if self.has_descriptor() && self.compressed == 0 {
            Sizes::Behind
        } else {
            Sizes::Known
        }
    }

    /// An LZMA stream that ends with a marker.
    pub(super) fn has_end_marker(&self) -> bool {
        self.flags & (1 << 1) != 0
    }

    /// Whether a reader would make sense of it: what stands by chance behind the four bytes of a
    /// signature hardly ever does.
    pub(super) fn is_plausible(&self) -> bool {
        const RESERVED: u16 = 0b1101_0111_1000_0000;
        self.version & 0xff <= 63
            && self.flags & RESERVED == 0
            && (self.method <= 20 || (93..=99).contains(&self.method))
    }
}

/// A local header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) entry: Entry,
    /// Bytes of the name, which follows the header.
    pub(super) name: usize,
    /// Bytes of the extra fields, which follow the name.
    pub(super) extra: usize,
}

impl Local {
    /// Reads the fixed part, signature included.
    pub(super) fn read(bytes: &[u8; LOCAL_LENGTH]) -> Self {
        Self {
            entry: entry(&bytes[4..], &bytes[6..]),
            name: u16_at(bytes, 26).into(),
            extra: u16_at(bytes, 28).into(),
        }
    }

    /// Bytes of the whole header.
    pub(super) fn length(&self) -> usize {
        LOCAL_LENGTH + self.name + self.extra
    }
}

/// An entry of the central directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Central {
    pub(super) entry: Entry,
    /// Bytes of the name, which follows.
    pub(super) name: usize,
    /// Bytes of the extra fields, which follow the name.
    pub(super) extra: usize,
    /// Bytes of the comment, which follows them.
    pub(super) comment: usize,
    /// The offset of its local header from the start of the archive.
    pub(super) local: u64,
}

impl Central {
    /// Reads the fixed part, signature included.
    pub(super) fn read(bytes: &[u8; CENTRAL_LENGTH]) -> Self {
        Self {
            entry: entry(&bytes[6..], &bytes[8..]),
            name: u16_at(bytes, 28).into(),
            extra: u16_at(bytes, 30).into(),
            comment: u16_at(bytes, 32).into(),
            local: u32_at(bytes, 42).into(),
        }
    }

    /// Bytes of the whole entry.
    pub(super) fn length(&self) -> usize {
        CENTRAL_LENGTH + self.name + self.extra + self.comment
    }

    /// Takes the 64-bit numbers out of the extra fields.
    pub(super) fn widen(&mut self, extra: &[u8]) {
        let mut numbers = Numbers64::of(extra);
        numbers.widen(&mut self.entry.size);
        numbers.widen(&mut self.entry.compressed);
        numbers.widen(&mut self.local);
    }
}

impl Entry {
    /// Takes the 64-bit sizes out of a local header's extra fields.
    pub(super) fn widen(&mut self, extra: &[u8]) {
        let mut numbers = Numbers64::of(extra);
        numbers.widen(&mut self.size);
        numbers.widen(&mut self.compressed);
    }
}

/// The fields that both headers have in the same order.
fn entry(version: &[u8], rest: &[u8]) -> Entry {
    Entry {
        version: u16_at(version, 0),
        flags: u16_at(rest, 0),
        method: u16_at(rest, 2),
        crc: u32_at(rest, 8),
        compressed: u32_at(rest, 12).into(),
        size: u32_at(rest, 16).into(),
    }
}

/// The numbers of a zip64 extra field, each there only if its 32-bit place says so.
struct Numbers64<'a>(&'a [u8]);

impl<'a> Numbers64<'a> {
    fn of(mut extra: &'a [u8]) -> Self {
        const ZIP64: u16 = 1;
        while extra.len() >= 4 {
            let length = usize::from(u16_at(extra, 2)).min(extra.len() - 4);
            if u16_at(extra, 0) == ZIP64 {
                return Self(&extra[4..4 + length]);
            }
            extra = &extra[4 + length..];
        }
        Self(&[])
    }

    fn widen(&mut self, number: &mut u64) {
        if *number == u64::from(SEE_64)
            && let Some((wide, rest)) = self.0.split_first_chunk()
        {
            *number = u64::from_le_bytes(*wide);
            self.0 = rest;
        }
    }
}

/// What an end record says about the central directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Entries; in the 32-bit form, their number modulo 65,536.
    pub(super) entries: u64,
    /// Bytes of the central directory.
    pub(super) length: u64,
    /// Its offset from the start of the archive.
    pub(super) offset: u64,
}

impl End {
    /// Reads the fixed part of the 32-bit form.
    pub(super) fn read(bytes: &[u8; END_LENGTH]) -> Self {
        Self {
            entries: u16_at(bytes, 10).into(),
            length: u32_at(bytes, 12).into(),
            offset: u32_at(bytes, 16).into(),
        }
    }

    /// Reads the 64-bit form.
    pub(super) fn read64(bytes: &[u8; END64_LENGTH]) -> Self {
        Self {
            entries: u64_at(bytes, 32),
            length: u64_at(bytes, 40),
            offset: u64_at(bytes, 48),
        }
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_numbers_stand_in_for_those_that_ask_for_them() {
        let mut extra = vec![0x55, 0x54, 1, 0, 9]; // another field first
        extra.extend([1, 0, 16, 0]);
        extra.extend(7_u64.to_le_bytes());
        extra.extend(8_u64.to_le_bytes());
        let mut header = [0; CENTRAL_LENGTH];
        header[24..28].fill(0xff); // size
        header[20] = 5; // compressed
        header[42..46].fill(0xff); // local
        let mut central = Central::read(&header);
        central.widen(&extra);
        assert_eq!((central.entry.size, central.entry.compressed), (7, 5));
        assert_eq!(central.local, 8);
        // A field that is cut short leaves the numbers as they are.
        let mut central = Central::read(&header);
        central.widen(&extra[..extra.len() - 1]);
        assert_eq!((central.entry.size, central.local), (7, u64::from(SEE_64)));
    }
}
