// SPDX-License-Identifier: GPL-2.0-only
//! Which function a process is: by its cgroup, or by rules.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::control::Object;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;
use crate::{load, wait};

const CGROUPS: [&str; 3] = ["shop/resize-1", "shop/resize-2", "system/ssh"];
const CPU: Duration = Duration::from_millis(20);

const RULES: &str = r#"
[[function]]
cgroup = "/shop/{name}-*"

[[function]]
cgroup = "/system/..."
generic = true
"#;

const RULES_ON_PROCESSES: &str = r#"
[[function]]
comm = "thumb*"
name = "thumbnail"

[[function]]
cgroup = "/shop/{name}-*"
name = "merged/{name}"
"#;

/// The second rule's pattern has no closing brace, on line 6.
const BAD_RULES: &str = r#"
[[function]]
cgroup = "/shop/{name}-*"

[[function]]
cgroup = "/shop/{name"
"#;

pub const SCENARIO: Scenario = Scenario {
    name: "identity",
    title: "functions by cgroup and by rules, reloaded while running",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(_: &Report) -> Result<()> {
    let cgroups = CGROUPS
        .map(Cgroup::new)
        .into_iter()
        .collect::<Result<Vec<_>>>()?;

    // Without rules; one cgroup is made while the daemon runs.
    let daemon = Daemon::start(&["--interval", "100ms"])?;
    let late = Cgroup::new("late")?;
    for cgroup in cgroups.iter().chain([&late]) {
        load::finish(load::start(cgroup, 2, CPU)?)?;
        expect(&daemon, cgroup.name(), "leaf cgroup", false, 2)?;
    }
    drop(late);
    daemon.stop()?;

    let file = Path::new(DIRECTORY).join("rules.toml");
    let file = file.to_string_lossy();
    fs::write(&*file, RULES)?;
    let daemon = Daemon::start(&["--interval", "100ms", "--functions", &file])?;
    for cgroup in &cgroups {
        load::finish(load::start(cgroup, 2, CPU)?)?;
    }
    expect(&daemon, "resize", "cgroup rule", false, 4)?;
    expect_absent(&daemon, "ssh")?;

    // A mistake changes nothing and is told of.
    fs::write(&*file, BAD_RULES)?;
    daemon.signal(libc::SIGHUP);
    daemon.await_log("rules.toml:6: function[2].cgroup")?;
    load::finish(load::start(&cgroups[1], 2, CPU)?)?;
    expect(&daemon, "resize", "cgroup rule", false, 6)?;

    // New rules hold for processes that run already.
    let resizing = load::hogs(&cgroups[0], 2)?;
    fs::write(&*file, RULES_ON_PROCESSES)?;
    daemon.signal(libc::SIGHUP);
    daemon.await_log("rules reloaded")?;
    let running = |name: &str| -> Result<u64> {
        let mut count = 0;
        for row in daemon.functions()? {
            if row.text("name")? == name {
                count += row.count("running")? + row.count("waiting")?;
            }
        }
        Ok(count)
    };
    let follow = |what: &str, name: &str, tasks: u64| {
        wait::until(what, Duration::from_secs(3), || Ok(running(name)? == tasks))
    };
    wait::until(
        "running tasks to follow the new rules",
        Duration::from_secs(3),
        || Ok(running("merged/resize")? == 2 && running("resize")? == 0),
    )?;
    drop(resizing);

    // By its comm a process is taken for anything, wherever it is.
    for _ in 0..3 {
        thumbnailer(&cgroups[2], 3000)?.finish()?;
    }
    expect(&daemon, "thumbnail", "comm", true, 3)?;

    // All others are still what their cgroup says, wherever they move.
    let wandering = load::hogs(&cgroups[0], 1)?;
    follow("a task to be known by its cgroup", "merged/resize", 1)?;
    for hog in &wandering {
        cgroups[2].take(hog.pid())?;
    }
    follow("a task to follow its cgroup", cgroups[2].name(), 1)?;
    drop(wandering);

    // What rules on processes assigned ends with them.
    let thumbnailing = thumbnailer(&cgroups[1], u32::MAX)?;
    follow("a process to be known by its comm", "thumbnail", 1)?;
    fs::write(&*file, RULES)?;
    daemon.signal(libc::SIGHUP);
    follow("a process to be known by its cgroup", "resize", 1)?;
    follow("no process to be known by its comm", "thumbnail", 0)?;
    drop(thumbnailing);
    daemon.stop()
}

/// A program of that name: a shell that counts.
fn thumbnailer(cgroup: &Cgroup, turns: u32) -> Result<Child> {
    const PROGRAM: &str = "/tmp/thumbnailer";
    if !Path::new(PROGRAM).exists() {
        fs::copy("/bin/busybox", PROGRAM)?;
    }
    Child::start(Some(cgroup), || {
        use std::os::unix::process::CommandExt;
        let script = format!("n=0; while [ $n -lt {turns} ]; do n=$((n + 1)); done");
        let error = std::process::Command::new(PROGRAM)
            .arg0("ash")
            .args(["-c", &script])
            .exec();
        panic!("cannot run {PROGRAM}: {error}");
    })
}

/// The function is known by this source and was learned from so many invocations.
fn expect(daemon: &Daemon, name: &str, source: &str, spoofable: bool, samples: u64) -> Result<()> {
    let mut seen: Option<Object> = None;
    let complete = wait::until("the samples", Duration::from_secs(5), || {
        let row = daemon.function(name)?;
        let complete = row.count("samples")? == samples;
        seen = Some(row);
        Ok(complete)
    });
    let Some(row) = seen else { return complete };
    ensure!(
        complete.is_ok() && row.text("source")? == source && row.flag("spoofable")? == spoofable,
        "expected '{name}' by {source}, {samples} samples, spoofable {spoofable}, and saw {row:?}"
    );
    Ok(())
}

fn expect_absent(daemon: &Daemon, part: &str) -> Result<()> {
    for row in daemon.functions()? {
        ensure!(
            !row.text("name")?.contains(part),
            "expected no function with '{part}' in its name and saw {row:?}"
        );
    }
    Ok(())
}
