//! What the reading of one message may cost, counted on one scale: parts of MIME, CMS layers and BER elements nest in one
//! another, and none of them begins to count anew inside another.

use std::cell::Cell;
use std::rc::Rc;

/// Everything in a message nests at most this deep: MIME parts, CMS layers and BER elements together.
pub const DEPTH_LIMIT: usize = 64;
/// A message is opened through at most this many CMS layers; what is inside the last is kept closed.
pub const LAYER_LIMIT: usize = 10;
/// A message has at most this many BER elements, in all layers together. A signed gigabyte in pieces of 512 octets, the
/// smallest that any program writes, stays below it.
pub const ELEMENT_LIMIT: u64 = 4_000_000;
/// All compressed content of a message may be this long together when it is no longer compressed, in octets.
pub const EXPANDED_LIMIT: u64 = 64 * 1024 * 1024;

/// The budget of one message, at one place in it. Clones share what is counted for the whole message.
#[derive(Clone, Debug)]
pub struct Budget {
    elements: Rc<Cell<u64>>,
    expanded: Rc<Cell<u64>>,
    depth: usize,
    layers: usize,
}

impl Default for Budget {
    fn default() -> Self {
        let (elements, expanded) = (Rc::new(Cell::new(ELEMENT_LIMIT)), Rc::new(Cell::new(EXPANDED_LIMIT)));
        Self { elements, expanded, depth: 0, layers: 0 }
    }
}

impl Budget {
    /// How deep this place is.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The budget so many levels further down; `None` where that is too deep.
    pub fn deeper(&self, levels: usize) -> Option<Self> {
        let depth = self.depth.saturating_add(levels);
        (depth <= DEPTH_LIMIT).then(|| Self { depth, ..self.clone() })
    }

    /// The budget inside a CMS layer that stands here; `None` where there were too many.
    pub fn layer(&self) -> Option<Self> {
        let layers = self.layers.saturating_add(1);
        let inside = self.deeper(1)?;
        (layers <= LAYER_LIMIT).then_some(Self { layers, ..inside })
    }

    /// Takes one element; false where none is left.
    pub(crate) fn element(&self) -> bool {
        self.elements(1)
    }

    /// Takes so many elements; false where fewer are left.
    pub(crate) fn elements(&self, count: u64) -> bool {
        match self.elements.get().checked_sub(count) {
            Some(left) => {
                self.elements.set(left);
                true
            }
            None => false,
        }
    }

    /// How much compressed content may still become in this message, in octets.
    pub(crate) fn expanded(&self) -> u64 {
        self.expanded.get()
    }

    /// Takes what compressed content became.
    pub(crate) fn expand(&self, octets: u64) {
        self.expanded.set(self.expanded.get().saturating_sub(octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_message_counts_on_one_scale() {
        let root = Budget::default();
        let inside = (0..LAYER_LIMIT).try_fold(root.clone(), |budget, _| budget.layer()).unwrap();
        assert!(inside.layer().is_none());
        assert_eq!(inside.depth(), LAYER_LIMIT);
        assert!(inside.deeper(DEPTH_LIMIT - LAYER_LIMIT).is_some());
        assert!(inside.deeper(DEPTH_LIMIT - LAYER_LIMIT + 1).is_none());
        root.elements.set(1);
        assert!(inside.element() && !root.element());
    }
}
