//! Packs with an index, read from a file or out of memory: what is told is the same.

use super::*;
use crate::source::git::pack::far::Far;

/// An index that places these objects (gitformat-pack, version 2).
fn index_of(named: &[(ObjectId, u32)]) -> index::File<Vec<u8>> {
    let mut named = named.to_vec();
    named.sort_unstable();
    let mut bytes = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
    for first in 0..=u8::MAX {
        let up_to = named.iter().filter(|(id, _)| id.first_byte() <= first);
        bytes.extend((up_to.count() as u32).to_be_bytes());
    }
    bytes.extend(named.iter().flat_map(|(id, _)| id.as_slice().to_vec()));
    bytes.extend(named.iter().flat_map(|_| [0; 4]));
    bytes.extend(named.iter().flat_map(|(_, offset)| offset.to_be_bytes()));
    bytes.extend([0; 40]);
    index::File::from_data(bytes, "x.idx".into(), gix_hash::Kind::Sha1).unwrap()
}

fn index(writer: &Writer) -> index::File<Vec<u8>> {
    let start = data::header::SIZE;
    let objects = writer.objects.iter();
    let named: Vec<(ObjectId, u32)> = objects
        .map(|object| (object.id, (start + object.offset) as u32))
        .collect();
    index_of(&named)
}

fn scan_by(bytes: &dyn ReadAt, index: &index::File<Vec<u8>>, threads: usize) -> Log {
    let log = Log::default();
    let pack = Pack {
        bytes,
        index: Some(index),
        hash: gix_hash::Kind::Sha1,
        within: &Origin::File(Path::new("x.pack")),
        elsewhere: &Nowhere,
    };
    let threads = Threads::new(NonZeroUsize::new(threads).unwrap());
    pack.push(&threads, &log, &nobody);
    log
}

/// All that was told, in no order. What is wrong with a damaged stream depends on how much of it was
/// had at once: that something is, is enough.
fn told(log: Log) -> (Found, Vec<String>, usize, BTreeSet<String>) {
    let mut errors = log.errors.into_inner().unwrap();
    errors.sort_unstable();
    for error in &mut errors {
        if error.contains("and is not") || error.contains("compressed data") {
            error.truncate(error.find(':').unwrap());
        }
    }
    let skips = log.skips.into_inner().unwrap().len();
    let found = log.found.into_inner().unwrap();
    (found, errors, skips, log.names.into_inner().unwrap())
}

/// A pack of small and of long entries, no two of them the same.
fn writer(roots: &[(Vec<u8>, u16)], deltas: &[(u16, Vec<Edit>, bool)]) -> Writer {
    let mut writer = Writer::new();
    for (number, (text, noise)) in (0_u32..).zip(roots) {
        let noise = (0..u32::from(*noise)).map(|n| n.wrapping_mul(n).wrapping_mul(2_654_435_761));
        let noise = noise.flat_map(|n| (n >> 12).to_le_bytes());
        let noise: Vec<u8> = noise.chain(number.to_le_bytes()).collect();
        writer.blob(&[&text[..], &noise].concat());
    }
    for (number, (base, edits, by_id)) in (0_u32..).zip(deltas) {
        let base = usize::from(*base) % writer.objects.len();
        let naming = if *by_id { Naming::Id } else { Naming::Offset };
        let one = Edit::Insert(format!("number {number}").into_bytes());
        let edits = [edits.clone(), vec![one]].concat();
        writer.delta(base, &edits, naming);
    }
    writer
}

fn roots() -> impl Strategy<Value = Vec<(Vec<u8>, u16)>> {
    let noise = prop_oneof![3 => Just(0_u16), 2 => 1_u16..200, 1 => 2000_u16..6000];
    proptest::collection::vec((text(), noise), 1..8)
}

fn deltas() -> impl Strategy<Value = Vec<(u16, Vec<Edit>, bool)>> {
    proptest::collection::vec((any::<u16>(), edits(), any::<bool>()), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_yields_what_a_plain_scan_of_its_objects_yields(
        roots in roots(),
        deltas in deltas(),
        threads in 1_usize..3,
    ) {
        let writer = writer(&roots, &deltas);
        let far = Far::new(&writer.finish());
        let log = scan_by(&far, &index(&writer), threads);
        prop_assert_eq!(log.errors.lock().unwrap().clone(), Vec::<String>::new());
        prop_assert_eq!(log.names.lock().unwrap().clone(), worth_it(&writer, &log));
        prop_assert_eq!(log.found.into_inner().unwrap(), plain(&writer));
    }

    #[test]
    fn of_a_damaged_file_the_same_is_told_as_of_what_is_in_memory(
        roots in roots(),
        deltas in deltas(),
        bytes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        moved in proptest::option::of((any::<prop::sample::Index>(), 0_u32..300)),
    ) {
        let writer = writer(&roots, &deltas);
        let mut pack = writer.finish();
        for (at, byte) in bytes {
            let at = at.index(pack.len());
            pack[at] ^= byte;
        }
        // An index may say that an entry starts anywhere.
        let mut named: Vec<(ObjectId, u32)> = writer
            .objects
            .iter()
            .map(|object| (object.id, (data::header::SIZE + object.offset) as u32))
            .collect();
        if let Some((which, by)) = moved {
            let which = which.index(named.len());
            named[which].1 += by;
        }
        let index = index_of(&named);
        let near = told(scan_by(&pack, &index, 1));
        prop_assert_eq!(told(scan_by(&Far::new(&pack), &index, 2)), near);
    }

    #[test]
    fn a_file_may_change_while_it_is_read(
        roots in roots(),
        deltas in deltas(),
        after in 0_usize..40,
        then in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let writer = writer(&roots, &deltas);
        let pack = writer.finish();
        let index = index(&writer);
        let then = then.index(pack.len());
        let shrunk = Far::changing(&pack, after..usize::MAX, &pack[..then]);
        let log = scan_by(&shrunk, &index, 2);
        // What was found was there.
        let plain = plain(&writer);
        for (name, toys) in log.found.into_inner().unwrap() {
            prop_assert_eq!(plain.get(&name), Some(&toys));
        }
        let mut damaged = pack.clone();
        damaged[then] ^= byte;
        scan_by(&Far::changing(&pack, after..usize::MAX, &damaged), &index, 2);
    }
}

#[test]
fn small_entries_are_read_once() {
    let mut writer = Writer::new();
    for n in 0..30 {
        writer.blob(format!("number {n}").as_bytes());
    }
    let far = Far::new(&writer.finish());
    let (found, errors, ..) = told(scan_by(&far, &index(&writer), 1));
    assert_eq!((found, errors), Default::default());
    let kept = far.reads();
    // The pack's header, and its entries, run by run.
    assert!(kept <= 1 + 30_usize.div_ceil(4) * 2, "{kept}");
}

#[test]
fn bytes_between_entries_are_told() {
    for content in [vec![b'.'; 10], (0..=255).cycle().take(100_000).collect()] {
        let mut writer = Writer::new();
        writer.blob(&content);
        writer.bytes.extend(b"stray");
        writer.blob(b"another");
        let (pack, index) = (writer.finish(), index(&writer));
        let far = told(scan_by(&Far::new(&pack), &index, 1));
        assert_eq!(far.1.len(), 1, "{:?}", far.1);
        assert!(far.1[0].contains("5 bytes"), "{:?}", far.1);
        assert_eq!(far, told(scan_by(&pack, &index, 1)));
    }
}

#[test]
fn what_shrinks_behind_its_data_is_not_passed_over() {
    let mut writer = Writer::new();
    writer.blob(&(0..=255).collect::<Vec<u8>>());
    let end = data::header::SIZE + writer.bytes.len();
    writer.bytes.extend([7; 200]);
    let (pack, index) = (writer.finish(), index(&writer));
    // Its header and the entry's are read; then nothing is left but the entry itself.
    let far = Far::changing(&pack, 2..usize::MAX, &pack[..end]);
    let (_, errors, ..) = told(scan_by(&far, &index, 1));
    assert!(errors[0].contains("bytes"), "{errors:?}");
}

#[test]
fn a_base_that_is_no_entry_is_told() {
    let mut writer = Writer::new();
    for n in 0..6 {
        writer.blob(format!("number {n}").as_bytes());
    }
    writer.delta(5, &[Edit::Go(u16::MAX)], Naming::Offset);
    let delta = &writer.objects[6];
    // Behind one byte of header stands one of distance.
    writer.bytes[delta.offset + 1] += 1;
    let expected = format!("{}: {}", hex(&delta.id), Damage::Header);
    let (pack, index) = (writer.finish(), index(&writer));
    for bytes in [&Far::new(&pack) as &dyn ReadAt, &pack] {
        assert_eq!(told(scan_by(bytes, &index, 1)).1, [expected.as_str()]);
    }
}
