// SPDX-License-Identifier: GPL-2.0-only
//! Which function a container is, by what real runtimes keep of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::cgroup::Cgroup;
use crate::daemon::{Daemon, PROGRAM};
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::runtimes::Runtimes;
use crate::scenario::Scenario;
use crate::{load, wait};

const CPU: Duration = Duration::from_millis(20);

pub const SCENARIO: Scenario = Scenario {
    name: "containers",
    title: "containers of containerd, runc, podman and crun, and OpenLambda's sandboxes",
    machine: Machine::Parallel,
    limit: Duration::from_secs(300),
    run,
};

/// A line of 'scx_alps functions --json'.
#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    source: String,
    certainty: String,
    cgroups: usize,
    from: String,
}

fn run(report: &Report) -> Result<()> {
    let mut runtimes = Runtimes::start()?;
    let workers = Path::new(DIRECTORY).join("workers");
    let worker = |name: &str, function: &str| -> Result<()> {
        let folder = workers.join(name);
        fs::create_dir_all(&folder)?;
        let text = format!(
            r#"{{"seal_priority": "1", "function_name": "{function}",
                "worker_dir": "/ol/{name}/worker", "worker_port": "5001", "sandbox": "sock"}}"#
        );
        Ok(fs::write(folder.join("config.json"), text)?)
    };
    worker("w1", "floatOperation1")?;
    fs::create_dir_all(workers.join("w2"))?;
    fs::write(
        workers.join("w2/config.json"),
        "{\"function_name\": \"a/b\"}",
    )?;

    // There before the daemon.
    runtimes.ctr_run("default", "fib-1", &["faas_function=fib"])?;
    runtimes.run_bundle("runc", "thumb-1", "faas_function", "thumb")?;
    let sandbox = Cgroup::new("w1-sandboxes/cg-1")?;
    let workers_option = workers.to_string_lossy();
    let daemon = Daemon::start(&["--interval", "100ms", "--openlambda", &workers_option])?;
    daemon.await_log("w2/config.json: function_name: \"a/b\"")?;
    expect(
        "fib",
        "declared",
        "label",
        1,
        "containerd, label faas_function",
    )?;
    expect("thumb", "declared", "label", 1, "runc, label faas_function")?;
    expect("floatOperation1", "sure", "openlambda", 1, "w1/config.json")?;

    // There after it; containers of one function are one, whoever runs them.
    runtimes.ctr_run("default", "fib-2", &["faas_function=fib"])?;
    runtimes.ctr_run("openfaas-fn", "mst", &[])?;
    runtimes.podman_run("thumb-2", "faas_function=thumb")?;
    runtimes.run_bundle("crun", "thumb-3", "faas_function", "thumb")?;
    runtimes.ctr_run("default", "bfs-1", &[])?;
    expect("fib", "declared", "label", 2, "containerd, label")?;
    expect(
        "mst",
        "sure",
        "container name",
        1,
        "containerd, container mst",
    )?;
    expect("thumb", "declared", "label", 3, "label faas_function")?;
    expect(
        "default/bfs-1",
        "sure",
        "container name",
        1,
        "container bfs-1",
    )?;
    runtimes.ctr_label("bfs-1", "nuclio.io/function-name=bfs")?;
    daemon.signal(libc::SIGHUP);
    expect("bfs", "declared", "label", 1, "containerd, label nuclio.io")?;

    // Who enters later, and who is in a cgroup made within.
    let inner = Cgroup::new("default/fib-1/inner")?;
    expect("fib", "declared", "label", 3, "containerd, label")?;
    load::finish(load::start(&inner, 2, CPU)?)?;
    let container = Cgroup::existing("default/fib-2")?;
    load::finish(load::start(&container, 2, CPU)?)?;
    load::finish(load::start(&sandbox, 2, CPU)?)?;
    for (name, samples) in [("fib", 4), ("floatOperation1", 2)] {
        wait::until("the samples", Duration::from_secs(10), || {
            Ok(daemon.function(name)?.count("samples")? >= samples)
        })?;
    }
    drop(inner);

    // Without containerd its containers are what they were, and others go on.
    runtimes.kill_containerd()?;
    runtimes.run_bundle("runc", "thumb-4", "faas_function", "thumb")?;
    expect("thumb", "declared", "label", 4, "label faas_function")?;
    expect("fib", "declared", "label", 2, "containerd, label")?;
    runtimes.start_containerd()?;
    runtimes.ctr_run("default", "fib-3", &["faas_function=fib"])?;
    expect("fib", "declared", "label", 3, "containerd, label")?;

    // A worker's configuration is watched.
    worker("w1", "floatOperation2")?;
    expect("floatOperation2", "sure", "openlambda", 1, "w1/config.json")?;

    many(report, &daemon)?;
    report.note(table()?);
    drop(sandbox);
    runtimes.remove(
        &[
            ("default", "fib-1"),
            ("default", "fib-2"),
            ("default", "fib-3"),
            ("default", "bfs-1"),
            ("openfaas-fn", "mst"),
        ],
        &[
            ("runc", "thumb-1"),
            ("runc", "thumb-4"),
            ("podman", "thumb-2"),
            ("crun", "thumb-3"),
        ],
    )?;
    drop(runtimes);
    for made in ["default", "openfaas-fn", "libpod_parent"] {
        Cgroup::remove(&Path::new(crate::cgroup::ROOT).join(made))?;
    }
    daemon.stop()
}

/// How soon one more container is known among a thousand. Docker's files and
/// cgroups are made by hand, so that nobody else is waited for.
fn many(report: &Report, daemon: &Daemon) -> Result<()> {
    let container = |number: usize, name: &str| -> Result<Cgroup> {
        let id = format!("{number:064x}");
        let folder = Path::new("/var/lib/docker/containers").join(&id);
        fs::create_dir_all(&folder)?;
        let record = serde_json::json!({"ID": id, "Name": format!("/{name}"),
            "Config": {"Labels": {"faas_function": name}}});
        fs::write(folder.join("config.v2.json"), record.to_string())?;
        Cgroup::new(&format!("docker/{id}"))
    };
    let begin = Instant::now();
    let containers: Vec<Cgroup> = (1..=1000)
        .map(|number| container(number, "many"))
        .collect::<Result<_>>()?;
    let made = begin.elapsed();
    let count = || -> Result<usize> {
        let rows = daemon.recognised()?;
        let many = rows
            .iter()
            .find(|row| row.text("name").is_ok_and(|name| name == "many"));
        many.map_or(Ok(0), |row| Ok(row.count("cgroups")? as usize))
    };
    wait::until("a thousand containers", Duration::from_secs(10), || {
        Ok(count()? == containers.len())
    })?;
    let known = begin.elapsed();
    let begin = Instant::now();
    let late = container(1001, "late")?;
    wait::until("one more container", Duration::from_secs(2), || {
        let rows = daemon.recognised()?;
        Ok(rows
            .iter()
            .any(|row| row.text("name").is_ok_and(|name| name == "late")))
    })?;
    report.note(format!(
        "1,000 containers known {:.0} ms after the last was made, one more {:.1} ms after its \
         making began, with the asking",
        (known - made).as_secs_f64() * 1e3,
        begin.elapsed().as_secs_f64() * 1e3
    ));
    drop((containers, late));
    Cgroup::remove(&Path::new(crate::cgroup::ROOT).join("docker"))
}

/// What 'scx_alps functions' prints.
fn functions(options: &[&str]) -> Result<String> {
    let output = Command::new(PROGRAM)
        .arg("functions")
        .args(options)
        .output()
        .context("cannot run 'scx_alps functions'")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "'scx_alps functions' said {said}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn table() -> Result<String> {
    let offline = functions(&["--offline"])?;
    ensure!(
        offline.contains("label faas_function"),
        "expected the same without the daemon and saw {offline}"
    );
    functions(&[])
}

/// The function is known so, and has so many cgroups.
fn expect(name: &str, certainty: &str, source: &str, cgroups: usize, from: &str) -> Result<()> {
    let mut seen = BTreeMap::new();
    let begin = Instant::now();
    let known = wait::until(name, Duration::from_secs(30), || {
        let rows: Vec<Row> = serde_json::from_str(&functions(&["--json"])?)?;
        seen = rows
            .into_iter()
            .map(|row| (row.name.clone(), row))
            .collect();
        Ok(seen.get(name).is_some_and(|row| {
            row.certainty == certainty
                && row.source == source
                && row.cgroups == cgroups
                && row.from.contains(from)
        }))
    });
    known.with_context(|| {
        format!(
            "expected '{name}', {certainty}, by {source} from '{from}', {cgroups} cgroups, and \
             saw {:#?} after {:.1} s",
            seen.values().collect::<Vec<_>>(),
            begin.elapsed().as_secs_f64()
        )
    })
}
