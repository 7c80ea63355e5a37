//! Finds leaked GitHub tokens and puts them out.

pub mod detect;
pub mod pattern;
pub mod vocabulary;
