//! Tokens in the objects of packs, plain and encoded, over the seams of deltas: what is told is
//! what a plain scan of every object tells.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::detect::tests::{WAYS, written};
use crate::source::push_pack;
use crate::source::writer::{Edit, Naming, Writer};
use crate::vocabulary::Encoding;

/// The object, offset, length, encoding and fingerprint of a match.
type Told = (Vec<String>, u64, u32, Encoding, String);

fn told(push: impl FnOnce(&dyn Sink)) -> BTreeSet<Told> {
    let report = report(1, push);
    let mut all = BTreeSet::new();
    for finding in &report.findings {
        for at in &finding.matches.items {
            let members = at.place.members.clone();
            let fingerprint = format!("{:?}", finding.fingerprint);
            all.insert((members, at.offset, at.length, at.encoding, fingerprint));
        }
    }
    all
}

/// A token as it is written, behind some other text, and what may stand in the midst of it.
#[derive(Debug, Clone)]
struct Item {
    gap: Vec<u8>,
    token: Vec<u8>,
    cut: usize,
    junk: Vec<u8>,
}

fn item() -> impl Strategy<Value = Item> {
    let filler = prop_oneof!["[a-z \n]{0,40}", "([a-z]{1,9} ){0,500}\n"];
    // Most of what happens, happens in the prefix.
    let cut = prop_oneof![0_usize..24, 0_usize..2000];
    let junk = prop_oneof!["[a-z=\n]{1,3}", "[ -~]{1,60}", "[a-z ]{600,700}"];
    (
        filler,
        0..=WAYS,
        0..PREFIXES.len(),
        any::<u64>(),
        cut,
        junk,
        1_usize..90,
    )
        .prop_map(|(gap, way, prefix, seed, cut, junk, fold)| {
            let token = token(PREFIXES[prefix], seed);
            // One way more: as it is.
            let token = if way == WAYS {
                token.into_bytes()
            } else {
                written(way, &token, &gap, fold).0
            };
            Item {
                gap: gap.into_bytes(),
                cut: cut % token.len(),
                token,
                junk: junk.into_bytes(),
            }
        })
}

/// Items in which there is junk or not.
struct Version<'a> {
    items: &'a [Item],
    junk: Vec<bool>,
}

impl Version<'_> {
    /// All pieces, those of junk that is not there empty.
    fn pieces(&self) -> Vec<&[u8]> {
        let mut pieces: Vec<&[u8]> = Vec::new();
        for (item, junk) in self.items.iter().zip(&self.junk) {
            let (start, end) = item.token.split_at(item.cut);
            let junk: &[u8] = if *junk { &item.junk } else { &[] };
            pieces.extend([&item.gap, start, junk, end]);
        }
        pieces
    }

    /// What makes this of another one.
    fn edits(&self, from: &Self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut at = 0;
        for (new, old) in self.pieces().into_iter().zip(from.pieces()) {
            edits.push(if new == old {
                Edit::Exactly(at..at + old.len())
            } else {
                Edit::Insert(new.to_vec())
            });
            at += old.len();
        }
        edits
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_pack_yields_what_a_plain_scan_of_its_objects_yields(
        items in proptest::collection::vec(item(), 1..4),
        steps in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<bool>()), 1..8),
    ) {
        let mut versions = vec![Version { items: &items, junk: vec![true; items.len()] }];
        let mut writer = Writer::new();
        writer.blob(&versions[0].pieces().concat());
        for (base, change, by_id) in steps {
            let base = usize::from(base) % versions.len();
            let junk = versions[base].junk.iter().zip(0..);
            let junk = junk.map(|(junk, n)| junk ^ (change >> n & 1 == 1));
            let version = Version { items: &items, junk: junk.collect() };
            let naming = if by_id { Naming::Id } else { Naming::Offset };
            writer.delta(base, &version.edits(&versions[base]), naming);
            prop_assert_eq!(&writer.objects.last().unwrap().content, &version.pieces().concat());
            versions.push(version);
        }
        let within = Origin::File(Path::new("x.pack"));
        let plain = told(|sink| {
            for object in &writer.objects {
                let name = object.id.to_hex().to_string();
                let origin = Origin::Member { within: &within, name: name.as_bytes() };
                sink.blob(&origin, Content::Whole(&object.content));
            }
        });
        let pack = writer.finish();
        let threads = Threads::new(NonZeroUsize::MIN);
        prop_assert_eq!(told(|sink| push_pack(&pack, &within, &threads, sink)), plain);
    }
}
