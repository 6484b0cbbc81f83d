// SPDX-License-Identifier: GPL-2.0-only
//! Configurations of workers: OpenLambda's, with the two fields that ALPS
//! added and one of our own. Fields that are not known do not matter.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::limits::{Limits, Written};
use super::name;

/// OpenLambda's own port.
const DEFAULT_PORT: u16 = 5000;

/// Longer files are none of ours.
const MAX_BYTES: u64 = 1 << 20;

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

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "number")]
    worker_port: Option<u64>,
    registry: Option<String>,
    function_name: Option<String>,
    #[serde(default, deserialize_with = "number")]
    seal_priority: Option<u64>,
    limits: Option<Written>,
    #[serde(default)]
    functions: BTreeMap<String, ListedDocument>,
}

#[derive(Deserialize)]
struct ListedDocument {
    handler: Option<String>,
    limits: Option<Written>,
}

/// A whole number, or one written as text, as OpenLambda does with ports.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let number = match &value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let wrong = || serde::de::Error::custom("expected a whole number");
    number.map(Some).ok_or_else(wrong)
}

/// A configuration, and the UID it gives its function.
struct Parsed {
    config: Config,
    uid: Option<u64>,
}

/// Reads a configuration's text.
fn parse(name: &str, text: &str) -> Result<Parsed> {
    let document: Document = serde_json::from_str(text)?;
    let port = document.worker_port.unwrap_or(DEFAULT_PORT.into());
    let port = u16::try_from(port).ok().filter(|&port| port != 0);
    let port = port.context("worker_port must be 1 to 65535")?;
    let written = document.limits.unwrap_or_default();
    let limits = written.over(Limits::default()).map_err(|e| anyhow!(e))?;
    if let Some(function) = &document.function_name {
        name::check(function).with_context(|| format!("function_name {function:?}"))?;
    }
    let mut functions = BTreeMap::new();
    for (function, listed) in document.functions {
        name::check(&function).with_context(|| format!("functions: {function:?}"))?;
        if let Some(handler) = &listed.handler {
            name::check(handler)
                .with_context(|| format!("functions.{function}.handler {handler:?}"))?;
        }
        let written = listed.limits.unwrap_or_default();
        let limits = written.over(limits);
        let limits = limits.map_err(|error| anyhow!("functions.{function}.{error}"))?;
        let handler = listed.handler;
        functions.insert(function, Listed { handler, limits });
    }
    let registry = document.registry.filter(|registry| !registry.is_empty());
    let registry = registry.map(|registry| {
        let path = registry.strip_prefix("file://").unwrap_or(&registry);
        PathBuf::from(path)
    });
    Ok(Parsed {
        config: Config {
            name: name.to_owned(),
            port,
            registry,
            function: document.function_name,
            limits,
            functions,
        },
        uid: document.seal_priority,
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
    let (mut ports, mut uids, mut names) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (name, file) in files {
        let place = || file.display().to_string();
        name::check(&name).with_context(place)?;
        let Parsed { mut config, uid } = parse(&name, &text(&file)?).with_context(place)?;
        if let Some(registry) = &mut config.registry
            && registry.is_relative()
        {
            *registry = file.parent().unwrap_or(Path::new("")).join(&*registry);
        }
        let sole = |of: &mut HashMap<String, PathBuf>, key: &str, value: String| match of
            .insert(value.clone(), file.clone())
        {
            Some(other) => bail!(
                "{}: {key} {value} is that of {} already; give each worker its own",
                file.display(),
                other.display()
            ),
            None => Ok(()),
        };
        sole(&mut names, "the worker's name", name)?;
        sole(&mut ports, "worker_port", config.port.to_string())?;
        if let Some(uid) = uid {
            sole(&mut uids, "seal_priority", uid.to_string())?;
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

fn text(file: &Path) -> Result<String> {
    let context = || format!("cannot read {}", file.display());
    let opened = File::open(file).with_context(context)?;
    ensure!(
        opened.metadata().with_context(context)?.is_file(),
        "{}: not a file",
        file.display()
    );
    let mut text = String::new();
    let mut limited = opened.take(MAX_BYTES + 1);
    limited.read_to_string(&mut text).with_context(context)?;
    ensure!(
        text.len() as u64 <= MAX_BYTES,
        "{}: longer than {MAX_BYTES} bytes",
        file.display()
    );
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
        let Parsed { config, uid } = parse("worker1", text).unwrap();
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
            ("", "EOF"),
            ("[]", "invalid"),
            (r#"{"worker_port": 0}"#, "worker_port"),
            (r#"{"worker_port": "x"}"#, "whole number"),
            (r#"{"seal_priority": -1}"#, "whole number"),
            (r#"{"function_name": "a/b"}"#, "function_name"),
            (r#"{"functions": {"..": {}}}"#, "functions"),
            (r#"{"functions": {"a": {"handler": "/x"}}}"#, "handler"),
            (r#"{"limits": {"mem_mb": 0}}"#, "limits.mem_mb"),
        ] {
            let Err(error) = parse("w", text) else {
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
            assert!(error.contains("is that of"), "{error}");
        }
        fs::remove_file(dir.path().join("c/config.json")).unwrap();
        symlink("/etc/hostname", dir.path().join("c/config.json")).unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("link"));
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_a_configuration_or_an_error(text in "\\PC{0,200}") {
            let _ = parse("w", &text);
        }

        #[test]
        fn whatever_values_are_written(port in any::<i64>(), text in "\\PC{0,9}", procs in any::<f64>()) {
            let json = serde_json::json!({
                "worker_port": port, "function_name": text, "registry": text,
                "limits": {"procs": procs, "max_runtime_default": procs},
            });
            if let Ok(parsed) = parse("w", &json.to_string()) {
                prop_assert_eq!(i64::from(parsed.config.port), port);
            }
        }
    }
}
