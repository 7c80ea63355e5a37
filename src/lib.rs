//! Finds leaked GitHub tokens and puts them out.
//!
//! A **source** pushes **blobs** (bytes and their origin) into a **sink**. The outer sink, **unpack**,
//! recognises containers and pushes what they hold as well; the inner one scans each blob on the
//! thread that read it, with one shared **detector** that yields **hits** borrowed from the
//! blob. Hits enter **findings**, keyed by **fingerprint**; what was not read is an event too. When
//! the sources are drained, everything is sorted and reported. To revoke, a pure **plan** turns
//! tokens into **batches** and what is withheld; the **runner** takes a slot from the **ledger**,
//! records the batch as sent, has it posted, and records the **outcome**.
//!
//! *Source → Unpack → Detector → Findings → Plan → Ledger → Client → Outcome → Report.*
//!
//! | room | what it is for | what it must not know |
//! |---|---|---|
//! | [`vocabulary`] | the words all rooms speak | any other room |
//! | [`pattern`] | pattern files → a checked set of patterns; checksums | searching, I/O |
//! | [`detect`] | bytes → hits, pure; the only automaton | I/O, threads, the clock |
//! | [`source`] | folders, files, git repositories, standard input → blobs | tokens |
//! | [`unpack`] | containers → their members, as blobs | tokens, threads |
//! | [`silence`] | tokens known by value, and markers beside tokens | files, where matches lie |
//! | [`findings`] | hits of all threads → distinct tokens | where bytes come from |
//! | [`scan`] | wires source, unpack, detector and findings | revoking, reporting |
//! | [`revoke`] | plan, budget, ledger, HTTP, runner | files, detectors, reports |
//! | [`report`] | finished reports → text and JSON | how anything was found or sent |
//! | [`progress`] | what a terminal shows meanwhile | the work itself |
//!
//! The command line lives in the binary.

pub mod detect;
pub mod findings;
pub mod pattern;
pub mod progress;
pub mod report;
pub mod revoke;
pub mod scan;
pub mod silence;
pub mod source;
pub mod unpack;
pub mod vocabulary;
