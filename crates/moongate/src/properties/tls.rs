//! Readers of what is about TLS.

use std::time::Duration;
use std::{fmt, fs};

use moongate_proxy::TlsVersion;
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::value::{Read, choice, each, items, name_of, size, text, wrong};

/// A certificate or key: a file in PEM, or the PEM text itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(String);

impl fmt::Debug for Pem {
    /// Without a text, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pem").field(if self.is_text() { &"******" } else { &self.0 }).finish()
    }
}

impl Pem {
    /// The PEM text.
    ///
    /// # Errors
    /// Which file cannot be read, and why.
    pub fn read(&self) -> Result<String, String> {
        if self.is_text() {
            return Ok(self.0.clone());
        }
        fs::read_to_string(&self.0).map_err(|error| format!("{}: {error}", self.0))
    }

    fn is_text(&self) -> bool {
        self.0.starts_with("-----BEGIN ")
    }
}

/// Which cipher suites are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CipherSuite {
    /// Those of TLS 1.3.
    Modern,
    /// All that are supported.
    Intermediate,
    /// The same: older ones are not supported.
    Old,
    /// Those with AES.
    Fips,
    /// Those of `ssl_ciphers`.
    Custom,
}

/// Authorities that are trusted: those of the system, or those in files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// Whether those of the system are.
    pub system: bool,
    /// Others.
    pub certificates: Vec<Pem>,
}

pub(super) fn read_pems(value: &Value) -> Read<Vec<Pem>> {
    Ok(items(value)?.into_iter().filter(|item| !item.is_empty()).map(Pem).collect())
}

/// Paths as they are. Of texts only that they are there: they may be keys.
pub(super) fn show_pems(pems: &[Pem]) -> Json {
    pems.iter().map(|pem| if pem.is_text() { json!("******") } else { json!(pem.0) }).collect()
}

pub(super) fn read_optional_pem(value: &Value) -> Read<Option<Pem>> {
    match value {
        Value::Null => Ok(None),
        value => Ok(Some(text(value)?).filter(|text| !text.is_empty()).map(Pem)),
    }
}

pub(super) fn show_optional_pem(pem: &Option<Pem>) -> Json {
    pem.as_ref()
        .map_or(Json::Null, |pem| show_pems(std::slice::from_ref(pem)).get(0).cloned().unwrap_or_default())
}

pub(super) fn read_trust(value: &Value) -> Read<Trust> {
    let mut trust = Trust::default();
    for item in items(value)? {
        match item.as_str() {
            "system" => trust.system = true,
            _ => trust.certificates.push(Pem(item)),
        }
    }
    Ok(trust)
}

pub(super) fn show_trust(trust: &Trust) -> Json {
    let mut shown = show_pems(&trust.certificates);
    if let Some(list) = shown.as_array_mut().filter(|_| trust.system) {
        list.insert(0, json!("system"));
    }
    shown
}

pub(super) fn read_versions(value: &Value) -> Read<Vec<TlsVersion>> {
    let words: Vec<String> =
        items(value)?.iter().flat_map(|item| item.split_whitespace()).map(str::to_owned).collect();
    if words.is_empty() {
        return wrong("names no version; TLSv1.2 and TLSv1.3 can be spoken");
    }
    each(&words, |word| match TlsVersion::from_name(word) {
        Some(version) => Ok(version),
        None => wrong(format!("`{word}` is not spoken; TLSv1.2 and TLSv1.3 are")),
    })
}

pub(super) fn show_versions(versions: &[TlsVersion]) -> Json {
    versions.iter().map(|version| version.name()).collect()
}

pub(super) fn read_cipher_suite(value: &Value) -> Read<CipherSuite> {
    choice(value, &SUITES)
}

pub(super) fn show_cipher_suite(suite: &CipherSuite) -> Json {
    json!(name_of(suite, &SUITES))
}

pub(super) fn read_ciphers(value: &Value) -> Read<Option<String>> {
    match value {
        Value::Null => Ok(None),
        value => Ok(Some(text(value)?).filter(|text| !text.is_empty())),
    }
}

pub(super) fn show_ciphers(ciphers: &Option<String>) -> Json {
    json!(ciphers)
}

pub(super) fn read_flag(value: &Value) -> Read<bool> {
    choice(value, &FLAGS)
}

pub(super) fn show_flag(flag: &bool) -> Json {
    json!(if *flag { "on" } else { "off" })
}

/// A number of seconds, or one with a unit: s, m, h, d.
pub(super) fn read_time(value: &Value) -> Read<Duration> {
    let text = text(value)?;
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let time = text.split_at_checked(unit).and_then(|(number, unit)| {
        let seconds = match unit.trim() {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(seconds).filter(|time| (1..=MOST_SECONDS).contains(time))
    });
    time.map_or_else(
        || wrong(format!("`{text}` is no time, such as 300, 10m or 1d")),
        |time| Ok(Duration::from_secs(time)),
    )
}

pub(super) fn read_cache_size(value: &Value) -> Read<usize> {
    size(value, 1024, 1 << 30)
}

pub(super) fn read_depth(value: &Value) -> Read<u16> {
    super::value::count(value, 0, 64).map(|depth| depth as u16)
}

pub(super) fn show_depth(depth: &u16) -> Json {
    json!(depth)
}

const SUITES: [(&str, CipherSuite); 5] = [
    ("modern", CipherSuite::Modern),
    ("intermediate", CipherSuite::Intermediate),
    ("old", CipherSuite::Old),
    ("fips", CipherSuite::Fips),
    ("custom", CipherSuite::Custom),
];

/// YAML has it that unquoted `on` and `off` may be truth values.
const FLAGS: [(&str, bool); 4] = [("on", true), ("off", false), ("true", true), ("false", false)];

/// A session is resumed for no longer than a week, says TLS 1.3.
const MOST_SECONDS: u64 = 7 * 24 * 3600;
