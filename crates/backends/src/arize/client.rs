//! Arize's endpoints (contract 2) with wire types, and lists that are read page by page.

use std::{collections::HashSet, marker::PhantomData};

use reqwest::Method;
use serde_json::Value;

use super::wire::{self, AuditLog, Listed};
use crate::{
    Error,
    http::{Answer, Credential, Http, Request},
    reading::{MAX_PAGES, endless_list, found, page_error},
};
use rolewright_core::model::Id;

/// The largest page size (contract 1.8).
const PAGE: &str = "100";

/// Arize's API with one API key.
pub struct Client {
    http: Http,
    credential: Credential,
}

impl Client {
    /// A client over a stack. Makes no call.
    pub fn new(http: Http, credential: Credential) -> Self {
        Self { http, credential }
    }

    /// The list of all items that pass these filters.
    pub fn list<'a, T: Listed>(&'a self, filters: &[(&'a str, &'a str)]) -> Pages<'a, T> {
        Pages {
            client: self,
            filters: filters.to_vec(),
            cursors: HashSet::new(),
            next: Next::First,
            items: PhantomData,
        }
    }

    /// One item by its id. None for a 404: deleted or hidden (contract 1.7).
    pub async fn get<T: Listed>(&self, id: &Id) -> Result<Option<T>, Error> {
        let answer = self.http.call(self.request(Method::GET, &["v2", T::PATH, id.as_str()])).await;
        found(answer.and_then(|answer| answer.decode()))
    }

    /// Creates an item, or restricts a resource.
    pub async fn post(&self, path: &str, body: Value) -> Result<Answer, Error> {
        self.http.call(self.request(Method::POST, &["v2", path]).body(body)).await
    }

    /// Changes some fields of an item.
    pub async fn patch(&self, path: &str, id: &Id, body: Value) -> Result<Answer, Error> {
        self.http.call(self.request(Method::PATCH, &["v2", path, id.as_str()]).body(body)).await
    }

    /// Deletes an item.
    pub async fn delete(&self, path: &str, id: &Id) -> Result<(), Error> {
        self.http.call(self.request(Method::DELETE, &["v2", path, id.as_str()])).await.map(|_| ())
    }

    /// Reads the newest entry of the audit log; false if the answer is not a log.
    pub async fn reads_audit_log(&self) -> Result<bool, Error> {
        let request = self.request(Method::GET, &["v2", AuditLog::PATH]).query("limit", "1");
        let answer = self.http.call(request).await?;
        Ok(wire::page::<AuditLog>(&answer.body).is_ok())
    }

    fn request<'a>(&'a self, method: Method, path: &[&'a str]) -> Request<'a> {
        Request::new(method, path, &self.credential)
    }
}

enum Next {
    First,
    After(String),
    None,
}

/// A list that is read page by page.
pub struct Pages<'a, T> {
    client: &'a Client,
    filters: Vec<(&'a str, &'a str)>,
    cursors: HashSet<String>,
    next: Next,
    items: PhantomData<T>,
}

impl<T: Listed> Pages<'_, T> {
    /// The next page, which can be empty before the end (contract 6.7). None after the last page.
    ///
    /// # Errors
    /// Any failure to read it, and a list without end. A refusal after the first page is temporary.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let mut request = self.client.request(Method::GET, &["v2", T::PATH]).query("limit", PAGE);
        for (name, value) in &self.filters {
            request = request.query(name, value);
        }
        let after_first = match &self.next {
            Next::None => return Ok(None),
            Next::First => false,
            Next::After(cursor) => {
                request = request.query("cursor", cursor);
                true
            }
        };
        let answer = self.client.http.call(request).await.map_err(|error| page_error(error, after_first))?;
        let page = wire::page::<T>(&answer.body).map_err(|what| answer.undecodable(what))?;
        self.next = match page.next {
            None => Next::None,
            Some(_) if self.cursors.len() >= MAX_PAGES => return Err(endless_list(&["v2", T::PATH])),
            Some(cursor) if !self.cursors.insert(cursor.clone()) => {
                return Err(answer.undecodable("leads back to a page that was already read"));
            }
            Some(cursor) => Next::After(cursor),
        };
        Ok(Some(page.items))
    }

    /// All items.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(items) = self.next().await? {
            all.extend(items);
        }
        Ok(all)
    }

    /// All items of the first pages, and whether that is the whole list.
    pub async fn first(mut self, pages: usize) -> Result<(Vec<T>, bool), Error> {
        let mut all = Vec::new();
        for _ in 0..pages {
            match self.next().await? {
                Some(items) => all.extend(items),
                None => break,
            }
        }
        Ok((all, matches!(self.next, Next::None)))
    }

    /// The first item that matches. Reads no further.
    pub async fn find(mut self, matches: impl Fn(&T) -> bool) -> Result<Option<T>, Error> {
        while let Some(items) = self.next().await? {
            if let Some(found) = items.into_iter().find(&matches) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
