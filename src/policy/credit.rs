// SPDX-License-Identifier: GPL-2.0-only
//! What a task gains by waiting, and how much of it it keeps when it gets to
//! run: the rule of `src/bpf/credit.bpf.h`, which says why.

/// A turn by the kernel's tick, 4 ms.
const CREDIT_TURN_NS: u64 = 4_000_000;

/// A bias factor as the kernel side has it: in sixteenths, rounded, at least one.
pub fn sixteenths(bias_factor: f64) -> u64 {
    (bias_factor * 16.0).round().max(1.0) as u64
}

/// How far a task's virtual time may lie behind the clock when it gets to run:
/// half the largest bias, or all but `K` turns of it for an invocation that is
/// as long as [expected](super::PolicyEntry::expects), whichever is more.
pub fn credit_ns(max_bias_ns: u64, bias_factor: f64, is_expected: bool) -> u64 {
    let half_ns = max_bias_ns / 2;
    let turns_ns = CREDIT_TURN_NS.saturating_mul(sixteenths(bias_factor)) / 16;
    let lead_ns = if is_expected {
        turns_ns.min(half_ns)
    } else {
        half_ns
    };
    max_bias_ns - lead_ns
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn what_is_expected_keeps_all_but_k_turns_and_others_keep_half() {
        assert_eq!(credit_ns(16_000 * MS, 16.0, false), 8_000 * MS);
        assert_eq!(credit_ns(16_000 * MS, 16.0, true), 15_936 * MS);
        assert_eq!(credit_ns(16_000 * MS, 2.5, true), 15_990 * MS);
    }

    #[test]
    fn nobody_keeps_less_than_half() {
        assert_eq!(credit_ns(20 * MS, 16.0, true), 10 * MS);
        assert_eq!(credit_ns(16_000 * MS, f64::INFINITY, true), 8_000 * MS);
        assert_eq!(credit_ns(0, 16.0, true), 0);
    }

    #[test]
    fn sixteenths_are_rounded_and_never_none() {
        let of = [0.0, f64::NAN, 0.01, 1.0, 2.53].map(sixteenths);
        assert_eq!(of, [1, 1, 1, 16, 40]);
    }
}
