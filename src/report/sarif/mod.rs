//! SARIF 2.1.0 as GitHub's code scanning takes it: a result a token, worst first.
//!
//! GitHub's limits are kept, and what they cost is told, in the report and to the caller: 25,000
//! results a run, 1000 locations a result (no finding lists more), 10 MB once compressed. Results
//! carry a fingerprint of their own key; the line hash that GitHub would compare with its own is
//! left to its upload. Sources: the OASIS standard SARIF 2.1.0, and "SARIF support for code
//! scanning" in GitHub's documentation.

mod location;
mod shape;

use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::vocabulary::{Finding, Gap, ScanReport, Standing};

use super::order::worst_first;
use super::plain_json::PlainJson;
use super::{Remarks, escape};
use shape::{Invocation, Location, Notification, ResultShape, Text, Tool};

/// Results that GitHub takes in a run.
const RESULTS: usize = 25_000;
/// Bytes that GitHub takes, compressed with gzip.
const COMPRESSED: u64 = 10_000_000;

/// Bytes that are compressed at a time.
const BUFFER: usize = 64 * 1024;

/// Writes the report, and tells what of it GitHub will not take.
pub(super) fn scan(report: &ScanReport, out: &mut dyn Write) -> io::Result<Remarks> {
    let findings = worst_first(report);
    let listed = &findings[..findings.len().min(RESULTS)];
    let mut remarks = Remarks::default();
    if listed.len() < findings.len() {
        remarks.add(format!(
            "GitHub takes {RESULTS} results, and there are {}: the worst are listed, the others are \
             left out; --format jsonl lists all",
            findings.len()
        ));
    }
    let unlisted = listed
        .iter()
        .filter(|finding| finding.matches.omitted > 0)
        .count();
    if unlisted > 0 {
        remarks.add(format!(
            "of {unlisted} tokens only the first {} places are listed",
            crate::vocabulary::MATCHES_KEPT
        ));
    }
    // The text comes in morsels, and compressing has a cost for each.
    let mut gauge = BufWriter::with_capacity(BUFFER, Gauge::new(out));
    let run = Run {
        report,
        listed,
        remarks: &remarks,
    };
    serde_json::to_writer(PlainJson(&mut gauge), &Log(run))?;
    gauge.write_all(b"\n")?;
    let gauge = gauge.into_inner().map_err(io::IntoInnerError::into_error)?;
    let compressed = gauge.compressed()?;
    if compressed > COMPRESSED {
        remarks.add(format!(
            "the report takes {compressed} bytes once compressed, and GitHub takes {COMPRESSED}; \
             scan fewer folders in a run"
        ));
    }
    Ok(remarks)
}

/// The document.
struct Log<'a>(Run<'a>);

impl Serialize for Log<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut log = serializer.serialize_struct("log", 3)?;
        log.serialize_field("$schema", shape::SCHEMA)?;
        log.serialize_field("version", "2.1.0")?;
        log.serialize_field("runs", &[&self.0])?;
        log.end()
    }
}

struct Run<'a> {
    report: &'a ScanReport,
    listed: &'a [&'a Finding],
    remarks: &'a Remarks,
}

impl Serialize for Run<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tool = Tool::of(self.listed);
        let results = Results(self.listed, &tool);
        let mut run = serializer.serialize_struct("run", 4)?;
        run.serialize_field("tool", &tool)?;
        run.serialize_field("invocations", &[self.invocation()])?;
        run.serialize_field("columnKind", "unicodeCodePoints")?;
        run.serialize_field("results", &results)?;
        run.end()
    }
}

impl Run<'_> {
    /// How the run went, and what it did not read.
    fn invocation(&self) -> Invocation {
        let errors = self.report.errors.items.iter().map(|error| Notification {
            level: "error",
            message: Text::new(escape(error.message.as_bytes()).into_owned()),
            locations: vec![Location::of_place(&error.place)],
        });
        let open = |skip: &&crate::vocabulary::Skip| skip.reason.gap() == Gap::Open;
        let skips = self.report.skips.items.iter().filter(open);
        let skips = skips.map(|skip| Notification {
            level: "warning",
            message: Text::new(format!("not read: {}", skip.reason.as_str())),
            locations: vec![Location::of_place(&skip.place)],
        });
        let remarks = self.remarks.iter().map(|remark| Notification {
            level: "warning",
            message: Text::new(remark.clone()),
            locations: Vec::new(),
        });
        Invocation {
            execution_successful: self.report.is_complete(),
            exit_code: self.report.exit().code(),
            tool_execution_notifications: remarks.chain(errors).chain(skips).collect(),
        }
    }
}

/// Results, made one at a time: the locations of all would fill the memory a second time.
struct Results<'a>(&'a [&'a Finding], &'a Tool);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|finding| result(finding, self.1)))
    }
}

fn result<'a>(finding: &'a Finding, tool: &Tool) -> ResultShape<'a> {
    let places = match finding.matches.total() {
        1 => "one place".to_owned(),
        n => format!("{n} places"),
    };
    let note = match finding.standing {
        Standing::Finding => "",
        Standing::Unverified => " Nothing proves it to be a token: its checksum does not fit.",
    };
    let message = format!(
        "{} {} in {places}.{note} SHA-256 {}.",
        finding.kind.title,
        finding.kind.redacted(),
        finding.fingerprint
    );
    let level = match finding.standing {
        Standing::Finding => shape::level(&finding.kind),
        Standing::Unverified => "note",
    };
    ResultShape::new(finding, tool.rule_index(&finding.kind), level, message)
}

/// Counts what a text takes once it is compressed, beside writing it.
struct Gauge<'a> {
    out: &'a mut dyn Write,
    encoder: GzEncoder<Counted>,
}

#[derive(Default)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> Gauge<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            encoder: GzEncoder::new(Counted::default(), Compression::default()),
        }
    }

    fn compressed(self) -> io::Result<u64> {
        Ok(self.encoder.finish()?.0)
    }
}

impl Write for Gauge<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.encoder.write_all(bytes)?;
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
