// SPDX-License-Identifier: GPL-2.0-only
//! What runtimes keep of a container in files, as far as it tells the function.
//!
//! All are JSON written by the runtime, and read by us without trusting them:
//! fields we do not need are skipped, values of another type are left out.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identify::Labels;

/// Larger files are no records, in bytes.
pub const MAX_RECORD_BYTES: usize = 4 << 20;

/// Docker's `/var/lib/docker/containers/ID/config.v2.json`.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DockerRecord {
    #[serde(rename = "ID", deserialize_with = "text")]
    pub id: String,
    /// With a `/` before it.
    #[serde(rename = "Name", deserialize_with = "text")]
    pub name: String,
    #[serde(rename = "Config", deserialize_with = "nullable")]
    pub config: DockerConfig,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DockerConfig {
    #[serde(rename = "Labels", deserialize_with = "labels")]
    pub labels: Labels,
}

/// The `config.json` of an OCI bundle.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BundleRecord {
    #[serde(deserialize_with = "labels")]
    pub annotations: Labels,
    #[serde(deserialize_with = "nullable")]
    pub linux: BundleLinux,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BundleLinux {
    #[serde(rename = "cgroupsPath", deserialize_with = "text")]
    pub cgroups_path: String,
}

/// runc's `state.json`.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RuncRecord {
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// By controller; the v2 hierarchy's has no name.
    #[serde(deserialize_with = "labels")]
    pub cgroup_paths: Labels,
    #[serde(deserialize_with = "nullable")]
    pub config: RuncConfig,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RuncConfig {
    /// `key=value`, of the bundle's annotations, and `bundle=` its folder.
    #[serde(deserialize_with = "or_default")]
    labels: Vec<String>,
}

impl RuncConfig {
    pub fn annotations(&self) -> Labels {
        let pairs = self.labels.iter().filter_map(|label| label.split_once('='));
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

/// crun's `status`.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CrunRecord {
    #[serde(rename = "cgroup-path", deserialize_with = "text")]
    pub cgroup_path: String,
    /// The bundle's folder.
    #[serde(deserialize_with = "text")]
    pub bundle: String,
}

/// A container's `config` in podman's database.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PodmanRecord {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "labels")]
    pub labels: Labels,
    #[serde(rename = "isInfra", deserialize_with = "or_default")]
    pub is_infra: bool,
}

/// One of the containers in `containers.json` of podman's and CRI-O's storage.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct StorageRecord {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub names: Vec<String>,
}

/// A record from a file's bytes.
///
/// # Errors
/// What is wrong, in words: too large, no JSON, cut off, or another type.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(format!("more than {MAX_RECORD_BYTES} bytes"));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Labels within a text: CRI-O keeps a pod's so.
pub fn labels_within(text: &str) -> Labels {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    labels(&mut deserializer).unwrap_or_default()
}

/// An object's texts; anything else in it is left out, and `null` is none.
fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let entries: BTreeMap<String, Value> = or_default(deserializer)?;
    Ok(entries
        .into_iter()
        .filter_map(|(key, value)| match value {
            Value::String(value) => Some((key, value)),
            _ => None,
        })
        .collect())
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    or_default(deserializer)
}

/// A large value, which is not to be looked at twice; `null` is the default.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A value, or the default where it is of another type.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_record_gives_what_it_has() {
        let docker: DockerRecord = parse(
            br#"{"StreamConfig": {}, "State": {"Running": true, "Pid": 17}, "ID": "abc",
                "Name": "/fib", "Config": {"Labels": {"faas_function": "fib", "n": 3}}}"#,
        )
        .unwrap();
        assert_eq!((&*docker.id, &*docker.name), ("abc", "/fib"));
        assert_eq!(docker.config.labels["faas_function"], "fib");
        assert_eq!(docker.config.labels.len(), 1);

        let bundle: BundleRecord = parse(
            br#"{"ociVersion": "1.0.2", "annotations": {"a": "b"},
                "linux": {"resources": {}, "cgroupsPath": "/default/fib"}}"#,
        )
        .unwrap();
        assert_eq!(bundle.linux.cgroups_path, "/default/fib");
        assert_eq!(bundle.annotations["a"], "b");

        let runc: RuncRecord = parse(
            br#"{"id": "fib", "cgroup_paths": {"": "/sys/fs/cgroup/fib"},
                "config": {"labels": ["faas_function=a=b", "bundle=/b", "odd"]}}"#,
        )
        .unwrap();
        assert_eq!(runc.cgroup_paths[""], "/sys/fs/cgroup/fib");
        assert_eq!(runc.config.annotations()["faas_function"], "a=b");

        let crun: CrunRecord =
            parse(br#"{"pid": 1, "cgroup-path": "/fib", "bundle": "/b"}"#).unwrap();
        assert_eq!((&*crun.cgroup_path, &*crun.bundle), ("/fib", "/b"));
    }

    #[test]
    fn what_is_of_another_type_is_left_out() {
        for text in [
            r#"{"ID": 7, "Name": null, "Config": null}"#,
            r#"{"Config": {"Labels": null}}"#,
            r#"{"Config": {"Labels": ["a"]}, "Name": {}}"#,
            "{}",
        ] {
            let record: DockerRecord = parse(text.as_bytes()).unwrap();
            assert_eq!(record, DockerRecord::default(), "{text}");
        }
        assert!(labels_within("").is_empty() && labels_within("[1]").is_empty());
        assert_eq!(labels_within(r#"{"a": "b"}"#)["a"], "b");
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        for bytes in [
            &b""[..],
            b"{",
            b"[]]",
            b"\0\0\0",
            b"{\"ID\": \"a",
            b"\xff{}",
        ] {
            assert!(parse::<DockerRecord>(bytes).is_err(), "{bytes:?}");
        }
        assert!(parse::<BundleRecord>(&vec![b' '; MAX_RECORD_BYTES + 1]).is_err());
        assert!(parse::<BundleRecord>("[".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_record_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            key in "ID|Name|Config|annotations|linux|config|cgroup_paths|labels",
            value in "null|[0-9]{1,30}|\"\\PC{0,9}\"|\\{\"Labels\":\\{\"a\":[1-9]\\}\\}|\\[\\]",
        ) {
            for bytes in [bytes, format!("{{\"{key}\":{value}}}").into_bytes()] {
                let _ = parse::<DockerRecord>(&bytes);
                let _ = parse::<BundleRecord>(&bytes);
                let _ = parse::<RuncRecord>(&bytes).map(|record| record.config.annotations());
                let _ = parse::<CrunRecord>(&bytes);
                let _ = parse::<PodmanRecord>(&bytes);
                let _ = parse::<Vec<StorageRecord>>(&bytes);
                labels_within(&String::from_utf8_lossy(&bytes));
            }
        }
    }
}
