//! Archives that no tool writes. What 7-Zip writes is in the integration tests.

use std::io::Cursor;

use liblzma::bufread::XzEncoder;
use liblzma::stream::{Filters, LzmaOptions, Stream};

use super::super::collect::Collected;
use super::*;

/// An archive of this header behind these packed bytes.
fn archive(packed: &[u8], header: &[u8]) -> Vec<u8> {
    let mut start = Vec::new();
    start.extend((packed.len() as u64).to_le_bytes());
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc32fast::hash(header).to_le_bytes());
    let sum = crc32fast::hash(&start).to_le_bytes();
    [&SIGNATURE[..], &[0, 4], &sum, &start, packed, header].concat()
}

/// A number in its longest form.
fn number(n: u64) -> Vec<u8> {
    [&[0xff][..], &n.to_le_bytes()].concat()
}

fn file(bytes: &[u8]) -> (Collected, Result<(), Unread>) {
    let mut collected = Collected::new();
    let ended = read_anywhere(&mut Cursor::new(bytes), &mut collected);
    (collected, ended)
}

/// A header for stored files of these sizes, in one block; the files have no checksums.
fn header(names: &[&str], sizes: &[u64]) -> Vec<u8> {
    let total: u64 = sizes.iter().sum();
    let mut header = vec![1, 4, 6, 0, 1, 9];
    header.extend(number(total));
    header.extend([0, 7, 11, 1, 0, 1, 1, 0, 12]); // one coder: copy
    header.extend(number(total));
    header.extend([0, 8, 13, u8::try_from(sizes.len()).unwrap(), 9]);
    for size in &sizes[..sizes.len() - 1] {
        header.extend(number(*size));
    }
    header.extend([0, 0, 5, u8::try_from(names.len()).unwrap(), 17]);
    let name = |name: &&str| -> Vec<u8> {
        let units = name.encode_utf16().chain([0]);
        units.flat_map(u16::to_le_bytes).collect()
    };
    let names: Vec<u8> = names.iter().flat_map(name).collect();
    header.extend(number(names.len() as u64 + 1));
    header.push(0);
    header.extend(names);
    header.extend([0, 0]);
    header
}

#[test]
fn stored_members_say_where_they_stand() {
    let bytes = archive(b"firstsecond", &header(&["a", "b"], &[5, 6]));
    let (collected, ended) = file(&bytes);
    ended.unwrap();
    assert_eq!(collected.names(), ["a", "b"]);
    assert_eq!(collected.members[1].1, b"second");
    assert_eq!(collected.offsets, [32, 37]);
    assert!(!collected.told());
}

#[test]
fn a_header_that_would_take_too_much_memory_is_not_read() {
    // It unpacks to a terabyte.
    let lzma = [&[0x23, 3, 1, 1, 5][..], &[0x5d, 0, 0, 1, 0]].concat();
    let mut packed = vec![23, 6, 0, 1, 9, 20, 0, 7, 11, 1, 0, 1];
    packed.extend(lzma);
    packed.push(12);
    packed.extend(number(1 << 40));
    packed.extend([0, 0]);
    // A million files, each of one byte of the header.
    let mut many = vec![1, 5];
    many.extend(number(1 << 20));
    many.resize(1 << 20, 0);
    // A million blocks.
    let mut blocks = vec![1, 4, 6, 0, 1, 9, 0, 0, 7, 11];
    blocks.extend(number(1 << 20));
    blocks.push(0);
    blocks.resize(5 << 20, 1);
    for header in [packed, many] {
        let (collected, ended) = file(&archive(&[0; 20], &header));
        assert!(
            matches!(ended, Err(Unread::Skipped(SkipReason::MemoryLimit))),
            "{ended:?}"
        );
        assert!(collected.members.is_empty());
    }
    let (_, ended) = file(&archive(&[0; 20], &blocks));
    assert!(matches!(ended, Err(Unread::Damaged(_))), "{ended:?}");
}

/// The same header, with another coder than one that copies.
fn with_coder(header: &[u8], coder: &[u8]) -> Vec<u8> {
    let at = header.windows(3).position(|coder| coder == [1, 1, 0]);
    let at = at.unwrap() + 1;
    [&header[..at], coder, &header[at + 2..]].concat()
}

#[test]
fn a_dictionary_that_takes_too_much_memory_is_not_provided() {
    // LZMA2 with a dictionary of 4 GiB.
    let coded = with_coder(&header(&["a"], &[5]), &[0x21, 0x21, 1, 40]);
    let (collected, ended) = file(&archive(&[0; 5], &coded));
    ended.unwrap();
    assert_eq!(collected.skips, [("a".to_owned(), SkipReason::MemoryLimit)]);
}

#[test]
fn no_single_bit_hides_anything_unsaid_but_in_contents_without_a_checksum() {
    let whole = archive(b"firstsecond", &header(&["a", "b"], &[5, 6]));
    let mut flipped = whole.clone();
    for bit in 0..whole.len() * 8 {
        let byte = bit / 8;
        flipped[byte] ^= 1 << (bit % 8);
        let (collected, ended) = file(&flipped);
        let is_whole = collected.has(b"first") && collected.has(b"second");
        let is_contents = (32..43).contains(&byte);
        // The signature, and the minor version, which nobody heeds.
        let is_name = byte < 6 || byte == 7;
        assert!(
            is_whole || collected.told() || ended.is_err() || is_contents || is_name,
            "bit {} of byte {byte}: {collected:?}",
            bit % 8,
        );
        flipped[byte] = whole[byte];
    }
    for cut in 6..whole.len() {
        assert!(file(&whole[..cut]).1.is_err(), "cut at {cut}");
    }
}

/// After damage some decoders never end: whether the file behind the damaged one can be had is found
/// out by asking the decoder for it, which this test would never come back from.
#[test]
fn no_decoder_is_asked_again_once_it_failed() {
    let text: Vec<u8> = (0..400_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
    let mut options = LzmaOptions::new_preset(6).unwrap();
    let mut filters = Filters::new();
    filters.lzma2(options.dict_size(1 << 16));
    let encoder = Stream::new_raw_encoder(&filters).unwrap();
    let mut packed = Vec::new();
    XzEncoder::new_stream(&text[..], encoder)
        .read_to_end(&mut packed)
        .unwrap();
    let sizes = [text.len() as u64 - 5, 5];
    let coded = with_coder(&header(&["a", "b"], &sizes), &[0x21, 0x21, 1, 8]);
    let whole = archive(&packed, &coded);
    assert_eq!(file(&whole).0.members[0].1, text[..text.len() - 5]);

    let mut told = 0;
    for at in 0..packed.len() {
        let mut damaged = packed.clone();
        damaged[at] ^= 0x55;
        told += usize::from(file(&archive(&damaged, &coded)).0.told());
    }
    assert!(told > packed.len() / 2, "{told} of {}", packed.len());
}
