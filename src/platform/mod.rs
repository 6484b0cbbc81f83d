// SPDX-License-Identifier: GPL-2.0-only
//! What serverless platforms and container runtimes say of their functions.

pub mod openlambda;
