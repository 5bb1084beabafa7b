use super::*;

/// What is to be forgotten, found by looking at everything.
fn largest(shelf: &Shelf) -> Option<(usize, Reverse<u64>)> {
    let sizes = shelf.callers.values().map(|caller| (caller.marks.len(), caller.least()));
    sizes.filter_map(|(marks, least)| Some((marks, Reverse(least?)))).max()
}

#[test]
fn keeps_its_orders_in_step_with_the_marks() {
    let mut shelf = Shelf::new(NonZeroUsize::new(16).unwrap(), 0);
    let mut draw = 1_u64;
    for step in 0..5_000 {
        // A multiplier of Knuth's.
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let hotkey: Arc<str> = format!("5H{}", (draw >> 33) % 24).into();
        let uuid: Arc<str> = format!("{}", (draw >> 43) % 4).into();
        let order = step * 4 + (draw >> 53) % 4;
        match (draw >> 60) % 8 {
            0 => shelf.raise_floor(Some(&hotkey), order),
            1 => drop(shelf.take(&hotkey)),
            _ => {
                let slot = Slot { nonce: order, order, rank: order };
                shelf.record(&hotkey, &uuid, slot, (step * 4).saturating_sub(60));
            }
        }
        let marks: usize = shelf.callers.values().map(|caller| caller.marks.len()).sum();
        assert_eq!(shelf.marks, marks);
        assert!(marks <= 16);
        assert_eq!(shelf.by_size.len(), shelf.callers.len());
        let last = shelf.by_size.last().and_then(|(marks, least, _)| Some((*marks, (*least)?)));
        assert_eq!(last, largest(&shelf));
        let least = shelf.callers.values().filter_map(Caller::least).min();
        assert_eq!(shelf.by_least.first().map(|(least, _)| *least), least);
    }
}

#[test]
fn forgets_of_whoever_has_the_most_the_least_first() {
    let mut shelf = Shelf::new(NonZeroUsize::new(4).unwrap(), 0);
    let mut record = |hotkey: &str, order| {
        let slot = Slot { nonce: order, order, rank: order };
        shelf.record(&hotkey.into(), &format!("{order}").into(), slot, 0);
        let mut orders: Vec<_> = shelf.callers.values().flat_map(|caller| &caller.marks).collect();
        orders.sort_by_key(|(_, slot)| slot.order);
        orders.iter().map(|(_, slot)| slot.order).collect::<Vec<_>>()
    };
    for (hotkey, order) in [("a", 1), ("b", 2), ("b", 3), ("c", 4)] {
        record(hotkey, order);
    }
    assert_eq!(record("c", 5), [1, 3, 4, 5]);
    assert_eq!(record("d", 6), [1, 3, 5, 6]);
    // All have one now, so the least of all goes, and its hotkey with it.
    assert_eq!(record("e", 7), [3, 5, 6, 7]);
    assert_eq!(shelf.floor(), 1);
}
