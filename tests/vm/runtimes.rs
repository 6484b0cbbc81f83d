// SPDX-License-Identifier: GPL-2.0-only
//! Real container runtimes in the guest: containerd, runc, podman and crun, from
//! Debian's packages.
//!
//! The guest's root is an initramfs, which `pivot_root` does not work on; hence
//! `--no-pivot` with all of them. Nothing is pulled: containers have the files
//! of a folder with busybox in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::wait;

/// The packages whose programs the guest needs; see `vm/packages`.
pub const PACKAGES: [&str; 4] = ["containerd", "runc", "podman", "crun"];

/// Their programs, below the packages' folder.
pub const PROGRAMS: [&str; 7] = [
    "usr/bin/containerd",
    "usr/bin/containerd-shim-runc-v2",
    "usr/bin/ctr",
    "usr/sbin/runc",
    "usr/bin/podman",
    "usr/bin/conmon",
    "usr/bin/crun",
];

const FILES: &str = "/tmp/container-files";

/// Without what needs more of a machine than the guest is.
const CONTAINERD: &str = r#"
version = 2
disabled_plugins = [
    "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt",
    "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
"#;

const PODMAN: [(&str, &str); 3] = [
    (
        "containers.conf",
        "[engine]\ncgroup_manager = 'cgroupfs'\nevents_logger = 'none'\nno_pivot_root = true\n\
         runtime = 'crun'\n[containers]\nnetns = 'none'\n",
    ),
    (
        "storage.conf",
        "[storage]\ndriver = 'vfs'\nrunroot = '/run/containers/storage'\n\
         graphroot = '/var/lib/containers/storage'\n",
    ),
    (
        "policy.json",
        "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}",
    ),
];

/// What every container does.
const SLEEP: [&str; 2] = ["/bin/sleep", "1000"];

/// The runtimes' files, and a containerd that runs.
pub struct Runtimes {
    containerd: Child,
}

impl Runtimes {
    pub fn start() -> Result<Self> {
        for folder in ["bin", "proc", "sys", "dev", "tmp"] {
            fs::create_dir_all(Path::new(FILES).join(folder))?;
        }
        let bin = Path::new(FILES).join("bin");
        fs::copy("/bin/busybox", bin.join("busybox"))?;
        for name in ["sh", "sleep"] {
            // There from an earlier try.
            let _ = symlink("busybox", bin.join(name));
        }
        fs::create_dir_all("/etc/containers")?;
        fs::create_dir_all("/var/tmp")?;
        for (name, text) in PODMAN {
            fs::write(Path::new("/etc/containers").join(name), text)?;
        }
        fs::write("/tmp/containerd.toml", CONTAINERD)?;
        Ok(Self {
            containerd: containerd()?,
        })
    }

    /// A container of containerd's that sleeps; `labels` as `ctr` takes them.
    pub fn ctr_run(&self, namespace: &str, name: &str, labels: &[&str]) -> Result<()> {
        let labels = labels.iter().flat_map(|label| ["--label", label]);
        let head = ["-n", namespace, "run", "-d", "--no-pivot"];
        let tail = ["--rootfs", FILES, name].into_iter().chain(SLEEP);
        run("ctr", head.into_iter().chain(labels).chain(tail))
    }

    /// Give a container a label that containerd knows of, and its bundle does not.
    pub fn ctr_label(&self, name: &str, label: &str) -> Result<()> {
        run("ctr", ["containers", "label", name, label])
    }

    pub fn podman_run(&self, name: &str, label: &str) -> Result<()> {
        let head = ["run", "-d", "--name", name, "--network", "none"];
        let tail = ["--label", label, "--rootfs", FILES];
        run("podman", head.into_iter().chain(tail).chain(SLEEP))
    }

    /// A bundle that runc or crun runs, with one annotation.
    pub fn run_bundle(&self, runtime: &str, name: &str, key: &str, value: &str) -> Result<()> {
        let bundle = format!("/tmp/bundle-{name}");
        fs::create_dir_all(&bundle)?;
        let file = format!("{bundle}/config.json");
        let _ = fs::remove_file(&file);
        let status = Command::new(runtime)
            .arg("spec")
            .current_dir(&bundle)
            .status()
            .with_context(|| format!("cannot run {runtime}"))?;
        if !status.success() {
            bail!("'{runtime} spec' ended with {status}");
        }
        let mut spec: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
        spec["process"]["terminal"] = json!(false);
        spec["process"]["args"] = json!(SLEEP);
        spec["root"]["path"] = json!(FILES);
        spec["annotations"] = json!({ key: value });
        fs::write(&file, spec.to_string())?;
        run(
            runtime,
            ["run", "--no-pivot", "-d", "--bundle", &bundle, name],
        )
    }

    /// containerd ends as if it had crashed; its containers go on.
    pub fn kill_containerd(&mut self) -> Result<()> {
        self.containerd.kill()?;
        self.containerd.wait()?;
        Ok(())
    }

    pub fn start_containerd(&mut self) -> Result<()> {
        self.containerd = containerd()?;
        Ok(())
    }

    /// Remove containers: of containerd by namespace and name, of the others by
    /// runtime and name.
    pub fn remove(&self, containers: &[(&str, &str)], others: &[(&str, &str)]) -> Result<()> {
        for (namespace, name) in containers {
            run("ctr", ["-n", namespace, "tasks", "rm", "-f", name])?;
            run("ctr", ["-n", namespace, "containers", "rm", name])?;
        }
        for (runtime, name) in others {
            let command = if *runtime == "podman" { "rm" } else { "delete" };
            run(runtime, [command, "-f", name])?;
        }
        Ok(())
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        let _ = self.kill_containerd();
    }
}

fn containerd() -> Result<Child> {
    let log = fs::File::create("/tmp/containerd.log")?;
    let child = Command::new("containerd")
        .args(["--config", "/tmp/containerd.toml"])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start containerd")?;
    wait::until("an answer from containerd", Duration::from_secs(60), || {
        Ok(Command::new("ctr")
            .arg("version")
            .output()
            .is_ok_and(|output| output.status.success()))
    })?;
    Ok(child)
}

/// Run a program to its end, which must be a good one. What a container leaves
/// running must not hold its output.
fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let log = format!("/tmp/{program}.log");
    let output = fs::File::create(&log)?;
    let status = Command::new(program)
        .args(&arguments)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        let said = fs::read_to_string(&log).unwrap_or_default();
        bail!("{program} {arguments:?} ended with {status}:\n{said}");
    }
    Ok(())
}
