//! Checks of the `/_sim` paths and of the start that depend on the vendor: credentials, grants, tenants, and a prefix.
//!
//! The tests of Arize's simulator cover the parts of the kit that are the same for all vendors.

use rolewright_simulators::kit::{Options, Server};
use serde_json::{Value, json};

use super::{Answer, Client, Login, Started, Tested};

impl<V: Tested> Started<V> {
    /// Path, query, status and credential name of each logged request. Checks that the log has no secret.
    pub async fn logged(&self, secrets: &[&str]) -> Vec<Value> {
        let log = self.get("/_sim/requests").await;
        for secret in secrets.iter().chain(&[V::TOKEN]) {
            assert!(!log.raw.contains(secret), "{}", log.raw);
        }
        let line =
            |entry: &Value| json!([entry["path"], entry["query"], entry["status"], entry["credential"]]);
        log.body["requests"].as_array().unwrap().iter().map(line).collect()
    }

    /// Checks that each of these states is refused, and that the current state stays.
    pub async fn refuses_states(&self, invalid: impl IntoIterator<Item = Value>) {
        let before = self.get("/_sim/state").await.body;
        for state in invalid {
            let answer = self.put("/_sim/state", state).await;
            assert_eq!(answer.status, 400);
            assert!(answer.body["error"].is_string(), "{}", answer.raw);
        }
        assert!(self.get("/_sim/state").await.body == before);
    }

    /// Narrows, expires and revives the credential `reader`, which can read `path` until it is narrowed to `less`. Checks that
    /// a grant with the field `unknown` is refused. Returns the narrowed grant, and the answer to the expired credential.
    pub async fn narrowed_expired_and_revived(
        &self,
        reader: &Client,
        path: &str,
        less: Value,
        unknown: &str,
    ) -> (Value, Answer) {
        let change = async |body: Value| self.post("/_sim/credentials", body).await;
        assert_eq!(reader.get(path).await.status, 200);
        let narrowed = change(json!({"action": "Narrow", "name": "reader", "grant": less})).await;
        assert_eq!((narrowed.status, reader.get(path).await.status), (200, 403));
        assert_eq!(change(json!({"action": "Expire", "name": "reader"})).await.status, 200);
        let expired = reader.get(path).await;
        assert_eq!(expired.status, 401);
        assert_eq!(change(json!({"action": "Revive", "name": "reader"})).await.status, 200);
        assert_eq!(reader.get(path).await.status, 403);
        let typo = json!({"action": "Narrow", "name": "reader", "grant": {unknown: []}});
        assert_eq!(change(typo).await.status, 400);
        (narrowed.body["grant"].clone(), expired)
    }

    /// Checks that the list of credentials has no secrets. Returns the grant of the first credential.
    pub async fn first_grant(&self, others: &[&str]) -> Value {
        let list = self.get("/_sim/credentials").await;
        for secret in others.iter().map(|name| V::token(name)).chain([V::TOKEN.to_owned()]) {
            assert!(!list.raw.contains(&secret), "{}", list.raw);
        }
        let first = &list.body["credentials"][0];
        assert_eq!((&first["name"], &first["expired"]), (&json!("admin"), &json!(false)));
        first["grant"].clone()
    }
}

/// Checks that a server with a path prefix serves this path of the vendor below the prefix, and not without it.
pub async fn lies_below_a_path<V: Tested>(path: &str) -> Started<V> {
    let options = |prefix: &str| Options { prefix: prefix.to_owned(), ..Options::new(V::TOKEN) };
    let with_slash = Started::<V>::with_options(options("/some/where/")).await;
    assert_eq!(with_slash.get(path).await.status, 200);
    let below = Started::<V>::with_options(options("/some/where")).await;
    assert_eq!(below.get(path).await.status, 200);
    assert_eq!(below.get("/_sim/state").await.status, 200);
    let beside = Client::new(below.simulator.url(), V::ROOT.to_owned(), Login::Token(V::TOKEN.to_owned()));
    assert_eq!(beside.get(path).await.status, 404);
    below
}

/// Checks that a server with these options does not start, because of the options.
pub async fn does_not_start<V: Tested>(options: Options<V>) {
    let error = Server::start(options).await.err().expect("the server must not start");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
}
