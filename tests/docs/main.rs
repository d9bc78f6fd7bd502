//! The documentation: its links, its order on the site, and the objects that it shows.

mod links;
mod objects;
mod pages;
mod site;
