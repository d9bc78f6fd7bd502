//! A real Kubernetes control plane on loopback: etcd, kube-apiserver and, optionally, kube-controller-manager. And, on Linux as
//! root, a node for its pods.
//!
//! For tests and the demo. It does not depend on Rolewright. It needs only `/bin/sh` and the binaries of the servers,
//! which `hack/tools.sh` provides. The library blocks: in async code, start it in `spawn_blocking` or before the runtime.
//!
//! ```no_run
//! use control_plane::{ControlPlane, Options};
//!
//! let plane = ControlPlane::start(&Options { dir: "target/plane".into(), ..Options::default() })?;
//! let namespaces = plane.kubectl()?.args(["get", "namespaces"]).output();
//! # Ok::<(), control_plane::Error>(())
//! ```

mod binaries;
mod credentials;
mod error;
mod files;
mod kubeconfig;
mod node;
mod plane;
mod port;
mod probe;
mod servers;

pub use binaries::find as find_binary;
pub use error::Error;
pub use node::Node;
pub use plane::{ControlPlane, Options};
