use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use moongate_hooks::FailurePolicy;
use moongate_proxy::{AccessLogFormat, ErrorType, HeaderTokens, LogTarget, Query, RealIp, TlsVersion};
use serde_json::json;

use super::{Listener, LogLevel, Properties, PropertiesError, Sources, TABLE, Workers};

fn load(settings: &[&str]) -> Result<Properties, PropertiesError> {
    let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
    Properties::load(&Sources { settings, ..Sources::default() }).map(|loaded| loaded.properties)
}

/// What is wrong with one setting, without its place.
fn refusal(setting: &str) -> String {
    let error = load(&[setting]).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    error.problems[0].message.clone()
}

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

fn file(directory: &Path, text: &str) -> Sources {
    let path = directory.join("moongate.yaml");
    fs::write(&path, text).unwrap();
    Sources { file: Some(path), ..Sources::default() }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn the_sample_file_names_only_properties_and_shows_their_defaults() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/moongate.yaml");
    let sample = fs::read_to_string(sample).unwrap();
    // The lines in which a property is commented out have no space behind the number sign.
    let commented_in: String = sample
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '-'])).unwrap_or(line))
        .map(|line| line.strip_prefix("#  ").map_or_else(|| line.to_owned(), |rest| format!("  {rest}")))
        .collect::<Vec<_>>()
        .join("\n");
    let directory = tempfile::tempdir().unwrap();
    let shown = Properties::load(&file(directory.path(), &commented_in)).unwrap().properties;
    assert_eq!(shown.plugin_settings["jwt-claims"], moongate_plugin_host::PluginSettings::default());

    let (mut shown, defaults) = (shown.to_json(), Properties::default().to_json());
    for own in ["database", "declarative_config", "plugin_dirs", "plugin_settings"] {
        shown[own] = defaults[own].clone();
    }
    assert_eq!(shown, defaults);
}

#[test]
fn what_is_shown_of_a_default_is_read_as_the_same() {
    let defaults = Properties::default();
    for property in TABLE {
        let shown = (property.show)(&defaults);
        if shown.is_null() {
            continue;
        }
        let mut read = Properties::default();
        (property.read)(&mut read, &serde_yaml::to_value(&shown).unwrap())
            .unwrap_or_else(|wrong| panic!("{}: {wrong:?}", property.name));
        assert_eq!((property.show)(&read), shown, "{}", property.name);
    }
}

#[test]
fn every_property_says_what_it_is_for() {
    for property in TABLE {
        assert!(property.doc.trim().ends_with('.'), "{}", property.name);
        assert_eq!(TABLE.iter().filter(|other| other.name == property.name).count(), 1);
    }
}

#[test]
fn the_command_line_counts_more_than_the_environment_and_that_more_than_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let mut sources = file(directory.path(), "workers: 1\nlog_level: warn\nprefix: here\n");
    sources.environment =
        environment(&[("MOONGATE_WORKERS", "2"), ("MOONGATE_LOG_LEVEL", "error")]).environment;
    sources.settings = vec!["workers=3".to_owned()];
    let properties = Properties::load(&sources).unwrap().properties;
    assert_eq!(properties.workers, Workers::Fixed(3));
    assert_eq!(properties.log_level, LogLevel::Error);
    assert_eq!(properties.prefix, Path::new("here"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let text = "\
# Nothing here.
log_levl: info

proxy_listen: 0.0.0.0:8443 quic
plugin_settings:
  jwt-claims:
    on_failure: opened
    memory_limit: 1TiB
    budget: 3
";
    let mut sources = file(directory.path(), text);
    sources.environment =
        environment(&[("MOONGATE_WORKERS", "many"), ("MOONGATE_TRUSTED_IP", "::1")]).environment;
    sources.settings = vec!["shutdown_timeout=-1".to_owned(), "prefix".to_owned()];
    let error = Properties::load(&sources).unwrap_err().to_string();
    let error = error.replace(&directory.path().display().to_string(), "DIR");
    let expected = "\
DIR/moongate.yaml:2: `log_levl` is no property; did you mean `log_level`?
DIR/moongate.yaml:4: proxy_listen `0.0.0.0:8443 quic` asks for `quic`, which this version does not serve; remove the \
flag or the address
DIR/moongate.yaml:7: plugin_settings.jwt-claims.on_failure `opened` is none of closed, open; did you mean `open`?
DIR/moongate.yaml:8: plugin_settings.jwt-claims.memory_limit `1TiB` is no size, such as 512KiB, 64MiB, 1GiB, or a \
number of bytes
DIR/moongate.yaml:9: plugin_settings.jwt-claims.budget is no setting; there are on_failure, on_failure_of, cpu_budget, \
wall_budget, memory_limit
environment variable MOONGATE_WORKERS: workers `many` is no whole number from 1 to 1024, and not `auto`
environment variable MOONGATE_TRUSTED_IP: `MOONGATE_TRUSTED_IP` is no property; did you mean `MOONGATE_TRUSTED_IPS`?
--set shutdown_timeout=-1: shutdown_timeout `-1` is no number of seconds, such as 30, 0.5 or 0
--set prefix: has no value; write name=value, such as log_level=debug";
    assert_eq!(error, expected);
}

#[test]
fn a_file_that_is_missing_or_no_map_is_named_with_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Sources { file: Some(directory.path().join("none.yaml")), ..Sources::default() };
    let error = Properties::load(&missing).unwrap_err().to_string();
    assert!(error.ends_with("none.yaml: cannot be read: No such file or directory (os error 2)"), "{error}");

    let error = Properties::load(&file(directory.path(), "a: b\n c: d\n")).unwrap_err().to_string();
    assert!(error.contains("moongate.yaml:2: is no valid YAML: "), "{error}");
    let error = Properties::load(&file(directory.path(), "- a\n")).unwrap_err().to_string();
    assert!(error.ends_with("moongate.yaml: is no map of properties, such as `log_level: info`"), "{error}");
    let error = Properties::load(&file(directory.path(), "workers:\n")).unwrap_err().to_string();
    assert!(
        error.ends_with(":1: workers has no value; give it one, or remove the line for the default"),
        "{error}"
    );

    assert!(Properties::load(&file(directory.path(), "# nothing\n")).is_ok());
    let searched = Sources { search: vec![directory.path().join("none.yaml")], ..Sources::default() };
    assert_eq!(Properties::load(&searched).unwrap().file, None);
}

#[test]
fn a_declarative_configuration_in_the_place_of_properties_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let error =
        Properties::load(&file(directory.path(), "_format_version: '3.0'\n")).unwrap_err().to_string();
    assert!(error.ends_with("which the property `declarative_config` names"), "{error}");
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_of_this_name_are_no_properties() {
    let sources = environment(&[
        ("MOONGATE_SERVICE_HOST", "10.0.0.1"),
        ("MOONGATE_SERVICE_PORT_PROXY", "8000"),
        ("MOONGATE_PORT", "tcp://10.0.0.1:8000"),
        ("MOONGATE_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("MOONGATE_ADMIN_PORT_8001_TCP_ADDR", "10.0.0.2"),
        ("MOONGATE_LOG_LEVEL", "debug"),
        ("KONG_LOG_LEVEL", "nonsense"),
    ]);
    assert_eq!(Properties::load(&sources).unwrap().properties.log_level, LogLevel::Debug);
    assert!(Properties::load(&environment(&[("MOONGATE_PORT", "8000")])).is_err());
}

#[test]
fn the_prefix_can_be_read_beside_other_mistakes() {
    let sources = environment(&[("MOONGATE_PREFIX", "/run/gate"), ("MOONGATE_WORKERS", "0")]);
    assert!(Properties::load(&sources).is_err());
    assert_eq!(Properties::load_contact(&sources).unwrap().prefix, Path::new("/run/gate"));
    assert!(Properties::load_contact(&environment(&[("MOONGATE_PREFIX", "")])).is_err());
    let sources = environment(&[("MOONGATE_ADMIN_TOKEN", "secret")]);
    let contact = Properties::load_contact(&sources).unwrap();
    assert_eq!(contact.admin_token.as_deref(), Some("secret"));
    assert!(!format!("{contact:?}").contains("secret"));
}

#[test]
fn addresses_are_in_kongs_form() {
    let listen = "proxy_listen=0.0.0.0:8000 reuseport backlog=99, [::1]:8000 so_keepalive=on";
    let properties = load(&[listen, "admin_listen=off"]).unwrap();
    let [first, second] = properties.proxy_listen.as_slice() else { panic!("{properties:?}") };
    assert_eq!((first.address, first.backlog), (address("0.0.0.0:8000"), 99));
    assert_eq!((second.address, second.backlog), (address("[::1]:8000"), 16_384));
    assert!(properties.admin_listen.is_empty());
    let without_effect = ["proxy_listen: `so_keepalive=on` of [::1]:8000 has no effect in this version"];
    assert_eq!(properties.without_effect(), without_effect);

    let list = load(&["proxy_listen=['[::]:80', '0.0.0.0:81 backlog=5']"]).unwrap();
    assert_eq!(list.proxy_listen[0].address, address("[::]:80"));
    assert_eq!(list.proxy_listen[1].backlog, 5);
    assert_eq!(load(&["proxy_listen=[::1]:8000"]).unwrap().proxy_listen[0].address, address("[::1]:8000"));
}

#[test]
fn what_is_no_address_is_refused_with_what_was_meant() {
    let cases = [
        ("8000", "`8000` is no address with a port; did you mean `0.0.0.0:8000`?"),
        (":8000", "`:8000` is no address with a port; did you mean `0.0.0.0:8000`?"),
        ("localhost:80", "`localhost:80` is no address with a port; did you mean `127.0.0.1:80`?"),
        ("here", "`here` is no address with a port, such as 0.0.0.0:8000 or [::]:8000"),
        ("1.2.3.4:5 backlog", "`backlog` needs a number of connections, such as backlog=16384"),
        (
            "1.2.3.4:5 fast",
            "`fast` is no flag of an address; `ssl`, `http2`, `proxy_protocol`, `udp`, `reuseport` and `backlog=N` are",
        ),
        ("1.2.3.4:5, off", "`off` stands alone, without addresses beside it"),
        ("1.2.3.4:5, 1.2.3.4:5", "names 1.2.3.4:5 twice"),
        ("", "names no address; write `off` to listen on none"),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(&format!("admin_listen={text}")), format!("admin_listen {expected}"));
    }
    for (property, flag) in [
        ("proxy_listen", "udp"),
        ("stream_listen", "http2"),
        ("stream_listen", "udp ssl"),
        ("proxy_listen", "quic"),
        ("admin_listen", "proxy_protocol"),
        ("admin_listen", "udp"),
    ] {
        let refused = refusal(&format!("{property}=0.0.0.0:1 {flag}"));
        assert!(
            refused.contains(&format!("asks for `{flag}`, which this version does not serve")),
            "{refused}"
        );
    }
}

#[test]
fn listeners_ask_for_tls_and_http2_by_flags() {
    let properties =
        load(&["proxy_listen=0.0.0.0:80, 0.0.0.0:443 http2 ssl reuseport, 0.0.0.0:81 http2"]).unwrap();
    let flags: Vec<_> =
        properties.proxy_listen.iter().map(|listener| (listener.tls, listener.http2)).collect();
    assert_eq!(flags, [(false, false), (true, true), (false, true)]);
    let shown = properties.to_json()["proxy_listen"][1].clone();
    assert_eq!(shown, "0.0.0.0:443 http2 ssl backlog=16384");
}

#[test]
fn streams_have_listeners_of_their_own() {
    let text = "stream_listen=0.0.0.0:9000 reuseport, 0.0.0.0:9443 ssl proxy_protocol, 0.0.0.0:9000 udp";
    let properties = load(&[text]).unwrap();
    let flags = |listener: &Listener| (listener.tls, listener.udp, listener.proxy_protocol);
    let flags: Vec<_> = properties.stream_listen.iter().map(flags).collect();
    assert_eq!(flags, [(false, false, false), (true, false, true), (false, true, false)]);
    let shown = properties.to_json()["stream_listen"].clone();
    assert_eq!(shown[1], "0.0.0.0:9443 ssl proxy_protocol backlog=16384");
    assert_eq!(shown[2], "0.0.0.0:9000 udp backlog=16384");
    assert!(refusal("stream_listen=0.0.0.0:1, 0.0.0.0:1").contains("twice"));
}

#[test]
fn logs_are_files_outputs_or_off() {
    let target = |text: &str| load(&[&format!("proxy_access_log={text}")]).unwrap().proxy_access_log;
    assert_eq!(target("off"), None);
    assert_eq!(target("/dev/stdout"), Some(LogTarget::Stdout));
    assert_eq!(target("stderr"), Some(LogTarget::Stderr));
    assert_eq!(target("/var/log/a.log"), Some(LogTarget::File("/var/log/a.log".into())));
    assert!(refusal("proxy_access_log=logs/access.log combined").contains("access_log_format"));
    let streams = load(&["proxy_stream_access_log=logs/s.log basic", "access_log_format=json"]).unwrap();
    assert_eq!(streams.proxy_stream_access_log, Some(LogTarget::File("logs/s.log".into())));
    assert_eq!(streams.access_log_format, AccessLogFormat::Json);
}

#[test]
fn names_are_resolved_as_the_properties_say() {
    let properties = load(&[
        "dns_resolver=10.0.0.2, [::1]:5353, ::1",
        "dns_order=last, AAAA,CNAME",
        "dns_hostsfile=",
        "dns_valid_ttl=5",
        "dns_stale_ttl=0",
        "dns_not_found_ttl=0.5",
    ])
    .unwrap();
    assert_eq!(properties.dns_resolver, [address("10.0.0.2:53"), address("[::1]:5353"), address("[::1]:53")]);
    assert_eq!(properties.dns_order, [Query::Last, Query::Aaaa, Query::Cname]);
    assert_eq!((properties.dns_hostsfile, properties.dns_valid_ttl), (None, Some(Duration::from_secs(5))));
    assert_eq!(properties.dns_stale_ttl, Duration::ZERO);
    assert_eq!(properties.dns_not_found_ttl, Duration::from_millis(500));
    assert!(refusal("dns_order=LAST,MX").contains("none of LAST, SRV, A, AAAA, CNAME"));
    assert!(refusal("dns_order=LAST,CNAME").contains("neither SRV"));
    assert!(refusal("dns_resolver=ns.test").contains("no address of a name server"));
}

#[test]
fn what_is_about_tls_is_read_and_keys_are_not_shown() {
    let properties = load(&[
        "ssl_protocols=TLSv1.3 TLSv1.2",
        "ssl_cipher_suite=custom",
        "ssl_session_tickets=off",
        "ssl_session_timeout=10m",
        "ssl_session_cache_size=1m",
        "ssl_cert=a.pem, b.pem",
        "ssl_cert_key=-----BEGIN PRIVATE KEY-----",
        "lua_ssl_trusted_certificate=system, ca.pem",
    ])
    .unwrap();
    assert_eq!(properties.ssl_protocols, [TlsVersion::Tls13, TlsVersion::Tls12]);
    assert!(!properties.ssl_session_tickets);
    assert_eq!(properties.ssl_session_timeout, Duration::from_secs(600));
    assert_eq!(properties.ssl_session_cache_size, 1024 * 1024);
    let shown = properties.to_json();
    assert_eq!(shown["ssl_cert"], json!(["a.pem", "b.pem"]));
    assert_eq!(shown["ssl_cert_key"], json!(["******"]));
    assert_eq!(shown["lua_ssl_trusted_certificate"], json!(["system", "ca.pem"]));
    assert_eq!(
        refusal("ssl_protocols=TLSv1.1"),
        "ssl_protocols `TLSv1.1` is not spoken; TLSv1.2 and TLSv1.3 are"
    );
    for wrong in ["ssl_session_timeout=8d", "ssl_session_timeout=0", "ssl_session_tickets=maybe"] {
        assert!(load(&[wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn lists_and_maps_are_written_with_commas_or_as_yaml() {
    let settings = "plugin_settings={jwt-claims: {on_failure: open, on_failure_of: {partners: closed}, cpu_budget: 5, \
                    memory_limit: 2m}}";
    let properties = load(&["plugin_dirs=a, b", "trusted_ips=[10.0.0.0/8, '::1']", settings]).unwrap();
    assert_eq!(properties.plugin_dirs, [Path::new("a"), Path::new("b")]);
    assert_eq!(properties.to_json()["trusted_ips"], json!(["10.0.0.0/8", "::1/128"]));
    let settings = &properties.plugin_settings["jwt-claims"];
    assert_eq!(settings.on_failure_of("1", None), FailurePolicy::Open);
    assert_eq!(settings.on_failure_of("1", Some("partners")), FailurePolicy::Closed);
    assert_eq!(settings.cpu_budget, Duration::from_millis(5));
    assert_eq!(settings.wall_budget, Duration::from_secs(1));
    assert_eq!(settings.memory_limit, 2 * 1024 * 1024);
    assert_eq!(load(&["plugin_dirs="]).unwrap().plugin_dirs.len(), 0);
    assert_eq!(
        refusal("trusted_ips=10.0.0.0/8,me"),
        "trusted_ips `me` is no address or network, such as 10.1.2.3 or 10.0.0.0/8"
    );
}

#[test]
fn sizes_and_times_have_bounds() {
    let properties = load(&["max_header_size=16 KiB", "client_idle_timeout=0.5"]).unwrap();
    assert_eq!(properties.max_header_size, 16 * 1024);
    assert_eq!(properties.client_idle_timeout, Duration::from_millis(500));
    assert_eq!(
        refusal("max_header_size=1k"),
        "max_header_size `1k` is out of range, 8KiB to 16MiB are possible"
    );
    assert_eq!(
        refusal("plugin_settings={a: {memory_limit: 1g}}"),
        "plugin_settings.a.memory_limit `1g` is out of range, 64KiB to 256MiB are possible"
    );
    assert!(load(&["client_idle_timeout=0"]).is_err());
    assert!(load(&["client_idle_timeout=nan"]).is_err());
    assert!(load(&["client_idle_timeout=1e300"]).is_err());
    assert_eq!(load(&["shutdown_timeout=0"]).unwrap().shutdown_timeout, Duration::ZERO);
}

#[test]
fn header_tokens_are_kongs() {
    let none = load(&["headers=off"]).unwrap();
    assert_eq!(none.to_json()["headers"], json!([]));
    assert_eq!(load(&["headers=[]"]).unwrap().headers, none.headers);
    let some = load(&["headers=off, via, x-kong-upstream-status"]).unwrap();
    assert_eq!(some.headers, HeaderTokens { via: true, upstream_status: true, ..none.headers });
    assert_eq!(some.to_json()["headers"], json!(["Via", "X-Kong-Upstream-Status"]));
    let defaults = json!(["server_tokens", "latency_tokens", "X-Kong-Request-Id"]);
    assert_eq!(Properties::default().to_json()["headers"], defaults);
    assert_eq!(
        refusal("headers=latency_token"),
        "headers `latency_token` is no header that the gateway adds; did you mean `latency_tokens`?"
    );
}

#[test]
fn words_are_taken_in_any_case_and_others_refused() {
    let properties =
        load(&["error_default_type=application/xml", "log_level=CRIT", "real_ip_header=X-Forwarded-For"]);
    let properties = properties.unwrap();
    assert_eq!(properties.error_default_type, ErrorType::Xml);
    assert_eq!(properties.log_level, LogLevel::Crit);
    assert_eq!(properties.real_ip_header, RealIp::Header("x-forwarded-for".parse().unwrap()));
    assert!(refusal("database=oracle").contains("auto, off, sqlite, postgres"));
    let proxied = load(&["real_ip_header=proxy_protocol", "real_ip_recursive=on"]).unwrap();
    assert_eq!((proxied.real_ip_header, proxied.real_ip_recursive), (RealIp::ProxyProtocol, true));
    assert!(refusal("real_ip_header=a b").contains("no header name"));
    assert_eq!(
        refusal("nginx_worker_processes=4"),
        "`nginx_worker_processes` is no property; did you mean `workers`?"
    );
    assert_eq!(
        refusal("lmdb_map_size=1"),
        "`lmdb_map_size` is no property; `moongate start --help` lists them all"
    );
}

#[test]
fn properties_can_be_written_with_kongs_other_names_but_not_twice_in_one_place() {
    let properties = load(&[
        "resolver_address=10.0.0.2",
        "resolver_hosts_file=",
        "resolver_family=aaaa, A",
        "resolver_valid_ttl=5",
        "resolver_stale_ttl=6",
        "resolver_error_ttl=7",
        "resolver_lru_cache_size=8",
        "nginx_http_client_max_body_size=10m",
    ])
    .unwrap();
    assert_eq!(properties.dns_resolver, [address("10.0.0.2:53")]);
    assert_eq!(properties.dns_order, [Query::A, Query::Aaaa]);
    assert_eq!((properties.dns_hostsfile, properties.dns_valid_ttl), (None, Some(Duration::from_secs(5))));
    assert_eq!(properties.dns_stale_ttl, Duration::from_secs(6));
    let seven = Duration::from_secs(7);
    assert_eq!((properties.dns_not_found_ttl, properties.dns_error_ttl), (seven, seven));
    assert_eq!((properties.dns_cache_size, properties.client_max_body_size), (8, Some(10 << 20)));
    assert_eq!(load(&["client_max_body_size=0"]).unwrap().client_max_body_size, None);

    assert_eq!(
        refusal("resolver_stale_ttl=x"),
        "resolver_stale_ttl `x` is no number of seconds, such as 30, 0.5 or 0"
    );
    assert_eq!(refusal("resolver_family=LAST"), "resolver_family `LAST` is none of SRV, A, AAAA");
    assert!(refusal("resolver_family=").contains("is empty"));
    let error = load(&["dns_error_ttl=1", "resolver_error_ttl=2"]).unwrap_err();
    let expected =
        "--set resolver_error_ttl=2: `resolver_error_ttl` and `dns_error_ttl` say the same; keep one of them";
    assert_eq!(error.to_string(), expected);

    // What is said later counts, however it is spelt.
    let directory = tempfile::tempdir().unwrap();
    let mut sources = file(directory.path(), "resolver_stale_ttl: 1\ndns_cache_size: 2\n");
    sources.environment = environment(&[("MOONGATE_DNS_STALE_TTL", "3")]).environment;
    sources.settings = vec!["resolver_lru_cache_size=4".to_owned(), "resolver_lru_cache_size=5".to_owned()];
    let properties = Properties::load(&sources).unwrap().properties;
    assert_eq!((properties.dns_stale_ttl, properties.dns_cache_size), (Duration::from_secs(3), 5));
}
