//! The control plane: its servers and their flags, the wait until it is ready, and the access for its users.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::{Ipv4Addr, SocketAddrV4},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    binaries,
    credentials::{self, Credentials},
    error::Error,
    files,
    kubeconfig::{self, Impersonation},
    port::ReservedPort,
    probe::Probe,
    servers::Servers,
};

const READY_TIMEOUT: Duration = Duration::from_secs(120);
const PROBE_INTERVAL: Duration = Duration::from_millis(25);

/// The servers to start, and their directory.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The directory for data, private keys, logs and kubeconfigs of this control plane only. It is created if it does
    /// not exist. Data of an earlier control plane in it are deleted. It stays after the control plane stops.
    pub dir: PathBuf,
    /// Whether to run kube-controller-manager. It completes the deletion of namespaces, deletes owned objects and fills
    /// aggregated cluster roles such as `view`, `edit` and `admin`. It starts last, and `start` does not wait for it.
    pub controller_manager: bool,
    /// Feature gates of the API server, such as `WatchList=false`.
    pub feature_gates: Vec<String>,
    /// Whether pods can run, on a [`Node`](crate::Node). Then the API server listens on the address of its Service,
    /// `10.0.0.1:443`, which must be an address of this machine; all controllers run, and pods get tokens.
    pub pods: bool,
}

/// The address of the Service `kubernetes`, the first of the range of Services.
pub const SERVICE_ADDRESS: &str = "10.0.0.1";
const SERVICE_PORT: u16 = 443;

/// A running control plane. Its servers end when it is dropped, and when this process ends for any reason.
pub struct ControlPlane {
    dir: PathBuf,
    url: String,
    kubeconfig: PathBuf,
    credentials: Credentials,
    impersonations: AtomicUsize,
    servers: Servers,
    _ports: [Option<ReservedPort>; 2],
    _lock: File,
}

impl ControlPlane {
    /// Starts a control plane and waits until its API server is ready.
    ///
    /// # Errors
    /// Any [`Error`]. No server is left running then.
    pub fn start(options: &Options) -> Result<Self, Error> {
        files::make_dir(&options.dir)?;
        let dir = options.dir.canonicalize().map_err(Error::io("cannot resolve the directory"))?;
        let etcd = binaries::find("etcd")?;
        let api_server = binaries::find("kube-apiserver")?;
        let controller_manager =
            options.controller_manager.then(|| binaries::find("kube-controller-manager")).transpose()?;
        let lock = lock(&dir)?;
        remove_old_data(&dir)?;

        let etcd_port = ReservedPort::new()?;
        let api_port = (!options.pods).then(ReservedPort::new).transpose()?;
        let (address, port) = match &api_port {
            Some(port) => (Ipv4Addr::LOCALHOST, port.number()),
            None => (SERVICE_ADDRESS.parse().expect("it is an address"), SERVICE_PORT),
        };
        let mut servers = Servers::new(&dir)?;
        servers.spawn("etcd", etcd_command(&etcd, etcd_port.number()))?;
        let credentials = Credentials::create(&dir)?;
        servers.spawn(
            "kube-apiserver",
            api_server_command(&api_server, etcd_port.number(), SocketAddrV4::new(address, port), options),
        )?;

        let url = format!("https://{address}:{port}");
        let kubeconfig = dir.join("kubeconfig");
        kubeconfig::write(&kubeconfig, &url, &dir.join(credentials::CA_CERT), &credentials.token, None)?;

        let probe = Probe::new((address, port).into(), credentials.ca_der.clone(), &credentials.token)?;
        wait_until_ready(&mut servers, &probe)?;
        if let Some(binary) = controller_manager {
            servers.spawn(
                "kube-controller-manager",
                controller_manager_command(&binary, &kubeconfig, options.pods),
            )?;
        }
        let impersonations = AtomicUsize::new(0);
        let _ports = [Some(etcd_port), api_port];
        Ok(Self { dir, url, kubeconfig, credentials, impersonations, servers, _ports, _lock: lock })
    }

    /// The kubeconfig of the administrator (group `system:masters`).
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Writes a kubeconfig that impersonates a user, and returns its path.
    ///
    /// For a service account, `user` is `system:serviceaccount:<namespace>:<name>`. If `groups` is empty, the API server
    /// adds the groups of the service account. The service account does not have to exist: its role bindings apply.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn kubeconfig_as(&self, user: &str, groups: &[&str]) -> Result<PathBuf, Error> {
        let number = self.impersonations.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("kubeconfig-as-{number}"));
        let ca_cert = self.dir.join(credentials::CA_CERT);
        kubeconfig::write(&path, &self.url, &ca_cert, self.token(), Some(Impersonation { user, groups }))?;
        Ok(path)
    }

    /// The address of the API server, such as `https://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bearer token of the administrator.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.credentials.token
    }

    /// The certificate, in PEM format, of the CA that signed the API server's certificate.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.credentials.ca_pem
    }

    /// A `kubectl` for this control plane with the rights of its administrator. It does not use the files of the user who
    /// runs it.
    ///
    /// # Errors
    /// [`Error::MissingBinary`] if kubectl is not found.
    pub fn kubectl(&self) -> Result<Command, Error> {
        let mut command = Command::new(binaries::find("kubectl")?);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            // kubectl's cache is keyed by host and port, and another API server can have had this port before.
            .env("KUBECACHEDIR", self.dir.join("kubectl-cache"))
            .env("KUBERC", "off");
        Ok(command)
    }

    /// Checks that all servers still run.
    ///
    /// # Errors
    /// [`Error::ServerEnded`] for the first server that ended.
    pub fn check(&mut self) -> Result<(), Error> {
        self.servers.check()
    }

    /// Ends the servers and waits until they have ended. Dropping the control plane does the same.
    pub fn stop(self) {}
}

/// Locks the directory. The operating system releases the lock when the file is dropped or the process ends.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let file = files::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::DirectoryInUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(Error::io(format!("cannot lock {}", path.display()))(source)),
    }
}

fn remove_old_data(dir: &Path) -> Result<(), Error> {
    let data = dir.join("etcd");
    match fs::remove_dir_all(&data) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove {}", data.display()))(error))
        }
        _ => Ok(()),
    }
}

fn wait_until_ready(servers: &mut Servers, probe: &Probe) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        servers.check()?;
        let last = match probe.status("/readyz") {
            Ok(200) => return Ok(()),
            Ok(code) => format!("/readyz returned {code}"),
            Err(error) => error.to_string(),
        };
        let waited = start.elapsed();
        if waited > READY_TIMEOUT {
            let server = "kube-apiserver";
            return Err(Error::NotReady {
                waited,
                last,
                log: servers.log(server),
                tail: servers.tail(server),
            });
        }
        thread::sleep(PROBE_INTERVAL);
    }
}

/// The servers run in the directory of the control plane, so flags need no paths.
fn etcd_command(binary: &Path, port: u16) -> Command {
    let url = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(binary);
    command
        .arg("--data-dir=etcd")
        .arg(format!("--listen-client-urls={url}"))
        .arg(format!("--advertise-client-urls={url}"))
        .arg("--listen-peer-urls=http://127.0.0.1:0")
        .args(["--socket-reuse-port", "--unsafe-no-fsync", "--log-level=error"]);
    command
}

fn api_server_command(binary: &Path, etcd_port: u16, listen: SocketAddrV4, options: &Options) -> Command {
    let mut command = Command::new(binary);
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"))
        .args([format!("--bind-address={}", listen.ip()), format!("--secure-port={}", listen.port())])
        .arg("--permit-port-sharing")
        // Otherwise the API server takes the address of the default route, and a sandbox may not have one.
        .args([&format!("--advertise-address={}", listen.ip()), "--endpoint-reconciler-type=none"])
        .arg("--cert-dir=.")
        .arg(format!("--tls-cert-file={}", credentials::SERVING_CERT))
        .arg(format!("--tls-private-key-file={}", credentials::SERVING_KEY))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(format!("--service-account-signing-key-file={}", credentials::SERVICE_ACCOUNT_KEY))
        .arg(format!("--service-account-key-file={}", credentials::SERVICE_ACCOUNT_PUBLIC_KEY))
        .arg(format!("--token-auth-file={}", credentials::TOKENS))
        .args(["--authorization-mode=RBAC", "--allow-privileged=true"])
        .arg("--service-cluster-ip-range=10.0.0.0/24");
    if options.pods {
        // The name of a node does not resolve.
        command.arg("--kubelet-preferred-address-types=InternalIP");
    } else {
        // The plugin requires a default service account in every namespace, and no controller creates them here.
        command.arg("--disable-admission-plugins=ServiceAccount");
    }
    if !options.feature_gates.is_empty() {
        command.arg(format!("--feature-gates={}", options.feature_gates.join(",")));
    }
    command
}

fn controller_manager_command(binary: &Path, kubeconfig: &Path, pods: bool) -> Command {
    let mut command = Command::new(binary);
    command
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .args(["--leader-elect=false", "--secure-port=0"])
        // A deleted namespace costs more than 100 requests. At the default of 20 a second, five that are deleted at once take a minute.
        .args(["--kube-api-qps=1000", "--kube-api-burst=1000", "--concurrent-namespace-syncs=20"])
        .arg(format!("--service-account-private-key-file={}", credentials::SERVICE_ACCOUNT_KEY));
    if pods {
        command.arg(format!("--root-ca-file={}", credentials::CA_CERT));
    } else {
        command.arg(
            "--controllers=namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller",
        );
    }
    command
}
