//! Finds leaked GitHub tokens and puts them out.

pub mod detect;
pub mod findings;
pub mod pattern;
pub mod progress;
pub mod report;
pub mod revoke;
pub mod scan;
pub mod source;
pub mod vocabulary;
