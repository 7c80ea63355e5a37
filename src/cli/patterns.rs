//! `douse patterns`: what is looked for, and the proof that it is found.

use std::path::Path;

use anyhow::{Context as _, Result};
use douse::detect::{Detector, prove};
use douse::pattern::PatternSet;
use douse::report::{Format, escape};
use douse::vocabulary::{Exit, Interrupt, Revocable};

use super::args::{PatternsAction, PatternsArgs};
use super::detector;
use super::settings::{Output, read_input};

pub(super) fn run(args: &PatternsArgs) -> Result<Exit> {
    let output = Output {
        format: Format::Jsonl,
        file: None,
    };
    match &args.action {
        None | Some(PatternsAction::List) => list(&output, &PatternSet::embedded()?),
        Some(PatternsAction::Check { file: None }) => check(&output, &detector()?),
        Some(PatternsAction::Check { file: Some(file) }) => {
            check(&output, &Detector::new(read(file)?)?)
        }
    }
}

fn read(file: &Path) -> Result<PatternSet> {
    let bytes = read_input(file, &Interrupt::new())?;
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{} is not UTF-8 text", file.display()))?;
    PatternSet::parse(&text).with_context(|| format!("cannot use {}", file.display()))
}

fn list(output: &Output, patterns: &PatternSet) -> Result<Exit> {
    output.write(|out| {
        for pattern in patterns.patterns() {
            let kind = &pattern.kind;
            let revocable = match kind.revocable {
                Revocable::ByPossession => "revocable",
                Revocable::ReportOnly => "report only",
            };
            writeln!(
                out,
                "{:<12} {:<42} {revocable:<12} {}",
                kind.prefix, kind.id, kind.title
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}

fn check(output: &Output, detector: &Detector) -> Result<Exit> {
    let proofs = prove(detector);
    let wrong = proofs.iter().filter(|proof| proof.fault.is_some()).count();
    output.write(|out| {
        for proof in &proofs {
            if let Some(fault) = &proof.fault {
                let example = escape(proof.example.as_bytes());
                writeln!(out, "{}: example {example:?}: {fault}", proof.id)?;
            }
        }
        writeln!(
            out,
            "{} of {} examples hold",
            proofs.len() - wrong,
            proofs.len()
        )
    })?;
    Ok(if wrong == 0 { Exit::Clean } else { Exit::Found })
}
