//! Kubeconfig files: for the administrator, and for users that the administrator impersonates.

use std::path::Path;

use crate::{error::Error, files};

/// The user that the administrator's token impersonates.
pub struct Impersonation<'a> {
    pub user: &'a str,
    pub groups: &'a [&'a str],
}

/// Writes a kubeconfig that authenticates with `token`.
pub fn write(
    path: &Path,
    url: &str,
    ca_cert: &Path,
    token: &str,
    impersonation: Option<Impersonation<'_>>,
) -> Result<(), Error> {
    let url = quoted(url);
    let ca_cert = quoted(&ca_cert.display().to_string());
    let token = quoted(token);
    let impersonation = impersonation.map_or_else(String::new, |user| user.to_yaml());
    let content = format!(
        "apiVersion: v1
kind: Config
current-context: control-plane
clusters:
- name: control-plane
  cluster:
    server: {url}
    certificate-authority: {ca_cert}
contexts:
- name: control-plane
  context:
    cluster: control-plane
    user: control-plane
users:
- name: control-plane
  user:
    token: {token}
{impersonation}"
    );
    files::write(path, &content)
}

impl Impersonation<'_> {
    fn to_yaml(&self) -> String {
        let mut yaml = format!("    as: {}\n", quoted(self.user));
        if !self.groups.is_empty() {
            let groups: Vec<String> = self.groups.iter().map(|group| quoted(group)).collect();
            yaml.push_str(&format!("    as-groups: [{}]\n", groups.join(", ")));
        }
        yaml
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
