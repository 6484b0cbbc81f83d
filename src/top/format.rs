// SPDX-License-Identifier: GPL-2.0-only
//! Numbers as people read them: three digits and a unit, at most six
//! characters wide.

/// Where there is no number to show.
pub const NOTHING: &str = "-";

/// Nanoseconds in every unit, the smallest first. None has more than 1000 of
/// the one before, so that three digits do in any.
const TIME_UNITS: [(f64, &str); 8] = [
    (1.0, "ns"),
    (1e3, "us"),
    (1e6, "ms"),
    (1e9, "s"),
    (60e9, "m"),
    (3_600e9, "h"),
    (86_400e9, "d"),
    (365.0 * 86_400e9, "y"),
];

const MAGNITUDES: [(f64, &str); 7] = [
    (1.0, ""),
    (1e3, "k"),
    (1e6, "M"),
    (1e9, "G"),
    (1e12, "T"),
    (1e15, "P"),
    (1e18, "E"),
];

/// Three digits, as `1.23`, `12.3` or `123`; `None` where it takes more.
fn three_digits(value: f64) -> Option<String> {
    match value {
        ..9.995 => Some(format!("{value:.2}")),
        ..99.95 => Some(format!("{value:.1}")),
        ..999.5 => Some(format!("{value:.0}")),
        _ => None,
    }
}

fn in_units(value: f64, units: &[(f64, &str)]) -> Option<String> {
    units.iter().find_map(|&(size, unit)| {
        let digits = three_digits(value / size)?;
        Some(format!("{digits}{unit}"))
    })
}

/// A time in nanoseconds, as `850us`, `1.23ms` or `12.3s`.
pub fn duration(ns: u64) -> String {
    match ns {
        0 => "0".to_owned(),
        1..1_000 => format!("{ns}ns"),
        _ => in_units(ns as f64, &TIME_UNITS).unwrap_or_else(|| NOTHING.to_owned()),
    }
}

/// A number that is not negative, as `1.05`, `123` or `1.23k`.
pub fn number(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value > 0.0 {
        in_units(value, &MAGNITUDES).unwrap_or_else(|| ">999E".to_owned())
    } else {
        NOTHING.to_owned()
    }
}

/// A setting: whole where it is whole, as `16` or `2.50`.
pub fn setting(value: f64) -> String {
    if value.fract() == 0.0 && (1.0..1e4).contains(&value) {
        format!("{value:.0}")
    } else {
        number(value)
    }
}

/// Things counted, to the last one while that has at most `digits` digits.
pub fn count(value: u64, digits: u32) -> String {
    let exact = 10u64.checked_pow(digits).is_none_or(|limit| value < limit);
    if exact {
        return value.to_string();
    }
    let mut left = value;
    let mut magnitude = 0;
    while left >= 1_000 && magnitude + 1 < MAGNITUDES.len() {
        left /= 1_000;
        magnitude += 1;
    }
    format!("{left}{}", MAGNITUDES[magnitude].1)
}

/// How many there are of something, as `1 CPU` or `12 CPUs`.
pub fn counted(value: u64, thing: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(value, 7))
}

/// A share in percent, as `87%`.
pub fn percent(value: f64) -> String {
    if (0.0..1e5).contains(&value) {
        format!("{value:.0}%")
    } else {
        NOTHING.to_owned()
    }
}

/// How long something lasts, in its two largest units: `42s`, `1h02m`, `3d04h`.
pub fn span(seconds: f64) -> String {
    // Saturates: NaN and negative times are 0.
    let seconds = seconds as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        format!("{days}d{:02}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (ns, shown) in [
            (0, "0"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1.00us"),
            (850_000, "850us"),
            (999_499, "999us"),
            (999_500, "1.00ms"),
            (1_234_000, "1.23ms"),
            (9_996_000, "10.0ms"),
            (12_345_000, "12.3ms"),
            (1_500_000_000, "1.50s"),
            (999_000_000_000, "999s"),
            (1_000_000_000_000, "16.7m"),
            (u64::MAX, "585y"),
        ] {
            assert_eq!(duration(ns), shown, "{ns}");
        }
    }

    #[test]
    fn every_time_fits_six_columns() {
        for shift in 0..64 {
            for ns in [1u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                assert!(duration(ns).len() <= 6, "{}", duration(ns));
            }
        }
    }

    #[test]
    fn numbers_stay_short_whatever_they_are() {
        for (value, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.1, "0.10"),
            (45.23, "45.2"),
            (999.7, "1.00k"),
            (1.5e6, "1.50M"),
            (f64::MAX, ">999E"),
            (f64::INFINITY, ">999E"),
            (f64::NAN, "-"),
            (-1.0, "-"),
        ] {
            assert_eq!(number(value), shown, "{value}");
        }
        assert_eq!(setting(16.0), "16");
        assert_eq!(setting(2.5), "2.50");
        assert_eq!(setting(f64::MAX), ">999E");
        assert_eq!(percent(87.4), "87%");
        assert_eq!(percent(f64::NAN), "-");
    }

    #[test]
    fn counts_are_exact_while_they_fit() {
        assert_eq!(count(9_999, 4), "9999");
        assert_eq!(count(10_000, 4), "10k");
        assert_eq!(count(u64::from(u32::MAX), 4), "4G");
        assert_eq!(count(u64::MAX, 4), "18E");
        assert_eq!(count(u64::MAX, 99), u64::MAX.to_string());
        assert_eq!(counted(1, "CPU"), "1 CPU");
        assert_eq!(counted(1_234_567, "CPU"), "1234567 CPUs");
    }

    #[test]
    fn spans_have_their_two_largest_units() {
        for (seconds, shown) in [
            (42.9, "42s"),
            (62.0, "1m02s"),
            (3_720.0, "1h02m"),
            (273_600.0, "3d04h"),
            (f64::NAN, "0s"),
            (-5.0, "0s"),
        ] {
            assert_eq!(span(seconds), shown);
        }
    }
}
