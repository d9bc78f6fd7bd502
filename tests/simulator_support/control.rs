//! What `/_sim` and starting have of a vendor's own: its credentials, grants and tenants, and its paths below a prefix.
//!
//! What the kit does for every vendor alike is tested once, in the tests of Arize's simulator.

use rolewright_simulators::kit::{Options, Server};
use serde_json::{Value, json};

use super::{Answer, Client, Login, Started, Tested};

impl<V: Tested> Started<V> {
    /// The log's requests: path, query, status, and the credential's name. No secret is in it.
    pub async fn logged(&self, secrets: &[&str]) -> Vec<Value> {
        let log = self.get("/_sim/requests").await;
        for secret in secrets.iter().chain(&[V::TOKEN]) {
            assert!(!log.raw.contains(secret), "{}", log.raw);
        }
        let line =
            |entry: &Value| json!([entry["path"], entry["query"], entry["status"], entry["credential"]]);
        log.body["requests"].as_array().unwrap().iter().map(line).collect()
    }

    /// None of these states is taken, and the one that was there stays.
    pub async fn refuses_states(&self, wrong: impl IntoIterator<Item = Value>) {
        let before = self.get("/_sim/state").await.body;
        for state in wrong {
            let answer = self.put("/_sim/state", state).await;
            assert_eq!(answer.status, 400);
            assert!(answer.body["error"].is_string(), "{}", answer.raw);
        }
        assert!(self.get("/_sim/state").await.body == before);
    }

    /// The life of the credential `reader`, which may read `path` until it is narrowed to `less`; a grant with a field that is unknown is
    /// refused. Gives the narrowed grant, and the answer to the expired credential.
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

    /// The credentials are listed with their grants and without their secrets. Gives the grant of the first one.
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

/// The server lies below a path, and nowhere else: this path of the vendor's is there and not here.
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

/// A server that is started so does not start, and says that the options are wrong.
pub async fn does_not_start<V: Tested>(options: Options<V>) {
    let error = Server::start(options).await.err().expect("it started");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
}
