// SPDX-License-Identifier: GPL-2.0-only
//! A policy table to be kept: its entries under the names of their functions.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::table::{LEAST_SLICE_NS, PolicyEntry, PolicyTable};
use crate::invocation::FunctionId;

/// A policy table whose entries go by name and not by slot, because slots mean
/// nothing outside the daemon that gave them out.
///
/// As JSON:
///
/// ```json
/// {
///   "format": 2,
///   "made_by": { "policy": "alps", "predictor": "gittins for response",
///                "bias_factor": 16.0, "max_bias_ns": 16000000000 },
///   "prior": { "bias_ns": [48 numbers], "slice_ns": 0, "rank": 9,
///              "samples": 72, "predicted_ns": 44000000 },
///   "functions": { "resize": { "bias_ns": [48 numbers], … }, … }
/// }
/// ```
///
/// with the fields of [`PolicyEntry`], times in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedTable {
    format: u32,
    made_by: MadeBy,
    prior: PolicyEntry,
    functions: BTreeMap<String, PolicyEntry>,
}

/// What the biases of a table were made by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeBy {
    /// The policy's name.
    pub policy: String,
    pub predictor: String,
    /// `K` in force.
    pub bias_factor: f64,
    /// No bias exceeds it.
    pub max_bias_ns: u64,
}

/// Raised when older files can no longer be read.
const FORMAT: u32 = 2;

/// Of any form of the file, to tell older ones from what is no table.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

impl NamedTable {
    /// The entries of all functions that have a name. Of two functions with
    /// one name, that in the higher slot is kept.
    pub fn new<'a>(
        table: &PolicyTable,
        made_by: MadeBy,
        mut name: impl FnMut(FunctionId) -> Option<&'a str>,
    ) -> Self {
        let functions = (1..)
            .map_while(FunctionId::new)
            .zip(table.entries().iter().skip(1))
            .filter_map(|(id, entry)| Some((name(id)?.to_owned(), entry.clone())))
            .collect();
        Self {
            format: FORMAT,
            made_by,
            prior: table.entries().first().cloned().unwrap_or_default(),
            functions,
        }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// Where the text is not JSON, not of this form, or of another format.
    pub fn parse(text: &str) -> Result<Self, NamedTableError> {
        let AnyFormat { format } = serde_json::from_str(text).map_err(NamedTableError::Json)?;
        if format != FORMAT {
            return Err(NamedTableError::Format(format));
        }
        serde_json::from_str(text).map_err(NamedTableError::Json)
    }

    /// What its biases were made by.
    pub fn made_by(&self) -> &MadeBy {
        &self.made_by
    }

    /// How many functions there are, the prior not counted.
    pub fn len(&self) -> usize {
        self.functions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// All functions' names and entries, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PolicyEntry)> {
        let functions = self.functions.iter();
        functions.map(|(name, entry)| (name.as_str(), entry))
    }

    /// The entry of functions that have none of their own.
    pub fn prior(&self) -> &PolicyEntry {
        &self.prior
    }

    /// Whether there is an entry under this name.
    pub fn contains(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// The table for functions given by slot, from slot 1 on: each has the
    /// entry under its name, or the prior's, of which it has shown nothing.
    /// Slices too short to be of use are as long as the shortest that are.
    pub fn by_slot<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> PolicyTable {
        let unlearned = PolicyEntry {
            samples: 0,
            ..self.prior.clone()
        };
        let learned = |name| self.functions.get(name).filter(|entry| entry.samples > 0);
        let named = names
            .into_iter()
            .map(|name| learned(name).unwrap_or(&unlearned));
        let mut entries: Vec<_> = std::iter::once(&self.prior).chain(named).cloned().collect();
        for entry in entries.iter_mut().filter(|entry| entry.slice_ns > 0) {
            entry.slice_ns = entry.slice_ns.max(LEAST_SLICE_NS);
        }
        PolicyTable::new(entries)
    }
}

/// Why a text is no policy table.
#[derive(Debug)]
pub enum NamedTableError {
    Json(serde_json::Error),
    Format(u32),
}

impl fmt::Display for NamedTableError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(
                out,
                "no policy table: {error}; write one with 'scx_alps policy --save FILE'"
            ),
            Self::Format(format) => write!(
                out,
                "a policy table of format {format}, and this version reads format {FORMAT}; \
                 write one with 'scx_alps policy --save FILE'"
            ),
        }
    }
}

impl Error for NamedTableError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::BUCKETS;

    fn entry(bias: u64) -> PolicyEntry {
        PolicyEntry {
            bias_ns: [bias; BUCKETS],
            slice_ns: bias * LEAST_SLICE_NS,
            rank: 3,
            samples: 7,
            predicted_ns: bias,
        }
    }

    fn made_by() -> MadeBy {
        MadeBy {
            policy: "alps".to_owned(),
            predictor: "avg".to_owned(),
            bias_factor: 16.0,
            max_bias_ns: 1_000,
        }
    }

    fn named() -> NamedTable {
        let table = PolicyTable::new(vec![entry(1), entry(10), entry(20), entry(30)]);
        NamedTable::new(&table, made_by(), |id| {
            [None, Some("a"), None, Some("c")][id.slot()]
        })
    }

    #[test]
    fn it_survives_being_kept() {
        let text = serde_json::to_string(&named()).unwrap();
        assert_eq!(NamedTable::parse(&text).unwrap(), named());
    }

    #[test]
    fn entries_find_their_functions_by_name() {
        let named = named();
        assert_eq!((named.len(), named.contains("a")), (2, true));
        let table = named.by_slot(["c", "unheard of", "a"]);
        let unlearned = PolicyEntry {
            samples: 0,
            ..entry(1)
        };
        assert_eq!(table.entries(), [entry(1), entry(30), unlearned, entry(10)]);
    }

    #[test]
    fn a_slice_too_short_is_made_longer() {
        let mut short = entry(1);
        for (slice_ns, expected_ns) in [(0, 0), (1, LEAST_SLICE_NS), (u64::MAX, u64::MAX)] {
            short.slice_ns = slice_ns;
            let table = PolicyTable::new(vec![entry(1), short.clone()]);
            let table = NamedTable::new(&table, made_by(), |_| Some("a")).by_slot(["a"]);
            assert_eq!(table.entries()[1].slice_ns, expected_ns);
        }
    }

    #[test]
    fn what_has_no_samples_is_as_good_as_not_there() {
        let unseen = PolicyEntry {
            samples: 0,
            ..entry(9)
        };
        let table = PolicyTable::new(vec![entry(1), unseen]);
        let table = NamedTable::new(&table, made_by(), |_| Some("a")).by_slot(["a"]);
        assert_eq!(table.entries()[1].bias_ns, entry(1).bias_ns);
    }

    #[test]
    fn a_table_with_no_entries_is_kept_too() {
        let named = NamedTable::new(&PolicyTable::default(), made_by(), |_| None);
        assert!(named.is_empty());
        assert_eq!(named.by_slot([]).entries(), [PolicyEntry::default()]);
    }

    #[test]
    fn what_is_no_table_is_an_error_that_says_what_to_do() {
        let good = serde_json::to_string(&named()).unwrap();
        let long = good.replacen("[1,", "[1,1,", 1);
        let short = good.replacen("[1,", "[", 1);
        let negative = good.replacen("[1,", "[-1,", 1);
        let truncated = &good[..good.len() / 2];
        for text in ["", "{}", "[]", "\0", truncated, &long, &short, &negative] {
            let error = NamedTable::parse(text).unwrap_err().to_string();
            assert!(error.contains("scx_alps policy --save"), "{error}");
        }
        for other in [
            &good.replacen("\"format\":2", "\"format\":3", 1),
            r#"{"format": 3}"#,
        ] {
            let error = NamedTable::parse(other).unwrap_err().to_string();
            assert!(error.contains("format 3"), "{error}");
        }
    }
}
