//! What wrk prints.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// One run of wrk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) requests: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
}

/// Reads the output of `wrk --latency`.
///
/// # Errors
///
/// Also when requests failed: whatever was measured then is not what was asked for.
pub(crate) fn read(output: &str) -> Result<Run> {
    let lines = || output.lines().map(str::trim);
    let after = |prefix: &str| lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim);
    let errors =
        after("Socket errors:").filter(|errors| errors.contains(|c: char| c.is_ascii_digit() && c != '0'));
    ensure!(
        errors.is_none(),
        "wrk met socket errors:{}",
        errors.map(|text| format!(" {text}")).unwrap_or_default()
    );
    let refused = after("Non-2xx or 3xx responses:");
    ensure!(refused.is_none(), "{} answers were not 2xx or 3xx", refused.unwrap_or_default());

    let requests =
        lines().find_map(|line| line.split_once(" requests in ")).map(|(number, _)| number.parse());
    let rate = after("Requests/sec:").map(str::parse);
    let fields = || Some((requests?.ok()?, rate?.ok()?, time(after("50%")?)?, time(after("99%")?)?));
    let (requests, requests_per_second, median, p99) =
        fields().with_context(|| format!("cannot read what wrk printed:\n{output}"))?;
    ensure!(requests > 0.0, "no request was answered");
    Ok(Run { requests, requests_per_second, median, p99 })
}

/// A time such as `490.00us`, `1.03ms`, `2.10s` or `1.5m`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_run_is_read() {
        let run = read(CLEAN).unwrap();
        let expected = Run {
            requests: 164_583.0,
            requests_per_second: 54_763.15,
            median: Duration::from_micros(547),
            p99: Duration::from_micros(1_310),
        };
        assert_eq!(run, expected);
    }

    #[test]
    fn failed_requests_fail_the_run() {
        let refused = format!("{CLEAN}  Non-2xx or 3xx responses: 12\n");
        assert_eq!(read(&refused).unwrap_err().to_string(), "12 answers were not 2xx or 3xx");
        let broken = format!("{CLEAN}  Socket errors: connect 0, read 3, write 0, timeout 0\n");
        let message = read(&broken).unwrap_err().to_string();
        assert_eq!(message, "wrk met socket errors: connect 0, read 3, write 0, timeout 0");
    }

    #[test]
    fn something_else_is_shown_as_it_is() {
        let message = read("unable to connect to 127.0.0.1:1 Connection refused").unwrap_err().to_string();
        assert!(message.ends_with("unable to connect to 127.0.0.1:1 Connection refused"), "{message}");
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("2.10s"), Some(Duration::from_millis(2_100)));
        assert_eq!(time("1.50m"), Some(Duration::from_secs(90)));
        assert_eq!(time("1.50"), None);
        assert_eq!(time("1.50h"), None);
    }

    const CLEAN: &str = "\
Running 3s test @ http://127.0.0.1:18080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   580.07us  216.94us   6.79ms   89.50%
    Req/Sec    55.07k     2.47k   57.92k    83.33%
  Latency Distribution
     50%  547.00us
     75%  629.00us
     90%  760.00us
     99%    1.31ms
  164583 requests in 3.01s, 44.73MB read
Requests/sec:  54763.15
Transfer/sec:     14.88MB
";
}
