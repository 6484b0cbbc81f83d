// SPDX-License-Identifier: GPL-2.0-only
//! What was learned, kept in a file from one life to the next.

use std::fs;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use scx_alps::identify::Source;
use scx_alps::learn::History;
use serde::{Deserialize, Serialize};

use super::file::open_regular;

/// Raised when older files can no longer be read.
const FORMAT: u32 = 1;

/// Larger files are not ours.
const MAX_BYTES: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct StateFile {
    format: u32,
    functions: Vec<SavedFunction>,
}

/// One function with what was seen of it.
#[derive(Serialize, Deserialize)]
pub struct SavedFunction {
    pub name: String,
    #[serde(with = "SourceName")]
    pub source: Source,
    pub history: History,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Source", rename_all = "snake_case")]
enum SourceName {
    LeafCgroup,
    CgroupRule,
    OpenLambda,
    Worker,
    ContainerName,
    PodName,
    Label,
    Comm,
    Cmdline,
    Environ,
}

/// Read a state file; `None` where there is none yet.
pub fn load(path: &Path) -> Result<Option<Vec<SavedFunction>>> {
    let Some(file) = open_regular(path)? else {
        return Ok(None);
    };
    if file.metadata().is_ok_and(|data| data.len() > MAX_BYTES) {
        bail!("{} is too large to be a state file", path.display());
    }
    let state: StateFile = serde_json::from_reader(BufReader::new(file))
        .with_context(|| format!("{} is damaged", path.display()))?;
    if state.format != FORMAT {
        bail!(
            "{} has format {}, and this version reads format {FORMAT}",
            path.display(),
            state.format
        );
    }
    Ok(Some(state.functions))
}

/// Refuse a path that is something else than a file: saving would replace it.
pub fn check(path: &Path) -> Result<()> {
    open_regular(path).map(drop).context("--state")
}

/// Keep a file that could not be loaded under another name, for saving would
/// replace it.
pub fn set_aside(path: &Path) -> Result<PathBuf> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".damaged");
    let kept = PathBuf::from(kept);
    fs::rename(path, &kept)
        .with_context(|| format!("cannot rename {} to {}", path.display(), kept.display()))?;
    Ok(kept)
}

/// Replace the state file as a whole: a crash leaves the old or the new one.
pub fn save(path: &Path, functions: Vec<SavedFunction>) -> Result<()> {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let directory = directory.unwrap_or(Path::new("."));
    let cannot = || format!("cannot write {}", path.display());
    fs::create_dir_all(directory).with_context(cannot)?;
    let mut file = tempfile::NamedTempFile::new_in(directory).with_context(cannot)?;
    let state = StateFile {
        format: FORMAT,
        functions,
    };
    let mut out = BufWriter::new(file.as_file_mut());
    serde_json::to_writer(&mut out, &state).with_context(cannot)?;
    out.flush().with_context(cannot)?;
    drop(out);
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_no_state_and_a_damaged_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        assert!(load(&path).unwrap().is_none());
        for damaged in ["", "{", "[1,2]", "{\"format\":99,\"functions\":[]}", "\0\0"] {
            fs::write(&path, damaged).unwrap();
            assert!(load(&path).is_err(), "{damaged:?}");
        }
        let kept = set_aside(&path).unwrap();
        assert_eq!(kept, directory.path().join("state.json.damaged"));
        assert_eq!(fs::read_to_string(kept).unwrap(), "\0\0");
        assert!(load(&path).unwrap().is_none());
    }

    #[test]
    fn only_a_file_can_hold_the_state() {
        let directory = tempfile::tempdir().unwrap();
        assert!(check(&directory.path().join("new.json")).is_ok());
        for path in [directory.path(), Path::new("/dev/null")] {
            assert!(check(path).is_err(), "{}", path.display());
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/state.json");
        let saved = SavedFunction {
            name: "resize".to_owned(),
            source: Source::Comm,
            history: History::default(),
        };
        save(&path, vec![saved]).unwrap();
        let loaded = load(&path).unwrap().unwrap();
        assert_eq!(loaded.len(), 1);
        assert_eq!(loaded[0].name, "resize");
        assert_eq!(loaded[0].source, Source::Comm);
    }
}
