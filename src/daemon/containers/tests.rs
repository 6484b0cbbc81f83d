// SPDX-License-Identifier: GPL-2.0-only
//! Runtimes' files, as the runtimes write them, below a folder of the test's.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use proptest::prelude::*;
use scx_alps::identify::{Identity, LabelKeys};
use scx_alps::platform::openlambda::Workers;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

/// A machine with runtimes and a hierarchy of cgroups.
struct Machine {
    root: TempDir,
    runtimes: Runtimes,
    /// What runtimes write beside what we need.
    more: Value,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mount = root.path().join("sys/fs/cgroup");
        fs::create_dir_all(&mount).unwrap();
        let runtimes = Runtimes::below(root.path(), &mount);
        Self {
            root,
            runtimes,
            more: json!(null),
        }
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn docker(&self, id: &str, name: &str, labels: Value) {
        let record = json!({"ID": id, "Name": format!("/{name}"), "State": {"Running": true}, "MountPoints": self.more,
            "Config": {"Hostname": "h", "Env": ["A=B"], "Labels": labels}});
        self.write(
            &format!("var/lib/docker/containers/{id}/config.v2.json"),
            record.to_string(),
        );
    }

    fn bundle(&self, namespace: &str, id: &str, cgroups_path: &str, annotations: Value) {
        let path = format!("run/containerd/io.containerd.runtime.v2.task/{namespace}/{id}");
        self.write(
            &format!("{path}/config.json"),
            self.bundled(cgroups_path, annotations).to_string(),
        );
    }

    fn bundled(&self, cgroups_path: &str, annotations: Value) -> Value {
        let mut bundle = bundle(cgroups_path, annotations);
        bundle["mounts"] = self.more.clone();
        bundle
    }

    fn stored(&self, id: &str, cgroups_path: &str, annotations: Value) {
        self.write(
            &format!("var/lib/containers/storage/overlay-containers/{id}/userdata/config.json"),
            self.bundled(cgroups_path, annotations).to_string(),
        );
    }

    fn runc(&self, folder: &str, name: &str, cgroup: &str, labels: Value) {
        let mount = self.root.path().join("sys/fs/cgroup");
        let state = json!({"id": name, "init_process_pid": 7,
            "cgroup_paths": {"": format!("{}{cgroup}", mount.display())},
            "config": {"rootfs": "/r", "labels": labels, "mounts": self.more}});
        self.write(&format!("{folder}/{name}/state.json"), state.to_string());
    }

    /// The name of the function, or what else was found.
    fn name(&mut self, path: &str) -> String {
        let Found::Container { container, cgroup } = self.runtimes.look_up(path) else {
            return format!("{:?}", self.runtimes.look_up(path));
        };
        assert!(path.starts_with(&cgroup));
        match container.tell(&LabelKeys::default(), &Workers::default()) {
            Some(told) => match told.identity {
                Identity::Function { name, .. } => name.to_string(),
                Identity::Generic => "generic".to_owned(),
            },
            None => "nameless".to_owned(),
        }
    }
}

/// The CPU time of this thread: the files are in memory, and others may be busy.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .unwrap()
        .into()
}

fn bundle(cgroups_path: &str, annotations: Value) -> Value {
    json!({"ociVersion": "1.0.2", "process": {"args": ["x"]}, "annotations": annotations,
        "linux": {"cgroupsPath": cgroups_path, "namespaces": [{"type": "pid"}]}})
}

fn id(n: u32) -> String {
    format!("{n:064x}")
}

#[test]
fn containers_of_docker_have_dockers_names_and_labels() {
    let mut machine = Machine::new();
    machine.docker(&id(1), "fib-1", json!({"faas_function": "fib"}));
    machine.docker(&id(2), "plain", json!(null));
    for (path, name) in [
        (format!("/docker/{}", id(1)), "fib"),
        (format!("/system.slice/docker-{}.scope", id(1)), "fib"),
        (format!("/system.slice/docker-{}.scope/a/b", id(1)), "fib"),
        (format!("/functions/{}", id(2)), "docker/plain"),
    ] {
        assert_eq!(machine.name(&path), name, "{path}");
    }
    let unknown = format!("/docker/{}", id(3));
    assert_eq!(
        machine.runtimes.look_up(&format!("{unknown}/x")),
        Found::Unrecorded(unknown)
    );
}

#[test]
fn containers_of_containerd_have_their_bundles() {
    let mut machine = Machine::new();
    machine.bundle(
        "default",
        "hello-1",
        "/default/hello-1",
        json!({"serving.knative.dev/service": "hello"}),
    );
    machine.bundle("openfaas-fn", "fib", "/openfaas-fn/fib", json!({}));
    let nerdctl = id(5);
    machine.bundle(
        "prod",
        &nerdctl,
        &format!("system.slice:nerdctl:{nerdctl}"),
        json!({"nerdctl/name": "web"}),
    );
    for (path, name) in [
        ("/default/hello-1", "hello"),
        ("/default/hello-1/nested/deeper", "hello"),
        ("/openfaas-fn/fib", "fib"),
        (
            &format!("/system.slice/nerdctl-{nerdctl}.scope"),
            "prod/web",
        ),
        ("/default/other", "Nothing"),
        ("/system.slice/ssh.service", "Nothing"),
    ] {
        assert_eq!(machine.name(path), name, "{path}");
    }
    // A cgroup of that name elsewhere is not the container's.
    machine.bundle("default", "moved", "/elsewhere/moved", json!({}));
    assert_eq!(machine.name("/default/moved"), "Nothing");
}

#[test]
fn containers_of_pods_are_told_by_the_pod() {
    let mut machine = Machine::new();
    let pod = "kubepods-burstable-pod12345678_1234_1234_1234_123456789abc.slice";
    let kubepods = format!("/kubepods.slice/kubepods-burstable.slice/{pod}");
    let annotations = |kind: &str, container: Option<&str>| {
        json!({"io.kubernetes.cri.container-type": kind,
            "io.kubernetes.cri.container-name": container,
            "io.kubernetes.cri.sandbox-id": id(1),
            "io.kubernetes.cri.sandbox-namespace": "shop",
            "io.kubernetes.cri.sandbox-name": "web-5d8f7c9f5b-vxk2q"})
    };
    for (n, kind, container) in [(1, "sandbox", None), (2, "container", Some("nginx"))] {
        machine.bundle(
            "k8s.io",
            &id(n),
            &format!("{pod}:cri-containerd:{}", id(n)),
            annotations(kind, container),
        );
    }
    let path = |n| format!("{kubepods}/cri-containerd-{}.scope", id(n));
    assert_eq!(machine.name(&path(1)), "generic");
    assert_eq!(machine.name(&path(2)), "shop/web/nginx");

    // CRI-O has the pod's labels in its sandbox's bundle.
    let labels = |container: &str| {
        json!({"io.kubernetes.pod.name": "hello-1", "io.kubernetes.pod.namespace": "shop",
            "io.kubernetes.container.name": container,
            "serving.knative.dev/service": "hello"})
    };
    for (n, kind, container) in [(3, "sandbox", "POD"), (4, "container", "user-container")] {
        machine.stored(
            &id(n),
            &format!("{pod}:crio:{}", id(n)),
            json!({"io.kubernetes.cri-o.ContainerType": kind,
                "io.kubernetes.cri-o.SandboxID": id(3),
                "io.kubernetes.cri-o.Labels": labels(container).to_string()}),
        );
    }
    let path = |n| format!("{kubepods}/crio-{}.scope", id(n));
    assert_eq!(machine.name(&path(3)), "generic");
    assert_eq!(machine.name(&path(4)), "shop/hello");

    // Docker under Kubernetes, with the cgroupfs driver.
    machine.docker(
        &id(6),
        "k8s_POD_x",
        json!({"io.kubernetes.docker.type": "podsandbox", "faas_function": "fib",
            "io.kubernetes.pod.name": "p", "io.kubernetes.pod.namespace": "openfaas-fn"}),
    );
    machine.docker(
        &id(7),
        "k8s_fib_x",
        json!({"io.kubernetes.docker.type": "container", "io.kubernetes.sandbox.id": id(6),
            "io.kubernetes.pod.name": "p", "io.kubernetes.pod.namespace": "openfaas-fn",
            "io.kubernetes.container.name": "fib"}),
    );
    let path = format!("/kubepods/besteffort/pod1/{}", id(7));
    assert_eq!(machine.name(&path), "openfaas-fn/fib");
}

#[test]
fn containers_of_podman_have_annotations_and_a_name() {
    let mut machine = Machine::new();
    machine.stored(
        &id(1),
        &format!("machine.slice:libpod:{}", id(1)),
        json!({"faas_function": "fib"}),
    );
    machine.stored(
        &id(2),
        &format!("/libpod_parent/libpod-{}", id(2)),
        json!({}),
    );
    let list = |name: &str| json!([{"id": id(2), "names": [name], "metadata": "{}"}, {"id": 7}]);
    let file = "var/lib/containers/storage/overlay-containers/containers.json";
    machine.write(file, list("web").to_string());
    let slice = format!("/machine.slice/libpod-{}.scope/container", id(1));
    assert_eq!(machine.name(&slice), "fib");
    let other = format!("/libpod_parent/libpod-{}", id(2));
    assert_eq!(machine.name(&other), "podman/web");
    // Its runtime's state tells of the same cgroup, and of less.
    machine.write(
        &format!("run/crun/{}/status", id(2)),
        json!({"cgroup-path": other, "bundle": "/b"}).to_string(),
    );
    machine.write(file, list("renamed").to_string());
    assert_eq!(machine.name(&other), "podman/renamed");
}

#[test]
fn containers_of_runc_and_crun_may_be_anywhere() {
    let mut machine = Machine::new();
    assert_eq!(machine.name("/thumb-1"), "Nothing");
    machine.runc(
        "run/runc",
        "thumb-1",
        "/thumb-1",
        json!(["faas_function=thumb", "bundle=/b"]),
    );
    machine.runc("run/runc", "plain", "/a/b/c", json!(["bundle=/b"]));
    machine.write(
        "run/crun/c1/status",
        json!({"pid": 1, "cgroup-path": "/system.slice/crun-c1.scope/container", "bundle": "/b"})
            .to_string(),
    );
    machine.write(
        "run/crun/c1/config.json",
        bundle("", json!({"nuclio.io/function-name": "n"})).to_string(),
    );
    // Elsewhere than its name says, and so known by its state only.
    machine.bundle(
        "default",
        "moved",
        "/x/y",
        json!({"faas_function": "moved"}),
    );
    machine.runc("run/containerd/runc/default", "moved", "/x/y", json!([]));
    for (path, name) in [
        ("/thumb-1", "thumb"),
        ("/thumb-1/nested", "thumb"),
        ("/a/b/c/d", "runc/plain"),
        ("/a/b", "Nothing"),
        ("/system.slice/crun-c1.scope", "n"),
        ("/system.slice/crun-c1.scope/container", "n"),
        ("/x/y", "moved"),
    ] {
        assert_eq!(machine.name(path), name, "{path}");
    }
    // Gone with its state.
    fs::remove_dir_all(machine.root.path().join("run/runc/plain")).unwrap();
    assert_eq!(machine.name("/a/b/c"), "Nothing");
}

#[test]
fn a_state_that_is_not_yet_written_may_be_anybodys() {
    let mut machine = Machine::new();
    fs::create_dir_all(machine.root.path().join("run/runc/new")).unwrap();
    assert_eq!(machine.runtimes.look_up("/new"), Found::Perhaps);
    machine.write("run/runc/new/state.json", "{\"id\": \"ne");
    assert_eq!(machine.runtimes.look_up("/new"), Found::Perhaps);
    machine.runc("run/runc", "new", "/new", json!([]));
    assert_eq!(machine.name("/new"), "runc/new");
}

#[test]
fn nobody_in_a_container_passes_for_another() {
    let mut machine = Machine::new();
    machine.docker(&id(1), "victim", json!({"faas_function": "victim"}));
    machine.docker(&id(2), "attacker", json!({}));
    machine.runc("run/runc", "attacker", "/attacker", json!([]));
    for (outer, name) in [
        (format!("/docker/{}", id(2)), "docker/attacker"),
        ("/attacker".to_owned(), "runc/attacker"),
        (
            format!("/system.slice/docker-{}.scope", id(9)),
            "Unrecorded",
        ),
    ] {
        let path = format!("{outer}/docker-{}.scope", id(1));
        assert!(machine.name(&path).starts_with(name), "{path}");
    }
}

#[test]
fn what_a_user_was_given_is_no_runtimes() {
    if !nix::unistd::geteuid().is_root() {
        // Only root can give a folder to another.
        return;
    }
    let mut machine = Machine::new();
    machine.docker(&id(1), "victim", json!({}));
    let below = "user.slice/user-1000.slice/user@1000.service";
    let given = machine.root.path().join("sys/fs/cgroup").join(below);
    fs::create_dir_all(&given).unwrap();
    std::os::unix::fs::chown(&given, Some(1000), None).unwrap();
    let path = format!("/{below}/docker-{}.scope", id(1));
    assert_eq!(machine.name(&path), "Nothing");
}

#[test]
fn files_that_make_no_sense_are_none() {
    let mut machine = Machine::new();
    let path = format!("/docker/{}", id(1));
    let file = format!("var/lib/docker/containers/{}/config.v2.json", id(1));
    let mut huge = b"{\"ID\": \"".to_vec();
    huge.resize(5 << 20, b'x');
    for content in [&b""[..], b"{", b"\0\xff\x01", b"{\"ID\":\"a\",", &huge] {
        machine.write(&file, content);
        assert!(machine.name(&path).starts_with("Unrecorded"));
    }
    // A link may lead anywhere.
    machine.docker(&id(2), "other", json!({}));
    let at = machine.root.path().join(&file);
    fs::remove_file(&at).unwrap();
    let other = format!("../{}/config.v2.json", id(2));
    std::os::unix::fs::symlink(other, &at).unwrap();
    assert!(machine.name(&path).starts_with("Unrecorded"));
    machine.write(
        "run/containerd/io.containerd.runtime.v2.task/default/a/config.json",
        "nonsense",
    );
    machine.write(
        "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
        [7; 9000],
    );
    assert_eq!(machine.name("/default/a"), "Nothing");
    machine.bundle("default", "b", "/default/b", json!({}));
    assert_eq!(machine.name("/default/b"), "default/b");
}

#[test]
fn a_thousand_containers_are_told_in_less_than_a_second() {
    const COUNT: u32 = 1000;
    let mut machine = Machine::new();
    let mut paths = Vec::new();
    let mount = "type=bind source=/a target=/b options=ro,nosuid,nodev";
    machine.more = json!(vec![mount; 400]);
    for n in 0..COUNT {
        let path = match n % 4 {
            0 => {
                machine.docker(&id(n), &format!("c{n}"), json!({"faas_function": "f"}));
                format!("/system.slice/docker-{}.scope", id(n))
            }
            1 => {
                let path = format!("/default/c{n}");
                let labels = json!({"faas_function": "f"});
                machine.bundle("default", &format!("c{n}"), &path, labels);
                machine.runc(
                    "run/containerd/runc/default",
                    &format!("c{n}"),
                    &path,
                    json!(["bundle=/b"]),
                );
                path
            }
            2 => {
                machine.stored(
                    &id(n),
                    &format!("machine.slice:libpod:{}", id(n)),
                    json!({}),
                );
                format!("/machine.slice/libpod-{}.scope", id(n))
            }
            _ => {
                let path = format!("/c{n}");
                machine.runc("run/runc", &format!("c{n}"), &path, json!(["bundle=/b"]));
                path
            }
        };
        paths.push(path);
    }
    let names: Vec<Value> = (0..COUNT)
        .map(|n| json!({"id": id(n), "names": [format!("c{n}")]}))
        .collect();
    machine.write(
        "var/lib/containers/storage/overlay-containers/containers.json",
        json!(names).to_string(),
    );
    let begin = cpu_time();
    for path in &paths {
        let name = machine.name(path);
        assert!(!name.starts_with(char::is_uppercase), "{path}: {name}");
    }
    let took = cpu_time() - begin;
    println!("{COUNT} containers told in {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");

    // One more, found among all of them.
    machine.runc("run/runc", "late", "/late", json!(["bundle=/b"]));
    let begin = cpu_time();
    assert_eq!(machine.name("/late"), "runc/late");
    let took = cpu_time() - begin;
    println!("one more told in {took:?}");
    assert!(took < Duration::from_millis(50), "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_content_of_any_file_is_something(
        content in proptest::collection::vec(any::<u8>(), 0..200),
        key in "ID|Name|annotations|linux|config|cgroup_paths|names",
        value in "null|[0-9]{1,30}|\"\\PC{0,9}\"|\\{\"\":\"/a/../b\"\\}|\\[[0-9]\\]",
    ) {
        let mut machine = Machine::new();
        for content in [content, format!("{{\"{key}\":{value}}}").into_bytes()] {
            for file in [
                format!("var/lib/docker/containers/{}/config.v2.json", id(1)),
                "run/containerd/io.containerd.runtime.v2.task/ns/c/config.json".to_owned(),
                "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db".to_owned(),
                format!("run/containers/storage/overlay-containers/{}/userdata/config.json", id(1)),
                "var/lib/containers/storage/overlay-containers/containers.json".to_owned(),
                "run/runc/c/state.json".to_owned(),
                "run/crun/c/status".to_owned(),
            ] {
                machine.write(&file, &content);
            }
            for path in [
                format!("/docker/{}", id(1)),
                format!("/machine.slice/libpod-{}.scope", id(1)),
                format!("/kubepods.slice/crio-{}.scope", id(1)),
                "/ns/c".to_owned(),
                "/c".to_owned(),
            ] {
                machine.runtimes.look_up(&path);
            }
        }
    }
}
