//! Plans of all that there may be: a million tokens, and a heap of what must not be sent.

use std::fmt::Write as _;

use crate::github::Github;
use crate::revoke::{revoke, states};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// In no more than half a gigabyte, stacks and code included.
#[test]
fn a_million_tokens_are_planned_in_bounded_memory() {
    let sandbox = Sandbox::new();
    let mut list = String::with_capacity(41_000_000);
    for seed in 0..1_000_000 {
        writeln!(list, "{}", tokens::token(Kind::Personal, seed)).unwrap();
    }
    sandbox.write("list", list);
    let arguments = ["revoke", "--dry-run", "--credentials", "list"];
    let output = sandbox
        .douse_limited("-v 524288", arguments)
        .run()
        .expect(1);
    let text = output.text();
    let plan = "send 1000000 tokens to https://api.github.com in 1000 requests, at least 16 h";
    assert!(text.contains(plan), "{output}");
}

#[test]
fn of_all_that_lies_about_exactly_the_true_tokens_are_sent() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let mut leaked = sandbox.revocable(500);
    let own = sandbox.token(Kind::Personal);
    let mut heap: Vec<String> = leaked.clone();
    heap.push(own.clone());
    // The ones that GitHub's documentation shows, and what people put in the place of a token.
    heap.push(format!(
        "{}1234567890abcdef1234567890abcdef12345678",
        "ghp_"
    ));
    heap.push(format!("{}{}", "ghp_", "x".repeat(36)));
    heap.push(format!(
        "{}{}_{}",
        "github_pat_",
        "0".repeat(22),
        "1".repeat(59)
    ));
    for _ in 0..20 {
        heap.push(sandbox.mistyped(Kind::Personal));
        heap.push(sandbox.mistyped(Kind::FineGrained));
        heap.push(sandbox.token(Kind::Installation));
        // As tools cut it off that take it for shorter than it is.
        heap.push(sandbox.token(Kind::Refresh)[..40].to_owned());
    }
    heap.push(tokens::long_installation(7));
    sandbox.know(heap.last().unwrap());
    // In an order that has nothing to do with what they are.
    heap.sort_by_key(|token| tokens::fingerprint(token));
    sandbox.write("heap", heap.join("\n"));
    let output = revoke(&sandbox, &github)
        .env("GITHUB_TOKEN", &own)
        .run()
        .expect(1);
    leaked.sort_unstable();
    assert_eq!(github.taken(), leaked);
    assert_eq!(github.sizes(), [500]);
    let withheld = states(&output)
        .iter()
        .filter(|state| *state == "withheld")
        .count();
    assert_eq!(withheld, 1 + 20 + 1);
}
