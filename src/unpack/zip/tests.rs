//! Archives that no tool writes: the two views at odds, numbers that lie, bytes that many share.
//! What tools write is in the integration tests.

use std::io::{Cursor, Read as _};

use flate2::Compression;
use flate2::read::DeflateEncoder;

use crate::vocabulary::SkipReason;

use super::super::Unread;
use super::super::collect::{Collected, Drip};
use super::*;

const ENCRYPTED: u16 = 1;
const DESCRIBED: u16 = 8;

/// An entry as one of the two views tells of it.
#[derive(Clone, Copy)]
struct Said<'a> {
    name: &'a str,
    method: u16,
    flags: u16,
    crc: u32,
    compressed: usize,
    size: usize,
}

impl<'a> Said<'a> {
    /// The truth about contents that were compressed to `data`.
    fn of(name: &'a str, method: u16, contents: &[u8], data: &[u8]) -> Self {
        Self {
            name,
            method,
            flags: 0,
            crc: crc32fast::hash(contents),
            compressed: data.len(),
            size: contents.len(),
        }
    }

    fn common(&self) -> Vec<u8> {
        let mut bytes = vec![20, 0];
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend(u32::try_from(self.compressed).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(self.size).unwrap().to_le_bytes());
        bytes.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }

    fn local(&self) -> Vec<u8> {
        [&LOCAL, &self.common()[..], self.name.as_bytes()].concat()
    }
}

/// An archive in the making.
#[derive(Default)]
struct Maker {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

impl Maker {
    /// Puts an honest entry.
    fn entry(&mut self, name: &str, method: u16, contents: &[u8]) -> &mut Self {
        let data = match method {
            0 => contents.to_vec(),
            _ => deflate(contents),
        };
        let said = Said::of(name, method, contents, &data);
        let offset = self.local(said, &data);
        self.central(said, offset)
    }

    /// Puts a local header and data; tells its offset.
    fn local(&mut self, said: Said<'_>, data: &[u8]) -> usize {
        let offset = self.bytes.len();
        self.bytes.extend(said.local());
        self.bytes.extend(data);
        offset
    }

    /// Puts an entry into the central directory.
    fn central(&mut self, said: Said<'_>, offset: usize) -> &mut Self {
        self.directory.extend(record::CENTRAL);
        self.directory.extend([20, 0]);
        self.directory.extend(said.common());
        self.directory.extend([0; 10]);
        self.directory
            .extend(u32::try_from(offset).unwrap().to_le_bytes());
        self.directory.extend(said.name.as_bytes());
        self.entries += 1;
        self
    }

    /// The whole archive.
    fn end(&self) -> Vec<u8> {
        let mut bytes = [&self.bytes[..], &self.directory, &END, &[0; 4]].concat();
        bytes.extend(self.entries.to_le_bytes());
        bytes.extend(self.entries.to_le_bytes());
        for number in [self.directory.len(), self.bytes.len()] {
            bytes.extend(u32::try_from(number).unwrap().to_le_bytes());
        }
        bytes.extend([0; 2]);
        bytes
    }
}

fn deflate(contents: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    DeflateEncoder::new(contents, Compression::best())
        .read_to_end(&mut data)
        .unwrap();
    data
}

/// Reads a file.
fn file(bytes: &[u8]) -> (Collected, Result<(), Unread>) {
    let mut collected = Collected::new();
    let ended = read_anywhere(&mut Cursor::new(bytes), &mut collected);
    (collected, ended)
}

/// Reads a stream.
fn stream(bytes: &[u8]) -> (Collected, Result<(), Unread>) {
    let mut collected = Collected::new();
    let ended = read(&mut &*bytes, &mut collected);
    (collected, ended)
}

/// Text that shrinks.
fn lorem(seed: u8) -> Vec<u8> {
    let line = format!("line {seed} of a text that says nothing at all\n");
    line.repeat(20).into_bytes()
}

#[test]
fn what_is_honest_is_handed_out_once_from_a_file_and_from_a_stream() {
    let mut maker = Maker::default();
    maker.entry("a", 0, &lorem(1)).entry("b", 8, &lorem(2));
    maker.entry("folder/", 0, b"").entry("c", 8, &lorem(3));
    let bytes = maker.end();
    for (collected, ended) in [file(&bytes), stream(&bytes)] {
        ended.unwrap();
        assert!(!collected.told(), "{collected:?}");
        assert_eq!(collected.names(), ["a", "b", "folder/", "c"]);
        assert!(collected.has(&lorem(1)) && collected.has(&lorem(2)) && collected.has(&lorem(3)));
        assert_eq!(collected.offsets, [31]);
    }
    for seed in [1, 5, 4096] {
        let mut collected = Collected::new();
        let mut input = std::io::BufReader::with_capacity(7, Drip(&bytes, seed));
        read(&mut input, &mut collected).unwrap();
        assert_eq!(collected, stream(&bytes).0);
    }
}

#[test]
fn an_entry_that_the_directory_hides_is_found() {
    let mut maker = Maker::default();
    maker.entry("a", 8, &lorem(1));
    let data = deflate(&lorem(2));
    maker.local(Said::of("hidden", 8, &lorem(2), &data), &data);
    maker.entry("b", 8, &lorem(3));
    let (collected, ended) = file(&maker.end());
    ended.unwrap();
    assert_eq!(collected.names(), ["a", "hidden", "b"]);
}

/// An archive with an entry that lies within another's stored contents.
fn smuggled() -> Vec<u8> {
    let mut maker = Maker::default();
    let data = deflate(&lorem(2));
    let inner = Said::of("inner", 8, &lorem(2), &data);
    let picture = [b"not an archive ", &inner.local()[..], &data].concat();
    let outer = Said::of("picture", 0, &picture, &picture);
    let offset = maker.local(outer, &picture);
    maker.central(outer, offset);
    maker.central(inner, offset + 30 + "picture".len() + 15);
    maker.entry("b", 8, &lorem(3)).end()
}

#[test]
fn an_entry_that_the_local_headers_hide_is_found_in_a_file_and_told_in_a_stream() {
    let (collected, ended) = file(&smuggled());
    ended.unwrap();
    assert!(!collected.told(), "{collected:?}");
    assert_eq!(collected.names(), ["picture", "b", "inner"]);
    assert!(collected.has(&lorem(2)));
    let (collected, _) = stream(&smuggled());
    let hidden = ("inner".to_owned(), SkipReason::Unseekable);
    assert_eq!(collected.skips, [hidden]);
    assert_eq!(collected.names(), ["picture", "b"]);
}

#[test]
fn a_first_entry_that_swallows_all_does_not_hide_the_rest() {
    let mut maker = Maker::default();
    let mut huge = Said::of("huge", 0, b"x", b"x");
    let honest = huge;
    huge.compressed = 1 << 30;
    huge.size = 1 << 30;
    let offset = maker.local(huge, b"x");
    maker.central(honest, offset);
    let bytes = maker
        .entry("b", 8, &lorem(3))
        .entry("c", 8, &lorem(4))
        .end();
    let (collected, _) = file(&bytes);
    assert!(collected.has(&lorem(3)) && collected.has(&lorem(4)));
    assert!(stream(&bytes).0.told());
}

#[test]
fn where_the_views_disagree_both_are_read() {
    let data = deflate(&lorem(1));
    let truth = Said::of("a", 8, &lorem(1), &data);
    let stored = Said {
        method: 0,
        size: data.len(),
        crc: crc32fast::hash(&data),
        ..truth
    };
    let encrypted = Said {
        flags: ENCRYPTED,
        ..truth
    };
    let empty = Said {
        compressed: 0,
        size: 0,
        ..truth
    };
    for lie in [stored, encrypted, empty] {
        for (local, central) in [(truth, lie), (lie, truth)] {
            let mut maker = Maker::default();
            let offset = maker.local(local, &data);
            let bytes = maker
                .central(central, offset)
                .entry("b", 8, &lorem(2))
                .end();
            let (collected, _) = file(&bytes);
            assert!(collected.has(&lorem(1)), "{collected:?}");
            assert!(collected.has(&lorem(2)), "{collected:?}");
        }
    }
}

#[test]
fn contents_that_are_not_what_was_packed_are_handed_out_and_told() {
    let data = deflate(&lorem(1));
    let truth = Said::of("a", 8, &lorem(1), &data);
    let wrong_sum = Said { crc: 1, ..truth };
    let too_long = Said {
        size: 5000,
        ..truth
    };
    for (local, central) in [(wrong_sum, truth), (truth, wrong_sum), (too_long, truth)] {
        let mut maker = Maker::default();
        let offset = maker.local(local, &data);
        let bytes = maker.central(central, offset).end();
        for (collected, _) in [file(&bytes), stream(&bytes)] {
            assert!(collected.has(&lorem(1)));
            assert_eq!(collected.errors.len(), 1, "{collected:?}");
        }
    }
}

#[test]
fn stored_contents_end_at_their_descriptor_and_not_at_what_looks_like_one() {
    let contents = [
        b"PK\x07\x08 no descriptor PK PK\x03\x04 nor a header",
        &lorem(1)[..],
    ]
    .concat();
    let sum = crc32fast::hash(&contents);
    let length = u32::try_from(contents.len()).unwrap();
    let narrow = [sum, length, length].map(u32::to_le_bytes).concat();
    let wide = [length, 0, length, 0].map(u32::to_le_bytes).concat();
    let wide = [&sum.to_le_bytes()[..], &wide].concat();
    let signed = |fields: &[u8]| [&DESCRIPTOR, fields].concat();
    let descriptors = [signed(&narrow), narrow.clone(), signed(&wide), wide.clone()];
    for descriptor in descriptors {
        let mut maker = Maker::default();
        let truth = Said::of("a", 0, &contents, &contents);
        let local = Said {
            flags: DESCRIBED,
            crc: 0,
            compressed: 0,
            size: 0,
            ..truth
        };
        let data = [&contents[..], &descriptor].concat();
        let offset = maker.local(local, &data);
        let central = Said {
            flags: DESCRIBED,
            ..truth
        };
        let bytes = maker
            .central(central, offset)
            .entry("b", 8, &lorem(2))
            .end();
        let (collected, ended) = stream(&bytes);
        ended.unwrap();
        assert!(!collected.told(), "{descriptor:?} {:?}", collected.errors);
        assert!(collected.has(&contents) && collected.has(&lorem(2)));
    }
}

#[test]
fn what_is_cut_short_is_read_as_far_as_it_goes_and_told() {
    let mut maker = Maker::default();
    maker.entry("a", 8, &lorem(1)).entry("b", 0, &lorem(2));
    let (first, whole) = (30 + 1 + deflate(&lorem(1)).len(), maker.end());
    for cut in 0..whole.len() {
        for (collected, ended) in [file(&whole[..cut]), stream(&whole[..cut])] {
            if cut >= first {
                assert!(collected.has(&lorem(1)), "cut at {cut}");
                assert!(collected.told() || ended.is_err(), "cut at {cut}");
            }
        }
    }
}

#[test]
fn no_single_bit_hides_anything_unsaid() {
    let mut maker = Maker::default();
    maker.entry("a", 8, &lorem(1)).entry("b", 0, &lorem(2));
    let whole = maker.end();
    let mut flipped = whole.clone();
    for bit in 0..whole.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        for (collected, ended) in [file(&flipped), stream(&flipped)] {
            let is_whole = collected.has(&lorem(1)) && collected.has(&lorem(2));
            assert!(
                is_whole || collected.told() || ended.is_err(),
                "bit {} of byte {}: {collected:?}",
                bit % 8,
                bit / 8
            );
        }
        flipped[bit / 8] = whole[bit / 8];
    }
}

#[test]
fn an_archive_is_found_behind_anything() {
    let mut maker = Maker::default();
    let zip = maker
        .entry("a", 8, &lorem(1))
        .entry("b", 8, &lorem(2))
        .end();
    let noise: Vec<u8> = (0..50_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect();
    for before in [&noise[..], b"#!/bin/sh\n", b"PK\x03\x04", b"PK", b"P"] {
        for behind in [&b""[..], b"\n", &noise[..NEAR - END_LENGTH]] {
            let bytes = [before, &zip, behind].concat();
            let expected = if behind.is_empty() {
                Tail::Exact
            } else {
                Tail::Within
            };
            assert_eq!(
                Tail::of(&bytes[bytes.len().saturating_sub(NEAR)..]),
                expected
            );
            for (collected, ended) in [file(&bytes), stream(&bytes)] {
                ended.unwrap();
                assert_eq!(collected.names(), ["a", "b"]);
                assert!(!collected.told(), "{collected:?}");
            }
        }
    }
    assert_eq!(Tail::of(&noise), Tail::Other);
}

#[test]
fn what_only_starts_like_an_archive_is_none() {
    for bytes in [
        &b"PK\x03\x04"[..],
        b"PK\x03\x04 is how a zip starts, says this text, which goes on for a while",
        &[b"PK\x03\x04", &[0xff; 100][..]].concat(),
        b"",
    ] {
        for (collected, ended) in [file(bytes), stream(bytes)] {
            assert!(matches!(ended, Err(Unread::Foreign)), "{ended:?}");
            assert!(collected.members.is_empty() && !collected.told());
        }
    }
}

/// David Fifield's bomb: each entry quotes the header of the next one in a block that is not
/// compressed, and goes on with all that the next one has, so that all share one kernel.
fn bomb(entries: usize, kernel: usize) -> Vec<u8> {
    let contents = vec![b'a'; kernel];
    let mut data = deflate(&contents);
    let mut sum = crc32fast::Hasher::new();
    sum.update(&contents);
    let mut crc = sum.finalize();
    let mut size = kernel;
    let mut said = Vec::new();
    for n in (0..entries).rev() {
        let name = format!("{n:05}");
        let header = Said {
            name: &name,
            method: 8,
            flags: 0,
            crc,
            compressed: data.len(),
            size,
        }
        .local();
        said.push((name, crc, data.len(), size));
        let length = u16::try_from(header.len()).unwrap();
        if n == 0 {
            data = [&header[..], &data].concat();
            break;
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&header);
        hasher.combine(&crc32fast::Hasher::new_with_initial_len(crc, size as u64));
        crc = hasher.finalize();
        size += header.len();
        let block = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        data = [&block[..], &header, &data].concat();
    }
    let mut maker = Maker {
        bytes: data,
        ..Maker::default()
    };
    for (n, (name, crc, compressed, size)) in said.iter().rev().enumerate() {
        let said = Said {
            name,
            method: 8,
            flags: 0,
            crc: *crc,
            compressed: *compressed,
            size: *size,
        };
        maker.central(said, n * (35 + 5));
    }
    maker.end()
}

#[test]
fn entries_that_share_a_kernel_are_not_all_decoded() {
    let kernel = 1 << 20;
    let bytes = bomb(1000, kernel);
    // It is what it is meant to be: every entry is whole by the word of both views.
    let (collected, _) = file(&bomb(2, kernel));
    assert_eq!(collected.names(), ["00000", "00001"]);
    assert!(!collected.told(), "{:?}", collected.errors);
    let (collected, _) = file(&bytes);
    let overlapping = |(_, reason): &&(String, SkipReason)| *reason == SkipReason::Overlapping;
    assert!(collected.errors.is_empty(), "{:?}", collected.errors);
    let skipped = collected.skips.iter().filter(overlapping).count();
    assert_eq!(collected.members.len() + skipped, 1000);
    assert!(collected.bytes < 8 * kernel as u64, "{}", collected.bytes);
    let (collected, _) = stream(&bytes);
    assert_eq!(collected.members.len() + collected.skips.len(), 1000);
}

/// A 64-bit record may claim more bytes than can be counted.
#[test]
fn no_claimed_length_is_too_large() {
    let contents = b"contents";
    let data = deflate(contents);
    let mut header = Said::of("a", 8, contents, &data).local();
    header[18..26].fill(0xff);
    header[28] = 20;
    header.extend([1, 0, 16, 0]);
    header.extend((contents.len() as u64).to_le_bytes());
    header.extend(u64::MAX.to_le_bytes());
    let bytes = [header, data].concat();
    for (collected, _) in [file(&bytes), stream(&bytes)] {
        assert!(collected.has(contents), "{:?}", collected.errors);
    }
}
