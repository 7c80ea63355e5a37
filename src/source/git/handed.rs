//! A pack or a bundle in memory, its objects handed over one by one on the thread that asked.
//!
//! Packs are walked by threads, and push. Who opens containers has them read by the thread that
//! came upon them, and pulls. So a thread walks the pack, and hands over.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder};

use crate::source::{Content, Sink, Threads};
use crate::vocabulary::{Origin, SkipReason};

use super::bundle::push_pack;

/// Steps that the walk may be ahead.
const AHEAD: usize = 4;

/// Bytes of an object that are handed over at once, unless they are there already.
const CHUNK: usize = 64 * 1024;

/// Takes what a pack holds.
pub trait Handed {
    /// Takes an object, named by its id. Break: nothing more is wanted.
    fn object(&mut self, id: &[u8], contents: &mut dyn Read) -> ControlFlow<()>;

    /// Takes note of an object that is left aside.
    fn skip(&mut self, id: &[u8], reason: SkipReason);

    /// Takes note of an object that cannot be read, by its id or its place; or of what is wrong
    /// with the pack itself, which has no name.
    fn error(&mut self, id: Option<&[u8]>, error: io::Error);
}

/// Hands over the objects of a pack or a bundle.
pub fn hand_over_pack(bytes: Vec<u8>, to: &mut dyn Handed) -> io::Result<()> {
    let one = Threads::new(NonZeroUsize::MIN);
    let gone = AtomicBool::new(false);
    let (sender, steps) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let forward = Forward {
            steps: sender,
            gone: &gone,
        };
        let walk = move || push_pack(&bytes, &Origin::Stdin, &one, &forward);
        Builder::new().spawn_scoped(scope, walk)?;
        let end = take(&steps, to);
        if end.is_break() {
            gone.store(true, Ordering::Relaxed);
        }
        // The walk may wait for room to go on.
        drop(steps);
        Ok(())
    })
}

/// Takes step after step.
fn take(steps: &Receiver<Step>, to: &mut dyn Handed) -> ControlFlow<()> {
    while let Ok(step) = steps.recv() {
        match step {
            Step::Object(id) => {
                let mut contents = Contents {
                    steps,
                    chunk: io::Cursor::default(),
                    ended: false,
                };
                to.object(&id, &mut contents)?;
                contents.leave();
            }
            // What was left of an object that nobody reads.
            Step::Chunk(_) | Step::End => {}
            Step::Skip(id, reason) => to.skip(&id, reason),
            Step::Error(id, error) => to.error(id.as_deref(), error),
        }
    }
    ControlFlow::Continue(())
}

/// What is handed over.
enum Step {
    /// An object begins.
    Object(Vec<u8>),
    /// It goes on.
    Chunk(Vec<u8>),
    /// It ends.
    End,
    Skip(Vec<u8>, SkipReason),
    Error(Option<Vec<u8>>, io::Error),
}

/// The walk's end of it.
struct Forward<'a> {
    steps: SyncSender<Step>,
    gone: &'a AtomicBool,
}

impl Forward<'_> {
    fn send(&self, step: Step) {
        if self.steps.send(step).is_err() {
            self.gone.store(true, Ordering::Relaxed);
        }
    }
}

impl Sink for Forward<'_> {
    fn blob(&self, origin: &Origin<'_>, content: Content<'_>) {
        let Some(id) = name(origin) else { return };
        self.send(Step::Object(id.clone()));
        match content {
            Content::Whole(bytes) => self.send(Step::Chunk(bytes.to_vec())),
            Content::Stream(stream) => self.stream(&id, stream),
            Content::File(mut file, _) => self.stream(&id, &mut file),
        }
        self.send(Step::End);
    }

    fn skip(&self, origin: &Origin<'_>, reason: SkipReason) {
        self.send(Step::Skip(name(origin).unwrap_or_default(), reason));
    }

    fn error(&self, origin: &Origin<'_>, error: &io::Error) {
        let error = io::Error::new(error.kind(), error.to_string());
        self.send(Step::Error(name(origin), error));
    }

    fn is_done(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

impl Forward<'_> {
    fn stream(&self, id: &[u8], stream: &mut dyn Read) {
        while !self.is_done() {
            let mut chunk = vec![0; CHUNK];
            match stream.read(&mut chunk) {
                Ok(0) => return,
                Ok(read) => {
                    chunk.truncate(read);
                    self.send(Step::Chunk(chunk));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.send(Step::Error(Some(id.to_vec()), error)),
            }
        }
    }
}

/// What an object is called; the pack itself has no name.
fn name(origin: &Origin<'_>) -> Option<Vec<u8>> {
    match origin {
        Origin::Member { name, .. } => Some(name.to_vec()),
        Origin::Stdin | Origin::File(_) | Origin::Label { .. } | Origin::Unpacked { .. } => None,
    }
}

/// The contents of one object, as they come.
struct Contents<'a> {
    steps: &'a Receiver<Step>,
    chunk: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Contents<'_> {
    /// Passes over what was not read.
    fn leave(mut self) {
        while !self.ended {
            // An error of the object was told already, or is not asked for any more.
            if self.next().is_err() {
                return;
            }
        }
    }

    fn next(&mut self) -> io::Result<()> {
        match self.steps.recv() {
            Ok(Step::Chunk(chunk)) => self.chunk = io::Cursor::new(chunk),
            Ok(Step::Error(_, error)) => return Err(error),
            Ok(Step::End | Step::Object(_) | Step::Skip(..)) | Err(_) => self.ended = true,
        }
        Ok(())
    }
}

impl Read for Contents<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.ended {
                return Ok(read);
            }
            self.next()?;
        }
    }
}
