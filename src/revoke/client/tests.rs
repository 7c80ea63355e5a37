//! Against a listener on this machine that is scripted byte by byte. Nothing else is reached.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

/// Whether another connection was waiting by the time the first was done.
#[derive(Debug, PartialEq, Eq)]
enum Second {
    Came,
    NeverCame,
}

/// Serves one connection: reads a whole request, then lets `serve` answer. The thread gives back
/// the request.
fn server(
    serve: impl FnOnce(&mut TcpStream) + Send + 'static,
) -> (Host, JoinHandle<(String, Second)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        serve(&mut stream);
        drop(stream);
        listener.set_nonblocking(true).unwrap();
        let second = match listener.accept() {
            Ok(_) => Second::Came,
            Err(_) => Second::NeverCame,
        };
        (request, second)
    });
    (Host::parse(&url).unwrap(), thread)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn says(answer: &'static str) -> impl FnOnce(&mut TcpStream) + Send {
    move |stream| stream.write_all(answer.as_bytes()).unwrap()
}

fn send(host: &Host, options: ClientOptions) -> Sent {
    let client = Client::new(host, None, options).unwrap();
    let (first, second) = (Secret::new("ghx_1"), Secret::new("a\"\\\n\u{1}é"));
    client.send(&[&first, &second])
}

fn answered(sent: Sent) -> Answer {
    match sent {
        Sent::Answer(answer) => answer,
        Sent::NotSent(error) | Sent::Lost(error) => panic!("{error}"),
    }
}

#[test]
fn a_request_is_exactly_what_github_documents() {
    let (host, thread) = server(says(
        "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-GitHub-Request-Id: AB:1\r\n\
         Retry-After: 5\r\nX-RateLimit-Remaining: 59\r\nX-RateLimit-Reset: 77\r\n\
         Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n\r\n{}",
    ));
    let answer = answered(send(&host, ClientOptions::default()));
    assert_eq!((answer.status, answer.body.as_slice()), (202, &b"{}"[..]));
    assert_eq!(answer.headers.request_id.as_deref(), Some("AB:1"));
    assert_eq!(answer.headers.retry_after.as_deref(), Some("5"));
    assert_eq!(answer.headers.remaining.as_deref(), Some("59"));
    assert_eq!(answer.headers.reset.as_deref(), Some("77"));
    assert_eq!(
        answer.headers.date.as_deref(),
        Some("Fri, 02 Jan 2026 03:04:05 GMT")
    );

    let (request, _) = thread.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "post /credentials/revoke http/1.1");
    lines.sort_unstable();
    let version = concat!("user-agent: douse/", env!("CARGO_PKG_VERSION"));
    let place = format!("host: {}", host.key().strip_prefix("http://").unwrap());
    let length = format!("content-length: {}", body.len());
    let mut expected = [
        "accept: application/vnd.github+json",
        "content-type: application/json",
        "x-github-api-version: 2026-03-10",
        version,
        &place,
        &length,
    ];
    expected.sort_unstable();
    // Above all, no authorization, whatever GITHUB_TOKEN may hold; and no cookie, no referer.
    assert_eq!(lines, expected);
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"credentials": ["ghx_1", "a\"\\\n\u{1}é"]})
    );
}

#[test]
fn redirects_are_answers_and_nothing_is_sent_twice() {
    for status in [
        "301 Moved",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "503 Busy",
    ] {
        let (host, thread) = server(move |stream| {
            let to = "Location: /elsewhere\r\nRetry-After: 0\r\nContent-Length: 0\r\n";
            write!(stream, "HTTP/1.1 {status}\r\n{to}\r\n").unwrap();
        });
        let answer = answered(send(&host, ClientOptions::default()));
        assert_eq!(answer.status.to_string(), status[..3]);
        assert_eq!(thread.join().unwrap().1, Second::NeverCame, "{status}");
    }
}

#[test]
fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let sent = send(&host, ClientOptions::default());
    assert!(
        matches!(&sent, Sent::NotSent(error) if error.contains("refused")),
        "{sent:?}"
    );
    // A server that never answers the TLS handshake.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let tls = Host::parse(&format!("https://{}", silent.local_addr().unwrap())).unwrap();
    let options = ClientOptions {
        connect_timeout: Duration::from_millis(200),
        ..ClientOptions::default()
    };
    let sent = send(&tls, options);
    assert!(matches!(sent, Sent::NotSent(_)), "{sent:?}");
}

#[test]
fn an_answer_that_never_came_is_lost() {
    for answer in [
        "",
        "HTTP/1.1 202 Acc",
        "HTTP/1.1 202 Accepted\r\nContent-Le",
        "nonsense\r\n\r\n",
    ] {
        let (host, thread) = server(says(answer));
        let sent = send(&host, ClientOptions::default());
        assert!(matches!(sent, Sent::Lost(_)), "{answer}: {sent:?}");
        assert_eq!(thread.join().unwrap().1, Second::NeverCame, "{answer}");
    }
}

#[test]
fn a_status_stands_though_its_body_breaks_off() {
    let (host, _thread) = server(says(
        "HTTP/1.1 202 Accepted\r\nContent-Length: 50\r\n\r\n{\"mess",
    ));
    let answer = answered(send(&host, ClientOptions::default()));
    assert_eq!((answer.status, answer.body_end), (202, BodyEnd::BrokenOff));
}

#[test]
fn a_long_body_is_read_in_part() {
    let (host, _thread) = server(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 422 No\r\nContent-Length: 1000000\r\n\r\n");
        let _ = stream.write_all(&vec![b'x'; 1_000_000]);
    });
    let answer = answered(send(&host, ClientOptions::default()));
    assert_eq!(
        (answer.body.len(), answer.body_end),
        (64 * 1024, BodyEnd::Sound)
    );
}

#[test]
fn a_server_that_dribbles_runs_out_of_time() {
    let options = || ClientOptions {
        timeout: Duration::from_millis(300),
        ..ClientOptions::default()
    };
    for (head, accepted) in [
        (
            "HTTP/1.1 202 Accepted\r\nContent-Length: 9999\r\n\r\n",
            true,
        ),
        ("", false),
    ] {
        let (host, _thread) = server(move |stream| {
            let _ = stream.write_all(head.as_bytes());
            // The client says nothing more, so each read is a pause between two bytes.
            stream
                .set_read_timeout(Some(Duration::from_millis(20)))
                .unwrap();
            while stream.write_all(b"H").is_ok() {
                if stream.read(&mut [0]).is_ok() {
                    break;
                }
            }
        });
        match send(&host, options()) {
            Sent::Answer(answer) => assert!(accepted && answer.body_end == BodyEnd::BrokenOff),
            Sent::Lost(_) => assert!(!accepted),
            Sent::NotSent(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    let host = Host::parse("https://api.github.com").unwrap();
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let options = ClientOptions {
            ca_cert: Some(pem.into()),
            ..ClientOptions::default()
        };
        assert!(Client::new(&host, None, options).is_err(), "{pem:?}");
    }
}

/// Serves each connection in turn with the next number, until the client is dropped: reads so many
/// bytes of the request and lets go of the connection, which resets it if there was more.
#[test]
fn a_connection_that_breaks_at_any_byte_of_the_request_is_lost() {
    let length = {
        let (host, thread) = server(says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
        send(&host, ClientOptions::default());
        thread.join().unwrap().0.len()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let thread = std::thread::spawn(move || {
        for bytes in 0..=length {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = vec![0; bytes];
            // The last bytes of a longer address than this one's may be missing.
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let _ = stream.read_exact(&mut read);
        }
    });
    let client = Client::new(&host, None, ClientOptions::default()).unwrap();
    for bytes in 0..=length {
        let sent = client.send(&[&Secret::new("ghx_1"), &Secret::new("a\"\\\n\u{1}é")]);
        assert!(matches!(sent, Sent::Lost(_)), "{bytes}: {sent:?}");
    }
    thread.join().unwrap();
}

/// An answer counts from the moment that its head is whole; what is known of it then, stands.
#[test]
fn an_answer_that_breaks_at_any_byte_is_lost_or_stands() {
    const HEAD: &str = "HTTP/1.1 202 Accepted\r\nRetry-After: 7\r\nContent-Length: 15\r\n\r\n";
    const BODY: &str = r#"{"message":"a"}"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let whole = format!("{HEAD}{BODY}");
    let length = whole.len();
    let thread = std::thread::spawn(move || {
        for bytes in 0..=length {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&mut stream);
            stream.write_all(&whole.as_bytes()[..bytes]).unwrap();
        }
    });
    let client = Client::new(&host, None, ClientOptions::default()).unwrap();
    for bytes in 0..=length {
        let sent = client.send(&[&Secret::new("ghx_1")]);
        if bytes < HEAD.len() {
            assert!(matches!(sent, Sent::Lost(_)), "{bytes}: {sent:?}");
            continue;
        }
        let answer = answered(sent);
        assert_eq!(
            (answer.status, answer.headers.retry_after.as_deref()),
            (202, Some("7"))
        );
        let end = if bytes < length {
            BodyEnd::BrokenOff
        } else {
            BodyEnd::Sound
        };
        assert_eq!(answer.body_end, end, "{bytes}");
    }
    thread.join().unwrap();
}

#[test]
fn a_body_without_end_and_headers_without_end_are_left_behind() {
    for (head, piece, ends) in [
        (
            "HTTP/1.1 202 Accepted\r\nContent-Length: 10000000000\r\n\r\n",
            "x".repeat(4096),
            true,
        ),
        (
            "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\nx\r\n".repeat(999),
            true,
        ),
        (
            "HTTP/1.1 202 Accepted\r\n",
            format!("X-A: {}\r\n", "b".repeat(4096)),
            false,
        ),
    ] {
        let (tell, told) = std::sync::mpsc::channel();
        let (host, thread) = server(move |stream| {
            let mut written = stream.write(head.as_bytes()).unwrap();
            while let Ok(n @ 1..) = stream.write(piece.as_bytes()) {
                written += n;
            }
            tell.send(written).unwrap();
        });
        match send(&host, ClientOptions::default()) {
            Sent::Answer(answer) => {
                assert!(ends);
                assert_eq!((answer.status, answer.body.len()), (202, 64 * 1024));
            }
            Sent::Lost(_) => assert!(!ends),
            Sent::NotSent(error) => panic!("{error}"),
        }
        thread.join().unwrap();
        // What the kernel's buffers took in is little beside ten gigabytes.
        let written = told.recv().unwrap();
        assert!(written < 64 * 1024 * 1024, "{written}");
    }
}

#[test]
fn a_login_goes_to_a_host_that_takes_it_and_to_no_other() {
    use super::super::login::Purpose;

    let login = Login::new("gho_ours", Purpose::Revoke).unwrap();
    for (path, expected) in [
        ("", None),
        ("/api/v3", Some("authorization: bearer gho_ours")),
    ] {
        let (host, thread) = server(says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
        let host = Host::parse(&format!("{}{path}", host.key())).unwrap();
        let client = Client::new(&host, Some(&login), ClientOptions::default()).unwrap();
        assert!(!format!("{client:?}").contains("ours"));
        answered(client.send(&[&Secret::new("ghx_1")]));
        let (request, _) = thread.join().unwrap();
        let found = request
            .lines()
            .find(|line| line.starts_with("authorization"));
        assert_eq!(found, expected, "{path}");
        // And without one, a host that asks for it gets nothing.
        let without = Client::new(&host, None, ClientOptions::default()).unwrap();
        if expected.is_some() {
            assert!(matches!(
                without.send(&[&Secret::new("ghx_1")]),
                Sent::NotSent(_)
            ));
        }
    }
}
