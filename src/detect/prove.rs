//! Proving that patterns do what they say: every example through the real detector.

use super::{Detector, Window};
use crate::pattern::PatternSet;
use crate::vocabulary::Standing;

/// What came of one example or counter-example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Which token's.
    pub id: String,
    /// The example as it stands in the file; no token in it.
    pub example: String,
    /// What is wrong, if anything.
    pub fault: Option<String>,
}

/// Runs every example of `detector`'s patterns through it.
pub fn prove(detector: &Detector) -> Vec<Proof> {
    let patterns: &PatternSet = detector.patterns();
    let mut proofs = Vec::new();
    for pattern in patterns.patterns() {
        let mut tell = |example: &str, fault: Option<String>| {
            proofs.push(Proof {
                id: pattern.kind.id.to_string(),
                example: example.to_owned(),
                fault,
            });
        };
        for example in &pattern.examples {
            let found = findings(detector, &example.text());
            let expected = (pattern.kind.id.to_string(), example.token().to_owned());
            let fault = match found.as_slice() {
                [one] if *one == expected => None,
                [] => Some("not found".to_owned()),
                [(id, _)] if *id != expected.0 => Some(format!("found as {id}")),
                [_] => Some("found with another extent".to_owned()),
                several => Some(format!("found {} times", several.len())),
            };
            tell(example.template(), fault);
        }
        for counter in &pattern.counterexamples {
            let fault = match findings(detector, counter.text()).as_slice() {
                [] => None,
                [(id, _), ..] => Some(format!("found as {id}, and should not be")),
            };
            tell(&counter.why, fault);
        }
        if pattern.examples.is_empty() {
            tell("", Some("it has no example".to_owned()));
        }
    }
    proofs
}

fn findings(detector: &Detector, text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    detector.scan(Window::whole(text.as_bytes()), |hit| {
        if hit.standing == Standing::Finding {
            found.push((hit.kind.id.to_string(), hit.token.into_owned()));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_examples_hold() {
        let proofs = prove(super::super::tests::detector());
        assert!(proofs.len() >= 15, "{}", proofs.len());
        for proof in proofs {
            assert_eq!(proof.fault, None, "{proof:?}");
        }
    }

    #[test]
    fn a_wrong_example_is_told() {
        let text = "schema = 1\nprovider = \"Acme\"\n[[token]]\nid = \"acme\"\ntitle = \"Acme\"\n\
            prefix = \"acme_\"\nrevocable = false\n\
            [[token.shape]]\nbody = \"[a-z]{4}\"\nchecksum = \"none\"\n\
            [[token.example]]\ntext = \"{token}\"\npayload = \"abc\"\n\
            [[token.example]]\ntext = \"{token}\"\npayload = \"abcde\"\n\
            [[token.counterexample]]\ntext = \"{prefix}wxyz\"\nwhy = \"last letters\"\n";
        let detector = Detector::new(PatternSet::parse(text).unwrap()).unwrap();
        let faults: Vec<_> = prove(&detector).into_iter().map(|p| p.fault).collect();
        assert_eq!(faults.len(), 3);
        assert!(faults.iter().all(Option::is_some), "{faults:?}");
    }
}
