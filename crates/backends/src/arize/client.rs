//! Arize's endpoints (contract 2): calls in wire types, and lists read page by page. What the things mean is not known here.

use std::{collections::HashSet, marker::PhantomData};

use reqwest::Method;
use serde_json::Value;

use super::wire::{self, AuditLog, Listed};
use crate::{
    Class, Error,
    http::{Answer, Credential, Http, Request},
    reading::{MOST_PAGES, found, of_page, without_end},
};
use rolewright_core::model::Id;

/// The most a page may hold (contract 1).
const PAGE: &str = "100";

/// Arize's API with one key.
pub struct Client {
    http: Http,
    credential: Credential,
}

impl Client {
    /// A client over a stack. Calls nothing.
    pub fn new(http: Http, credential: Credential) -> Self {
        Self { http, credential }
    }

    /// The list of all items that these filters let through.
    pub fn list<'a, T: Listed>(&'a self, filters: &[(&'a str, &'a str)]) -> Pages<'a, T> {
        Pages {
            client: self,
            filters: filters.to_vec(),
            cursors: HashSet::new(),
            at: Place::Start,
            items: PhantomData,
        }
    }

    /// One item by its id. None where Arize does not show it: gone, or hidden (contract 1).
    pub async fn get<T: Listed>(&self, id: &Id) -> Result<Option<T>, Error> {
        let answer = self.http.call(self.request(Method::GET, &["v2", T::PATH, id.as_str()])).await;
        found(answer.and_then(|answer| answer.decode()))
    }

    /// Makes an item, or restricts a resource.
    pub async fn post(&self, path: &str, body: Value) -> Result<Answer, Error> {
        self.http.call(self.request(Method::POST, &["v2", path]).body(body)).await
    }

    /// Changes some fields of an item.
    pub async fn patch(&self, path: &str, id: &Id, body: Value) -> Result<Answer, Error> {
        self.http.call(self.request(Method::PATCH, &["v2", path, id.as_str()]).body(body)).await
    }

    /// Removes an item.
    pub async fn delete(&self, path: &str, id: &Id) -> Result<(), Error> {
        self.http.call(self.request(Method::DELETE, &["v2", path, id.as_str()])).await.map(|_| ())
    }

    /// Whether the key is an account admin's, as far as it can be proven: only they may read the audit log, and only where
    /// the account has one (contract 2.7).
    pub async fn is_proven_admin(&self) -> Result<bool, Error> {
        let request = self.request(Method::GET, &["v2", AuditLog::PATH]).query("limit", "1");
        match self.http.call(request).await {
            Ok(answer) => Ok(wire::page::<AuditLog>(&answer.body).is_ok()),
            Err(error) if matches!(error.class, Class::Unauthenticated | Class::Throttled(_)) => Err(error),
            // Whatever else ails the audit log keeps nobody from reading the rest: it only proves nothing.
            Err(_) => Ok(false),
        }
    }

    fn request<'a>(&'a self, method: Method, path: &[&'a str]) -> Request<'a> {
        Request::new(method, path, &self.credential)
    }
}

enum Place {
    Start,
    After(String),
    End,
}

/// A list, read page by page to its end.
pub struct Pages<'a, T> {
    client: &'a Client,
    filters: Vec<(&'a str, &'a str)>,
    cursors: HashSet<String>,
    at: Place,
    items: PhantomData<T>,
}

impl<T: Listed> Pages<'_, T> {
    /// The next page, which may be empty without being the last (contract 6.7). None after the last.
    ///
    /// # Errors
    /// Whatever kept it from being read, and a list that does not end. A refusal of any page but the first is passing: the
    /// list was allowed when it began.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let mut request = self.client.request(Method::GET, &["v2", T::PATH]).query("limit", PAGE);
        for (name, value) in &self.filters {
            request = request.query(name, value);
        }
        let begun = match &self.at {
            Place::End => return Ok(None),
            Place::Start => false,
            Place::After(cursor) => {
                request = request.query("cursor", cursor);
                true
            }
        };
        let answer = self.client.http.call(request).await.map_err(|error| of_page(error, begun))?;
        let page = wire::page::<T>(&answer.body).map_err(|what| answer.undecodable(what))?;
        self.at = match page.next {
            None => Place::End,
            Some(_) if self.cursors.len() >= MOST_PAGES => {
                return Err(without_end(&["v2", T::PATH]));
            }
            Some(cursor) if !self.cursors.insert(cursor.clone()) => {
                return Err(answer.undecodable("leads back to a page that was read already"));
            }
            Some(cursor) => Place::After(cursor),
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

    /// All items of the first so many pages, and whether that is the whole list.
    pub async fn first(mut self, pages: usize) -> Result<(Vec<T>, bool), Error> {
        let mut all = Vec::new();
        for _ in 0..pages {
            match self.next().await? {
                Some(items) => all.extend(items),
                None => break,
            }
        }
        Ok((all, matches!(self.at, Place::End)))
    }

    /// The first item that is wanted; reads no further.
    pub async fn find(mut self, wanted: impl Fn(&T) -> bool) -> Result<Option<T>, Error> {
        while let Some(items) = self.next().await? {
            if let Some(found) = items.into_iter().find(&wanted) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
