//! Encrypted connections: whose certificates are believed, and that no token goes to anybody else.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::douse::Output;
use crate::github::Github;
use crate::http::{read_body, read_head};
use crate::revoke::states;
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// A private authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Our own authority");
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// What a server of this name shows that is valid until the end of the year.
    fn server(&self, name: &str, until: i32) -> ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap()
    }
}

/// Stands before a plain server, and tells how many requests it got to read.
struct Front {
    address: SocketAddr,
    read: Arc<AtomicUsize>,
}

impl Front {
    fn new(github: &Github, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = github.url().trim_start_matches("http://").to_owned();
        let read = Arc::new(AtomicUsize::new(0));
        let (config, counted) = (Arc::new(config), Arc::clone(&read));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut outside = StreamOwned::new(tls, connection.unwrap());
                let Some(head) = read_head(&mut outside) else {
                    continue;
                };
                counted.fetch_add(1, Ordering::SeqCst);
                let length = head.to_lowercase();
                let length = length
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let body = read_body(&mut outside, length.unwrap().parse().unwrap());
                let mut inside = TcpStream::connect(&upstream).unwrap();
                inside.write_all(head.as_bytes()).unwrap();
                inside.write_all(&body).unwrap();
                let mut answer = Vec::new();
                inside.read_to_end(&mut answer).unwrap();
                outside.write_all(&answer).unwrap();
                outside.conn.send_close_notify();
                let _ = outside.flush();
                let _ = outside.sock.shutdown(Shutdown::Write);
            }
        });
        Self { address, read }
    }
}

/// A sandbox with a leak and the authority's certificate in a file.
fn stage(authority: &Authority) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let bundle = sandbox.out("ca.pem");
    std::fs::write(&bundle, authority.0.pem()).unwrap();
    (sandbox, bundle)
}

fn revoke(sandbox: &Sandbox, url: &str, bundle: Option<&PathBuf>) -> Output {
    let arguments = [
        "revoke",
        "--yes",
        "-f",
        "jsonl",
        "--retry-pause",
        "0s",
        "--api-url",
        url,
    ];
    let mut run = sandbox.douse(arguments).arg("--connect-timeout").arg("5s");
    if let Some(bundle) = bundle {
        run = run.arg("--ca-file").arg(bundle);
    }
    run.run()
}

#[test]
fn a_private_authority_is_believed_when_it_is_named() {
    let (authority, github) = (Authority::new(), Github::new());
    let front = Front::new(&github, authority.server("127.0.0.1", 2099));
    let (sandbox, bundle) = stage(&authority);
    let url = format!("https://{}", front.address);
    let unknown = revoke(&sandbox, &url, None).expect(2);
    assert_eq!(states(&unknown), ["pending"]);
    assert!(unknown.text().contains("certificate"), "{unknown}");
    // Not a byte of a request went to it.
    assert_eq!(
        (front.read.load(Ordering::SeqCst), github.log().len()),
        (0, 0)
    );
    assert_eq!(
        states(&revoke(&sandbox, &url, Some(&bundle)).expect(0)),
        ["accepted"]
    );
    assert_eq!(github.taken().len(), 1);
}

#[test]
fn a_certificate_for_another_name_or_another_time_is_not_believed() {
    let authority = Authority::new();
    for (name, until, word) in [
        ("api.github.com", 2099, "not valid for name"),
        ("127.0.0.2", 2099, "not valid for name"),
        ("127.0.0.1", 2001, "expired"),
    ] {
        let github = Github::new();
        let front = Front::new(&github, authority.server(name, until));
        let (sandbox, bundle) = stage(&authority);
        let url = format!("https://{}", front.address);
        let output = revoke(&sandbox, &url, Some(&bundle)).expect(2);
        assert_eq!(states(&output), ["pending"], "{name}");
        assert!(output.text().contains(word), "{name}: {output}");
        assert_eq!(
            (front.read.load(Ordering::SeqCst), github.log().len()),
            (0, 0),
            "{name}"
        );
    }
}

#[test]
fn a_server_that_does_not_encrypt_gets_nothing() {
    let (authority, github) = (Authority::new(), Github::new());
    let (sandbox, bundle) = stage(&authority);
    let url = github.url().replace("http://", "https://");
    let output = revoke(&sandbox, &url, Some(&bundle)).expect(2);
    assert_eq!(states(&output), ["pending"]);
    assert_eq!(github.taken().len(), 0);
    for request in github.log() {
        assert_eq!(request.credentials.len(), 0);
    }
}

#[test]
fn what_is_no_bundle_is_refused() {
    let (sandbox, bundle) = stage(&Authority::new());
    std::fs::write(&bundle, "no certificate").unwrap();
    let output = revoke(&sandbox, "https://127.0.0.1:9", Some(&bundle)).expect(2);
    assert!(output.talk().contains("PEM"), "{output}");
    let missing = sandbox.out("missing");
    revoke(&sandbox, "https://127.0.0.1:9", Some(&missing)).expect(2);
}

/// An image without certificates: what is missing is told, and nothing is sent.
#[test]
fn without_any_certificates_it_says_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let revoke = sandbox.douse([
        "revoke",
        "--yes",
        "--api-url",
        "https://127.0.0.1:9",
        "leak",
    ]);
    let none = sandbox.work().join("none");
    let run = revoke
        .env("SSL_CERT_FILE", &none)
        .env("SSL_CERT_DIR", &none)
        .run();
    let talk = run.expect(2).talk();
    assert!(talk.contains("package ca-certificates"), "{talk}");
}
