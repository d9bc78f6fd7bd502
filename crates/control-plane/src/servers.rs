//! The server processes, and the watchdog that ends them when this process ends for any reason.
//!
//! The watchdog is a shell that leads its own process group and reads from a pipe whose other end only this process has.
//! The servers join that group. When the pipe closes, the watchdog kills the whole group. No list of process ids is
//! needed, which could become outdated.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{error::Error, files};

/// It ignores interrupts from a terminal, because this process handles them. Nothing is written to the pipe: `read` returns
/// when it closes.
const WATCHDOG: &str = "trap '' HUP INT TERM; read -r _; kill -KILL 0";

const TAIL_LINES: usize = 25;

/// All servers of one control plane. Dropping it ends them and waits until they have ended.
pub struct Servers {
    dir: PathBuf,
    watchdog: Child,
    running: Vec<Server>,
}

struct Server {
    name: &'static str,
    process: Child,
}

impl Servers {
    /// Starts the watchdog. The servers run in `dir` and write `<name>.log` there.
    pub fn new(dir: &Path) -> Result<Self, Error> {
        let watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG])
            // As $0, so that a process list shows which control plane the watchdog belongs to.
            .arg(dir)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::io("cannot start /bin/sh"))?;
        Ok(Self { dir: dir.to_owned(), watchdog, running: Vec::new() })
    }

    /// Ends a server and waits until it has ended; the others go on.
    pub fn end(&mut self, name: &str) {
        if let Some(place) = self.running.iter().position(|server| server.name == name) {
            let mut server = self.running.remove(place);
            let _ = server.process.kill();
            let _ = server.process.wait();
        }
    }

    /// Starts a server in the process group of the watchdog.
    pub fn spawn(&mut self, name: &'static str, mut command: Command) -> Result<(), Error> {
        let log = files::create(&self.log(name))?;
        let also_log =
            log.try_clone().map_err(Error::io(format!("cannot duplicate the log file of {name}")))?;
        let process = command
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(also_log)
            .process_group(self.watchdog.id().cast_signed())
            .spawn()
            .map_err(Error::io(format!("cannot start {name}")))?;
        self.running.push(Server { name, process });
        Ok(())
    }

    /// Checks that all servers still run.
    ///
    /// # Errors
    /// [`Error::ServerEnded`] for the first server that ended.
    pub fn check(&mut self) -> Result<(), Error> {
        for server in &mut self.running {
            let ended = server
                .process
                .try_wait()
                .map_err(Error::io(format!("cannot check the process of {}", server.name)))?;
            if let Some(status) = ended {
                let server = server.name;
                return Err(Error::ServerEnded {
                    server,
                    status,
                    log: self.log(server),
                    tail: self.tail(server),
                });
            }
        }
        Ok(())
    }

    /// The path of the log file of a server.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.log"))
    }

    /// The last lines of the log of a server.
    pub fn tail(&self, name: &str) -> String {
        let log = fs::read(self.log(name)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // SIGKILL, because nobody needs their data and a graceful stop of open watches takes a minute.
        for server in &mut self.running {
            let _ = server.process.kill();
        }
        for server in &mut self.running {
            let _ = server.process.wait();
        }
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
