//! A loopback GitHub that takes `POST /credentials/revoke` by the documented rules, and writes
//! down everything it gets. Tests judge a run by this log, never by the program's own words. It can
//! play a GitHub Enterprise Server as well.
//!
//! It knows nothing of HTTP but what one such exchange needs. Misbehaviour is scripted: what
//! stands in the script is done to the next requests, one each, and then the rules hold again.

use std::collections::{HashSet, VecDeque};
use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::http::{Answer, Request, Verdict, parse_body, parse_head, read_body, read_head, send};

/// How long a test waits for a request to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The versions of its API that GitHub takes.
const VERSIONS: [&str; 2] = ["2026-03-10", "2022-11-28"];

/// What is done to one request instead of answering it by the rules.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// It gets this answer.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: &'static str,
    },
    /// Its tokens are taken, and the connection is closed without a word.
    TakeAndClose,
    /// The connection is closed without a word.
    Close,
    /// An answer begins, and breaks off behind its headers.
    CloseAfterHeaders(u16),
    /// The body is not read, so that closing resets the connection.
    Reset,
    /// No answer comes, until [`Github::release`].
    Hang,
    /// Its tokens are taken; an answer comes, one byte now and then, and never ends.
    Dribble,
}

impl Behaviour {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: "",
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &impl ToString) -> Self {
        let Self::Answer { headers, .. } = &mut self else {
            panic!("only an answer has headers");
        };
        headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn with_body(mut self, text: &'static str) -> Self {
        let Self::Answer { body, .. } = &mut self else {
            panic!("only an answer has a body");
        };
        *body = text;
        self
    }
}

/// What it plays.
#[derive(Debug, Clone)]
enum Part {
    /// github.com, which refuses a login.
    Cloud,
    /// A GitHub Enterprise Server, which takes this one.
    Server { login: String },
}

impl Part {
    fn base(&self) -> &'static str {
        match self {
            Self::Cloud => "",
            Self::Server { .. } => "/api/v3",
        }
    }

    /// What is answered to a login that is not as it should be.
    fn refuses(&self, authorization: Option<&str>) -> Option<u16> {
        match self {
            Self::Cloud => authorization.map(|_| 403),
            Self::Server { login } => {
                let expected = format!("Bearer {login}");
                (authorization != Some(expected.as_str())).then_some(401)
            }
        }
    }
}

struct State {
    log: Vec<Request>,
    script: VecDeque<Behaviour>,
    poison: HashSet<String>,
    hourly: usize,
    used: usize,
    is_open: bool,
}

struct Shared {
    part: Part,
    state: Mutex<State>,
    changed: Condvar,
}

/// A server under way; closed when it is dropped.
pub(crate) struct Github {
    address: SocketAddr,
    part: Part,
    shared: Arc<Shared>,
}

impl Github {
    pub(crate) fn new() -> Self {
        Self::playing(Part::Cloud)
    }

    /// A GitHub Enterprise Server at which this token is valid.
    pub(crate) fn server(login: &str) -> Self {
        Self::playing(Part::Server {
            login: login.to_owned(),
        })
    }

    fn playing(part: Part) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            part: part.clone(),
            state: Mutex::new(State {
                log: Vec::new(),
                script: VecDeque::new(),
                poison: HashSet::new(),
                hourly: 60,
                used: 0,
                is_open: true,
            }),
            changed: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if !serving.state.lock().unwrap().is_open {
                    break;
                }
                let (shared, connection) = (Arc::clone(&serving), connection.unwrap());
                thread::spawn(move || shared.serve(connection));
            }
        });
        Self {
            address,
            part,
            shared,
        }
    }

    /// The address of its API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.part.base())
    }

    /// Does this to the next requests.
    pub(crate) fn script(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.state.lock().unwrap().script.extend(behaviours);
    }

    /// Answers 422 to every batch that holds this token.
    pub(crate) fn poison(&self, token: &str) {
        self.shared
            .state
            .lock()
            .unwrap()
            .poison
            .insert(token.to_owned());
    }

    /// Takes so many requests in this hour, and no more.
    pub(crate) fn limit(&self, requests: usize) {
        self.shared.state.lock().unwrap().hourly = requests;
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Request> {
        self.shared.state.lock().unwrap().log.clone()
    }

    /// How many tokens each request held.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.log()
            .iter()
            .map(|request| request.credentials.len())
            .collect()
    }

    /// The tokens that were taken, sorted; one that was taken twice stands here twice.
    pub(crate) fn taken(&self) -> Vec<String> {
        let taken = |request: &Request| request.verdict == Verdict::Taken;
        let log = self.log().into_iter().filter(taken);
        let mut tokens: Vec<_> = log.flat_map(|request| request.credentials).collect();
        tokens.sort_unstable();
        tokens
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for(&self, requests: usize) {
        let state = self.shared.state.lock().unwrap();
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.log.len() < requests)
            .unwrap();
        assert!(!timeout.timed_out(), "{} requests came", state.log.len());
    }

    /// Lets go of the requests that hang; they get no answer.
    pub(crate) fn release(&self) {
        self.shared.state.lock().unwrap().is_open = false;
        self.shared.changed.notify_all();
    }
}

impl Drop for Github {
    fn drop(&mut self) {
        self.release();
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, mut connection: TcpStream) {
        let Some(head) = read_head(&mut connection) else {
            return;
        };
        let mut request = parse_head(&head);
        let behaviour = self.state.lock().unwrap().script.pop_front();
        if matches!(behaviour, Some(Behaviour::Reset)) {
            self.record(request);
            return;
        }
        let length = request
            .header("content-length")
            .and_then(|length| length.parse().ok());
        let body = read_body(&mut connection, length.unwrap_or(0));
        let credentials = parse_body(&body);
        request.credentials = credentials.clone().unwrap_or_default();
        request.body = body;
        match behaviour {
            None => {
                let answer = self.judge(&mut request, credentials.as_deref());
                self.record(request);
                send(&mut connection, &answer);
            }
            Some(behaviour) => self.misbehave(&mut connection, request, behaviour),
        }
    }

    fn misbehave(&self, connection: &mut TcpStream, mut request: Request, behaviour: Behaviour) {
        match behaviour {
            Behaviour::Answer {
                status,
                headers,
                body,
            } => {
                request.verdict = match status {
                    202 => Verdict::Taken,
                    _ => Verdict::Refused(status),
                };
                self.record(request);
                let mut answer = Answer::new(status, body);
                answer.headers.extend(headers);
                send(connection, &answer);
            }
            Behaviour::TakeAndClose => {
                request.verdict = Verdict::Taken;
                self.record(request);
            }
            Behaviour::Close | Behaviour::Reset => self.record(request),
            Behaviour::CloseAfterHeaders(status) => {
                self.record(request);
                let head = format!("HTTP/1.1 {status} So\r\ncontent-length: 100\r\n\r\n{{");
                let _ = connection.write_all(head.as_bytes());
            }
            Behaviour::Hang => {
                self.record(request);
                let state = self.state.lock().unwrap();
                drop(
                    self.changed
                        .wait_while(state, |state| state.is_open)
                        .unwrap(),
                );
            }
            Behaviour::Dribble => {
                request.verdict = Verdict::Taken;
                self.record(request);
                self.dribble(connection);
            }
        }
        let _ = connection.shutdown(Shutdown::Both);
    }

    /// A status line without end, for as long as somebody reads it.
    fn dribble(&self, connection: &mut TcpStream) {
        const PAUSE: Duration = Duration::from_millis(50);
        let mut text = b"HTTP/1.1 202 ".iter().chain(std::iter::repeat(&b'A'));
        let mut state = self.state.lock().unwrap();
        while state.is_open && connection.write_all(&[*text.next().unwrap()]).is_ok() {
            state = self.changed.wait_timeout(state, PAUSE).unwrap().0;
        }
    }

    fn record(&self, request: Request) {
        self.state.lock().unwrap().log.push(request);
        self.changed.notify_all();
    }

    /// GitHub's documented rules.
    fn judge(&self, request: &mut Request, credentials: Option<&[String]>) -> Answer {
        let mut state = self.state.lock().unwrap();
        let status = if state.used >= state.hourly {
            429
        } else {
            state.used += 1;
            rules(&self.part, request, credentials, &state.poison)
        };
        let (limit, used) = (state.hourly, state.used);
        request.verdict = match status {
            202 => Verdict::Taken,
            _ => Verdict::Refused(status),
        };
        let body = match status {
            202 => "{}",
            422 => concat!(
                r#"{"message":"Validation Failed","errors":["credentials"],"#,
                r#""documentation_url":"https://docs.github.com/rest"}"#
            ),
            _ => r#"{"message":"no"}"#,
        };
        let mut answer = Answer::new(status, body);
        match self.part {
            Part::Cloud => answer.headers.extend([
                ("x-ratelimit-limit", limit.to_string()),
                ("x-ratelimit-used", used.to_string()),
                ("x-ratelimit-remaining", (limit - used).to_string()),
                ("x-ratelimit-reset", in_an_hour().to_string()),
            ]),
            // A server whose limits are turned off says nothing of them.
            Part::Server { .. } => {}
        }
        answer
    }
}

fn rules(
    part: &Part,
    request: &Request,
    credentials: Option<&[String]>,
    poison: &HashSet<String>,
) -> u16 {
    let authorization = request.header("authorization");
    let is_json = |name, json: &str| request.header(name).is_some_and(|value| value == json);
    let version = request.header("x-github-api-version");
    if request.path != format!("{}/credentials/revoke", part.base()) {
        404
    } else if request.method != "POST" {
        405
    } else if request.header("user-agent").is_none_or(str::is_empty) {
        403
    } else if let Some(status) = part.refuses(authorization) {
        status
    } else if !version.is_some_and(|version| VERSIONS.contains(&version)) {
        410
    } else if !is_json("accept", "application/vnd.github+json")
        || !is_json("content-type", "application/json")
    {
        415
    } else {
        match credentials {
            None => 400,
            Some(tokens) if !(1..=1000).contains(&tokens.len()) => 422,
            Some(tokens) if tokens.iter().any(|token| poison.contains(token)) => 422,
            Some(_) => 202,
        }
    }
}

fn in_an_hour() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs() + 3600
}
