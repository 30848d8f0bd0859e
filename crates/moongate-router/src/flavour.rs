//! The three ways of matching and ranking routes.

use moongate_model::PathHandling;

/// How routes are matched and ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Flavour {
    /// Fields of routes, ranked by a number made from them; the default.
    #[default]
    TraditionalCompatible,
    /// Fields of routes, ranked by which fields are set, then by how specific they are, then by age.
    Traditional,
    /// Expressions, ranked by their given priority. Routes with fields are served behind them.
    Expressions,
}

impl Flavour {
    /// Every flavour, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Traditional, Self::TraditionalCompatible, Self::Expressions];

    /// The flavour that the property `router_flavor` calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| flavour.name() == name)
    }

    /// The name that the property `router_flavor` has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TraditionalCompatible => "traditional_compatible",
            Self::Traditional => "traditional",
            Self::Expressions => "expressions",
        }
    }

    /// How paths are joined for a route that asks for `configured`; see [`upstream_path`](crate::upstream_path).
    ///
    /// Only the traditional flavour follows the route's wish, the others know one way.
    pub fn path_handling(self, configured: PathHandling) -> PathHandling {
        match self {
            Self::Traditional => configured,
            Self::TraditionalCompatible | Self::Expressions => PathHandling::V0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_traditional_flavour_knows_a_second_way_to_join_paths() {
        for flavour in Flavour::ALL {
            let v1 = flavour.path_handling(PathHandling::V1) == PathHandling::V1;
            assert_eq!(v1, flavour == Flavour::Traditional, "{flavour:?}");
            assert_eq!(flavour.path_handling(PathHandling::V0), PathHandling::V0);
        }
    }

    #[test]
    fn flavours_are_found_by_their_names() {
        for flavour in Flavour::ALL {
            assert_eq!(Flavour::from_name(flavour.name()), Some(flavour));
        }
        assert_eq!(Flavour::from_name("expression"), None);
        assert_eq!(Flavour::default().name(), "traditional_compatible");
    }
}
