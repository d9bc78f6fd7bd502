//! Lists that come in numbered pages (contract 2.6), read to their ends. A page tells how many items there are in all, so one that
//! was cut short is noticed.

use std::{collections::HashSet, marker::PhantomData};

use super::{
    client::Client,
    wire::{self, Listed},
};
use crate::{
    Error,
    reading::{MOST_PAGES, of_page, without_end},
};

/// What is asked for on a page; the server may give fewer.
const PER_PAGE: &str = "1000";

/// A list, not read yet.
pub struct Pages<'a, T> {
    client: &'a Client,
    filters: Vec<(&'a str, &'a str)>,
    items: PhantomData<T>,
}

impl<'a, T: Listed> Pages<'a, T> {
    /// The list of all items that these filters let through.
    pub fn new(client: &'a Client, filters: &[(&'a str, &'a str)]) -> Self {
        Self { client, filters: filters.to_vec(), items: PhantomData }
    }

    /// All items, each once.
    ///
    /// # Errors
    /// Whatever kept a page from being read, and pages that end before all items were seen. A refusal of any page but the first is
    /// passing: the list was allowed when it began.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        for number in 1..=MOST_PAGES {
            let text = number.to_string();
            let mut query = self.filters.clone();
            query.extend([("perpage", PER_PAGE), ("page", text.as_str())]);
            let answer = self.client.answer(T::PATH, &query).await;
            let answer = answer.map_err(|error| of_page(error, number > 1))?;
            let page = wire::page::<T>(&answer.body).map_err(|what| answer.undecodable(what))?;
            let before = all.len();
            all.extend(page.items.into_iter().filter(|item| known.insert(item.id())));
            match page.total {
                Some(total) if all.len() >= total => return Ok(all),
                Some(_) if all.len() == before => {
                    return Err(answer.undecodable("ends before all items that it counts were shown"));
                }
                None if all.len() == before => return Ok(all),
                _ => {}
            }
        }
        Err(without_end(T::PATH))
    }
}
