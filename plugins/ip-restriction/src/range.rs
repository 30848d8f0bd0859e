//! Ranges of addresses.

use std::net::IpAddr;

use moongate_sdk::Problem;

/// Some ranges of addresses.
#[derive(Debug, Default)]
pub(crate) struct Ranges(Vec<Range>);

/// The addresses that have the same first bits as another one. Addresses of the two versions are in no common range.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    is_v4: bool,
    first: u128,
    mask: u128,
}

impl Ranges {
    /// Reads the ranges in the list `name` of the configuration; what is none is noted as a problem.
    pub(crate) fn parse(name: &str, texts: &[String], problems: &mut Vec<Problem>) -> Self {
        let mut ranges = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate() {
            match Range::parse(text) {
                Some(range) => ranges.push(range),
                None => problems
                    .push(Problem::at(format!("{name}.{at}"), format!("invalid ip or cidr range: '{text}'"))),
            }
        }
        Self(ranges)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let (is_v4, bits) = bits(address);
        self.0.iter().any(|range| range.is_v4 == is_v4 && bits & range.mask == range.first)
    }
}

impl Range {
    /// An address, or an address and the number of bits that count. The other bits may be anything.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (is_v4, bits) = bits(address.parse().ok()?);
        let longest = if is_v4 { 32 } else { 128 };
        let free =
            longest - length.filter(|length| *length <= longest).or(length.is_none().then_some(longest))?;
        let mask = u128::MAX.checked_shl(free).unwrap_or(0);
        Some(Self { is_v4, first: bits & mask, mask })
    }
}

/// The version and the bits of an address.
fn bits(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(address.to_bits())),
        IpAddr::V6(address) => (false, address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, address: &str) -> bool {
        let mut problems = Vec::new();
        let ranges = Ranges::parse("allow", &[range.to_owned()], &mut problems);
        assert_eq!(problems, [], "{range}");
        ranges.contain(address.parse().unwrap())
    }

    #[test]
    fn a_range_holds_the_addresses_with_its_first_bits() {
        for (range, inside, outside) in [
            ("1.2.3.4", "1.2.3.4", "1.2.3.5"),
            ("127.0.0.77/8", "127.255.0.1", "128.0.0.1"),
            ("10.1.2.0/23", "10.1.3.255", "10.1.4.0"),
            ("1.2.3.4/32", "1.2.3.4", "1.2.3.3"),
            ("fe80::/10", "febf::1", "fec0::1"),
            ("::1", "::1", "::2"),
            ("2001:db8::/128", "2001:db8::", "2001:db8::1"),
        ] {
            assert!(contains(range, inside), "{range} {inside}");
            assert!(!contains(range, outside), "{range} {outside}");
        }
    }

    #[test]
    fn a_range_of_all_addresses_holds_those_of_its_version() {
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "ffff::"));
        assert!(!contains("::/0", "1.2.3.4"));
    }

    #[test]
    fn what_is_no_range_is_told_with_its_place() {
        for text in ["x", "1.2.3.4/33", "::1/129", "1.2.3/8", "1.2.3.4/", "1.2.3.4/-1"] {
            let mut problems = Vec::new();
            Ranges::parse("deny", &["::1".to_owned(), text.to_owned()], &mut problems);
            let message = format!("invalid ip or cidr range: '{text}'");
            assert_eq!(problems, [Problem::at("deny.1", message)], "{text}");
        }
    }
}
