// SPDX-License-Identifier: GPL-2.0-only
//! What is wrong with a parameter.

use std::error::Error;
use std::fmt;

/// A parameter outside its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamError {
    name: &'static str,
    value: f64,
    range: &'static str,
}

impl ParamError {
    pub(super) fn new(name: &'static str, value: f64, range: &'static str) -> Self {
        Self { name, value, range }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, range } = self;
        // As long as a line, it would say less.
        if value.is_finite() && value.abs() >= 1e15 {
            return write!(out, "{name} is {value:e}, but must be {range}");
        }
        write!(out, "{name} is {value}, but must be {range}")
    }
}

impl Error for ParamError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_parameter_its_value_and_its_range() {
        let error = ParamError::new("gamma", -1.0, "a finite number above 0");
        assert_eq!(
            error.to_string(),
            "gamma is -1, but must be a finite number above 0"
        );
        let error = ParamError::new("gamma", 1e300, "smaller");
        assert_eq!(error.to_string(), "gamma is 1e300, but must be smaller");
    }
}
