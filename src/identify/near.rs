// SPDX-License-Identifier: GPL-2.0-only
//! Which names somebody may have meant.

/// Names less alike than this are not worth mentioning; 1 is the same name.
const ALIKE: f64 = 0.7;

/// The names most like `asked`, at most `count`, the likeliest first.
///
/// A name that contains what was asked for, whatever the case, comes before
/// one that is merely spelt alike. Paths are compared by their last segment
/// too, since that is what people remember.
pub fn near<'a>(
    asked: &str,
    names: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<&'a str> {
    let asked = asked.to_lowercase();
    let mut likely: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(&asked, &name.to_lowercase()), name))
        .filter(|&(likeness, _)| likeness >= ALIKE)
        .collect();
    likely.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(two.1)));
    likely.truncate(count);
    likely.into_iter().map(|(_, name)| name).collect()
}

/// How like a name is to what was asked for: up to 1, and 2 where it contains it.
fn likeness(asked: &str, name: &str) -> f64 {
    if !asked.is_empty() && name.contains(asked) {
        return 2.0;
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    strsim::jaro_winkler(asked, name).max(strsim::jaro_winkler(asked, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 5] = [
        "resize",
        "resize-hd",
        "kubepods/pod-thumbnail",
        "mail",
        "pagerank",
    ];

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        assert_eq!(near("resze", NAMES, 3), ["resize", "resize-hd"]);
        assert_eq!(near("pagernak", NAMES, 3), ["pagerank"]);
    }

    #[test]
    fn a_part_of_a_name_finds_it_in_any_case() {
        assert_eq!(near("Thumb", NAMES, 3), ["kubepods/pod-thumbnail"]);
        assert_eq!(near("pod-tumbnail", NAMES, 1), ["kubepods/pod-thumbnail"]);
    }

    #[test]
    fn what_is_like_nothing_finds_nothing() {
        assert!(near("xyzzy", NAMES, 3).is_empty());
        assert!(near("", NAMES, 3).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked_for(asked in ".*", names in prop::collection::vec(".*", 0..9)) {
            let near = near(&asked, names.iter().map(String::as_str), 3);
            prop_assert!(near.len() <= 3);
        }
    }
}
