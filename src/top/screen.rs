// SPDX-License-Identifier: GPL-2.0-only
//! The terminal, taken over and given back.

use std::io::{self, IsTerminal, Stdout, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use crossterm::cursor::Show;
use crossterm::execute;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use super::draw;
use super::view::View;

/// Whether the terminal is ours; a thread that panics gives it back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The whole terminal.
pub struct Screen {
    // Dropping one panics when there is no terminal left to show a cursor on.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Screen {
    /// Take the terminal over until the screen is dropped or a thread panics.
    pub fn open() -> Result<Self> {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            hook(info);
        }));
        let terminal = take()
            .inspect_err(|_| give_back())
            .context("cannot use the terminal; --once prints the table as text")?;
        Ok(Self { terminal })
    }

    /// Whether the terminal is gone, and with it whoever looked at it.
    pub fn hung_up() -> bool {
        !stdout().is_terminal()
    }

    pub fn draw(&mut self, view: &mut View) -> Result<()> {
        if !TAKEN.load(Ordering::Relaxed) {
            bail!("a thread panicked");
        }
        self.terminal
            .draw(|frame| draw::draw(frame, view, Instant::now()))
            .context("cannot write to the terminal")?;
        Ok(())
    }

    /// Stop as on Ctrl-Z; returns when the process is continued.
    pub fn suspend(&mut self) -> Result<()> {
        give_back();
        emulate_default_handler(SIGTSTP).context("cannot suspend")?;
        self.take_again()
    }

    /// Take the terminal over again, whatever was done to it meanwhile.
    pub fn take_again(&mut self) -> Result<()> {
        give_back();
        self.terminal = take().context("cannot use the terminal again")?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// `Terminal::clear` would ask where the cursor is, and the answer would go
/// to the thread that reads the keys; a new terminal starts empty.
fn take() -> io::Result<ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>> {
    TAKEN.store(true, Ordering::Relaxed);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
    Terminal::new(CrosstermBackend::new(stdout())).map(ManuallyDrop::new)
}

/// Once only: a second time moves the cursor back over what was printed since.
/// And not by `ratatui::restore`, which panics when there is no terminal left,
/// even from the panic hook that `ratatui::init` sets.
fn give_back() {
    if TAKEN.swap(false, Ordering::Relaxed) {
        let _ = execute!(stdout(), Show);
        let _ = ratatui::try_restore();
    }
}
