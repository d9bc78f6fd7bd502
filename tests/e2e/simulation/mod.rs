//! The whole operator in one thread and in simulated time: its Kubernetes API and its back ends are in memory. So it can be killed at any
//! call, thousands of times.

mod access;
mod api_server;
mod bounded;
mod ceilings;
mod cluster;
mod conformance;
mod crash_matrix;
mod expected;
mod explore;
mod guarded;
mod network;
mod operations;
mod path;
mod process;
mod prune;
mod rate;
mod recorded;
mod scenarios;
mod scene;
mod shape;
mod witness;
