//! Neuropil for C and C++.
//!
//! `include/neuropil.h` is made of what stands here, and is its own manual. Functions check what they are given,
//! call the facade, and turn what goes wrong into an `npl_error`; none of them unwinds into its caller.

#![allow(unsafe_code, reason = "C gives and takes raw pointers")]
#![allow(unreachable_pub, reason = "the header is made of what is public")]
#![allow(non_camel_case_types, reason = "these are the names that C programs use")]

mod builder;
mod call;
mod handle;
mod host;
mod model;
mod options;
mod recording;
mod run;
mod simulation;
mod text;
mod value;
mod version;
