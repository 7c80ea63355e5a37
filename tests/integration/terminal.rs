//! What only a person at a terminal meets: questions and progress. The terminal is a real one, of
//! the kernel's pseudo terminals.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::github::Github;
use crate::packers::{Compressor, tar};
use crate::repository::Repository;
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// Both ends of a terminal.
pub(crate) struct Terminal {
    /// Where a person types and reads.
    screen: File,
    /// Where a program reads and writes.
    program: File,
}

impl Terminal {
    /// A terminal at which `typed` was typed before anybody asked.
    pub(crate) fn open(typed: &str) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&screen, size).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let name = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let program = OpenOptions::new().read(true).write(true).open(name);
        let mut screen = File::from(screen);
        screen.write_all(typed.as_bytes()).unwrap();
        Self {
            screen,
            program: program.unwrap(),
        }
    }

    /// The program's end.
    pub(crate) fn end(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// The person's end; it comes to its end when the program does.
    pub(crate) fn into_screen(self) -> File {
        self.screen
    }
}

/// Answers `typed` to the question about three tokens; tells how many requests that made.
fn answer(typed: &str, code: i32) -> usize {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.revocable(3).join("\n"));
    let url = github.url();
    let revoke = sandbox.douse(["revoke", "--api-url", &url]).terminal(typed);
    let output = revoke.run().expect(code);
    assert!(output.talk().contains("number of tokens (3)"), "{output}");
    github.log().len()
}

#[test]
fn the_number_of_tokens_is_asked_for() {
    assert_eq!(answer("3\n", 0), 1);
}

#[test]
fn any_other_answer_sends_nothing() {
    for typed in ["y\n", "yes\n", "\n", "2\n", "33\n", "3 3\n", "\u{4}"] {
        assert_eq!(answer(typed, 2), 0, "{typed:?}");
    }
}

/// Answers `typed` to the question about a user of an enterprise; how many calls that made.
fn answer_for_a_user(typed: &str, code: i32) -> usize {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    github.script([crate::github::Behaviour::status(202)]);
    let url = github.url();
    let call = sandbox.douse([
        "enterprise",
        "revoke-user",
        "acme",
        "mona",
        "--api-url",
        &url,
    ]);
    let call = call.env("GH_TOKEN", sandbox.token(Kind::Personal));
    let output = call.terminal(typed).run().expect(code);
    assert!(output.talk().contains("type the name (mona)"), "{output}");
    github.log().len()
}

#[test]
fn the_name_of_whom_it_concerns_is_asked_for() {
    assert_eq!(answer_for_a_user("mona\n", 0), 1);
    for typed in ["acme\n", "yes\n", "\n", "Mona\n", "\u{4}"] {
        assert_eq!(answer_for_a_user(typed, 2), 0, "{typed:?}");
    }
}

/// Whoever watches is told how far it is, and when it goes on.
#[test]
fn a_revocation_that_waits_says_until_when() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.revocable(3).join("\n"));
    let url = github.url();
    let revoke = sandbox.douse(["revoke", "--yes", "--batch-size", "1", "--api-url", &url]);
    let revoke = revoke
        .arg("--budget")
        .arg("2/1h")
        .arg("--min-interval")
        .arg("0s");
    let run = revoke.env("TERM", "xterm").terminal("").spawn();
    run.wait_for("2/3 requests");
    run.wait_for("the budget is used up; the next goes at 20");
    run.signal(crate::douse::Signal::Term);
    let output = run.wait().expect(2);
    assert!(output.text().contains("2 accepted, 1 pending"), "{output}");
    // Two lines of 80 columns, and what moves up to them: a third would stay behind.
    let talk = output.talk();
    let drawn = talk
        .split(['\r', '\u{1b}'])
        .map(|lines| lines.chars().count());
    assert!(drawn.max().unwrap() <= 2 * 80 + 3, "{talk:?}");
}

#[test]
fn a_yes_given_beforehand_is_not_asked_for_again() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let url = github.url();
    let revoke = sandbox.douse(["revoke", "--yes", "--api-url", &url]);
    let output = revoke.terminal("").run().expect(0);
    assert!(!output.talk().contains("type the number"), "{output}");
    assert_eq!(github.log().len(), 1);
}

#[test]
fn a_terminal_shows_progress_and_is_left_clean() {
    let sandbox = Sandbox::new();
    let mut run = sandbox
        .douse(["scan", "-"])
        .env("TERM", "xterm")
        .pipe()
        .terminal("")
        .spawn();
    let token = sandbox.token(Kind::Personal);
    // More than a window, so that it is searched before the end of the input.
    let text = format!("{token}\n{}", ".".repeat(300 * 1024));
    run.input
        .as_mut()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    run.wait_for("1 found");
    run.wait_for("1 file, ");
    let output = run.wait().expect(1);
    let talk = output.talk();
    let (_, last) = talk.rsplit_once("found").unwrap();
    assert!(last.contains("\u{1b}[2K"), "the bar stays behind: {last:?}");
}

/// What takes its time is named: the container that is being read, and where in it.
#[test]
fn a_terminal_shows_the_container_that_is_read() {
    let sandbox = Sandbox::new();
    let run = sandbox.douse(["scan", "-"]).env("TERM", "xterm").pipe();
    let mut run = run.terminal("").spawn();
    let big = vec![b'.'; 1_000_000];
    let hostile = "big\u{1b}[2J";
    let packed = tar(&sandbox.out(""), &[], &[(hostile, &big)]);
    let input = run.input.as_mut().unwrap();
    input.write_all(&packed[..300_000]).unwrap();
    run.wait_for("1 file and 1 member, ");
    let input = run.input.as_mut().unwrap();
    input.write_all(&packed[300_000..900_000]).unwrap();
    run.wait_for("<stdin> > big\\u{1b}[2J");
    let input = run.input.as_mut().unwrap();
    input.write_all(&packed[900_000..]).unwrap();
    let talk = run.wait().expect(0).talk();
    assert!(!talk.contains(hostile), "{talk:?}");
}

/// Whoever is not at a terminal gets the report and nothing else.
#[test]
fn nothing_is_drawn_into_a_file() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.commit("Begin");
    sandbox.write("a.gz", Compressor::of("gz").pack(b"text"));
    let run = sandbox.douse(["scan", "-"]).env("TERM", "xterm").pipe();
    let mut run = run.spawn();
    let input = run.input.as_mut().unwrap();
    input.write_all(&vec![b'.'; 1_000_000]).unwrap();
    assert_eq!(run.wait().expect(0).talk(), "");
    let run = sandbox.douse(["scan", "."]).env("TERM", "xterm").run();
    assert_eq!(run.expect(0).talk(), "");
}

#[test]
fn quiet_is_quiet_at_a_terminal_too() {
    let sandbox = Sandbox::new();
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let run = sandbox.douse(["scan", "--quiet"]).terminal("");
    assert_eq!(run.run().expect(1).talk(), "");
}
