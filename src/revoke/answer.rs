//! What a server's answer means: status, a few headers and a body become a [`Reading`].
//!
//! Pure: it knows no connection and no ledger, and decides nothing about what happens next.
//! GitHub documents 202, 422 and 500 for this call, 403 for what carries authentication, and 403
//! or 429 for the rate limit. What one bad entry does to its batch, and what an unknown token
//! does, is not documented; nothing here builds on either.

use std::time::Duration;

use jiff::fmt::rfc2822;
use serde_json::Value;

use super::budget::whole;
use crate::vocabulary::{Redact, Stamp};

/// How many characters of a server's words are kept.
const MESSAGE_CHARS: usize = 2000;

/// An answer as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that mean something here.
    pub headers: Headers,
    /// The body, or its beginning.
    pub body: Vec<u8>,
    /// Whether it came to its end.
    pub body_end: BodyEnd,
}

/// How a body ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BodyEnd {
    /// As it should, or it was longer than what is read.
    #[default]
    Sound,
    /// The connection broke, or time ran out.
    BrokenOff,
}

/// The headers that mean something here, unread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// `retry-after`: seconds, or a date.
    pub retry_after: Option<String>,
    /// `x-ratelimit-remaining`: requests left.
    pub remaining: Option<String>,
    /// `x-ratelimit-reset`: when there will be more, in seconds since 1970 UTC.
    pub reset: Option<String>,
    /// `date`: the server's own clock.
    pub date: Option<String>,
    /// `x-github-request-id`: what GitHub's support asks for.
    pub request_id: Option<String>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// What became of the request.
    pub verdict: Verdict,
    /// Whether the server asks for a pause, which any answer may.
    pub pause: Pause,
    /// The HTTP status.
    pub status: u16,
    /// The server's words; redacted, without control characters, at most 2000 characters.
    pub message: Option<String>,
    /// What the server warns of; likewise.
    pub warning: Option<String>,
    /// GitHub's number of the request; redacted likewise.
    pub request_id: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every token of it was taken for processing. Not a proof of any token's end.
    Accepted,
    /// Something in it is not valid, and nothing of it was taken.
    Invalid,
    /// Too many requests; nothing of it was taken.
    Throttled,
    /// It will never be taken like this; nothing of it was.
    Refused(Refusal),
    /// The server is in trouble, or answers as it never should. What it took is not known.
    Broken,
}

/// Why a request will never be taken like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 3xx.
    Redirect,
    /// 401, or 403 that is not about the rate limit.
    Forbidden,
    /// 404 or 405.
    WrongUrl,
    /// 410.
    ApiVersion,
    /// 407.
    Proxy,
    /// Any other 4xx.
    Other,
}

/// How a request was made, which tells what to do about its refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// To revoke tokens, with no login.
    Anonymous,
    /// To revoke tokens, with a token of ours.
    WithLogin,
    /// A call that concerns an enterprise, with a token of ours.
    Enterprise,
}

impl Refusal {
    /// What to do about it.
    pub(super) fn advice(self, manner: Manner) -> &'static str {
        match (self, manner) {
            (Self::Redirect, _) => "redirects are not followed; check the API URL",
            (Self::Forbidden, Manner::Anonymous) => {
                "this call takes no authentication; check that no proxy adds any, and whether \
                 this address is blocked"
            }
            (Self::Forbidden, Manner::WithLogin) => {
                "the server does not take the token that the request was made with: it must be a \
                 valid classic personal access token or OAuth token of this very server"
            }
            (Self::Forbidden, Manner::Enterprise) => {
                "the token that the request was made with needs the scope admin:enterprise, or as \
                 a fine-grained or app token the permission \"Enterprise credentials\" (write), \
                 and its owner must be an owner of the enterprise"
            }
            (Self::WrongUrl, Manner::Anonymous) => {
                "there is no such call at this address; check the API URL"
            }
            (Self::WrongUrl, Manner::WithLogin) => {
                "there is no such call at this address; check the API URL, and that the server is \
                 GitHub Enterprise Server 3.18 or later"
            }
            (Self::WrongUrl, Manner::Enterprise) => {
                "there is no such enterprise or user, or the token may not see it; GitHub \
                 Enterprise Server has no such call"
            }
            (Self::ApiVersion, Manner::Anonymous | Manner::Enterprise) => {
                "this API version is not supported; name another one"
            }
            (Self::ApiVersion, Manner::WithLogin) => {
                "this API version is not supported; GitHub Enterprise Server before 3.21 takes \
                 2022-11-28"
            }
            (Self::Proxy, _) => "the proxy asks for a login",
            (Self::Other, _) => {
                "the request was not understood; going on could get this address blocked"
            }
        }
    }
}

/// A pause that an answer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// None.
    No,
    /// For so long, as the server said. Not to be cut short.
    For(Duration),
    /// For a time that the server did not say, or not in a form that makes sense: at least a
    /// minute, and longer each time in a row.
    Unsaid,
}

/// Reads an answer. `now` serves where the server does not tell the time.
pub(super) fn read(answer: &Answer, now: &Stamp, redact: &dyn Redact) -> Reading {
    let words = Words::read(&answer.body);
    let verdict = verdict(answer, words.message.as_deref());
    let headers = &answer.headers;
    Reading {
        verdict,
        pause: pause(headers, verdict, now),
        status: answer.status,
        message: words.all().and_then(|words| presentable(&words, redact)),
        warning: words
            .warning
            .as_deref()
            .and_then(|warning| presentable(warning, redact)),
        request_id: headers
            .request_id
            .as_deref()
            .and_then(|id| presentable(id, redact)),
    }
}

fn verdict(answer: &Answer, message: Option<&str>) -> Verdict {
    let message = message.unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let headers = &answer.headers;
    match answer.status {
        202 => Verdict::Accepted,
        429 => Verdict::Throttled,
        403 if headers.retry_after.is_some() || headers.is_exhausted() => Verdict::Throttled,
        // What these two mean stands in the body.
        403 | 422 if answer.body_end == BodyEnd::BrokenOff => Verdict::Broken,
        403 if says(&["rate limit", "secondary"]) => Verdict::Throttled,
        // One text of GitHub's names both causes. The halves of the batch will tell them apart.
        422 if names_spam(&message) && !says(&["validation"]) => Verdict::Throttled,
        422 => Verdict::Invalid,
        401 | 403 => Verdict::Refused(Refusal::Forbidden),
        404 | 405 => Verdict::Refused(Refusal::WrongUrl),
        407 => Verdict::Refused(Refusal::Proxy),
        410 => Verdict::Refused(Refusal::ApiVersion),
        300..400 => Verdict::Refused(Refusal::Redirect),
        400..500 => Verdict::Refused(Refusal::Other),
        // 5xx; and success of a kind that this call is not documented to have.
        _ => Verdict::Broken,
    }
}

/// Whether the host's words name spam, be it as one of two causes.
pub(super) fn names_spam(words: &str) -> bool {
    let words = words.to_lowercase();
    ["spam", "abuse"].iter().any(|word| words.contains(word))
}

fn pause(headers: &Headers, verdict: Verdict, now: &Stamp) -> Pause {
    if let Some(wait) = headers.retry_after(now) {
        return Pause::For(wait);
    }
    if headers.is_exhausted() {
        return headers.until_reset(now).map_or(Pause::Unsaid, Pause::For);
    }
    match verdict {
        Verdict::Throttled => Pause::Unsaid,
        Verdict::Accepted | Verdict::Invalid | Verdict::Refused(_) | Verdict::Broken => Pause::No,
    }
}

impl Headers {
    /// Whether the server says that no request is left.
    fn is_exhausted(&self) -> bool {
        self.remaining.as_deref().and_then(whole_header) == Some(0)
    }

    /// `retry-after`: a whole number of seconds, or a date that lies ahead.
    fn retry_after(&self, now: &Stamp) -> Option<Duration> {
        let value = self.retry_after.as_deref()?;
        if let Some(seconds) = whole_header(value) {
            return Some(Duration::from_secs(seconds));
        }
        let seconds = http_date(value)?.checked_sub(self.server_time(now))?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// The time until `x-ratelimit-reset`, and a second more, as GitHub counts in whole ones.
    fn until_reset(&self, now: &Stamp) -> Option<Duration> {
        let reset = i64::try_from(whole_header(self.reset.as_deref()?)?).unwrap_or(i64::MAX);
        let left = u64::try_from(reset.checked_sub(self.server_time(now))?).ok()?;
        Some(Duration::from_secs(left.saturating_add(1)))
    }

    /// The server's clock, else ours, in seconds since 1970: two moments that the server tells
    /// are best compared with each other, for our clock may be wrong.
    fn server_time(&self, now: &Stamp) -> i64 {
        let told = self.date.as_deref().and_then(http_date);
        told.unwrap_or_else(|| now.wall_ms.div_euclid(1000))
    }
}

/// A number as a header holds it: spaces around it are allowed.
fn whole_header(text: &str) -> Option<u64> {
    whole(text.trim())
}

/// A date as HTTP writes it, in seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    static PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
    let at = PARSER.parse_timestamp(text.trim()).ok()?;
    Some(at.as_second())
}

/// What a body says in words.
#[derive(Default)]
struct Words {
    message: Option<String>,
    warning: Option<String>,
    errors: Vec<String>,
}

impl Words {
    /// Reads `{message, warning, errors: [string or object]}` as far as it is there; and short
    /// plain text, which is what proxies and load balancers write.
    fn read(body: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            let shown = !text.trim().is_empty() && !text.trim_start().starts_with(['<', '{', '[']);
            return Self {
                message: shown.then(|| text.into_owned()),
                ..Self::default()
            };
        };
        let errors = match json.get("errors") {
            Some(Value::Array(errors)) => errors.iter().map(one_error).collect(),
            Some(Value::String(error)) => vec![error.clone()],
            Some(_) | None => Vec::new(),
        };
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            message: text("message"),
            warning: text("warning"),
            errors,
        }
    }

    fn all(&self) -> Option<String> {
        let mut words = self.message.clone().unwrap_or_default();
        for error in &self.errors {
            if !words.is_empty() {
                words.push_str("; ");
            }
            words.push_str(error);
        }
        Some(words).filter(|words| !words.is_empty())
    }
}

fn one_error(error: &Value) -> String {
    let text = error.as_str().or_else(|| error.get("message")?.as_str());
    text.map_or_else(|| error.to_string(), str::to_owned)
}

/// Text from outside as it may be shown and stored. It is redacted before it is cut, since of a
/// token that is cut in two, neither half looks like one.
pub(super) fn presentable(text: &str, redact: &dyn Redact) -> Option<String> {
    let redacted = redact.text(text);
    let spaced = redacted
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    let kept: String = spaced.take(MESSAGE_CHARS).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests;
