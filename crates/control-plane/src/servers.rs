//! The server processes, and the watchdog that ends them when their starter is gone, however it went.
//!
//! The watchdog is a shell that leads a process group of its own and waits for the end of a pipe that only the
//! starter holds. The servers join its group, so there is no list of pids to keep and none that could be stale: when
//! the pipe closes, the whole group is killed.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{Error, files};

/// Interrupts from a terminal are the starter's to handle. Nothing is ever written to the pipe: `read` returns at its end.
const WATCHDOG: &str = "trap '' HUP INT TERM; read -r _; kill -KILL 0";

const TAIL_LINES: usize = 25;

/// All servers of one control plane. Dropping it ends them and waits until they are gone.
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
    /// Starts the watchdog. The directory is where the servers run and write `<name>.log`.
    pub fn new(dir: &Path) -> Result<Self, Error> {
        let watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG])
            .arg(dir) // as $0: a process list shows whose watchdog it is
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::io("cannot start /bin/sh"))?;
        Ok(Self { dir: dir.to_owned(), watchdog, running: Vec::new() })
    }

    /// Starts a server.
    pub fn spawn(&mut self, name: &'static str, mut command: Command) -> Result<(), Error> {
        let log = files::create(&self.log(name))?;
        let also_log = log.try_clone().map_err(Error::io(format!("cannot open the log of {name} twice")))?;
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

    /// # Errors
    /// [`Error::ServerEnded`] if one of the servers does not run any more.
    pub fn check(&mut self) -> Result<(), Error> {
        for server in &mut self.running {
            let ended =
                server.process.try_wait().map_err(Error::io(format!("cannot look at {}", server.name)))?;
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

    /// The path of a server's log.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.log"))
    }

    /// The last lines of a server's log.
    pub fn tail(&self, name: &str) -> String {
        let log = fs::read(self.log(name)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Killed, not asked: what they hold is thrown away, and a server that drains its watches takes a minute.
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
