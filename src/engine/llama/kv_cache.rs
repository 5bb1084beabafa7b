//! The keys and values of one sequence, layer by layer.

/// So many positions are allocated together.
const GROWTH: usize = 64;

/// The keys and values of a layer: a row of `width` floats a position.
#[derive(Default)]
pub(super) struct LayerCache {
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
}

impl LayerCache {
    /// Puts a token's keys and values at `position`; all before it are there.
    pub(super) fn put(&mut self, position: usize, keys: &[f32], values: &[f32]) {
        for (cache, new) in [(&mut self.keys, keys), (&mut self.values, values)] {
            // A step that failed half-way may have left more.
            cache.truncate(position * new.len());
            if cache.capacity() - cache.len() < new.len() {
                cache.reserve_exact(GROWTH * new.len());
            }
            cache.extend_from_slice(new);
        }
    }
}

/// All that the model remembers of a sequence.
pub(super) struct KvCache {
    /// How many positions are complete in all layers.
    pub(super) length: usize,
    pub(super) layers: Vec<LayerCache>,
}

impl KvCache {
    pub(super) fn new(layers: usize) -> Self {
        Self { length: 0, layers: (0..layers).map(|_| LayerCache::default()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_position_replaces_what_a_failed_step_left() {
        let mut cache = LayerCache::default();
        for position in 0..200 {
            cache.put(position, &[position as f32, 0.5], &[-(position as f32), 1.5]);
        }
        cache.put(3, &[7.0, 8.0], &[9.0, 10.0]);
        assert_eq!(cache.keys, [0.0, 0.5, 1.0, 0.5, 2.0, 0.5, 7.0, 8.0]);
        assert_eq!(cache.values[6..], [9.0, 10.0]);
    }
}
