//! Which literals share a bucket of the packed searcher, and the order that brings them there.
//!
//! # What was learned here
//!
//! Teddy puts literals into 8 buckets and looks at the halves of a few bytes for each. A bucket
//! stops at whatever is made of its literals' halves: `Z2h` and `doc` in one bucket also stop at
//! `Toc` and dozens more. With literals in buckets as they come, dense text stops it every few
//! bytes, and the search is at a tenth of its speed. With like put to like, it stops once in
//! a thousand or two, and holds its speed; a stop costs as much as some hundred bytes of searching.
//!
//! The searcher takes the bucket from a literal's position: the last one for the first literal,
//! and so on around; but literals whose first bytes have the same lower halves share the bucket of
//! the first of them. That is how it is made today and nothing it promises. Were it made
//! otherwise, the search would be slower and find the same.

use super::frequency::Model;

/// The packed searcher takes no more.
pub(super) const MOST_LITERALS: usize = 128;

/// How many bytes of a literal the searcher is to look at before it compares. It could look at one
/// more, which makes each step slower, and would want literals of that length.
pub(super) const LOOKED_AT: usize = 3;

pub(super) const BUCKETS: usize = 8;

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

    /// The lower and the upper halves that pass, as sets of bits, for each byte that is looked at.
    /// Shorter literals let nothing pass behind their ends.
    pub(super) fn halves(&self) -> [(u16, u16); LOOKED_AT] {
        self.0
    }
}

/// Literals, by index, in sets that the searcher keeps together whatever it is told.
type Sets = Vec<Vec<usize>>;

#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    pub(super) sets: Sets,
    mask: Mask,
    /// How often it stops.
    pub(super) chance: f32,
}

/// The order in which to give `literals` to the searcher, by index, so that a bucket stops seldom
/// by `model`. Some may come twice, to bring others to their places.
pub(super) fn arrange(literals: &[&[u8]], model: &dyn Model) -> Vec<usize> {
    let as_they_come = || (0..literals.len()).collect();
    if literals.len() > MOST_LITERALS {
        return as_they_come();
    }
    let arranger = Arranger { literals, model };
    let mut buckets = arranger.join();
    arranger.improve(&mut buckets);
    let order = line_up(buckets.into_iter().map(|bucket| bucket.sets).collect());
    if order.len() <= MOST_LITERALS {
        order
    } else {
        as_they_come()
    }
}

/// The order for literals whose buckets are known: which one each is to be in.
pub(super) fn order(literals: &[&[u8]], bucket: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut buckets = vec![Sets::new(); BUCKETS];
    for set in sets(literals) {
        buckets[bucket(set[0]) % BUCKETS].push(set);
    }
    line_up(buckets)
}

/// Puts literals into buckets.
pub(super) struct Arranger<'a> {
    pub(super) literals: &'a [&'a [u8]],
    pub(super) model: &'a dyn Model,
}

impl Arranger<'_> {
    fn mask(&self, set: &[usize]) -> Mask {
        let masks = set.iter().map(|&at| Mask::of(self.literals[at]));
        masks.fold(Mask::default(), Mask::or)
    }

    pub(super) fn add(&self, bucket: &mut Bucket, set: Vec<usize>) {
        bucket.mask = bucket.mask.or(self.mask(&set));
        bucket.chance = self.model.mask(&bucket.mask);
        bucket.sets.push(set);
    }

    /// What it costs to have `mask` in a bucket too.
    fn cost(&self, bucket: &Bucket, mask: Mask) -> f32 {
        self.model.mask(&bucket.mask.or(mask)) - bucket.chance
    }

    /// A bucket without its set `at`.
    pub(super) fn without(&self, bucket: &Bucket, at: usize) -> (Bucket, Vec<usize>) {
        let mut sets = bucket.sets.clone();
        let set = sets.remove(at);
        let masks = sets.iter().map(|set| self.mask(set));
        let mask = masks.fold(Mask::default(), Mask::or);
        let chance = self.model.mask(&mask);
        (Bucket { sets, mask, chance }, set)
    }

    /// Puts like to like: joins the two buckets that cost least together, until there are few
    /// enough.
    pub(super) fn join(&self) -> Vec<Bucket> {
        let alone = |set| {
            let mut bucket = Bucket::default();
            self.add(&mut bucket, set);
            bucket
        };
        let mut buckets: Vec<Bucket> = sets(self.literals).into_iter().map(alone).collect();
        let together = |a: &Bucket, b: &Bucket| self.cost(a, b.mask) - b.chance;
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
                self.add(&mut buckets[into], set);
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

    /// Moves sets to where they cost less, as long as that helps.
    pub(super) fn improve(&self, buckets: &mut [Bucket]) {
        /// Rounds after which it seldom gets better.
        const ROUNDS: usize = 4;
        /// What is not worth a move.
        const TOO_LITTLE: f32 = 1e-9;

        for _ in 0..ROUNDS {
            let mut moved = false;
            for from in 0..buckets.len() {
                let mut at = 0;
                while at < buckets[from].sets.len() {
                    let (rest, set) = self.without(&buckets[from], at);
                    let mask = self.mask(&set);
                    let others = (0..buckets.len()).filter(|&to| to != from);
                    let costs = others.map(|to| (self.cost(&buckets[to], mask), to));
                    let cheapest = costs.min_by(|a, b| a.0.total_cmp(&b.0));
                    match cheapest {
                        Some((cost, to))
                            if cost + TOO_LITTLE < buckets[from].chance - rest.chance =>
                        {
                            buckets[from] = rest;
                            self.add(&mut buckets[to], set);
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
}

/// Which literals the searcher keeps together: those whose first bytes have the same lower halves.
/// It looks at no more bytes than the shortest one has.
fn sets(literals: &[&[u8]]) -> Sets {
    let shortest = literals.iter().map(|literal| literal.len()).min();
    let looked_at = shortest.unwrap_or(0).min(LOOKED_AT);
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

/// Positions such that each set's first member brings it into its bucket.
fn line_up(mut buckets: Vec<Sets>) -> Vec<usize> {
    // The fullest first, so that there is something to fill gaps with.
    buckets.sort_by_key(|sets| std::cmp::Reverse(sets.len()));
    // Gaps are filled with those whose bucket is settled, or what is there already.
    let mut order: Vec<usize> = Vec::new();
    let mut settled: Vec<usize> = Vec::new();
    for row in 0..buckets[0].len() {
        for sets in &buckets {
            match sets.get(row) {
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
    use super::super::frequency::SingleBytes;
    use super::*;

    /// How often the searcher stops, the buckets made as it makes them.
    fn stops(literals: &[&[u8]], order: &[usize]) -> f32 {
        let mut masks = [Mask::default(); BUCKETS];
        for set in sets(literals) {
            let first = order.iter().position(|at| set.contains(at)).unwrap();
            let bucket = &mut masks[first % BUCKETS];
            for at in set {
                *bucket = bucket.or(Mask::of(literals[at]));
            }
        }
        masks.iter().map(|mask| SingleBytes.mask(mask)).sum()
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
        let order = arrange(&literals, &SingleBytes);
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
        assert_eq!(arrange(&[], &SingleBytes), [0; 0]);
        assert_eq!(arrange(&[b"abcd"], &SingleBytes)[0], 0);
        let many: Vec<[u8; 4]> = (0..127_u8).map(|n| [n, n ^ 0x55, n, n ^ 0x2a]).collect();
        let many: Vec<&[u8]> = many.iter().map(<[u8; 4]>::as_slice).collect();
        let order = arrange(&many, &SingleBytes);
        assert!((0..127).all(|at| order.contains(&at)));
    }
}
