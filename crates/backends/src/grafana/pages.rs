//! Lists with numbered pages (contract 2.6). A page has the total number of items, so a list that is cut short is noticed, unless the total
//! counts hidden items.

use std::{collections::HashSet, marker::PhantomData};

use super::{
    client::Client,
    wire::{self, Listed},
};
use crate::{
    Error,
    reading::{MAX_PAGES, endless_list, page_error},
};

/// The page size that is requested; the server can return fewer items.
const PER_PAGE: &str = "1000";

/// A list that is not read yet.
pub struct Pages<'a, T> {
    client: &'a Client,
    filters: Vec<(&'a str, &'a str)>,
    items: PhantomData<T>,
}

impl<'a, T: Listed> Pages<'a, T> {
    /// The list of all items that pass these filters.
    pub fn new(client: &'a Client, filters: &[(&'a str, &'a str)]) -> Self {
        Self { client, filters: filters.to_vec(), items: PhantomData }
    }

    /// All items, each once.
    ///
    /// # Errors
    /// Any failure to read a page, and pages that end before the total. A refusal after the first page is temporary.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        for number in 1..=MAX_PAGES {
            let text = number.to_string();
            let mut query = self.filters.clone();
            query.extend([("perpage", PER_PAGE), ("page", text.as_str())]);
            let answer = self.client.answer(T::PATH, &query).await;
            let answer = answer.map_err(|error| page_error(error, number > 1))?;
            let page = wire::page::<T>(&answer.body).map_err(|what| answer.undecodable(what))?;
            let before = all.len();
            all.extend(page.items.into_iter().filter(|item| known.insert(item.id())));
            // What the pages so far count, with those that they do not show.
            let counted = page.size.filter(|_| T::HIDES_SOME).map_or(0, |size| number.saturating_mul(size));
            match page.total {
                Some(total) if all.len().max(counted) >= total => return Ok(all),
                Some(_) if all.len() == before => {
                    return Err(answer.undecodable("ends before the total number of items"));
                }
                None if all.len() == before => return Ok(all),
                _ => {}
            }
        }
        Err(endless_list(T::PATH))
    }
}
