//! The program as its users meet it: the real binary, driven from outside, and judged by what it
//! prints, by what it leaves on disk and by what a loopback GitHub received from it.
//!
//! One binary, so that it links once; one module a theme. `tokens`, `douse`, `packers` and `github` are the
//! instruments, and share no code with the program: tokens are made here from their published
//! schemes, and the server judges a request by GitHub's documentation.
//!
//! Nothing here sleeps. What must happen first is waited for: a request at the server, bytes taken
//! from a pipe, the end of a process; and each such wait has a limit after which the test fails.
//! Hours pass by moving the ledger's stamps into the past.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot set its stage has failed"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests stand outside: they start programs and measure real time"
)]

mod archives;
mod bombs;
mod borders;
mod broken;
mod browser;
mod budget;
mod command;
mod containers;
mod contract;
mod credentials;
mod douse;
mod durability;
mod encodings;
mod enterprise;
mod formats;
mod git;
mod github;
mod guides;
mod history;
mod hostile;
mod http;
mod imports;
mod limits;
mod mass;
mod missing;
mod mutants;
mod names;
mod nesting;
mod packers;
mod packs;
mod patterns;
mod range;
mod record;
mod reported;
mod reports;
mod repository;
mod revoke;
mod sandbox;
mod scan;
mod selection;
mod servers;
mod shell;
mod signals;
mod silence;
mod staged;
mod terminal;
mod tls;
mod tokens;
mod tools;
mod trouble;
mod workflows;
