// SPDX-License-Identifier: GPL-2.0-only
//! A function's name.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::printable::printable;

/// The longest name, in bytes. The path of a container under Kubernetes has
/// about 200 and so remains whole.
pub const MAX_NAME_BYTES: usize = 256;

/// Bytes kept of either end of a name that is too long. Together with the
/// hash between them, 18 bytes, they stay within [`MAX_NAME_BYTES`].
const KEPT_BYTES: usize = 118;

/// A function's name: 1 to [`MAX_NAME_BYTES`] bytes, all printable. Cheap to
/// clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionName(Arc<str>);

impl FunctionName {
    /// Any text as a name. What cannot be printed is escaped. A text that is
    /// too long keeps its two ends, with a hash of the whole between them, so
    /// that different texts remain different names.
    pub fn new(text: &str) -> Self {
        let text = printable(text);
        if text.is_empty() {
            Self(Arc::from("(empty)"))
        } else if text.len() <= MAX_NAME_BYTES {
            Self(Arc::from(text))
        } else {
            Self(Arc::from(shortened(&text)))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn shortened(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let head = &text[..text.floor_char_boundary(KEPT_BYTES)];
    let tail = &text[text.ceil_char_boundary(text.len() - KEPT_BYTES)..];
    format!("{head}~{:016x}~{tail}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_container_of_kubernetes_keeps_its_whole_path() {
        let path = format!(
            "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{}.slice/cri-containerd-{}.scope",
            "0".repeat(36),
            "f".repeat(64)
        );
        assert_eq!(FunctionName::new(&path).as_str(), path);
    }

    #[test]
    fn long_texts_that_differ_in_the_middle_are_different_names() {
        let name = |middle| {
            let ends = "x".repeat(200);
            FunctionName::new(&format!("{ends}{middle}{ends}"))
        };
        assert_ne!(name("a"), name("b"));
        assert_eq!(name("a"), name("a"));
    }

    #[test]
    fn a_name_pads_in_a_table() {
        assert_eq!(format!("{:4}|", FunctionName::new("ab")), "ab  |");
    }

    proptest! {
        #[test]
        fn every_name_is_short_and_printable(text in "\\PC{0,300}|.{0,300}|\\p{any}{0,300}") {
            let name = FunctionName::new(&text);
            prop_assert!((1..=MAX_NAME_BYTES).contains(&name.as_str().len()));
            prop_assert!(!name.as_str().contains(char::is_control));
            prop_assert_eq!(&FunctionName::new(name.as_str()), &name);
        }
    }
}
