//! The page in a real browser: Chromium without a window, driven over `WebDriver`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::github::Github;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};
use crate::tools;

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _home: TempDir,
}

impl Browser {
    fn open(page: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        tools::from_debian("chromium", "chromium");
        let mut driver = Command::new(tools::from_debian("chromedriver", "chromium-driver"))
            .arg("--port=0")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = said
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("the driver's port");
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            _home: home,
        };
        let options = json!({"args": ["--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--window-size=1000,900"]});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.call("/session", &wanted);
        session["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut browser.session);
        let url = format!("file://{}", page.display());
        browser.command("url", &json!({ "url": url }));
        browser
    }

    /// Runs a script, and hands over what it returns.
    fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The same for one that ends by calling its last argument.
    fn run_async(&self, script: &str) -> Value {
        self.command("execute/async", &json!({"script": script, "args": []}))
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        self.call(&format!("/session/{}/{name}", self.session), body)
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = body.to_string();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes).unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].clone()
    }

    /// Types into the filter.
    fn filter(&self, text: &str) {
        self.run(&format!(
            "const q = document.getElementById('q'); q.value = {text:?}; \
             q.dispatchEvent(new Event('input'));"
        ));
    }

    fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({selector:?}).innerText");
        self.run(&script).as_str().unwrap().to_owned()
    }

    fn count(&self, selector: &str) -> u64 {
        let script = format!("return document.querySelectorAll({selector:?}).length");
        self.run(&script).as_u64().unwrap()
    }

    /// What another's tool has against the page's accessibility.
    fn barriers(&self) -> Value {
        let axe = fs::read_to_string(tools::from_npm("axe-core/axe.min.js")).unwrap();
        self.run(&format!("{axe}; window.axe = axe;"));
        self.run_async(
            "const done = arguments[0]; axe.run().then((found) => done(found.violations.map(
             (one) => [one.id, one.nodes.map((node) => node.html)])));",
        )
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let path = format!(
                "DELETE /session/{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
                self.session
            );
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let _ = stream.write_all(path.as_bytes());
                // The answer comes when the browser has ended.
                let _ = stream.read(&mut [0; 64]);
            }
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Opens the page of a scan of everything in the sandbox.
fn page(sandbox: &Sandbox) -> Browser {
    page_in(sandbox, &sandbox.out("page.html"))
}

fn page_in(sandbox: &Sandbox, path: &Path) -> Browser {
    sandbox
        .douse(["scan", "-f", "html", "--unverified", "-o"])
        .arg(path)
        .run()
        .expect(1);
    Browser::open(path)
}

#[test]
fn hostile_names_stay_text() {
    let sandbox = Sandbox::new();
    let names = [
        "<img src=x onerror=window.pwned=1>",
        "<script>window.pwned=1<",
        "\"'><svg onload=window.pwned=1>",
        "-->",
        "&lt;b&gt;",
        "\u{202e}gnp.exe",
        "\x1b[2Jname",
        "two\nlines",
        "${window.pwned=1}",
    ];
    for name in names {
        sandbox.write(format!("{name}/x"), sandbox.token(Kind::Personal));
    }
    let browser = page(&sandbox);
    assert_eq!(browser.run("return window.pwned"), Value::Null);
    assert_eq!(
        browser.count("img, svg[onload], iframe, b, object, link"),
        0
    );
    assert_eq!(browser.count("script"), 3);
    let shown = browser.text("#rows");
    for name in [
        "<img src=x onerror=window.pwned=1>/x:1:1",
        "<script>window.pwned=1</x:1:1",
        "\"'><svg onload=window.pwned=1>/x:1:1",
        "-->/x:1:1",
        "&lt;b&gt;/x:1:1",
        "\\u{202e}gnp.exe/x:1:1",
        "\\u{1b}[2Jname/x:1:1",
        "two\\nlines/x:1:1",
        "${window.pwned=1}/x:1:1",
    ] {
        assert!(shown.contains(name), "{name:?} is not in {shown:?}");
    }
    // Neither an error nor a thing that the policy had to stop.
    let log = browser.command("se/log", &json!({"type": "browser"}));
    assert_eq!(log, json!([]));
}

#[test]
fn the_table_filters_sorts_and_pages() {
    let sandbox = Sandbox::new();
    for at in 0..130 {
        let kind = [Kind::Personal, Kind::OAuth][at % 2];
        sandbox.write(format!("folder{}/file{at:03}", at % 7), sandbox.token(kind));
    }
    let everywhere = sandbox.token(Kind::Refresh);
    for at in 0..30 {
        sandbox.write(format!("copies/{at}"), &everywhere);
    }
    sandbox.write("odd", sandbox.mistyped(Kind::AppUser));
    let browser = page(&sandbox);
    assert_eq!(browser.text(".lead"), "131 tokens in 160 places");
    assert_eq!(browser.count("#rows tr"), 100);
    assert_eq!(browser.text("#shown"), "Showing 1 to 100 of 132 tokens");
    browser.run("document.getElementById('after').click()");
    assert_eq!(browser.count("#rows tr"), 32);
    assert_eq!(
        browser.run("return document.getElementById('after').disabled"),
        true
    );

    browser.filter("FILE007");
    assert_eq!(browser.count("#rows tr"), 1);
    assert!(browser.text("#rows").contains("folder0/file007:1:1"));
    assert_eq!(
        browser.text("#shown"),
        "Showing 1 to 1 of 1 tokens, chosen from 132"
    );
    browser.filter("folder3 oauth");
    let (rows, kinds) = (browser.count("#rows tr"), browser.text("#rows"));
    assert_eq!(
        rows,
        (0..130).filter(|at| at % 7 == 3 && at % 2 == 1).count() as u64
    );
    assert!(!kinds.contains("classic"));
    // What is chosen can be passed on.
    let hash = browser.run("return location.hash");
    assert_eq!(hash, "#q=folder3+oauth");
    browser.run("location.hash = '#status=unverified'");
    browser.run_async("setTimeout(arguments[0])");
    assert_eq!(browser.count("#rows tr"), 1);
    assert!(browser.text("#rows").contains("odd:1:1"));
    browser.filter("no such thing");
    assert_eq!(browser.text("#shown"), "No token fits these filters");

    browser.run("document.querySelector('button[type=reset]').click()");
    browser.run_async("setTimeout(arguments[0])");
    browser.run("document.querySelector('[data-key=count] button').click()");
    let first = browser.text("#rows tr");
    assert!(
        first.contains("copies/") && first.contains("17 more"),
        "{first}"
    );
    assert!(first.contains("and 10 that this page does not list"));
    let sorted = "return document.querySelector('[data-key=count]').ariaSort";
    assert_eq!(browser.run(sorted), "descending");
    browser.run("document.querySelector('[data-key=count] button').click()");
    assert_eq!(browser.run(sorted), "ascending");
}

/// Dark and light, by the rules of a tool that others wrote.
#[test]
fn nobody_is_shut_out() {
    let sandbox = Sandbox::new();
    let github = Github::new();
    for at in 0..30 {
        sandbox.write(
            "copies/".to_owned() + &at.to_string(),
            tokens_of(&sandbox, at),
        );
    }
    let revoked = sandbox.out("revoked.html");
    let scanned = page(&sandbox);
    sandbox
        .douse(["revoke", "--yes", "-f", "html", "-o"])
        .arg(&revoked)
        .arg("--api-url")
        .arg(github.url())
        .run()
        .expect(1);
    let revoked = Browser::open(&revoked);
    assert!(revoked.text("#rows").contains("accepted"));
    for browser in [scanned, revoked] {
        for scheme in ["light", "dark"] {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            let call = json!({"cmd": "Emulation.setEmulatedMedia", "params": media});
            browser.command("goog/cdp/execute", &call);
            assert_eq!(browser.barriers(), json!([]), "{scheme}");
        }
        // Everything that can be clicked can be reached by key.
        let unreachable =
            "return [...document.querySelectorAll('button, input, select, summary, a')]
            .filter((one) => !one.disabled && one.tabIndex < 0).length";
        assert_eq!(browser.run(unreachable), 0);
    }
}

fn tokens_of(sandbox: &Sandbox, seed: u64) -> String {
    let kinds = [Kind::Personal, Kind::Installation, Kind::FineGrained];
    let kind = kinds[usize::try_from(seed % 3).unwrap()];
    format!(
        "{}\n{}\n",
        sandbox.token(kind),
        sandbox.token(Kind::Personal)
    )
}

#[test]
fn a_hundred_thousand_tokens_open_and_filter() {
    let sandbox = Sandbox::new();
    let mut files = vec![String::new(); 100];
    for seed in 0..100_000_u64 {
        let file = &mut files[usize::try_from(seed % 100).unwrap()];
        file.push_str(&tokens::token(Kind::Personal, 1_000_000 + seed));
        file.push('\n');
    }
    for (at, file) in files.iter().enumerate() {
        sandbox.write(format!("backups/host{at:02}/etc/app.env"), file);
    }
    // Among the files that may hold tokens: looking through it for leaks takes long.
    let browser = page_in(&sandbox, &sandbox.work().join("page.html"));
    assert!(browser.text("#shown").ends_with("of 100000 tokens"));
    browser.filter("host42 app");
    assert!(browser.text("#shown").contains("of 1000 tokens"));
}
