//! Patterns as data: listed, proved, and refused when they are not sound.

use std::fs;
use std::path::Path;

use crate::sandbox::Sandbox;
use crate::tokens::Kind;

fn embedded() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("patterns/github.toml");
    fs::read_to_string(path).unwrap()
}

/// A further kind, in the words of the file's own kinds.
const FURTHER: &str = r#"
[[token]]
id = "acme_deploy_key"
title = "Acme deploy key"
prefix = "acme_"
revocable = false

[[token.shape]]
body = "[a-z0-9]{12}"
checksum = "none"

[[token.example]]
text = "key={token};"
payload = "abcdefghijk1"

[[token.counterexample]]
text = "{prefix}ABCDEFGHIJKL"
why = "capital letters"
"#;

#[test]
fn all_kinds_are_listed() {
    let sandbox = Sandbox::new();
    for arguments in [&["patterns"][..], &["patterns", "list"]] {
        let text = sandbox.douse(arguments).run().expect(0).text();
        assert_eq!(text.lines().count(), 6);
        for kind in Kind::ALL {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{} ", kind.prefix())));
            let line = line.unwrap_or_else(|| panic!("{kind:?} is missing:\n{text}"));
            assert!(line.contains(kind.id()), "{line}");
            assert_eq!(line.contains("report only"), !kind.is_revocable(), "{line}");
        }
    }
}

#[test]
fn the_embedded_patterns_hold() {
    let sandbox = Sandbox::new();
    let text = sandbox.douse(["patterns", "check"]).run().expect(0).text();
    let examples = embedded().matches("example]]").count();
    assert_eq!(
        text.trim(),
        format!("{examples} of {examples} examples hold")
    );
    // A copy of the file is proved by the same code.
    let copy = sandbox.write("copy.toml", embedded());
    let output = sandbox
        .douse(["patterns", "check", copy.to_str().unwrap()])
        .run()
        .expect(0);
    assert_eq!(output.text(), text);
}

#[test]
fn a_further_kind_is_data() {
    let sandbox = Sandbox::new();
    sandbox.write("more.toml", embedded() + FURTHER);
    let text = sandbox
        .douse(["patterns", "check", "more.toml"])
        .run()
        .expect(0)
        .text();
    let examples = embedded().matches("example]]").count() + 2;
    assert_eq!(
        text.trim(),
        format!("{examples} of {examples} examples hold")
    );
}

#[test]
fn a_wrong_example_is_told() {
    let sandbox = Sandbox::new();
    for (right, wrong, told) in [
        (
            "payload = \"abcdefghijk1\"",
            "payload = \"abcdefghijk\"",
            "not found",
        ),
        (
            "payload = \"abcdefghijk1\"",
            "payload = \"abcdefghijk12\"",
            "another extent",
        ),
        (
            "{prefix}ABCDEFGHIJKL",
            "{prefix}abcdefghijkl",
            "should not be",
        ),
        (
            "[[token.example]]\ntext = \"key={token};\"\npayload = \"abcdefghijk1\"\n",
            "",
            "no example",
        ),
    ] {
        let further = FURTHER.replace(right, wrong);
        assert_ne!(further, FURTHER);
        sandbox.write("wrong.toml", embedded() + &further);
        let text = sandbox
            .douse(["patterns", "check", "wrong.toml"])
            .run()
            .expect(1)
            .text();
        assert!(
            text.contains("acme_deploy_key") && text.contains(told),
            "{told}: {text}"
        );
    }
    // One of GitHub's own with a checksum that does not fit.
    let wrong = embedded().replacen("checksum = \"2C8GjS\"", "checksum = \"2C8GjT\"", 1);
    sandbox.write("wrong.toml", wrong);
    let text = sandbox
        .douse(["patterns", "check", "wrong.toml"])
        .run()
        .expect(1)
        .text();
    assert!(text.contains(Kind::Personal.id()), "{text}");
}

#[test]
fn a_broken_file_is_refused_with_its_fault() {
    let sandbox = Sandbox::new();
    for (right, wrong, told) in [
        (
            "id = \"acme_deploy_key\"",
            "id = \"Acme Key\"",
            "lower-case",
        ),
        (
            "id = \"acme_deploy_key\"",
            "id = \"github_refresh_token\"",
            "github_refresh_token",
        ),
        ("prefix = \"acme_\"", "prefix = \"a\"", "at least 3"),
        ("prefix = \"acme_\"", "prefix = \"a me_\"", "no spaces"),
        ("[a-z0-9]{12}", "[a-z0-9", "not a regular expression"),
        ("[a-z0-9]{12}", "[a-z0-9]+", "upper bound"),
        ("[a-z0-9]{12}", "[a-z0-9]{1,90000}", "4096"),
        ("[a-z0-9]{12}", "[^a-z]{12}", "ASCII"),
        ("[a-z0-9]{12}", "[a-zé]{12}", "Unicode"),
        ("checksum = \"none\"", "checksum = \"md5\"", "md5"),
        ("revocable = false", "revocable = \"no\"", "revocable"),
        ("revocable = false", "", "revocable"),
        ("title = \"Acme", "color = \"red\"\ntitle = \"Acme", "color"),
        ("text = \"key={token};\"", "text = \"key=;\"", "{token}"),
        ("[[token]]", "[[token]", "not a pattern file"),
    ] {
        let further = FURTHER.replacen(right, wrong, 1);
        assert_ne!(further, FURTHER);
        sandbox.write("broken.toml", embedded() + &further);
        let output = sandbox.douse(["patterns", "check", "broken.toml"]).run();
        assert_eq!(output.code(), 2, "{wrong:?}: {output}");
        let talk = output.talk();
        assert!(
            talk.contains(told),
            "{wrong:?}: {told:?} is missing: {talk}"
        );
        assert!(talk.contains("broken.toml"), "{talk}");
    }
    sandbox.write(
        "new.toml",
        embedded().replacen("schema = 1", "schema = 2", 1),
    );
    let talk = sandbox
        .douse(["patterns", "check", "new.toml"])
        .run()
        .expect(2)
        .talk();
    assert!(talk.contains("schema"), "{talk}");
    sandbox.write("bytes.toml", b"schema = 1\n\xff");
    sandbox
        .douse(["patterns", "check", "bytes.toml"])
        .run()
        .expect(2);
    sandbox
        .douse(["patterns", "check", "missing.toml"])
        .run()
        .expect(2);
}
