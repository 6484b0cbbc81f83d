// SPDX-License-Identifier: GPL-2.0-only
//! What a built-in function is called with: `{"n": "30", "id": "20", "job": "fib"}`.

use std::fmt;

use serde_json::Value;

use super::Builtin;

/// Longest `id`.
const MAX_ID_BYTES: usize = 256;

/// A checked event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub n: u64,
    /// Given back with the answer, as it came.
    pub id: Option<Value>,
}

/// Why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError(String);

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EventError {}

impl Event {
    /// Takes what `builtin` needs from a request's JSON. A number may be
    /// written as text; other keys do not matter.
    ///
    /// # Errors
    /// When `n` is not there, no whole number or too large, and when `id` is
    /// neither text nor a number.
    pub fn of(builtin: Builtin, json: &Value) -> Result<Self, EventError> {
        let Value::Object(object) = json else {
            return Err(EventError(format!(
                "the event is {}, and {} needs an object such as {{\"n\": \"30\"}}",
                kind(json),
                builtin.name()
            )));
        };
        let number = match object.get("n") {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(other) => {
                return Err(EventError(format!(
                    "'n' is {}; pass a whole number such as 30",
                    kind(other)
                )));
            }
            None => {
                return Err(EventError(format!(
                    "'n' is missing; {} needs a whole number such as 30",
                    builtin.name()
                )));
            }
        };
        let n = number
            .filter(|&n| n <= builtin.max_n())
            .ok_or_else(|| EventError(format!("'n' must be 0 to {}", builtin.max_n())))?;
        let id = match object.get("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.len() > MAX_ID_BYTES => {
                return Err(EventError(format!(
                    "'id' has {} bytes, more than {MAX_ID_BYTES}",
                    text.len()
                )));
            }
            Some(id @ (Value::String(_) | Value::Number(_))) => Some(id.clone()),
            Some(other) => {
                return Err(EventError(format!(
                    "'id' is {}; pass text or a number",
                    kind(other)
                )));
            }
        };
        Ok(Self { n, id })
    }
}

fn kind(json: &Value) -> &'static str {
    match json {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(json: &Value) -> Result<Event, EventError> {
        Event::of(Builtin::Fib, json)
    }

    #[test]
    fn numbers_may_be_text() {
        let wanted = |id| Event { n: 30, id };
        assert_eq!(event(&json!({"n": 30})), Ok(wanted(None)));
        assert_eq!(
            event(&json!({"n": "30", "id": "20", "job": "fib"})),
            Ok(wanted(Some("20".into())))
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (json, what) in [
            (json!(null), "the event is null"),
            (json!([1]), "the event is a list"),
            (json!({}), "'n' is missing"),
            (json!({"n": [1]}), "'n' is a list"),
            (json!({"n": -1}), "'n' must be 0 to 93"),
            (json!({"n": 1.5}), "'n' must be 0 to 93"),
            (json!({"n": "94"}), "'n' must be 0 to 93"),
            (json!({"n": ""}), "'n' must be 0 to 93"),
            (json!({"n": 1, "id": {}}), "'id' is an object"),
            (json!({"n": 1, "id": "x".repeat(257)}), "'id' has 257 bytes"),
        ] {
            let error = event(&json).unwrap_err().to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_an_event_or_an_error(text in "\\PC{0,80}", n in any::<i64>()) {
            for builtin in Builtin::ALL {
                let _ = Event::of(builtin, &Value::String(text.clone()));
                if let Ok(event) = Event::of(builtin, &json!({"n": text.clone(), "id": n})) {
                    prop_assert!(event.n <= builtin.max_n());
                }
                let taken = Event::of(builtin, &json!({"n": n})).is_ok();
                prop_assert_eq!(taken, u64::try_from(n).is_ok_and(|n| n <= builtin.max_n()));
            }
        }
    }
}
