//! What h2load prints.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::wrk::{Run, time};

/// Reads the output of `h2load`, which tells the mean time instead of the median and the longest instead of the 99th
/// percentile.
///
/// # Errors
///
/// Also when requests failed: whatever was measured then is not what was asked for.
pub(crate) fn read(output: &str) -> Result<Run> {
    let read = || {
        let line = |prefix: &str| output.lines().find_map(|line| line.trim().strip_prefix(prefix));
        let count = |line: &str, word: &str| {
            let before = line.split(',').find(|part| part.trim_end().ends_with(word))?;
            before.trim().split(' ').next()?.parse::<f64>().ok()
        };
        let requests = line("requests:")?;
        let bad = count(requests, " failed")? + count(requests, " errored")? + count(requests, " timeout")?;
        let rate = line("finished in")?.split(", ").find_map(|part| part.strip_suffix(" req/s"))?;
        let mut times = line("time for request:")?.split_whitespace();
        let (longest, mean) = (time(times.nth(1)?)?, time(times.next()?)?);
        Some((count(requests, " succeeded")?, bad, rate.trim().parse().ok()?, mean, longest))
    };
    let (requests, bad, requests_per_second, median, p99): (f64, f64, f64, Duration, Duration) =
        read().with_context(|| format!("cannot read what h2load printed:\n{output}"))?;
    ensure!(bad == 0.0, "{bad} requests over HTTP/2 failed");
    ensure!(requests > 0.0, "no request was answered");
    Ok(Run { requests, requests_per_second, median, p99 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "\
finished in 2.00s, 21340.50 req/s, 3.05MB/s
requests: 42681 total, 42809 started, 42681 done, 42681 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 42681 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 6.10MB (6397324) total, 1.31MB (1375334) headers (space savings 80.00%), 1.34MB (1408473) data
                     min         max         mean         sd        +/- sd
time for request:      210us     14.50ms      1.48ms       662us    88.90%
time for connect:     1.02ms      6.18ms      3.57ms      1.71ms    62.50%
";

    #[test]
    fn a_clean_run_is_read() {
        let run = read(RUN).unwrap();
        assert_eq!((run.requests, run.requests_per_second), (42_681.0, 21_340.5));
        assert_eq!((run.median, run.p99), (Duration::from_micros(1_480), Duration::from_micros(14_500)));
    }

    #[test]
    fn failed_requests_fail_the_run() {
        let message = read(&RUN.replace(" 0 failed", " 2 failed")).unwrap_err().to_string();
        assert_eq!(message, "2 requests over HTTP/2 failed");
        assert!(read("refused").unwrap_err().to_string().contains("cannot read what h2load printed"));
    }
}
