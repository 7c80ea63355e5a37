//! What can be wrong with an object store.

use std::io;

use gix_hash::ObjectId;

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    /// The system's words.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The file ends before the object does.
    #[error("the file ends in the middle of it")]
    Truncated,
    /// What should be a zlib stream is none, or fails its checksum.
    #[error("its compressed data is damaged: {0}")]
    Zlib(String),
    /// It is longer or shorter than it says.
    #[error("it says that it is {said} bytes long, and is not")]
    Length {
        /// The bytes that its header promised.
        said: u64,
    },
    /// Its first bytes make no sense.
    #[error("its header is damaged")]
    Header,
    /// The instructions that make it from its base make no sense.
    #[error("its delta is damaged")]
    Delta,
    /// It is larger than what is held in memory, which is as much as git makes deltas of.
    #[error("it would take more than 512 MiB of memory")]
    Huge,
    /// What it is made from is not there, or damaged itself.
    #[error("its base could not be read")]
    Base,
    /// What it is made from is nowhere in this store.
    #[error("its base {0} is missing")]
    MissingBase(ObjectId),
    /// Its file is named after another object.
    #[error("its id is not that of its contents")]
    Name,
    /// It is not there.
    #[error("object {0} is missing")]
    Missing(ObjectId),
    /// A reference or an index names it, and it is not there.
    #[error("it is missing: a reference or an index names it")]
    Absent,
    /// It is not there, and something else leads to it.
    #[error("it is missing: {0}")]
    Lost(String),
    /// It is made from itself.
    #[error("it is a delta in a circle")]
    Circle,
    /// Bytes of a pack that belong to no object.
    #[error("{0} bytes behind it belong to no object of the pack")]
    Stray(u64),
    /// A pack that does not begin like one.
    #[error("it is no git pack of a version that is known")]
    NoPack,
    /// A bundle that does not begin like one.
    #[error("it is no git bundle of a version that is known")]
    NoBundle,
    /// A pack ends before the objects that it promised.
    #[error("{found} of {said} objects are there; then {damage}")]
    Count {
        /// Objects that were found.
        found: u64,
        /// Objects that the pack's header promised.
        said: u64,
        /// What is wrong with the next one.
        damage: Box<Damage>,
    },
    /// Alternates that lead to alternates without end.
    #[error("its alternates nest too deeply")]
    Alternates,
}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Read(error) => error,
            Damage::Truncated
            | Damage::Zlib(_)
            | Damage::Length { .. }
            | Damage::Header
            | Damage::Delta
            | Damage::Huge
            | Damage::Base
            | Damage::MissingBase(_)
            | Damage::Name
            | Damage::Missing(_)
            | Damage::Absent
            | Damage::Lost(_)
            | Damage::Circle
            | Damage::Stray(_)
            | Damage::NoPack
            | Damage::NoBundle
            | Damage::Count { .. }
            | Damage::Alternates => Self::new(io::ErrorKind::InvalidData, damage),
        }
    }
}
