// SPDX-License-Identifier: GPL-2.0-only
//! From values to places along an axis, and the values worth a mark there.

/// How values are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    Linear,
    Log,
    /// Shares below 1, by the logarithm of what is left to 1: 90 %, 99 % and
    /// 99.9 % are equally far apart.
    Nines,
}

/// An axis' scale. Places are in pixels; whatever the value, its place is a
/// number between the ends.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    spread: Spread,
    /// Transformed values at the ends.
    low: f64,
    high: f64,
    /// Places of the ends.
    from: f64,
    to: f64,
}

/// More marks than this crowd an axis.
const MOST_TICKS: usize = 7;

impl Scale {
    /// From 0 to at least all of `values`, and to a round number.
    pub fn linear_from_zero(values: impl IntoIterator<Item = f64>, ends: [f64; 2]) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let most = finite.fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most);
        let high = (most / step).ceil() * step;
        let high = if high.is_finite() { high } else { most };
        Self::new(Spread::Linear, 0.0, high, ends)
    }

    /// From 0 to exactly `high`.
    pub fn linear_to(high: f64, ends: [f64; 2]) -> Self {
        let high = if high.is_finite() && high > 0.0 {
            high
        } else {
            1.0
        };
        Self::new(Spread::Linear, 0.0, high, ends)
    }

    /// Over all `values` that have a logarithm, out to 1, 2 or 5 times a power
    /// of ten.
    pub fn log(values: impl IntoIterator<Item = f64>, ends: [f64; 2]) -> Self {
        let usable = |value: &f64| value.is_finite() && *value >= f64::MIN_POSITIVE;
        let range = values
            .into_iter()
            .filter(usable)
            .fold(None, |range, value| {
                let (low, high) = range.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            });
        let (low, high): (f64, f64) = range.unwrap_or((1.0, 10.0));
        let marks = || (-308..=307).flat_map(decade);
        let low = marks()
            .take_while(|&mark| mark <= low * (1.0 + 1e-9))
            .last();
        let low = low.unwrap_or(f64::MIN_POSITIVE).log10();
        let high = marks().find(|&mark| mark >= high * (1.0 - 1e-9));
        let high = high.unwrap_or(f64::MAX).log10();
        let high = if high > low { high } else { low + 1.0 };
        Self::new(Spread::Log, low, high, ends)
    }

    /// Shares from 0 to what a sample of this size can tell apart, but no
    /// further than 99.99 %.
    pub fn nines(sample: usize, ends: [f64; 2]) -> Self {
        let high = (sample.max(10) as f64).log10().min(4.0);
        Self::new(Spread::Nines, 0.0, high, ends)
    }

    fn new(spread: Spread, low: f64, high: f64, [from, to]: [f64; 2]) -> Self {
        Self {
            spread,
            low,
            high,
            from,
            to,
        }
    }

    /// Where a value is; values beyond the ends, and what is no number, are at
    /// the ends.
    pub fn place(&self, value: f64) -> f64 {
        let transformed = match self.spread {
            Spread::Linear => value,
            Spread::Log => value.max(f64::MIN_POSITIVE).log10(),
            Spread::Nines => -(1.0 - value.min(1.0)).log10(),
        };
        let part = ((transformed - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        let part = if part.is_nan() { 0.0 } else { part };
        self.from + part * (self.to - self.from)
    }

    /// The value at a part of the way, 0 to 1, from the first to the last.
    pub fn value_at(&self, part: f64) -> f64 {
        let transformed = self.low + part * (self.high - self.low);
        match self.spread {
            Spread::Linear => transformed,
            Spread::Log => 10f64.powf(transformed),
            Spread::Nines => 1.0 - 10f64.powf(-transformed),
        }
    }

    /// The values to mark, round ones, in order.
    pub fn ticks(&self) -> Vec<f64> {
        match self.spread {
            Spread::Linear => {
                let step = round_step(self.high);
                let ticks = (0..=2 * MOST_TICKS).map(|index| index as f64 * step);
                ticks
                    .take_while(|&t| t <= self.high * (1.0 + 1e-9))
                    .collect()
            }
            Spread::Log => self.log_ticks(),
            Spread::Nines => [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]
                .into_iter()
                .filter(|share: &f64| -(1.0 - share).log10() <= self.high + 1e-9)
                .collect(),
        }
    }

    /// 1, 2 and 5 times the powers of ten where there is room, else fewer.
    fn log_ticks(&self) -> Vec<f64> {
        let within = |tick: &f64| {
            let log = tick.log10();
            self.low - 1e-9 <= log && log <= self.high + 1e-9
        };
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let all: Vec<f64> = decades.clone().flat_map(decade).filter(within).collect();
        if all.len() <= MOST_TICKS {
            return all;
        }
        let count = (self.high - self.low).ceil() as usize + 1;
        let stride = count.div_ceil(MOST_TICKS).max(1);
        let powers = decades.step_by(stride).map(|power| 10f64.powi(power));
        powers.filter(within).collect()
    }
}

fn decade(power: i32) -> [f64; 3] {
    [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power))
}

/// A round step that divides `high` into no more than so many.
fn round_step(high: f64) -> f64 {
    let least = high / MOST_TICKS as f64;
    let power = least.log10().floor() as i32;
    let steps = (power..=power + 1).flat_map(decade);
    steps
        .into_iter()
        .find(|&step| step >= least)
        .unwrap_or(high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENDS: [f64; 2] = [100.0, 500.0];

    #[test]
    fn log_reaches_out_to_round_numbers() {
        let scale = Scale::log([1.3, 42.0], ENDS);
        assert_eq!(scale.place(1.0), 100.0);
        assert!((scale.place(50.0) - 500.0).abs() < 1e-6);
        assert_eq!(scale.ticks(), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
    }

    #[test]
    fn many_decades_are_marked_sparsely() {
        let scale = Scale::log([1e-6, 1e12], ENDS);
        let ticks = scale.ticks();
        assert!((3..=MOST_TICKS).contains(&ticks.len()), "{ticks:?}");
    }

    #[test]
    fn linear_marks_are_round() {
        let scale = Scale::linear_from_zero([3.0, 17.0], ENDS);
        assert_eq!(scale.ticks(), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(scale.place(10.0), 300.0);
    }

    #[test]
    fn nines_are_equally_far_apart() {
        let scale = Scale::nines(1000, ENDS);
        assert_eq!(scale.ticks(), [0.0, 0.5, 0.9, 0.99, 0.999]);
        let [a, b, c] = [0.9, 0.99, 0.999].map(|share| scale.place(share));
        assert!((b - a - (c - b)).abs() < 1e-6);
        assert!((scale.value_at(1.0) - 0.999).abs() < 1e-9);
    }

    #[test]
    fn values_come_back_from_their_places() {
        for scale in [
            Scale::log([2.0, 900.0], [0.0, 1.0]),
            Scale::linear_to(40.0, [0.0, 1.0]),
            Scale::nines(5000, [0.0, 1.0]),
        ] {
            for part in [0.0, 0.3, 1.0] {
                assert!((scale.place(scale.value_at(part)) - part).abs() < 1e-9);
            }
        }
    }

    proptest! {
        #[test]
        fn any_values_have_places_between_the_ends(
            values in prop::collection::vec(prop::num::f64::ANY, 0..5),
            value: f64,
            sample: usize,
        ) {
            for scale in [
                Scale::log(values.clone(), ENDS),
                Scale::linear_from_zero(values.clone(), ENDS),
                Scale::linear_to(value, ENDS),
                Scale::nines(sample, ENDS),
            ] {
                let place = scale.place(value);
                prop_assert!((100.0..=500.0).contains(&place), "{scale:?} {place}");
                let ticks = scale.ticks();
                prop_assert!(ticks.len() <= 2 * MOST_TICKS + 1);
                prop_assert!(ticks.iter().all(|tick| tick.is_finite()), "{scale:?} {ticks:?}");
            }
        }
    }
}
