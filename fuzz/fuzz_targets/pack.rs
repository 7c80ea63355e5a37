//! Any bytes as a pack, or as the entries of one: no panic, no hang, no memory beyond what the bytes
//! can make.

#![no_main]

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;

use douse::source::{Clue, Content, End, Lead, Reach, Sink, Threads, push_pack};
use douse::vocabulary::{Origin, SkipReason};
use libfuzzer_sys::fuzz_target;

/// Has a lead at every byte that is a multiple of 16 and follows on another one, and a hit where an
/// odd one stands behind it: all ways through are taken. Checks that leads are followed where they
/// were found.
struct Odd;

impl Sink for Odd {
    fn blob(&self, _: &Origin<'_>, content: Content<'_>) {
        if let Content::Stream(stream) = content {
            let _ = io::copy(stream, &mut io::sink());
        }
    }

    fn skip(&self, _: &Origin<'_>, _: SkipReason) {}

    fn error(&self, _: &Origin<'_>, _: &io::Error) {}

    fn is_done(&self) -> bool {
        false
    }

    fn glance(&self, bytes: &[u8], end: End) -> bool {
        let byte = match end {
            End::Head => bytes.first(),
            End::Tail => bytes.last(),
        };
        byte == Some(&0xff)
    }

    fn tail_start(&self, _: &[u8], length: u64) -> u64 {
        length - length.min(8)
    }

    fn leads(&self, bytes: &[u8], found: &mut dyn FnMut(Lead)) {
        for (start, two) in bytes.windows(2).enumerate() {
            if two.iter().all(|byte| byte % 16 == 0) {
                let sort = usize::from(two[0]);
                found(Lead { start, sort });
            }
        }
    }

    fn follow(&self, bytes: &[u8], lead: Lead) -> Clue {
        assert_eq!(usize::from(bytes[lead.start]), lead.sort);
        match bytes.get(lead.start + 2) {
            Some(byte) if byte % 2 == 1 => match bytes.get(lead.start + 3) {
                Some(1) => Clue::Hit,
                Some(_) | None => Clue::Start,
            },
            Some(_) | None => Clue::Nothing,
        }
    }

    fn reach(&self) -> Reach {
        Reach {
            lead: 2,
            start: 4,
            whole: 16,
        }
    }
}

static THREADS: LazyLock<Threads> = LazyLock::new(|| Threads::new(NonZeroUsize::MIN));

fuzz_target!(|data: &[u8]| {
    let mut pack = Vec::new();
    if !data.starts_with(b"PACK") {
        pack.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\x10");
    }
    pack.extend_from_slice(data);
    push_pack(&pack, &Origin::File(Path::new("x.pack")), &THREADS, &Odd);
});
