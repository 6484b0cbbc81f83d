// SPDX-License-Identifier: GPL-2.0-only
//! A worker's configuration, `config.json`, as OpenLambda and the published
//! ALPS write it.
//!
//! OpenLambda is written in Go, which takes a key in any case (`SOCK_base_path`,
//! `sock_base_path`), and the published scripts write numbers in quotes
//! (`"seal_priority": "1"`); both are read here as well. Fields that are not
//! known are passed over.

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::name::check_name;

/// Larger files are no configurations, in bytes.
pub const MAX_CONFIG_BYTES: usize = 1 << 20;

/// The longest path or address that is read, in bytes.
const MAX_TEXT_BYTES: usize = 4096;

/// What a worker is told. Absent fields are `None`: who starts the worker
/// knows what then holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The function's UID: workers of one function have the same.
    pub seal_priority: Option<u64>,
    /// The function the worker serves: 1 to 128 bytes, one path segment.
    pub function_name: Option<String>,
    /// The worker's own files; absolute.
    pub worker_dir: Option<String>,
    /// The host it listens on.
    pub worker_url: Option<String>,
    /// The port it listens on, 1 to 65535.
    pub worker_port: Option<u16>,
    /// What functions run in: `sock`, `docker` or another word.
    pub sandbox: Option<String>,
    /// `lambda` or `sock`.
    pub server_mode: Option<String>,
    /// Where functions' code is: a folder, or an URL.
    pub registry: Option<String>,
    /// How long code is used without looking for newer, in milliseconds.
    pub registry_cache_ms: Option<u64>,
    pub pkgs_dir: Option<String>,
    pub sock_base_path: Option<String>,
    /// Memory of all sandboxes, in MiB.
    pub mem_pool_mb: Option<u64>,
    pub limits: Limits,
}

/// What an invocation may use; in the file 0 stands for the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub procs: Option<u64>,
    pub mem_mb: Option<u64>,
    /// Of one CPU.
    pub cpu_percent: Option<u64>,
    pub swappiness: Option<u64>,
    /// Seconds.
    pub max_runtime_default: Option<u64>,
    /// Seconds; instead of `max_runtime_default`.
    pub runtime_sec: Option<u64>,
}

impl WorkerConfig {
    /// The configuration in `bytes`. `file` is the file's name, for errors only.
    ///
    /// # Errors
    /// What is wrong, with the file and the field: no JSON object, a value of
    /// the wrong type or out of its range, a function's name that cannot be a
    /// path segment, a `worker_dir` that is not absolute.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::new(
                file,
                "",
                format!("more than {MAX_CONFIG_BYTES} bytes"),
                "name a worker's config.json",
            ));
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            ConfigError::new(file, "", format!("no JSON: {error}"), "correct the JSON")
        })?;
        let Value::Object(map) = value else {
            return Err(ConfigError::new(
                file,
                "",
                "the JSON is no object",
                "write { \"function_name\": …, \"seal_priority\": …, … }",
            ));
        };
        let fields = Fields {
            map: &map,
            file,
            within: "",
        };
        let config = Self {
            seal_priority: fields.number("seal_priority", 0, u64::from(u32::MAX))?,
            function_name: fields.function_name()?,
            worker_dir: fields.absolute_path("worker_dir")?,
            worker_url: fields.text("worker_url")?,
            worker_port: fields
                .number("worker_port", 1, u64::from(u16::MAX))?
                .and_then(|port| u16::try_from(port).ok()),
            sandbox: fields.text("sandbox")?,
            server_mode: fields.text("server_mode")?,
            registry: fields.text("registry")?,
            registry_cache_ms: fields.number("registry_cache_ms", 0, u64::from(u32::MAX))?,
            pkgs_dir: fields.text("pkgs_dir")?,
            sock_base_path: fields.text("sock_base_path")?,
            mem_pool_mb: fields.number("mem_pool_mb", 0, u64::from(u32::MAX))?,
            limits: fields.limits()?,
        };
        Ok(config)
    }
}

/// The fields of an object.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    file: &'a str,
    /// What stands before a field's name in an error.
    within: &'a str,
}

impl Fields<'_> {
    /// As Go has it: the key as it is written, else in any case.
    fn get(&self, key: &str) -> Option<&Value> {
        let found = self.map.get(key).or_else(|| {
            let mut entries = self.map.iter();
            entries
                .find(|(other, _)| other.eq_ignore_ascii_case(key))
                .map(|(_, value)| value)
        });
        found.filter(|value| !value.is_null())
    }

    /// A text; an empty one is none.
    fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let Value::String(text) = value else {
            return Err(self.wrong_type(key, value, "write a text in quotes"));
        };
        if text.len() > MAX_TEXT_BYTES || text.contains(char::is_control) {
            return Err(self.error(
                key,
                format!("control characters, or more than {MAX_TEXT_BYTES} bytes"),
                "write a shorter text that prints",
            ));
        }
        Ok((!text.is_empty()).then(|| text.clone()))
    }

    /// A whole number, in quotes or not.
    fn number(&self, key: &str, least: u64, most: u64) -> Result<Option<u64>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) if text.is_empty() => return Ok(None),
            Value::String(text) => text.trim().parse().ok(),
            _ => return Err(self.wrong_type(key, value, "write a number")),
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.error(
                key,
                format!("{value} is out of range"),
                format!("write a whole number from {least} to {most}"),
            )),
        }
    }

    fn absolute_path(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let path = self.text(key)?;
        if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            return Err(self.error(key, "the path is relative", "begin it with `/`"));
        }
        Ok(path)
    }

    fn function_name(&self) -> Result<Option<String>, ConfigError> {
        let key = "function_name";
        let name = match self.get(key) {
            Some(Value::String(name)) => name,
            Some(other) => return Err(self.wrong_type(key, other, "write a name in quotes")),
            None => return Ok(None),
        };
        if name.is_empty() {
            return Ok(None);
        }
        check_name(name)
            .map_err(|what| self.error(key, what, "use letters, digits, `-`, `_` and `.`"))?;
        Ok(Some(name.clone()))
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        let map = match self.get("limits") {
            None => return Ok(Limits::default()),
            Some(Value::Object(map)) => map,
            Some(other) => {
                return Err(self.wrong_type("limits", other, "write { \"procs\": …, … }"));
            }
        };
        let fields = Fields {
            map,
            file: self.file,
            within: "limits.",
        };
        let limit = |key| -> Result<Option<u64>, ConfigError> {
            let limit = fields.number(key, 0, u64::from(u32::MAX))?;
            Ok(limit.filter(|&limit| limit > 0))
        };
        Ok(Limits {
            procs: limit("procs")?,
            mem_mb: limit("mem_mb")?,
            cpu_percent: limit("cpu_percent")?,
            swappiness: limit("swappiness")?,
            max_runtime_default: limit("max_runtime_default")?,
            runtime_sec: limit("runtime_sec")?,
        })
    }

    fn wrong_type(&self, key: &str, value: &Value, advice: &str) -> ConfigError {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        self.error(key, format!("{found} is of the wrong type"), advice)
    }

    fn error(&self, key: &str, what: impl Into<String>, advice: impl Into<String>) -> ConfigError {
        ConfigError::new(self.file, &format!("{}{key}", self.within), what, advice)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the published scripts write it.
    const PUBLISHED: &str = r#"{
        "worker_dir": "/var/lib/ol_workspace/worker1/worker",
        "worker_url": "localhost", "worker_port": "5001",
        "sandbox": "sock", "server_mode": "lambda",
        "registry": "/var/lib/ol_workspace/worker1/registry", "registry_cache_ms": 5000,
        "Pkgs_dir": "/var/lib/ol_workspace/worker1/packages",
        "SOCK_base_path": "/var/lib/ol_workspace/worker1/lambda",
        "pip_mirror": "", "mem_pool_mb": 1024, "import_cache_tree": "", "log_output": true,
        "limits": {"procs": 10, "mem_mb": 50, "cpu_percent": 100, "max_runtime_default": 30,
                   "swappiness": 0, "installer_mem_mb": 250},
        "features": {"reuse_cgroups": false, "import_cache": "tree"},
        "seal_priority": "1", "function_name": "floatOperation1"
    }"#;

    fn parse(text: &str) -> Result<WorkerConfig, ConfigError> {
        WorkerConfig::parse(text.as_bytes(), "w/config.json")
    }

    #[test]
    fn the_published_configuration_is_read() {
        let config = parse(PUBLISHED).unwrap();
        let expected = WorkerConfig {
            seal_priority: Some(1),
            function_name: Some("floatOperation1".to_owned()),
            worker_dir: Some("/var/lib/ol_workspace/worker1/worker".to_owned()),
            worker_url: Some("localhost".to_owned()),
            worker_port: Some(5001),
            sandbox: Some("sock".to_owned()),
            server_mode: Some("lambda".to_owned()),
            registry: Some("/var/lib/ol_workspace/worker1/registry".to_owned()),
            registry_cache_ms: Some(5000),
            pkgs_dir: Some("/var/lib/ol_workspace/worker1/packages".to_owned()),
            sock_base_path: Some("/var/lib/ol_workspace/worker1/lambda".to_owned()),
            mem_pool_mb: Some(1024),
            limits: Limits {
                procs: Some(10),
                mem_mb: Some(50),
                cpu_percent: Some(100),
                swappiness: None,
                max_runtime_default: Some(30),
                runtime_sec: None,
            },
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn what_is_absent_empty_or_unknown_is_passed_over() {
        for text in [
            "{}",
            r#"{"worker_port": "", "function_name": "", "sandbox": null}"#,
            r#"{"unknown": [1, {"a": null}], "limits": {"procs": 0}}"#,
        ] {
            assert_eq!(parse(text).unwrap(), WorkerConfig::default(), "{text}");
        }
    }

    #[test]
    fn errors_name_file_and_field() {
        for (text, beginning) in [
            ("", "w/config.json: no JSON"),
            ("{\"a\": ", "w/config.json: no JSON"),
            ("[]", "w/config.json: the JSON is no object"),
            (
                r#"{"seal_priority": -1}"#,
                "w/config.json: seal_priority: -1 is out of range",
            ),
            (
                r#"{"seal_priority": 1.5}"#,
                "w/config.json: seal_priority: 1.5",
            ),
            (
                r#"{"seal_priority": "one"}"#,
                "w/config.json: seal_priority: \"one\"",
            ),
            (
                r#"{"seal_priority": [1]}"#,
                "w/config.json: seal_priority: an array is of the wrong type",
            ),
            (r#"{"worker_port": 0}"#, "w/config.json: worker_port: 0"),
            (
                r#"{"worker_port": 65536}"#,
                "w/config.json: worker_port: 65536",
            ),
            (
                r#"{"worker_dir": "here"}"#,
                "w/config.json: worker_dir: the path is relative",
            ),
            (
                r#"{"sandbox": "a\nb"}"#,
                "w/config.json: sandbox: control characters",
            ),
            (
                r#"{"function_name": "../x"}"#,
                "w/config.json: function_name: ",
            ),
            (
                r#"{"function_name": 7}"#,
                "w/config.json: function_name: a number",
            ),
            (
                r#"{"limits": {"procs": "many"}}"#,
                "w/config.json: limits.procs: ",
            ),
            (r#"{"limits": 3}"#, "w/config.json: limits: a number"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(beginning), "{text} gave {error}");
        }
    }

    #[test]
    fn what_is_huge_or_deep_is_an_error() {
        let huge = vec![b' '; MAX_CONFIG_BYTES + 1];
        assert!(WorkerConfig::parse(&huge, "f").is_err());
        assert!(parse(&"[".repeat(100_000)).is_err());
        let long = format!(r#"{{"registry": "{}"}}"#, "x".repeat(MAX_TEXT_BYTES + 1));
        assert!(parse(&long).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_configuration_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = WorkerConfig::parse(&bytes, "f");
        }

        #[test]
        fn any_value_of_a_field_is_read_or_an_error(
            key in "seal_priority|function_name|worker_dir|worker_port|limits|Registry|\\PC{0,9}",
            value in "-?[0-9]{1,25}|\"\\PC{0,20}\"|null|true|\\[\\]|\\{\"procs\":[0-9]{1,3}\\}|1e999",
            cut in 0usize..60,
        ) {
            let text = format!("{{\"{key}\": {value}}}");
            if let Ok(config) = parse(&text) {
                let name = config.function_name.unwrap_or_default();
                prop_assert!(!name.contains(['/', '\0', '\n']) && name != "..");
            }
            let _ = WorkerConfig::parse(&text.as_bytes()[..cut.min(text.len())], "f");
        }

        #[test]
        fn a_truncated_file_is_an_error(cut in 0usize..800) {
            let end = cut.min(PUBLISHED.trim_end().len() - 1);
            prop_assert!(parse(&PUBLISHED[..end]).is_err());
        }
    }
}
