// SPDX-License-Identifier: GPL-2.0-only
//! The biases of an entry as a plain sequence of as many numbers as there are
//! buckets.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::grid::BUCKETS;

pub fn serialize<S: Serializer>(bias_ns: &[u64; BUCKETS], to: S) -> Result<S::Ok, S::Error> {
    bias_ns.as_slice().serialize(to)
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u64; BUCKETS], D::Error> {
    let bias_ns = Vec::deserialize(from)?;
    bias_ns
        .try_into()
        .map_err(|bias_ns: Vec<u64>| Error::invalid_length(bias_ns.len(), &"48 biases"))
}
