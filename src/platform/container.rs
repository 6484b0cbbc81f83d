// SPDX-License-Identifier: GPL-2.0-only
//! A container, as far as it tells its function; and the function it tells.

use crate::identify::{FunctionName, Identity, LabelKeys, Labels, Source, is_part};

use super::openlambda::Workers;
use super::pod::Pod;

/// OpenLambda's Docker and containerd sandboxes have the worker's `worker_dir`
/// under this key (`dockerutil`, `containerdutil`).
const OPENLAMBDA_LABEL: &str = "ol.cluster";

/// faasd names the containers of this namespace by their functions.
const FAASD_NAMESPACE: &str = "openfaas-fn";

/// A container that a runtime has told of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// `docker`, `containerd`, `cri-o`, `podman`, `runc` or `crun`.
    pub runtime: &'static str,
    /// In containerd, the namespace.
    pub namespace: Option<String>,
    /// Chosen by who started it; an ID that nobody chose is none.
    pub name: Option<String>,
    /// Labels and annotations.
    pub labels: Labels,
    /// In Kubernetes.
    pub pod: Option<Pod>,
}

/// What a container's tasks are, and what that was taken from, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub identity: Identity,
    pub from: String,
}

impl Container {
    /// What the container says it is; `None` where it says nothing.
    pub fn tell(&self, keys: &LabelKeys, workers: &Workers) -> Option<Told> {
        if self.pod.as_ref().is_some_and(|pod| pod.is_sandbox) {
            // It sleeps for as long as the pod lives.
            return Some(Told {
                identity: Identity::Generic,
                from: format!("{}, a pod's sandbox", self.runtime),
            });
        }
        self.by_openlambda(workers)
            .or_else(|| self.by_label(keys))
            .or_else(|| self.by_pod())
            .or_else(|| self.by_name())
    }

    fn by_openlambda(&self, workers: &Workers) -> Option<Told> {
        let worker = workers.of_directory(self.labels.get(OPENLAMBDA_LABEL)?)?;
        Some(self.told(
            worker.function_name.clone(),
            Source::Label,
            format!("label {OPENLAMBDA_LABEL} and {}", worker.file),
        ))
    }

    fn by_label(&self, keys: &LabelKeys) -> Option<Told> {
        let labels = match &self.pod {
            // A container's own may come from its image.
            Some(pod) => &pod.labels,
            None => &self.labels,
        };
        let (mut name, key) = keys.name(labels)?;
        if let Some(pod) = &self.pod {
            if key.is_single() {
                name = format!("{}/{name}", pod.namespace);
            }
            if let Some(helper) = pod.helper() {
                name = format!("{name}/{helper}");
            }
        }
        Some(self.told(name, Source::Label, format!("label {key}")))
    }

    fn by_pod(&self) -> Option<Told> {
        let pod = self.pod.as_ref()?;
        let action = openwhisk_pod(pod).map(|action| format!("{}/{action}", pod.namespace));
        Some(self.told(
            action.or_else(|| pod.function())?,
            Source::PodName,
            format!("pod {}/{}", pod.namespace, pod.name),
        ))
    }

    fn by_name(&self) -> Option<Told> {
        let own = self.name.as_deref().filter(|name| is_part(name))?;
        let name = match &self.namespace {
            _ if self.runtime == "docker" && openwhisk_action(own).is_some() => {
                openwhisk_action(own)?
            }
            Some(namespace) if namespace == FAASD_NAMESPACE => own.to_owned(),
            Some(namespace) => format!("{namespace}/{own}"),
            None => format!("{}/{own}", self.runtime),
        };
        Some(self.told(name, Source::ContainerName, format!("container {own}")))
    }

    fn told(&self, name: String, source: Source, from: String) -> Told {
        Told {
            identity: Identity::Function {
                name: FunctionName::new(&name),
                source,
            },
            from: format!("{}, {from}", self.runtime),
        }
    }
}

/// The namespace and the action that OpenWhisk names a container for:
/// `wsk0_12_guest_hello`, after the invoker and a count. Its spare ones,
/// `wsk0_1_prewarm_nodejs20`, are for any.
fn openwhisk_action(name: &str) -> Option<String> {
    let mut parts = name.strip_prefix("wsk")?.splitn(4, '_');
    let (_, count) = (parts.next()?, parts.next()?);
    let (namespace, action) = (parts.next()?, parts.next()?);
    let is_count = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    (is_count && namespace != "prewarm" && !namespace.is_empty() && !action.is_empty())
        .then(|| format!("{namespace}/{action}"))
}

/// The same of a pod, whose name has dashes for all that cannot be in one:
/// `wskowdev-invoker-00-12-guest-hello`.
fn openwhisk_pod(pod: &Pod) -> Option<&str> {
    let is_actions = pod.labels.get("user-action-pod").map(String::as_str) == Some("true");
    let mut rest = pod.name.strip_prefix("wsk").filter(|_| is_actions)?;
    let mut counted = false;
    loop {
        let (part, after) = rest.split_once('-')?;
        let is_count = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if counted && !is_count {
            return (is_part(rest) && part != "prewarm").then_some(rest);
        }
        counted |= is_count;
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn tell(container: &Container) -> Option<(String, Source, String)> {
        let told = container.tell(&LabelKeys::default(), &Workers::default())?;
        match told.identity {
            Identity::Function { name, source } => Some((name.to_string(), source, told.from)),
            Identity::Generic => Some(("generic".to_owned(), Source::LeafCgroup, told.from)),
        }
    }

    fn named(runtime: &'static str, namespace: Option<&str>, name: &str) -> Container {
        Container {
            runtime,
            namespace: namespace.map(str::to_owned),
            name: Some(name.to_owned()),
            ..Container::default()
        }
    }

    #[test]
    fn a_label_goes_before_the_name() {
        let mut container = named("docker", None, "fib-1");
        container.labels = labels(&[("faas_function", "fib")]);
        let (name, source, from) = tell(&container).unwrap();
        assert_eq!((&*name, source), ("fib", Source::Label));
        assert_eq!(from, "docker, label faas_function");
    }

    #[test]
    fn without_labels_the_name_names() {
        for (container, expected) in [
            (named("docker", None, "fib"), "docker/fib"),
            (named("podman", None, "fib"), "podman/fib"),
            (named("runc", None, "fib"), "runc/fib"),
            (named("containerd", Some("default"), "fib"), "default/fib"),
            (named("containerd", Some("openfaas-fn"), "fib"), "fib"),
            (
                named("docker", None, "wsk0_12_guest_hello_world"),
                "guest/hello_world",
            ),
            (
                named("docker", None, "wsk0_1_prewarm_nodejs20"),
                "docker/wsk0_1_prewarm_nodejs20",
            ),
        ] {
            let (name, source, _) = tell(&container).unwrap();
            assert_eq!((&*name, source), (expected, Source::ContainerName));
        }
        for name in ["", "a/b", "a\n"] {
            assert_eq!(tell(&named("docker", None, name)), None);
        }
        assert_eq!(tell(&Container::default()), None);
    }

    #[test]
    fn a_pods_labels_name_within_its_namespace() {
        let mut container = Container {
            runtime: "containerd",
            // From the image: of no account in a pod.
            labels: labels(&[("faas_function", "victim")]),
            pod: Some(Pod {
                namespace: "shop".to_owned(),
                name: "hello-00001-deployment-5d8f7c9f5b-vxk2q".to_owned(),
                container: Some("user-container".to_owned()),
                labels: labels(&[("serving.knative.dev/service", "hello")]),
                is_sandbox: false,
            }),
            ..Container::default()
        };
        assert_eq!(tell(&container).unwrap().0, "shop/hello");
        let pod = container.pod.as_mut().unwrap();
        pod.container = Some("queue-proxy".to_owned());
        assert_eq!(tell(&container).unwrap().0, "shop/hello/queue-proxy");
        let pod = container.pod.as_mut().unwrap();
        pod.container = Some("x".to_owned());
        pod.labels = labels(&[("functionNamespace", "ns"), ("functionName", "f")]);
        assert_eq!(tell(&container).unwrap().0, "ns/f");
        container.pod.as_mut().unwrap().labels = Labels::new();
        let (name, source, _) = tell(&container).unwrap();
        assert_eq!(
            (&*name, source),
            ("shop/hello-00001-deployment/x", Source::PodName)
        );
        container.pod.as_mut().unwrap().is_sandbox = true;
        assert_eq!(tell(&container).unwrap().0, "generic");
    }

    #[test]
    fn a_pod_of_openwhisk_is_its_action() {
        let of = |name: &str, labels: &[(&str, &str)]| {
            let container = Container {
                runtime: "containerd",
                pod: Some(Pod {
                    namespace: "openwhisk".to_owned(),
                    name: name.to_owned(),
                    labels: self::labels(labels),
                    ..Pod::default()
                }),
                ..Container::default()
            };
            tell(&container).unwrap().0
        };
        let actions = [("user-action-pod", "true")];
        for (name, expected) in [
            ("wskowdev-invoker-00-12-guest-hello", "guest-hello"),
            ("wsk0-7-guest-2-x", "guest-2-x"),
            (
                "wskowdev-invoker-00-1-prewarm-nodejs",
                "wskowdev-invoker-00-1-prewarm-nodejs",
            ),
            ("wsk", "wsk"),
            ("wsk-1", "wsk-1"),
        ] {
            assert_eq!(of(name, &actions), format!("openwhisk/{expected}"));
        }
        assert_eq!(of("wsk0-7-guest-x", &[]), "openwhisk/wsk0-7-guest-x");
    }

    #[test]
    fn a_sandbox_of_openlambda_is_its_workers_function() {
        let workers = Workers::of_one("w1/config.json", "/ol/w1/worker", "fib");
        let mut container = named("docker", None, "nostalgic_curie");
        container.labels = labels(&[(OPENLAMBDA_LABEL, "/ol/w1/worker")]);
        let told = container.tell(&LabelKeys::default(), &workers).unwrap();
        assert_eq!(told.identity.to_string(), "fib (label)");
        assert!(told.from.contains("w1/config.json"), "{}", told.from);
        container.runtime = "containerd";
        container.namespace = Some("openlambda".to_owned());
        let told = container.tell(&LabelKeys::default(), &workers).unwrap();
        assert_eq!(told.identity.to_string(), "fib (label)");
        (container.runtime, container.namespace) = ("docker", None);
        container.labels = labels(&[(OPENLAMBDA_LABEL, "/ol/w2/worker")]);
        let told = container.tell(&LabelKeys::default(), &workers).unwrap();
        assert_eq!(
            told.identity.to_string(),
            "docker/nostalgic_curie (container name)"
        );
    }
}
