//! Packs that somebody made to cost more than they weigh, or to be too much.

use super::*;

#[test]
fn objects_made_of_leads_are_read_like_others() {
    let leads = "1234567 ".repeat(2000);
    let mut writer = Writer::new();
    // As few leads as are worth keeping, and copied too often.
    writer.blob(format!("{leads}{}", ".".repeat(1 << 19)).as_bytes());
    let again = Edit::Exactly(0..leads.len());
    writer.delta(0, &vec![again.clone(); 8], Naming::Offset);
    let token = Edit::Insert(toy(7).into_bytes());
    writer.delta(0, &[again.clone(), token.clone()], Naming::Offset);
    let start = Edit::Insert(b"T123".to_vec());
    let mut starts = vec![start; 4000];
    starts.extend([again, token]);
    writer.delta(0, &starts, Naming::Offset);
    writer.delta(1, &[Edit::Go(u16::MAX)], Naming::Offset);
    let log = scan(&writer.finish());
    assert_eq!(log.errors.lock().unwrap().clone(), [""; 0]);
    assert_eq!(log.names.lock().unwrap().clone(), worth_it(&writer, &log));
    assert_eq!(plain(&writer).len(), 2);
}

#[test]
fn a_base_elsewhere_that_is_too_large_is_told() {
    struct Large;
    impl Elsewhere for Large {
        fn find(&self, _id: &oid) -> Option<(Kind, Vec<u8>)> {
            let length = usize::try_from(LARGEST).unwrap() + 1;
            Some((Kind::Blob, vec![b'.'; length]))
        }
    }
    let (Large, mut full) = (Large, Writer::new());
    full.blob(b"the base's name is all that matters");
    let length = usize::try_from(LARGEST).unwrap() + 1;
    let delta = [size(length), size(1), vec![1, b'x']].concat();
    full.forge_on(0, &delta);
    full.delta(1, &[], Naming::Offset);
    let start = full.objects[1].offset;
    let mut pack = data::header::encode(data::Version::V2, 2).to_vec();
    pack.extend_from_slice(&full.bytes[start..]);
    pack.extend_from_slice(&[0; 20]);
    let log = scan_with(&pack, 1, &Large);
    assert_eq!(log.errors.into_inner().unwrap(), [""; 0]);
    let skips = log.skips.into_inner().unwrap();
    assert_eq!(skips, [SkipReason::TooLarge; 2]);
}

/// All of a base of `length` bytes, twice.
fn doubled(length: usize) -> Vec<u8> {
    let mut delta = [size(length), size(2 * length)].concat();
    for _ in 0..2 {
        delta.push(0x80 | 0x70);
        delta.extend_from_slice(&(length as u32).to_le_bytes()[..3]);
    }
    delta
}

#[test]
fn deltas_that_double_end_where_memory_does() {
    let mut writer = Writer::new();
    writer.blob(&[b'.'; 64]);
    let mut length = 64;
    for _ in 0..18 {
        writer.forge(&doubled(length));
        length *= 2;
    }
    let log = scan(&writer.finish());
    let skips = log.skips.into_inner().unwrap();
    // 64 bytes may be doubled 14 times; what the next ones make is more than is held.
    assert_eq!(skips, [SkipReason::TooLarge; 4]);
    assert_eq!(log.errors.into_inner().unwrap(), [""; 0]);
    let (objects, bytes) = log.glanced.into_inner().unwrap();
    assert_eq!((objects, bytes), (15, (64 << 15) - 64));
}

#[test]
fn a_small_pack_may_not_cost_much() {
    let mut writer = Writer::new();
    let base = format!("{}{}", toy(3), ".".repeat(50_000));
    writer.blob(base.as_bytes());
    // What holds something is looked at as a whole, each time.
    for _ in 0..200 {
        writer.delta(0, &[Edit::Go(u16::MAX)], Naming::Offset);
    }
    let log = scan(&writer.finish());
    assert_eq!(log.skips.into_inner().unwrap(), [SkipReason::BytesLimit; 1]);
    let (_, bytes) = log.pushed.into_inner().unwrap();
    assert!((1 << 19..4 << 20).contains(&bytes), "{bytes}");
    assert!(!log.found.into_inner().unwrap().is_empty());
}

#[test]
fn a_long_chain_of_named_bases_needs_no_deep_calls() {
    let mut writer = Writer::new();
    writer.blob(b"the first");
    for n in 0..20_000 {
        let text = if n == 19_999 { toy(8) } else { n.to_string() };
        writer.delta(n, &[Edit::Insert(text.into_bytes())], Naming::Id);
    }
    let log = scan(&writer.finish());
    assert_eq!(log.errors.into_inner().unwrap(), [""; 0]);
    assert_eq!(log.found.into_inner().unwrap(), plain(&writer));
    assert_eq!(plain(&writer).len(), 1);
}
