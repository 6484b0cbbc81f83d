// SPDX-License-Identifier: GPL-2.0-only
//! Which labels of a container or a pod name its function.

use std::collections::BTreeMap;
use std::fmt;

use super::printable::is_printable;

/// Labels or annotations, as a runtime keeps them.
pub type Labels = BTreeMap<String, String>;

/// The most entries a list of keys may have.
pub const MAX_LABEL_KEYS: usize = 64;

/// The longest key, in bytes; Kubernetes' have at most 317.
pub const MAX_LABEL_KEY_BYTES: usize = 512;

/// By platform; the first whose labels are all there names the function.
const USUAL: [&[&str]; 9] = [
    &["scx_alps.function"],
    // Knative Serving: of a service, and of a configuration without one.
    &["serving.knative.dev/service"],
    &["serving.knative.dev/configuration"],
    // OpenFaaS on Kubernetes.
    &["faas_function"],
    // Fission, whose pods are in a namespace of the environment's.
    &["functionNamespace", "functionName"],
    &["nuclio.io/function-name"],
    // Services of several containers on Docker and podman.
    &["com.docker.swarm.service.name"],
    &["com.docker.compose.project", "com.docker.compose.service"],
    &["io.podman.compose.project", "io.podman.compose.service"],
];

/// Label keys that name functions, in the order they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelKeys(Vec<LabelKey>);

/// Keys whose values, joined by `/`, name a function; mostly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelKey(Vec<String>);

impl LabelKey {
    /// # Errors
    /// What is wrong with a key, in words: none at all, one that is empty, too
    /// long or does not print.
    pub fn new(keys: Vec<String>) -> Result<Self, String> {
        if keys.is_empty() {
            return Err("no key".to_owned());
        }
        for key in &keys {
            if key.is_empty() || key.len() > MAX_LABEL_KEY_BYTES || !key.chars().all(is_printable) {
                return Err(format!(
                    "{key:?} is no label's key: it has 1 to {MAX_LABEL_KEY_BYTES} bytes that print"
                ));
            }
        }
        Ok(Self(keys))
    }

    /// Whether the value of one label is the name; who may choose it in a
    /// namespace of his own may then only name functions of that namespace.
    pub fn is_single(&self) -> bool {
        self.0.len() == 1
    }

    /// The name, where all labels are there and can be parts of one.
    fn name(&self, labels: &Labels) -> Option<String> {
        let values = self.0.iter().map(|key| {
            let value = labels.get(key)?;
            is_part(value).then_some(value.as_str())
        });
        Some(values.collect::<Option<Vec<&str>>>()?.join("/"))
    }
}

impl fmt::Display for LabelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" and "))
    }
}

impl LabelKeys {
    pub fn new(keys: Vec<LabelKey>) -> Self {
        Self(keys)
    }

    /// The name that labels give, and by which key.
    pub fn name(&self, labels: &Labels) -> Option<(String, &LabelKey)> {
        self.0.iter().find_map(|key| Some((key.name(labels)?, key)))
    }
}

impl Default for LabelKeys {
    fn default() -> Self {
        let key = |keys: &[&str]| LabelKey(keys.iter().map(|&key| key.to_owned()).collect());
        Self(USUAL.into_iter().map(key).collect())
    }
}

/// Whether a label's value may be a part of a name. One with a `/` could pass
/// for two, and one that does not print is nobody's name.
pub fn is_part(value: &str) -> bool {
    !value.is_empty()
        && value
            .chars()
            .all(|c| c != '/' && !c.is_control() && is_printable(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(labels: &[(&str, &str)]) -> Option<(String, String)> {
        let labels = labels
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let keys = LabelKeys::default();
        keys.name(&labels)
            .map(|(name, key)| (name, key.to_string()))
    }

    #[test]
    fn each_platform_has_its_label() {
        for (labels, expected) in [
            (&[("serving.knative.dev/service", "hello")][..], "hello"),
            (&[("serving.knative.dev/configuration", "c")], "c"),
            (&[("faas_function", "fib")], "fib"),
            (&[("nuclio.io/function-name", "n")], "n"),
            (
                &[("functionName", "f"), ("functionNamespace", "ns")],
                "ns/f",
            ),
            (
                &[
                    ("com.docker.compose.service", "web"),
                    ("com.docker.compose.project", "shop"),
                ],
                "shop/web",
            ),
            (
                &[("faas_function", "fib"), ("scx_alps.function", "mine")],
                "mine",
            ),
        ] {
            assert_eq!(name(labels).unwrap().0, expected);
        }
        assert_eq!(name(&[("functionName", "f")]), None);
        assert_eq!(name(&[("app", "x")]), None);
    }

    #[test]
    fn what_is_no_name_is_passed_over() {
        for value in ["", "other/function", "a\nb", "a\u{202e}b"] {
            assert_eq!(name(&[("faas_function", value)]), None, "{value:?}");
            let second = [("faas_function", value), ("nuclio.io/function-name", "n")];
            assert_eq!(name(&second).unwrap().0, "n");
        }
    }

    #[test]
    fn a_key_must_be_one() {
        for keys in [&[][..], &[""], &["a", "b\n"]] {
            let keys = keys.iter().map(|&key| key.to_owned()).collect();
            assert!(LabelKey::new(keys).is_err());
        }
        assert!(LabelKey::new(vec!["x".repeat(MAX_LABEL_KEY_BYTES + 1)]).is_err());
        let both = LabelKey::new(vec!["a".to_owned(), "b".to_owned()]).unwrap();
        assert_eq!(both.to_string(), "a and b");
        assert!(!both.is_single());
    }
}
