use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::prefix::Prefix;
use crate::properties::Sources;

fn properties(settings: &[String]) -> Properties {
    let sources = Sources { settings: settings.to_vec(), ..Sources::default() };
    Properties::load(&sources).unwrap().properties
}

/// Writes a pair, and says how properties name it.
fn pair(directory: &Path, cert: &str, key: &str) -> [String; 2] {
    let (cert_path, key_path) = (directory.join("a.crt"), directory.join("a.key"));
    fs::write(&cert_path, cert).unwrap();
    fs::write(&key_path, key).unwrap();
    [format!("ssl_cert={}", cert_path.display()), format!("ssl_cert_key={}", key_path.display())]
}

#[test]
fn a_gateway_without_a_certificate_makes_one_and_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let claim = Prefix::new(directory.path()).claim().unwrap();
    let options = client_options(&Properties::default(), &claim).unwrap();
    assert_eq!(options.default_certificates.len(), 1);
    let (cert, key) = (directory.path().join("ssl/moongate.crt"), directory.path().join("ssl/moongate.key"));
    let first = fs::read_to_string(&cert).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    client_options(&Properties::default(), &claim).unwrap();
    assert_eq!(fs::read_to_string(&cert).unwrap(), first);

    fs::write(&key, "x").unwrap();
    let error = client_options(&Properties::default(), &claim).unwrap_err().to_string();
    assert!(error.starts_with("prefix: "), "{error}");
}

#[test]
fn nothing_is_made_where_nobody_listens_for_tls() {
    let directory = tempfile::tempdir().unwrap();
    let claim = Prefix::new(directory.path()).claim().unwrap();
    let plain = properties(&["proxy_listen=127.0.0.1:0".to_owned()]);
    assert!(client_options(&plain, &claim).unwrap().default_certificates.is_empty());
    assert!(!directory.path().join("ssl").exists());
}

#[test]
fn certificates_of_the_properties_are_used_and_what_is_wrong_with_them_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let claim = Prefix::new(&directory.path().join("prefix")).claim().unwrap();
    let (cert, key) = moongate_proxy::self_signed().unwrap();
    let settings = pair(directory.path(), &cert, &key);
    let options = client_options(&properties(&settings), &claim).unwrap();
    assert_eq!(options.default_certificates.len(), 1);
    assert!(!directory.path().join("prefix/ssl").exists());

    let refused =
        |settings: &[String]| client_options(&properties(settings), &claim).unwrap_err().to_string();
    assert!(refused(&settings[..1]).starts_with("ssl_cert: names 1 certificates, but ssl_cert_key 0 keys"));
    let other = moongate_proxy::self_signed().unwrap().1;
    let settings = pair(directory.path(), &cert, &other);
    assert_eq!(refused(&settings), "ssl_cert_key: the certificate does not match the key");
    let settings = pair(directory.path(), "x", &key);
    assert!(refused(&settings).starts_with("ssl_cert: "));
    let missing = ["ssl_cert=/nowhere.crt".to_owned(), "ssl_cert_key=/nowhere.key".to_owned()];
    assert!(refused(&missing).starts_with("ssl_cert: /nowhere.crt: "));
}

#[test]
fn upstreams_are_verified_by_the_authorities_of_the_properties() {
    let options = upstream_options(&Properties::default()).unwrap();
    assert!(options.trust_system && options.trusted.is_empty() && !options.verify);

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    fs::write(&path, moongate_proxy::self_signed().unwrap().0).unwrap();
    let trust = format!("lua_ssl_trusted_certificate={}", path.display());
    let options = upstream_options(&properties(&[trust, "upstream_tls_verify=on".to_owned()])).unwrap();
    assert!(!options.trust_system && options.trusted.len() == 1 && options.verify);

    let error = upstream_options(&properties(&["client_ssl=on".to_owned()])).unwrap_err().to_string();
    assert_eq!(error, "client_ssl: needs client_ssl_cert and client_ssl_cert_key");
}
