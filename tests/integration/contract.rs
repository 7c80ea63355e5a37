//! The client against GitHub's own description of its API, judged by Prism, which others made: it
//! plays a server by the description, and stands as a proxy before our own loopback GitHub, so that
//! what the other tests rely on is held to it as well.
//!
//! Both come from the npm registry, so these tests are run by name:
//! `npm ci` in `tests/contract`, then `cargo test --test integration contract:: -- --ignored`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::douse::Douse;
use crate::github::Github;
use crate::revoke::{revoke_at, states};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// Prism takes a few seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Prism under way; ended when it is dropped.
struct Prism {
    child: Child,
    url: String,
    log: Arc<Mutex<String>>,
    answered: Receiver<()>,
}

impl Prism {
    /// A server that is played by the description.
    fn mock(part: &str) -> Self {
        Self::start(&["mock"], part, &[])
    }

    /// A proxy before `upstream`, which answers with an error to whatever breaks the description.
    fn proxy(part: &str, upstream: &str) -> Self {
        Self::start(&["proxy"], part, &[upstream, "--errors"])
    }

    fn start(command: &[&str], described: &str, further: &[&str]) -> Self {
        let folder = folder();
        let descriptions = tempfile::tempdir().unwrap();
        let cut = Command::new("node")
            .arg(folder.join("cut.mjs"))
            .arg(descriptions.path())
            .status();
        assert!(
            cut.is_ok_and(|status| status.success()),
            "node or its packages are missing: install node, and run `npm ci` in tests/contract"
        );
        // Free a moment ago, and nobody else on this machine asks for ports in this way.
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let description = descriptions.path().join(format!("{described}.json"));
        let mut child = Command::new(folder.join("node_modules/.bin/prism"))
            .args(command)
            .arg(&description)
            .args(further)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("Prism: run `npm ci` in tests/contract");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (tell, answered) = mpsc::channel();
        let (ready, listens) = mpsc::channel();
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            // Read whole before it says that it listens.
            let _descriptions = descriptions;
            for line in lines.map_while(Result::ok) {
                if line.contains("Prism is listening") {
                    let _ = ready.send(());
                }
                let ends = line.contains("Responding with \"") || line.contains("Forwarding");
                *kept.lock().unwrap() += &(line + "\n");
                if ends {
                    let _ = tell.send(());
                }
            }
        });
        listens.recv_timeout(PATIENCE).expect("Prism did not start");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            log,
            answered,
        }
    }

    /// What it had to say against requests, once it has dealt with so many of them.
    fn against_requests(self, requests: usize) -> Vec<String> {
        for _ in 0..requests {
            self.answered.recv_timeout(PATIENCE).expect("a request");
        }
        let mut running = self;
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        let log = running.log.lock().unwrap().clone();
        let received = log.matches("Request received").count();
        assert_eq!(received, requests, "{log}");
        let violation = |line: &&str| line.contains("iolation") && !line.contains("response");
        log.lines().filter(violation).map(str::to_owned).collect()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract")
}

#[test]
#[ignore = "needs packages of the npm registry"]
fn every_request_fits_githubs_description() {
    let sandbox = Sandbox::new();
    let prism = Prism::mock("cloud");
    sandbox.write("leak", sandbox.revocable(2001).join("\n"));
    let output = revoke_at(&sandbox, &prism.url).run().expect(0);
    assert_eq!(states(&output), vec!["accepted"; 2001]);
    assert_eq!(prism.against_requests(3), [""; 0]);
}

#[test]
#[ignore = "needs packages of the npm registry"]
fn the_calls_of_an_enterprise_fit_it_too() {
    let sandbox = Sandbox::new();
    let login = sandbox.token(Kind::Personal);
    let prism = Prism::mock("enterprise");
    for arguments in [
        &["revoke-all", "acme"][..],
        &["revoke-all", "acme", "--destroy-credentials"],
        &["revoke-user", "acme", "mona", "--destroy-credentials"],
    ] {
        let run = arguments
            .iter()
            .fold(sandbox.douse(["enterprise"]), Douse::arg);
        let run = run
            .arg("--yes")
            .arg("-f")
            .arg("json")
            .arg("--api-url")
            .arg(&prism.url);
        let run = run.env("GH_TOKEN", &login);
        let answer = run.run().expect(0).json();
        // GitHub's own example of an answer.
        assert_eq!(answer["state"], "accepted");
        assert!(
            answer["message"].as_str().unwrap().contains("queued"),
            "{answer}"
        );
    }
    assert_eq!(prism.against_requests(3), [""; 0]);
}

/// The loopback GitHub that all other tests rely on, judged in the same way.
#[test]
#[ignore = "needs packages of the npm registry"]
fn our_own_server_keeps_to_the_description() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let prism = Prism::proxy("cloud", &github.url());
    let mut leaked = sandbox.revocable(8);
    leaked.sort_by_key(|token| tokens::fingerprint(token));
    sandbox.write("leak", leaked.join("\n"));
    let bad = leaked.pop().unwrap();
    github.poison(&bad);
    let output = revoke_at(&sandbox, &prism.url).run().expect(1);
    leaked.sort_unstable();
    assert_eq!(github.taken(), leaked, "{output}");
    let log = prism.log.lock().unwrap().clone();
    assert!(!log.contains("iolation"), "{log}");
    assert_eq!(prism.against_requests(github.log().len()), [""; 0]);
}

/// A judge that never says no would prove nothing.
#[test]
#[ignore = "needs packages of the npm registry"]
fn a_request_that_does_not_fit_is_told() {
    let prism = Prism::mock("cloud");
    let mut connection = TcpStream::connect(prism.url.trim_start_matches("http://")).unwrap();
    let body = r#"{"credentials":[]}"#;
    let length = body.len();
    let request = format!(
        "POST /credentials/revoke HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    assert_eq!(prism.against_requests(1).len(), 1);
}
