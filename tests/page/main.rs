// SPDX-License-Identifier: GPL-2.0-only
//! The report's page and drawings as text: whole, closed, and asking for
//! nothing, whatever the run was and however its functions are called. What
//! they look like in a browser is tested in `tests/report`.

#[path = "../report/runs.rs"]
mod runs;
#[path = "../report/serving.rs"]
mod serving;

use roxmltree::Document;
use scx_alps::report::{Comparison, Run, html, plot};

const PLOTS: usize = 4;

const SVG: (&str, &str) = ("http://www.w3.org/2000/svg", "svg");

/// With the name of each run, for messages.
fn all() -> [(&'static str, Run); 7] {
    [
        ("usual", runs::usual()),
        ("small", runs::small()),
        ("large", runs::large()),
        ("simulated", runs::simulated()),
        ("hostile", runs::hostile()),
        ("nothing served", runs::nothing()),
        ("no round", runs::empty()),
    ]
}

/// A drawing, which must be well-formed.
fn parsed<'x>(name: &str, xml: &'x str) -> Document<'x> {
    Document::parse(xml).unwrap_or_else(|error| panic!("{name}: {error} in {xml}"))
}

#[test]
fn drawings_are_well_formed_and_say_what_they_show() {
    for (name, run) in all() {
        for (number, comparison) in Comparison::all(&run).iter().enumerate() {
            let plots = plot::plots(comparison, &number.to_string());
            assert_eq!(plots.len(), PLOTS, "{name}");
            for plot in plots {
                let file = plot.file();
                let drawing = parsed(name, &file);
                assert!(drawing.root_element().has_tag_name(SVG), "{name}");
                for wanted in ["title", "desc"] {
                    let said = drawing.descendants().any(|node| {
                        node.tag_name().name() == wanted
                            && node.text().is_some_and(|text| !text.is_empty())
                    });
                    assert!(said, "{name}, {}: no {wanted}", plot.name);
                }
            }
        }
    }
}

#[test]
fn no_coordinate_is_no_number() {
    for (name, run) in all() {
        for comparison in Comparison::all(&run) {
            for plot in plot::plots(&comparison, "0") {
                let file = plot.file();
                for node in parsed(name, &file).descendants() {
                    for attribute in node.attributes() {
                        let value = attribute.value();
                        assert!(
                            !value.contains("NaN") && !value.contains("inf"),
                            "{name}, {}: {value}",
                            plot.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_page_holds_every_plot_and_asks_for_nothing() {
    for (name, run) in all() {
        let page = html::page(&run);
        let settings = Comparison::all(&run).len();
        assert!(
            page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"),
            "{name}"
        );
        assert_eq!(page.matches("<svg").count(), PLOTS * settings, "{name}");
        for asking in ["<script", "<iframe", "<img", "<object", "src=\"http"] {
            assert!(!page.contains(asking), "{name} holds {asking}");
        }
        // An identifier must be the page's only one of that name.
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}");
    }
}

#[test]
fn what_is_opened_is_closed_in_the_page() {
    for (name, run) in all() {
        let page = html::page(&run);
        for tag in [
            "table", "tr", "td", "section", "svg", "figure", "g", "main", "body",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            let closed = page.matches(&format!("</{tag}>")).count();
            assert_eq!(opened, closed, "{name}: <{tag}>");
        }
    }
}
