// SPDX-License-Identifier: GPL-2.0-only
//! Sines, cosines and square roots of 0 to n-1.

use std::hint::black_box;

use serde_json::Value;

use super::{WrongResult, ensure};

/// Answers the sum of the square roots.
pub fn run(n: u64) -> Result<Value, WrongResult> {
    let (mut roots, mut ones) = (0.0, 0.0);
    for i in 0..n {
        let x = black_box(i as f64);
        let (sine, cosine) = (x.sin(), x.cos());
        ones += sine * sine + cosine * cosine;
        roots += x.sqrt();
    }
    let n = n as f64;
    ensure((ones - n).abs() <= 1e-9 * n, || {
        format!("{n} sums of squared sine and cosine came to {ones}")
    })?;
    // Between the integrals of the root from below and from above.
    let integral = |to: f64| 2.0 / 3.0 * to.powf(1.5);
    let (low, high) = (integral((n - 1.0).max(0.0)), integral(n));
    let slack = 1e-9 * high;
    ensure((low - slack..=high + slack).contains(&roots), || {
        format!("the roots' sum {roots} is not between {low} and {high}")
    })?;
    Ok(roots.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sums() {
        assert_eq!(run(2), Ok(Value::from(1.0)));
        let sum = run(100_000).unwrap().as_f64().unwrap();
        assert!((sum - 21_081_692.7).abs() < 0.1, "{sum}");
    }
}
