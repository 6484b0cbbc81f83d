// SPDX-License-Identifier: GPL-2.0-only
//! Configurations of workers: OpenLambda's, with the two fields that ALPS
//! added and one of our own. Fields that are not known do not matter.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use scx_alps::platform::openlambda::{MAX_CONFIG_BYTES, WorkerConfig, check_name};
use serde_json::Value;

use super::limits::Limits;

/// OpenLambda's own port.
const DEFAULT_PORT: u16 = 5000;

/// One worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// By which it is told from the others: that of its folder or file.
    pub name: String,
    pub port: u16,
    /// Where functions that are not built in are looked for.
    pub registry: Option<PathBuf>,
    /// The function that all its requests are for; `None`: each name is one.
    pub function: Option<String>,
    /// Of all functions that are not listed.
    pub limits: Limits,
    pub functions: BTreeMap<String, Listed>,
}

/// What a configuration says of one function.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The handler it has instead of that of its name.
    pub handler: Option<String>,
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "worker".to_owned(),
            port: DEFAULT_PORT,
            registry: None,
            function: None,
            limits: Limits::default(),
            functions: BTreeMap::new(),
        }
    }
}

impl Config {
    pub fn limits_of(&self, function: &str) -> Limits {
        let listed = self.functions.get(function);
        listed.map_or(self.limits, |listed| listed.limits)
    }
}

/// A configuration, and the UID it gives its function.
struct Parsed {
    config: Config,
    uid: Option<u64>,
}

/// Reads a configuration's text; `file` is for errors only.
fn parse(name: &str, text: &[u8], file: &str) -> Result<Parsed> {
    let openlambda = WorkerConfig::parse(text, file)?;
    let document: Value = serde_json::from_slice(text)?;
    let limits = Limits::default().changed(&document, file)?;
    let mut functions = BTreeMap::new();
    let listed = match document.get("functions") {
        None | Some(Value::Null) => None,
        Some(Value::Object(listed)) => Some(listed),
        Some(_) => bail!("{file}: functions: write {{ \"NAME\": {{ \"limits\": … }} }}"),
    };
    for (function, document) in listed.into_iter().flatten() {
        let place = format!("{file}: functions.{}", function.escape_debug());
        let named =
            |key: &str, name: &str| check_name(name).map_err(|why| anyhow!("{place}{key}: {why}"));
        named("", function)?;
        let handler = match document.get("handler") {
            None | Some(Value::Null) => None,
            Some(Value::String(handler)) => {
                named(".handler", handler)?;
                Some(handler.clone())
            }
            Some(_) => bail!("{place}: handler must be a name in quotes"),
        };
        let limits = limits.changed(document, &place)?;
        functions.insert(function.clone(), Listed { handler, limits });
    }
    let registry = openlambda.registry.map(|registry| {
        let path = registry.strip_prefix("file://").unwrap_or(&registry);
        PathBuf::from(path)
    });
    Ok(Parsed {
        config: Config {
            name: name.to_owned(),
            port: openlambda.worker_port.unwrap_or(DEFAULT_PORT),
            registry,
            function: openlambda.function_name,
            limits,
            functions,
        },
        uid: openlambda.seal_priority,
    })
}

/// Reads a configuration, or all in a folder: its `*.json`, and those in the
/// folders directly in it.
///
/// # Errors
/// When there is none, one makes no sense, or two want the same port or UID.
pub fn read(path: &Path) -> Result<Vec<Config>> {
    let files = files(path)?;
    ensure!(
        !files.is_empty(),
        "{}: there is no configuration, which would be NAME.json or NAME/config.json",
        path.display()
    );
    let mut configs: Vec<Config> = Vec::new();
    let mut taken: HashMap<String, (String, PathBuf)> = HashMap::new();
    for (name, file) in files {
        let place = || file.display().to_string();
        check_name(&name).map_err(|why| anyhow!("{}: the worker's name: {why}", place()))?;
        let Parsed { mut config, uid } = parse(&name, &text(&file)?, &place())?;
        if let Some(registry) = &mut config.registry
            && registry.is_relative()
        {
            *registry = file.parent().unwrap_or(Path::new("")).join(&*registry);
        }
        let mut sole = |what: String, owner: &str| {
            let before = taken
                .entry(what.clone())
                .or_insert_with(|| (owner.to_owned(), file.clone()));
            ensure!(
                before.0 == owner,
                "{}: {what} is taken already by {}; give it another",
                file.display(),
                before.1.display()
            );
            Ok(())
        };
        let own = file.to_string_lossy();
        sole(format!("the worker's name {name}"), &own)?;
        sole(format!("worker_port {}", config.port), &own)?;
        if let Some(uid) = uid {
            // Several workers may be of one function.
            let function = config.function.as_deref().unwrap_or(&own);
            sole(format!("seal_priority {uid}"), function)?;
        }
        configs.push(config);
    }
    Ok(configs)
}

/// Configurations with their workers' names.
fn files(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    let unreadable = || format!("cannot read {}", path.display());
    let metadata = fs::metadata(path).with_context(unreadable)?;
    if !metadata.is_dir() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(vec![(name.into_owned(), path.to_path_buf())]);
    }
    let mut files = Vec::new();
    let mut add = |dir: &Path, folder: Option<&str>| -> Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(dir).with_context(unreadable)? {
            let entry = entry?;
            let file = entry.path();
            // A link could lead out of the folder.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|ext| ext == "json") {
                ensure!(
                    kind.is_file(),
                    "{}: a configuration must be a file, not a link or a device",
                    file.display()
                );
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                files.push((folder.unwrap_or(&stem).to_owned(), file));
            }
        }
        Ok(folders)
    };
    for folder in add(path, None)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        add(&folder, Some(&name))?;
    }
    files.sort();
    Ok(files)
}

fn text(file: &Path) -> Result<Vec<u8>> {
    let context = || format!("cannot read {}", file.display());
    let opened = File::open(file).with_context(context)?;
    ensure!(
        opened.metadata().with_context(context)?.is_file(),
        "{}: not a file",
        file.display()
    );
    let mut text = Vec::new();
    // One more, by which a file that is too long is known.
    let mut limited = opened.take(MAX_CONFIG_BYTES as u64 + 1);
    limited.read_to_end(&mut text).with_context(context)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_form_is_read() {
        let text = r#"{"worker_dir": "/srv/worker1", "worker_port": "5001", "sandbox": "docker",
            "registry": "file:///srv/registry", "seal_priority": 1,
            "function_name": "floatOperation1", "limits": {"procs": 10, "mem_mb": 50},
            "functions": {"a": {"handler": "spin", "limits": {"queue": 0}}}}"#;
        let Parsed { config, uid } = parse("worker1", text.as_bytes(), "f").unwrap();
        assert_eq!((config.port, uid), (5001, Some(1)));
        assert_eq!(config.function.as_deref(), Some("floatOperation1"));
        assert_eq!(config.registry, Some("/srv/registry".into()));
        let limits = config.limits_of("a");
        assert_eq!((limits.processes, limits.queue), (10, 0));
        assert_eq!(config.limits_of("b"), config.limits);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, what) in [
            ("", "no JSON"),
            ("[]", "no object"),
            (r#"{"worker_port": 0}"#, "worker_port"),
            (r#"{"worker_port": "x"}"#, "worker_port"),
            (r#"{"seal_priority": -1}"#, "seal_priority"),
            (r#"{"function_name": "a/b"}"#, "function_name"),
            (r#"{"functions": {"..": {}}}"#, "functions"),
            (r#"{"functions": {"a": {"handler": "/x"}}}"#, "handler"),
            (r#"{"limits": {"queue": -1}}"#, "limits"),
        ] {
            let Err(error) = parse("w", text.as_bytes(), "f") else {
                panic!("{text}");
            };
            assert!(format!("{error:#}").contains(what), "{error:#}");
        }
    }

    #[test]
    fn a_folder_holds_a_worker_in_each_folder() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).is_err());
        let write = |worker: &str, text: &str| {
            let folder = dir.path().join(worker);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("config.json"), text).unwrap();
        };
        write(
            "b",
            r#"{"worker_port": 5002, "seal_priority": 2, "registry": "r"}"#,
        );
        write("a", r#"{"worker_port": 5001, "seal_priority": 1}"#);
        let configs = read(dir.path()).unwrap();
        assert_eq!((configs[0].port, configs[1].port), (5001, 5002));
        assert_eq!(configs[1].registry, Some(dir.path().join("b/r")));
        for twice in [
            r#"{"worker_port": 5001, "seal_priority": 3}"#,
            r#"{"worker_port": 5003, "seal_priority": 1}"#,
        ] {
            write("c", twice);
            let error = read(dir.path()).unwrap_err().to_string();
            assert!(error.contains("is taken already"), "{error}");
        }
        fs::remove_file(dir.path().join("c/config.json")).unwrap();
        symlink("/etc/hostname", dir.path().join("c/config.json")).unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("link"));
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_a_configuration_or_an_error(text in "\\PC{0,200}") {
            let _ = parse("w", text.as_bytes(), "f");
        }

        #[test]
        fn whatever_values_are_written(port in any::<i64>(), text in "\\PC{0,9}", procs in any::<i64>()) {
            let json = serde_json::json!({
                "worker_port": port, "function_name": text, "registry": text,
                "limits": {"procs": procs, "max_runtime_default": procs},
            });
            if let Ok(parsed) = parse("w", json.to_string().as_bytes(), "f") {
                prop_assert_eq!(i64::from(parsed.config.port), port);
            }
        }
    }
}
