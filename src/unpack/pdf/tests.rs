//! Files that no tool writes, and the filters one by one. What tools write is in the integration
//! tests.

use std::io::Read as _;

use flate2::Compression;
use flate2::read::ZlibEncoder;

use super::super::collect::{Collected, Drip};
use super::*;

fn flate(contents: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    ZlibEncoder::new(contents, Compression::best())
        .read_to_end(&mut data)
        .unwrap();
    data
}

/// A file of these streams: what stands in their dictionaries, and their data.
fn file(streams: &[(&str, Vec<u8>)], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    for (n, (dictionary, data)) in streams.iter().enumerate() {
        bytes.extend(format!("{} 0 obj\n<<{dictionary}>>\nstream\r\n", n + 1).bytes());
        bytes.extend(data);
        bytes.extend(b"\nendstream\nendobj\n");
    }
    bytes.extend(format!("trailer\n<</Root 1 0 R{trailer}>>\nstartxref\n0\n%%EOF\n").bytes());
    bytes
}

fn collect(bytes: &[u8]) -> (Collected, Result<(), Unread>) {
    let mut collected = Collected::new();
    let ended = read(&mut &*bytes, &mut collected);
    (collected, ended)
}

/// Digits, a pair a line.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = std::fmt::Write::write_fmt(&mut hex, format_args!("{byte:02X}\n"));
        hex
    })
}

/// Text that shrinks, with the words that matter in it.
fn lorem(seed: u8) -> Vec<u8> {
    let line = format!("line {seed} of a text; endstream, stream\n%%EOF obj\n");
    line.repeat(20).into_bytes()
}

#[test]
fn all_streams_are_found_and_named_by_their_objects() {
    let streams = [
        ("/Filter/FlateDecode/Length 9 0 R", flate(&lorem(1))),
        (
            "/Filter [/FlateDecode /FlateDecode]",
            flate(&flate(&lorem(2))),
        ),
        ("", b"as it is".to_vec()),
        ("/Filter/DCTDecode", b"a picture".to_vec()),
        ("/Length 4000/Filter/Fl", flate(&lorem(3))),
        ("/Filter 12 0 R", flate(&lorem(4))),
    ];
    let bytes = file(&streams, "");
    let (collected, ended) = collect(&bytes);
    ended.unwrap();
    let names = [1, 2, 3, 5, 6].map(|n| format!("object {n} 0"));
    assert_eq!(collected.names(), names);
    assert!((1..=4).all(|seed| collected.has(&lorem(seed))));
    assert!(collected.has(b"as it is\n"));
    assert!(!collected.told(), "{:?}", collected.errors);
    for seed in [1, 5, 4096] {
        let mut dripped = Collected::new();
        let mut input = std::io::BufReader::with_capacity(7, Drip(&bytes, seed));
        read(&mut input, &mut dripped).unwrap();
        assert_eq!(dripped, collected);
    }
}

/// What is behind more filters than are undone is told.
#[test]
fn so_many_filters_are_undone_and_no_more() {
    let stream = |filters: usize| {
        let data = (0..filters).fold(lorem(1), |data, _| flate(&data));
        (format!("/Filter[{}]", "/Fl".repeat(filters)), data)
    };
    let (few, most) = stream(filter::MOST);
    let (many, more) = stream(filter::MOST + 1);
    let (collected, ended) = collect(&file(&[(&few, most), (&many, more)], ""));
    ended.unwrap();
    assert!(collected.has(&lorem(1)));
    assert_eq!(collected.names(), ["object 1 0"]);
    let told = ("object 2 0".to_owned(), SkipReason::DepthLimit);
    assert_eq!(collected.skips, [told]);
}

#[test]
fn a_stored_stream_is_as_long_as_it_says() {
    let data = b"with endstream in it";
    let bytes = file(&[("/Length 20", data.to_vec())], "");
    let (collected, _) = collect(&bytes);
    assert!(collected.has(data));
    let at = collected.offsets[0];
    assert_eq!(&bytes[usize::try_from(at).unwrap()..][..20], data);
}

#[test]
fn each_filter_is_undone() {
    let text = b"some text, some text, some text, and zeros: \0\0\0\0\0\0\0\0";
    let digits = hex(text);
    let mut late = weezl::encode::Encoder::new(weezl::BitOrder::Msb, 8);
    let mut early = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let long = lorem(1).repeat(20);
    // 85 to the fourth power is 52,200,625: `87cUR` is "Hell", `D]` the start of "o.".
    for (dictionary, data, contents) in [
        ("/Filter/AHx", format!("{digits}>").into_bytes(), &text[..]),
        ("/Filter/ASCIIHexDecode", b"4142 4>".to_vec(), b"AB@"),
        ("/Filter/A85", b"87cUR\nD]~>".to_vec(), b"Hello"),
        (
            "/Filter/ASCII85Decode",
            b"z87cURz~>".to_vec(),
            b"\0\0\0\0Hell\0\0\0\0",
        ),
        (
            "/Filter/RL",
            b"\x02abc\xfdx\x00y\x80z".to_vec(),
            b"abcxxxxy",
        ),
        ("/Filter/LZWDecode", early.encode(&long).unwrap(), &long),
        (
            "/Filter/LZW/DecodeParms<</EarlyChange 0>>",
            late.encode(&long).unwrap(),
            &long,
        ),
        ("/Filter[/AHx/Fl]", hex(&flate(&long)).into_bytes(), &long),
    ] {
        let (collected, ended) = collect(&file(&[(dictionary, data)], ""));
        ended.unwrap();
        assert!(collected.has(contents), "{dictionary}: {collected:?}");
        assert!(!collected.told(), "{dictionary}: {collected:?}");
    }
}

#[test]
fn what_is_encrypted_is_one_skip() {
    let noise: Vec<u8> = (0..200).map(|n: u8| n.wrapping_mul(73) | 1).collect();
    let streams = [("/Filter/FlateDecode", noise)];
    let (collected, ended) = collect(&file(&streams, "/Encrypt 7 0 R"));
    assert!(matches!(ended, Err(Unread::Skipped(SkipReason::Encrypted))));
    assert!(!collected.told());
    let (collected, ended) = collect(&file(&streams, ""));
    ended.unwrap();
    assert_eq!(collected.errors.len(), 1);
    let table = "/Type/XRef/Encrypt 7 0 R/Filter/FlateDecode";
    let (_, ended) = collect(&file(&[(table, flate(b"table"))], ""));
    assert!(matches!(ended, Err(Unread::Skipped(SkipReason::Encrypted))));
}

#[test]
fn what_is_broken_is_read_as_far_as_it_goes_and_told() {
    let whole = file(
        &[
            ("/Filter/FlateDecode", flate(&lorem(1))),
            ("/Filter/FlateDecode", flate(&lorem(2))),
        ],
        "",
    );
    let end = whole.len() - "%%EOF\n".len();
    let first = memmem::find(&whole, b"endstream").unwrap();
    for cut in first..end {
        let (collected, ended) = collect(&whole[..cut]);
        assert!(collected.has(&lorem(1)), "cut at {cut}");
        assert!(collected.told() || ended.is_err(), "cut at {cut}");
    }
    let mut flipped = whole.clone();
    let start = memmem::find(&whole, b"1 0 obj").unwrap();
    for bit in start * 8..(end - 18) * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (collected, ended) = collect(&flipped);
        let is_whole = collected.has(&lorem(1)) && collected.has(&lorem(2));
        let is_told = collected.told() || ended.is_err();
        let what = String::from_utf8_lossy(&flipped[bit / 8 - 9..][..18]);
        assert!(
            is_whole || is_told || is_keyword(&whole, bit / 8),
            "bit {} of byte {}, at {what:?}",
            bit % 8,
            bit / 8
        );
        flipped[bit / 8] = whole[bit / 8];
    }
}

/// Whether a byte stands in the keyword without which there is no stream.
fn is_keyword(whole: &[u8], byte: usize) -> bool {
    memmem::find_iter(whole, b"stream\r\n").any(|at| (at..at + 8).contains(&byte))
}

#[test]
fn what_only_starts_like_a_file_is_none() {
    for bytes in [
        &b"%PDF-"[..],
        b"%PDF-1.4 is how a file starts",
        b"stream %PDF-",
    ] {
        let (collected, ended) = collect(bytes);
        assert!(matches!(ended, Err(Unread::Foreign)));
        assert!(collected.members.is_empty() && !collected.told());
    }
}

#[test]
fn marks_without_end_take_no_longer_than_other_bytes() {
    for mark in ["%%EOF\n", "trailer ", "endstream ", "trailer<<"] {
        let bytes = [b"%PDF-1.4\n", mark.repeat(1 << 17).as_bytes()].concat();
        let mut collected = Collected::new();
        // Quadratic work would take minutes.
        assert!(matches!(
            read(&mut &bytes[..], &mut collected),
            Err(Unread::Foreign)
        ));
    }
    // The word on encryption is understood wherever it stands to the windows.
    for before in WINDOW - 2 * DICTIONARY..WINDOW - 2 * DICTIONARY + 40 {
        let bytes = [
            b"%PDF-1.4\n",
            " ".repeat(before).as_bytes(),
            b"trailer<</Size 6/Encrypt 7 0 R>>\n",
            " ".repeat(WINDOW).as_bytes(),
        ]
        .concat();
        let ended = read(&mut &bytes[..], &mut Collected::new());
        assert!(matches!(ended, Err(Unread::Skipped(SkipReason::Encrypted))));
    }
}
