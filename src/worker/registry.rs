// SPDX-License-Identifier: GPL-2.0-only
//! Which handler a name stands for: a Python file or an executable of the
//! registry, else a built-in function.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use scx_alps::handler::Builtin;

use super::config::Config;

/// What answers requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handler {
    Builtin(Builtin),
    Executable(PathBuf),
    /// With the file's last change, after which it is loaded anew.
    Python(PathBuf, Option<SystemTime>),
}

/// Why a name stands for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHandler {
    Unknown,
    /// It leads out of the registry.
    Outside,
}

impl fmt::Display for NoHandler {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such function",
            Self::Outside => "the function's file is outside the registry",
        })
    }
}

/// The handler of the function `name` of a worker.
///
/// # Errors
/// When there is none.
pub fn find(config: &Config, name: &str) -> Result<Handler, NoHandler> {
    let listed = config.functions.get(name);
    let wanted = listed.and_then(|listed| listed.handler.as_deref());
    let wanted = wanted.unwrap_or(name);
    if let Some(registry) = &config.registry
        && let Some(handler) = in_registry(registry, wanted)?
    {
        return Ok(handler);
    }
    let numbered = || {
        let own = config.function.as_deref() == Some(wanted);
        own.then(|| Builtin::numbered(wanted)).flatten()
    };
    let builtin = Builtin::named(wanted).or_else(numbered);
    builtin.map(Handler::Builtin).ok_or(NoHandler::Unknown)
}

/// `NAME/f.py`, `NAME.py`, `NAME/handler` or `NAME`, the latter two
/// executable.
fn in_registry(registry: &Path, name: &str) -> Result<Option<Handler>, NoHandler> {
    let python = [
        registry.join(name).join("f.py"),
        registry.join(format!("{name}.py")),
    ];
    for path in python {
        if let Some(path) = file(registry, &path)? {
            let modified = path.metadata().and_then(|file| file.modified()).ok();
            return Ok(Some(Handler::Python(path, modified)));
        }
    }
    for path in [registry.join(name).join("handler"), registry.join(name)] {
        if let Some(path) = file(registry, &path)?
            && let Ok(metadata) = path.metadata()
            && metadata.permissions().mode() & 0o111 != 0
        {
            return Ok(Some(Handler::Executable(path)));
        }
    }
    Ok(None)
}

/// The file behind `path`, if there is one, with all links followed.
fn file(registry: &Path, path: &Path) -> Result<Option<PathBuf>, NoHandler> {
    // Most names are of no file: to see that costs much less than to see where
    // one leads.
    if !path.exists() {
        return Ok(None);
    }
    let (Ok(registry), Ok(path)) = (fs::canonicalize(registry), fs::canonicalize(path)) else {
        return Ok(None);
    };
    if !path.starts_with(registry) {
        return Err(NoHandler::Outside);
    }
    Ok(path.is_file().then_some(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::config::Listed;
    use super::super::limits::Limits;
    use super::*;

    fn executable(path: &Path) {
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    #[test]
    fn the_registry_comes_before_what_is_built_in() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            registry: Some(dir.path().into()),
            ..Config::default()
        };
        assert_eq!(find(&config, "fib"), Ok(Handler::Builtin(Builtin::Fib)));
        executable(&dir.path().join("fib"));
        assert!(matches!(find(&config, "fib"), Ok(Handler::Executable(_))));
        fs::create_dir(dir.path().join("py")).unwrap();
        assert_eq!(find(&config, "py"), Err(NoHandler::Unknown));
        fs::write(dir.path().join("py/f.py"), "").unwrap();
        assert!(matches!(find(&config, "py"), Ok(Handler::Python(..))));
        // Neither executable nor Python.
        fs::write(dir.path().join("text"), "").unwrap();
        assert_eq!(find(&config, "text"), Err(NoHandler::Unknown));
    }

    #[test]
    fn links_may_not_lead_outside() {
        let dir = tempfile::tempdir().unwrap();
        let registry = dir.path().join("registry");
        fs::create_dir(&registry).unwrap();
        executable(&dir.path().join("outside"));
        executable(&registry.join("inside"));
        symlink("../outside", registry.join("out")).unwrap();
        symlink("inside", registry.join("in")).unwrap();
        symlink("/etc", registry.join("etc")).unwrap();
        let config = Config {
            registry: Some(registry),
            ..Config::default()
        };
        assert_eq!(find(&config, "out"), Err(NoHandler::Outside));
        assert!(find(&config, "in").is_ok());
        assert_eq!(find(&config, "etc"), Err(NoHandler::Outside));
    }

    #[test]
    fn a_workers_function_may_be_numbered() {
        let mut config = Config {
            function: Some("floatOperation1".into()),
            ..Config::default()
        };
        let float = Ok(Handler::Builtin(Builtin::FloatOperation));
        assert_eq!(find(&config, "floatOperation1"), float);
        assert_eq!(find(&config, "floatOperation2"), Err(NoHandler::Unknown));
        let listed = Listed {
            handler: Some("floatOperation".into()),
            limits: Limits::default(),
        };
        config.functions.insert("mine".into(), listed);
        assert_eq!(find(&config, "mine"), float);
    }
}
