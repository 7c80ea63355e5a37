//! Runs the binary: with an environment of its own, for a limited time, and looks afterwards
//! whether anything of a token leaked.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::terminal::Terminal;
use crate::tokens;

/// How long a run may take. None takes a fifth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run gets to read.
enum Input {
    Nothing,
    Bytes(Vec<u8>),
    /// The test writes, as long as it likes.
    Pipe,
}

/// Whether tokens may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaks {
    Forbidden,
    AskedFor,
}

/// A run that is being prepared.
pub(crate) struct Douse<'s> {
    sandbox: &'s Sandbox,
    command: Command,
    input: Input,
    terminal: Option<Terminal>,
    leaks: Leaks,
}

impl<'s> Douse<'s> {
    pub(crate) fn new(sandbox: &'s Sandbox, command: Command) -> Self {
        Self {
            sandbox,
            command,
            input: Input::Nothing,
            terminal: None,
            leaks: Leaks::Forbidden,
        }
    }

    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Standard input is a pipe whose other end is [`Running::input`].
    pub(crate) fn pipe(mut self) -> Self {
        self.input = Input::Pipe;
        self
    }

    /// Standard error is a terminal, and so is standard input if it is nothing else; `typed` waits
    /// there to be read.
    pub(crate) fn terminal(mut self, typed: &str) -> Self {
        self.terminal = Some(Terminal::open(typed));
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Starts in a folder of the sandbox's work.
    pub(crate) fn folder(mut self, folder: &str) -> Self {
        self.command.current_dir(self.sandbox.work().join(folder));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Turns the leak check off: for `--show-secrets`.
    pub(crate) fn showing_secrets(mut self) -> Self {
        self.leaks = Leaks::AskedFor;
        self
    }

    pub(crate) fn run(self) -> Output {
        self.spawn().wait()
    }

    pub(crate) fn spawn(mut self) -> Running<'s> {
        self.command
            .stdin(match (&self.input, &self.terminal) {
                (Input::Nothing, None) => Stdio::null(),
                (Input::Nothing, Some(terminal)) => terminal.end(),
                (Input::Bytes(_) | Input::Pipe, _) => Stdio::piped(),
            })
            .stdout(Stdio::piped())
            .stderr(match &self.terminal {
                None => Stdio::piped(),
                Some(terminal) => terminal.end(),
            });
        let told = format!("{:?}", self.command.get_args());
        let mut child = self.command.spawn().unwrap();
        // It holds the program's ends of the terminal, which would never come to its end.
        drop(self.command);
        let stdout = Collector::new(child.stdout.take().unwrap());
        let stderr = match self.terminal {
            None => Collector::new(child.stderr.take().unwrap()),
            Some(terminal) => Collector::new(terminal.into_screen()),
        };
        let mut input = child.stdin.take();
        if let Input::Bytes(bytes) = self.input {
            let mut pipe = input.take().unwrap();
            // A program that does not read to the end is judged by what it prints.
            thread::spawn(move || pipe.write_all(&bytes));
        }
        let pid = child.id();
        let (tell, ended) = mpsc::channel();
        thread::spawn(move || tell.send(child.wait().unwrap()));
        Running {
            sandbox: self.sandbox,
            leaks: self.leaks,
            told,
            input,
            pid,
            ended,
            stdout,
            stderr,
        }
    }
}

/// Reads a pipe to its end, in the background.
struct Collector {
    bytes: Arc<(Mutex<Vec<u8>>, Condvar)>,
    end: Receiver<()>,
}

impl Collector {
    fn new(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::<(Mutex<Vec<u8>>, Condvar)>::default();
        let (tell, end) = mpsc::channel();
        let into = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                into.0.lock().unwrap().extend_from_slice(&buffer[..n]);
                into.1.notify_all();
            }
            tell.send(())
        });
        Self { bytes, end }
    }

    fn so_far(&self) -> Vec<u8> {
        self.bytes.0.lock().unwrap().clone()
    }

    /// Waits until `text` was read.
    fn wait_for(&self, text: &str) {
        let absent = |bytes: &mut Vec<u8>| !String::from_utf8_lossy(bytes).contains(text);
        let bytes = self.bytes.0.lock().unwrap();
        let waited = self.bytes.1.wait_timeout_while(bytes, PATIENCE, absent);
        let (bytes, waited) = waited.unwrap();
        let bytes = String::from_utf8_lossy(&bytes);
        assert!(!waited.timed_out(), "{text:?} never came: {bytes}");
    }
}

/// A signal to send.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Int,
    Term,
    Kill,
}

/// A run under way.
pub(crate) struct Running<'s> {
    sandbox: &'s Sandbox,
    leaks: Leaks,
    told: String,
    /// The writing end of its standard input, if that was asked for.
    pub(crate) input: Option<ChildStdin>,
    pid: u32,
    ended: Receiver<ExitStatus>,
    stdout: Collector,
    stderr: Collector,
}

impl Running<'_> {
    pub(crate) fn signal(&self, signal: Signal) {
        assert!(self.send(signal), "{signal:?} to {}", self.pid);
    }

    /// Whether it was still there to be sent a signal.
    fn send(&self, signal: Signal) -> bool {
        let name = match signal {
            Signal::Int => "INT",
            Signal::Term => "TERM",
            Signal::Kill => "KILL",
        };
        // The shell's own `kill`: nothing in std sends any signal but this last one.
        let script = format!("kill -{name} {}", self.pid);
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        status.success()
    }

    /// Waits until `text` was told on standard error.
    pub(crate) fn wait_for(&self, text: &str) {
        self.stderr.wait_for(text);
    }

    /// Waits for its end, and ends it by force after `patience`; whether it ended by itself.
    pub(crate) fn wait_or_kill(self, patience: Duration) -> Option<Output> {
        if let Ok(status) = self.ended.recv_timeout(patience) {
            return Some(self.output(status));
        }
        // It may have ended just now.
        self.send(Signal::Kill);
        // Reaped, so that its files and locks are free.
        let _ = self.ended.recv_timeout(PATIENCE);
        None
    }

    pub(crate) fn wait(mut self) -> Output {
        drop(self.input.take());
        let status = self.ended.recv_timeout(PATIENCE);
        let Ok(status) = status else {
            self.signal(Signal::Kill);
            let (out, err) = (self.stdout.so_far(), self.stderr.so_far());
            let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
            panic!(
                "douse {} was still running after {PATIENCE:?}\nstdout:\n{out}\nstderr:\n{err}",
                self.told
            );
        };
        self.output(status)
    }

    /// Everything that it left behind.
    fn output(self, status: ExitStatus) -> Output {
        for pipe in [&self.stdout, &self.stderr] {
            pipe.end.recv_timeout(PATIENCE).expect("the end of a pipe");
        }
        let output = Output {
            told: self.told,
            status,
            stdout: self.stdout.so_far(),
            stderr: self.stderr.so_far(),
        };
        match self.leaks {
            Leaks::Forbidden => {
                self.sandbox.check(&output.stdout, "standard output");
                self.sandbox.check(&output.stderr, "standard error");
                self.sandbox.check_files();
            }
            Leaks::AskedFor => {}
        }
        output
    }
}

/// A run that has ended, and leaked nothing.
pub(crate) struct Output {
    told: String,
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// The exit code; a run that a signal ended has none.
    pub(crate) fn code(&self) -> i32 {
        match self.status.code() {
            Some(code) => code,
            None => panic!("ended by signal {:?}: {self}", self.status.signal()),
        }
    }

    /// Fails with everything that was printed if the exit code is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{self}");
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    pub(crate) fn talk(&self) -> String {
        String::from_utf8(self.stderr.clone()).unwrap()
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Standard output as JSON lines of one type.
    #[track_caller]
    pub(crate) fn lines(&self, r#type: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {self}"))
        });
        lines.filter(|line| line["type"] == r#type).collect()
    }

    /// The last JSON line.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        let last = self.text().lines().last().map(str::to_owned);
        let last = last.unwrap_or_else(|| panic!("nothing was printed: {self}"));
        let summary: Value = serde_json::from_str(&last).unwrap();
        assert_eq!(summary["type"], "summary", "{self}");
        summary
    }

    /// One field of all JSON lines of one type.
    #[track_caller]
    pub(crate) fn all(&self, r#type: &str, field: &str) -> Vec<String> {
        let lines = self.lines(r#type);
        let text = |line: &Value| {
            let value = &line[field];
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        lines.iter().map(text).collect()
    }

    /// The fingerprints of all matches, sorted, each once.
    #[track_caller]
    pub(crate) fn found(&self) -> Vec<String> {
        let mut found = self.all("match", "fingerprint");
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |bytes: &[u8]| {
            let end = bytes.len().min(4000);
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        write!(
            f,
            "douse {} ended with {}\nstdout:\n{}\nstderr:\n{}",
            self.told,
            self.status,
            show(&self.stdout),
            show(&self.stderr)
        )
    }
}

/// The fingerprints of tokens, sorted, each once.
pub(crate) fn fingerprints<S: AsRef<str>>(tokens: impl IntoIterator<Item = S>) -> Vec<String> {
    let tokens = tokens.into_iter();
    let mut all: Vec<_> = tokens
        .map(|token| tokens::fingerprint(token.as_ref()))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
