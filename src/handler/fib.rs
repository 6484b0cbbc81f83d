// SPDX-License-Identifier: GPL-2.0-only
//! The n-th Fibonacci number, by the recursion that defines it.

use std::hint::black_box;

use serde_json::Value;

use super::{WrongResult, ensure};

pub fn run(n: u64) -> Result<Value, WrongResult> {
    let result = recursive(n);
    let expected = iterative(n);
    ensure(result == expected, || format!("{result} is not {expected}"))?;
    Ok(result.into())
}

/// In about 1.6^n steps, which are what is asked for.
fn recursive(n: u64) -> u64 {
    if black_box(n) < 2 {
        n
    } else {
        recursive(n - 1) + recursive(n - 2)
    }
}

/// In n steps. F(93) is the last that 64 bits hold.
fn iterative(n: u64) -> u64 {
    let (mut this, mut next) = (0u64, 1u64);
    for _ in 0..n {
        (this, next) = (next, this.wrapping_add(next));
    }
    this
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        for (n, expected) in [(0, 0), (1, 1), (2, 1), (10, 55), (20, 6765)] {
            assert_eq!(run(n), Ok(Value::from(expected)));
        }
        assert_eq!(iterative(93), 12_200_160_415_121_876_738);
    }
}
