//! `echo_file` and its confinement.

use std::fs;
use std::os::unix::fs::symlink;

use echo_server::{BindError, Options, Server};
use serde_json::json;
use tempfile::TempDir;

use crate::peer::Running;

/// `root/{b.txt,a/inner.html}` beside a file `secret` that must never be seen.
async fn with_files() -> (TempDir, Running) {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("root");
    fs::create_dir_all(root.join("a")).unwrap();
    fs::write(root.join("b.txt"), "content").unwrap();
    fs::write(root.join("a/inner.html"), "<b>inner</b>").unwrap();
    fs::write(directory.path().join("secret"), "secret").unwrap();
    symlink(directory.path().join("secret"), root.join("link")).unwrap();
    let options = Options { file_root: Some(root), max_body: 100, ..Options::default() };
    let server = Running::start(options).await;
    (directory, server)
}

#[tokio::test]
async fn a_directory_is_listed_in_order() {
    let (_directory, server) = with_files().await;
    assert_eq!(server.get("/?echo_file=/", &[]).await.json(), json!(["a", "b.txt", "link"]));
    assert_eq!(server.get("/", &["X-ECHO-FILE: a"]).await.json(), json!(["inner.html"]));
}

#[tokio::test]
async fn a_file_is_sent_as_plain_text() {
    let (_directory, server) = with_files().await;
    let reply = server.get("/?echo_file=/a/inner.html", &[]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(reply.body, b"<b>inner</b>");
}

#[tokio::test]
async fn nothing_outside_the_root_can_be_read_or_probed() {
    let (directory, server) = with_files().await;
    let absent = server.get("/?echo_file=absent", &[]).await;
    assert_eq!(absent.status, 404);
    let absolute = directory.path().join("secret");
    for path in
        ["../secret", "a/../../secret", "..", "link", "%2e%2e/secret", "%00", absolute.to_str().unwrap()]
    {
        let reply = server.get(&format!("/?echo_file={path}"), &[]).await;
        assert_eq!((reply.status, &reply.body), (404, &absent.body), "{path}");
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let (directory, server) = with_files().await;
    fs::write(directory.path().join("root/large"), [b'x'; 101]).unwrap();
    fs::write(directory.path().join("root/fits"), [b'x'; 100]).unwrap();
    assert_eq!(server.get("/?echo_file=large", &[]).await.status, 413);
    assert_eq!(server.get("/?echo_file=fits", &[]).await.body.len(), 100);
}

#[tokio::test]
async fn without_a_file_root_the_control_is_ignored() {
    let server = Running::start(Options::default()).await;
    let reply = server.get("/?echo_file=/etc/passwd", &[]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["request"]["query"]["echo_file"], "/etc/passwd");
}

#[tokio::test]
async fn a_file_root_that_is_no_directory_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path().to_owned(), "/does/not/exist".into()] {
        let options = Options { file_root: Some(path.clone()), ..Options::default() };
        match Server::bind(options).await {
            Err(BindError::FileRoot { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
}
