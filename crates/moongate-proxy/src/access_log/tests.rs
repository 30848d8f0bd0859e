use std::fs;
use std::rc::Rc;

use http::{HeaderValue, Request};
use moongate_hooks::Matched;

use super::*;

fn options(path: &std::path::Path, format: AccessLogFormat) -> AccessLogOptions {
    AccessLogOptions { target: LogTarget::File(path.to_owned()), format }
}

/// The lines that a request leads to.
fn logged(format: AccessLogFormat, request: http::request::Builder, answer: Option<(u16, usize)>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("logs/access.log");
    let log = Arc::new(AccessLog::start(&options(&path, format)).unwrap());
    let buffer = LogBuffer::new(Arc::clone(&log));
    let entry = LogEntry::new(&buffer, HeaderValue::from_static("192.0.2.7"));
    let head = request.body(()).unwrap().into_parts().0;
    let mut logging = entry.begin(&head, None, 0xabc, Instant::now());
    logging.found(Some(&Arc::new(Matched {
        route_id: "1".to_owned(),
        route_name: Some("a \"route\"".to_owned()),
        service_id: Some("2".to_owned()),
        service_name: None,
    })));
    if let Some((status, bytes)) = answer {
        logging.answered(status);
        logging.sent(bytes);
    }
    drop(logging);
    entry.unreadable(400, 42);
    buffer.look();
    drop((entry, buffer));
    log.stop();
    fs::read_to_string(path).unwrap()
}

/// A line without its time, which is told to be one.
fn untimed(line: &str) -> String {
    let (before, rest) = line.split_once('[').unwrap();
    let (time, after) = rest.split_once(']').unwrap();
    assert!(time.ends_with(" +0000") && time.len() == 26, "{time}");
    format!("{before}[]{after}")
}

#[test]
fn a_request_is_a_line_in_the_combined_format() {
    let request = Request::get("/a?b=c")
        .header("authorization", "Basic bWU6c2VjcmV0")
        .header("referer", "http://a.test/\"x\"")
        .header("user-agent", HeaderValue::from_bytes(b"curl\\\xff").unwrap());
    let text = logged(AccessLogFormat::Combined, request, Some((200, 12)));
    let lines: Vec<_> = text.lines().map(untimed).collect();
    let id = "00000000000000000000000000000abc";
    assert_eq!(
        lines,
        [
            format!(
                "192.0.2.7 - me [] \"GET /a?b=c HTTP/1.1\" 200 12 \"http://a.test/\\x22x\\x22\" \
                 \"curl\\x5C\\xFF\" kong_request_id: \"{id}\""
            ),
            "192.0.2.7 - - [] \"\" 400 42 \"-\" \"-\"".to_owned(),
        ]
    );
}

#[test]
fn a_client_that_went_before_its_answer_is_a_line_too() {
    let text = logged(AccessLogFormat::Combined, Request::get("/a"), None);
    assert!(text.lines().next().unwrap().contains("\"GET /a HTTP/1.1\" 499 0 \"-\" \"-\" "), "{text}");
}

#[test]
fn json_lines_say_the_same_and_where_the_request_went() {
    let request = Request::post("/a").header("host", "a.test").header("user-agent", "x\"\ty");
    let text = logged(AccessLogFormat::Json, request, Some((201, 3)));
    let line = text.lines().next().unwrap();
    assert!(line.starts_with("{\"time\":\"20") && line.ends_with('}'), "{line}");
    for part in [
        "\"client_ip\":\"192.0.2.7\"",
        "\"method\":\"POST\"",
        "\"uri\":\"/a\"",
        "\"protocol\":\"HTTP/1.1\"",
        "\"host\":\"a.test\"",
        "\"user_agent\":\"x\\\"\\u0009y\"",
        "\"request_id\":\"00000000000000000000000000000abc\"",
        "\"status\":201,\"bytes_sent\":3,\"duration_ms\":",
        "\"route\":\"a \\\"route\\\"\",\"service\":\"2\"",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn a_file_that_was_moved_away_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let log = Arc::new(AccessLog::start(&options(&path, AccessLogFormat::Combined)).unwrap());
    log.put(b"one\n".to_vec(), 1);
    let moved = directory.path().join("access.log.1");
    let started = Instant::now();
    while fs::read(&path).unwrap().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(5));
    }
    fs::rename(&path, &moved).unwrap();
    log.reopen();
    log.put(b"two\n".to_vec(), 1);
    log.stop();
    assert_eq!(fs::read_to_string(moved).unwrap(), "one\n");
    assert_eq!(fs::read_to_string(path).unwrap(), "two\n");
}

#[test]
fn that_a_file_is_gone_is_noticed_while_lines_come_all_the_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let log = AccessLog::start(&options(&path, AccessLogFormat::Combined)).unwrap();
    log.put(b"one\n".to_vec(), 1);
    fs::remove_file(&path).unwrap();
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(10));
        log.put(b"more\n".to_vec(), 1);
        std::thread::sleep(Duration::from_millis(10));
    }
    log.stop();
}

#[test]
fn lines_that_find_no_room_are_counted_and_hold_up_nobody() {
    let (sender, messages) = sync_channel(1);
    let dropped = Arc::new(AtomicU64::new(0));
    let log = AccessLog {
        sender,
        format: AccessLogFormat::Combined,
        dropped: Arc::clone(&dropped),
        thread: Mutex::new(None),
    };
    let buffer = LogBuffer::new(Arc::new(log));
    for _ in 0..3 {
        buffer.add(|line, _| line.extend_from_slice(b"x\n"));
        buffer.add(|line, _| line.extend_from_slice(b"x\n"));
        buffer.look();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 4);
    assert!(matches!(messages.try_recv(), Ok(Message::Lines(lines)) if lines == b"x\nx\n"));
    drop(Rc::clone(&buffer));
}
