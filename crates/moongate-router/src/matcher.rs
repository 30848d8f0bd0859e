//! What is compared with requests: a group of paths of a route with the route's other conditions, or its
//! expression.
//!
//! A route with several paths becomes several matchers, one for its regular expressions and one for each
//! length of its plain paths, because each of these groups competes with other routes on its own.

use std::sync::Arc;

use uuid::Uuid;

use crate::Flavour;
use crate::conditions::{Conditions, Unmet};
use crate::expression::{Program, Subsystem};
use crate::host::HostKey;
use crate::paths::Paths;
use crate::pool::Compiler;
use crate::rank::Rank;
use crate::request::Facts;
use crate::route::RouteFields;
use crate::wire::Wires;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Matcher {
    /// The route's position among the routes that the router was built from.
    pub(crate) route: usize,
    wires: Wires,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Fields { paths: Paths, conditions: Option<Arc<Conditions>> },
    Expression(Arc<Program>),
}

impl Matcher {
    /// The matchers of the route at `position`, with their ranks.
    ///
    /// # Errors
    /// Returns what cannot be matched, without a word about the route.
    pub(crate) fn of_route(
        flavour: Flavour,
        position: usize,
        route: &RouteFields<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Result<Vec<(Rank, Self)>, String> {
        let wires = Wires::of_route(flavour, route.protocols);
        if let (Flavour::Expressions, Some(text)) = (flavour, route.expression) {
            let subsystem = if route.is_http() { Subsystem::Http } else { Subsystem::Stream };
            let kind = Kind::Expression(compiler.program(text, subsystem)?);
            return Ok(vec![(Rank::of_expression(route), Self { route: position, wires, kind })]);
        }
        let conditions = Conditions::of_route(flavour, route, compiler)?.map(Arc::new);
        let groups = Paths::groups(flavour, route, compiler)?;
        let several = groups.len() > 1;
        let matchers = groups.into_iter().zip(1..).map(|(paths, number)| {
            let id = match flavour {
                Flavour::TraditionalCompatible | Flavour::Expressions if several => {
                    Uuid::new_v5(&GROUP_NAMESPACE, format!("{}#{number}", route.id).as_bytes())
                }
                _ => route.id,
            };
            let rank = match flavour {
                Flavour::Traditional => Rank::traditional(route, &paths),
                Flavour::TraditionalCompatible | Flavour::Expressions => Rank::compatible(route, &paths, id),
            };
            let kind = Kind::Fields { paths, conditions: conditions.clone() };
            (rank, Self { route: position, wires, kind })
        });
        Ok(matchers.collect())
    }

    /// The part of the path that matched, when every condition holds.
    ///
    /// `known` is the length of a literal of this matcher, found through the index, that the path starts with.
    pub(crate) fn matches<'r>(&self, facts: &Facts<'r>, known: Option<usize>) -> Option<&'r str> {
        if !self.wires.contains(facts.wire) {
            return None;
        }
        match &self.kind {
            Kind::Fields { paths, conditions } => {
                if let Some(conditions) = conditions
                    && !conditions.hold(facts)
                {
                    return None;
                }
                paths.matched(facts.path, known).map(|length| facts.prefix(length))
            }
            Kind::Expression(program) => program.matches(facts),
        }
    }

    /// The conditions that do not hold.
    pub(crate) fn unmet(&self, facts: &Facts<'_>) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if !self.wires.contains(facts.wire) {
            unmet.push(Unmet::Protocol);
        }
        match &self.kind {
            Kind::Fields { paths, conditions } => {
                if paths.matched(facts.path, None).is_none() {
                    unmet.push(Unmet::Path);
                }
                if let Some(conditions) = conditions {
                    conditions.unmet(facts, &mut unmet);
                }
            }
            Kind::Expression(program) if program.matches(facts).is_none() => unmet.push(Unmet::Expression),
            Kind::Expression(_) => {}
        }
        unmet
    }

    /// Texts one of which the path of every request starts with that matches.
    pub(crate) fn literals(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Fields { paths, .. } => paths.literals(),
            Kind::Expression(program) => program.literals().unwrap_or_else(|| vec![""]),
        }
    }

    /// Names and wildcards one of which the host of every request fits that matches, or `None` if any host can.
    pub(crate) fn hosts(&self) -> Option<Vec<HostKey<'_>>> {
        match &self.kind {
            Kind::Fields { conditions, .. } => {
                let hosts = conditions.as_ref().map(|conditions| &conditions.hosts)?;
                if hosts.is_empty() { None } else { hosts.iter().map(|host| host.name.key()).collect() }
            }
            Kind::Expression(program) => program.hosts(),
        }
    }
}

/// Names the groups of a route that has several.
const GROUP_NAMESPACE: Uuid = Uuid::from_u128(0x7f145bf9_0dce_4f91_98eb_debbce4b9f6b);
