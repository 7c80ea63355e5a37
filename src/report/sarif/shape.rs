//! The parts of SARIF that are used, under SARIF's own names.

use std::sync::Arc;

use serde::Serialize;

use crate::vocabulary::{Finding, Kind, Revocable};

/// The schema that the report is valid by.
pub(super) const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Where GitHub says what revoking does.
const HELP: &str = "https://docs.github.com/en/rest/credentials/revoke";

#[derive(Serialize)]
pub(super) struct Text {
    text: String,
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        Self { text }
    }
}

#[derive(Serialize)]
pub(super) struct Tool {
    driver: Driver,
    #[serde(skip)]
    kinds: Vec<Arc<Kind>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: String,
    short_description: Text,
    full_description: Text,
    help_uri: &'static str,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 2],
    precision: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
}

impl Tool {
    /// The program, and a rule for each kind of token there is among `findings`.
    pub(super) fn of(findings: &[&Finding]) -> Self {
        let mut kinds: Vec<_> = findings.iter().map(|one| Arc::clone(&one.kind)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            driver: Driver {
                name: "douse",
                version: env!("CARGO_PKG_VERSION"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                information_uri: env!("CARGO_PKG_REPOSITORY"),
                rules: kinds.iter().map(|kind| Rule::of(kind)).collect(),
            },
            kinds,
        }
    }

    /// The place of a kind's rule.
    pub(super) fn rule_index(&self, kind: &Kind) -> Option<usize> {
        self.kinds.binary_search_by(|one| (**one).cmp(kind)).ok()
    }
}

impl Rule {
    fn of(kind: &Kind) -> Self {
        let words = kind.id.split('_').map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        });
        let what_to_do = match kind.revocable {
            Revocable::ByPossession => {
                "Whoever reads this place can use the token. Removing it from here does not end it: \
                 have it revoked, with `douse revoke` or by its owner, and then remove it."
            }
            Revocable::ReportOnly => {
                "Whoever reads this place could use the token while it lived. It ends by itself and \
                 cannot be revoked by whoever finds it; find out how it got here."
            }
        };
        Self {
            id: kind.id.to_string(),
            name: words.collect(),
            short_description: Text::new(format!("Leaked: {}.", kind.title)),
            full_description: Text::new(format!(
                "A token of the kind \"{}\" ({}) lies where it can be read.",
                kind.title,
                kind.redacted()
            )),
            help_uri: HELP,
            help: Help {
                text: what_to_do.replace('`', ""),
                markdown: what_to_do.to_owned(),
            },
            default_configuration: Configuration { level: level(kind) },
            properties: RuleProperties {
                tags: ["security", "secret"],
                precision: "very-high",
                security_severity: match kind.revocable {
                    Revocable::ByPossession => "9.8",
                    Revocable::ReportOnly => "6.9",
                },
            },
        }
    }
}

/// How bad a proven token of a kind is.
pub(super) fn level(kind: &Kind) -> &'static str {
    match kind.revocable {
        Revocable::ByPossession => "error",
        Revocable::ReportOnly => "warning",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub(super) execution_successful: bool,
    pub(super) exit_code: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
pub(super) struct Notification {
    pub(super) level: &'static str,
    pub(super) message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultShape<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    partial_fingerprints: PartialFingerprints,
    properties: ResultProperties,
}

#[derive(Serialize)]
struct PartialFingerprints {
    #[serde(rename = "tokenSha256/v1")]
    token_sha256: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultProperties {
    hashed_token: String,
    checksum: &'static str,
    revocable: &'static str,
    match_count: u64,
}

impl<'a> ResultShape<'a> {
    pub(super) fn new(
        finding: &'a Finding,
        rule_index: Option<usize>,
        level: &'static str,
        message: String,
    ) -> Self {
        let matches = finding.matches.items.iter();
        Self {
            rule_id: &finding.kind.id,
            rule_index,
            level,
            message: Text::new(message),
            locations: matches.map(Location::of_match).collect(),
            partial_fingerprints: PartialFingerprints {
                token_sha256: finding.fingerprint.to_string(),
            },
            properties: ResultProperties {
                hashed_token: finding.fingerprint.hashed_token(),
                checksum: finding.checksum.as_str(),
                revocable: finding.kind.revocable.as_str(),
                match_count: finding.matches.total(),
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "SARIF's own names")]
pub(super) struct Location {
    pub(super) physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<Region>,
}

#[derive(Serialize)]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
}

/// A column counts characters, and is left out where they can't be counted; offset and length count
/// bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) byte_offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) byte_length: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    pub(super) fully_qualified_name: String,
}
