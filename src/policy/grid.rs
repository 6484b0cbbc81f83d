// SPDX-License-Identifier: GPL-2.0-only
//! The grid of attained service: log-spaced buckets of CPU time, two an octave.
//!
//! The kernel side finds a bucket with one count of leading zeros and one
//! extra bit, so the boundaries are powers of two and their 1.5-folds:
//! `0, 2^15, 1.5 * 2^15, 2^16, 1.5 * 2^16, …` nanoseconds. The first bucket
//! ends at 33 us, the last begins at 275 s and is open.

/// Buckets of attained service each function has.
pub const BUCKETS: usize = 48;

/// Base-2 logarithm, in nanoseconds, of where the second bucket begins.
pub const FIRST_SHIFT: u32 = 15;

/// The bucket that `attained_ns` nanoseconds of attained service fall into.
pub fn bucket(attained_ns: u64) -> usize {
    if attained_ns < 1 << FIRST_SHIFT {
        return 0;
    }
    let octave = attained_ns.ilog2();
    let half = (attained_ns >> (octave - 1)) & 1;
    let index = 1 + 2 * (octave - FIRST_SHIFT) as usize + half as usize;
    index.min(BUCKETS - 1)
}

/// Where bucket `index` begins, in nanoseconds. Indices past the last bucket
/// continue the pattern, so `start(index + 1)` ends every bucket.
pub const fn start(index: usize) -> u64 {
    if index < STARTS.len() {
        STARTS[index]
    } else {
        computed_start(index)
    }
}

/// Looked up rather than computed: learning asks for them all, for every function.
const STARTS: [u64; BUCKETS + 1] = {
    let mut starts = [0; BUCKETS + 1];
    let mut index = 1;
    while index < starts.len() {
        starts[index] = computed_start(index);
        index += 1;
    }
    starts
};

const fn computed_start(index: usize) -> u64 {
    let Some(steps) = index.checked_sub(1) else {
        return 0;
    };
    let exponent = FIRST_SHIFT as usize + steps / 2;
    let octave = 1u64 << if exponent < 62 { exponent } else { 62 };
    octave + (octave / 2) * (steps % 2) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_begins_where_the_grid_says() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(start(index)), index);
            if index > 0 {
                assert_eq!(bucket(start(index) - 1), index - 1);
            }
        }
    }

    #[test]
    fn the_last_bucket_is_open() {
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
