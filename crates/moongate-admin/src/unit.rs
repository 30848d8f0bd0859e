//! Amounts of memory, in the unit that a client asks for.

use serde_json::Value;

use crate::arguments::Arguments;
use crate::error::ApiError;

/// How `GET /status` writes amounts of memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    /// Power of 1024, and what it is called; `None` for plain bytes.
    binary: Option<(i32, &'static str)>,
    decimals: usize,
}

impl Unit {
    /// Reads `unit` (`b`, `k`, `m` or `g`, by default `m`) and `scale` (decimals, by default 2).
    ///
    /// # Errors
    /// [`ApiError::Message`] for another unit.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, ApiError> {
        let binary = match arguments.one("unit")?.unwrap_or("m") {
            "" | "b" | "B" => None,
            "k" | "K" => Some((1, "KiB")),
            "m" | "M" => Some((2, "MiB")),
            "g" | "G" => Some((3, "GiB")),
            other => {
                let text = format!("invalid unit '{other}' (expected 'k/K', 'm/M', or 'g/G')");
                return Err(ApiError::refused(text));
            }
        };
        let decimals = arguments.one("scale")?.and_then(|scale| scale.parse().ok()).unwrap_or(2);
        Ok(Self { binary, decimals: decimals.min(MOST_DECIMALS) })
    }

    /// Writes an amount: a number for plain bytes, else a text.
    pub(crate) fn write(self, bytes: u64) -> Value {
        match self.binary {
            None => bytes.into(),
            Some((power, name)) => {
                format!("{:.*} {name}", self.decimals, bytes as f64 / 1024_f64.powi(power)).into()
            }
        }
    }
}

/// A client must not make a number of any length.
const MOST_DECIMALS: usize = 20;
