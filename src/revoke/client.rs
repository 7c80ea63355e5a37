//! The only code that speaks to the network, and one of two that see a token's text.
//!
//! One request, one connection, one answer: no retries, no redirects, no cookies, no idle
//! connections; and a login only for a call that asks for one, of a host that takes it. It knows
//! no ledger; whoever calls it has counted the request before.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use reqwest::blocking::{self, Response};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, redirect, retry};
use zeroize::Zeroizing;

use super::answer::{Answer, BodyEnd, Headers};
use super::host::{Authentication, Host, Reach};
use super::login::Login;
use super::transport::{Sent, Transport};
use crate::vocabulary::{Call, Secret};

/// How much of an answer's body is read.
const BODY_BYTES: u64 = 64 * 1024;

/// Room in a request's body for each token: more than the longest that GitHub plans for (255).
/// Too little would leave copies in memory that was given back without being overwritten.
const TOKEN_BYTES: usize = 280;

/// How requests are sent.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// From the first step of connecting to the last byte of the answer.
    pub timeout: Duration,
    /// To connect, encryption included.
    pub connect_timeout: Duration,
    /// A bundle of PEM certificates to trust besides the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// What the host is told of us. GitHub answers 403 to requests that leave it out.
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(15),
            ca_cert: None,
            user_agent: concat!("douse/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The bundle is not PEM, or holds no certificate.
    #[error("the CA file holds no PEM certificate that can be read")]
    Certificate,
    /// The host asks for a login, and there is none.
    #[error("this host takes no request without a token of ours")]
    NoLogin,
    /// A header's value, or the system's certificates or proxy settings, are not usable.
    #[error(
        "cannot set up the connection: {0} (it needs the system's certificates, such as Debian's \
         package ca-certificates has, or a bundle of your own, and sound proxy settings)"
    )]
    Setup(String),
}

/// Sends requests to one host.
#[derive(Debug)]
pub struct Client {
    http: blocking::Client,
    host: Host,
    /// `Bearer` and our token; marked as sensitive, so that its `Debug` shows nothing.
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

impl Client {
    /// Gets ready to send to `host`. Nothing is sent, and no connection is made.
    ///
    /// Hosts of others are reached through the system's proxy settings, loopback ones directly.
    pub fn new(
        host: &Host,
        login: Option<&Login>,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        let version = HeaderValue::from_str(host.api_version())
            .map_err(|error| ClientError::Setup(error.to_string()))?;
        let headers = HeaderMap::from_iter([
            (
                ACCEPT,
                HeaderValue::from_static("application/vnd.github+json"),
            ),
            (HeaderName::from_static("x-github-api-version"), version),
        ]);
        let mut builder = blocking::Client::builder()
            .default_headers(headers)
            .user_agent(options.user_agent)
            .connect_timeout(options.connect_timeout)
            .redirect(redirect::Policy::none())
            // Also none of those retries that reqwest holds safe: each would cost a slot.
            .retry(retry::never())
            // hyper, too, tries again when a connection from the pool turns out to be dead.
            .pool_max_idle_per_host(0)
            .referer(false)
            .http1_only();
        builder = match host.reach() {
            Reach::Remote => builder.https_only(true),
            Reach::Loopback => builder.no_proxy(),
        };
        if let Some(pem) = &options.ca_cert {
            let bundle = Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|bundle| !bundle.is_empty())
                .ok_or(ClientError::Certificate)?;
            builder = builder.tls_certs_merge(bundle);
        } else if host.key().starts_with("http:") {
            // Nothing is encrypted, so the system's certificates need not be there.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            http: builder
                .build()
                .map_err(|error| ClientError::Setup(chain(error)))?,
            host: host.clone(),
            authorization: login.map(bearer).transpose()?,
            timeout: options.timeout,
        })
    }

    /// Makes a call that concerns an enterprise. It takes a login whatever the host.
    pub fn call(&self, call: &Call) -> Sent {
        let destroyed = match call {
            // It carries tokens, and goes another way.
            Call::Revoke => return Sent::NotSent("this call needs tokens".to_owned()),
            Call::RevokeAll { credentials, .. } | Call::RevokeUser { credentials, .. } => {
                credentials.is_destroyed()
            }
        };
        let Some(authorization) = &self.authorization else {
            return Sent::NotSent(ClientError::NoLogin.to_string());
        };
        let body = format!(r#"{{"revoke_credentials":{destroyed}}}"#);
        self.post(call, Some(authorization), body.into())
    }

    /// Sends one request, once.
    fn post(&self, call: &Call, authorization: Option<&HeaderValue>, body: Bytes) -> Sent {
        let mut request = self
            .http
            .post(self.host.url(call))
            .header(CONTENT_TYPE, "application/json")
            // Set on the request and not on the client: only here does it bound the whole
            // exchange; there it would bound each read, and a server that dribbles could go on.
            .timeout(self.timeout)
            .body(body);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        match request.send() {
            Ok(response) => Sent::Answer(answer(response)),
            Err(error) if error.is_connect() || error.is_builder() => Sent::NotSent(chain(error)),
            Err(error) => Sent::Lost(chain(error)),
        }
    }
}

/// The header that makes a request ours.
fn bearer(login: &Login) -> Result<HeaderValue, ClientError> {
    let text = Zeroizing::new(format!("Bearer {}", login.secret().expose()));
    let mut value = HeaderValue::from_str(&text)
        // Without the error's own words: they might repeat the value.
        .map_err(|_| ClientError::Setup("our token cannot stand in a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Transport for Client {
    fn send(&self, secrets: &[&Secret]) -> Sent {
        let authorization = match self.host.authentication() {
            // Whatever login there may be: the host refuses a request that has one.
            Authentication::Never => None,
            Authentication::Always => match &self.authorization {
                Some(authorization) => Some(authorization),
                None => return Sent::NotSent(ClientError::NoLogin.to_string()),
            },
        };
        self.post(&Call::Revoke, authorization, body(secrets))
    }
}

/// `{"credentials": […]}`, in memory that is overwritten when the connection is done with it.
/// What the connection itself copies, to encrypt and send it, is out of our hands.
fn body(secrets: &[&Secret]) -> Bytes {
    let mut body = Zeroizing::new(Vec::with_capacity(32 + secrets.len() * TOKEN_BYTES));
    body.extend_from_slice(br#"{"credentials":["#);
    for (at, secret) in secrets.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        push_json(&mut body, secret.expose());
    }
    body.extend_from_slice(b"]}");
    Bytes::from_owner(body)
}

/// Adds `text` as a JSON string.
fn push_json(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => body.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                body.extend_from_slice(b"\\u00");
                body.push(HEX[usize::from(byte >> 4)]);
                body.push(HEX[usize::from(byte & 15)]);
            }
            _ => body.push(byte),
        }
    }
    body.push(b'"');
}

fn answer(response: Response) -> Answer {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = Headers {
        retry_after: header("retry-after"),
        remaining: header("x-ratelimit-remaining"),
        reset: header("x-ratelimit-reset"),
        date: header("date"),
        request_id: header("x-github-request-id"),
    };
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let body_end = match response.take(BODY_BYTES).read_to_end(&mut body) {
        Ok(_) => BodyEnd::Sound,
        Err(_) => BodyEnd::BrokenOff,
    };
    Answer {
        status,
        headers,
        body,
        body_end,
    }
}

/// An error with all its causes: reqwest's own text is the outermost only, and says little.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
