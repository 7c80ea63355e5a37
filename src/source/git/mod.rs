//! Git's object stores, read as what they are: containers.
//!
//! Every object is pushed: blobs, commits, tags, trees with the names in them, reachable or not.
//! This room reads the files of git's formats by itself, with the low-level crates of gix for
//! headers, indexes and ids. It starts no program, obeys no configuration, opens no remote, maps
//! nothing, writes nothing. It knows neither tokens nor reports.

mod bundle;
mod damage;
mod database;
mod exactly;
mod handed;
mod history;
mod input;
mod loose;
mod objects;
mod pack;
mod prefixes;
mod range;
mod repository;
mod staged;
mod store;

pub use bundle::{holds_pack, push_pack};
pub use handed::{Handed, hand_over_pack};
pub use history::{Provenances, Pushed};
pub use input::{FileBytes, ReadAt};
#[cfg(test)]
pub(crate) use pack::writer;
pub use range::{Range, RangeError};
pub use repository::{Repository, RepositoryError, Told};
pub use staged::{Side, Staged};
pub use store::Repositories;
pub(super) use store::Stores;
