//! P(a team wins a series of maps), from the map that is played.

/// P(the first team wins a best of `maps`), if it has won `won` maps against the other's, wins the map
/// that is played with probability `map`, and every map after it with 0.5.
///
/// An even number of maps can end level, which counts half; a series that is decided is 0 or 1. At most
/// 99 maps are looked at.
pub fn series(maps: u16, won: [u16; 2], map: f64) -> f64 {
    let maps = maps.min(99);
    let [ours, theirs] = won.map(|won| won.min(99));
    let left = maps.saturating_sub(ours.saturating_add(theirs));
    if left == 0 || 2 * ours > maps || 2 * theirs > maps {
        return share(maps, ours, theirs);
    }
    let map = map.clamp(0.0, 1.0);
    map * even(maps, ours + 1, theirs) + (1.0 - map) * even(maps, ours, theirs + 1)
}

/// The same when every map that is left is even: most of all maps, if all were played.
fn even(maps: u16, ours: u16, theirs: u16) -> f64 {
    let left = maps.saturating_sub(ours + theirs);
    // P(the first team wins so many more) is a binomial coefficient over a power of two.
    let mut chance = libm::exp2(-f64::from(left));
    let mut sum = 0.0;
    for more in 0..=left {
        sum += chance * share(maps, ours + more, theirs + left - more);
        chance *= f64::from(left - more) / f64::from(more + 1);
    }
    sum
}

fn share(maps: u16, ours: u16, theirs: u16) -> f64 {
    match (2 * ours > maps, 2 * theirs > maps) {
        (true, _) => 1.0,
        (_, true) => 0.0,
        _ => 0.5,
    }
}
