//! As much of HTTP as a loopback server for one call needs: a request is read, an answer written.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use serde_json::Value;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its tokens were taken.
    Taken,
    /// They were not, and this status was the answer.
    Refused(u16),
    /// They were not, and nothing was said.
    Dropped,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    /// The tokens in it, in order.
    pub(crate) credentials: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) verdict: Verdict,
    pub(crate) at: Instant,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// An answer to be.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: &'static str,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &'static str) -> Self {
        Self {
            status,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("content-length", body.len().to_string()),
            ],
            body,
        }
    }
}

/// Whoever asked may be gone; that is for the test to judge.
pub(crate) fn send(connection: &mut TcpStream, answer: &Answer) {
    let mut text = format!("HTTP/1.1 {} So\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    write!(text, "\r\n{}", answer.body).unwrap();
    let _ = connection.write_all(text.as_bytes());
    let _ = connection.shutdown(Shutdown::Write);
}

/// All up to the empty line.
pub(crate) fn read_head(connection: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    // One at a time, so that a body that is not wanted stays unread.
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match connection.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            Ok(_) | Err(_) => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

pub(crate) fn parse_head(head: &str) -> Request {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut word = || first.next().unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    Request {
        method: word(),
        path: word(),
        headers: lines.filter_map(header).collect(),
        credentials: Vec::new(),
        body: Vec::new(),
        verdict: Verdict::Dropped,
        at: Instant::now(),
    }
}

pub(crate) fn read_body(connection: &mut impl Read, length: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let _ = connection.take(length).read_to_end(&mut body);
    body
}

/// The strings in `{"credentials": […]}`, if it is that and nothing else.
pub(crate) fn parse_body(body: &[u8]) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let object = body.as_object().filter(|object| object.len() == 1)?;
    let list = object.get("credentials")?.as_array()?;
    let text = |item: &Value| item.as_str().map(str::to_owned);
    list.iter().map(text).collect()
}
