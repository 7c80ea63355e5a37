//! Packs made entry by entry, for tests: what git would write, and what it would not.

#![allow(
    clippy::cast_possible_truncation,
    clippy::double_ended_iterator_last,
    clippy::unwrap_used,
    reason = "a writer of packs cuts numbers into bytes, and writes what it was given"
)]

use std::io::Write as _;
use std::ops::Range;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_hash::ObjectId;
use gix_object::{Kind, compute_hash};
use gix_pack::data;

/// How a delta names its base.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Naming {
    Offset,
    Id,
}

/// A pack being written.
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) objects: Vec<Written>,
}

pub(crate) struct Written {
    pub(crate) offset: usize,
    pub(crate) content: Vec<u8>,
    pub(crate) id: ObjectId,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            objects: Vec::new(),
        }
    }

    fn header(&mut self, kind: u8, mut size: usize) {
        let mut byte = kind << 4 | (size & 15) as u8;
        size >>= 4;
        while size > 0 {
            self.bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        self.bytes.push(byte);
    }

    fn body(&mut self, bytes: &[u8]) {
        let mut zlib = ZlibEncoder::new(&mut self.bytes, Compression::fast());
        zlib.write_all(bytes).unwrap();
        zlib.finish().unwrap();
    }

    fn written(&mut self, offset: usize, content: Vec<u8>) {
        let id = compute_hash(gix_hash::Kind::Sha1, Kind::Blob, &content).unwrap();
        self.objects.push(Written {
            offset,
            content,
            id,
        });
    }

    pub(crate) fn blob(&mut self, content: &[u8]) {
        let offset = self.bytes.len();
        self.header(3, content.len());
        self.body(content);
        self.written(offset, content.to_vec());
    }

    pub(crate) fn delta(&mut self, base: usize, edits: &[Edit], naming: Naming) {
        let offset = self.bytes.len();
        let (delta, content) = edited(&self.objects[base].content, edits);
        match naming {
            Naming::Offset => {
                self.header(6, delta.len());
                let mut distance = offset - self.objects[base].offset;
                let mut bytes = vec![(distance & 0x7f) as u8];
                while distance > 0x7f {
                    distance = (distance >> 7) - 1;
                    bytes.push((distance & 0x7f) as u8 | 0x80);
                }
                self.bytes.extend(bytes.iter().rev());
            }
            Naming::Id => {
                self.header(7, delta.len());
                let id = self.objects[base].id;
                self.bytes.extend_from_slice(id.as_slice());
            }
        }
        self.body(&delta);
        self.written(offset, content);
    }

    /// A delta of these very bytes on the last entry, whatever they make.
    pub(crate) fn forge(&mut self, delta: &[u8]) {
        let offset = self.bytes.len();
        self.header(6, delta.len());
        let distance = offset - self.objects.last().unwrap().offset;
        assert!(distance < 128);
        self.bytes.push(distance as u8);
        self.body(delta);
        self.written(offset, Vec::new());
    }

    /// The same on any entry, named by its id.
    pub(crate) fn forge_on(&mut self, base: usize, delta: &[u8]) {
        let offset = self.bytes.len();
        self.header(7, delta.len());
        let id = self.objects[base].id;
        self.bytes.extend_from_slice(id.as_slice());
        self.body(delta);
        self.written(offset, Vec::new());
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        let count = u32::try_from(self.objects.len()).unwrap();
        let mut pack = data::header::encode(data::Version::V2, count).to_vec();
        pack.extend_from_slice(&self.bytes);
        // Its checksum, which nobody asks for.
        pack.extend_from_slice(&[0; 20]);
        pack
    }
}

/// A part of a delta, in terms of the base's length.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// From and how much, both in 65,536ths.
    Copy(u16, u16),
    /// From where the last copy ended.
    Go(u16),
    Insert(Vec<u8>),
    /// These very bytes.
    Exactly(Range<usize>),
}

pub(crate) fn size(mut size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while size > 0x7f {
        bytes.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    bytes.push(size as u8);
    bytes
}

/// A delta, and what it makes.
pub(crate) fn edited(base: &[u8], edits: &[Edit]) -> (Vec<u8>, Vec<u8>) {
    let (mut steps, mut content) = (Vec::new(), Vec::new());
    let mut last = 0;
    let scale = |part: u16, whole: usize| usize::from(part) * whole / 65_535;
    for edit in edits {
        let (from, length) = match edit {
            Edit::Insert(bytes) => {
                for chunk in bytes.chunks(127) {
                    steps.push(chunk.len() as u8);
                    steps.extend_from_slice(chunk);
                }
                content.extend_from_slice(bytes);
                continue;
            }
            Edit::Copy(from, length) => {
                let from = scale(*from, base.len());
                (from, scale(*length, base.len() - from))
            }
            Edit::Exactly(range) => (range.start, range.len()),
            Edit::Go(length) => (last, scale(*length, base.len() - last)),
        };
        if length > 0 {
            steps.push(0xff);
            steps.extend_from_slice(&u32::try_from(from).unwrap().to_le_bytes());
            steps.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes()[..3]);
            content.extend_from_slice(&base[from..from + length]);
            last = from + length;
        }
    }
    let delta = [size(base.len()), size(content.len()), steps].concat();
    (delta, content)
}
