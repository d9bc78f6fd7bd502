//! How a request carries its secret (contract 1.2).

use axum::http::{HeaderMap, header};

use crate::kit::credentials::bearer;

/// The cookie that carries a user's session.
const SESSION: &str = "session_id=";

/// The secret of either scheme: the bearer token, or `session_id=` with what the cookie says.
pub fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').map(str::trim).find(|cookie| cookie.starts_with(SESSION)).map(str::to_owned)
}
