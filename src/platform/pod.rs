// SPDX-License-Identifier: GPL-2.0-only
//! A container's pod in Kubernetes, as runtimes keep it.

use crate::identify::{Labels, is_part};

/// Containers that serve a pod's others: what they do is not the function's.
const HELPERS: [&str; 6] = [
    "queue-proxy",   // Knative
    "fetcher",       // Fission
    "istio-proxy",   // meshes
    "linkerd-proxy", //
    "envoy",         //
    "daprd",         // Dapr
];

/// Endings that Kubernetes makes up have these letters (apimachinery,
/// `util/rand`): none that could make a word.
const MADE_UP: &str = "bcdfghjklmnpqrstvwxz2456789";

/// A pod, and a container's place in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod {
    pub namespace: String,
    pub name: String,
    pub container: Option<String>,
    /// The pod's own labels, as its creator wrote them.
    pub labels: Labels,
    /// Whether this is the container that only holds the pod's namespaces.
    pub is_sandbox: bool,
}

impl Pod {
    /// The pod that a container's labels or annotations tell of: those of the
    /// kubelet (with Docker and CRI-O), or those of containerd.
    pub fn of(container: &Labels) -> Option<Self> {
        let first = |keys: [&str; 2]| keys.into_iter().find_map(|key| container.get(key)).cloned();
        let kind = first([
            "io.kubernetes.cri.container-type",
            "io.kubernetes.cri-o.ContainerType",
        ])
        .or_else(|| container.get("io.kubernetes.docker.type").cloned());
        Some(Self {
            namespace: first([
                "io.kubernetes.pod.namespace",
                "io.kubernetes.cri.sandbox-namespace",
            ])?,
            name: first(["io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"])?,
            container: first([
                "io.kubernetes.container.name",
                "io.kubernetes.cri.container-name",
            ]),
            labels: Labels::new(),
            is_sandbox: matches!(kind.as_deref(), Some("sandbox" | "podsandbox")),
        })
    }

    /// The ID of the pod's sandbox, which has the pod's labels.
    pub fn sandbox_of(container: &Labels) -> Option<&str> {
        [
            "io.kubernetes.cri.sandbox-id",
            "io.kubernetes.cri-o.SandboxID",
            "io.kubernetes.sandbox.id",
        ]
        .into_iter()
        .find_map(|key| container.get(key))
        .map(String::as_str)
    }

    /// This container's name, if it serves the pod's others.
    pub fn helper(&self) -> Option<&str> {
        let container = self.container.as_deref()?;
        HELPERS.contains(&container).then_some(container)
    }

    /// What the pods of one workload have in common, and the container:
    /// `NAMESPACE/WORKLOAD/CONTAINER`.
    pub fn function(&self) -> Option<String> {
        let parts = [
            Some(self.namespace.as_str()),
            Some(self.workload()),
            self.container.as_deref(),
        ];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        parts
            .iter()
            .all(|part| is_part(part))
            .then(|| parts.join("/"))
    }

    /// The pod's name without the endings that Kubernetes makes up: of a
    /// Deployment's pod `-HASH-xxxxx`, of a DaemonSet's or a Job's `-xxxxx`, of
    /// a StatefulSet's `-N`.
    fn workload(&self) -> &str {
        let name = &*self.name;
        let Some((rest, last)) = name.rsplit_once('-') else {
            return name;
        };
        if self
            .labels
            .get("statefulset.kubernetes.io/pod-name")
            .is_some_and(|pod| pod == name)
        {
            return rest;
        }
        if last.len() != 5 || !is_made_up(last) {
            return name;
        }
        match rest.rsplit_once('-') {
            Some((workload, hash))
                if self.labels.get("pod-template-hash").map_or(
                    (6..=10).contains(&hash.len()) && is_made_up(hash),
                    |known| known == hash,
                ) =>
            {
                workload
            }
            _ => rest,
        }
    }
}

fn is_made_up(text: &str) -> bool {
    text.chars().all(|c| MADE_UP.contains(c)) && text.contains(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pod(name: &str, labels: &[(&str, &str)]) -> Pod {
        Pod {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
            labels: labels
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            ..Pod::default()
        }
    }

    #[test]
    fn replicas_are_one_workload() {
        for (name, labels, workload) in [
            ("web-5d8f7c9f5b-vxk2q", &[][..], "web"),
            (
                "hello-00001-deployment-5d8f7c9f5b-vxk2q",
                &[],
                "hello-00001-deployment",
            ),
            ("web-7f9-vxk2q", &[("pod-template-hash", "7f9")], "web"),
            ("agent-vxk2q", &[], "agent"),
            (
                "db-0",
                &[("statefulset.kubernetes.io/pod-name", "db-0")],
                "db",
            ),
            ("db-0", &[], "db-0"),
            ("resize-image", &[], "resize-image"),
            ("plain", &[], "plain"),
            ("", &[], ""),
            ("-", &[], "-"),
        ] {
            assert_eq!(pod(name, labels).workload(), workload, "{name}");
        }
    }

    #[test]
    fn a_pod_is_told_by_any_runtime() {
        for (pairs, sandbox) in [
            (
                &[
                    ("io.kubernetes.cri.sandbox-namespace", "ns"),
                    ("io.kubernetes.cri.sandbox-name", "p"),
                    ("io.kubernetes.cri.container-name", "c"),
                    ("io.kubernetes.cri.container-type", "container"),
                    ("io.kubernetes.cri.sandbox-id", "s"),
                ][..],
                false,
            ),
            (
                &[
                    ("io.kubernetes.pod.namespace", "ns"),
                    ("io.kubernetes.pod.name", "p"),
                    ("io.kubernetes.container.name", "c"),
                    ("io.kubernetes.cri-o.ContainerType", "sandbox"),
                    ("io.kubernetes.cri-o.SandboxID", "s"),
                ],
                true,
            ),
            (
                &[
                    ("io.kubernetes.pod.namespace", "ns"),
                    ("io.kubernetes.pod.name", "p"),
                    ("io.kubernetes.container.name", "c"),
                    ("io.kubernetes.docker.type", "podsandbox"),
                    ("io.kubernetes.sandbox.id", "s"),
                ],
                true,
            ),
        ] {
            let labels: Labels = pairs
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let pod = Pod::of(&labels).unwrap();
            assert_eq!(pod.function().unwrap(), "ns/p/c");
            assert_eq!(pod.is_sandbox, sandbox);
            assert_eq!(Pod::sandbox_of(&labels), Some("s"));
        }
        assert_eq!(Pod::of(&Labels::new()), None);
    }

    proptest! {
        #[test]
        fn any_pod_has_a_workload(name in "[a-z0-9-]{0,20}|\\PC{0,20}", hash in "[a-z0-9]{0,6}") {
            let pod = pod(&name, &[("pod-template-hash", &hash)]);
            prop_assert!(name.starts_with(pod.workload()));
            pod.function();
        }
    }
}
