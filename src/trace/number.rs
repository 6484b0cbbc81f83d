// SPDX-License-Identifier: GPL-2.0-only
//! Numbers in a recording.

use super::error::quoted;

/// What a number must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// 0 or more.
    NotNegative,
    /// More than 0.
    Positive,
    /// 0 or more; an empty field and `NaN` are 0.
    PerhapsMissing,
    /// 0, 1, 2 …
    Whole,
}

impl Number {
    /// No time and no count in a recording is larger: 30 years in ns.
    pub const MAX: f64 = 1e18;

    /// The number that `text` is, or what is wrong with it.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let text = text.trim();
        if self == Self::PerhapsMissing && (text.is_empty() || text.eq_ignore_ascii_case("nan")) {
            return Ok(0.0);
        }
        if text.is_empty() {
            return Err("is missing".into());
        }
        let not_a_number = || format!("{} is no number", quoted(text));
        let value: f64 = text.parse().map_err(|_| not_a_number())?;
        if value.is_nan() || value.is_infinite() {
            return Err(not_a_number());
        }
        if value < 0.0 {
            return Err(format!("{} is negative", quoted(text)));
        }
        if value > Self::MAX {
            return Err(format!("{} is too large", quoted(text)));
        }
        match self {
            Self::Positive if value == 0.0 => Err("is 0".into()),
            Self::Whole if value.fract() != 0.0 => Err(format!("{} is not whole", quoted(text))),
            _ => Ok(value),
        }
    }

    /// What to do about a wrong one.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotNegative | Self::PerhapsMissing => "it must be a number, 0 or more",
            Self::Positive => "it must be a number above 0",
            Self::Whole => "it must be a whole number, 0 or more",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_number_says_why() {
        assert_eq!(Number::NotNegative.parse(" 1.5 "), Ok(1.5));
        assert_eq!(Number::PerhapsMissing.parse(""), Ok(0.0));
        assert_eq!(Number::PerhapsMissing.parse("NaN"), Ok(0.0));
        assert_eq!(Number::Whole.parse("816.0"), Ok(816.0));
        for (kind, text, why) in [
            (Number::NotNegative, "", "is missing"),
            (Number::NotNegative, "NaN", "'NaN' is no number"),
            (Number::NotNegative, "inf", "'inf' is no number"),
            (Number::NotNegative, "1e400", "'1e400' is no number"),
            (Number::NotNegative, "-1", "'-1' is negative"),
            (Number::NotNegative, "1e19", "'1e19' is too large"),
            (Number::Positive, "0", "is 0"),
            (Number::Whole, "1.5", "'1.5' is not whole"),
            (Number::PerhapsMissing, "x", "'x' is no number"),
        ] {
            assert_eq!(kind.parse(text), Err(why.to_owned()), "{text:?}");
        }
    }
}
