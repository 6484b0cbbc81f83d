// SPDX-License-Identifier: GPL-2.0-only
//! Features of texts: the weight of each term in each text, its frequency
//! there times the logarithm of its rarity (TF-IDF), each text scaled to
//! length 1.

use std::collections::HashMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use regex::Regex;
use serde_json::{Value, json};

use super::{WrongResult, ensure};

const SEED: u64 = 1;
const TEXTS_PER_N: u64 = 100;
const WORDS_PER_TEXT: usize = 100;

const SYLLABLES: [&str; 16] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
];

/// Answers the number of texts and of terms, and the term that weighs most
/// over all texts.
pub fn run(n: u64) -> Result<Value, WrongResult> {
    let texts = n * TEXTS_PER_N;
    let word = Regex::new("[A-Za-z]+").map_err(|error| WrongResult(error.to_string()))?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let mut terms: HashMap<String, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    // Of each term, in how many texts it is.
    let mut texts_with: Vec<u64> = Vec::new();
    let mut counts: Vec<HashMap<usize, u32>> = Vec::new();
    for _ in 0..texts {
        let mut count: HashMap<usize, u32> = HashMap::new();
        for found in word.find_iter(&text(&mut rng)) {
            let term = found.as_str().to_lowercase();
            let number = *terms.entry(term).or_insert_with_key(|term| {
                names.push(term.clone());
                texts_with.push(0);
                names.len() - 1
            });
            *count.entry(number).or_default() += 1;
        }
        for &term in count.keys() {
            texts_with[term] += 1;
        }
        counts.push(count);
    }

    let mut total = vec![0.0; names.len()];
    for count in &counts {
        let weights = weigh(count, &texts_with, texts as f64);
        let length: f64 = weights.iter().map(|(_, weight)| weight * weight).sum();
        ensure((length - 1.0).abs() < 1e-9, || {
            format!("a text has length {length}, not 1")
        })?;
        for (term, weight) in weights {
            total[term] += weight;
        }
    }
    let words: u32 = counts.iter().flat_map(HashMap::values).sum();
    ensure(u64::from(words) == texts * WORDS_PER_TEXT as u64, || {
        format!("{words} words were found in {texts} texts of {WORDS_PER_TEXT}")
    })?;
    let heaviest = total.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let heaviest = heaviest.map(|(term, _)| names[term].as_str());
    Ok(json!({"texts": texts, "terms": names.len(), "heaviest": heaviest}))
}

/// The terms of one text with their weights, in the order of their numbers:
/// sums of floats must not depend on a hash map's order.
fn weigh(count: &HashMap<usize, u32>, texts_with: &[u64], texts: f64) -> Vec<(usize, f64)> {
    let rarity = |term: usize| ((1.0 + texts) / (1.0 + texts_with[term] as f64)).ln() + 1.0;
    let mut weights: Vec<(usize, f64)> = count
        .iter()
        .map(|(&term, &times)| (term, f64::from(times) * rarity(term)))
        .collect();
    weights.sort_unstable_by_key(|&(term, _)| term);
    let length = weights.iter().map(|(_, w)| w * w).sum::<f64>().sqrt();
    for (_, weight) in &mut weights {
        *weight /= length;
    }
    weights
}

/// Words of one to three syllables, the first syllables likelier, between
/// punctuation marks.
fn text(rng: &mut Xoshiro256PlusPlus) -> String {
    let mut text = String::new();
    for _ in 0..WORDS_PER_TEXT {
        for _ in 0..rng.random_range(1..=3) {
            let common = rng.random_range(0..SYLLABLES.len());
            text.push_str(SYLLABLES[rng.random_range(0..=common)]);
        }
        text.push_str([" ", ", ", ". ", " - "][rng.random_range(0..4)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_weighed() {
        let found = run(2).unwrap();
        assert_eq!(found["texts"], 200);
        assert!(found["terms"].as_u64().unwrap() > 500, "{found}");
    }

    #[test]
    fn rare_terms_weigh_more() {
        let count = HashMap::from([(0, 1), (1, 1)]);
        let weights = weigh(&count, &[10, 1], 10.0);
        assert!(weights[1].1 > weights[0].1);
    }
}
