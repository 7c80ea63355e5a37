//! Where an object differs from its base: what is looked at there, and what is not.

use super::*;

/// A rotated token keeps its first letters: those are copied, the rest is inserted. Or a text gets
/// what makes a token of it in front.
#[test]
fn a_token_made_of_both_is_found_wherever_the_seam_falls() {
    let filler = "a line of text\n".repeat(500);
    let token = toy(987_654_321);
    for seam in 0..=TOY {
        let (start, end) = token.split_at(seam);
        let length = filler.len();
        let rotated = [
            Edit::Exactly(0..length + start.len()),
            Edit::Insert(end.into()),
            Edit::Exactly(length + start.len()..2 * length + start.len()),
        ];
        let preceded = [
            Edit::Exactly(0..length),
            Edit::Insert(start.into()),
            Edit::Exactly(length..2 * length + end.len()),
        ];
        for (kept, edits) in [(start, rotated), (end, preceded)] {
            let mut writer = Writer::new();
            writer.blob(format!("{filler}{kept}{filler}").as_bytes());
            writer.delta(0, &edits, Naming::Offset);
            let made = &writer.objects[1].content;
            assert!(*made == format!("{filler}{token}{filler}").into_bytes());
            let found = scan(&writer.finish()).found.into_inner().unwrap();
            assert_eq!(found, plain(&writer), "{seam}");
            assert!(found.contains_key(&hex(&writer.objects[1].id)), "{seam}");
        }
    }
}

/// What an object is shows at its ends; a piece of another one has ends of its own.
#[test]
fn what_becomes_an_end_is_looked_at_as_one() {
    let base = b"x!and more of it, which nobody asks for~, and the rest of that as well";
    let end = base.iter().position(|byte| *byte == b'~').unwrap() + 1;
    let whole = 0..base.len();
    for (kept, is_pushed) in [
        (whole.clone(), false),
        (1..base.len(), true),
        (2..base.len(), false),
        (0..end, true),
        (0..end - 1, false),
    ] {
        let mut writer = Writer::new();
        writer.blob(base);
        // Also with something made from it, and so built.
        for base in [0, 1] {
            let kept = if base == 0 {
                kept.clone()
            } else {
                0..kept.len()
            };
            writer.delta(base, &[Edit::Exactly(kept)], Naming::Offset);
        }
        let log = scan(&writer.finish());
        let pushed = log.names.lock().unwrap().clone();
        assert_eq!(pushed, worth_it(&writer, &log), "{kept:?}");
        assert_eq!(!pushed.is_empty(), is_pushed, "{kept:?}");
    }
}

#[test]
fn what_is_copied_from_a_clean_base_is_not_looked_at_again() {
    struct Counting(Log, Mutex<usize>);
    impl Sink for Counting {
        fn blob(&self, origin: &Origin<'_>, content: Content<'_>) {
            self.0.blob(origin, content);
        }
        fn skip(&self, _: &Origin<'_>, _: SkipReason) {}
        fn error(&self, origin: &Origin<'_>, error: &io::Error) {
            self.0.error(origin, error);
        }
        fn is_done(&self) -> bool {
            false
        }
        fn glance(&self, bytes: &[u8], _: End) -> bool {
            *self.1.lock().unwrap() += bytes.len();
            false
        }
        fn leads(&self, bytes: &[u8], found: &mut dyn FnMut(Lead)) {
            *self.1.lock().unwrap() += bytes.len();
            self.0.leads(bytes, found);
        }
        fn follow(&self, bytes: &[u8], lead: Lead) -> Clue {
            *self.1.lock().unwrap() += bytes.len();
            self.0.follow(bytes, lead)
        }
        fn reach(&self) -> Reach {
            REACH
        }
    }
    let base = "a line of text\n".repeat(10_000);
    let mut writer = Writer::new();
    writer.blob(base.as_bytes());
    for n in 0..100 {
        let insert = Edit::Insert(b"one more line\n".to_vec());
        writer.delta(
            n,
            &[Edit::Copy(0, 40_000), insert, Edit::Go(u16::MAX)],
            Naming::Offset,
        );
    }
    let sink = Counting(Log::default(), Mutex::default());
    let path = Origin::File(Path::new("x.pack"));
    let pack = Pack {
        bytes: &writer.finish(),
        index: None,
        hash: gix_hash::Kind::Sha1,
        within: &path,
        elsewhere: &Nowhere,
    };
    pack.push(&Threads::new(NonZeroUsize::MIN), &sink, &nobody);
    let looked_at = sink.1.into_inner().unwrap();
    assert!(looked_at < base.len() + 100 * 100, "{looked_at}");
}
