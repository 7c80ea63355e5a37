//! The order in which the packed searcher is given its literals.
//!
//! # What was learned here
//!
//! Teddy puts literals into 8 buckets and looks at the halves of a few bytes for each. A bucket
//! stops at whatever is made of its literals' halves: `Z2h` and `doc` in one bucket also stop at
//! `Toc` and dozens more. With literals in buckets as they come, dense text stops it every few
//! bytes, and the search is at a tenth of its speed. With like put to like, it stops once in
//! thousands, and holds its speed.
//!
//! The searcher takes the bucket from a literal's position: the last one for the first literal,
//! and so on around; but literals whose first bytes have the same lower halves share the bucket of
//! the first of them. That is how it is made today and nothing it promises. Were it made
//! otherwise, the search would be slower and find the same.

use super::frequency::frequency;

/// The packed searcher takes no more.
pub(super) const MOST_LITERALS: usize = 128;

/// How many bytes of a literal the searcher is to look at before it compares. It could look at one
/// more, which makes each step slower, and would want literals of that length.
pub(super) const LOOKED_AT: usize = 3;

const BUCKETS: usize = 8;

/// Which halves of bytes a bucket lets pass, for each byte that is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Mask([(u16, u16); LOOKED_AT]);

impl Mask {
    pub(super) fn of(literal: &[u8]) -> Self {
        let mut mask = Self::default();
        for ((low, high), &byte) in mask.0.iter_mut().zip(literal) {
            *low = 1 << (byte & 15);
            *high = 1 << (byte >> 4);
        }
        mask
    }

    pub(super) fn or(mut self, other: Self) -> Self {
        for ((low, high), (more_low, more_high)) in self.0.iter_mut().zip(other.0) {
            *low |= more_low;
            *high |= more_high;
        }
        self
    }

    /// How often a place passes, if bytes did not depend on each other.
    pub(super) fn chance(&self, looked_at: usize) -> f32 {
        let looked_at = self.0.iter().take(looked_at);
        looked_at.map(|&(low, high)| passing(low, high)).product()
    }
}

fn passing(low: u16, high: u16) -> f32 {
    let mut sum = 0.0;
    for high in bits(high) {
        for low in bits(low) {
            sum += frequency(high << 4 | low);
        }
    }
    sum
}

fn bits(mut mask: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let lowest = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        u8::try_from(lowest).ok().filter(|&bit| bit < 16)
    })
}

/// Literals that share a bucket.
#[derive(Debug, Clone, Default)]
struct Bucket {
    /// Sets of literals, by index, that the searcher keeps together whatever it is told.
    sets: Vec<Vec<usize>>,
    mask: Mask,
    chance: f32,
}

impl Bucket {
    fn new(set: Vec<usize>, literals: &[&[u8]], looked_at: usize) -> Self {
        let mut bucket = Self::default();
        bucket.add(set, literals, looked_at);
        bucket
    }

    fn add(&mut self, set: Vec<usize>, literals: &[&[u8]], looked_at: usize) {
        self.mask = self.mask.or(mask(&set, literals));
        self.chance = self.mask.chance(looked_at);
        self.sets.push(set);
    }

    /// What it costs to have `mask` in it too.
    fn cost_of(&self, mask: Mask, looked_at: usize) -> f32 {
        self.mask.or(mask).chance(looked_at) - self.chance
    }

    /// The bucket without its set `at`.
    fn without(&self, at: usize, literals: &[&[u8]], looked_at: usize) -> (Self, Vec<usize>) {
        let mut rest = Self {
            sets: self.sets.clone(),
            ..Self::default()
        };
        let set = rest.sets.remove(at);
        let masks = rest.sets.iter().map(|set| mask(set, literals));
        rest.mask = masks.fold(Mask::default(), Mask::or);
        rest.chance = rest.mask.chance(looked_at);
        (rest, set)
    }
}

fn mask(set: &[usize], literals: &[&[u8]]) -> Mask {
    let masks = set.iter().map(|&at| Mask::of(literals[at]));
    masks.fold(Mask::default(), Mask::or)
}

/// The order in which to give `literals` to the searcher, by index. Some may come twice, to bring
/// others to their places.
pub(super) fn arrange(literals: &[&[u8]]) -> Vec<usize> {
    let shortest = literals.iter().map(|literal| literal.len()).min();
    let looked_at = shortest.unwrap_or(0).min(LOOKED_AT);
    let mut buckets = join(literals, looked_at);
    improve(&mut buckets, literals, looked_at);
    let order = line_up(buckets);
    if order.len() <= MOST_LITERALS {
        order
    } else {
        (0..literals.len()).collect()
    }
}

/// Puts like to like: joins the two buckets that cost least together, until there are few enough.
fn join(literals: &[&[u8]], looked_at: usize) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = sets(literals, looked_at)
        .into_iter()
        .map(|set| Bucket::new(set, literals, looked_at))
        .collect();
    let together = |a: &Bucket, b: &Bucket| a.cost_of(b.mask, looked_at) - b.chance;
    // For each bucket, what it costs with each one before it.
    let mut costs: Vec<Vec<f32>> = (0..buckets.len())
        .map(|b| (0..b).map(|a| together(&buckets[a], &buckets[b])).collect())
        .collect();
    while buckets.len() > BUCKETS {
        let pairs = (1..buckets.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let cheapest = pairs.min_by(|&(a, b), &(c, d)| costs[b][a].total_cmp(&costs[d][c]));
        let Some((into, from)) = cheapest else { break };
        let gone = buckets.remove(from);
        costs.remove(from);
        for row in &mut costs[from..] {
            row.remove(from);
        }
        for set in gone.sets {
            buckets[into].add(set, literals, looked_at);
        }
        for other in 0..buckets.len() {
            let cost = together(&buckets[into], &buckets[other]);
            match other.cmp(&into) {
                std::cmp::Ordering::Less => costs[into][other] = cost,
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => costs[other][into] = cost,
            }
        }
    }
    buckets.resize(BUCKETS, Bucket::default());
    buckets
}

/// Which literals the searcher keeps together: those whose first bytes have the same lower halves.
fn sets(literals: &[&[u8]], looked_at: usize) -> Vec<Vec<usize>> {
    let key = |at: &usize| -> Vec<u8> {
        let looked_at = literals[*at][..looked_at].iter();
        looked_at.map(|byte| byte & 15).collect()
    };
    let mut all: Vec<usize> = (0..literals.len()).collect();
    all.sort_by_cached_key(key);
    all.chunk_by(|a, b| key(a) == key(b))
        .map(<[usize]>::to_vec)
        .collect()
}

/// Moves sets to where they cost less, as long as that helps.
fn improve(buckets: &mut [Bucket], literals: &[&[u8]], looked_at: usize) {
    /// Rounds after which it seldom gets better.
    const ROUNDS: usize = 4;
    /// What is not worth a move.
    const TOO_LITTLE: f32 = 1e-9;

    for _ in 0..ROUNDS {
        let mut moved = false;
        for from in 0..buckets.len() {
            let mut at = 0;
            while at < buckets[from].sets.len() {
                let (rest, set) = buckets[from].without(at, literals, looked_at);
                let mask = mask(&set, literals);
                let others = (0..buckets.len()).filter(|&to| to != from);
                let costs = others.map(|to| (buckets[to].cost_of(mask, looked_at), to));
                let cheapest = costs.min_by(|a, b| a.0.total_cmp(&b.0));
                match cheapest {
                    Some((cost, to)) if cost + TOO_LITTLE < buckets[from].chance - rest.chance => {
                        buckets[from] = rest;
                        buckets[to].add(set, literals, looked_at);
                        moved = true;
                    }
                    Some(_) | None => at += 1,
                }
            }
        }
        if !moved {
            break;
        }
    }
}

/// Positions such that each set's first member brings it into its bucket.
fn line_up(mut buckets: Vec<Bucket>) -> Vec<usize> {
    // The fullest first, so that there is something to fill gaps with.
    buckets.sort_by_key(|bucket| std::cmp::Reverse(bucket.sets.len()));
    // Gaps are filled with those whose bucket is settled, or what is there already.
    let mut order: Vec<usize> = Vec::new();
    let mut settled: Vec<usize> = Vec::new();
    for row in 0..buckets[0].sets.len() {
        for bucket in &buckets {
            match bucket.sets.get(row) {
                Some(set) => {
                    order.push(set[0]);
                    settled.extend(&set[1..]);
                }
                None => order.push(settled.pop().unwrap_or(order[0])),
            }
        }
    }
    order.extend(settled);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the searcher stops, the buckets made as it makes them.
    fn stops(literals: &[&[u8]], order: &[usize]) -> f32 {
        let mut masks = [Mask::default(); BUCKETS];
        for set in sets(literals, LOOKED_AT) {
            let first = order.iter().position(|at| set.contains(at)).unwrap();
            let bucket = &mut masks[first % BUCKETS];
            *bucket = bucket.or(mask(&set, literals));
        }
        masks.iter().map(|mask| mask.chance(LOOKED_AT)).sum()
    }

    #[test]
    fn every_literal_is_given_and_like_goes_to_like() {
        let literals: Vec<Vec<u8>> = (0..60_u8)
            .map(|n| match n % 3 {
                0 => vec![b'g', b'h', b'a' + n / 3],
                1 => vec![b'Z', b'2', b'a' + n / 3],
                _ => vec![b'%', b'5', b'a' + n / 3],
            })
            .collect();
        let literals: Vec<&[u8]> = literals.iter().map(Vec::as_slice).collect();
        let order = arrange(&literals);
        assert!(order.len() <= MOST_LITERALS);
        let mut given = order.clone();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given, (0..60).collect::<Vec<_>>());
        let as_they_come: Vec<usize> = (0..60).collect();
        let (arranged, as_they_come) = (stops(&literals, &order), stops(&literals, &as_they_come));
        assert!(arranged * 10.0 < as_they_come, "{arranged} {as_they_come}");
    }

    #[test]
    fn nothing_and_too_much_are_arranged_as_well() {
        assert_eq!(arrange(&[]), [0; 0]);
        assert_eq!(arrange(&[b"abcd"])[0], 0);
        let many: Vec<[u8; 4]> = (0..127_u8).map(|n| [n, n ^ 0x55, n, n ^ 0x2a]).collect();
        let many: Vec<&[u8]> = many.iter().map(<[u8; 4]>::as_slice).collect();
        let order = arrange(&many);
        assert!((0..127).all(|at| order.contains(&at)));
    }
}
