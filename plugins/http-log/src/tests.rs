//! What the server gets.

use moongate_sdk::export::configure;
use moongate_sdk::http_client::{ClientError, Incoming};
use moongate_sdk::testing::Gateway;
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> HttpLog {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

fn logged(config: &Value, records: &[&str], status: u16) -> (Outgoing, Result<(), Error>) {
    let gateway = Gateway::new();
    gateway.answer(Ok(Incoming { status, ..Incoming::default() }));
    let records: Vec<String> = records.iter().map(|record| (*record).to_owned()).collect();
    let result = plugin(config).on_log(&records);
    let [sent] = <[Outgoing; 1]>::try_from(gateway.sent()).unwrap();
    (sent, result)
}

#[test]
fn a_record_is_sent_by_itself() {
    let config = json!({
        "http_endpoint": "https://u:p@a.test/log?x=1", "method": "PUT", "headers": {"X-A": "1"}, "timeout": 500,
        "content_type": "application/json; charset=utf-8",
    });
    let (sent, result) = logged(&config, &["{\"a\":1}"], 201);
    assert_eq!(result, Ok(()));
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("PUT", "https://u:p@a.test/log"));
    assert_eq!(sent.body, b"{\"a\":1}");
    let headers = [("content-type", "application/json; charset=utf-8"), ("x-a", "1")];
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into();
    assert_eq!(sent.headers, headers);
    assert_eq!((sent.timeout, sent.tls_verify), (Duration::from_millis(500), false));
}

#[test]
fn records_of_a_batch_are_a_list_even_if_it_is_one() {
    let config = json!({"http_endpoint": "http://a.test", "queue": {"max_batch_size": 5}});
    assert_eq!(logged(&config, &["{}", "{\"a\":1}"], 200).0.body, b"[{},{\"a\":1}]");
    assert_eq!(logged(&config, &["{}"], 200).0.body, b"[{}]");
}

#[test]
fn a_server_that_does_not_take_a_record_gets_it_again() {
    let config = json!({"http_endpoint": "http://u:secret@a.test:81/x"});
    let (_, result) = logged(&config, &["{}"], 300);
    assert_eq!(result.unwrap_err().message(), "request to a.test:81 failed with status code 300");
    let gateway = Gateway::new();
    gateway.answer(Err(ClientError::Timeout));
    assert!(plugin(&config).on_log(&["{}".to_owned()]).is_err());
}
