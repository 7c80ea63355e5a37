//! Any bytes as a pack, or as the entries of one: no panic, no hang, no memory beyond what the bytes
//! can make.

#![no_main]

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;

use douse::source::{Content, Glance, Part, Reach, Sink, Threads, push_pack};
use douse::vocabulary::{Origin, SkipReason};
use libfuzzer_sys::fuzz_target;

/// Sees something in every object whose first byte is odd, so that both ways through are taken.
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

    fn glance(&self, bytes: &[u8], _: Part) -> Glance {
        match bytes.first() {
            Some(byte) if byte % 2 == 1 => Glance::Something,
            Some(_) | None => Glance::Nothing,
        }
    }

    fn reach(&self) -> Reach {
        Reach {
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
